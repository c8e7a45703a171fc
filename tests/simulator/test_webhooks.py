"""What is on the wire: parameters, headers, signatures, retries, redirects."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Response, redirect
from twilio.request_validator import RequestValidator

from cti_bridge.simulator import ManualClock, Simulator
from cti_bridge.simulator.request import RefusedUrl, bare, check_url, overrides, sign

from .conftest import EVENTS, LINE, TARO, TOKEN, Bridge, Received, agent, ring

EMPTY = "<Response/>"


def signed(bridge: Bridge, got: Received, token: str = TOKEN) -> bool:
    """As a careful application checks it: over the raw target, with Twilio's own validator."""
    return bool(RequestValidator(token).validate(bridge.url + got.target, got.form, got.headers["x-twilio-signature"]))


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/silent"


@pytest.fixture
def closed() -> str:
    """A URL where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/closed"


def test_signatures_are_the_published_ones() -> None:
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
        "Caller": "+14158675309",
    }
    assert sign("12345", url, form) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_an_incoming_call_says_who_calls_whom(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = EMPTY
    call = twilio.call_in(TARO, LINE, forwarded_from="+81312345678").wait_until_over()
    (got,) = bridge.at("/incoming")
    expected = {
        "CallSid": call.sid,
        "AccountSid": twilio.account_sid,
        "From": TARO,
        "Caller": TARO,
        "To": LINE,
        "Called": LINE,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
        "ForwardedFrom": "+81312345678",
        "FromCountry": "JP",
        "FromCity": "",
        "CalledZip": "",
    }
    assert {name: got[name] for name in expected} == expected
    assert got.get("ParentCallSid") is None
    assert got.headers["user-agent"] == "TwilioProxy/1.1"
    assert got.headers["accept"] == "*/*"
    assert got.headers["x-home-region"] == "us1"
    assert got.headers["content-type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    assert "i-twilio-idempotency-token" not in got.headers
    assert signed(bridge, got)
    assert not signed(bridge, got, "another token")


@pytest.mark.parametrize(
    ("withheld", "shown", "country"),
    [(True, "+266696687", "LS"), ("keypad", "+266696687", "LS"), ("anonymous", "anonymous", "")],
)
def test_a_withheld_caller_shows_no_number(
    twilio: Simulator, bridge: Bridge, withheld: Any, shown: str, country: str
) -> None:
    bridge.replies["/incoming"] = EMPTY
    twilio.call_in(TARO, LINE, withheld=withheld).wait_until_over()
    (got,) = bridge.at("/incoming")
    assert (got["From"], got["Caller"], got["FromCountry"]) == (shown, shown, country)
    assert TARO not in got.form.values()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("target", ["/in", "/in?name=%E5%B1%B1%E7%94%B0&slash=%2F", "/in?tilde=%7E&plus=a+b&x=%5B"])
def test_the_signature_is_over_the_url_exactly_as_it_is_written(
    twilio: Simulator, bridge: Bridge, method: str, target: str
) -> None:
    bridge.replies["/in"] = EMPTY
    twilio.set_number(LINE, voice_url=bridge.url + target + "#rc=2&e=tokyo", voice_method=method)
    twilio.call_in(TARO, LINE).wait_until_over()
    (got,) = bridge.at("/in")
    assert got.target.startswith(target)
    assert got.method == method
    assert "#" not in got.target
    assert got["From"] == TARO
    assert signed(bridge, got)


def test_progress_callbacks_count_up_and_date_themselves(twilio: Simulator, bridge: Bridge, clock: ManualClock) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"))
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to("client:agent_3")
    twilio.answer(leg)
    clock.advance(61)
    call.hang_up()
    call.wait_until_over()
    told = bridge.at("/status")
    assert [one["SequenceNumber"] for one in told] == ["0", "1", "2", "3"]
    assert [one["CallStatus"] for one in told] == ["initiated", "ringing", "in-progress", "completed"]
    assert told[-1]["Timestamp"] == "Fri, 20 Nov 2026 01:01:01 +0000"
    assert all(one["CallbackSource"] == "call-progress-events" for one in told)
    assert all(one["ParentCallSid"] == call.sid for one in told)
    assert all((one["Direction"], one["To"]) == ("outbound-dial", "client:agent_3") for one in told)
    assert [one.get("CallDuration") for one in told] == [None, None, None, "61"]
    assert (told[-1]["Duration"], told[-1]["SipResponseCode"]) == ("2", "200")
    assert all(signed(bridge, one) for one in told)


def test_a_numbers_own_callback_tells_only_the_end(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = "<Response><Say>hello</Say></Response>"
    twilio.set_number(LINE, status_callback=bridge.url + "/status")
    twilio.call_in(TARO, LINE).wait_until_over()
    (got,) = bridge.at("/status")
    assert (got["CallStatus"], got["Direction"]) == ("completed", "inbound")
    assert got.get("SequenceNumber") is None


def test_a_callback_answered_with_a_page_or_an_error_is_complained_of(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3", events="initiated ringing"))
    answers = iter([("a page", 200), ("oh no", 500)])
    bridge.replies["/status"] = lambda _: next(answers)
    call = twilio.call_in(TARO, LINE)
    call.leg_to("client:agent_3")
    twilio.wait_until_delivered()
    assert [(problem.code, problem.level) for problem in twilio.problems] == [(12300, "warning"), (15003, "warning")]


def test_by_default_one_retry_follows_a_failed_connection(twilio: Simulator, closed: str) -> None:
    twilio.set_number(LINE, voice_url=closed)
    call = twilio.call_in(TARO, LINE).wait_until_over()
    first, second = twilio.deliveries("incoming")
    assert first.token == ""
    assert second.token != ""
    assert [problem.code for problem in twilio.problems] == [11205]
    assert [heard.what for heard in call.heard] == ["error"]


def test_by_default_an_error_status_is_not_retried(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ("oh no", 500)
    twilio.call_in(TARO, LINE).wait_until_over()
    assert len(bridge.at("/incoming")) == 1
    assert [problem.code for problem in twilio.problems] == [11200]


def test_overrides_ask_for_retries_and_the_retries_carry_one_token(twilio: Simulator, bridge: Bridge) -> None:
    answers = iter([("oh no", 503), ("oh no", 503)])
    bridge.replies["/incoming"] = lambda _: next(answers, EMPTY)
    twilio.set_number(LINE, voice_url=bridge.url + "/incoming#rc=2&rp=ct,rt,5xx")
    call = twilio.call_in(TARO, LINE).wait_until_over()
    tokens = [got.headers.get("i-twilio-idempotency-token") for got in bridge.at("/incoming")]
    assert len(tokens) == 3
    assert tokens[0] is None
    assert tokens[1] == tokens[2] != None  # noqa: E711
    assert call.heard == []


def test_a_read_timeout_is_honoured_and_retried_when_asked(twilio: Simulator, silent: str) -> None:
    twilio.set_number(LINE, voice_url=silent + "#rt=100&rc=1&rp=rt")
    twilio.call_in(TARO, LINE).wait_until_over()
    assert [delivery.status for delivery in twilio.deliveries("incoming")] == [None, None]
    assert [problem.code for problem in twilio.problems] == [11205]


def test_the_fallback_url_is_asked_when_the_voice_url_fails(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ("oh no", 500)
    bridge.replies["/fallback"] = "<Response><Say>fallback</Say></Response>"
    twilio.set_number(LINE, voice_fallback_url=bridge.url + "/fallback")
    call = twilio.call_in(TARO, LINE).wait_until_over()
    assert call.said == ["fallback"]
    assert bridge.at("/fallback")[0]["ErrorCode"] == "11200"
    assert bridge.at("/fallback")[0]["ErrorUrl"] == bridge.url + "/incoming"


def test_redirects_are_followed_and_signed_anew(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = lambda _: redirect("/there?x=%7E", code=307)
    bridge.replies["/there"] = "<Response><Say>here</Say></Response>"
    call = twilio.call_in(TARO, LINE).wait_until_over()
    assert call.said == ["here"]
    (got,) = bridge.at("/there")
    assert got.method == "POST"
    assert signed(bridge, got)


def test_an_endless_redirect_is_given_up_after_ten(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = lambda _: redirect("/incoming", code=302)
    twilio.call_in(TARO, LINE).wait_until_over()
    assert [problem.code for problem in twilio.problems] == [11215]
    assert len(bridge.at("/incoming")) == 11


def test_a_redirect_away_from_this_machine_is_not_followed(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = lambda _: redirect("http://192.0.2.1/", code=302)
    twilio.call_in(TARO, LINE).wait_until_over()
    assert "only ever calls" in twilio.problems[0].message


def test_gzip_is_understood(twilio: Simulator, bridge: Bridge) -> None:
    body = gzip.compress(b"<Response><Say>small</Say></Response>")
    bridge.replies["/incoming"] = lambda _: Response(
        body, headers={"Content-Encoding": "gzip", "Content-Type": "text/xml"}
    )
    assert twilio.call_in(TARO, LINE).wait_until_over().said == ["small"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "http://192.0.2.1/", "http://my_host/", "https://127.0.0.1/", "ftp://127.0.0.1/",
        "/relative", "", "http://127.0.0.1:99999/", "http://localhost.example.com/",
    ],
)  # fmt: skip
def test_only_this_machine_is_ever_called(url: str) -> None:
    with pytest.raises(RefusedUrl):
        check_url(url)


def test_a_url_is_signed_without_fragment_and_userinfo() -> None:
    assert bare("http://user:pw@127.0.0.1:5000/a/山?b=%2F&c#rc=1") == "http://127.0.0.1:5000/a/%E5%B1%B1?b=%2F&c"


def test_overrides_are_read_and_those_out_of_range_complained_of() -> None:
    read = overrides("http://127.0.0.1/#ct=200&rt=4000&tt=9000&rc=5&rp=4xx,5xx&sni=y&e=tokyo")
    assert (read.connect, read.read, read.total, read.retries) == (0.2, 4.0, 9.0, 5)
    assert read.retry_on == {"4xx", "5xx"}
    assert overrides("http://127.0.0.1/").retry_on == {"ct"}
    assert len(overrides("http://127.0.0.1/#ct=50&rt=x&rc=6&rp=sometimes").complaints) == 4


def test_a_slow_callback_does_not_hold_up_the_call(twilio: Simulator, bridge: Bridge) -> None:
    let_go = threading.Event()

    def slow(_: Received) -> tuple[str, int]:
        assert let_go.wait(5)
        return "", 204

    bridge.replies["/incoming"] = ring(agent("agent_3", events=EVENTS), action="/result")
    bridge.replies["/status"] = slow
    bridge.replies["/result"] = EMPTY
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to("client:agent_3")
    twilio.answer(leg)
    twilio.hang_up(leg)
    call.wait_for_status("completed")
    assert len(bridge.at("/result")) == 1
    let_go.set()
    call.wait_until_over()
    assert bridge.statuses(leg.sid) == ["initiated", "ringing", "in-progress", "completed"]
