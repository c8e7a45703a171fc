"""Ring, pop, log: the whole bridge with the simulated phone network, real HTTP and real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from cti_bridge import outbox
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable
from cti_bridge.model import Activity, ActivityItem, ActivityKind, CallLog
from cti_bridge.settings import Settings
from cti_bridge.simulator import SimulatedCall
from cti_bridge.store import Database
from tests.running import ENGLISH_LINE, MAIN_LINE, SATO_PHONE, SUZUKI_PHONE, Frame, Running, Screen, running

TARO = "+819012345678"
HANAKO = "+819087654321"
SWITCHBOARD = "+81312345678"


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


# ── who is it ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_caller_becomes_a_contact_and_is_known_the_next_time(live: Running) -> None:
    screen = live.screen()
    call = live.twilio.call_in(TARO, MAIN_LINE)
    card = screen.card(call.sid, stage=2)
    assert (card["matches"], card["choice"], card["lookup"]["state"]) == ([], None, "done")

    answer = screen.api("POST", f"/calls/{call.sid}/contact", {"name": " 山田 太郎 ", "company": "山田商事"})
    assert answer.status_code == 201, answer.text
    card = screen.card(call.sid, stage=3)
    assert (card["choice"]["contact"]["name"], card["choice"]["how"], card["choice"]["by"]) == (
        "山田 太郎",
        "picked",
        "佐藤",
    )
    call.hang_up()

    again = live.twilio.call_in(TARO, MAIN_LINE)
    card = screen.card(again.sid, stage=3)
    assert [match["contact"]["name"] for match in card["matches"]] == ["山田 太郎"]


def test_an_unknown_callers_number_is_added_to_somebody_the_crm_has(live: Running) -> None:
    live.crm.add("c1", "鈴木 花子", "03-1234-5678")
    screen = live.screen()
    call = live.twilio.call_in(HANAKO, MAIN_LINE)
    screen.card(call.sid, stage=2, matches=[])

    [found] = screen.api("GET", "/contacts?q=鈴木").json()["contacts"]
    answer = screen.api("POST", f"/calls/{call.sid}/number", {"contact_id": found["id"]})
    assert answer.status_code == 200, answer.text
    card = screen.card(call.sid, stage=3)
    assert card["choice"]["contact"]["id"] == "c1"
    assert [(match["field"], match["as_typed"]) for match in card["matches"]] == [("その他", HANAKO)]
    assert [held.text for held in live.crm.contacts["c1"].numbers] == ["03-1234-5678", HANAKO]


def test_a_shared_number_is_settled_by_an_agent_learned_shown_and_forgotten_again(live: Running) -> None:
    for contact_id, name in (("c1", "受付"), ("c2", "山田 太郎"), ("c3", "鈴木 花子")):
        live.crm.add(contact_id, name, "03-1234-5678")
    screen = live.screen()
    call = live.twilio.call_in(SWITCHBOARD, MAIN_LINE)
    card = screen.card(call.sid, stage=2)
    assert [match["contact"]["id"] for match in card["matches"]] == ["c1", "c2", "c3"]
    assert card["choice"] is None, "never a guess"
    assert card["activity"] is None
    assert screen.api("PUT", f"/calls/{call.sid}/choice", {"contact_id": "c3"}).json()["choice"]["how"] == "picked"
    live.twilio.answer(call.leg_to(SATO_PHONE))
    screen.card(call.sid, phase="talking")
    call.hang_up()
    screen.api("POST", f"/calls/{call.sid}/completion", {})

    again = live.twilio.call_in(SWITCHBOARD, MAIN_LINE)
    card = screen.card(again.sid, stage=3)
    assert (card["choice"]["contact"]["id"], card["choice"]["how"], card["choice"]["by"]) == ("c3", "learned", "佐藤")
    first = card["matches"][0]
    assert (first["contact"]["id"], first["reasons"]) == ("c3", ["same_number", "chosen_before", "called_recently"])
    assert card["last_spoken"]["contact_name"] == "鈴木 花子"
    card = screen.api("DELETE", f"/calls/{again.sid}/choice").json()
    assert card["choice"] is None
    assert all("chosen_before" not in match["reasons"] for match in card["matches"]), "nothing is left of it"
    again.hang_up()

    third = live.twilio.call_in(SWITCHBOARD, MAIN_LINE)
    assert screen.card(third.sid, stage=2)["choice"] is None


def test_taking_back_a_wrong_pick_leaves_the_only_match_with_its_history(live: Running) -> None:
    live.crm.add("c1", "山田 太郎", TARO)
    live.crm.add("c2", "山田 次郎")
    live.crm.activities["c1"] = Activity(history=(ActivityItem(ActivityKind.NOTE, "見積書を送付"),))
    screen = live.screen()
    call = live.twilio.call_in(TARO, MAIN_LINE)
    screen.card(call.sid, stage=3)
    screen.api("PUT", f"/calls/{call.sid}/choice", {"contact_id": "c2"})
    screen.wait_for(lambda: _activity(screen, call) == ("c2", "done"), "the wrong contact's history")
    screen.api("DELETE", f"/calls/{call.sid}/choice")
    screen.wait_for(lambda: _activity(screen, call) == ("c1", "done"), "the only match's history")
    assert screen.calls[call.sid]["activity"]["history"][0]["title"] == "見積書を送付"


def _activity(screen: Screen, call: SimulatedCall) -> tuple[str, str]:
    card = screen.calls[call.sid]
    return card["choice"]["contact"]["id"], card["activity"]["state"]


def test_a_first_callers_own_call_is_no_reason_to_rank_them(live: Running) -> None:
    live.crm.add("c1", "山田 太郎", TARO)
    screen = live.screen()
    live.twilio.call_in(TARO, MAIN_LINE).hang_up()
    live.eventually(lambda: live.crm.logs)
    call = live.twilio.call_in(TARO, MAIN_LINE)
    card = screen.card(call.sid, stage=3)
    assert card["lookup"]["source"] == "crm"
    assert card["matches"][0]["reasons"] == ["same_number"], "nobody of us has spoken with Taro yet"


@pytest.mark.parametrize(("withheld", "number"), [("keypad", TARO), ("anonymous", TARO)])
def test_a_withheld_caller_asks_the_crm_nothing(live: Running, withheld: str, number: str) -> None:
    screen = live.screen()
    call = live.twilio.call_in(number, MAIN_LINE, withheld=withheld)  # type: ignore[arg-type]
    card = screen.card(call.sid, phase="ringing")
    assert card["caller"] == {"kind": "withheld", "number": None, "display": "", "region": ""}
    assert (card["lookup"]["state"], card["matches"], card["choice"]) == ("skipped", [], None)
    refused = screen.api("POST", f"/calls/{call.sid}/contact", {"name": "誰か"})
    assert refused.json()["code"] == "no_number_to_add"
    call.hang_up()
    screen.wait_for(lambda: [caller["key"] for caller in screen.missed] == ["withheld"])
    assert _log(live, call).contact is None
    assert "find_contacts" not in live.crm.asked
    assert screen.api("POST", "/missed/withheld/dealt-with").status_code == 204
    screen.wait_for(lambda: screen.missed == [], "an empty list of missed calls")


# ── when the CRM is slow, down or stubborn ───────────────────────────────────────────────────────────────────────────


def test_a_slow_crm_holds_up_neither_the_ringing_nor_the_first_card(database: Database) -> None:
    with running(database, CTI_LOOKUP_DEADLINE_SECONDS="0.2") as live:
        live.crm.add("c1", "山田 太郎", TARO)
        live.crm.gate.clear()
        screen = live.screen(language="en")
        call = live.twilio.call_in(TARO, MAIN_LINE)
        card = screen.card(call.sid, phase="ringing", stage=1)
        assert card["lookup"]["state"] == "waiting"
        assert call.leg_to(SATO_PHONE).status == "ringing"
        late = screen.wait_for(lambda: screen.calls[call.sid]["lookup"]["message"], "the deadline's message")
        assert "時間がかかっています" in late
        live.crm.gate.set()
        card = screen.card(call.sid, stage=3)
        assert (card["lookup"]["state"], card["lookup"]["message"]) == ("done", None)
        assert card["choice"]["contact"]["id"] == "c1"
        assert live.crm.asked.count("find_contacts") == 1


@pytest.fixture
def impatient_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "BACK_OFF", (timedelta(seconds=0.05),) * 50)


@pytest.mark.usefixtures("impatient_outbox")
def test_with_the_crm_down_its_last_answer_pops_and_the_log_follows_when_it_is_back(live: Running) -> None:
    live.crm.add("c1", "山田 太郎", TARO)
    screen = live.screen()
    live.twilio.call_in(TARO, MAIN_LINE).hang_up()
    live.eventually(lambda: live.crm.logs)
    live.crm.logs.clear()

    live.crm.trouble = ConnectorUnavailable("No route to the CRM.")
    call = live.twilio.call_in(TARO, MAIN_LINE)
    card = screen.card(call.sid, stage=2)
    screen.wait_for(lambda: screen.calls[call.sid]["lookup"]["stale"], "a stale answer")
    card = screen.calls[call.sid]
    assert (card["lookup"]["state"], card["lookup"]["source"]) == ("failed", "index")
    assert card["choice"]["contact"]["id"] == "c1"
    assert card["activity"]["state"] == "failed", "nothing is on its way, so nothing is waited for"
    assert "CRM" in card["lookup"]["message"]
    _talk(live, screen, call)
    screen.api("POST", f"/calls/{call.sid}/completion", {"note": "折り返し希望", "disposition": "callback"})
    screen.wait_for(lambda: screen.calls[call.sid]["log"]["state"] == "retrying", "a log that is being retried")
    assert screen.calls[call.sid]["log"]["message"] == "No route to the CRM."
    screen.wait_for(lambda: screen.health["unsent"] == 1 and screen.health["crm"] != "ok", "an unsent log")

    live.crm.trouble = None
    live.bridge.lookups.circuit.succeeded(0.0)
    screen.wait_for(lambda: screen.calls[call.sid]["log"]["state"] == "delivered", "the delivered log")
    assert live.crm.logs[call.sid].note == "折り返し希望"
    screen.wait_for(lambda: screen.health["unsent"] == 0 and screen.health["crm"] == "ok", "all well again")


def test_a_crm_that_refuses_the_search_still_gets_the_log(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(number: object) -> list[object]:
        raise ConnectorRefused("You may not search.", code="INSUFFICIENT_ACCESS")

    monkeypatch.setattr(live.crm, "find_contacts", refuse)
    screen = live.screen()
    call = live.twilio.call_in(TARO, MAIN_LINE)
    screen.wait_for(lambda: "受け付け" in (screen.calls.get(call.sid, NO_CARD)["lookup"]["message"] or ""))
    call.hang_up()
    assert _log(live, call).party == TARO


NO_CARD: Frame = {"lookup": {"message": None}}


def test_a_refused_log_shows_the_crms_own_words(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(log: object) -> object:
        raise ConnectorRefused("必須項目「担当者」がありません。")

    monkeypatch.setattr(live.crm, "write_call_log", refuse)
    screen = live.screen()
    call = live.twilio.call_in(TARO, MAIN_LINE)
    _talk(live, screen, call)
    screen.api("POST", f"/calls/{call.sid}/completion", {})
    log = {"state": "parked", "url": None, "message": "必須項目「担当者」がありません。"}
    screen.card(call.sid, log=log)
    screen.wait_for(lambda: screen.health["parked"] == 1)


# ── missed calls ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_missed_calls_are_gathered_by_caller_until_somebody_deals_with_them(live: Running) -> None:
    live.crm.add("c1", "山田 太郎", TARO)
    screen, colleague = live.screen(live.sato), live.screen(live.suzuki)
    for caller in (TARO, TARO, HANAKO):
        call = live.twilio.call_in(caller, MAIN_LINE)
        screen.card(call.sid, stage=3 if caller == TARO else 2)
        call.hang_up()
        screen.card(call.sid, phase="missed", outcome="missed")
    screen.wait_for(lambda: sum(m["count"] for m in screen.missed) == 3, "three missed calls")
    assert {m["key"]: (m["count"], m["contact_name"]) for m in screen.missed} == {
        HANAKO: (1, None),
        TARO: (2, "山田 太郎"),
    }
    assert screen.api("POST", f"/missed/{TARO}/dealt-with").status_code == 204
    for one in (screen, colleague):
        one.wait_for(lambda one=one: [m["key"] for m in one.missed] == [HANAKO], "one missed caller")  # type: ignore[misc]
    assert screen.api("POST", f"/missed/{TARO}/dealt-with").json()["code"] == "missed_call_not_found"


def test_a_missed_caller_who_is_called_back_and_reached_leaves_the_list(live: Running) -> None:
    screen = live.screen()
    missed = live.twilio.call_in(TARO, MAIN_LINE)
    screen.card(missed.sid, stage=2)
    missed.hang_up()
    screen.wait_for(lambda: [m["key"] for m in screen.missed] == [TARO])
    call = _dial(live, screen, TARO)
    live.twilio.answer(call.leg)
    live.twilio.answer(call.leg_to(TARO))
    screen.wait_for(lambda: screen.missed == [], "an empty list of missed calls")


def test_nobody_free_is_said_to_the_caller_and_the_call_is_missed(live: Running) -> None:
    screen = live.screen()
    for agent_screen in (screen, live.screen(live.suzuki)):
        agent_screen.api("PUT", "/presence", {"presence": "away"})
    call = live.twilio.call_in(TARO, MAIN_LINE).wait_until_over()
    assert any("混み合って" in text for text in call.said)
    screen.wait_for(lambda: [m["key"] for m in screen.missed] == [TARO])


# ── notes and logs ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_survives_a_closed_tab(live: Running) -> None:
    screen = live.screen()
    call = live.twilio.call_in(TARO, MAIN_LINE)
    live.twilio.answer(call.leg_to(SATO_PHONE))
    screen.card(call.sid, phase="talking")
    screen.api("PUT", f"/calls/{call.sid}/draft", {"note": "途中まで書い", "disposition": "prospect"})
    screen.close()
    draft = live.screen().card(call.sid)["draft"]
    assert (draft["note"], draft["disposition"]) == ("途中まで書い", "prospect")
    assert draft["saved_at"] is not None


def test_what_changes_after_completion_is_updated_in_the_same_log(live: Running) -> None:
    live.crm.add("c1", "山田 太郎", SWITCHBOARD)
    live.crm.add("c2", "山田 次郎", SWITCHBOARD)
    screen = live.screen()
    call = live.twilio.call_in(SWITCHBOARD, MAIN_LINE)
    screen.card(call.sid, stage=2)
    _talk(live, screen, call)
    screen.api("POST", f"/calls/{call.sid}/completion", {"note": "初回"})
    live.eventually(lambda: live.crm.logs[call.sid].note == "初回" if live.crm.logs else None)
    screen.api("PUT", f"/calls/{call.sid}/draft", {"note": "初回。訂正あり", "disposition": "other"})
    live.eventually(lambda: live.crm.logs[call.sid].note == "初回。訂正あり", "the corrected note")
    screen.api("PUT", f"/calls/{call.sid}/choice", {"contact_id": "c2"})
    live.eventually(lambda: live.crm.logs[call.sid].contact == live.crm.contacts["c2"], "the log on its contact")
    screen.api("DELETE", f"/calls/{call.sid}/choice")
    live.eventually(lambda: live.crm.logs[call.sid].contact is None, "the log taken off the contact")
    assert len(live.crm.logs) == 1


def test_a_log_is_written_although_nobody_finished_the_wrap_up(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "wrap_up_limit", timedelta(seconds=0.2))
    live.crm.add("c1", "山田 太郎", TARO)
    screen = live.screen()
    call = live.twilio.call_in(TARO, MAIN_LINE)
    screen.card(call.sid, stage=3)
    live.twilio.answer(call.leg_to(SATO_PHONE))
    screen.card(call.sid, phase="talking")
    screen.api("PUT", f"/calls/{call.sid}/draft", {"note": "席を離れた"})
    call.hang_up()
    log = _log(live, call)
    assert (log.note, log.agent_name) == ("席を離れた", "佐藤")
    assert screen.calls[call.sid]["phase"] == "wrapping_up"
    screen.api("DELETE", f"/calls/{call.sid}/choice")
    screen.api("PUT", f"/calls/{call.sid}/choice", {"contact_id": "c1"})
    live.eventually(lambda: live.crm.asked.count("write_call_log") > 1, "the log's update")


def test_events_that_come_after_the_log_correct_it(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "wrap_up_limit", timedelta(seconds=0))
    live.twilio.misbehave("status", "hold", times=None)
    call = live.twilio.call_in(TARO, MAIN_LINE)
    live.twilio.answer(call.leg_to(SATO_PHONE))
    live.twilio.wait_for(lambda: call.status == "in-progress")
    call.hang_up()
    log = _log(live, call)
    assert (log.outcome, log.agent_name) == ("answered", ""), "who it was has not been told yet"
    live.twilio.forgive()
    live.twilio.release("reverse")
    live.eventually(lambda: live.crm.logs[call.sid].agent_name == "佐藤", "the corrected log")


def test_doubled_and_disordered_webhooks_make_no_second_call_card_or_log(live: Running) -> None:
    live.crm.add("c1", "山田 太郎", TARO)
    screen = live.screen()
    for kind, what in (("incoming", "twice"), ("result", "twice_with_token"), ("status", "twice")):
        live.twilio.misbehave(kind, what, times=None)  # type: ignore[arg-type]
    call = live.twilio.call_in(TARO, MAIN_LINE)
    screen.card(call.sid, stage=3)
    _talk(live, screen, call)
    live.twilio.wait_until_delivered()
    screen.api("POST", f"/calls/{call.sid}/completion", {})
    screen.wait_for(lambda: screen.calls[call.sid]["log"]["state"] == "delivered")
    assert list(screen.calls) == [call.sid]
    assert live.crm.asked.count("write_call_log") == 1
    assert live.crm.asked.count("find_contacts") == 1
    assert len(call.legs) == 2, "each agent's telephone rang once"


# ── click to dial ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_click_rings_the_agent_then_the_customer_and_the_log_lands_on_that_record(live: Running) -> None:
    for contact_id, name in (("c1", "受付"), ("c2", "山田 太郎")):
        live.crm.add(contact_id, name, "03-1234-5678")
    screen = live.screen()
    call = _dial(live, screen, "03-1234-5678", record_id="c2")
    card = screen.card(call.sid, phase="ringing", direction="outbound", stage=3)
    assert card["caller"]["number"] == SWITCHBOARD
    assert (call.leg.to, call.leg.from_) == (SATO_PHONE, MAIN_LINE)
    screen.wait_for(lambda: (screen.calls[call.sid]["choice"] or {}).get("how") == "picked", "the record dialled from")

    live.twilio.answer(call.leg)
    customers = call.leg_to(SWITCHBOARD)
    assert customers.from_ == MAIN_LINE, "the customer sees the line, not the agent's own number"
    live.twilio.answer(customers)
    screen.card(call.sid, phase="talking")
    assert screen.agent["presence"] == "on_call"
    live.twilio.hang_up(customers)
    screen.card(call.sid, phase="wrapping_up", outcome="answered")
    screen.api("POST", f"/calls/{call.sid}/completion", {"note": "納期を回答", "disposition": "resolved"})
    log = _log(live, call)
    assert log.contact is not None
    assert (log.direction, log.contact.id, log.agent_name, log.party) == ("outbound", "c2", "佐藤", SWITCHBOARD)
    assert live.crm.asked.count("find_contacts") == 1
    assert live.twilio.problems == []


@pytest.mark.parametrize(("end", "outcome"), [("busy", "busy"), ("ring_out", "no_answer"), ("fail", "failed")])
def test_a_customer_who_cannot_be_reached_is_told_to_the_agent_and_the_log(
    live: Running, monkeypatch: pytest.MonkeyPatch, end: str, outcome: str
) -> None:
    monkeypatch.setattr(Settings, "wrap_up_limit", timedelta(seconds=0.1))
    screen = live.screen()
    call = _dial(live, screen, TARO)
    live.twilio.answer(call.leg)
    getattr(live.twilio, end)(call.leg_to(TARO))
    screen.card(call.sid, outcome=outcome)
    live.twilio.wait_for(lambda: call.said)
    assert call.said == ["おつなぎできませんでした。"]
    assert _log(live, call).outcome == outcome


def test_an_agent_who_does_not_pick_up_their_own_telephone_has_canceled(live: Running) -> None:
    screen = live.screen()
    call = _dial(live, screen, TARO)
    live.twilio.ring_out(call.leg)
    screen.card(call.sid, outcome="canceled")
    assert call.legs == [], "the customer never rang"
    screen.wait_for(lambda: screen.agent["presence"] == "available")


# ── several agents ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_that_a_colleague_takes_is_shown_as_elsewhere_and_cannot_be_changed(live: Running) -> None:
    sato, suzuki = live.screen(live.sato), live.screen(live.suzuki)
    call = live.twilio.call_in(TARO, MAIN_LINE)
    sato.card(call.sid, phase="ringing")
    suzuki.card(call.sid, phase="ringing")
    live.twilio.answer(call.leg_to(SUZUKI_PHONE))
    assert suzuki.card(call.sid, phase="talking")["agent"]["name"] == "鈴木"
    assert sato.card(call.sid, phase="elsewhere")["agent"]["name"] == "鈴木"
    refused = sato.api("PUT", f"/calls/{call.sid}/draft", {"note": "横取り"})
    assert (refused.status_code, refused.json()["code"]) == (403, "call_of_another_agent")
    assert suzuki.calls[call.sid]["draft"]["note"] == ""


def test_an_agent_sees_only_the_calls_that_ring_them(live: Running) -> None:
    sato, suzuki = live.screen(live.sato), live.screen(live.suzuki)
    english = live.twilio.call_in(HANAKO, ENGLISH_LINE)
    sato.card(english.sid, phase="ringing", stage=2)
    english.hang_up()
    sato.wait_for(lambda: [m["key"] for m in sato.missed] == [HANAKO])
    main = live.twilio.call_in(TARO, MAIN_LINE)
    suzuki.card(main.sid, phase="ringing", stage=2)
    assert list(suzuki.calls) == [main.sid]
    assert suzuki.missed == [], "nor the missed calls of a line that is not theirs"
    assert suzuki.api("GET", f"/calls/{english.sid}").status_code == 403


def test_presence_follows_the_call(live: Running) -> None:
    screen = live.screen()
    assert screen.agent["presence"] == "available"
    call = live.twilio.call_in(TARO, MAIN_LINE)
    live.twilio.answer(call.leg_to(SATO_PHONE))
    screen.wait_for(lambda: screen.agent["presence"] == "on_call", "on a call")
    call.hang_up()
    screen.wait_for(lambda: screen.agent["presence"] == "wrapping_up", "wrapping up")
    screen.api("POST", f"/calls/{call.sid}/completion", {})
    screen.wait_for(lambda: screen.agent["presence"] == "available", "available")
    screen.api("PUT", "/presence", {"presence": "away"})
    screen.wait_for(lambda: screen.agent["presence"] == "away", "away")
    other = live.twilio.call_in(HANAKO, MAIN_LINE)
    other.leg_to(SUZUKI_PHONE)
    assert len(other.legs) == 1, "who is away does not ring"


def test_an_agent_who_finishes_the_note_while_talking_still_is_on_the_call(live: Running) -> None:
    screen = live.screen()
    call = live.twilio.call_in(TARO, MAIN_LINE)
    live.twilio.answer(call.leg_to(SATO_PHONE))
    screen.card(call.sid, phase="talking")
    screen.api("POST", f"/calls/{call.sid}/completion", {"note": "先に記入"})
    screen.card(call.sid, phase="completed")
    other = live.twilio.call_in(HANAKO, MAIN_LINE)
    other.leg_to(SUZUKI_PHONE)
    assert [leg.to for leg in other.legs] == [SUZUKI_PHONE]
    assert screen.agent["presence"] == "on_call"
    call.hang_up()
    screen.wait_for(lambda: screen.agent["presence"] == "available", "available, the note being done")


def test_completing_a_call_that_still_rings_is_refused(live: Running) -> None:
    screen = live.screen()
    call = live.twilio.call_in(TARO, MAIN_LINE)
    screen.card(call.sid, phase="ringing")
    refused = screen.api("POST", f"/calls/{call.sid}/completion", {"note": "早すぎる"})
    assert (refused.status_code, refused.json()["code"]) == (409, "call_still_ringing")
    assert screen.api("GET", f"/calls/{call.sid}").json()["draft"]["note"] == ""


def _talk(live: Running, screen: Screen, call: SimulatedCall) -> None:
    """Sato takes the call, and it ends."""
    live.twilio.answer(call.leg_to(SATO_PHONE))
    screen.card(call.sid, phase="talking")
    call.hang_up()
    screen.card(call.sid, phase="wrapping_up")


def _log(live: Running, call: SimulatedCall) -> CallLog:
    """The call's log in the CRM, waited for."""
    live.eventually(lambda: call.sid in live.crm.logs, "the log")
    return live.crm.logs[call.sid]


def _dial(live: Running, screen: Screen, number: str, **more: object) -> SimulatedCall:
    """Sato clicks on a number; their own telephone rings."""
    answer = screen.api("POST", "/calls", {"number": number, **more})
    assert answer.status_code == 201, answer.text
    call = live.twilio.call(answer.json()["call_id"])
    return call.wait_for_status("ringing")
