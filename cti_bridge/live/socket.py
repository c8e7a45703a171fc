"""One agent's socket: sends whole frames without ever waiting, and is cut when it cannot take one.

flask-sock's own ``send`` blocks the publisher on one stalled tab and can tear a frame in two (simple-websocket #45), so
frames are built here and sent to the TCP socket in one piece; a short write ends the socket, which comes back and gets
the present state.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from contextlib import suppress
from typing import Any

from simple_websocket import Server

from cti_bridge.live import topics

GOING_AWAY = 1001
SIGNED_OUT = 1008
TRY_AGAIN_LATER = 1013
_PING = b"\x89\x00"


def text_frame(frame: dict[str, Any]) -> bytes:
    """A WebSocket text frame, unmasked as servers send them (RFC 6455 §5.2)."""
    payload = json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()
    if len(payload) < 126:
        return struct.pack("!BB", 0x81, len(payload)) + payload
    if len(payload) < 65_536:
        return struct.pack("!BBH", 0x81, 126, len(payload)) + payload
    return struct.pack("!BBQ", 0x81, 127, len(payload)) + payload


class AgentSocket:
    """A socket after its hello. ``versions`` remembers which version of each call it has, ``last`` everything else.

    Nothing goes before the snapshot: a widget that has none yet has nothing to change, and would lose the frame.
    """

    def __init__(self, server: Server, agent_id: int, session_id: str | None = None) -> None:
        self.agent_id = agent_id
        self.session_id = session_id
        self.versions: dict[str, int] = {}
        self.last: dict[str, bytes] = {}
        self.open = True
        self._server = server
        self._lock = threading.Lock()
        self._begun = False
        self._held_back: set[str] = set()

    def begin(self, snapshot: bytes, versions: dict[str, int]) -> tuple[bool, set[str]]:
        """Send the first frame, with these calls in it. Returns also the topics held back until now: look at them."""
        with self._lock:
            self.versions.update(versions)
            self._begun = True
            sent = self._send(snapshot)
            held_back, self._held_back = self._held_back, set()
        return sent, held_back

    def send_call(self, call_id: str, version: int, frame: bytes) -> bool:
        """Send a call's state unless this socket has it, or a newer one."""
        with self._lock:
            if not self._begun:
                self._held_back.add(topics.call_topic(call_id))
            elif self.versions.get(call_id, 0) < version:
                self.versions[call_id] = version
                return self._send(frame)
            return self.open

    def send_if_changed(self, topic: str, frame: bytes) -> bool:
        """Send this topic's state unless it is the last that was sent."""
        with self._lock:
            if not self._begun:
                self._held_back.add(topic)
            elif self.last.get(topic) != frame:
                self.last[topic] = frame
                return self._send(frame)
            return self.open

    def _send(self, frame: bytes) -> bool:
        """Hand the frame to the network at once; False, and the socket is cut, when it cannot take all of it."""
        if not self.open:
            return False
        try:
            taken = self._server.sock.send(frame, socket.MSG_DONTWAIT)
        except OSError:
            taken = -1
        if taken != len(frame):
            self._cut()
        return self.open

    def ping(self) -> bool:
        """Ask whether anybody is still there; False, and the socket is cut, when the last ping went unanswered."""
        with self._lock:
            if not self._server.pong_received:
                self._cut()
            self._server.pong_received = False
            return self._send(_PING)

    def close(self, code: int) -> None:
        """Say goodbye without waiting for an answer."""
        with self._lock, suppress(OSError):
            if self.open:
                self._server.sock.send(struct.pack("!BBH", 0x88, 2, code), socket.MSG_DONTWAIT)
            self._cut()

    def _cut(self) -> None:
        self.open = False
        with suppress(OSError):
            self._server.sock.shutdown(socket.SHUT_RD)
