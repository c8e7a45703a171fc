"""Personal data from the command line: shown, asked, done."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest

from cti_bridge.store import calls
from cti_bridge.store.outbox import OutboxState
from tests.callers import NAME, NOTE, TARO, a_call, all_about_taro, traces
from tests.cli.conftest import Terminal


def seed(terminal: Terminal) -> str:
    """All about Taro, in the terminal's database; his record in the embedded CRM."""
    database = terminal.database()
    record = all_about_taro(database).taro
    database.close()
    return record


def left(terminal: Terminal, *words: str) -> list[str]:
    database = terminal.database()
    found = traces(database, *words)
    database.close()
    return found


def test_everything_of_a_number_is_exported_as_json(terminal: Terminal) -> None:
    seed(terminal)
    file = terminal.folder / "taro.json"

    said = terminal.run("privacy", "export", "--number", "０９０ー１２３４ー５６７８", "--output", str(file))
    told = json.loads(file.read_text("utf-8"))
    assert told["number"] == TARO.e164
    assert told["rows"]["calls"][0]["note"] == NOTE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "nobody else on the machine may read it"
    assert "may be shared" in said


def test_an_export_can_be_read_without_a_programmer(terminal: Terminal) -> None:
    record = seed(terminal)
    for asked in (("--number", TARO.e164), ("--contact", record)):
        said = terminal.run("privacy", "export", *asked, "--format", "text")
        for words in ("■ Calls (", "■ Embedded CRM: people (1)", NAME, NOTE, "■ What others hold", "Twilio: RE"):
            assert words in said, words


@pytest.mark.parametrize("words", [(), ("--number", "090-1234-5678", "--contact", "contact:1")])
def test_an_export_is_of_a_number_or_of_a_contact(terminal: Terminal, words: tuple[str, ...]) -> None:
    assert "either --number or --contact" in terminal.run("privacy", "export", *words, code=1)


def test_erasing_shows_what_would_go_and_asks(terminal: Terminal) -> None:
    record = seed(terminal)
    before = left(terminal)

    said = terminal.run("privacy", "erase", "--number", "090-1234-5678", asks="n\n", code=1)
    assert "1  Calls: blanked: the row stays for statistics" in said
    assert "2  The CRM's earlier answers: deleted" in said
    assert f"{record}  {NAME}" in said
    assert "Recordings are at Twilio" in said
    assert left(terminal) == before, "nothing before the answer"

    assert "cannot be undone" not in terminal.run("privacy", "erase", "--number", "090-1234-5678", "--dry-run")
    assert left(terminal) == before

    said = terminal.run("privacy", "erase", "--number", "090-1234-5678", asks="y\n")
    assert "The audit log knows it as number:" in said
    assert left(terminal) == []
    assert "holds nothing of this number" in terminal.run("privacy", "erase", "--number", "090-1234-5678")


def test_a_whole_record_goes_when_it_is_named(terminal: Terminal) -> None:
    record = seed(terminal)
    terminal.run("privacy", "erase", "--number", "090-1234-5678", "--record", record, "--yes")
    assert left(terminal, NAME, NOTE) == []


def test_links_into_another_crm_are_named_because_they_are_not_ours(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = terminal.database()
    from tests.callers import office, taro

    with database.transaction() as connection:
        sato = office(connection)
        a_call(connection, "CA1", TARO.e164, sato, contact=taro("0035g00000XyZ"))
        from sqlalchemy import update

        from cti_bridge.store.outbox import outbox

        connection.execute(update(outbox).values(record_id="00T5g", record_url="https://acme.my.salesforce.com/00T5g"))
    database.close()
    said = terminal.run("privacy", "erase", "--number", "090-1234-5678", "--yes")
    assert "What stands in the CRM stays. Erase it there" in said
    assert "https://crm.example/0035g00000XyZ" in said
    assert "https://acme.my.salesforce.com/00T5g" in said


@pytest.mark.parametrize(("language", "words"), [("en", "refused; retry it or give it up"), ("ja", "保留中です")])
def test_a_log_that_is_not_in_the_crm_yet_is_named_and_nothing_goes(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    database = terminal.database()
    sato = all_about_taro(database).sato
    with database.transaction() as connection:
        a_call(connection, "CA9", TARO.e164, sato, log=OutboxState.PARKED)
    database.close()
    before = left(terminal)
    said = terminal.run("privacy", "erase", "--number", "090-1234-5678", "--yes", code=1)
    assert words in said
    assert "CA9" in said
    assert left(terminal) == before


def test_a_call_that_goes_on_hinders(terminal: Terminal) -> None:
    database = terminal.database()
    sato = all_about_taro(database).sato
    with database.transaction() as connection:
        just_now = datetime.now(UTC) - timedelta(minutes=1)
        a_call(connection, "CA9", TARO.e164, sato, at=just_now, ended=False, log=None)
    database.close()
    assert "CA9 is going on" in terminal.run("privacy", "erase", "--number", "090-1234-5678", "--yes", code=1)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("--number", "hello"), "is not a telephone number"),
        (("--number", "050-3123-4567"), "is a line of ours"),
        (("--number", "080-0000-0001"), "is a line of ours or an agent's telephone"),
        (("--number", "090-1234-5678", "--record", "12"), "12 is no record"),
        (("--number", "090-1234-5678", "--record", "contact:999"), "does not hold this number"),
    ],
)
def test_a_mistake_is_named(terminal: Terminal, words: tuple[str, ...], answer: str) -> None:
    seed(terminal)
    assert answer in terminal.run("privacy", "erase", *words, code=1)


def test_an_erased_call_is_still_a_call(terminal: Terminal) -> None:
    seed(terminal)
    terminal.run("privacy", "erase", "--number", "090-1234-5678", "--yes")
    database = terminal.database()
    with database.reading() as connection:
        record = calls.get(connection, "CA1")
    database.close()
    assert record is not None
    assert (record.note, record.caller.number) == ("", None)
