"""Calls that ring, are taken, missed and told twice: the running bridge with the simulated network, on both databases."""

from __future__ import annotations

import pytest

from cti_bridge.model import CallerKind, Direction, LegStatus, Message, Outcome
from cti_bridge.simulator.twiml import parse
from cti_bridge.store.calls import LookupState
from cti_bridge.twilio.twiml import SENTENCES
from tests.running import ENGLISH_LINE, MAIN_LINE, SATO_PHONE, SUZUKI_PHONE
from tests.twilio.conftest import CALL, CHILD, TARO, House, at_once

BOTH = {SATO_PHONE, SUZUKI_PHONE}


def words(message: Message, language: str) -> str:
    return SENTENCES[message]["ja" if language == "ja" else "en"]


# ── who rings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_both_agents_ring_the_first_answer_wins_and_the_other_stops_ringing(live: House) -> None:
    call = live.twilio.call_in(TARO, MAIN_LINE)
    assert live.rung(call) == BOTH
    live.twilio.answer(call.leg_to(SUZUKI_PHONE))
    live.twilio.wait_for(lambda: call.leg_to(SATO_PHONE).status == "canceled")
    call.wait_for_status("in-progress").hang_up()
    call.wait_until_over()
    record = live.until(call.sid, ended=True)
    assert (record.call.outcome, record.call.agent_id) == (Outcome.ANSWERED, live.suzuki.id)
    assert record.call.rung == {live.sato.id, live.suzuki.id}
    assert live.twilio.problems == []


def test_an_agent_who_is_away_is_not_rung(live: House) -> None:
    live.change(live.sato.id, away=True)
    assert live.rung(live.twilio.call_in(TARO, MAIN_LINE)) == {SUZUKI_PHONE}


def test_an_agent_who_has_left_is_not_rung(live: House) -> None:
    live.change(live.suzuki.id, active=False)
    assert live.rung(live.twilio.call_in(TARO, MAIN_LINE)) == {SATO_PHONE}


def test_an_agent_on_a_call_is_not_rung_nor_while_wrapping_up_but_again_when_done(live: House) -> None:
    first = live.twilio.call_in(TARO, MAIN_LINE)
    live.twilio.answer(first.leg_to(SATO_PHONE))
    live.until(first.sid, agent_id=live.sato.id)

    second = live.twilio.call_in("+819000000002", MAIN_LINE)
    assert live.rung(second) == {SUZUKI_PHONE}, "Sato talks"
    second.hang_up()

    first.hang_up()
    live.until(first.sid, ended=True)
    third = live.twilio.call_in("+819000000003", MAIN_LINE)
    assert live.rung(third) == {SUZUKI_PHONE}, "Sato wraps up"
    third.hang_up()

    live.bridge.calls.complete(live.sato, first.sid, "済", None)
    assert live.rung(live.twilio.call_in("+819000000004", MAIN_LINE)) == BOTH
    assert live.twilio.problems == []


def test_a_line_rings_only_its_own_agents(live: House) -> None:
    assert live.rung(live.twilio.call_in(TARO, ENGLISH_LINE)) == {SATO_PHONE}


# ── nobody takes the call ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("line", "language"), [(MAIN_LINE, "ja"), (ENGLISH_LINE, "en")])
def test_with_nobody_free_the_caller_hears_so_in_the_line_s_language(live: House, line: str, language: str) -> None:
    live.change(live.sato.id, away=True)
    live.change(live.suzuki.id, away=True)
    call = live.twilio.call_in(TARO, line).wait_until_over()
    assert call.said == [words(Message.NOBODY_FREE, language)]
    assert call.legs == []
    assert call.status == "completed"
    assert live.until(call.sid, ended=True).call.outcome is Outcome.MISSED
    assert live.twilio.problems == []


@pytest.mark.parametrize(("line", "language"), [(MAIN_LINE, "ja"), (ENGLISH_LINE, "en")])
@pytest.mark.parametrize("behaviour", ["busy", "no-answer", "unreachable"])
def test_when_no_agent_answers_the_caller_hears_so(live: House, line: str, language: str, behaviour: str) -> None:
    call = live.twilio.call_in(TARO, line)
    end = {"busy": live.twilio.busy, "no-answer": live.twilio.ring_out, "unreachable": live.twilio.fail}[behaviour]
    live.rung(call)
    for leg in call.legs:
        end(leg)
    call.wait_until_over()
    assert call.said == [words(Message.NOT_ANSWERED, language)]
    assert live.until(call.sid, ended=True).call.outcome is Outcome.MISSED
    assert live.twilio.problems == []


def test_a_caller_who_gives_up_while_it_rings_was_missed_and_the_agents_stop_ringing(live: House) -> None:
    call = live.twilio.call_in(TARO, MAIN_LINE)
    live.rung(call)
    call.hang_up()
    call.wait_until_over()
    assert {leg.status for leg in call.legs} == {"canceled"}
    record = live.until(call.sid, ended=True)
    assert (record.call.outcome, record.call.agent_id) == (Outcome.MISSED, None)
    assert call.said == []
    assert live.twilio.problems == []


def test_a_number_that_is_no_line_apologises_and_the_administrator_is_told(live: House) -> None:
    answer = live.post("voice/incoming", {"To": "+815099999999"})
    [say, hangup] = parse(answer.content).verbs
    assert (say.text, hangup.name) == (words(Message.APOLOGY, "ja"), "Hangup")


def test_a_sip_address_and_a_name_with_a_nul_do_not_break_the_call(live: House) -> None:
    """PostgreSQL knows no NUL, and a column of twenty characters no SIP address."""
    long = "sip:reception@yamada.sip.tokyo.twilio.com"
    answer = live.post("voice/incoming", {"To": long, "CallerName": "A\x00B", "From": "sip:\x00@x"})
    assert [verb.name for verb in parse(answer.content).verbs] == ["Say", "Hangup"]
    assert live.post("voice/status", {"To": long, "CallStatus": "completed", "X\x00": "\x00"}).status_code == 204
    assert len(live.events(CALL)) == 2
    assert live.events(CALL)[0].parameters["To"] == long


# ── who calls ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["keypad", "anonymous"])
def test_a_withheld_caller_is_put_through_and_never_looked_up(live: House, how: str) -> None:
    live.crm.add("c1", "匿名 太郎", "+266696687", "anonymous")
    call = live.twilio.call_in(TARO, MAIN_LINE, withheld="keypad" if how == "keypad" else "anonymous")
    live.twilio.answer(call.leg_to(SATO_PHONE))
    call.hang_up()
    call.wait_until_over()
    record = live.until(call.sid, ended=True)
    assert (record.caller.kind, record.lookup.state) == (CallerKind.WITHHELD, LookupState.SKIPPED)
    assert "find_contacts" not in live.crm.asked
    assert live.twilio.problems == []


def test_a_caller_who_cannot_be_read_is_put_through_and_never_looked_up(live: House) -> None:
    answer = live.post("voice/incoming", {"From": "sip:taro@example.co.jp"})
    assert [verb.name for verb in parse(answer.content).verbs] == ["Dial"]
    record = live.record(CALL)
    assert record is not None
    assert (record.caller.kind, record.lookup.state) == (CallerKind.UNREADABLE, LookupState.SKIPPED)
    assert live.crm.asked == []


def test_an_incoming_call_may_also_be_asked_about_by_get(live: House) -> None:
    answer = live.post("voice/incoming", method="GET")
    assert [verb.name for verb in parse(answer.content).verbs] == ["Dial"]
    assert live.until(CALL).call.party == TARO


# ── told twice, late and out of order ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("tokens", [("", ""), ("", "t1"), ("t1", "t1"), ("t1", "t2")])
def test_a_repetition_gets_the_first_answer_though_everybody_left_meanwhile(
    live: House, tokens: tuple[str, str]
) -> None:
    first = live.post("voice/incoming", token=tokens[0])
    live.change(live.sato.id, away=True)
    live.change(live.suzuki.id, away=True)
    second = live.post("voice/incoming", token=tokens[1])
    assert [verb.name for verb in parse(first.content).verbs] == ["Dial"]
    assert second.content == first.content
    assert second.headers["Content-Type"] == first.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert len(live.events(CALL)) == 1


def test_a_retry_is_known_by_its_token_even_if_it_looks_different(live: House) -> None:
    first = live.post("voice/result", {"DialCallStatus": "busy"}, query=f"?call={CALL}&step=1", token="t1")
    again = live.post("voice/result", {"DialCallStatus": "completed"}, query=f"?call={CALL}&step=2", token="t1")
    assert again.content == first.content
    assert len(live.events(CALL)) == 1


def test_a_webhook_and_its_repetition_at_the_same_moment_get_one_answer(live: House) -> None:
    answers: list[bytes] = []
    improvised = live.counted("incoming", "improvised")
    at_once(*[lambda: answers.append(live.post("voice/incoming").content)] * 4)
    assert len(answers) == 4
    assert len(set(answers)) == 1
    assert len(live.events(CALL)) == 1
    assert live.counted("incoming", "improvised") == improvised


def test_different_webhooks_of_one_new_call_at_the_same_moment_are_all_taken(live: House) -> None:
    troubled = live.counted("incoming", "improvised"), live.counted("status", "put_off")
    for sid in (f"CA{n:032}" for n in range(5)):
        statuses = [{"CallSid": sid, "CallStatus": "ringing", "SequenceNumber": str(n)} for n in range(3)]
        at_once(
            lambda sid=sid: live.post("voice/incoming", {"CallSid": sid}),
            *[lambda told=told: live.post("voice/status", told) for told in statuses],
        )
        assert len(live.events(sid)) == 4
    assert (live.counted("incoming", "improvised"), live.counted("status", "put_off")) == troubled


@pytest.mark.parametrize("what", ["twice", "twice_with_token", "lost_answer"])
def test_a_call_whose_every_webhook_comes_twice_is_one_call(live: House, what: str) -> None:
    live.crm.add("c1", "山田 太郎", "090-1234-5678")
    live.twilio.courier.misbehave(misbehaviour(what))
    call = live.twilio.call_in(TARO, MAIN_LINE)
    assert live.rung(call) == BOTH
    live.twilio.answer(call.leg_to(SATO_PHONE))
    live.until(call.sid, agent_id=live.sato.id)
    call.hang_up()
    call.wait_until_over()
    record = live.until(call.sid, ended=True)
    assert record.call.outcome is Outcome.ANSWERED
    keys = [row.key for row in live.events(call.sid)]
    assert len(keys) == len(set(keys))
    assert len(live.twilio.deliveries(call_sid=call.sid)) == 2 * len([k for k in keys if f":{call.sid}:" in k])
    assert live.crm.asked.count("find_contacts") == 1
    assert live.twilio.problems == []


def misbehaviour(what: str) -> object:
    from cti_bridge.simulator import Misbehaviour

    return Misbehaviour("any", what, times=None)  # type: ignore[arg-type]


def test_status_callbacks_may_come_before_the_call_itself(live: House) -> None:
    child = {"CallSid": CHILD, "ParentCallSid": CALL, "Direction": "outbound-dial", "To": SATO_PHONE}
    early = live.post(
        "voice/status",
        {**child, "CallStatus": "in-progress", "SequenceNumber": "2"},
        query=f"?call={CALL}&agent={live.sato.id}",
    )
    assert (early.status_code, early.content) == (204, b"")
    known = live.until(CALL)
    assert (known.call.direction, known.call.agent_id, known.caller.kind) == (None, live.sato.id, CallerKind.WITHHELD)

    live.post("voice/incoming")
    record = live.until(CALL, direction=Direction.INBOUND)
    assert (record.caller.number, record.call.line_number) == (TARO, MAIN_LINE)
    assert record.call.agent_id == live.sato.id
    live.running.eventually(lambda: live.crm.asked.count("find_contacts") == 1, "the lookup, late as it is")


@pytest.mark.parametrize("order", ["given", "reverse"])
def test_callbacks_that_come_after_the_end_in_any_order_tell_the_same_call(live: House, order: str) -> None:
    live.twilio.misbehave("status", "hold", times=None)
    call = live.twilio.call_in(TARO, MAIN_LINE)
    live.rung(call)
    live.twilio.answer(call.leg_to(SATO_PHONE))
    call.wait_for_status("in-progress").hang_up()
    call.wait_until_over()
    live.twilio.forgive()
    assert live.twilio.release("given" if order == "given" else "reverse") >= 7
    live.twilio.wait_until_delivered()
    record = live.until(call.sid, ended=True)
    assert (record.call.outcome, record.call.agent_id) == (Outcome.ANSWERED, live.sato.id)
    statuses = {leg.agent_id: leg.status for leg in record.call.far_legs}
    assert statuses == {live.sato.id: LegStatus.COMPLETED, live.suzuki.id: LegStatus.CANCELED}
    assert live.twilio.problems == []


def test_callbacks_that_never_come_leave_a_call_that_is_over_all_the_same(live: House) -> None:
    live.twilio.misbehave("status", "drop", times=None)
    call = live.twilio.call_in(TARO, MAIN_LINE)
    live.rung(call)
    for leg in call.legs:
        live.twilio.ring_out(leg)
    call.wait_until_over()
    assert live.until(call.sid, ended=True).call.outcome is Outcome.MISSED


def test_a_status_nobody_knows_and_parameters_nobody_knows_are_kept(live: House) -> None:
    told = {"CallStatus": "teleported", "SequenceNumber": "7", "NewParameter": "山田", "SipResponseCode": "299"}
    assert live.post("voice/status", told).status_code == 204
    [row] = live.events(CALL)
    assert told.items() <= row.parameters.items()


def test_a_parameter_that_comes_twice_is_kept_twice(live: House) -> None:
    answer = live.post("voice/status", method="GET", query="?Digits=1&Digits=2")
    assert answer.status_code == 204
    assert live.events(CALL)[0].parameters["Digits"] == ["1", "2"]


# ── recording ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_that_records_gets_its_recording_written_down(live: House) -> None:
    live.change_line(MAIN_LINE, record=True)
    call = live.twilio.call_in(TARO, MAIN_LINE)
    live.twilio.answer(call.leg_to(SATO_PHONE))
    call.wait_for_status("in-progress").hang_up()
    call.wait_until_over()
    live.running.eventually(lambda: live.events(call.sid, "recording"), "the recording's webhook")
    [row] = live.events(call.sid, "recording")
    assert row.parameters["RecordingChannels"] == "2"
    assert live.until(call.sid).call.recording_id == row.parameters["RecordingSid"]
    assert live.twilio.problems == []


def test_a_line_that_does_not_record_leaves_no_recording(live: House) -> None:
    call = live.twilio.call_in(TARO, MAIN_LINE)
    live.twilio.answer(call.leg_to(SATO_PHONE))
    call.wait_for_status("in-progress").hang_up()
    call.wait_until_over()
    assert live.until(call.sid, ended=True).call.recording_id is None
    assert live.twilio.deliveries("recording", call.sid) == []


# ── strangers ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_webhook_with_a_wrong_signature_is_refused_and_nothing_is_written(live: House) -> None:
    live.twilio.misbehave("incoming", "bad_signature")
    before = live.counted("incoming", "refused")
    call = live.twilio.call_in(TARO, MAIN_LINE).wait_until_over()
    assert [delivery.status for delivery in live.twilio.deliveries("incoming", call.sid)] == [403]
    assert live.counted("incoming", "refused") == before + 1
    assert live.events(call.sid, "incoming") == []
    assert [heard.what for heard in call.heard] == ["error"]
    assert "find_contacts" not in live.crm.asked


def test_a_signed_body_that_is_too_large_is_refused_before_it_is_read(live: House) -> None:
    assert live.post("voice/status", {"x": "x" * 60_000}).status_code == 204
    assert live.post("voice/status", {"CallSid": CHILD, "x": "x" * 70_000}).status_code == 403
    assert live.events(CHILD) == []


def test_a_door_that_is_not_there_is_not_found(live: House) -> None:
    assert live.post("voice/nothing").status_code == 404
