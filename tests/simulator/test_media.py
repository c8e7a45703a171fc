"""Recordings over REST: their sound is real, can be had in parts, and is protected when it is asked to be."""

from __future__ import annotations

import io
import wave

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from cti_bridge.simulator import ManualClock, Simulator, sound

from .conftest import HANAKO, LINE, TOKEN, Bridge, phone, ring


@pytest.fixture
def recording(twilio: Simulator, bridge: Bridge, clock: ManualClock) -> str:
    """A talk of three seconds was recorded. The recording's address."""
    bridge.replies["/incoming"] = ring(phone(HANAKO), record="record-from-answer-dual", action="/result")
    bridge.replies["/result"] = "<Response/>"
    call = twilio.call_in("+819011112222", LINE)
    twilio.answer(call.leg_to(HANAKO))
    clock.advance(3)
    call.hang_up()
    call.wait_until_over()
    (made,) = twilio.network.recordings.values()
    return made.url


def get(url: str, **options: object) -> requests.Response:
    return requests.get(url, timeout=5, **options)  # type: ignore[arg-type]


def test_the_sound_is_a_wav_of_both_sides_or_an_mp3(recording: str) -> None:
    for url in (recording, recording + ".wav"):
        answer = get(url)
        assert answer.headers["Content-Type"] == "audio/x-wav"
        with wave.open(io.BytesIO(answer.content)) as heard:
            assert (heard.getnchannels(), heard.getnframes() / heard.getframerate()) == (2, 3.0)
            assert any(heard.readframes(4000)), "it is not silence"
    answer = get(recording + ".mp3")
    assert (answer.headers["Content-Type"], answer.content) == ("audio/mpeg", sound.mp3(3))
    assert get(recording + ".ogg").status_code == 404
    assert get(recording.replace("/RE", "/RE0") + ".mp3").json()["code"] == 20404


@given(seconds=st.integers(1, 700))
@settings(max_examples=20)
def test_every_frame_of_an_mp3_begins_with_its_header(seconds: int) -> None:
    """ISO/IEC 13818-3: sync word, MPEG-2 layer III, 32 kbit/s, 16 kHz, mono; 144 bytes and 36 ms each."""
    made = sound.mp3(seconds)
    frames = [made[at : at + 144] for at in range(0, len(made), 144)]
    assert {(len(frame), frame[:4]) for frame in frames} == {(144, bytes.fromhex("fff348c0"))}
    assert abs(len(frames) * 0.036 - min(seconds, sound.LONGEST)) < 0.036


def test_a_range_of_the_sound_can_be_had(recording: str) -> None:
    whole = get(recording + ".mp3")
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = get(recording + ".mp3", headers={"Range": "bytes=144-287"})
    assert (part.status_code, part.content) == (206, whole.content[144:288])
    assert part.headers["Content-Range"] == f"bytes 144-287/{len(whole.content)}"
    beyond = get(recording + ".mp3", headers={"Range": "bytes=9999999-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole.content)}")
    head = requests.head(recording + ".mp3", timeout=5)
    assert (head.status_code, int(head.headers["Content-Length"])) == (200, len(whole.content))


def test_the_description_needs_credentials_and_the_sound_when_it_is_protected(
    twilio: Simulator, recording: str
) -> None:
    account = (twilio.account_sid, TOKEN)
    assert get(recording + ".json").status_code == 401
    assert get(recording + ".json", auth=account).json()["status"] == "completed"
    assert get(recording + ".mp3").status_code == 200
    twilio.protects_media = True
    for ending in ("", ".wav", ".mp3"):
        assert get(recording + ending).status_code == 401
        assert get(recording + ending, auth=(twilio.account_sid, "guessed")).status_code == 401
        assert get(recording + ending, auth=account).status_code == 200


def test_a_recording_under_way_is_described_and_cannot_be_heard(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(phone(HANAKO), record="record-from-answer-dual", action="/result")
    call = twilio.call_in("+819011112222", LINE)
    twilio.answer(call.leg_to(HANAKO))
    (made,) = twilio.network.recordings.values()
    assert get(made.url + ".mp3").status_code == 404
    told = get(made.url + ".json", auth=(twilio.account_sid, TOKEN)).json()
    assert (told["status"], told["duration"], told["call_sid"]) == ("processing", None, call.sid)


def test_a_deleted_recording_is_not_found_any_more(twilio: Simulator, recording: str) -> None:
    account = (twilio.account_sid, TOKEN)
    assert requests.delete(recording + ".json", timeout=5).status_code == 401
    assert requests.delete(recording + ".json", auth=account, timeout=5).status_code == 204
    for ending in ("", ".mp3", ".json"):
        assert get(recording + ending, auth=account).status_code == 404
    assert requests.delete(recording + ".json", auth=account, timeout=5).status_code == 404
