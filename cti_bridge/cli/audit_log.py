"""``cti-bridge audit …``: who did and saw what, on screen and as a file. The telephone-data audit is ``audit``'s."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

import click

from cti_bridge.auth import Auth
from cti_bridge.cli.words import fail, open_database, read_number, say
from cti_bridge.clock import utc_now
from cti_bridge.environment import administrators_language
from cti_bridge.phone import PhoneNumber
from cti_bridge.privacy import Privacy
from cti_bridge.settings import Settings
from cti_bridge.store import Database, audit, directory, trail
from cti_bridge.store.audit import COMMAND_LINE
from cti_bridge.store.records.csv_files import guard
from cti_bridge.store.trail import Filter, Noted, contact_subject

ACTIONS = {
    "signed_in": ("サインイン", "signed in"),
    "signed_out": ("サインアウト", "signed out"),
    "sign_in_failed": ("サインイン失敗", "failed to sign in"),
    "locked_out": ("サインイン停止", "locked out"),
    "unlocked": ("サインイン停止を解除", "unlocked"),
    "signed_out_everywhere": ("全端末でサインアウト", "signed out everywhere"),
    "totp_enrolled": ("確認コードを設定", "set up one-time codes"),
    "totp_reset": ("確認コードを解除", "one-time codes taken away"),
    "password_reset": ("パスワード再設定", "password reset"),
    "agent_added": ("担当者を追加", "agent added"),
    "agent_changed": ("担当者を変更", "agent changed"),
    "activated": ("担当者を有効化", "agent brought back"),
    "deactivated": ("担当者を無効化", "agent let go"),
    "role_changed": ("役割を変更", "role changed"),
    "line_added": ("回線を追加", "line added"),
    "line_changed": ("回線を変更", "line changed"),
    "line_ringing_changed": ("着信先を変更", "whom a line rings changed"),
    "contact_seen": ("顧客を表示", "saw a contact"),
    "customers_exported": ("顧客一覧を書き出し", "exported the customers"),
    "numbers_exported": ("直すべき電話番号を書き出し", "exported the numbers to fix"),
    "logs_exported": ("未送信の通話履歴を書き出し", "exported the logs that are not in the CRM"),
    "personal_data_exported": ("個人データを書き出し", "exported personal data"),
    "personal_data_erased": ("個人データを消去", "erased personal data"),
    "audit_exported": ("監査ログを書き出し", "exported the audit log"),
    "audit_tidied": ("古い監査ログを整理", "tidied old entries of the audit log"),
}
"""What was done, in words; one that is not here is shown as it is."""

COLUMNS = ("id", "at", "agent_id", "agent", "address", "action", "subject", "details")


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--contact", "contact_id", help="Only about this contact of the CRM, by its id."),
        click.option("--number", help="Only exports and erasures of this number."),
        click.option("--to", "until", help="Until this day, included: 2026-11-30 (or a moment: 2026-11-30T12:00)."),
        click.option("--from", "since", help="From this day on: 2026-11-01 (or a moment: 2026-11-01T09:00)."),
        click.option("--action", help="Only this: contact_seen, signed_in, personal_data_erased …"),
        click.option("--who", help="Only what this agent did, by e-mail address."),
    ):
        command = option(command)
    return command


@click.group()
def audit_log() -> None:
    """Who signed in, saw, exported, changed and erased what. The log only grows."""


@audit_log.command("list")
@_filters
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most.")
def list_entries(limit: int, **filters: str | None) -> None:
    """Show entries, newest first."""
    settings, database = open_database()
    wanted = _wanted(settings, database, **filters)
    with database.reading() as connection:
        found = trail.latest(connection, wanted, limit=limit)
        known = sorted(trail.actions(connection)) if filters["action"] and not found else []
    language = 0 if administrators_language() == "ja" else 1
    for noted in found:
        at = noted.at.astimezone(ZoneInfo(settings.timezone))
        done = ACTIONS.get(noted.action, (noted.action, noted.action))[language]
        told = "  ".join(f"{name}={value}" for name, value in noted.details.items())
        click.echo(f"{at:%Y-%m-%d %H:%M:%S}  {_who(noted)}  {done}  {noted.subject}  {told}".rstrip())
    if known and filters["action"] not in known:
        names = ", ".join(known)
        say(f"ログにある操作: {names}", f"Actions in the log: {names}", error=True)
    say(f"{len(found)} 件", f"entries: {len(found)}")


@audit_log.command("export")
@_filters
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Instead of the screen.")
def export(form: str, output: Path | None, **filters: str | None) -> None:
    """Write entries, oldest first, as CSV or as one JSON object a line. That is itself told to the log."""
    settings, database = open_database()
    wanted = _wanted(settings, database, **filters)
    if output is None:
        count = _write(_all(database, wanted), sys.stdout, form)
    else:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        encoding = "utf-8-sig" if form == "csv" else "utf-8"  # so that Excel reads it
        with os.fdopen(descriptor, "w", encoding=encoding, newline="") as file:
            count = _write(_all(database, wanted), file, form)
    tell(database, "audit_exported", "audit", entries=count)
    say(f"{count} 件を書き出しました。", f"Wrote {count} entries.", error=True)


def tell(database: Database, what: str, about: str, **details: Any) -> None:
    """Tell the log what was done at the command line, where no transaction of the doing's own is at hand."""
    with database.transaction() as connection:
        audit.note(connection, COMMAND_LINE, what, about, utc_now(), **details)


def _all(database: Database, wanted: Filter) -> Iterator[Noted]:
    after = 0
    while True:
        with database.reading() as connection:
            page = trail.page(connection, wanted, after)
        yield from page
        if len(page) < trail.PAGE:
            return
        after = page[-1].id


def _write(entries: Iterator[Noted], file: TextIO, form: str) -> int:
    count = 0
    table = csv.writer(file, lineterminator="\n")
    if form == "csv":
        table.writerow(COLUMNS)
    for count, noted in enumerate(entries, start=1):  # noqa: B007  (the last one is how many there were)
        row = {name: getattr(noted, name) for name in COLUMNS} | {"at": noted.at.isoformat()}
        if form == "csv":
            row["details"] = json.dumps(noted.details, ensure_ascii=False)
            table.writerow([guard("" if value is None else str(value)) for value in row.values()])
        else:
            file.write(f"{json.dumps(row, ensure_ascii=False)}\n")
    return count


def _who(noted: Noted) -> str:
    """The agent, however they are known by now, and from where."""
    agent = noted.agent or (f"agent:{noted.agent_id}" if noted.agent_id is not None else "-")
    return f"{agent} ({noted.address})" if noted.address else agent


def _wanted(
    settings: Settings,
    database: Database,
    *,
    who: str | None,
    action: str | None,
    since: str | None,
    until: str | None,
    number: str | None,
    contact_id: str | None,
) -> Filter:
    agent_id = subject = None
    if who is not None:
        with database.reading() as connection:
            agent = directory.whoever(connection, who)
        if agent is None:
            raise fail(f"{who} という担当者はいません。", f"There is no agent {who}.")
        agent_id = agent.id
    if number is not None:
        keyed = Auth(settings.secret_key.get_secret_value(), database).keyed
        answers = Privacy(database, keyed, connector=settings.connector)
        subject = answers.subject(PhoneNumber(read_number(settings, number)))
    elif contact_id is not None:
        subject = contact_subject(settings.connector, contact_id)
    zone = ZoneInfo(settings.timezone)
    return Filter(agent_id, action, subject, _moment(since, zone), _moment(until, zone, end=True))


def _moment(text: str | None, zone: ZoneInfo, *, end: bool = False) -> datetime | None:
    """A day, whose end is the next day's beginning, or a moment; in CTI_TIMEZONE where it names no other."""
    if text is None:
        return None
    try:
        if len(text) <= len("2026-11-30"):
            day = date.fromisoformat(text) + timedelta(days=end)
            return datetime(day.year, day.month, day.day, tzinfo=zone)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise fail(
            f"{text} は日付ではありません（例: 2026-11-30 または 2026-11-30T12:00）。",
            f"{text} is no day: write 2026-11-30, or 2026-11-30T12:00.",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
