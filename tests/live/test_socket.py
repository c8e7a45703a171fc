"""The live socket: who may open it, what is said when something is wrong, and that nobody's trouble is another's."""

from __future__ import annotations

import base64
import itertools
import json
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from simple_websocket import Client, ConnectionClosed

from cti_bridge.auth import Auth, door
from cti_bridge.errors import StoreUnavailable
from cti_bridge.live import delivery, routes
from cti_bridge.live.socket import AgentSocket, text_frame
from cti_bridge.store import Database, directory, migrate
from tests.running import MAIN_LINE, PATIENCE, Running, mistakes_in, running

TARO = "+819012345678"


@pytest.fixture
def live(database: Database) -> Iterator[Running]:
    with running(database) as started:
        yield started


class Visitor:
    """Opens /live and says what it is told to: not necessarily a well-behaved widget. Leaves when the test is over."""

    here: ClassVar[list[Visitor]] = []

    def __init__(self, live: Running) -> None:
        self._socket = Client.connect(live.base.replace("http", "ws", 1) + "/live", headers={"Origin": live.url})
        self.here.append(self)

    def say(self, frame: Any) -> None:
        self._socket.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))

    def hear(self) -> Any:
        text = self._socket.receive(timeout=PATIENCE)
        assert text is not None, "heard nothing"
        return json.loads(text)

    def hello(self, ticket: str) -> Any:
        self.say({"v": 1, "type": "hello", "ticket": ticket})
        return self.hear()

    def close_code(self) -> int:
        """The code that the server closes with, waited for."""
        try:
            while self._socket.receive(timeout=PATIENCE) is not None:
                pass
        except ConnectionClosed as closed:
            return int(closed.reason)
        raise AssertionError("the server did not close the socket")

    def leave(self) -> None:
        with suppress(ConnectionClosed, OSError):
            self._socket.close()
            self._socket.sock.shutdown(socket.SHUT_RDWR)
        self._socket.thread.join(2)


@pytest.fixture(autouse=True)
def everybody_leaves() -> Iterator[None]:
    yield
    while Visitor.here:
        Visitor.here.pop().leave()


def ticket(live: Running) -> str:
    return live.bridge.auth.issue_ticket(live.sato)


# ── the hello ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("no JSON at all", "bad_frame"),
        ("[]", "bad_frame"),
        ('"hello"', "bad_frame"),
        ("[" * 9000, "bad_frame"),
        (b"\xff\xfe", "bad_frame"),
        ({"v": 1, "type": "hello"}, "bad_frame"),
        ({"v": 1, "type": "goodbye", "ticket": "x"}, "bad_frame"),
        ({"v": 1, "type": "hello", "ticket": 7}, "bad_frame"),
        ({"v": 2, "type": "hello", "ticket": "x"}, "bad_version"),
        ({"v": 1, "type": "hello", "ticket": "made up"}, "ticket_invalid"),
        ({"v": 1, "type": "hello", "ticket": ""}, "ticket_invalid"),
    ],
)
def test_a_hello_that_is_not_one_is_told_why_and_closed(shared: Running, frame: Any, code: str) -> None:
    visitor = Visitor(shared)
    visitor.say(frame)
    error = visitor.hear()
    assert (error["type"], error["code"]) == ("error", code)
    assert error["message"]
    assert mistakes_in(error) == []
    assert visitor.close_code() == routes.REFUSED


def test_a_ticket_opens_one_socket_only(shared: Running) -> None:
    once = ticket(shared)
    assert Visitor(shared).hello(once)["type"] == "snapshot"
    second = Visitor(shared)
    assert second.hello(once)["code"] == "ticket_used"
    assert second.close_code() == routes.REFUSED


def test_a_ticket_that_is_too_old_is_told_so(shared: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    old = ticket(shared)
    monkeypatch.setattr(door, "TICKET_LIFE", timedelta(seconds=-1))
    assert Visitor(shared).hello(old)["code"] == "ticket_expired"


def test_a_bearer_token_or_another_bridges_ticket_is_no_ticket(shared: Running) -> None:
    _, token = shared.bridge.auth.sign_in("sato@example.co.jp", "correct horse battery")
    assert Visitor(shared).hello(token)["code"] == "ticket_invalid"
    foreign = Auth("another bridge's secret", shared.bridge.database).issue_ticket(shared.sato)
    assert Visitor(shared).hello(foreign)["code"] == "ticket_invalid"


def test_a_ticket_of_somebody_who_has_left_the_company_opens_nothing(live: Running) -> None:
    issued = ticket(live)
    with live.bridge.database.transaction() as connection:
        directory.change_agent(connection, live.sato.id, active=False)
    live.bridge.directory.refresh()
    assert Visitor(live).hello(issued)["code"] == "ticket_invalid"


def test_who_says_nothing_is_not_waited_for_for_ever(shared: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "HELLO_WITHIN", 0.2)
    visitor = Visitor(shared)
    assert visitor.hear()["code"] == "hello_expected"
    assert visitor.close_code() == routes.REFUSED


def test_an_oversized_frame_closes_the_socket_with_1009(shared: Running) -> None:
    visitor = Visitor(shared)
    assert visitor.hello(ticket(shared))["type"] == "snapshot"
    visitor.say("x" * (routes.LARGEST_FRAME + 1))
    assert visitor.close_code() == 1009


def test_frames_after_the_hello_are_ignored(shared: Running) -> None:
    visitor = Visitor(shared)
    visitor.hello(ticket(shared))
    visitor.say({"v": 1, "type": "from a later version"})
    visitor.say("no JSON at all")
    shared.bridge.hub.wake("agent:1")
    assert visitor.hear()["type"] in ("presence", "health")
    visitor.leave()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://127.0.0.1"])
def test_a_foreign_origin_or_none_is_refused_before_the_upgrade(shared: Running, origin: str) -> None:
    assert _answer(shared, origin=origin).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("broken", ["use_ticket", "join"])
def test_a_lost_database_is_told_as_our_trouble_not_the_widgets(
    live: Running, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def gone(*_: object) -> None:
        raise StoreUnavailable

    issued = ticket(live)
    if broken == "use_ticket":
        monkeypatch.setattr(live.bridge.auth, "use_ticket", gone)
    else:
        monkeypatch.setattr("cti_bridge.store.calls.live_calls", gone)
    visitor = Visitor(live)
    assert visitor.hello(issued)["code"] == "server_error"
    assert visitor.close_code() == routes.BROKEN
    live.eventually(lambda: live.bridge.delivery.connected == 0, "the socket to be forgotten")


# ── how many, and who is slow ────────────────────────────────────────────────────────────────────────────────────────


def test_one_socket_too_many_is_told_to_try_again_later_and_a_freed_place_is_given_again(database: Database) -> None:
    with running(database, CTI_MAX_SOCKETS="2") as live:
        first, second = (Visitor(live) for _ in range(2))
        for visitor in (first, second):
            assert visitor.hello(ticket(live))["type"] == "snapshot"
        told = _answer(live, origin=live.url, until=b"\x88\x02\x03\xf5")  # a close frame: 1013
        assert b'"code":"too_many_sockets"' in told
        first.leave()

        def admitted() -> bool:
            try:
                return bool(Visitor(live).hello(ticket(live))["type"] == "snapshot")
            except ConnectionClosed:  # sent away before it could say hello
                return False

        live.eventually(admitted, "the freed place")


def test_deflate_is_not_accepted(shared: Running) -> None:
    answer = _answer(shared, origin=shared.url, more="Sec-WebSocket-Extensions: permessage-deflate\r\n")
    assert answer.startswith(b"HTTP/1.1 101")
    assert b"deflate" not in answer.lower()


def test_a_tab_that_never_reads_is_cut_and_holds_up_nobody(live: Running) -> None:
    screen = live.screen()
    stalled = _stalled(live)
    live.eventually(lambda: live.bridge.delivery.connected == 2, "the stalled tab")
    call = live.twilio.call_in(TARO, MAIN_LINE)
    screen.card(call.sid, phase="ringing", stage=2)
    dropped = live.bridge.metrics.sockets_dropped
    for count in itertools.count():
        note = f"{count} {'あ' * 15_000}"
        live.bridge.calls.save_draft(live.sato, call.sid, note, None)
        screen.wait_for(lambda note=note: screen.calls[call.sid]["draft"]["note"] == note, "the reader's frame")  # type: ignore[misc]
        if live.bridge.delivery.connected == 1:
            break
        assert count < 400, "the stalled tab was never cut"
    assert dropped._value.get() >= 1
    live.bridge.calls.save_draft(live.sato, call.sid, "最後", None)
    screen.wait_for(lambda: screen.calls[call.sid]["draft"]["note"] == "最後", "the last note")
    stalled.close()


def test_a_socket_that_answers_no_ping_is_cut(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "HEARTBEAT", 0.05)
    monkeypatch.setattr(delivery, "SWEEP", 0.1)
    screen = live.screen()
    silent = _stalled(live)
    live.eventually(lambda: live.bridge.delivery.connected == 2, "the silent client")
    live.eventually(lambda: live.bridge.delivery.connected == 1, "the silent client to be cut")
    assert screen.closed_with is None, "who answers stays"
    silent.close()


def test_connecting_many_times_leaks_neither_threads_nor_sockets(live: Running) -> None:
    Visitor(live).leave()
    live.eventually(lambda: live.bridge.delivery.connected == 0)
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for count in range(200):
        visitor = Visitor(live)
        if count % 3:
            visitor.hello(ticket(live))
        if count % 2:
            visitor.leave()
        else:
            visitor._socket.sock.shutdown(socket.SHUT_RDWR)  # gone without a word
    live.eventually(lambda: live.bridge.delivery.connected == 0, "all sockets to be forgotten")
    live.eventually(lambda: threading.active_count() <= threads + 5, "the threads to end")
    live.eventually(lambda: len(os.listdir("/proc/self/fd")) <= files + 10, "the sockets to be closed")  # noqa: PTH208
    assert live.bridge.metrics.sockets._value.get() == 0


# ── the frames on the wire ───────────────────────────────────────────────────────────────────────────────────────────


class Wire:
    """Stands for simple-websocket's server: takes so many bytes at once, or is broken."""

    def __init__(self, takes: int = 10**9, *, broken: bool = False) -> None:
        self.sock = self
        self.pong_received = True
        self.sent: list[bytes] = []
        self.cut = False
        self._takes, self._broken = takes, broken

    def send(self, frame: bytes, _flags: int = 0) -> int:
        if self._broken:
            raise BrokenPipeError
        self.sent.append(frame)
        return min(len(frame), self._takes)

    def shutdown(self, _how: int) -> None:
        self.cut = True


def an_agent_socket(wire: Wire) -> AgentSocket:
    return AgentSocket(wire, 1)


@pytest.mark.parametrize("size", [0, 100, 200, 70_000])
def test_a_text_frame_of_any_length_is_read_back_whole(size: int) -> None:
    payload = json.dumps({"t": "x" * size}, separators=(",", ":")).encode()
    frame = text_frame({"t": "x" * size})
    assert frame[0] == 0x81
    length, start = frame[1], 2
    if length == 126:
        [length], start = struct.unpack("!H", frame[2:4]), 4
    elif length == 127:
        [length], start = struct.unpack("!Q", frame[2:10]), 10
    assert (length, frame[start:]) == (len(payload), payload)


def test_a_socket_that_takes_half_a_frame_is_cut() -> None:
    wire = Wire(takes=3)
    connected = an_agent_socket(wire)
    assert connected.begin(b"snapshot", {})[0] is False
    assert wire.cut
    assert connected.send_call("CA1", 1, b"frame") is False
    assert wire.sent == [b"snapshot"], "nothing follows a torn frame"


def test_a_broken_socket_is_cut_and_can_still_be_closed() -> None:
    wire = Wire(broken=True)
    connected = an_agent_socket(wire)
    assert connected.begin(b"snapshot", {})[0] is False
    connected.close(1001)
    assert wire.cut


def test_a_call_is_sent_once_per_version_and_never_goes_back() -> None:
    wire = Wire()
    connected = an_agent_socket(wire)
    connected.begin(b"snapshot", {"CA1": 3})
    for version in (2, 3, 5, 4, 5, 6):
        assert connected.send_call("CA1", version, b"version %d" % version)
    assert wire.sent == [b"snapshot", b"version 5", b"version 6"]


def test_what_does_not_change_is_not_sent_again() -> None:
    wire = Wire()
    connected = an_agent_socket(wire)
    connected.begin(b"snapshot", {})
    for frame in (b"good", b"good", b"bad", b"good"):
        connected.send_if_changed("health", frame)
    assert wire.sent == [b"snapshot", b"good", b"bad", b"good"]


def test_nothing_goes_before_the_snapshot_and_nothing_held_back_is_forgotten() -> None:
    wire = Wire()
    connected = an_agent_socket(wire)
    assert connected.send_call("CA1", 1, b"call")
    assert connected.send_if_changed("health", b"health")
    assert wire.sent == []
    sent, held_back = connected.begin(b"snapshot", {})
    assert (sent, held_back) == (True, {"call:CA1", "health"})
    assert connected.send_call("CA1", 1, b"call")
    assert wire.sent == [b"snapshot", b"call"]


def test_closing_says_goodbye_once() -> None:
    wire = Wire()
    connected = an_agent_socket(wire)
    connected.close(1001)
    connected.close(1001)
    assert wire.sent == [b"\x88\x02\x03\xe9"]
    assert connected.ping() is False


# ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One bridge for all tests of the hello; none of them changes anything that another sees."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('live') / 'bridge.db'}")
    migrate.upgrade(database)
    with running(database) as started:
        yield started
    database.close()


def _upgrade(host: str, *, origin: str, more: str = "") -> bytes:
    key = base64.b64encode(b"0123456789abcdef").decode()
    return (
        f"GET /live HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{more}"
        + (f"Origin: {origin}\r\n" if origin else "")
        + "\r\n"
    ).encode()


def _answer(live: Running, *, origin: str, more: str = "", until: bytes = b"\r\n\r\n") -> bytes:
    """What is answered to a request for an upgrade, byte by byte.

    simple-websocket's client loses frames that come together with the upgrade's own answer; browsers do not.
    """
    host, port = live.url.removeprefix("http://").split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as raw:
        raw.sendall(_upgrade(host, origin=origin, more=more))
        while until not in answer and (more_of_it := raw.recv(1000)):
            answer += more_of_it
    return answer


def _stalled(live: Running) -> socket.socket:
    """A client that says hello and then never reads, nor answers, again."""
    host, port = live.url.removeprefix("http://").split(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    raw.connect((host, int(port)))
    raw.sendall(_upgrade(host, origin=live.url))
    raw.recv(200)
    hello = json.dumps({"v": 1, "type": "hello", "ticket": ticket(live)}).encode()
    masked = bytes(byte ^ mask for byte, mask in zip(hello, b"abcd" * len(hello), strict=False))
    raw.sendall(struct.pack("!BBH", 0x81, 0x80 | 126, len(hello)) + b"abcd" + masked)
    return raw
