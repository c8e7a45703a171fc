"""States reach the screens whatever happens to the wake-ups, between processes too, and the farewell is heard."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from simple_websocket import Client, ConnectionClosed

from cti_bridge.app import CTIBridge, bridge_of
from cti_bridge.errors import StoreUnavailable
from cti_bridge.live import delivery, topics
from cti_bridge.live.hub import Hub, PostgresHub
from cti_bridge.live.socket import AgentSocket
from cti_bridge.model import Call, Caller, CallerKind, Direction
from cti_bridge.settings import Settings
from cti_bridge.store import Database, calls, directory
from cti_bridge.store.calls import CallRecord
from tests.running import MAIN_LINE, PATIENCE, SATO_PHONE, Running, Screen, running, serving, stop

TARO = "+819012345678"


@pytest.fixture
def live(database: Database) -> Iterator[Running]:
    with running(database) as started:
        yield started


def beat_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweep and beat many times a second; no client answers pings that fast, so there are none."""
    monkeypatch.setattr(delivery, "SWEEP", 0.05)
    monkeypatch.setattr(delivery, "HEARTBEAT", 0.05)
    monkeypatch.setattr(AgentSocket, "ping", lambda _: True)


# ── lost wake-ups ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_with_every_wake_up_lost_the_sweep_still_shows_the_call(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    beat_fast(monkeypatch)
    monkeypatch.setattr(live.bridge.hub, "wake", lambda *_: None)
    live.crm.add("c1", "山田 太郎", TARO)
    screen = live.screen()
    call = live.twilio.call_in(TARO, MAIN_LINE)
    screen.card(call.sid, phase="ringing", stage=3)
    live.twilio.answer(call.leg_to(SATO_PHONE))
    screen.card(call.sid, phase="talking")
    screen.wait_for(lambda: screen.agent["presence"] == "on_call", "presence")
    call.hang_up()
    screen.card(call.sid, phase="wrapping_up")
    missed = live.twilio.call_in(TARO, MAIN_LINE)
    missed.hang_up()
    screen.wait_for(lambda: [m["key"] for m in screen.missed] == [TARO], "the missed call")


def test_the_sweep_sends_nothing_twice(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "SWEEP", 0.02)
    screen = live.screen()
    call = live.twilio.call_in(TARO, MAIN_LINE)
    screen.card(call.sid, stage=2)
    sweeps: list[None] = []
    changed_since = calls.changed_since

    def count_and_ask(*given: Any) -> Any:
        sweeps.append(None)
        return changed_since(*given)

    monkeypatch.setattr(calls, "changed_since", count_and_ask)
    live.eventually(lambda: len(sweeps) > 10, "some sweeps")
    versions = [frame["call"]["version"] for frame in screen.frames if frame["type"] == "call"]
    assert versions == sorted(set(versions))


def test_a_wrap_up_that_runs_out_makes_the_agent_available_without_any_event(
    live: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat_fast(monkeypatch)
    screen = live.screen()
    call = live.twilio.call_in(TARO, MAIN_LINE)
    live.twilio.answer(call.leg_to(SATO_PHONE))
    screen.card(call.sid, phase="talking")
    call.hang_up()
    screen.wait_for(lambda: screen.agent["presence"] == "wrapping_up", "the wrap-up")
    monkeypatch.setattr(Settings, "wrap_up_limit", timedelta(0))
    screen.wait_for(lambda: screen.agent["presence"] == "available", "the end of the wrap-up")


def test_a_topic_that_met_a_database_outage_is_delivered_when_it_is_over(
    live: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SWEEP", 3600.0)
    screen = live.screen()
    troubles = iter([StoreUnavailable("gone")] * 2)
    get = calls.get

    def flaky(connection: Any, call_id: str, **more: Any) -> Any:
        if threading.current_thread().name == "delivery" and (trouble := next(troubles, None)):
            raise trouble
        return get(connection, call_id, **more)

    monkeypatch.setattr(calls, "get", flaky)
    call = live.twilio.call_in(TARO, MAIN_LINE)
    screen.card(call.sid, stage=2)


def test_a_call_that_comes_while_the_snapshot_is_read_is_not_lost(
    live: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SWEEP", 3600.0)
    live_calls = calls.live_calls
    delivered = threading.Event()
    deliver_call = live.bridge.delivery._deliver_call
    rung: list[str] = []

    def deliver(call_id: str) -> None:
        deliver_call(call_id)
        delivered.set()

    def read_slowly(*given: Any) -> Any:
        found = live_calls(*given)
        if not rung:
            rung.append(live.twilio.call_in(TARO, MAIN_LINE).sid)
            assert delivered.wait(PATIENCE), "the call is delivered before the snapshot is sent"
        return found

    monkeypatch.setattr(live.bridge.delivery, "_deliver_call", deliver)
    monkeypatch.setattr(calls, "live_calls", read_slowly)
    screen = live.screen()
    screen.card(rung[0], phase="ringing")


def test_a_screen_with_many_open_wrap_ups_still_shows_the_newest_ring(database: Database) -> None:
    now = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    with database.transaction() as connection:
        sato = directory.add_agent(connection, email="s@example.jp", name="佐藤", password_hash="", language="ja")
        for minutes in range(calls.MOST_SHOWN + 5, -1, -1):
            call = Call(f"CA-{minutes}", placed_by=sato, direction=Direction.OUTBOUND)
            begun = replace(call, started_at=now - timedelta(minutes=minutes))
            calls.save(connection, CallRecord(begun, Caller(CallerKind.WITHHELD, None, "")), now)
    with database.reading() as connection:
        shown = [record.id for record in calls.live_calls(connection, sato, now)]
    assert len(shown) == calls.MOST_SHOWN
    assert (shown[-1], shown[-2]) == ("CA-0", "CA-1"), "oldest first, the newest among them"


# ── between processes ────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def another_bridge(live: Running) -> Iterator[str]:
    """A second bridge on the same database, as a second process would have it; its address."""
    app = Flask("another")
    app.config.update(live.app.config)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    CTIBridge(app, connector=live.crm)
    with serving(app, port):
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            stop(bridge_of(app))


def test_a_call_that_one_process_takes_pops_on_a_screen_of_another(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.conftest import empty

    empty(postgres_database)
    monkeypatch.setattr(delivery, "SWEEP", 3600.0)
    with running(postgres_database) as live, another_bridge(live) as address:
        screen = Screen(address, live.url, live.sato.email)
        call = live.twilio.call_in(TARO, MAIN_LINE)
        screen.card(call.sid, phase="ringing", stage=2)
        live.twilio.answer(call.leg_to(SATO_PHONE))
        screen.card(call.sid, phase="talking")
        screen.close()


@pytest.fixture
def hubs_of_two(postgres_database: Database) -> Iterator[tuple[PostgresHub, PostgresHub]]:
    pair = PostgresHub(postgres_database.url), PostgresHub(postgres_database.url)
    yield pair
    for hub in pair:
        hub.stop()


class Ear:
    """Hears wake-ups."""

    def __init__(self, hub: Hub) -> None:
        self.heard: list[str] = []
        self._news = threading.Condition()
        hub.listen(self.hear)

    def hear(self, topic: str) -> None:
        with self._news:
            self.heard.append(topic)
            self._news.notify_all()

    def wait_for(self, topic: str) -> None:
        with self._news:
            assert self._news.wait_for(lambda: topic in self.heard, PATIENCE), f"{topic} not among {self.heard}"


def test_a_wake_up_reaches_the_other_process_and_its_own_listeners_once(
    hubs_of_two: tuple[PostgresHub, PostgresHub],
) -> None:
    mine, theirs = (Ear(hub) for hub in hubs_of_two)
    for hub in hubs_of_two:
        hub.start()
    theirs.wait_for(topics.HEALTH)
    mine.wait_for(topics.HEALTH)
    hubs_of_two[0].wake("call:CA1", "agent:1")
    theirs.wait_for("agent:1")
    hubs_of_two[1].wake("call:CA2")
    mine.wait_for("call:CA2")
    assert mine.heard.count("call:CA1") == 1, "not a second time through the database"
    assert theirs.heard.index("call:CA1") < theirs.heard.index("agent:1")


def test_a_hub_whose_connections_are_cut_connects_again(
    hubs_of_two: tuple[PostgresHub, PostgresHub], postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PostgresHub, "RECONNECT_SECONDS", 0.05)
    mine, theirs = hubs_of_two
    ear = Ear(theirs)
    for hub in (mine, theirs):
        hub.start()
    ear.wait_for(topics.HEALTH)
    address = postgres_database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
        )
    deadline = time.monotonic() + PATIENCE
    count = 0
    while not any(topic.startswith("call:again") for topic in ear.heard):
        assert time.monotonic() < deadline, ear.heard
        mine.wake(f"call:again{count}")
        count += 1
        threading.Event().wait(0.02)


def test_inside_one_process_nothing_has_to_be_started() -> None:
    hub = Hub()
    ear = Ear(hub)
    hub.start()
    hub.wake("missed")
    hub.stop()
    assert ear.heard == ["missed"]


# ── the farewell ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_stopping_tells_every_screen_that_we_are_going_away(live: Running) -> None:
    screens = [live.screen(), live.screen(live.suzuki)]
    live.bridge.stop()
    for screen in screens:
        screen.wait_for(lambda screen=screen: screen.closed_with == 1001, "the farewell")  # type: ignore[misc]


def test_a_screen_that_comes_after_the_farewell_is_sent_away_too(live: Running) -> None:
    live.bridge.delivery.stop()
    screen = live.screen()
    screen.wait_for(lambda: screen.closed_with == 1001, "the farewell")


SERVER = """
import signal, sys
from werkzeug.serving import make_server
from cti_bridge.app import create_app, bridge_of
app = create_app()
bridge = bridge_of(app)
server = make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True)
server.daemon_threads = True
bridge.start()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("ready", flush=True)
server.serve_forever(poll_interval=0.02)
"""


def test_sigterm_closes_the_sockets_with_1001_at_once(database: Database) -> None:
    with running(database) as live:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {name: str(value) for name, value in live.app.config.items() if name.isupper() and value}
        environment = {k: v for k, v in environment.items() if k.startswith(("CTI_", "TWILIO_", "DATABASE_"))}
        with subprocess.Popen(
            [sys.executable, "-c", SERVER, str(port)],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            widget = Client.connect(f"ws://127.0.0.1:{port}/live", headers={"Origin": live.url})
            widget.send(f'{{"v":1,"type":"hello","ticket":"{live.bridge.auth.issue_ticket(live.sato)}"}}')
            assert '"snapshot"' in widget.receive(timeout=PATIENCE)
            server.send_signal(signal.SIGTERM)
            code = _close_code(widget)
            widget.thread.join(2)
            assert server.wait(PATIENCE) == 0
    assert code == 1001


def _close_code(widget: Client) -> int:
    try:
        while widget.receive(timeout=PATIENCE) is not None:
            pass
    except ConnectionClosed as closed:
        return int(closed.reason)
    raise AssertionError("the socket was not closed")
