"""What an administrator does about call logs from the command line, in Japanese and English."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from cti_bridge.model import Call, Caller, CallerKind, Direction, LegStatus
from cti_bridge.store import Database, calls
from cti_bridge.store import outbox as entries
from cti_bridge.store.calls import CallRecord
from cti_bridge.store.outbox import Entry, OutboxState
from tests.cli.conftest import SETTINGS, Terminal

NOW = datetime.now(UTC)
TARO = "+819012345678"
LINE = "+815031234567"


@pytest.fixture
def database(terminal: Terminal) -> Iterator[Database]:
    opened = terminal.database()
    yield opened
    opened.close()


def refused(database: Database, call_id: str = "CA1", words: str = "REQUIRED_FIELD_MISSING: Subject") -> int:
    """A call of yesterday whose log the CRM refused; its entry."""
    ended_at = NOW - timedelta(days=1, hours=2)
    call = Call(
        call_id,
        Direction.INBOUND,
        LINE,
        TARO,
        started_at=ended_at - timedelta(minutes=2),
        dial_status=LegStatus.COMPLETED,
        dial_ended_at=ended_at,
        dial_duration=timedelta(seconds=83),
    )
    record = CallRecord(call, Caller(CallerKind.NUMBER, TARO, TARO), note="=見積もり", disposition="callback")
    with database.transaction() as connection:
        calls.save(connection, record, ended_at)
        entries.put(connection, call_id, "call_log", run_at=ended_at, now=ended_at)
        [entry] = entries.claim(connection, now=ended_at, lease=timedelta(seconds=5), limit=1)
        entries.park(connection, entry, error=words)
    return entry.id


def found(database: Database, entry_id: int) -> Entry:
    with database.reading() as connection:
        entry = entries.get(connection, entry_id)
    assert entry is not None
    return entry


def test_a_parked_log_is_listed_with_its_age_in_the_crms_words_and_made_due_again(
    terminal: Terminal, database: Database
) -> None:
    entry = refused(database)
    listed = terminal.run("outbox", "list")
    assert f"{entry}  parked    1 d 2 h  CA1  REQUIRED_FIELD_MISSING: Subject" in listed
    assert "parked 1" in listed
    assert "There is no entry 99" in terminal.run("outbox", "retry", "99", code=1)
    assert "Due again: 1" in terminal.run("outbox", "retry")
    assert (found(database, entry).state, found(database, entry).failures) == (OutboxState.PENDING, 0)
    assert "CA1" not in terminal.run("outbox", "list", "--state", "parked")


def test_one_entry_is_shown_with_the_log_as_it_would_be_written(terminal: Terminal, database: Database) -> None:
    shown = terminal.run("outbox", "show", str(refused(database)))
    for words in ("the CRM's words: REQUIRED_FIELD_MISSING: Subject", "着信 090-1234-5678 (応答)", "結果: 再コール"):
        assert words in shown
    assert "There is no entry 99" in terminal.run("outbox", "show", "99", code=1)


def test_a_correction_is_shown_before_it_is_kept(terminal: Terminal, database: Database) -> None:
    entry = refused(database)
    correction = ("outbox", "edit", str(entry), "--disposition", "other", "--without", "agent", "--subject", "電話")
    assert "結果: その他" in terminal.run(*correction, "--dry-run")
    assert found(database, entry).state is OutboxState.PARKED
    told = terminal.run(*correction)
    assert "電話" in told
    assert f"Corrected, and due again: {entry}" in told
    assert found(database, entry).state is OutboxState.PENDING
    assert "corrected: subject, disposition, without agent" in terminal.run("outbox", "show", str(entry))
    assert "--subject, --note" in terminal.run("outbox", "edit", str(entry), code=1)
    assert "There is no entry 99" in terminal.run("outbox", "edit", "99", "--note", "x", code=1)


def test_a_log_is_given_up_with_a_reason_and_stays_to_be_seen(terminal: Terminal, database: Database) -> None:
    entry = str(refused(database))
    assert "--reason" in terminal.run("outbox", "give-up", entry, code=2)
    assert "Write a reason" in terminal.run("outbox", "give-up", entry, "--reason", "  ", code=1)
    assert f"Given up: {entry}" in terminal.run("outbox", "give-up", entry, "--reason", "a test call")
    assert "cannot be given up" in terminal.run("outbox", "give-up", entry, "--reason", "again", code=1)
    assert "given up" in terminal.run("outbox", "list", "--state", "given_up")
    assert "why given up: a test call" in terminal.run("outbox", "show", entry)
    assert "Due again: 0" in terminal.run("outbox", "retry")
    assert "Due again: 1" in terminal.run("outbox", "retry", entry)


def test_what_is_not_in_the_crm_can_be_carried_elsewhere(terminal: Terminal, database: Database) -> None:
    for number in range(3):
        refused(database, f"CA{number}")
    file = terminal.folder / "logs.csv"
    assert "Exported: 3" in terminal.run("outbox", "export", str(file))
    rows = list(csv.DictReader(StringIO(file.read_text("utf-8-sig"))))
    assert [row["call_id"] for row in rows] == ["CA0", "CA1", "CA2"]
    assert rows[0]["note"] == "'=見積もり", "a spreadsheet would take the note for a formula"
    assert (rows[0]["outcome"], rows[0]["talk_seconds"], rows[0]["state"]) == ("answered", "83", "parked")
    printed = terminal.run("outbox", "export", "--format", "json", "--state", "parked")
    assert [row["note"] for row in json.loads(printed[printed.index("[") : printed.rindex("]") + 1])] == [
        "=見積もり"
    ] * 3


def test_it_speaks_japanese_to_a_japanese_administrator(
    terminal: Terminal, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", "ja")
    entry = str(refused(database, words="必須項目がありません。"))
    listed = terminal.run("outbox", "list")
    assert "保留" in listed
    assert "1日2時間" in listed
    assert "CRMの応答: 必須項目がありません。" in terminal.run("outbox", "show", entry)
    assert "送信を中止しました" in terminal.run("outbox", "give-up", entry, "--reason", "試験通話")
    assert "中止の理由: 試験通話" in terminal.run("outbox", "show", entry)


def test_an_empty_outbox_says_so(terminal: Terminal) -> None:
    assert "Nothing is left to write." in terminal.run("outbox", "list")


def test_a_worker_in_its_own_process_writes_what_is_due_and_ends_when_told_to(
    terminal: Terminal, database: Database
) -> None:
    entry = refused(database)
    terminal.run("outbox", "retry", str(entry))
    environment = {**os.environ, **SETTINGS, "DATABASE_URL": terminal.database_url}
    command = [sys.executable, "-c", "from cti_bridge.cli import main; main()", "outbox", "work"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if '"log_delivered"' in line:
                break
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        assert process.wait(30) == 0, rest
    assert found(database, entry).state is OutboxState.DELIVERED
    assert "delivered so far 1" in terminal.run("outbox", "list")
