"""``cti-bridge connector audit``: the whole CRM's telephone numbers looked over, as a table on screen and a CSV to fix.

On screen no number stands whole, and no name. The CSV that was asked for has both, or nobody could mend anything.
"""

from __future__ import annotations

import csv
import os
import unicodedata
from collections.abc import Callable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import click

from cti_bridge.app import open_connector
from cti_bridge.cli.audit_log import tell
from cti_bridge.cli.words import Progress, fail, open_database, say
from cti_bridge.connector import Connector
from cti_bridge.environment import administrators_language
from cti_bridge.errors import ConnectorError
from cti_bridge.model import Survey
from cti_bridge.phone import mask
from cti_bridge.phone_audit import LOOKS_MISTYPED, NEVER_MATCHES, WORDS, Audit, Fault, Problem, Report
from cti_bridge.store.records.csv_files import guard

HEADINGS = {
    "ja": ("レコード", "名前", "項目", "入力されている値", "問題", "直し方", "読み取れた番号", "リンク"),
    "en": ("Record", "Name", "Field", "As typed", "Problem", "Mend", "Reads as", "Link"),
}
BAR = 24
"""Characters of the longest bar."""

_EIGHTHS = " ▏▎▍▌▋▊▉"


@click.command("audit")
@click.option("--csv", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write every number to fix here.")
@click.option("--limit", type=click.IntRange(min=1), help="Look at so many contacts only.")
@click.option("--yes", is_flag=True, help="Do not ask before spending the CRM's requests.")
def audit(file: Path | None, limit: int | None, *, yes: bool) -> None:
    """Look over all telephone numbers: which never match, why, which are shared. Try one: ``connector find``."""
    settings, database = open_database()
    crm = open_connector(settings, database)
    if not crm.capabilities.walk:
        raise fail(
            f"コネクター {crm.name} は、全顧客の読み出しに対応していません。",
            f"The connector {crm.name} cannot go through all contacts.",
        )
    survey = _ask_first(crm, limit, yes=yes)
    trouble: ConnectorError | None = None
    with ExitStack() as stack:
        sheet = _sheet(stack, file, crm)
        looking = Audit(settings.region, finds=crm.finds, problem=sheet)
        bar = stack.enter_context(Progress())
        try:
            for done, contact in enumerate(islice(crm.walk(), limit), start=1):
                looking.take(contact)
                if done % 100 == 0:
                    bar.show(min(done, survey.contacts), survey.contacts)
        except ConnectorError as problem:
            trouble = problem
        report = looking.report()
        if isinstance(sheet, _Sheet):
            sheet.shared(report)
    _tell(report)
    if file is not None:
        tell(database, "numbers_exported", "customers", contacts=report.contacts)
        say(
            f"直すべき番号の一覧: {file}（お客様の情報です。直し終えたら削除してください）",
            f"The numbers to fix: {file} (customers' data; delete it when you are done)",
        )
    if trouble is not None:
        raise fail(
            f"{survey.contacts:,} 件のうち {report.contacts:,} 件まで読んだところで止まりました: {trouble}",
            f"It broke off after {report.contacts:,} of {survey.contacts:,} contacts: {trouble}",
        ) from trouble


def _ask_first(crm: Connector, limit: int | None, *, yes: bool) -> Survey:
    """How far it is; asks when it costs requests that others need too."""
    try:
        survey = crm.survey()
    except ConnectorError as problem:
        raise fail(f"CRMが応答しません: {problem}", f"The CRM did not answer: {problem}") from problem
    contacts = min(limit, survey.contacts) if limit else survey.contacts
    if survey.requests and not yes:
        budgets = ", ".join(
            f"{usage.resource} {usage.used:,.0f}" + (f" / {usage.limit:,.0f}" if usage.limit else "")
            for usage in crm.usage()
        )
        say(
            f"最大 {contacts:,} 件を読みます。CRMへのリクエスト: 最大 {survey.requests:,} 回（現在: {budgets}）",
            f"Up to {contacts:,} contacts, for up to {survey.requests:,} requests to the CRM (now: {budgets}).",
        )
        click.confirm("続けますか" if administrators_language() == "ja" else "Go on?", abort=True)
    return Survey(contacts, survey.requests)


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tell(report: Report) -> None:
    ja = administrators_language() == "ja"
    say(
        f"顧客 {report.contacts:,} 件、電話番号 {report.numbers:,} 件",
        f"{report.contacts:,} contacts, {report.numbers:,} telephone numbers",
    )
    if not report.numbers:
        return
    whole = [
        ("一致する" if ja else "will match", report.matching),
        ("一致しない" if ja else "never match", report.never),
    ]
    _table(whole, report.numbers)
    for title, wanted in (
        ("一致しない理由" if ja else "Why they never match", NEVER_MATCHES),
        ("打ち間違いらしいもの" if ja else "What looks mistyped", LOOKS_MISTYPED),
    ):
        found = [(fault, count) for fault, count in report.faults.most_common() if fault in wanted]
        if found:
            click.echo(f"\n{title}")
            _table([(WORDS[fault].name(administrators_language()), count) for fault, count in found], report.numbers)
            if wanted is NEVER_MATCHES:
                _mends([fault for fault, _ in found])
    _tell_shared(report, ja=ja)


def _mends(faults: list[Fault]) -> None:
    language = administrators_language()
    for fault in faults[:3]:
        click.echo(f"  → {WORDS[fault].name(language)}: {WORDS[fault].mend(language)}")


def _tell_shared(report: Report, *, ja: bool) -> None:
    if not report.shared:
        return
    least = "" if report.shared_exactly else ("少なくとも " if ja else "at least ")
    click.echo(
        f"\n複数の顧客が使っている番号: {least}{report.shared_count:,} 件"
        if ja
        else f"\nNumbers that several contacts share: {least}{report.shared_count:,}"
    )
    most = report.shared[0][1]
    for number, count in report.shared[:10]:
        click.echo(f"  {mask(number):<16} {count:>7,}  {_bar(count / most)}".rstrip())


def _table(rows: list[tuple[str, int]], total: int) -> None:
    most = max(count for _, count in rows) or 1
    width = max(_width(name) for name, _ in rows)
    for name, count in rows:
        padded = name + " " * (width - _width(name))
        click.echo(f"  {padded} {count:>9,} {count / total:>7.1%}  {_bar(count / most)}".rstrip())


def _bar(share: float) -> str:
    eighths = round(share * BAR * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _width(text: str) -> int:
    """How many columns a terminal gives it: Japanese letters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


# ── the list to fix ──────────────────────────────────────────────────────────────────────────────────────────────────


class _Sheet:
    """The CSV, written line by line; only its owner may read it."""

    def __init__(self, stack: ExitStack, path: Path, crm: Connector) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            file = stack.enter_context(os.fdopen(descriptor, "w", encoding="utf-8-sig", newline=""))
        except OSError as problem:
            raise fail(f"{path} に書き込めません: {problem}", f"{path} cannot be written: {problem}") from None
        self._language = administrators_language()
        self._crm = crm
        self._writer = csv.writer(file)
        self._writer.writerow(HEADINGS[self._language])

    def __call__(self, found: Problem) -> None:
        contact, words = found.contact, WORDS[found.fault]
        field = self._crm.field_label(found.held.label, self._language)
        self._row(
            contact.id,
            contact.name,
            field,
            found.held.text,
            words.name(self._language),
            words.mend(self._language),
            found.number.e164 if found.number else "",
            contact.url or "",
        )

    def shared(self, report: Report) -> None:
        """At the end, the numbers that most contacts share."""
        for number, count in report.shared:
            told = f"{count} 件の顧客が使っている" if self._language == "ja" else f"shared by {count} contacts"
            self._row("", "", "", "", told, "", number, "")

    def _row(self, *cells: str) -> None:
        self._writer.writerow([guard(cell) for cell in cells])


def _sheet(stack: ExitStack, path: Path | None, crm: Connector) -> Callable[[Problem], object]:
    return _Sheet(stack, path, crm) if path is not None else lambda _: None
