"""How a call in goes: who rings, who gets it, what the webhooks tell, what the caller hears."""

from __future__ import annotations

import threading

import pytest

from cti_bridge.simulator import ManualClock, NotPossible, Simulator

from .conftest import HANAKO, LINE, TARO, Bridge, agent, phone, ring

SORRY = '<Response><Say language="ja-JP" voice="Polly.Kazuha-Neural">申し訳ございません</Say><Hangup/></Response>'
EMPTY = "<Response/>"


def test_the_first_to_answer_gets_the_call_and_the_others_stop_ringing(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(
        agent("agent_3"), phone(HANAKO), action="/result", timeout="20", answerOnBridge="true"
    )
    bridge.replies["/result"] = EMPTY
    call = twilio.call_in(TARO, LINE)
    client, number = call.leg_to("client:agent_3"), call.leg_to(HANAKO)
    assert (call.status, client.status, number.status) == ("ringing", "ringing", "ringing")

    twilio.answer(client)
    assert (call.status, client.status, number.status) == ("in-progress", "in-progress", "canceled")

    call.hang_up()
    call.wait_until_over()
    assert bridge.statuses(client.sid) == ["initiated", "ringing", "in-progress", "completed"]
    assert bridge.statuses(number.sid) == ["initiated", "ringing", "canceled"]
    assert twilio.problems == []


def test_two_who_answer_at_once_cannot_both_get_the_call(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(*(agent(f"agent_{n}") for n in range(8)), answerOnBridge="true")
    call = twilio.call_in(TARO, LINE)
    legs = [call.leg_to(f"client:agent_{n}") for n in range(8)]
    barrier, refused = threading.Barrier(8), []

    def pick_up(sid: str) -> None:
        barrier.wait()
        try:
            twilio.answer(sid)
        except NotPossible:
            refused.append(sid)

    threads = [threading.Thread(target=pick_up, args=(leg.sid,)) for leg in legs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    assert len(twilio.legs(status="in-progress", direction="outbound-dial")) == 1


def test_the_action_hears_how_the_dial_ended_and_its_answer_is_played(
    twilio: Simulator, bridge: Bridge, clock: ManualClock
) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"), action="/result?step=1", answerOnBridge="true")
    bridge.replies["/result"] = SORRY
    call = twilio.call_in(TARO, LINE)
    client = call.leg_to("client:agent_3")
    twilio.answer(client)
    clock.advance(42)
    twilio.hang_up(client)
    call.wait_until_over()

    (result,) = bridge.at("/result")
    assert result["DialCallStatus"] == "completed"
    assert result["DialCallSid"] == client.sid
    assert result["DialCallDuration"] == "42"
    assert result["DialBridged"] == "true"
    assert result["CallSid"] == call.sid
    assert result["CallStatus"] == "in-progress"
    assert result.query["step"] == "1"
    assert call.said == ["申し訳ございません"]
    assert (call.heard[0].language, call.heard[0].voice) == ("ja-JP", "Polly.Kazuha-Neural")
    assert call.status == "completed"


@pytest.mark.parametrize(
    ("behaviour", "status", "sip"),
    [("busy", "busy", "486"), ("unreachable", "failed", "404"), ("no-answer", "no-answer", "487")],
)
def test_nobody_gets_the_call(
    twilio: Simulator, bridge: Bridge, clock: ManualClock, behaviour: str, status: str, sip: str
) -> None:
    bridge.replies["/incoming"] = ring(phone(HANAKO), action="/result", timeout="20", answerOnBridge="true")
    bridge.replies["/result"] = EMPTY
    twilio.behave(HANAKO, behaviour)  # type: ignore[arg-type]
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to(HANAKO)
    if behaviour == "no-answer":
        clock.advance(20)
    call.wait_until_over()

    (result,) = bridge.at("/result")
    assert result["DialCallStatus"] == status
    assert result["DialBridged"] == "false"
    assert result.get("DialCallDuration") is None
    last = bridge.at("/status")[-1]
    assert (last["CallStatus"], last["SipResponseCode"], last["CallDuration"]) == (status, sip, "0")
    assert leg.status == status
    assert call.status == status  # the caller was never answered


def test_a_ring_lasts_as_long_as_its_timeout(twilio: Simulator, bridge: Bridge, clock: ManualClock) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"), timeout="20")
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to("client:agent_3")
    clock.advance(19.9)
    assert leg.status == "ringing"
    clock.advance(0.2)
    assert leg.status == "no-answer"


def test_with_an_action_the_verbs_after_dial_do_not_run(twilio: Simulator, bridge: Bridge) -> None:
    dial = ring(agent("agent_3"), action="/result").removesuffix("</Response>")
    bridge.replies["/incoming"] = dial + "<Say>never</Say></Response>"
    bridge.replies["/result"] = EMPTY
    call = twilio.call_in(TARO, LINE)
    twilio.busy(call.leg_to("client:agent_3"))
    call.wait_until_over()
    assert call.said == []


def test_without_an_action_the_document_goes_on(twilio: Simulator, bridge: Bridge) -> None:
    dial = ring(agent("agent_3")).removesuffix("</Response>")
    bridge.replies["/incoming"] = dial + "<Say>goodbye</Say></Response>"
    call = twilio.call_in(TARO, LINE)
    twilio.busy(call.leg_to("client:agent_3"))
    call.wait_until_over()
    assert call.said == ["goodbye"]


def test_without_answer_on_bridge_the_caller_is_answered_at_once(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"))
    call = twilio.call_in(TARO, LINE)
    call.leg_to("client:agent_3")
    assert call.status == "in-progress"


def test_a_caller_who_gives_up_cancels_the_ringing_and_the_action_is_told(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"), action="/result", answerOnBridge="true")
    bridge.replies["/result"] = SORRY
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to("client:agent_3")
    call.hang_up()
    call.wait_until_over()
    assert (call.status, leg.status) == ("no-answer", "canceled")
    assert bridge.at("/result")[0]["DialCallStatus"] == "canceled"
    assert bridge.at("/result")[0]["CallStatus"] == "no-answer"
    assert call.said == []


def test_only_the_events_asked_for_are_sent_and_completed_is_the_default(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(
        '<Client statusCallback="/status">agent_1</Client>', agent("agent_2", events="answered")
    )
    call = twilio.call_in(TARO, LINE)
    first, second = call.leg_to("client:agent_1"), call.leg_to("client:agent_2")
    twilio.answer(second)
    call.hang_up()
    call.wait_until_over()
    assert bridge.statuses(first.sid) == ["canceled"]
    assert bridge.statuses(second.sid) == ["in-progress"]
    assert [one["SequenceNumber"] for one in bridge.at("/status")] == ["0", "0"]


def test_a_whisper_is_played_before_the_two_are_connected(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3", url="/whisper"), answerOnBridge="true")
    bridge.replies["/whisper"] = '<Response><Gather numDigits="1" action="/accept"><Say>1?</Say></Gather></Response>'
    bridge.replies["/accept"] = EMPTY
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to("client:agent_3")
    twilio.answer(leg)
    twilio.wait_for(lambda: leg.heard)
    assert call.status == "ringing"
    twilio.press(leg, "1")
    call.wait_for_status("in-progress")
    assert bridge.at("/whisper")[0]["ParentCallSid"] == call.sid
    assert bridge.at("/accept")[0]["Digits"] == "1"


def test_who_hangs_up_in_the_whisper_does_not_get_the_call(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3", url="/whisper"), action="/result", answerOnBridge="true")
    bridge.replies["/whisper"] = "<Response><Hangup/></Response>"
    bridge.replies["/result"] = EMPTY
    call = twilio.call_in(TARO, LINE)
    twilio.answer(call.leg_to("client:agent_3"))
    call.wait_until_over()
    assert bridge.at("/result")[0]["DialBridged"] == "false"


def test_parameters_of_a_client_go_to_the_softphone_and_not_to_the_webhook(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(
        '<Client statusCallback="/status" statusCallbackEvent="initiated"><Identity>agent_3</Identity>'
        '<Parameter name="call" value="山田"/></Client>'
    )
    call = twilio.call_in(TARO, LINE)
    assert call.leg_to("client:agent_3").custom == {"call": "山田"}
    assert bridge.wait_for("/status")[0].get("call") is None


@pytest.mark.parametrize(
    ("noun", "attributes", "code"),
    [
        ("<Number>09012345678</Number>", {}, 13223),
        ("<Number>+81</Number>", {}, 13224),
        (f"<Number>{HANAKO}</Number>", {"callerId": "+819055556666"}, 13214),
    ],
)
def test_a_number_or_caller_id_that_cannot_be_used_fails_the_dial(
    twilio: Simulator, bridge: Bridge, noun: str, attributes: dict[str, str], code: int
) -> None:
    bridge.replies["/incoming"] = ring(noun, action="/result", **attributes)
    bridge.replies["/result"] = EMPTY
    twilio.call_in(TARO, LINE).wait_until_over()
    assert [problem.code for problem in twilio.problems] == [code]
    assert bridge.at("/result")[0]["DialCallStatus"] == "failed"


def test_a_recorded_dial_tells_where_the_recording_is(twilio: Simulator, bridge: Bridge, clock: ManualClock) -> None:
    bridge.replies["/incoming"] = ring(
        agent("agent_3"),
        record="record-from-answer-dual",
        recordingStatusCallback="/recording",
        recordingStatusCallbackEvent="in-progress completed",
        action="/result",
    )
    bridge.replies["/result"] = EMPTY
    bridge.replies["/recording"] = ("", 204)
    call = twilio.call_in(TARO, LINE)
    twilio.answer(call.leg_to("client:agent_3"))
    clock.advance(7)
    call.hang_up()
    call.wait_until_over()
    started, completed = bridge.at("/recording")
    assert (started["RecordingStatus"], completed["RecordingStatus"]) == ("in-progress", "completed")
    assert completed["CallSid"] == call.sid
    assert (completed["RecordingDuration"], completed["RecordingChannels"]) == ("7", "2")
    assert completed["RecordingSource"] == "DialVerb"
    assert completed["RecordingStartTime"] == "Fri, 20 Nov 2026 01:00:00 +0000"
    assert bridge.at("/result")[0]["RecordingUrl"] == completed["RecordingUrl"]


def test_a_time_limit_ends_the_talk(twilio: Simulator, bridge: Bridge, clock: ManualClock) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"), timeLimit="60")
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to("client:agent_3")
    twilio.answer(leg)
    clock.advance(60)
    assert leg.status == "completed"


def test_sequential_nouns_ring_one_after_the_other(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_1"), agent("agent_2"), sequential="true")
    call = twilio.call_in(TARO, LINE)
    first = call.leg_to("client:agent_1")
    assert [leg.to for leg in call.legs] == ["client:agent_1"]
    twilio.busy(first)
    assert call.leg_to("client:agent_2").status == "ringing"


def test_parties_can_answer_and_hang_up_by_themselves(twilio: Simulator, bridge: Bridge, clock: ManualClock) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"))
    twilio.behave("client:agent_3", "answer", after=3, hang_up_after=10)
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to("client:agent_3")
    clock.advance(2.9)
    assert leg.status == "ringing"
    clock.advance(0.2)
    assert leg.status == "in-progress"
    clock.advance(10)
    assert leg.status == "completed"
    assert leg.seconds() == 10


def test_what_does_not_fit_the_state_is_refused_and_changes_nothing(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"), answerOnBridge="true")
    call = twilio.call_in(TARO, LINE)
    call.leg_to("client:agent_3")
    for attempt in (
        lambda: twilio.answer(call.sid),
        lambda: twilio.busy(call.sid),
        lambda: twilio.press(call.sid, "1"),
        lambda: twilio.answer("CA-unknown"),
        lambda: twilio.call_in(TARO, HANAKO),
    ):
        with pytest.raises(NotPossible):
            attempt()
    assert call.status == "ringing"


def test_the_others_ring_on_until_the_whisper_is_over(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_1", url="/whisper"), agent("agent_2"), answerOnBridge="true")
    bridge.replies["/whisper"] = "<Response><Pause length='5'/></Response>"
    call = twilio.call_in(TARO, LINE)
    first, second = call.leg_to("client:agent_1"), call.leg_to("client:agent_2")
    twilio.answer(first)
    bridge.wait_for("/whisper")
    assert second.status == "ringing"
    twilio.answer(second)
    assert (call.status, first.status, second.status) == ("in-progress", "completed", "in-progress")


def test_a_whisper_must_not_dial(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_1", url="/whisper"))
    bridge.replies["/whisper"] = ring(agent("agent_2"))
    call = twilio.call_in(TARO, LINE)
    twilio.answer(call.leg_to("client:agent_1"))
    call.wait_until_over()
    assert [problem.code for problem in twilio.problems] == [13201]


def test_the_caller_can_leave_with_the_star_key(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"), hangupOnStar="true", action="/result")
    bridge.replies["/result"] = "<Response><Say>still here</Say></Response>"
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to("client:agent_3")
    twilio.answer(leg)
    twilio.press(call.sid, "*")
    assert call.wait_until_over().said == ["still here"]
    assert leg.status == "completed"


def test_a_recording_can_begin_with_the_ringing(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"), record="record-from-ringing", action="/result")
    bridge.replies["/result"] = EMPTY
    call = twilio.call_in(TARO, LINE)
    twilio.busy(call.leg_to("client:agent_3"))
    call.wait_until_over()
    assert "/Recordings/RE" in bridge.at("/result")[0]["RecordingUrl"]


def test_a_caller_who_hangs_up_before_the_webhook_answers_is_not_dialled_on(twilio: Simulator, bridge: Bridge) -> None:
    let_go = threading.Event()

    def slow(_: object) -> str:
        assert let_go.wait(5)
        return ring(agent("agent_3"))

    bridge.replies["/incoming"] = slow
    call = twilio.call_in(TARO, LINE)
    bridge.wait_for("/incoming")
    call.hang_up()
    let_go.set()
    assert call.wait_until_over().status == "no-answer"
    assert call.legs == []
