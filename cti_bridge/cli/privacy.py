"""``cti-bridge privacy …``: everything the bridge holds of one number, and erasing it. What counts as such: ``privacy``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from cti_bridge.auth import Auth
from cti_bridge.cli.words import fail, open_database, read_number, say
from cti_bridge.environment import administrators_language
from cti_bridge.phone import PhoneNumber
from cti_bridge.privacy import CannotErase, Elsewhere, NotTheirRecord, OurOwnNumber, Plan, Privacy
from cti_bridge.retention import Keep, Tidying
from cti_bridge.settings import Settings
from cti_bridge.store import Database
from cti_bridge.store.audit import COMMAND_LINE
from cti_bridge.store.personal.erasing import Hindrance, Obstacle, Tally
from cti_bridge.store.personal.rows import Wanted, rows_with
from cti_bridge.store.records.contacts import RecordId

TABLES = {
    "calls": ("通話", "Calls"),
    "call_events": ("通話の受信記録（Twilioのwebhook）", "What Twilio told of them (webhooks)"),
    "rings": ("呼び出した担当者", "Agents who were rung"),
    "outbox": ("CRMへの書き込み", "Writes to the CRM"),
    "number_index": ("CRMの検索結果の控え", "The CRM's earlier answers"),
    "picks": ("担当者が選んだ顧客", "Contacts that agents chose"),
    "crm_numbers": ("内蔵CRM: 電話番号", "Embedded CRM: telephone numbers"),
    "crm_contacts": ("内蔵CRM: 顧客", "Embedded CRM: people"),
    "crm_companies": ("内蔵CRM: 会社", "Embedded CRM: companies"),
    "crm_activities": ("内蔵CRM: 履歴", "Embedded CRM: history"),
    "crm_orders": ("内蔵CRM: 注文", "Embedded CRM: orders"),
    "crm_cases": ("内蔵CRM: 問い合わせ", "Embedded CRM: cases"),
    "agents": ("担当者", "Agents"),
    "audit": ("監査ログ", "Audit log"),
}

OBSTACLES = {
    Obstacle.GOING_ON: ("通話中です。終わってから実行してください。", "is going on; try again when it is over."),
    Obstacle.JUST_ENDED: (
        "終わったばかりです。Twilioの報告がまだ届くことがあるため、15分後に実行してください。",
        "has just ended, and Twilio may still report of it; try again in a quarter of an hour.",
    ),
    Obstacle.LOG_PENDING: (
        "通話履歴がまだCRMに届いていません。届いてから実行してください（cti-bridge outbox list）。",
        "has a log that is on its way to the CRM; try again when it is there (cti-bridge outbox list).",
    ),
    Obstacle.LOG_PARKED: (
        "通話履歴をCRMが受け付けず、保留中です。先に再送するか、取りやめてください（cti-bridge outbox list）。",
        "has a log that the CRM refused; retry it or give it up first (cti-bridge outbox list).",
    ),
}


KINDS = {
    "webhooks": ("Twilioのwebhook", "webhooks of Twilio"),
    "calls": ("通話", "calls"),
    "picks": ("担当者が選んだ顧客（以後着信のない番号）", "chosen contacts of numbers that have not called since"),
    "index": ("CRMの検索結果の控え", "earlier answers of the CRM"),
    "audit": ("監査ログ", "entries of the audit log"),
}


@click.group()
def privacy() -> None:
    """Personal data: everything that is held of one number, erasing it, and tidying away what is old."""


@privacy.command("export")
@click.option("--number", help="A telephone number, written as you like: 090-1234-5678.")
@click.option("--contact", "contact_id", help="A contact of the CRM, by its id: 0035…, contact:12.")
@click.option("--format", "form", type=click.Choice(["json", "text"]), default="json", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Instead of the screen.")
def export(number: str | None, contact_id: str | None, form: str, output: Path | None) -> None:
    """Everything that the bridge holds of one person: rows of all tables, and where others' rows mention the number."""
    if (number is None) == (contact_id is None):
        raise fail("--number か --contact のどちらか1つを指定してください。", "Give either --number or --contact.")
    settings, database = open_database()
    wanted = Wanted(_number(settings, number), ()) if number else Wanted(None, [contact_id or ""])
    try:
        told = _privacy(settings, database).export(wanted, COMMAND_LINE)
    except OurOwnNumber:
        raise _ours(number or "") from None
    text = json.dumps(told, ensure_ascii=False, indent=2) if form == "json" else "\n".join(_readable(told))
    if output is None:
        click.echo(text)
    else:
        with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
        say(f"{output} に書き出しました。", f"Wrote {output}.", error=True)
    say(
        "番号を家族や同僚と共用している場合、ほかの人の情報も含まれます。本人に渡す前に確認してください。",
        "A number may be shared by a family or an office: look this over before you hand it to anybody.",
        error=True,
    )


@privacy.command("erase")
@click.option("--number", required=True, help="A telephone number, written as you like: 090-1234-5678.")
@click.option("--record", "records", multiple=True, help="Also this whole record of the embedded CRM: contact:12.")
@click.option("--dry-run", is_flag=True, help="Only show what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(number: str, records: tuple[str, ...], *, dry_run: bool, yes: bool) -> None:
    """Erase one number: calls stay for statistics without number, name and note; all else of it goes."""
    settings, database = open_database()
    wanted = _number(settings, number)
    answers = _privacy(settings, database)
    try:
        plan = answers.plan(wanted, [_record(text) for text in records])
    except OurOwnNumber:
        raise _ours(number) from None
    except NotTheirRecord:
        raise fail("そのレコードはこの番号を持っていません。", "That record does not hold this number.") from None
    if plan.found.nothing:
        say("この番号のデータはありません。", "The bridge holds nothing of this number.")
        return
    _show(plan, database)
    if plan.hindrances:
        raise _hindered(plan.hindrances)
    if dry_run:
        return
    if not yes:
        click.confirm(
            _in_language("消去すると元に戻せません。実行しますか", "This cannot be undone. Erase"), abort=True
        )
    try:
        tally = answers.erase(plan, COMMAND_LINE)
    except CannotErase as problem:
        raise _hindered(problem.hindrances) from None
    say(
        f"消去しました（{tally.rows} 行）。監査ログには {answers.subject(wanted)} として残ります。",
        f"Erased ({tally.rows} rows). The audit log knows it as {answers.subject(wanted)}.",
    )


@privacy.command("tidy")
@click.option("--dry-run", is_flag=True, help="Only say how much would go.")
def tidy(*, dry_run: bool) -> None:
    """Delete what is older than CTI_KEEP_…_DAYS, as the bridge does by itself once a day. Logs not delivered stay."""
    settings, database = open_database()
    tidying = Tidying(database, Keep.read(settings))
    done = tidying.due() if dry_run else tidying.tidy(every=timedelta(0))
    if done is None:
        raise fail("ほかのプロセスが実行中です。", "Another process is at it just now.")
    for name, count in done.rows.items():
        click.echo(f"{count:>6}  {_in_language(*KINDS[name])}")
    if not done.rows:
        say(
            "期限のあるデータはありません（CTI_KEEP_…_DAYS がすべて0）。",
            "Everything is kept for ever: CTI_KEEP_…_DAYS are 0.",
        )
    if done.owed:
        say(
            f"通話履歴がCRMに届いていない古い通話 {done.owed} 件は残します（cti-bridge outbox list）。",
            f"Old calls that stay, because their log has not reached the CRM: {done.owed} (cti-bridge outbox list)",
        )
    if dry_run:
        say("何も消していません。", "Nothing was deleted.")


# ── what is shown ────────────────────────────────────────────────────────────────────────────────────────────────────


def _show(plan: Plan, database: Database) -> None:
    for line in _counted(plan.tally):
        click.echo(line)
    others = [record for record in plan.found.records if record not in plan.records]
    if others:
        say(
            "この番号を持つ内蔵CRMのレコード（番号だけを消します。全体を消すには --record を付けてください）:",
            "Records of the embedded CRM that hold it (they lose the number only; --record erases a whole one):",
        )
    with database.reading() as connection:
        for record in others:
            of = "crm_contacts" if str(record).startswith("contact") else "crm_companies"
            for row in rows_with(connection, of, {(record.row,)}):
                click.echo(f"  {record}  {row['name']}")
    _show_elsewhere(plan.elsewhere)


def _counted(tally: Tally) -> Iterable[str]:
    ways = (
        (tally.deleted, "削除", "deleted"),
        (tally.blanked, "番号・氏名・メモを消去（統計用に行は残る）", "blanked: the row stays for statistics"),
        (tally.struck_out, "文中の番号を消去", "the number struck out of their texts"),
    )
    for counts, ja, en in ways:
        for name, count in counts.items():
            title = TABLES.get(name, (name, name))[0 if administrators_language() == "ja" else 1]
            yield f"{count:>6}  {title}: {_in_language(ja, en)}"


def _show_elsewhere(elsewhere: Elsewhere) -> None:
    """What is not ours to erase: the CRM's own records, and the sound at Twilio."""
    local = [name for name in elsewhere.contacts if RecordId.read(name)]
    links = [url or name for name, url in elsewhere.contacts.items() if name not in local]
    links += [log for log in elsewhere.logs if not log.startswith("activity:")]
    if links:
        say("CRMのデータは消えません。CRMで消してください:", "What stands in the CRM stays. Erase it there:")
        for link in links:
            click.echo(f"  {link}")
    if elsewhere.recordings:
        say("録音はTwilioにあります。Twilioで消してください:", "Recordings are at Twilio. Delete them there:")
        for recording in elsewhere.recordings:
            click.echo(f"  {recording}")
    say(
        "Twilio自身の通話履歴も、Twilioの保存期間だけ残ります。",
        "Twilio keeps its own list of calls, for as long as its terms say.",
    )


def _hindered(hindrances: Iterable[Hindrance]) -> click.ClickException:
    ja: list[str] = []
    en: list[str] = []
    if not (hindrances := tuple(hindrances)):
        return fail(
            "実行中にこの番号の通話がありました。何も消していません。もう一度実行してください。",
            "The number has had a call meanwhile; nothing was erased. Try again.",
        )
    for one in hindrances:
        entry = f" ({one.entry})" if one.entry is not None else ""
        ja.append(f"  {one.call_id}{entry}: {OBSTACLES[one.why][0]}")
        en.append(f"  {one.call_id}{entry} {OBSTACLES[one.why][1]}")
    return fail(
        "\n".join(["まだ消去できません。何も消していません:", *ja]),
        "\n".join(["It cannot be erased yet; nothing was:", *en]),
    )


def _readable(told: dict[str, Any]) -> Iterable[str]:
    """The export as lines to read: a heading for each table, a paragraph for each row, without what is empty."""
    held: dict[str, Any] = told["held_by_others"]
    yield _in_language(
        f"{told['number'] or ', '.join(told['contacts'])} について（{told['made_at']} 現在）",
        f"About {told['number'] or ', '.join(told['contacts'])}, as of {told['made_at']}",
    )
    for name, rows in told["rows"].items():
        yield f"\n■ {TABLES.get(name, (name, name))[0 if administrators_language() == 'ja' else 1]} ({len(rows)})"
        for row in rows:
            yield ""
            yield from (
                f"  {column}: {_flat(value)}" for column, value in row.items() if value not in (None, "", [], {})
            )
    for name, mentions in told["mentioned_elsewhere"].items():
        title = TABLES.get(name, (name, name))[0 if administrators_language() == "ja" else 1]
        yield "\n■ " + _in_language(f"ほかのデータの中での言及: {title}", f"Mentioned among others' data: {title}")
        yield from (f"  {mention['row']} {mention['column']}: {_flat(mention['excerpts'])}" for mention in mentions)
    yield "\n■ " + _in_language("ブリッジの外にあるもの", "What others hold")
    yield from (f"  {held['crm']}: {contact['id']} {contact['url'] or ''}" for contact in held["contacts"])
    yield from (f"  {held['crm']}: {log}" for log in held["call_logs"])
    yield from (f"  Twilio: {recording}" for recording in held["recordings_at_twilio"])


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _privacy(settings: Settings, database: Database) -> Privacy:
    auth = Auth(settings.secret_key.get_secret_value(), database)
    return Privacy(database, auth.keyed, connector=settings.connector)


def _number(settings: Settings, text: str) -> PhoneNumber:
    return PhoneNumber(read_number(settings, text))


def _record(text: str) -> RecordId:
    record = RecordId.read(text)
    if record is None:
        raise fail(f"{text} は内蔵CRMのレコードではありません（例: contact:12）。", f"{text} is no record: contact:12.")
    return record


def _ours(number: str) -> click.ClickException:
    return fail(
        f"{number} は自社の回線か担当者の電話です。cti-bridge lines または agents で変更してください。",
        f"{number} is a line of ours or an agent's telephone: change it with cti-bridge lines, or agents.",
    )


def _in_language(ja: str, en: str) -> str:
    return ja if administrators_language() == "ja" else en
