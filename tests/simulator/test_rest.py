"""The REST API, through Twilio's own unmodified client, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from cti_bridge.simulator import ManualClock, Simulator

from .conftest import EVENTS, HANAKO, LINE, SECOND_LINE, TARO, TOKEN, Bridge, phone, ring

API = "https://api.twilio.com"
EMPTY = "<Response/>"


class Loopback(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's client, with its host replaced."""

    def __init__(self, url: str) -> None:
        super().__init__(timeout=5)
        self.loopback = url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        assert url.startswith(API)
        return super().request(method, self.loopback + url.removeprefix(API), *args, **kwargs)


@pytest.fixture
def client(twilio: Simulator) -> Client:
    return Client(twilio.account_sid, TOKEN, http_client=Loopback(twilio.url), environment={"_": ""})


def post(twilio: Simulator, path: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    answer = requests.post(
        f"{twilio.url}/2010-04-01/Accounts/{twilio.account_sid}/{path}.json",
        data=fields,
        auth=(twilio.account_sid, TOKEN),
        timeout=5,
    )
    return answer.status_code, answer.json()


def test_click_to_dial_rings_the_agent_and_then_the_customer(
    twilio: Simulator, bridge: Bridge, client: Client, clock: ManualClock
) -> None:
    bridge.replies["/outgoing"] = ring(phone(TARO), callerId=LINE, action="/result")
    bridge.replies["/result"] = EMPTY
    bridge.replies["/root"] = ("", 204)
    created = client.calls.create(
        to=HANAKO,
        from_=LINE,
        url=bridge.url + "/outgoing?agent=3",
        status_callback=bridge.url + "/root?agent=3#rc=2",
        status_callback_event=EVENTS.split(),
    )
    assert (created.status, created.direction, created.to, created._from) == ("queued", "outbound-api", HANAKO, LINE)

    call = twilio.call(created.sid).wait_for_status("ringing")
    assert bridge.at("/outgoing") == []
    twilio.answer(created.sid)
    customer = call.leg_to(TARO)
    assert customer.from_ == LINE
    assert bridge.at("/outgoing")[0]["Direction"] == "outbound-api"
    assert bridge.at("/outgoing")[0]["CallStatus"] == "in-progress"

    clock.advance(3)
    twilio.answer(customer)
    clock.advance(30)
    twilio.hang_up(customer)
    call.wait_until_over()
    assert bridge.statuses(created.sid, "/root") == ["initiated", "ringing", "in-progress", "completed"]
    assert bridge.statuses(customer.sid) == ["initiated", "ringing", "in-progress", "completed"]
    assert bridge.at("/root")[-1]["CallDuration"] == "33"
    assert bridge.at("/status")[-1]["CallDuration"] == "30"
    fetched = client.calls(created.sid).fetch()
    assert (fetched.status, fetched.duration) == ("completed", "33")
    assert fetched.date_created == clock.now().replace(minute=0, second=0)
    assert twilio.problems == []


@pytest.mark.parametrize(
    ("end", "status", "sip"), [("busy", "busy", "486"), ("ring_out", "no-answer", "487"), ("fail", "failed", "404")]
)
def test_an_agent_who_does_not_answer_ends_the_call(
    twilio: Simulator, bridge: Bridge, client: Client, end: str, status: str, sip: str
) -> None:
    created = client.calls.create(to=HANAKO, from_=LINE, url=bridge.url, status_callback=bridge.url + "/status")
    call = twilio.call(created.sid).wait_for_status("ringing")
    getattr(twilio, end)(created.sid)
    call.wait_until_over()
    (told,) = bridge.at("/status")
    assert (told["CallStatus"], told["SipResponseCode"], told["Duration"]) == (status, sip, "0")
    assert bridge.at("/") == []


def test_inline_twiml_is_played(twilio: Simulator, client: Client) -> None:
    created = client.calls.create(to=HANAKO, from_=LINE, twiml="<Response><Say>hello</Say></Response>")
    call = twilio.call(created.sid).wait_for_status("ringing")
    twilio.answer(created.sid)
    assert call.wait_until_over().said == ["hello"]


def test_a_talk_can_be_redirected_to_other_twiml(twilio: Simulator, bridge: Bridge, client: Client) -> None:
    bridge.replies["/incoming"] = ring(phone(HANAKO), action="/result", answerOnBridge="true")
    bridge.replies["/result"] = "<Response><Say>the agent left</Say></Response>"
    bridge.replies["/moved"] = "<Response><Say>moved</Say><Pause length='60'/></Response>"
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to(HANAKO)
    twilio.answer(leg)
    client.calls(leg.sid).update(url=bridge.url + "/moved", method="GET")
    twilio.wait_for(lambda: [heard.text for heard in leg.heard] == ["moved"])
    bridge.wait_for("/result")
    assert bridge.at("/moved")[0].method == "GET"
    assert leg.status == "in-progress"
    assert call.wait_for_status("completed").said == ["the agent left"]
    assert bridge.at("/result")[0].get("DialCallDuration") is None
    client.calls(leg.sid).update(status="completed")
    call.wait_until_over()


def test_redirecting_the_caller_ends_the_dial_without_its_action(
    twilio: Simulator, bridge: Bridge, client: Client
) -> None:
    bridge.replies["/incoming"] = ring(phone(HANAKO), action="/result")
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to(HANAKO)
    client.calls(call.sid).update(twiml="<Response><Say>moved</Say></Response>")
    call.wait_until_over()
    assert (call.said, leg.status, bridge.at("/result")) == (["moved"], "canceled", [])


def test_calls_can_be_ended_and_canceled(twilio: Simulator, bridge: Bridge, client: Client) -> None:
    created = client.calls.create(to=HANAKO, from_=LINE, url=bridge.url, status_callback=bridge.url + "/status")
    twilio.call(created.sid).wait_for_status("ringing")
    assert client.calls(created.sid).update(status="canceled").status == "canceled"
    twilio.wait_until_delivered()
    assert bridge.statuses(created.sid) == ["canceled"]


def test_a_call_canceled_while_queued_sends_no_callback_at_all(bridge: Bridge, clock: ManualClock) -> None:
    with Simulator({LINE: ""}, clock=clock, auth_token=TOKEN, calls_per_second=1) as twilio:
        client = Client(twilio.account_sid, TOKEN, http_client=Loopback(twilio.url), environment={"_": ""})
        made = [
            client.calls.create(to=HANAKO, from_=LINE, url=bridge.url, status_callback=bridge.url + "/status")
            for _ in range(2)
        ]
        twilio.call(made[0].sid).wait_for_status("ringing")
        assert client.calls(made[1].sid).fetch().status == "queued"
        assert client.calls(made[1].sid).fetch().queue_time == "1000"
        client.calls(made[1].sid).update(status="canceled")
        clock.advance(2)
        twilio.wait_until_delivered()
        assert bridge.statuses(made[1].sid) == []


def test_a_recorded_call_tells_where_the_recording_is(
    twilio: Simulator, bridge: Bridge, client: Client, clock: ManualClock
) -> None:
    twiml = "<Response><Pause length='9'/></Response>"
    created = client.calls.create(
        to=HANAKO, from_=LINE, twiml=twiml, record=True, status_callback=bridge.url + "/status"
    )
    call = twilio.call(created.sid).wait_for_status("ringing")
    twilio.answer(created.sid)
    clock.advance(5)
    call.hang_up()
    call.wait_until_over()
    (told,) = bridge.at("/status")
    assert told["RecordingDuration"] == "5"
    media = requests.get(told["RecordingUrl"] + ".wav", timeout=5)
    assert media.content.startswith(b"RIFF")


def test_calls_and_numbers_can_be_listed(twilio: Simulator, bridge: Bridge, client: Client) -> None:
    for to in (HANAKO, TARO, HANAKO):
        client.calls.create(to=to, from_=LINE, url=bridge.url)
    assert len(client.calls.list(to=HANAKO)) == 2
    assert len(client.calls.list(page_size=1)) == 3
    assert [number.phone_number for number in client.incoming_phone_numbers.list()] == [LINE]
    assert client.api.v2010.accounts(twilio.account_sid).fetch().status == "active"


def test_a_numbers_urls_can_be_read_and_set(twilio: Simulator, bridge: Bridge, client: Client) -> None:
    (number,) = client.incoming_phone_numbers.list(phone_number=LINE)
    assert number.voice_url == bridge.url + "/incoming"
    number.update(voice_url=bridge.url + "/other", voice_method="GET", status_callback=bridge.url + "/status")
    bridge.replies["/other"] = EMPTY
    twilio.call_in(TARO, LINE).wait_until_over()
    assert bridge.at("/other")[0].method == "GET"
    assert len(bridge.at("/status")) == 1
    bought = client.incoming_phone_numbers.create(phone_number=SECOND_LINE, voice_url=bridge.url + "/other")
    assert client.incoming_phone_numbers(bought.sid).fetch().phone_number == SECOND_LINE


def test_a_twiml_app_can_be_made_read_and_set_and_answers_for_a_number(
    twilio: Simulator, bridge: Bridge, client: Client
) -> None:
    made = client.applications.create(friendly_name="Bridge", voice_url=bridge.url + "/app")
    assert made.sid.startswith("AP")
    assert [one.sid for one in client.applications.list(friendly_name="Bridge")] == [made.sid]
    assert client.applications.list(friendly_name="Other") == []
    client.applications(made.sid).update(voice_url=bridge.url + "/changed", status_callback=bridge.url + "/status")
    assert client.applications(made.sid).fetch().voice_url == bridge.url + "/changed"

    (number,) = client.incoming_phone_numbers.list(phone_number=LINE)
    number.update(voice_application_sid=made.sid)
    bridge.replies["/changed"] = EMPTY
    twilio.call_in(TARO, LINE).wait_until_over()
    assert len(bridge.at("/changed")) == 1, "the App's URLs take the place of the number's own"
    assert bridge.at("/incoming") == []

    assert number.update(voice_application_sid="").voice_application_sid == ""
    bridge.replies["/incoming"] = EMPTY
    twilio.call_in(TARO, LINE).wait_until_over()
    assert len(bridge.at("/incoming")) == 1


@pytest.mark.parametrize(
    ("path", "fields", "code"),
    [
        ("Applications/AP" + "0" * 32, {}, 20404),
        ("Applications", {"VoiceUrl": "nowhere"}, 21402),
        ("Applications", {"VoiceMethod": "PUT"}, 21403),
    ],
)
def test_a_wrong_twiml_app_is_refused(twilio: Simulator, path: str, fields: dict[str, str], code: int) -> None:
    status, answer = post(twilio, path, **fields)
    assert (answer["code"], status >= 400) == (code, True)


def test_a_number_cannot_name_an_app_that_is_not_there(twilio: Simulator) -> None:
    sid = twilio.network.numbers[LINE].sid
    status, answer = post(twilio, f"IncomingPhoneNumbers/{sid}", VoiceApplicationSid="AP" + "0" * 32)
    assert (status, answer["code"]) == (400, 21218)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"To": ""}, 21201),
        ({"From": ""}, 21213),
        ({"To": "09012345678"}, 21211),
        ({"To": "+81"}, 21211),
        ({"From": "+819099998888"}, 21210),
        ({"From": "client:agent_3"}, 21210),
        ({"Url": ""}, 21205),
        ({"Url": "/relative"}, 21205),
        ({"Url": "https://example.com/voice"}, 21205),
        ({"Url": "", "ApplicationSid": "AP" + "0" * 32}, 21218),
        ({"Method": "PUT"}, 21209),
        ({"Timeout": "soon"}, 21208),
        ({"Timeout": "601"}, 21208),
        ({"SendDigits": "abc"}, 21206),
        ({"StatusCallback": "nowhere"}, 21609),
        ({"StatusCallbackEvent": "initiated ringing"}, 21626),
        ({"StatusCallbackEvent": "['initiated']"}, 21626),
        ({"Record": "maybe"}, 20001),
        ({"Twiml": "<Response>" + " " * 4000 + "</Response>"}, 32018),
    ],
)
def test_a_call_with_a_wrong_parameter_is_refused(
    twilio: Simulator, bridge: Bridge, fields: dict[str, str], code: int
) -> None:
    right = {"To": TARO, "From": LINE, "Url": bridge.url, "Unknown": "is ignored"}
    status, error = post(twilio, "Calls", **{**right, **fields})
    assert (status, error["code"]) == (400, code)
    assert error["status"] == 400
    assert error["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert error["message"]
    assert twilio.legs() == []
    assert post(twilio, "Calls", **right)[0] == 201


def test_a_call_that_is_not_in_progress_cannot_be_redirected(twilio: Simulator, bridge: Bridge, client: Client) -> None:
    bridge.replies["/incoming"] = EMPTY
    call = twilio.call_in(TARO, LINE).wait_until_over()
    with pytest.raises(TwilioRestException) as refused:
        client.calls(call.sid).update(twiml=EMPTY)
    assert (refused.value.status, refused.value.code) == (400, 21220)
    assert refused.value.msg.endswith("Call is not in-progress. Cannot redirect.")
    for fields, code in (({"Status": "completed"}, 21220), ({"Status": "nonsense"}, 20001), ({}, 20001)):
        assert post(twilio, f"Calls/{call.sid}", **fields)[1]["code"] == code


def test_what_is_not_there_is_a_404(twilio: Simulator, client: Client) -> None:
    for path in ("Calls/CA0", "IncomingPhoneNumbers/PN0", "Nonsense", "Recordings/RE0"):
        status, error = post(twilio, path) if path != "Recordings/RE0" else (404, {"code": 20404})
        assert (status, error["code"]) == (404, 20404)
    with pytest.raises(TwilioRestException) as refused:
        client.calls("CA0").fetch()
    assert refused.value.status == 404


@pytest.mark.parametrize("pair", [("AC-other", TOKEN), (None, "wrong"), None])
def test_wrong_credentials_are_a_401(twilio: Simulator, pair: tuple[str | None, str] | None) -> None:
    auth = pair and (pair[0] or twilio.account_sid, pair[1])
    answer = requests.get(f"{twilio.url}/2010-04-01/Accounts/{twilio.account_sid}/Calls.json", auth=auth, timeout=5)
    assert answer.status_code == 401
    assert answer.json()["code"] == 20003


def test_an_api_key_is_accepted_too(bridge: Bridge) -> None:
    with Simulator({LINE: ""}, api_key="SK1", api_secret="secret") as twilio:
        client = Client("SK1", "secret", twilio.account_sid, http_client=Loopback(twilio.url), environment={"_": ""})
        assert client.calls.list() == []


def test_requests_can_be_refused_on_demand(twilio: Simulator, client: Client) -> None:
    twilio.refuse()
    with pytest.raises(TwilioRestException) as refused:
        client.calls.create(to=HANAKO, from_=LINE, twiml=EMPTY)
    assert (refused.value.status, refused.value.code) == (429, 20429)
    assert client.calls.list() == []
