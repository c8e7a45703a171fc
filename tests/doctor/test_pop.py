"""The test card: on the right screen, by the live path, marked as a test, gone by itself, and no trace of it left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cti_bridge.clock import utc_now
from cti_bridge.doctor.pop import CALLER, GONE_AFTER, Rehearsal
from cti_bridge.live.hub import Hub, PostgresHub
from cti_bridge.store import Database, calls, missed, rehearsals
from cti_bridge.store import outbox as entries
from cti_bridge.store.calls import call_events, rings
from tests.conftest import empty
from tests.running import MAIN_LINE, Running, Screen, running


@pytest.fixture
def office(database: Database) -> Iterator[Running]:
    with running(database) as started:
        yield started


@pytest.fixture
def elsewhere(database: Database) -> Iterator[tuple[Database, Hub]]:
    """Another process's database and hub: on SQLite they can wake nobody, on PostgreSQL everybody."""
    other = Database(database.url.render_as_string(hide_password=False))
    hub = Hub() if other.is_sqlite else PostgresHub(other.url)
    hub.start()
    yield other, hub
    hub.stop()
    other.close()


def left(database: Database) -> int:
    with database.reading() as connection:
        tables = (calls.calls, rings, call_events, entries.outbox)
        return sum(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)


def shown(screen: Screen, call_id: str, phase: str) -> dict[str, object]:
    return screen.card(call_id, phase=phase)


def test_a_test_card_made_in_another_process_rings_on_the_chosen_agent_s_screen_alone_and_goes(
    office: Running, elsewhere: tuple[Database, Hub]
) -> None:
    sato, suzuki = office.screen(office.sato), office.screen(office.suzuki)
    rehearsal = Rehearsal(*elsewhere)

    call_id = rehearsal.show(office.sato, office.bridge.directory.current())
    card = sato.card(call_id, phase="ringing")
    assert card["caller"]["display"] == CALLER["ja"]
    assert card["line"]["number"] == MAIN_LINE, "with the greeting of a line that rings the agent"
    assert call_id not in suzuki.calls

    rehearsal.end(call_id)
    sato.card(call_id, phase="missed")
    rehearsal.forget(call_id)
    assert left(office.bridge.database) == 0
    assert office.crm.asked == [], "no CRM is asked who the test is"


def test_a_test_card_is_on_no_list_and_makes_nobody_busy(office: Running, elsewhere: tuple[Database, Hub]) -> None:
    rehearsal = Rehearsal(*elsewhere)
    call_id = rehearsal.show(office.sato, office.bridge.directory.current())
    office.twilio.call_in("+819012345678", MAIN_LINE)
    screen = office.screen(office.sato)
    screen.wait_for(lambda: len(screen.calls) == 2, "the test and a real call beside it")

    rehearsal.end(call_id)
    with office.bridge.database.reading() as connection:
        assert missed.missed_calls(connection, utc_now() - timedelta(days=1)) == []
    rehearsal.forget(call_id)


def test_a_card_whose_maker_was_killed_is_on_no_new_screen_and_is_struck_by_the_next(
    database: Database, elsewhere: tuple[Database, Hub]
) -> None:
    with running(database) as office:
        killed = Rehearsal(*elsewhere, clock=lambda: utc_now() - GONE_AFTER - timedelta(seconds=1))
        call_id = killed.show(office.sato, office.bridge.directory.current())
        screen = office.screen(office.sato)
        assert call_id not in screen.calls

        rehearsal = Rehearsal(*elsewhere)
        again = rehearsal.show(office.sato, office.bridge.directory.current())
        with database.reading() as connection:
            assert calls.get(connection, call_id) is None
        rehearsal.forget(again)


def test_only_test_cards_are_ever_deleted(office: Running, elsewhere: tuple[Database, Hub]) -> None:
    call = office.twilio.call_in("+819012345678", MAIN_LINE)
    office.screen().card(call.sid)
    with office.bridge.database.transaction() as connection:
        rehearsals.strike(connection, call.sid)
        rehearsals.strike_all(connection, before=utc_now() + timedelta(days=1))
        assert calls.get(connection, call.sid) is not None


def test_an_english_agent_reads_that_it_is_a_test_in_english(office: Running, elsewhere: tuple[Database, Hub]) -> None:
    from dataclasses import replace

    screen = office.screen(office.sato)
    rehearsal = Rehearsal(*elsewhere)
    call_id = rehearsal.show(replace(office.sato, language="en"), office.bridge.directory.current())
    assert "TEST" in screen.card(call_id, phase="ringing")["caller"]["display"]
    rehearsal.end(call_id)
    rehearsal.forget(call_id)


def test_the_command_itself_in_a_process_of_its_own_pops_on_the_running_bridge(sqlite_database: Database) -> None:
    empty(sqlite_database)
    with running(sqlite_database) as office:
        screen = office.screen(office.sato)
        config = {name: value for name, value in office.app.config.items() if name.startswith(("CTI_", "TWILIO_"))}
        environment = {
            **os.environ,
            **config,
            "DATABASE_URL": office.app.config["DATABASE_URL"],
            "CTI_CONNECTOR": "local",
            "CTI_LANGUAGE": "en",
        }
        command = [sys.executable, "-c", "from cti_bridge.cli import main; main()", "doctor", "--for", "6", "--pop"]
        with subprocess.Popen(
            [*command, office.sato.email], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            said = process.communicate(timeout=60)[0]
        phases = [frame["call"]["phase"] for frame in screen.frames if frame["type"] == "call"]
        assert phases == ["ringing", "missed"], said
        assert "✓ address:" in said
        assert "A test card appears on sato@example.co.jp's screen" in said
        assert process.returncode == 0, said
        assert left(sqlite_database) == 0
