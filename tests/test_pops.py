"""The card that one agent sees: the same call looks right from every desk, in every phase, in their language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cti_bridge.model import Caller, CallerKind
from cti_bridge.phone import read_caller
from cti_bridge.pops import TROUBLES
from cti_bridge.store import Database, calls, directory
from cti_bridge.store import outbox as entries
from cti_bridge.store.calls import Lookup, LookupState
from cti_bridge.store.missed import MissedCall, missed_calls
from tests.desk import MAIN_LINE, TARO, Desk, at_desk
from tests.running import mistakes_in


@pytest.fixture
def desk(sqlite_database: Database) -> Iterator[Desk]:
    from tests.conftest import empty

    empty(sqlite_database)
    with at_desk(sqlite_database) as opened:
        opened.bridge.outbox.stop()
        yield opened


def card(desk: Desk, call_id: str, *, of: str = "sato", language: str = "ja", **changes: Any) -> Any:
    """The card of this call, with parts of its row changed, checked against the protocol."""
    agent = replace(getattr(desk, of), language=language)
    with desk.bridge.database.reading() as connection:
        record = calls.get(connection, call_id)
        assert record is not None
        built = desk.bridge.pops.build(connection, replace(record, **changes), agent, desk.bridge.directory.current())
    frame = {"v": 1, "type": "call", "sent_at": "2026-11-21T03:00:00+00:00", "call": built}
    assert mistakes_in(frame) == []
    return built


def phases(desk: Desk, call_id: str) -> tuple[str, str]:
    return card(desk, call_id)["phase"], card(desk, call_id, of="suzuki")["phase"]


def test_every_phase_as_either_agent_sees_it(desk: Desk) -> None:
    call = desk.call_in()
    assert phases(desk, call) == ("ringing", "ringing")
    desk.answer(call)
    assert phases(desk, call) == ("talking", "elsewhere")
    desk.hang_up(call)
    assert phases(desk, call) == ("wrapping_up", "elsewhere")
    desk.bridge.calls.complete(desk.sato, call, "", None)
    assert phases(desk, call) == ("completed", "elsewhere")
    missed = desk.hang_up(desk.call_in())
    assert phases(desk, missed) == ("missed", "missed")


@pytest.mark.parametrize(("language", "region"), [("ja", "携帯電話"), ("en", "Mobile")])
def test_a_number_is_shown_as_people_write_it_with_its_place_in_the_readers_language(
    desk: Desk, language: str, region: str
) -> None:
    shown = card(desk, desk.call_in(), language=language)["caller"]
    assert shown == {"kind": "number", "number": TARO, "display": "090-1234-5678", "region": region}


def test_what_cannot_be_read_is_shown_as_it_came_and_what_is_withheld_not_at_all(desk: Desk) -> None:
    call = desk.call_in()
    unreadable = Caller(CallerKind.UNREADABLE, None, "sip:" + "x" * 100)
    assert card(desk, call, caller=unreadable)["caller"]["display"] == ("sip:" + "x" * 100)[:60]
    withheld = Caller(CallerKind.WITHHELD, None, "anonymous")
    assert card(desk, call, caller=withheld)["caller"]["display"] == ""


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_trouble_is_told_in_the_readers_language(desk: Desk, trouble: str, language: str) -> None:
    lookup = Lookup(LookupState.FAILED, trouble=trouble)
    shown = card(desk, desk.call_in(), language=language, lookup=lookup)["lookup"]
    assert shown["message"] == TROUBLES[trouble][language]  # type: ignore[index]


def test_our_own_last_talk_with_the_number_is_shown_without_any_crm(desk: Desk) -> None:
    earlier = desk.hang_up(desk.answer(desk.call_in()))
    desk.bridge.calls.complete(desk.sato, earlier, "折り返し" + "。" * 600, "callback")
    desk.hang_up(desk.call_in())
    last = card(desk, desk.call_in())["last_spoken"]
    assert (last["agent"], last["disposition"]) == ("佐藤", "再コール")
    assert (last["note"][:4], len(last["note"])) == ("折り返し", 500)
    with desk.bridge.database.transaction() as connection:
        directory.change_agent(connection, desk.sato.id, active=False)
    desk.bridge.directory.refresh()
    assert card(desk, "CA-3")["last_spoken"]["agent"] is None, "who has left is not named"
    assert card(desk, desk.call_in(party="+81312345678"))["last_spoken"] is None


def test_the_log_is_shown_on_its_way(desk: Desk) -> None:
    call = desk.answer(desk.call_in())
    assert card(desk, call)["log"]["state"] == "none"
    desk.hang_up(call)
    assert card(desk, call)["log"] == {"state": "saved", "url": None, "message": None}
    ways: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"failures": 1, "last_error": "down"}, {"state": "retrying", "url": None, "message": "down"}),
        ({"state": "parked"}, {"state": "parked", "url": None, "message": "down"}),
        (
            {"state": "delivered", "record_url": "https://crm.example/1", "last_error": None},
            {"state": "delivered", "url": "https://crm.example/1", "message": None},
        ),
    ]
    for values, shown in ways:
        with desk.bridge.database.transaction() as connection:
            connection.execute(entries.outbox.update().values(values))
        assert card(desk, call)["log"] == shown


def test_missed_calls_are_gathered_by_caller_the_latest_first(desk: Desk) -> None:
    parties = (TARO, "anonymous", TARO, "12", "unknown")
    moments = [datetime(2026, 11, 21, 3, minute, tzinfo=UTC) for minute in range(5)]
    newest_first = [
        MissedCall(f"CA-{n}", read_caller(party), MAIN_LINE, moment, None)
        for n, (party, moment) in enumerate(zip(parties, moments, strict=True), 1)
    ][::-1]
    gathered = desk.bridge.pops.missed(newest_first, desk.bridge.directory.current(), "ja")
    assert [(entry["key"], entry["count"], entry["call_id"]) for entry in gathered] == [
        ("withheld", 2, "CA-5"),
        ("unreadable", 1, "CA-4"),
        (TARO, 2, "CA-3"),
    ]
    assert mistakes_in({"v": 1, "type": "missed", "missed": gathered}) == []


def test_missed_calls_are_read_newest_first_with_what_a_line_of_the_list_needs(desk: Desk) -> None:
    for party in (TARO, "anonymous"):
        desk.hang_up(desk.call_in(party=party))
    with desk.bridge.database.reading() as connection:
        found = missed_calls(connection, datetime(2026, 1, 1, tzinfo=UTC))
    assert [(call.id, call.caller.kind, call.line_number) for call in found] == [
        ("CA-2", "withheld", MAIN_LINE),
        ("CA-1", "number", MAIN_LINE),
    ]
