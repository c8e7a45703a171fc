"""Placing calls and hearing recordings over REST: what is asked of Twilio, and what becomes of its refusals."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from cti_bridge.errors import PhoneNetworkError, RecordingMissing
from cti_bridge.settings import Settings
from cti_bridge.simulator import Simulator, sound
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


# ── recordings ───────────────────────────────────────────────────────────────────────────────────────────────────────


def record(twilio: Simulator, seconds: float | None = 2.0) -> str:
    """There is a recording of this length (None: still being made). Its sid."""
    leg = twilio.network.add_leg(SATO_PHONE, LINE, "inbound", "in-progress")
    recording = twilio.network.start_recording(leg, "DialVerb", 2, None)
    if seconds is not None:
        twilio.network.stop_recording(recording, seconds)
    return recording.sid


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """A server that says exactly these bytes, one after the other, and hangs up. Its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)


def test_a_recording_comes_as_mp3_with_the_account_s_credentials(twilio: Simulator) -> None:
    twilio.protects_media = True
    heard = network(twilio).open_recording(record(twilio), {})
    assert b"".join(heard.chunks) == sound.mp3(2)
    heard.close()
    assert (heard.status, heard.headers["Content-Length"]) == (200, str(len(sound.mp3(2))))
    key = {"TWILIO_AUTH_TOKEN": "not the token", "TWILIO_API_KEY": "SK" + "a" * 32, "TWILIO_API_SECRET": "a secret"}
    heard = network(twilio, **key).open_recording(record(twilio), {})
    heard.close()
    with pytest.raises(PhoneNetworkError) as refused:
        network(twilio, TWILIO_AUTH_TOKEN="not the token").open_recording(record(twilio), {})
    assert refused.value.code == 401


def test_a_part_of_a_recording_can_be_asked_for(twilio: Simulator) -> None:
    sid = record(twilio)
    heard = network(twilio).open_recording(sid, {"Range": "bytes=10-19"})
    assert (heard.status, b"".join(heard.chunks)) == (206, sound.mp3(2)[10:20])
    heard.close()
    beyond = network(twilio).open_recording(sid, {"Range": "bytes=999999-"})
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(sound.mp3(2))}")
    beyond.close()


def test_a_recording_that_is_not_there_comes_later_or_never(twilio: Simulator) -> None:
    asked = network(twilio)
    with pytest.raises(RecordingMissing) as missing:
        asked.open_recording(record(twilio, seconds=None), {})
    assert missing.value.comes_later, "it is still being made"
    with pytest.raises(RecordingMissing) as missing:
        asked.open_recording("RE" + "0" * 32, {})
    assert not missing.value.comes_later


@pytest.mark.parametrize(("state", "comes_later"), [("completed", True), ("absent", False), ("deleted", False)])
def test_what_twilio_says_of_a_missing_file_decides(twilio: Simulator, state: str, comes_later: bool) -> None:
    told = f'{{"status": "{state}"}}'.encode()
    described = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(told), told)
    with answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", described) as url:
        asked = network(twilio, CTI_TWILIO_API_URL=url)
        with pytest.raises(RecordingMissing) as missing:
            asked.open_recording("RE" + "0" * 32, {})
    assert missing.value.comes_later is comes_later


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>hm</p>",
        b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n",
        b"no HTTP at all\r\n\r\n",
        b"",
    ],
)
def test_what_is_no_sound_is_never_passed_on(twilio: Simulator, answer: bytes) -> None:
    with answering(answer) as url, pytest.raises(PhoneNetworkError):
        network(twilio, CTI_TWILIO_API_URL=url).open_recording("RE" + "0" * 32, {})


def test_a_recording_that_breaks_off_says_so(twilio: Simulator) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 1000\r\n\r\n"
    with answering(head + bytes(10)) as url:
        heard = network(twilio, CTI_TWILIO_API_URL=url).open_recording("RE" + "0" * 32, {})
        with pytest.raises(PhoneNetworkError, match="broke off"):
            b"".join(heard.chunks)
        heard.close()


def test_a_redirect_to_another_host_takes_no_credentials_along(twilio: Simulator) -> None:
    """Recordings may be kept in the customer's own storage."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as storage:

        def serve() -> None:
            connection, _ = storage.accept()
            with connection:
                seen.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 3\r\n\r\nabc")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        elsewhere = f"http://localhost:{storage.getsockname()[1]}/bucket/RE1.mp3"
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n".encode()
        with answering(moved) as url:
            heard = network(twilio, CTI_TWILIO_API_URL=url).open_recording("RE" + "0" * 32, {"Range": "bytes=0-2"})
        assert b"".join(heard.chunks) == b"abc"
        heard.close()
        thread.join(5)
    assert b"authorization" not in seen[0].lower()
    assert b"range: bytes=0-2" in seen[0].lower()
