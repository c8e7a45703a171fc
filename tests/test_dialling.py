"""Who may dial what, and that one click is one call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from cti_bridge.errors import (
    BadRequest,
    Conflict,
    ConnectorUnavailable,
    NotAllowed,
    NotFound,
    PhoneNetworkError,
    RequestError,
)
from cti_bridge.store import Database, directory
from cti_bridge.twilio import rest
from tests.desk import ENGLISH_LINE, MAIN_LINE, TARO, Desk, at_desk
from tests.running import SATO_PHONE, Running, running


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    with at_desk(database) as opened:
        yield opened


def dial(desk: Desk, number: str = TARO, *, line_id: int | None = None, record_id: str | None = None) -> Any:
    agent = desk.bridge.directory.current().agents[desk.sato.id]
    return desk.bridge.dialling.dial(agent, number, line_id=line_id, record_id=record_id)


def refused(desk: Desk, kind: type[RequestError], code: str, number: str = TARO, **more: Any) -> RequestError:
    with pytest.raises(kind) as error:
        dial(desk, number, **more)
    assert error.value.code == code
    assert desk.placed == [], "nothing rang"
    return error.value


def test_a_number_is_dialled_however_it_is_written(desk: Desk) -> None:
    for number in ("03-1234-5678", "０３（１２３４）５６７８", "+81 3 1234 5678", "0312345678"):
        desk.hang_up(dial(desk, number))
    for placed in desk.placed:
        assert "number=%2B81312345678" in placed["url"]
        assert (placed["to"], placed["from_"]) == (SATO_PHONE, MAIN_LINE)


def test_emergency_numbers_and_what_is_no_number_are_not_dialled(desk: Desk) -> None:
    for number in ("110", "119", "118", "171", "", "電話", "1234567", "999999999999999999999", "911"):
        refused(desk, BadRequest, "number_unreadable", number)


def test_dear_numbers_and_foreign_countries_are_not_dialled(desk: Desk) -> None:
    for number in ("0570-000-123", "0990-500-123", "+1 415 555 2671", "+44 20 7946 0958", "+881612345678"):
        problem = refused(desk, NotAllowed, "dial_not_allowed", number)
        assert problem.values == {"countries": "JP"}


def test_more_countries_can_be_allowed(database: Database) -> None:
    with at_desk(database, CTI_DIAL_COUNTRIES="JP US") as desk:
        dial(desk, "+1 415 555 2671")
        desk.hang_up("CA-placed-1")
        with pytest.raises(NotAllowed):
            dial(desk, "+44 20 7946 0958")
    assert len(desk.placed) == 1


def test_an_agent_without_a_telephone_cannot_dial(desk: Desk) -> None:
    with desk.bridge.database.transaction() as connection:
        directory.change_agent(connection, desk.sato.id, phone=None)
    desk.bridge.directory.refresh()
    refused(desk, NotAllowed, "no_phone")


def test_the_line_that_shows_is_one_of_the_agents_own(desk: Desk) -> None:
    lines = {line.number: line.id for line in desk.bridge.directory.current().lines.values()}
    dial(desk, line_id=lines[ENGLISH_LINE])
    assert desk.placed[0]["from_"] == ENGLISH_LINE
    suzuki = desk.suzuki
    for line_id in (lines[ENGLISH_LINE], 10**30, -1):
        with pytest.raises(NotFound) as error:
            desk.bridge.dialling.dial(suzuki, TARO, line_id=line_id, record_id=None)
        assert error.value.code == "line_not_found"
    with desk.bridge.database.transaction() as connection:
        for line_id in lines.values():
            directory.set_ringing(connection, line_id, [])
    desk.bridge.directory.refresh()
    with pytest.raises(NotFound):
        desk.bridge.dialling.dial(suzuki, TARO, line_id=None, record_id=None)


def test_who_is_on_a_call_does_not_dial_and_who_wraps_up_may(desk: Desk) -> None:
    call = desk.answer(desk.call_in())
    refused(desk, Conflict, "already_on_call")
    desk.hang_up(call)
    dial(desk)
    with pytest.raises(Conflict):
        dial(desk)
    assert len(desk.placed) == 1


def test_a_double_click_is_one_call(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    clicked_twice, outcomes = threading.Barrier(2), list[str]()
    place = desk.bridge.dialling._network.place_call

    def place_slowly(**arguments: Any) -> Any:
        clicked_twice.wait(5)  # the second click comes while the first call is being placed
        while "already_on_call" not in outcomes:
            threading.Event().wait(0.001)
        return place(**arguments)

    def click(before: Callable[[], object]) -> None:
        before()
        try:
            outcomes.append(dial(desk))
        except Conflict as problem:
            outcomes.append(problem.code)

    monkeypatch.setattr(desk.bridge.dialling._network, "place_call", place_slowly)
    clicks = [threading.Thread(target=click, args=(before,)) for before in (lambda: None, clicked_twice.wait)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join(10)
    assert sorted(outcomes) == ["CA-placed-1", "already_on_call"]
    assert len(desk.placed) == 1


def test_a_second_click_that_looked_before_the_first_call_was_written_down_dials_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look at the agent's calls must not be older than the end of the first click."""
    from cti_bridge.store import availability

    engagements = availability.engagements
    seen: list[object] = []

    def look_then_dial_elsewhere(*given: Any) -> Any:
        found = engagements(*given)
        if not seen:
            seen.append(found)
            with pytest.raises(Conflict):
                dial(desk)  # another tab's click, between this one's look and its call
        return found

    monkeypatch.setattr(availability, "engagements", look_then_dial_elsewhere)
    dial(desk)
    assert len(desk.placed) == 1


def test_after_a_refused_call_the_agent_may_dial_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:

        def refuse(**_: object) -> None:
            raise PhoneNetworkError("No.", code=21211)

        patched.setattr(desk.bridge.dialling._network, "place_call", refuse)
        with pytest.raises(PhoneNetworkError):
            dial(desk)
    dial(desk)
    assert len(desk.placed) == 1


def test_a_record_that_the_crm_does_not_have_any_more_does_not_stop_the_call(desk: Desk) -> None:
    dial(desk, record_id="gone")
    desk.crm.trouble = ConnectorUnavailable()
    desk.hang_up("CA-placed-1")
    dial(desk, record_id="c1")
    assert len(desk.placed) == 2


def test_a_number_dialled_from_somebody_elses_case_is_not_taken_for_theirs(desk: Desk) -> None:
    """On a case's page stand numbers of several people. Only whose number it is can be on the line."""
    desk.crm.add("c1", "山田 太郎", TARO)
    desk.crm.add("c2", "佐藤 花子", "03-8765-4321")
    desk.crm.cases |= {"500": ("佐藤さんの修理", "c2"), "501": ("山田さんの修理", "c1")}
    agent = desk.bridge.directory.current().agents[desk.sato.id]
    call_id = dial(desk, "03-9999-0000")
    record = desk.bridge.calls.relate(agent, call_id, "500", dialled=True)
    assert record.choice is None
    assert record.related is not None
    assert record.related.title == "佐藤さんの修理"
    desk.hang_up(call_id)
    call_id = dial(desk)
    record = desk.bridge.calls.relate(agent, call_id, "501", dialled=True)
    assert record.choice is not None
    assert record.choice.contact.name == "山田 太郎"


# ── with the simulated network ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def live(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr("cti_bridge.twilio.rest.time.sleep", lambda _: None)
    with running(database) as started:
        yield started


def test_a_429_is_tried_once_more(live: Running) -> None:
    live.twilio.refuse(times=1)
    call_id = live.bridge.dialling.dial(live.sato, TARO, line_id=None, record_id=None)
    assert live.twilio.call(call_id).leg.to == SATO_PHONE
    assert len(live.twilio.legs()) == 1


def test_429_twice_and_any_other_refusal_are_told_with_twilios_code(live: Running) -> None:
    live.twilio.refuse(times=2)
    with pytest.raises(PhoneNetworkError) as busy:
        live.bridge.dialling.dial(live.sato, TARO, line_id=None, record_id=None)
    assert busy.value.code == rest.TOO_MANY_REQUESTS
    live.twilio.refuse(code=21210, message="The source phone number provided is not verified.", status=400)
    with pytest.raises(PhoneNetworkError, match="not verified") as unverified:
        live.bridge.dialling.dial(live.sato, TARO, line_id=None, record_id=None)
    assert unverified.value.code == 21210
    assert live.twilio.legs() == []


def test_a_network_that_does_not_answer_is_told_so_and_not_asked_twice(
    live: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def time_out(*given: object, **_: object) -> None:
        asked.append(given)
        raise requests.ReadTimeout

    monkeypatch.setattr(requests.Session, "send", time_out)
    with pytest.raises(PhoneNetworkError, match="did not answer") as late:
        live.bridge.network.place_call(to=SATO_PHONE, from_=MAIN_LINE, url=live.url, status_callback=live.url)
    assert (late.value.code, len(asked)) == (0, 1), "a time-out may have begun the call"
