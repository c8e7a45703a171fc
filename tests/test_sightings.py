"""Whose contacts an agent was shown stands in the audit log, once for each call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from cti_bridge.errors import StoreUnavailable
from cti_bridge.sightings import Sightings
from cti_bridge.store import Database
from cti_bridge.store.audit import audit
from tests.callers import NOW, office
from tests.conftest import empty
from tests.desk import TARO, Desk, at_desk
from tests.running import MAIN_LINE, running


def noted(database: Database) -> list[tuple[int | None, str, str]]:
    with database.reading() as connection:
        query = select(audit).where(audit.c.action == "contact_seen").order_by(audit.c.id)
        return [(row.agent_id, row.subject, row.details["call"]) for row in connection.execute(query)]


def sightings(database: Database) -> Sightings:
    return Sightings(database, "salesforce", clock=lambda: NOW)


@pytest.fixture
def sato(database: Database) -> int:
    with database.transaction() as connection:
        return office(connection)


def test_each_call_is_noted_once_for_each_agent_in_all_processes(database: Database, sato: int) -> None:
    one, other = sightings(database), sightings(database)
    for process in (one, other, one):
        process.note("CA1", sato, ["0035A", "0035B"])
        process.write()
    one.note("CA2", sato, ["0035A"])
    one.write()
    assert noted(database) == [
        (sato, "salesforce/0035A", "CA1"),
        (sato, "salesforce/0035B", "CA1"),
        (sato, "salesforce/0035A", "CA2"),
    ]


def test_a_card_without_a_contact_is_no_sighting_yet(database: Database, sato: int) -> None:
    watching = sightings(database)
    watching.note("CA1", sato, [])
    assert watching.write() == 0
    watching.note("CA1", sato, ["0035A"])
    assert watching.write() == 1


def test_of_a_number_that_hundreds_share_only_some_are_named(database: Database, sato: int) -> None:
    watching = sightings(database)
    watching.note("CA1", sato, [f"0035{number:03}" for number in range(200)])
    watching.write()
    assert len(noted(database)) == 10


def test_what_could_not_be_written_is_written_later(
    database: Database, sato: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = sightings(database)
    watching.note("CA1", sato, ["0035A"])
    with monkeypatch.context() as broken:
        broken.setattr(database, "transaction", lambda: (_ for _ in ()).throw(StoreUnavailable()))
        with pytest.raises(StoreUnavailable):
            watching.write()
    assert watching.write() == 1


def test_stopping_writes_down_what_is_left(database: Database, sato: int) -> None:
    watching = Sightings(database, "salesforce", clock=lambda: NOW, pause=60)
    watching.start()
    watching.note("CA1", sato, ["0035A"])
    watching.stop()
    assert len(noted(database)) == 1


# ── in the bridge ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def desk(sqlite_database: Database) -> Iterator[Desk]:
    empty(sqlite_database)
    with at_desk(sqlite_database) as opened:
        yield opened


def test_a_card_that_the_api_shows_is_a_sighting(desk: Desk) -> None:
    call = desk.call_in()
    desk.answer(call)
    desk.ask("GET", f"/calls/{call}")
    desk.bridge.sightings.write()
    assert noted(desk.bridge.database) == [], "nobody was found"
    contact = desk.crm.add("contact:7", "山田 太郎", TARO)
    desk.ask("PUT", f"/calls/{call}/choice", {"contact_id": contact.id})
    desk.ask("GET", f"/calls/{call}")
    desk.bridge.sightings.write()
    assert noted(desk.bridge.database) == [(desk.sato.id, "memory/contact:7", call)]


def test_a_pop_on_an_agents_screen_is_a_sighting_and_nobody_elses(sqlite_database: Database) -> None:
    empty(sqlite_database)
    with running(sqlite_database) as live:
        live.crm.add("contact:7", "山田 太郎", TARO)
        screen = live.screen()
        call = live.twilio.call_in(TARO, MAIN_LINE)
        screen.card(call.sid, stage=3)
        live.eventually(lambda: noted(sqlite_database), "the sighting in the audit log")
        call.hang_up()
        assert noted(sqlite_database) == [(live.sato.id, "memory/contact:7", call.sid)]
