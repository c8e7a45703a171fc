"""Hearing a recording through the bridge: real servers on loopback, the simulated network behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
import requests

from cti_bridge.errors import PhoneNetworkError
from cti_bridge.model import Agent, CallEvent, EventKind
from cti_bridge.recordings import MOST_AT_ONCE
from cti_bridge.simulator import SimulatedCall, sound
from cti_bridge.store import Database, calls, directory
from cti_bridge.twilio.rest import CHUNK, PhoneNetwork, Sound
from tests.running import ENGLISH_LINE, MAIN_LINE, PASSWORD, SATO_PHONE, Running, running

TARO = "+819012345678"
SECONDS = 600
"""How long the recorded calls are, as the simulated network says: 2.4 MB of sound."""


@pytest.fixture
def live(database: Database) -> Iterator[Running]:
    with running(database) as started:
        started.twilio.protects_media = True
        with started.bridge.database.transaction() as connection:
            for number in (MAIN_LINE, ENGLISH_LINE):
                directory.change_line(connection, number, record=True)
        started.bridge.directory.refresh()
        yield started


def ask(
    live: Running, path: str, *, agent: Agent | None = None, method: str = "GET", language: str = "ja", **headers: str
) -> requests.Response:
    """Ask the API as this agent (Sato unless said); the answer's body is still on its way."""
    return requests.request(
        method,
        f"{live.base}/api/recordings/{path}",
        headers={
            **signed_in(live, agent or live.sato),
            "Accept-Language": language,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        timeout=10,
        stream=True,
    )


def signed_in(live: Running, agent: Agent) -> dict[str, str]:
    _, token = live.bridge.auth.sign_in(agent.email, PASSWORD)
    return {"Authorization": f"Bearer {token}"}


def refusal(answer: requests.Response, status: int, code: str) -> str:
    """Check that this is a problem for people; its words."""
    with answer:
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), problem
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert problem["title"]
        assert problem["detail"]
    return f"{problem['title']} {problem['detail']}"


def recorded(live: Running, line: str = MAIN_LINE) -> str:
    """Sato talks with Taro on this line, and it is recorded, and all of that is told. The recording's id."""
    call = live.twilio.call_in(TARO, line)
    live.twilio.answer(call.leg_to(SATO_PHONE))
    call.hang_up()
    recording_id = live.eventually(lambda: recording_of(live, call), "the recording to be told")
    live.twilio.network.recordings[recording_id].duration = SECONDS
    return recording_id


def recording_of(live: Running, call: SimulatedCall) -> str:
    with live.bridge.database.reading() as connection:
        record = calls.get(connection, call.sid)
    told = record is not None and record.call.agent_id is not None and record.call.ended
    return (record.call.recording_id or "") if record and told else ""


# ── the sound ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_agent_who_took_the_call_hears_all_of_it(live: Running) -> None:
    recording_id = recorded(live)
    with ask(live, recording_id) as answer:
        assert answer.status_code == 200
        assert answer.content == sound.mp3(SECONDS)
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert int(answer.headers["Content-Length"]) == len(sound.mp3(SECONDS))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"] == f'inline; filename="{recording_id}.mp3"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    told = str(answer.headers)
    assert live.twilio.account_sid not in told, "the account is nothing for a browser to know"
    assert live.twilio.url not in told


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-99", 0, 100), ("bytes=1000-", 1000, None), ("bytes=-50", -50, None), ("bytes=5-9999999999", 5, None)],
)
def test_a_part_is_passed_on_as_a_part(live: Running, asked: str, start: int, end: int | None) -> None:
    recording_id, whole = recorded(live), sound.mp3(SECONDS)
    with ask(live, recording_id, Range=asked) as answer:
        assert answer.status_code == 206
        assert answer.content == whole[start:end]
    first = start % len(whole)
    last = (end or len(whole)) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_part_of_what_has_changed_since_is_not_mixed_with_the_old(live: Running) -> None:
    recording_id = recorded(live)
    with ask(live, recording_id, Range="bytes=0-9") as answer:
        etag = answer.headers["ETag"]
    with ask(live, recording_id, Range="bytes=10-19", If_Range=etag) as answer:
        assert answer.status_code == 206
    with ask(live, recording_id, Range="bytes=10-19", If_Range='"another"') as answer:
        assert answer.status_code == 200


@pytest.mark.parametrize("asked", ["bytes=0-1,5-9", "items=0-1", "bytes=a-b", "bytes=-", "bytes=0-1\t, x", "nonsense"])
def test_what_is_no_single_part_gets_the_whole(live: Running, asked: str) -> None:
    with ask(live, recorded(live), Range=asked) as answer:
        assert answer.status_code == 200
        assert int(answer.headers["Content-Length"]) == len(sound.mp3(SECONDS))


def test_a_part_beyond_the_end_says_how_long_it_is(live: Running) -> None:
    recording_id = recorded(live)
    answer = ask(live, recording_id, Range="bytes=99999999-")
    refusal(answer, 416, "no_such_part")
    assert answer.headers["Content-Range"] == f"bytes */{len(sound.mp3(SECONDS))}"


def test_head_tells_the_length_and_frees_its_place(live: Running) -> None:
    recording_id = recorded(live)
    for _ in range(MOST_AT_ONCE + 1):
        with ask(live, recording_id, method="HEAD") as answer:
            assert answer.status_code == 200
            assert answer.content == b""
        assert int(answer.headers["Content-Length"]) == len(sound.mp3(SECONDS))
        assert answer.headers["Content-Type"] == "audio/mpeg"


def test_it_works_under_a_prefix(sqlite_database: Database) -> None:
    from tests.conftest import empty

    empty(sqlite_database)
    with running(sqlite_database, prefix="/phone") as live:
        with live.bridge.database.transaction() as connection:
            directory.change_line(connection, MAIN_LINE, record=True)
        live.bridge.directory.refresh()
        with ask(live, recorded(live)) as answer:
            assert answer.content == sound.mp3(SECONDS)


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_colleague_whom_the_line_rings_may_listen(live: Running) -> None:
    with ask(live, recorded(live), agent=live.suzuki) as answer:
        assert answer.status_code == 200


def test_a_colleague_of_another_line_may_not_and_is_told_so(live: Running) -> None:
    recording_id = recorded(live, ENGLISH_LINE)
    for path in (recording_id, f"{recording_id}/call"):
        words = refusal(ask(live, path, agent=live.suzuki), 403, "recording_not_allowed")
        assert "担当" in words
        words = refusal(ask(live, path, agent=live.suzuki, language="en"), 403, "recording_not_allowed")
        assert "the agent who took the call" in words


def test_whoever_took_the_call_may_listen_after_leaving_the_line(live: Running) -> None:
    recording_id = recorded(live, ENGLISH_LINE)
    with live.bridge.database.transaction() as connection:
        line = live.bridge.directory.current().line_of(ENGLISH_LINE)
        assert line is not None
        directory.set_ringing(connection, line.id, [live.suzuki.id])
    live.bridge.directory.refresh()
    for agent in (live.sato, live.suzuki):
        with ask(live, recording_id, agent=agent) as answer:
            assert answer.status_code == 200, agent.name


def test_without_a_sign_in_nothing_is_heard(live: Running) -> None:
    recording_id = recorded(live)
    for path in (recording_id, f"{recording_id}/call"):
        for headers in ({}, {"Authorization": "Bearer made-up"}):
            answer = requests.get(f"{live.base}/api/recordings/{path}", headers=headers, timeout=10)
            refusal(answer, 401, "not_signed_in")


@pytest.mark.parametrize(
    "recording_id",
    [
        "RE" + "0" * 32,
        "RE" + "0" * 31,
        "RE" + "0" * 33,
        "CA" + "0" * 32,
        "RE" + "g" * 32,
        "RE" + "٣" * 32,
        "RE" + "0" * 32 + "\n",
        "RE" + "0" * 32 + ".json",
        "RE' OR 1=1 --",
        "..%2f..%2fCalls",
        "%",
        "a" * 4000,
    ],
)
def test_an_id_that_the_bridge_does_not_know_is_never_asked_for(
    live: Running, monkeypatch: pytest.MonkeyPatch, recording_id: str
) -> None:
    recorded(live)
    asked: list[object] = []
    monkeypatch.setattr(PhoneNetwork, "open_recording", lambda *given: asked.append(given))
    for path in (quote(recording_id, safe=""), quote(recording_id, safe="") + "/call"):
        refusal(ask(live, path), 404, "recording_not_found")
    assert asked == []


# ── which call ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_call_is_told_without_what_the_agent_wrote(live: Running) -> None:
    live.crm.add("c1", "山田 太郎", "090-1234-5678")
    recording_id = recorded(live)
    told: dict[str, Any] = {}

    def found() -> bool:
        told.update(ask(live, f"{recording_id}/call", agent=live.suzuki).json())
        return told["contact_name"] is not None

    live.eventually(found, "the contact")
    began = datetime.fromisoformat(told.pop("started_at"))
    assert abs((datetime.now(UTC) - began).total_seconds()) < 60
    assert told.pop("id").startswith("CA")
    assert told == {
        "direction": "inbound",
        "caller": {"kind": "number", "number": TARO, "display": "090-1234-5678", "region": told["caller"]["region"]},
        "contact_name": "山田 太郎",
        "line": {"name": "代表", "display": "050-3123-4567"},
        "agent": "佐藤",
        "talk_seconds": 0,
        "language": "ja",
    }


# ── when there is none ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_recording_that_is_still_being_made_says_when_to_come_back(live: Running) -> None:
    call = live.twilio.call_in(TARO, MAIN_LINE)
    leg = call.leg_to(SATO_PHONE)
    live.twilio.answer(leg)
    unfinished = live.twilio.network.start_recording(call.leg, "DialVerb", 2, None)
    event = CallEvent(
        f"{call.sid}:early", EventKind.RECORDING, call.sid, call.sid, datetime.now(UTC), recording_id=unfinished.sid
    )
    live.bridge.calls.receive(event, {}, lambda _: "")
    answer = ask(live, unfinished.sid)
    assert answer.headers["Retry-After"] == "10"
    assert "準備中" in refusal(answer, 409, "recording_not_ready")
    assert "not ready" in refusal(ask(live, unfinished.sid, language="en"), 409, "recording_not_ready")
    live.twilio.network.stop_recording(unfinished)
    with ask(live, unfinished.sid) as answer:
        assert answer.status_code == 200


def test_a_deleted_recording_is_gone_for_good(live: Running) -> None:
    recording_id = recorded(live)
    url = f"{live.twilio.url}/2010-04-01/Accounts/{live.twilio.account_sid}/Recordings/{recording_id}.json"
    deleted = requests.delete(url, auth=(live.twilio.account_sid, live.twilio.auth_token), timeout=5)
    assert deleted.status_code == 204
    assert "もうありません" in refusal(ask(live, recording_id), 410, "recording_deleted")
    assert "no longer exists" in refusal(ask(live, recording_id, language="en"), 410, "recording_deleted")
    with ask(live, f"{recording_id}/call") as answer:
        assert answer.status_code == 200, "which call it was is still known"


def test_a_network_that_refuses_or_is_away_is_no_dead_end(live: Running) -> None:
    recording_id = recorded(live)
    live.twilio.refuse(20500, "Internal Server Error", 500)
    assert "Twilio" in refusal(ask(live, recording_id), 503, "recording_unreachable")
    live.twilio.auth_token = "rotated without telling the bridge"
    refusal(ask(live, recording_id), 503, "recording_unreachable")
    live.twilio.close()
    for _ in range(MOST_AT_ONCE + 1):
        words = refusal(ask(live, recording_id, language="en"), 503, "recording_unreachable")
        assert "tell your administrator" in words


# ── passing on ───────────────────────────────────────────────────────────────────────────────────────────────────────


def made_up(monkeypatch: pytest.MonkeyPatch, chunks: Callable[[], Iterator[bytes]], closed: Callable[[], None]) -> None:
    """Have the network give this sound."""
    monkeypatch.setattr(PhoneNetwork, "open_recording", lambda *_: Sound(200, {}, chunks(), closed))


def test_a_recording_is_not_held_in_memory_and_not_read_on_when_nobody_listens(
    live: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_id = recorded(live)
    passed: list[int] = []
    closed = threading.Event()

    def endless() -> Iterator[bytes]:
        while not closed.is_set():
            passed.append(CHUNK)
            yield bytes(CHUNK)

    made_up(monkeypatch, endless, closed.set)
    with ask(live, recording_id) as answer:
        assert len(next(answer.iter_content(CHUNK))) > 0
    assert closed.wait(10), "the sound was not closed when the listener went away"
    assert passed, "it was read while it was passed on"


def test_a_sound_that_breaks_off_is_seen_to_be_broken_and_frees_its_place(
    live: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_id = recorded(live)
    freed = threading.Semaphore(0)

    def broken() -> Iterator[bytes]:
        yield bytes(100)
        raise PhoneNetworkError("Twilio broke off a recording (ConnectionError).")

    headers = {"Content-Length": "1000"}
    monkeypatch.setattr(PhoneNetwork, "open_recording", lambda *_: Sound(200, headers, broken(), freed.release))
    for _ in range(MOST_AT_ONCE + 1):
        with ask(live, recording_id) as answer:
            assert answer.status_code == 200
            with pytest.raises(requests.exceptions.ChunkedEncodingError):
                _ = answer.content
        assert freed.acquire(timeout=10), "its place was not freed"


def test_listeners_never_take_all_threads(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    recording_id = recorded(live)
    go_on = threading.Event()

    def slow() -> Iterator[bytes]:
        yield b"x"
        go_on.wait(10)

    made_up(monkeypatch, slow, lambda: None)
    headers = signed_in(live, live.sato)
    url = f"{live.base}/api/recordings/{recording_id}"
    listening = [requests.get(url, headers=headers, timeout=10, stream=True) for _ in range(MOST_AT_ONCE)]
    assert {answer.status_code for answer in listening} == {200}
    answer = ask(live, recording_id)
    assert answer.headers["Retry-After"] == "5"
    refusal(answer, 503, "recordings_busy")
    assert "Too many" in refusal(ask(live, recording_id, language="en"), 503, "recordings_busy")
    go_on.set()
    for answer in listening:
        assert answer.content == b"x"

    def again() -> bool:
        with ask(live, recording_id) as answer:
            return answer.status_code == 200

    live.eventually(again, "a place to become free")
