"""Agents' screens: raw WebSockets read by one thread, which notes when each frame came and keeps it unread."""

from __future__ import annotations

import base64
import json
import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from cti_bridge.bench.table import NotMeasured

WAVE = 25
"""Sockets that open at the same time."""

_PONG = b"\x8a\x80\x00\x00\x00\x00"
_PING = 0x89
_TEXT = 0x81


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame: which screen got it, when on the monotonic clock, and its text."""

    screen: int
    at: float
    text: bytes

    def read(self) -> Any:
        return json.loads(self.text)


class Screens:
    """All the sockets of one bench row."""

    def __init__(self, url: str, tickets: Sequence[str]) -> None:
        self.arrivals: list[Arrival] = []
        self.closed = 0
        self._url = url
        self._tickets = tickets
        self._selector = selectors.DefaultSelector()
        self._buffers: dict[int, bytearray] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._read, name="screens", daemon=True)

    def __enter__(self) -> Self:
        """Connect all and wait until each has its snapshot. Raises NotMeasured."""
        self._thread.start()
        try:
            for first in range(0, len(self._tickets), WAVE):
                last = min(first + WAVE, len(self._tickets))
                for number in range(first, last):
                    self._connect(number)
                self.wait_for(lambda last=last: len(self.of("snapshot")) >= last, "the sockets' snapshots")  # type: ignore[misc]
        except (OSError, NotMeasured):
            self.__exit__()
            raise
        return self

    def __exit__(self, *_problem: object) -> None:
        self._stopping = True
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            _close(key.fileobj)
        self._selector.close()

    def __len__(self) -> int:
        return len(self._tickets)

    def forget(self) -> None:
        """Begin anew: drop what has arrived."""
        self.arrivals = []

    def calls(self) -> list[tuple[float, Any]]:
        """When a card came, and the card; in the order of arrival."""
        return [(arrival.at, arrival.read()["call"]) for arrival in self.of("call")]

    def of(self, kind: str) -> list[Arrival]:
        """The frames of this type, in the order of arrival."""
        mark = f'{{"v":1,"type":"{kind}"'.encode()
        return [arrival for arrival in self.arrivals if arrival.text.startswith(mark)]

    def wait_for(self, test: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Raises NotMeasured when it does not come true in time."""
        deadline = time.monotonic() + seconds
        while not test():
            if time.monotonic() > deadline:
                raise NotMeasured(f"{what} did not come within {seconds:.0f} s")
            time.sleep(0.02)

    def _connect(self, number: int) -> None:
        parts = urlsplit(self._url)
        connected = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        connected.sendall(
            f"GET /live HTTP/1.1\r\nHost: {parts.netloc}\r\nOrigin: {self._url}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = connected.recv(4096)
            if not more:
                raise NotMeasured(f"socket {number} was refused: {answer[:60]!r}")
            answer += more
        if b" 101 " not in answer[:20]:
            raise NotMeasured(f"socket {number} was refused: {answer[:60]!r}")
        hello = json.dumps({"v": 1, "type": "hello", "ticket": self._tickets[number]}).encode()
        connected.sendall(struct.pack("!BBH4x", _TEXT, 0x80 | 126, len(hello)) + hello)  # masked with zeros
        connected.setblocking(False)
        self._buffers[number] = bytearray()
        self._selector.register(connected, selectors.EVENT_READ, number)

    def _read(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(0.05):
                sock, number = key.fileobj, key.data
                if not isinstance(sock, socket.socket):
                    continue
                try:
                    data = sock.recv(262_144)
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                at = time.perf_counter()
                if not data:
                    self.closed += 1
                    self._selector.unregister(sock)
                    sock.close()
                    continue
                self._take(sock, number, data, at)

    def _take(self, sock: socket.socket, number: int, data: bytes, at: float) -> None:
        buffer = self._buffers[number]
        buffer += data
        while (frame := _first_frame(buffer)) is not None:
            opcode, start, end = frame
            if opcode == _TEXT:
                self.arrivals.append(Arrival(number, at, bytes(buffer[start:end])))
            elif opcode == _PING:
                sock.send(_PONG)
            del buffer[:end]


def _first_frame(buffer: bytearray) -> tuple[int, int, int] | None:
    """Opcode byte, start and end of the first whole frame's payload; servers' frames are not masked."""
    if len(buffer) < 2:
        return None
    start, length = 2, buffer[1]
    if length == 126:
        start = 4
        length = int.from_bytes(buffer[2:4]) if len(buffer) >= 4 else 1 << 62
    elif length == 127:
        start = 10
        length = int.from_bytes(buffer[2:10]) if len(buffer) >= 10 else 1 << 62
    return (buffer[0], start, start + length) if len(buffer) >= start + length else None


def _close(file: object) -> None:
    if isinstance(file, socket.socket):
        file.close()
