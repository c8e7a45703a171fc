"""Brings changed rows to the sockets of this process: one thread, woken by the hub, with a sweep for lost wake-ups.

Never holds up who wakes it. A frame is built once per agent from the row as it is when its turn comes, so any number of
changes in between cost one frame, and order cannot matter.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from cti_bridge.auth.sessions import SESSION_LIFE
from cti_bridge.clock import Clock, utc_now
from cti_bridge.connector import Connector
from cti_bridge.errors import StoreUnavailable
from cti_bridge.live import topics
from cti_bridge.live.hub import Hub
from cti_bridge.live.socket import GOING_AWAY, SIGNED_OUT, AgentSocket, text_frame
from cti_bridge.logbook import get_logger
from cti_bridge.metrics import Metrics
from cti_bridge.model import Agent, Language, Presence, presence
from cti_bridge.pops import Json, Pops, agent_json
from cti_bridge.settings import Settings
from cti_bridge.store import Database, availability, calls, missed, outbox, sessions
from cti_bridge.store.directory import Directory, KnownDirectory
from cti_bridge.store.missed import MissedCall

log = get_logger(__name__)

SWEEP = 3.0
"""Seconds between sweeps for changes that no wake-up told."""

LOOK_BACK = timedelta(seconds=30)
"""How far a sweep looks back: rows appear at commit, a moment after the change that they carry."""

HEARTBEAT = 25.0
"""Seconds between health frames at least: a browser cannot see a WebSocket's own pings."""

MISSED_DAYS = timedelta(days=14)
MISSED_PAUSE = 1.0
"""Seconds between two missed lists at least: each is made whole, of up to 500 calls, and no card may wait for that."""


class Delivery:
    """The live side of one process."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        directory: KnownDirectory,
        connector: Connector,
        pops: Pops,
        hub: Hub,
        metrics: Metrics,
        phone_health: Callable[[], str],
        crm_health: Callable[[], str],
        clock: Clock = utc_now,
    ) -> None:
        self._settings = settings
        self._database = database
        self._directory = directory
        self._connector = connector
        self._pops = pops
        self._metrics = metrics
        self._phone_health = phone_health
        self._crm_health = crm_health
        self._clock = clock
        self._sockets: dict[int, set[AgentSocket]] = {}
        self._topics: dict[str, None] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._swept: dict[str, int] = {}
        self._ticked = self._beaten = 0.0
        self._missed_due = False
        self._missed_at = float("-inf")
        hub.listen(self.notice)

    def start(self) -> None:
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell every widget that we are going away, and stop."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self.close_all()
        if self._thread is not None:
            self._thread.join(2.0)

    def close_all(self) -> None:
        for connected in self._everybody():
            connected.close(GOING_AWAY)

    def notice(self, topic: str) -> None:
        """The hub's listener: note it and return."""
        with self._changed:
            self._topics[topic] = None
            self._changed.notify()

    @property
    def connected(self) -> int:
        with self._changed:
            return sum(len(sockets) for sockets in self._sockets.values())

    def join(self, joining: AgentSocket, agent: Agent) -> None:
        """Send the snapshot and keep the socket up to date from now on. Raises StoreUnavailable."""
        with self._changed:  # first join, then read: what changes in between is told, not missed
            self._sockets.setdefault(joining.agent_id, set()).add(joining)
        self._metrics.sockets.inc()
        try:
            with self._database.reading() as connection:
                records = calls.live_calls(connection, agent.id, self._clock())
                directory = self._directory.current()
                cards = [self._pops.build(connection, record, agent, directory) for record in records]
                missed = self._missed(connection, directory, agent)
                doing = self.presence(connection, agent)
                health = self._health(connection)
            snapshot = self._snapshot(agent, doing, cards, missed, health, directory)
        except BaseException:
            self.leave(joining)
            raise
        sent, held_back = joining.begin(text_frame(snapshot), {record.id: record.version for record in records})
        self._count("snapshot", sent=sent)
        for topic in held_back:
            self.notice(topic)
        if self._stopping:  # it came between the farewell and the end of the process
            joining.close(GOING_AWAY)

    def leave(self, leaving: AgentSocket) -> None:
        with self._changed:
            sockets = self._sockets.get(leaving.agent_id, set())
            if leaving not in sockets:
                return
            sockets.discard(leaving)
            if not sockets:
                self._sockets.pop(leaving.agent_id, None)
        self._metrics.sockets.dec()

    def presence(self, connection: Connection, agent: Agent) -> Presence:
        """What the agent is doing, from their calls and what they set."""
        now, wrap_up = self._clock(), self._settings.wrap_up_limit
        return presence(agent, availability.engagements(connection, now, wrap_up, agent.id).get(agent.id))

    # ── the thread ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while not self._stopping:
            taken = self._take()
            try:
                for topic in taken:
                    self._deliver(topic)
                if self._missed_due and time.monotonic() - self._missed_at >= MISSED_PAUSE:
                    self._deliver_missed()
                self._tick()
            except StoreUnavailable as problem:
                log.error("delivery_waits_for_database", problem=problem)
                time.sleep(0.5)  # do not spin on a database that is gone
                for topic in taken:  # an outage may last longer than a sweep looks back
                    self.notice(topic)
            except Exception:
                log.exception("delivery_broke")

    def _take(self) -> list[str]:
        with self._changed:
            timeout = MISSED_PAUSE / 4 if self._missed_due else SWEEP / 2
            self._changed.wait_for(lambda: self._topics or self._stopping, timeout=timeout)
            taken, self._topics = list(self._topics), {}
        return taken

    def _deliver(self, topic: str) -> None:
        kind, _, name = topic.partition(":")
        if kind == "call":
            self._deliver_call(name)
        elif kind == "agent":
            self._deliver_presence(int(name))
        elif kind == "sessions":
            self._close_signed_out(int(name))
        elif topic == topics.MISSED:
            self._missed_due = True
        elif topic == topics.HEALTH:
            self._deliver_health()

    def _deliver_call(self, call_id: str) -> None:
        with self._changed:
            connected = {agent_id: list(sockets) for agent_id, sockets in self._sockets.items()}
        if not connected:
            return
        with self._database.reading() as connection:
            record = calls.get(connection, call_id)
            if record is None:
                return
            self._swept[call_id] = record.version
            call = record.call
            concerned = {*call.rung, call.agent_id, *(leg.agent_id for leg in call.legs.values())}
            background = self._pops.background(connection, record)
            directory = self._directory.current()
            for agent_id, sockets in connected.items():
                agent = directory.agents.get(agent_id)
                holding = [s for s in sockets if agent_id in concerned or call_id in s.versions]
                if agent is None or not holding:
                    continue
                frame = self._frame("call", call=self._pops.card(record, background, agent, directory))
                for holder in holding:
                    self._count("call", sent=holder.send_call(call_id, record.version, frame))
                if call.agent_id == agent_id:
                    self._send_presence(connection, agent, holding)

    def _close_signed_out(self, agent_id: int) -> None:
        sockets = self._sockets_of(agent_id)
        if sockets:
            with self._database.reading() as connection:
                ended = sessions.ended_among(connection, {s.session_id for s in sockets if s.session_id})
            self._close_all_of(ended, sockets)

    def _close_all_of(self, ended: frozenset[str], sockets: Iterable[AgentSocket]) -> None:
        for connected in sockets:
            if connected.session_id in ended:
                connected.close(SIGNED_OUT)

    def _deliver_presence(self, agent_id: int) -> None:
        sockets = self._sockets_of(agent_id)
        agent = self._directory.current().agents.get(agent_id)
        if sockets and agent is not None:
            with self._database.reading() as connection:
                self._send_presence(connection, agent, sockets)

    def _send_presence(self, connection: Connection, agent: Agent, sockets: list[AgentSocket]) -> None:
        frame = _presence_frame(agent, self.presence(connection, agent))
        for connected in sockets:
            self._count("presence", sent=connected.send_if_changed(topics.agent_topic(agent.id), frame))

    def _deliver_missed(self) -> None:
        directory = self._directory.current()
        with self._database.reading() as connection:
            found = missed.missed_calls(connection, self._clock() - MISSED_DAYS)
        numbers = directory.numbers_by_agent()
        frames: dict[tuple[frozenset[str], Language], bytes] = {}
        for connected in self._everybody():
            agent = directory.agents.get(connected.agent_id)
            if agent is None:
                continue
            seen = (numbers.get(agent.id, frozenset()), agent.language)  # most agents see the same list as others
            if seen not in frames:
                shown = self._pops.missed(_of_lines(found, seen[0]), directory, agent.language)
                frames[seen] = text_frame({"v": 1, "type": "missed", "missed": shown})
            self._count("missed", sent=connected.send_if_changed(topics.MISSED, frames[seen]))
        self._missed_due, self._missed_at = False, time.monotonic()

    def _deliver_health(self, *, heartbeat: bool = False) -> None:
        with self._database.reading() as connection:
            frame = text_frame({"v": 1, "type": "health", "health": self._health(connection)})
        for connected in self._everybody():
            if heartbeat:
                connected.last.pop(topics.HEALTH, None)
            self._count("health", sent=connected.send_if_changed(topics.HEALTH, frame))

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._ticked < SWEEP:
            return
        self._ticked = now
        with self._database.reading() as connection:
            changed = dict(calls.changed_since(connection, self._clock() - LOOK_BACK))
            now_utc = self._clock()
            ended = sessions.ended(connection, since=now_utc - LOOK_BACK, now=now_utc, life=SESSION_LIFE)
        self._close_all_of(ended, self._everybody() if ended else ())
        for call_id, version in changed.items():
            if self._swept.get(call_id, 0) < version:
                self._deliver_call(call_id)
        self._swept = {call_id: version for call_id, version in self._swept.items() if call_id in changed}
        heartbeat = now - self._beaten >= HEARTBEAT
        self._deliver_health(heartbeat=heartbeat)
        if heartbeat:
            self._beaten = now
            self._deliver_missed()
            self._deliver_all_presences()
            for connected in self._everybody():
                connected.ping()

    def _deliver_all_presences(self) -> None:
        """Wrap-ups run out without any event; other processes' wake-ups may be lost."""
        directory = self._directory.current()
        with self._database.reading() as connection:
            engagements = availability.engagements(connection, self._clock(), self._settings.wrap_up_limit)
        for connected in self._everybody():
            agent = directory.agents.get(connected.agent_id)
            if agent is not None:
                frame = _presence_frame(agent, presence(agent, engagements.get(agent.id)))
                self._count("presence", sent=connected.send_if_changed(topics.agent_topic(agent.id), frame))

    # ── what is sent ────────────────────────────────────────────────────────────────────────────────────────────────

    def _count(self, kind: str, *, sent: bool) -> None:
        if sent:
            self._metrics.frames.labels(kind).inc()
        else:
            self._metrics.sockets_dropped.inc()

    def _frame(self, kind: str, **content: Any) -> bytes:
        return text_frame({"v": 1, "type": kind, "sent_at": self._clock().isoformat(), **content})

    def _snapshot(
        self,
        agent: Agent,
        doing: Presence,
        cards: list[Json],
        missed: list[Json],
        health: Json,
        directory: Directory,
    ) -> Json:
        can = self._connector.capabilities
        return {
            "v": 1,
            "type": "snapshot",
            "sent_at": self._clock().isoformat(),
            "agent": agent_json(agent, doing),
            "calls": cards,
            "missed": missed,
            "health": health,
            "lines": [self._pops.line(line) for line in directory.lines_ringing(agent)],
            "dispositions": [
                {"code": d.code, "label": d.label(agent.language)} for d in self._settings.disposition_list
            ],
            "capabilities": {
                "search": can.search,
                "create_contact": can.create_contact,
                "add_number": can.add_number,
                "activity": can.activity,
            },
        }

    def _missed(self, connection: Connection, directory: Directory, agent: Agent) -> list[Json]:
        found = missed.missed_calls(connection, self._clock() - MISSED_DAYS)
        numbers = directory.numbers_by_agent().get(agent.id, frozenset())
        return self._pops.missed(_of_lines(found, numbers), directory, agent.language)

    def _health(self, connection: Connection) -> Json:
        unsent, parked = outbox.depth(connection, self._clock())
        self._metrics.unsent_logs.set(unsent)
        self._metrics.parked_logs.set(parked)
        return {"phone": self._phone_health(), "crm": self._crm_health(), "unsent": unsent, "parked": parked}

    def _sockets_of(self, agent_id: int) -> list[AgentSocket]:
        with self._changed:
            return list(self._sockets.get(agent_id, ()))

    def _everybody(self) -> list[AgentSocket]:
        with self._changed:
            return [connected for sockets in self._sockets.values() for connected in sockets]


def _of_lines(found: Iterable[MissedCall], numbers: frozenset[str]) -> Iterable[MissedCall]:
    """The missed calls of the lines with these numbers."""
    return (call for call in found if call.line_number in numbers)


def _presence_frame(agent: Agent, doing: Presence) -> bytes:
    return text_frame({"v": 1, "type": "presence", "agent": agent_json(agent, doing)})
