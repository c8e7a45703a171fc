"""A whole bridge on loopback for tests: real HTTP and WebSocket, the simulated phone network, a CRM in memory."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TextIO, TypeVar
from unittest import mock

import jsonschema
import requests
from argon2 import PasswordHasher
from flask import Flask
from simple_websocket import Client, ConnectionClosed
from werkzeug.serving import make_server

from cti_bridge import calls, live, logbook, outbox
from cti_bridge.app import Bridge, CTIBridge, bridge_of
from cti_bridge.live import delivery
from cti_bridge.model import Agent
from cti_bridge.simulator import Simulator
from cti_bridge.store import Database, directory
from tests.fakes.memory import MemoryConnector

T = TypeVar("T")
Frame = dict[str, Any]

MAIN_LINE = "+815031234567"
ENGLISH_LINE = "+815031234568"
SATO_PHONE = "+818000000001"
SUZUKI_PHONE = "+818000000002"
PASSWORD = "correct horse battery"
PATIENCE = 10.0
"""Seconds to wait for what must come; nothing that works takes a fraction of it."""

SCHEMA = json.loads((Path(live.__file__).parent / "frames.schema.json").read_text("utf-8"))
_DEFINED = {
    "hello": "hello",
    "snapshot": "snapshot",
    "call": "callFrame",
    "presence": "presenceFrame",
    "missed": "missedFrame",
    "health": "healthFrame",
    "error": "errorFrame",
}
_VALIDATORS = {
    kind: jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})
    for kind, name in _DEFINED.items()
}


def mistakes_in(frame: Frame) -> list[str]:
    """What is wrong with a frame by the live protocol's schema."""
    errors = _VALIDATORS[frame["type"]].iter_errors(frame)
    return [f"{frame['type']} {error.json_path}: {error.message}" for error in errors]


class Screen:
    """An agent's screen: signs in, opens the live socket, keeps the newest state of every call as a widget does.

    Every frame is held against the protocol: its schema, and that a call's version never goes back. What a widget
    would lose because it came before the snapshot, this loses too.
    """

    def __init__(self, base: str, origin: str, email: str, language: str = "ja") -> None:
        self.base = base
        self.headers = {"Accept-Language": language}
        answer = requests.post(
            f"{base}/api/session", json={"email": email, "password": PASSWORD}, headers=self.headers, timeout=10
        )
        answer.raise_for_status()
        self.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        self.frames: list[Frame] = []
        self.mistakes: list[str] = []
        self.closed_with: int | None = None
        self.calls: dict[str, Frame] = {}
        self.missed: list[Frame] = []
        self.health: Frame = {}
        self.agent: Frame = answer.json()["agent"]
        self._news = threading.Condition()
        ticket = self.api("POST", "/tickets").json()["ticket"]
        self._socket = Client.connect(base.replace("http", "ws", 1) + "/live", headers={"Origin": origin})
        self._socket.send(json.dumps({"v": 1, "type": "hello", "ticket": ticket}))
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.wait_for(lambda: any(frame["type"] == "snapshot" for frame in self.frames), "a snapshot")

    def api(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"{self.base}/api{path}", json=body, headers=self.headers, timeout=20)

    def wait_for(self, test: Callable[[], T], what: str = "") -> T:
        with self._news:
            self._news.wait_for(lambda: bool(test()), PATIENCE)
            found = test()
        assert found, (
            f"waited {PATIENCE:.0f} s for {what or 'something'}; calls: {self.calls}; last: {self.frames[-2:]}"
        )
        return found

    def card(self, call_id: str, what: str = "", **expected: Any) -> Frame:
        """Wait until the card of this call shows these top-level members."""

        def shown() -> Frame | None:
            card = self.calls.get(call_id)
            return card if card and all(card[name] == value for name, value in expected.items()) else None

        return self.wait_for(shown, what or f"a card with {expected}") or {}

    def close(self) -> None:
        with suppress(ConnectionClosed):
            self._socket.close()
        self._thread.join(2)
        self._socket.thread.join(2)
        assert not self.mistakes, self.mistakes

    def _read(self) -> None:
        try:
            while True:
                frame = json.loads(self._socket.receive())
                with self._news:
                    self._take(frame)
                    self._news.notify_all()
        except (ConnectionClosed, TypeError, OSError) as end:
            with self._news:
                self.closed_with = getattr(end, "reason", None)
                self.frames.append({"type": "closed"})
                self._news.notify_all()

    def _take(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.mistakes += mistakes_in(frame)
        if frame["type"] == "snapshot":
            self.calls = {}
        elif not self.frames or self.frames[0]["type"] != "snapshot":
            self.mistakes.append(f"a {frame['type']} frame before the snapshot")
        for call in [*frame.get("calls", []), *([frame["call"]] if "call" in frame else [])]:
            shown = self.calls.get(call["id"], {"version": 0})["version"]
            if call["version"] <= shown:
                self.mistakes.append(f"{call['id']} came as version {call['version']} after {shown}")
            self.calls[call["id"]] = call
        self.missed = frame.get("missed", self.missed)
        self.health = frame.get("health", self.health)
        self.agent = frame.get("agent", self.agent)


@dataclass
class Running:
    """The bridge, the network and the CRM of one test."""

    bridge: Bridge
    app: Flask
    url: str
    prefix: str
    twilio: Simulator
    crm: MemoryConnector
    sato: Agent
    suzuki: Agent
    screens: list[Screen] = field(default_factory=list)

    @property
    def base(self) -> str:
        return self.url + self.prefix

    def screen(self, agent: Agent | None = None, language: str = "ja") -> Screen:
        opened = Screen(self.base, self.url, (agent or self.sato).email, language)
        self.screens.append(opened)
        return opened

    def eventually(self, test: Callable[[], T], what: str = "") -> T:
        """Wait for something that no frame tells, such as a log in the CRM."""
        deadline = time.monotonic() + PATIENCE
        pause = threading.Event()
        while not (found := test()):
            assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for {what or 'something'}"
            pause.wait(0.01)
        return found


@contextmanager
def running(
    database: Database,
    *,
    prefix: str = "",
    app: Flask | None = None,
    crm: MemoryConnector | None = None,
    **settings: Any,
) -> Iterator[Running]:
    """Start everything on free ports, with two agents on a Japanese line and one of them on an English one."""
    crm = crm or MemoryConnector()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    doors = f"{url}{prefix}/twilio/voice"
    number = {"voice_url": f"{doors}/incoming", "status_callback": f"{doors}/status"}
    with impatience(), Simulator({MAIN_LINE: number, ENGLISH_LINE: number}) as twilio:
        app = app or Flask("host")
        app.config.update(
            {
                "CTI_PUBLIC_URL": url,
                "CTI_SECRET_KEY": "a secret for tests that is long enough",
                "DATABASE_URL": database.url.render_as_string(hide_password=False),
                "TWILIO_ACCOUNT_SID": twilio.account_sid,
                "TWILIO_AUTH_TOKEN": twilio.auth_token,
                "CTI_TWILIO_API_URL": twilio.url,
                **settings,
            }
        )
        CTIBridge(app, url_prefix=prefix, connector=crm)
        bridge = bridge_of(app)
        sato, suzuki = people(bridge)
        with serving(app, port):
            started = Running(bridge, app, url, prefix, twilio, crm, sato, suzuki)
            try:
                yield started
            finally:
                crm.gate.set()
                with ExitStack() as closing:
                    closing.callback(stop, bridge)
                    closing.callback(twilio.close)  # first of all: a webhook after the stop would open the database
                    for screen in started.screens:
                        closing.callback(screen.close)


def stop(bridge: Bridge) -> None:
    """Stop it when it has nothing under way any more, so that no connection is left open behind its back."""
    pool = bridge.lookups._pool
    bridge.lookups.close()
    if pool is not None:
        pool.shutdown(wait=True)
    bridge.stop()


@contextmanager
def serving(app: Flask, port: int) -> Iterator[None]:
    """Serve this app on loopback with a bridge in it, and stop the server (not the bridge) at the end."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    bridge_of(app).start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


@contextmanager
def impatience() -> Iterator[None]:
    """Waits that protect a real installation, cut short: nobody attacks a test's passwords, and its network is near."""
    cheap = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    with (
        mock.patch("cti_bridge.auth.passwords.PasswordHasher", cheap),
        mock.patch.object(outbox, "IDLE", 0.05),
        mock.patch.object(calls, "SETTLING", timedelta(seconds=0.2)),
        mock.patch.object(delivery, "MISSED_PAUSE", 0.05),
    ):
        yield


def people(bridge: Bridge) -> tuple[Agent, Agent]:
    """Sato and Suzuki on the main line, Sato alone on the English one."""
    with bridge.database.transaction() as connection:
        hashed = _hash(bridge)
        ids = [
            directory.add_agent(connection, email=email, name=name, password_hash=hashed, language="ja", phone=phone)
            for email, name, phone in (
                ("sato@example.co.jp", "佐藤", SATO_PHONE),
                ("suzuki@example.co.jp", "鈴木", SUZUKI_PHONE),
            )
        ]
        directory.add_line(
            connection,
            number=MAIN_LINE,
            name="代表",
            greeting="お電話ありがとうございます。山田商事でございます。",
            language="ja",
            agent_ids=ids,
        )
        directory.add_line(
            connection, number=ENGLISH_LINE, name="Support", greeting="Hello.", language="en", agent_ids=ids[:1]
        )
    known = bridge.directory.refresh()
    return known.agents[ids[0]], known.agents[ids[1]]


_HASHES: dict[str, str] = {}


def _hash(bridge: Bridge) -> str:
    """Hashing a password takes a while on purpose; once is enough for all tests."""
    if PASSWORD not in _HASHES:
        _HASHES[PASSWORD] = bridge.auth.hash_password(PASSWORD)
    return _HASHES[PASSWORD]


@contextmanager
def logging_to(stream: TextIO) -> Iterator[None]:
    """Have the bridge's log lines written here, as the stand-alone app writes them to standard error."""
    ours = logging.getLogger("cti_bridge")
    before = ours.handlers, ours.level, ours.propagate
    logbook.configure(stream=stream)
    try:
        yield
    finally:
        ours.handlers, ours.propagate = before[0], before[2]
        ours.setLevel(before[1])
