"""``cti-bridge kintone normalise``: fills the normalised fields of the records that are there."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from cti_bridge.cli.kintone.asking import patience, read_region, read_settings
from cti_bridge.cli.words import Progress, fail, say
from cti_bridge.connectors.kintone.apps import Apps
from cti_bridge.connectors.kintone.budget import Budget
from cti_bridge.connectors.kintone.domain import Domain
from cti_bridge.connectors.kintone.mapping import CustomerApp, KintoneMapping, load_mapping
from cti_bridge.connectors.kintone.setup.normalise import Change, Normalising, Report, Unreadable
from cti_bridge.environment import administrators_language
from cti_bridge.errors import ConnectorError
from cti_bridge.phone import mask
from cti_bridge.store.records.csv_files import guard

EXAMPLES = 3
HEADINGS = {
    "ja": ("アプリ", "レコード番号", "フィールドコード", "入力されている値", "リンク"),
    "en": ("App", "Record", "Field code", "As typed", "Link"),
}


def fill(*, apps: Sequence[int], write: bool, unreadable: Path | None, after: int) -> None:
    """The whole command. Raises ClickException that says what to do."""
    settings, region = read_settings(), read_region()
    mapping = load_mapping(settings, os.environ)
    chosen = _chosen(mapping, apps)
    if after and len(chosen) > 1:
        raise fail("--after は --app で一つのアプリを選んで使います。", "--after goes with one --app.")
    unhurried = settings.model_copy(update={"timeout_seconds": max(30.0, settings.timeout_seconds)})
    domain = Domain(unhurried, Budget(settings.daily_limit, None), language=administrators_language())
    ready = Apps(mapping, domain)
    with ExitStack() as stack:
        keep = _sheet(stack, unreadable, domain)
        reports = [_go_through(ready, app, region, write=write, after=after, keep=keep) for app in chosen]
    if not write and any(report.to_change for report in reports):
        say(
            "まだ何も書き込んでいません。書き込むには --write を付けて、もう一度実行してください。",
            "Nothing was written yet. To write, run it again with --write.",
        )
    if unreadable is None and any(report.unreadable for report in reports):
        say(
            "読めない番号の一覧は --unreadable ファイル名.csv で書き出せます。",
            "--unreadable FILE.csv lists the numbers that cannot be read.",
        )
    if unreadable is not None:
        say(
            f"読めない番号の一覧: {unreadable}（お客様の情報です。直し終えたら削除してください）",
            f"The numbers that cannot be read: {unreadable} (customers' data; delete it when you are done)",
        )
    if any(report.busy or report.refused or report.foreign for report in reports):
        raise SystemExit(1)


def _chosen(mapping: KintoneMapping, apps: Sequence[int]) -> list[CustomerApp]:
    """The customer apps that have normalised fields, of those that were named. Raises ClickException."""
    for app in apps:
        if mapping.customer_app(app) is None:
            raise fail(
                f"アプリ{app}は対応表の [[customers]] にありません。",
                f"App {app} is not among [[customers]] of the mapping.",
            )
    named = [each for each in mapping.customers if not apps or each.app in apps]
    chosen = [each for each in named if each.normalised]
    if not chosen:
        numbers = " ".join(f"--normalised-field {each.app}" for each in named)
        raise fail(
            "対応表に normalised がありません。フィールドを作り、対応表に書いてください: "
            f"cti-bridge kintone setup --no-call-log {numbers}",
            "The mapping names no normalised field. Make one and put it into the mapping: "
            f"cti-bridge kintone setup --no-call-log {numbers}",
        )
    return chosen


def _go_through(
    ready: Apps,
    app: CustomerApp,
    region: str,
    *,
    write: bool,
    after: int,
    keep: Callable[[CustomerApp, Unreadable], object],
) -> Report:
    examples: list[Change] = []
    with Progress() as bar:
        work = None
        try:
            work = Normalising(
                ready.ready(app),
                app,
                region,
                write=write,
                patience=patience(),
                progress=bar.show,
                unreadable=lambda found: keep(app, found),
                example=lambda change: examples.append(change) if len(examples) < EXAMPLES else None,
            )
            work.run(after)
        except ConnectorError as problem:
            last = work.report.last if work else after
            raise fail(
                f"アプリ{app.app}: {problem}\nレコード番号{last}まで終わっています。もう一度実行すれば続きを書き込みます"
                f"（--app {app.app} --after {last} で、そこまでを読み飛ばせます）。",
                f"App {app.app}: {problem}\nIt is done up to record {last}. Run it again to go on "
                f"(--app {app.app} --after {last} skips what is done).",
            ) from problem
    _tell(app, work.report, examples, write=write)
    return work.report


def _tell(app: CustomerApp, report: Report, examples: list[Change], *, write: bool) -> None:
    say(
        f"アプリ{app.app}: レコード {report.records:,} 件、電話番号 {report.numbers:,} 件",
        f"App {app.app}: {report.records:,} records, {report.numbers:,} telephone numbers",
    )
    if write:
        say(
            f"  書き込んだレコード: {report.changed:,} 件、初めから正しい: {report.right:,} 件、"
            f"読めない番号: {report.unreadable:,} 件、リクエスト: {report.requests:,} 回",
            f"  {report.changed:,} records written, {report.right:,} right already, "
            f"{report.unreadable:,} numbers unreadable, {report.requests:,} requests",
        )
    else:
        puts = -(-report.to_change // 100)
        say(
            f"  書き込みが必要なレコード: {report.to_change:,} 件（リクエスト {puts:,} 回）、正しい: {report.right:,} 件、"
            f"読めない番号: {report.unreadable:,} 件",
            f"  {report.to_change:,} records to write ({puts:,} requests), {report.right:,} right already, "
            f"{report.unreadable:,} numbers unreadable",
        )
        for change in examples:
            for typed, normalised in zip(change.typed, change.values.values(), strict=True):
                say(
                    f"    例：レコード{change.record}  {_hidden(typed)} → {mask(normalised) or '（空）'}",
                    f"    e.g. record {change.record}  {_hidden(typed)} → {mask(normalised) or '(empty)'}",
                )
    if report.foreign:
        numbers, fields = ", ".join(report.foreign[:10]), list(app.normalised)
        say(
            f"  ! {len(report.foreign):,} 件は、正規化フィールド（{'、'.join(fields)}）に別の値が入っていたので、"
            f"そのままにしました（レコード {numbers}）。フィールドの取り違えなら対応表を直し、合っているなら値を消して、"
            "もう一度実行してください。",
            f"  ! {len(report.foreign):,} records hold something else in a normalised field ({', '.join(fields)}) and "
            f"are left (records {numbers}). If it is the wrong field, correct the mapping; else empty it and run it again.",
        )
    if report.busy:
        numbers = ", ".join(report.busy[:10])
        say(
            f"  ! {len(report.busy)} 件は、ほかの人が編集中で書き込めませんでした（レコード {numbers}）。"
            "あとでもう一度実行してください。",
            f"  ! {len(report.busy)} records were being edited by somebody and are left (records {numbers}). Run it again "
            "later.",
        )
    if report.refused:
        numbers = ", ".join(record for record, _ in report.refused[:10])
        say(
            f"  ! {len(report.refused)} 件は、kintoneが書き込みを断りました（レコード {numbers}）。画面で開いて保存し、"
            "必須フィールドなどの誤りを直してください。",
            f"  ! kintone refused {len(report.refused)} records (records {numbers}). Open and save them on the screen to "
            "see what is wrong, such as an empty required field.",
        )


def _hidden(typed: str) -> str:
    """What was typed, without what tells whose it is: digits and letters masked."""
    return re.sub(r"[^\W\d_]", "*", mask(typed)) or ("（空）" if administrators_language() == "ja" else "(empty)")


def _sheet(stack: ExitStack, path: Path | None, domain: Domain) -> Callable[[CustomerApp, Unreadable], object]:
    """Keeps what cannot be read in the file that was asked for; only its owner may read it."""
    if path is None:
        return lambda *_: None
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        file = stack.enter_context(os.fdopen(descriptor, "w", encoding="utf-8-sig", newline=""))
    except OSError as problem:
        raise fail(f"{path} に書き込めません: {problem}", f"{path} cannot be written: {problem}") from None
    sheet = csv.writer(file)
    sheet.writerow(HEADINGS[administrators_language()])

    def keep(app: CustomerApp, found: Unreadable) -> None:
        link = domain.record_url(app.app, found.record, app.guest_space)
        sheet.writerow([str(app.app), found.record, guard(found.code), guard(found.typed), link])

    return keep
