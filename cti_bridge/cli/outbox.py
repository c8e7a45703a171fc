"""``cti-bridge outbox …``: the call logs that are not in the CRM yet, what the CRM said, and what can be done about it."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from cti_bridge.cli.audit_log import tell
from cti_bridge.cli.words import fail, open_database, say
from cti_bridge.environment import administrators_language
from cti_bridge.model import CallLog, Correction, Omission
from cti_bridge.outbox import GRACE, HANDS
from cti_bridge.store import capacity
from cti_bridge.store.outbox import Entry, Standing
from cti_bridge.store.records.csv_files import guard

if TYPE_CHECKING:
    from cti_bridge.app import Bridge

OPEN = tuple(standing for standing in Standing if standing not in (Standing.DELIVERED, Standing.GIVEN_UP))
PAGE = 500

NAMES: dict[Standing, tuple[str, str]] = {
    Standing.WAITING: ("待機中", "waiting"),
    Standing.DUE: ("送信待ち", "due"),
    Standing.WRITING: ("送信中", "writing"),
    Standing.RETRYING: ("再送待ち", "retrying"),
    Standing.PARKED: ("保留", "parked"),
    Standing.GIVEN_UP: ("中止", "given up"),
    Standing.DELIVERED: ("登録済み", "delivered"),
}


@click.group()
def outbox() -> None:
    """Call logs on their way to the CRM: waiting, retried, parked, given up."""


@outbox.command("list")
@click.option(
    "--state",
    "standing",
    type=click.Choice([standing.value for standing in Standing]),
    help="Only those that stand so. Without it: all that are neither in the CRM nor given up.",
)
@click.option("--limit", default=100, show_default=True, help="At most so many, the oldest first.")
def list_entries(standing: str | None, limit: int) -> None:
    """Show entries with their age and the CRM's own words, and how many there are of each kind."""
    with _bridge() as bridge:
        found = bridge.backlog.listed([Standing(standing)] if standing else OPEN, limit=limit)
        figures = bridge.backlog.figures()
    now = datetime.now(UTC)
    for entry in found:
        words = entry.reason or entry.last_error or ""
        click.echo(
            f"{entry.id:>7}  {_name(entry, now)}  {_age(now - entry.due_at):>9}  {entry.call_id}  {words}".rstrip()
        )
    counts = "  ".join(f"{_word(standing)} {count}" for standing, count in figures.standing.items() if count)
    late = _age(figures.late)
    say(
        f"{counts or '未送信の通話履歴はありません。'}　最長の遅れ {late}　登録済み（累計） {figures.delivered}",
        f"{counts or 'Nothing is left to write.'}  longest overdue {late}  delivered so far {figures.delivered}",
    )


@outbox.command("show")
@click.argument("entry", type=int)
def show_entry(entry: int) -> None:
    """Show ENTRY: how it stands, what the CRM said, and the log as it would be written now."""
    with _bridge() as bridge:
        found = _found(bridge, entry)
        composed = bridge.logs.preview(found.call_id, found.correction)
        zone = ZoneInfo(bridge.settings.timezone)
    now = datetime.now(UTC)
    for (ja, en), value in {
        ("番号", "entry"): found.id,
        ("通話", "call"): found.call_id,
        ("状態", "state"): _name(found, now),
        ("予定", "due"): f"{found.due_at.astimezone(zone):%Y-%m-%d %H:%M} ({_age(now - found.due_at)})",
        ("次の送信", "next try"): f"{found.run_at.astimezone(zone):%Y-%m-%d %H:%M}",
        ("試行", "tries"): f"{found.attempts} ({found.failures})",
        ("CRMの応答", "the CRM's words"): found.last_error,
        ("中止の理由", "why given up"): found.reason,
        ("CRMのレコード", "record"): found.record_url or found.record_id,
        ("修正した項目", "corrected"): ", ".join(found.correction.fields) if found.correction else None,
    }.items():
        if value:
            say(f"{ja}: {value}", f"{en}: {value}")
    if composed is None:
        raise fail("この通話はもうデータベースにありません。", "The call is not in the database any more.")
    _show_log(composed)


@outbox.command("retry")
@click.argument("entry", type=int, required=False)
def retry(entry: int | None) -> None:
    """Write ENTRY now, whether it is parked, given up or waits for its next try; without ENTRY all that are parked."""
    with _bridge() as bridge:
        count = bridge.backlog.retry(entry)
    if entry is not None and not count:
        raise fail(
            f"再送できる {entry} 番はありません（番号違い、送信中、または登録済み）。",
            f"There is no entry {entry} to retry: no such number, being written just now, or in the CRM already.",
        )
    say(f"{count} 件を再送します。", f"Due again: {count}")


@outbox.command("edit")
@click.argument("entry", type=int)
@click.option("--subject", help="The log's heading.")
@click.option("--note", help="The note, instead of the agent's.")
@click.option("--disposition", help="The result: its code, or the words that the CRM's field takes.")
@click.option(
    "--without",
    type=click.Choice([omission.value for omission in Omission]),
    multiple=True,
    help="Write it without its contact, related record, agent or recording. May be given several times.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be written.")
def edit(
    entry: int, subject: str | None, note: str | None, disposition: str | None, without: tuple[str, ...], dry_run: bool
) -> None:
    """Correct what the CRM refuses in the log of ENTRY, and write it now.

    The correction stays with the log; what the agent says about the call after it still counts.
    """
    omitted = frozenset(Omission(one) for one in without)
    changes = Correction(subject=subject, note=note, disposition=disposition, without=omitted)
    if not changes.fields:
        raise fail(
            "修正する項目を指定してください: --subject --note --disposition --without",
            "Say what to correct: --subject, --note, --disposition or --without.",
        )
    with _bridge() as bridge:
        _found(bridge, entry)
        composed = bridge.logs.correct(entry, changes, keep=not dry_run)
    if composed is None:
        raise fail("この通話はもうデータベースにありません。", "The call is not in the database any more.")
    _show_log(composed)
    if not dry_run:
        say(f"{entry} 番を修正して再送します。", f"Corrected, and due again: {entry}")


@outbox.command("give-up")
@click.argument("entry", type=int)
@click.option("--reason", required=True, help="Why it need not be in the CRM; kept with the entry.")
def give_up(entry: int, reason: str) -> None:
    """Write the log of ENTRY no more. It stays in the list, and `outbox retry ENTRY` takes it up again."""
    if not reason.strip():
        raise fail("理由を書いてください。", "Write a reason.")
    with _bridge() as bridge:
        done = bridge.backlog.give_up(entry, reason.strip())
    if not done:
        raise fail(
            f"{entry} 番は中止できません（番号違い、送信中、または登録済み）。送信中なら1分後にもう一度お試しください。",
            f"Entry {entry} cannot be given up: no such number, in the CRM already, or being written just now "
            "(then try again in a minute).",
        )
    say(f"{entry} 番の送信を中止しました。", f"Given up: {entry}")


@outbox.command("export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path), default="-")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--state", "standings", type=click.Choice([standing.value for standing in Standing]), multiple=True)
def export(file: Path, form: str, standings: tuple[str, ...]) -> None:
    """Write the logs that are not in the CRM, as they would be written, to FILE or the terminal.

    Names, numbers and notes are in it: handle it like the CRM itself.
    """
    chosen = [Standing(one) for one in standings] or [*OPEN, Standing.GIVEN_UP]
    encoding = "utf-8" if form == "json" else "utf-8-sig"  # the mark tells Excel
    with _bridge() as bridge, click.open_file(str(file), "w", encoding=encoding, lazy=True) as out:
        rows = _rows(bridge, chosen)
        count = _write_json(out, rows) if form == "json" else _write_csv(out, rows)
        tell(bridge.database, "logs_exported", "outbox", logs=count)
    say(f"{count} 件を書き出しました。", f"Exported: {count}", error=True)


@outbox.command("work")
def work() -> None:
    """Write call logs to the CRM in this process, until stopped. Any number of such processes may run on PostgreSQL."""
    with _bridge(database_pool=HANDS) as bridge:
        capacity.occupy(bridge.database)
        if tight := capacity.check(bridge.database, 1):
            click.echo(tight, err=True)
        ends = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # for all threads: the main one waits for them and does no more
        bridge.lookups.open()
        bridge.hub.start()
        bridge.outbox.start()
        signal.sigwait(ends)
        bridge.outbox.stop(GRACE + 2)
        bridge.lookups.close()
        bridge.hub.stop()


# ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _bridge(**changes: int) -> Iterator[Bridge]:
    """The bridge with all its parts, none of them started; ``changes`` are settings of this process alone."""
    settings, database = open_database()
    from cti_bridge.app import Bridge  # noqa: PLC0415  (slow to load, and the command's help does not need it)

    database.close()
    bridge = Bridge(settings.model_copy(update=changes))
    try:
        yield bridge
    finally:
        bridge.database.close()


def _found(bridge: Bridge, entry_id: int) -> Entry:
    found = bridge.backlog.find(entry_id)
    if found is None:
        raise fail(f"{entry_id} 番はありません。", f"There is no entry {entry_id}.")
    return found


def _name(entry: Entry, now: datetime) -> str:
    return _word(entry.standing(now))


def _word(standing: Standing) -> str:
    ja, en = NAMES[standing]
    return ja if administrators_language() == "ja" else en


def _age(age: timedelta) -> str:
    """``"3 d 4 h"``, ``"12 min"``; the two largest units."""
    minutes = max(0, int(age.total_seconds()) // 60)
    units = (("日", "d", minutes // 1440), ("時間", "h", minutes // 60 % 24), ("分", "min", minutes % 60))
    ja = administrators_language() == "ja"
    told = [f"{count}{unit_ja}" if ja else f"{count} {unit_en}" for unit_ja, unit_en, count in units if count]
    return ("" if ja else " ").join(told[:2]) or ("0分" if ja else "0 min")


def _show_log(log: CallLog) -> None:
    click.echo(f"\n{log.subject}\n{log.body}")
    who = log.contact.name if log.contact else "-"
    about = log.related.title if log.related else "-"
    say(f"相手: {log.party}　顧客: {who}　関連: {about}", f"party: {log.party}  contact: {who}  about: {about}")


def _rows(bridge: Bridge, standings: list[Standing]) -> Iterator[dict[str, Any]]:
    now, after = datetime.now(UTC), 0
    while found := bridge.backlog.listed(standings, limit=PAGE, after=after):
        for entry in found:
            log = bridge.logs.preview(entry.call_id, entry.correction)
            yield {**_entry_cells(entry, now), **(_log_cells(log) if log else {})}
        after = found[-1].id


def _entry_cells(entry: Entry, now: datetime) -> dict[str, Any]:
    return {
        "entry": entry.id,
        "state": entry.standing(now).value,
        "due_at": entry.due_at.isoformat(),
        "tries": entry.attempts,
        "crm_words": entry.last_error or "",
        "reason": entry.reason or "",
        "call_id": entry.call_id,
    }


def _log_cells(log: CallLog) -> dict[str, Any]:
    told = asdict(log)
    kept = (
        "subject",
        "body",
        "party",
        "line_name",
        "agent_name",
        "agent_email",
        "note",
        "disposition",
        "recording_url",
    )
    return {
        "started_at": log.started_at.isoformat(),
        "ended_at": log.ended_at.isoformat(),
        "direction": log.direction.value,
        "outcome": log.outcome.value,
        "talk_seconds": int(log.talk_time.total_seconds()),
        **{name: told[name] or "" for name in kept},
        "contact": log.contact.name if log.contact else "",
        "contact_id": log.contact.id if log.contact else "",
        "related": log.related.title if log.related else "",
        "related_id": log.related.id if log.related else "",
    }


COLUMNS = (
    *("entry", "state", "due_at", "tries", "crm_words", "reason", "call_id", "started_at", "ended_at", "direction"),
    *("outcome", "talk_seconds", "subject", "body", "party", "line_name", "agent_name", "agent_email", "note"),
    *("disposition", "recording_url", "contact", "contact_id", "related", "related_id"),
)


def _write_csv(file: IO[str], rows: Iterator[dict[str, Any]]) -> int:
    writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    count = 0
    for row in rows:
        writer.writerow({name: guard(value) if isinstance(value, str) else value for name, value in row.items()})
        count += 1
    return count


def _write_json(file: IO[str], rows: Iterator[dict[str, Any]]) -> int:
    """One array, written row by row: a long outage's logs need not fit into memory."""
    count = 0
    file.write("[")
    for row in rows:
        file.write(",\n" if count else "\n")
        json.dump(row, file, ensure_ascii=False)
        count += 1
    file.write("\n]\n")
    return count
