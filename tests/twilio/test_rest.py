"""Placing a call over REST: what is asked of Twilio, and what becomes of its refusals."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests

from cti_bridge.errors import PhoneNetworkError
from cti_bridge.settings import Settings
from cti_bridge.simulator import Simulator
from cti_bridge.twilio import rest
from cti_bridge.twilio.rest import PhoneNetwork

LINE = "+815031234567"
SATO_PHONE = "+818000000001"
URL = "http://127.0.0.1:9/twilio/voice/outgoing?agent=1#rc=1"


@pytest.fixture
def twilio() -> Iterator[Simulator]:
    with Simulator({LINE: "http://127.0.0.1:9/incoming"}, api_key="SK" + "a" * 32, api_secret="a secret") as simulator:
        yield simulator


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


def network(twilio: Simulator, **changed: str) -> PhoneNetwork:
    settings = {
        "CTI_PUBLIC_URL": "http://127.0.0.1:9",
        "CTI_SECRET_KEY": "a secret for tests that is long enough",
        "TWILIO_ACCOUNT_SID": twilio.account_sid,
        "TWILIO_AUTH_TOKEN": twilio.auth_token,
        "CTI_TWILIO_API_URL": twilio.url,
    }
    return PhoneNetwork(Settings.read({**settings, **changed}))


def place(asked: PhoneNetwork, to: str = SATO_PHONE) -> str:
    return asked.place_call(to=to, from_=LINE, url=URL, status_callback="http://127.0.0.1:9/status#rc=1").sid


def test_a_call_is_placed_showing_the_line_and_asking_for_every_event(twilio: Simulator) -> None:
    asked = network(twilio)
    asked.warm_up()
    sid = place(asked)
    leg = twilio.call(sid).leg
    assert (leg.from_, leg.to, leg.direction, leg.timeout) == (LINE, SATO_PHONE, "outbound-api", 30)
    assert leg.callback is not None
    assert leg.callback.events == {"initiated", "ringing", "answered", "completed"}


def test_an_api_key_is_used_where_there_is_one(twilio: Simulator) -> None:
    key = {"TWILIO_AUTH_TOKEN": "not the token", "TWILIO_API_KEY": "SK" + "a" * 32}
    assert place(network(twilio, **key, TWILIO_API_SECRET="a secret")).startswith("CA")
    with pytest.raises(PhoneNetworkError) as refused:
        place(network(twilio, **key, TWILIO_API_SECRET="another secret"))
    assert refused.value.code == 20003


def test_only_the_first_of_several_tokens_signs_in(twilio: Simulator) -> None:
    assert place(network(twilio, TWILIO_AUTH_TOKEN=f"{twilio.auth_token},old")).startswith("CA")


@pytest.mark.parametrize("name", ["TWILIO_REGION", "TWILIO_EDGE"])
def test_twilio_s_own_variables_do_not_redirect_us(
    twilio: Simulator, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "au1")
    assert place(network(twilio)).startswith("CA")


def test_a_refusal_comes_in_twilio_s_words_with_its_code_and_once(twilio: Simulator, naps: list[float]) -> None:
    twilio.refuse(21211, "The 'To' number is not valid.", 400)
    with pytest.raises(PhoneNetworkError, match="The 'To' number is not valid") as refused:
        place(network(twilio))
    assert (refused.value.code, naps) == (21211, [])


def test_too_many_requests_is_tried_once_more_because_nothing_was_done(twilio: Simulator, naps: list[float]) -> None:
    twilio.refuse(times=1)
    assert place(network(twilio)).startswith("CA")
    assert naps == [1.0]
    assert len(twilio.legs()) == 1


def test_too_many_requests_twice_is_a_refusal(twilio: Simulator, naps: list[float]) -> None:
    twilio.refuse(times=2)
    with pytest.raises(PhoneNetworkError) as refused:
        place(network(twilio))
    assert (refused.value.code, len(naps), twilio.legs()) == (429, 1, [])


@pytest.mark.parametrize("trouble", [requests.Timeout("slow"), requests.ConnectionError("no route to 10.0.0.1")])
def test_no_answer_is_told_without_details_and_not_tried_again(
    twilio: Simulator, monkeypatch: pytest.MonkeyPatch, naps: list[float], trouble: Exception
) -> None:
    """A time-out may have begun the call: a second try could ring the agent twice."""
    tries: list[object] = []

    def fail(_session: object, *arguments: object, **_: object) -> None:
        tries.append(arguments)
        raise trouble

    monkeypatch.setattr(requests.Session, "send", fail)
    with pytest.raises(PhoneNetworkError, match=rf"^Twilio did not answer \({type(trouble).__name__}\)\.$") as failed:
        place(network(twilio))
    assert (failed.value.code, len(tries), naps) == (0, 1, [])


def test_every_request_has_a_time_limit(twilio: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[object] = []
    send = requests.Session.send

    def watched(session: requests.Session, request: requests.PreparedRequest, **options: object) -> requests.Response:
        limits.append(options.get("timeout"))
        return send(session, request, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(requests.Session, "send", watched)
    place(network(twilio))
    assert limits == [rest.TIMEOUT]


def test_without_the_simulator_twilio_itself_is_asked(twilio: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def watched(_session: object, request: requests.PreparedRequest, **_: object) -> None:
        asked.append(str(request.url))
        raise requests.ConnectionError

    monkeypatch.setattr(requests.Session, "send", watched)
    with pytest.raises(PhoneNetworkError):
        place(network(twilio, CTI_TWILIO_API_URL=""))
    assert asked == [f"https://api.twilio.com/2010-04-01/Accounts/{twilio.account_sid}/Calls.json"]
