"""The audit log from the command line: who did and saw what, found and written out."""

from __future__ import annotations

import csv
import json
import stat
from datetime import UTC, datetime, timedelta

import pytest

from cti_bridge.store import audit
from cti_bridge.store.audit import COMMAND_LINE, Who
from tests.callers import all_about_taro
from tests.cli.conftest import Terminal

MORNING = datetime(2026, 11, 20, 0, 30, tzinfo=UTC)  # half past nine in Tokyo


@pytest.fixture
def noted(terminal: Terminal) -> Terminal:
    """Sato saw a contact on the 20th and signed out on the 21st; somebody failed to sign in between."""
    terminal.run("agents", "add", "sato@example.co.jp", "--name", "佐藤", "--password", "long enough here")
    database = terminal.database()
    with database.transaction() as connection:
        sato = Who(1, "203.0.113.7")
        audit.note(connection, sato, "contact_seen", "local/contact:12", MORNING, call="CA1")
        audit.note(
            connection,
            Who(None, "198.51.100.9"),
            "sign_in_failed",
            "email:5f2c",
            MORNING + timedelta(hours=14, minutes=15),
        )
        audit.note(connection, sato, "signed_out", "agent:1", MORNING + timedelta(days=1))
    database.close()
    return terminal


def test_entries_are_listed_newest_first_in_local_time(noted: Terminal) -> None:
    lines = noted.run("audit", "list").splitlines()
    assert lines[0] == "2026-11-21 09:30:00  sato@example.co.jp (203.0.113.7)  signed out  agent:1"
    assert lines[1].startswith("2026-11-20 23:45:00  - (198.51.100.9)  failed to sign in  email:5f2c")
    assert lines[2].endswith("saw a contact  local/contact:12  call=CA1")
    assert "- (command line)  agent added  agent:1  role=agent" in lines[3], "as it was written: first of all"
    assert lines[4] == "entries: 4"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--who", "Sato@example.co.jp"), ["signed out", "saw a contact"]),
        (("--action", "sign_in_failed"), ["failed to sign in"]),
        (("--from", "2026-11-20", "--to", "2026-11-20"), ["failed to sign in", "saw a contact"]),
        (("--from", "2026-11-20T10:00", "--to", "2026-11-21"), ["signed out", "failed to sign in"]),
        (("--to", "2026-11-20T00:30:00+00:00"), []),
        (("--contact", "contact:12"), ["saw a contact"]),
        (("--to", "2026-11-21", "--limit", "1"), ["signed out"]),
        (("--action", "sign_in_failed", "--who", "sato@example.co.jp"), []),
    ],
)
def test_entries_are_found_by_who_what_and_when(noted: Terminal, words: tuple[str, ...], found: list[str]) -> None:
    lines = noted.run("audit", "list", *words).splitlines()
    assert lines[-1] == f"entries: {len(found)}"
    assert all(text in line for text, line in zip(found, lines, strict=False)), lines


def test_an_unknown_action_is_answered_with_the_known_ones(noted: Terminal) -> None:
    assert "Actions in the log: agent_added, contact_seen" in noted.run("audit", "list", "--action", "contact_saw")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("--who", "nobody@example.com"), "There is no agent"),
        (("--from", "yesterday"), "yesterday is no day"),
        (("--to", "9999-12-31"), "is no day"),
        (("--number", "hello"), "is not a telephone number"),
    ],
)
def test_a_mistake_is_named(noted: Terminal, words: tuple[str, ...], answer: str) -> None:
    assert answer in noted.run("audit", "list", *words, code=1)


def test_the_log_is_written_as_a_table_for_excel_and_that_is_told(noted: Terminal) -> None:
    file = noted.folder / "audit.csv"
    assert "Wrote 2 entries" in noted.run("audit", "export", "--who", "sato@example.co.jp", "--output", str(file))
    rows = list(csv.DictReader(file.read_text("utf-8-sig").splitlines()))
    assert [(row["action"], row["agent"]) for row in rows] == [
        ("contact_seen", "sato@example.co.jp"),
        ("signed_out", "sato@example.co.jp"),
    ], "oldest first"
    assert json.loads(rows[0]["details"]) == {"call": "CA1"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "exported the audit log" in noted.run("audit", "list", "--limit", "1")


def test_the_log_is_written_as_json_lines_however_long_it_is(noted: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cti_bridge.store.trail.PAGE", 2)
    said = noted.run("audit", "export", "--format", "json")
    entries = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [entry["action"] for entry in entries] == ["agent_added", "contact_seen", "sign_in_failed", "signed_out"]


def test_an_address_that_looks_like_a_formula_is_only_text_in_a_table(terminal: Terminal) -> None:
    database = terminal.database()
    with database.transaction() as connection:
        audit.note(connection, Who(None, "=1+1"), "signed_in", "agent:1", MORNING)
    database.close()
    assert "'=1+1" in terminal.run("audit", "export")


def test_what_commands_change_and_write_out_is_told_without_anything_personal(terminal: Terminal) -> None:
    database = terminal.database()
    all_about_taro(database)
    database.close()
    terminal.run("agents", "change", "sato@example.co.jp", "--name", "佐藤 はな")
    terminal.run("lines", "change", "050-3123-4567", "--greeting", "山田商事です", "--record")
    terminal.run("lines", "ring", "050-3123-4567")
    terminal.run("lines", "add", "050-3123-4568", "--name", "予備")
    terminal.run("connector", "export", str(terminal.folder / "out.csv"))
    terminal.run("connector", "audit", "--csv", str(terminal.folder / "fix.csv"))
    terminal.run("outbox", "export", str(terminal.folder / "logs.csv"))
    terminal.run("privacy", "export", "--number", "090-1234-5678")
    terminal.run("privacy", "erase", "--number", "090-1234-5678", "--yes")
    database = terminal.database()
    from cti_bridge.store import trail

    with database.reading() as connection:
        entries = trail.page(connection, trail.Filter())
    database.close()
    told = [(noted.action, noted.subject.split(":")[0]) for noted in entries]
    assert told == [
        ("agent_changed", "agent"),
        ("line_changed", "line"),
        ("line_ringing_changed", "line"),
        ("line_added", "line"),
        ("customers_exported", "customers"),
        ("numbers_exported", "customers"),
        ("logs_exported", "outbox"),
        ("personal_data_exported", "number"),
        ("personal_data_erased", "number"),
    ]
    assert entries[0].details == {"fields": ["name"]}
    assert entries[1].details == {"fields": ["greeting", "record"]}
    assert all(noted.address == COMMAND_LINE.address for noted in entries)
    assert (
        terminal.run("audit", "list", "--number", "０９０ー１２３４ー５６７８").splitlines()[-1].split(": ")[1] == "2"
    )


def test_tidying_from_the_command_line_says_what_goes(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    database = terminal.database()
    all_about_taro(database)
    database.close()
    monkeypatch.setenv("CTI_KEEP_WEBHOOKS_DAYS", "1")
    said = terminal.run("privacy", "tidy", "--dry-run")
    assert "9  webhooks of Twilio" in said
    assert "Nothing was deleted" in said
    assert "9  webhooks of Twilio" in terminal.run("privacy", "tidy")
    assert "0  webhooks of Twilio" in terminal.run("privacy", "tidy"), "by hand it may be done again at once"
    for kind in ("CALLS", "WEBHOOKS", "INDEX", "AUDIT"):
        monkeypatch.setenv(f"CTI_KEEP_{kind}_DAYS", "0")
    assert "kept for ever" in terminal.run("privacy", "tidy")
