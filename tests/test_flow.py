"""Ring, pop, log: the whole bridge with the simulated phone network, real HTTP and real sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cti_bridge.store import Database
from tests.running import MAIN_LINE, SATO_PHONE, Running, running

TARO = "+819012345678"


@pytest.fixture
def live(database: Database) -> Iterator[Running]:
    with running(database) as started:
        yield started


def test_a_known_caller_rings_pops_talks_and_is_logged(live: Running) -> None:
    live.crm.add("c1", "山田 太郎", "０９０ー１２３４ー５６７８")
    screen = live.screen(live.sato)

    call = live.twilio.call_in(TARO, MAIN_LINE)
    card = screen.card(call.sid, phase="ringing", stage=3)
    assert card["caller"]["display"] == "090-1234-5678"
    assert card["line"]["greeting"].startswith("お電話ありがとうございます")
    [match] = card["matches"]
    assert (match["contact"]["name"], match["field"], match["as_typed"]) == (
        "山田 太郎",
        "携帯",
        "０９０ー１２３４ー５６７８",
    )
    assert card["choice"]["how"] == "only_match"

    live.twilio.answer(call.leg_to(SATO_PHONE))
    card = screen.card(call.sid, phase="talking")
    assert card["agent"]["name"] == "佐藤"

    call.hang_up()
    screen.card(call.sid, phase="wrapping_up")
    answer = screen.api("POST", f"/calls/{call.sid}/completion", {"note": "見積もりの件", "disposition": "resolved"})
    assert answer.status_code == 200, answer.text
    card = screen.card(
        call.sid,
        phase="completed",
        log={"state": "delivered", "url": f"https://crm.example/{call.sid}", "message": None},
    )

    log = live.crm.logs[call.sid]
    assert log.contact is not None
    assert (log.contact.id, log.note, log.disposition, log.agent_name) == ("c1", "見積もりの件", "対応完了", "佐藤")
    assert live.crm.asked.count("write_call_log") == 1, "one write for one call, in the ordinary case"
    assert live.crm.asked.count("find_contacts") == 1, "one lookup for one call, in the ordinary case"
    assert live.twilio.problems == []
