"""TwiML: what is understood, what is refused and with which of Twilio's codes."""

from __future__ import annotations

import pytest
from twilio.twiml.voice_response import Dial, VoiceResponse

from cti_bridge.simulator import ManualClock, Simulator
from cti_bridge.simulator.twiml import TwimlError, parse, read

from .conftest import LINE, TARO, Bridge, Received, agent, ring

MANY = "".join(f"<Client>agent_{n}</Client>" for n in range(11))


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        ("<Response><Say>unclosed</Response>", "text/xml", 12100),
        ("", "text/xml", 12100),
        ("\n<?xml version='1.0'?><Response/>", "text/xml", 12100),
        ("<Response><Say>bad \x0b character</Say></Response>", "text/xml", 12100),
        ("<!DOCTYPE r [<!ENTITY a 'b'>]><Response/>", "text/xml", 12100),
        ("<response/>", "text/xml", 12102),
        ("<Response>" + " " * 65536 + "</Response>", "text/xml", 11750),
        ("<Response/>", "application/json", 12300),
        ("<Response/>", "", 12300),
    ],
)
def test_a_document_that_cannot_be_used_is_refused(body: str, content_type: str, code: int) -> None:
    with pytest.raises(TwimlError) as refused:
        read(body.encode(), content_type)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("<Dail/>", 12200),
        ("<say>wrong case</say>", 12200),
        ("<Say colour='red'>x</Say>", 12200),
        ("<Number>+819012345678</Number>", 12200),
        ("<Dial><Client statusCallbackEvent=\"['initiated', 'ringing']\">a</Client></Dial>", 12200),
        ("<Dial><Client statusCallbackEvent='initiated,ringing'>a</Client></Dial>", 12200),
        ("<Dial statusCallbackEvent='initiated'><Client>a</Client></Dial>", 12200),
        ("<Dial><Client/></Dial>", 12200),
        ("<Dial><Client><Identity></Identity></Client></Dial>", 12200),
        ("<Dial><Client><Identity>a</Identity><Parameter value='1'/></Client></Dial>", 12200),
        (f"<Dial>{MANY}</Dial>", 12200),
        ("<Dial/>", 13223),
        ("<Dial timeout='soon'><Client>a</Client></Dial>", 13212),
        ("<Dial method='PUT'><Client>a</Client></Dial>", 13210),
        ("<Dial timeLimit='-1'><Client>a</Client></Dial>", 13216),
        ("<Dial answerOnBridge='True'><Client>a</Client></Dial>", 12200),
        ("<Dial record='yes'><Client>a</Client></Dial>", 12200),
        ("<Say voice='Kazuha'>x</Say>", 13512),
        ("<Say language='日本語'>x</Say>", 13511),
        ("<Say></Say>", 13520),
        ("<Reject reason='tired'/>", 12200),
        ("<Redirect></Redirect>", 12200),
    ],
)
def test_what_twilio_warns_of_is_found(inside: str, code: int) -> None:
    document = parse(f"<Response>{inside}</Response>")
    assert [found for found, _ in document.warnings] == [code]


def test_what_the_twiml_builder_writes_passes() -> None:
    response = VoiceResponse()
    dial = Dial(action="/r", timeout=20, answer_on_bridge=True, record="record-from-answer-dual", ring_tone="jp")
    client = dial.client(status_callback="/s", status_callback_event="initiated ringing answered completed")
    client.identity("agent_3")
    client.parameter(name="call", value="CA1")
    dial.number("+819012345678", status_callback="/s", status_callback_event="completed")
    response.append(dial)
    response.say("少々お待ちください", voice="Google.ja-JP-Neural2-B", language="ja-JP", loop=2)
    response.pause(length=1)
    response.hangup()
    document = parse(str(response))
    assert document.warnings == []
    assert [verb.name for verb in document.verbs] == ["Dial", "Say", "Pause", "Hangup"]


def test_twiml_given_over_rest_needs_absolute_urls() -> None:
    relative = "<Response><Dial action='/result'><Client>a</Client></Dial></Response>"
    assert parse(relative).warnings == []
    with pytest.raises(TwimlError) as refused:
        parse(relative, absolute_urls=True)
    assert refused.value.code == 15004


def test_plain_text_is_read_aloud_and_audio_played() -> None:
    assert read("もしもし".encode(), "text/plain; charset=utf-8").verbs[0].text == "もしもし"
    assert read(b"RIFF", "audio/wav").verbs[0].name == "Play"


def test_a_call_whose_twiml_fails_ends_with_an_apology(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = "<Response><Say>half"
    call = twilio.call_in(TARO, LINE).wait_until_over()
    assert [(heard.what, heard.text) for heard in call.heard] == [
        ("error", "We are sorry, an application error has occurred. Goodbye.")
    ]
    assert (call.status, twilio.problems[0].code, twilio.problems[0].call_sid) == ("completed", 12100, call.sid)


def test_a_mistake_ends_the_call_when_strict_and_only_warns_when_not(bridge: Bridge) -> None:
    bridge.replies["/incoming"] = "<Response><Say colour='red'>hello</Say><Nonsense/></Response>"
    for strict, said in ((True, []), (False, ["hello"])):
        with Simulator({LINE: bridge.url + "/incoming"}, strict=strict) as twilio:
            assert twilio.call_in(TARO, LINE).wait_until_over().said == said
            assert twilio.problems[0].code == 12200
            assert twilio.problems[0].level == ("error" if strict else "warning")


def test_a_verb_the_simulator_cannot_play_says_so(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = "<Response><Dial><Conference>room</Conference></Dial></Response>"
    twilio.call_in(TARO, LINE).wait_until_over()
    assert "does not play <Conference>" in twilio.problems[0].message


def test_pause_waits_and_redirect_goes_elsewhere(twilio: Simulator, bridge: Bridge, clock: ManualClock) -> None:
    bridge.replies["/incoming"] = "<Response><Pause length='5'/><Redirect method='GET'>there?a=1</Redirect></Response>"
    bridge.replies["/there"] = "<Response><Play>https://example.com/hold.mp3</Play></Response>"
    call = twilio.call_in(TARO, LINE)
    clock.wait_for_timer()
    assert bridge.at("/there") == []
    clock.advance(5)
    call.wait_until_over()
    (got,) = bridge.at("/there")
    assert (got.method, got.query["a"], got["CallSid"]) == ("GET", "1", call.sid)
    assert [heard.what for heard in call.heard] == ["play"]


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "no-answer")])
def test_reject_ends_the_call_unanswered(twilio: Simulator, bridge: Bridge, reason: str, status: str) -> None:
    bridge.replies["/incoming"] = f"<Response><Reject reason='{reason}'/></Response>"
    assert twilio.call_in(TARO, LINE).wait_until_over().status == status


def test_gather_asks_its_action_with_the_keys(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = (
        "<Response><Gather action='/menu' finishOnKey='#'><Say>1 or 2</Say></Gather><Say>nothing</Say></Response>"
    )
    bridge.replies["/menu"] = lambda got: f"<Response><Say>you pressed {got['Digits']}</Say></Response>"
    call = twilio.call_in(TARO, LINE)
    twilio.wait_for(lambda: call.said)
    twilio.press(call.sid, "12#")
    assert call.wait_until_over().said == ["1 or 2", "you pressed 12"]
    assert bridge.at("/menu")[0]["msg"] == "Gather End"


def test_gather_understands_speech(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = (
        "<Response><Gather input='dtmf speech' language='ja-JP' action='/menu'><Say>どうぞ</Say></Gather></Response>"
    )
    bridge.replies["/menu"] = "<Response/>"
    call = twilio.call_in(TARO, LINE)
    twilio.wait_for(lambda: call.said)
    twilio.speak(call.sid, "予約したい")
    call.wait_until_over()
    assert bridge.at("/menu")[0]["SpeechResult"] == "予約したい"


def test_gather_without_input_goes_on_with_the_document(twilio: Simulator, bridge: Bridge, clock: ManualClock) -> None:
    bridge.replies["/incoming"] = "<Response><Gather timeout='5' action='/menu'/><Say>nothing</Say></Response>"
    call = twilio.call_in(TARO, LINE).wait_for_status("in-progress")
    clock.wait_for_timer()
    clock.advance(5)
    assert call.wait_until_over().said == ["nothing"]
    assert bridge.at("/menu") == []


def test_record_tells_its_action_and_its_callback(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = "<Response><Record action='/left' recordingStatusCallback='/recording'/></Response>"
    bridge.replies["/left"] = "<Response><Say>thanks</Say></Response>"
    bridge.replies["/recording"] = ("", 204)
    call = twilio.call_in(TARO, LINE).wait_for_status("in-progress")
    twilio.finish_recording(call.sid, seconds=12, key="1")
    assert call.wait_until_over().said == ["thanks"]
    (left,), (told,) = bridge.at("/left"), bridge.at("/recording")
    assert (left["RecordingDuration"], left["Digits"]) == ("12", "1")
    assert (told["RecordingSource"], told["RecordingSid"]) == ("RecordVerb", left["RecordingSid"])


def test_hanging_up_while_recording_tells_the_action_hangup(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = "<Response><Record action='/left'/></Response>"
    bridge.replies["/left"] = "<Response/>"
    call = twilio.call_in(TARO, LINE).wait_for_status("in-progress")
    call.hang_up()
    call.wait_until_over()
    assert bridge.at("/left")[0]["Digits"] == "hangup"
    assert bridge.at("/left")[0]["CallStatus"] == "completed"


def test_a_softphone_calls_through_its_application(bridge: Bridge) -> None:
    def outgoing(got: Received) -> str:
        return ring(f"<Number>{got['To']}</Number>", callerId=LINE)

    bridge.replies["/outgoing"] = outgoing
    sid = "AP" + "1" * 32
    with Simulator({LINE: ""}, applications={sid: bridge.url + "/outgoing"}) as twilio:
        call = twilio.call_from_client("agent_3", sid, {"To": TARO, "crm": "山田"})
        leg = call.leg_to(TARO)
        assert leg.from_ == LINE
        got = bridge.at("/outgoing")[0]
        assert (got["From"], got["ApplicationSid"], got["crm"]) == ("client:agent_3", sid, "山田")
        call.hang_up()
        call.wait_until_over()
        assert twilio.problems == []


def test_a_client_cannot_call_a_phone_without_a_caller_id(bridge: Bridge) -> None:
    bridge.replies["/outgoing"] = ring(f"<Number>{TARO}</Number>")
    sid = "AP" + "1" * 32
    with Simulator({LINE: ""}, applications={sid: bridge.url + "/outgoing"}) as twilio:
        twilio.call_from_client("agent_3", sid).wait_until_over()
        assert [problem.code for problem in twilio.problems] == [13214]


def test_every_thread_of_a_closed_simulator_is_gone(bridge: Bridge) -> None:
    import threading

    before = threading.active_count()
    bridge.replies["/incoming"] = ring(agent("agent_3"))
    with Simulator({LINE: bridge.url + "/incoming"}) as twilio:
        twilio.call_in(TARO, LINE).leg_to("client:agent_3")
        twilio.wait_until_delivered()
    alive = [thread.name for thread in threading.enumerate() if thread.name.startswith("simulator")]
    assert alive == []
    assert threading.active_count() <= before + 2  # connections of the bridge that are about to close
