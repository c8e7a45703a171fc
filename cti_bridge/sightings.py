"""Whose contacts agents are shown, told to the audit log once for each call and agent. Cards only say so in passing: a
thread of its own writes it down a moment later, so that no card and no webhook waits for it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

from cti_bridge.clock import Clock, utc_now
from cti_bridge.errors import StoreUnavailable
from cti_bridge.logbook import get_logger
from cti_bridge.store import Database, seen

log = get_logger(__name__)

MOST_REMEMBERED = 10_000
"""Calls and agents that this process knows to be noted; the database knows the rest."""

MOST_WAITING = 10_000
"""Beyond that the database has been gone for so long that sightings are counted, not kept."""

PAUSE = 1.0
"""Seconds in which sightings gather before they are written."""

Sighting = tuple[str, int]


class Sightings:
    """Notes who was shown what. One instance for a process."""

    def __init__(self, database: Database, connector: str, *, clock: Clock = utc_now, pause: float = PAUSE) -> None:
        self._database = database
        self._connector = connector
        self._clock = clock
        self._pause = pause
        self._known: OrderedDict[Sighting, None] = OrderedDict()
        self._waiting: dict[Sighting, list[str]] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def note(self, call_id: str, agent_id: int, contact_ids: Iterable[str]) -> None:
        """This agent is being shown these contacts on this call's card. Returns at once, touches no database."""
        sighting = (call_id, agent_id)
        with self._changed:
            if sighting in self._known or not (ids := list(contact_ids)):
                return
            if len(self._waiting) >= MOST_WAITING:
                log.error("sighting_not_noted", call=call_id, agent=agent_id)
                return
            self._known[sighting] = None
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
            self._waiting[sighting] = ids
            self._changed.notify()

    def start(self) -> None:
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="sightings", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Write down what is left, and stop."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout)

    def write(self) -> int:
        """Write down what has gathered; returns how many sightings were new to all processes. Raises StoreUnavailable,
        with everything still waiting."""
        with self._changed:
            gathered = dict(self._waiting)
        if not gathered:
            return 0
        now = self._clock()
        with self._database.transaction() as connection:
            new = sum(
                seen.note_once(connection, call_id, agent_id, self._connector, contact_ids, now)
                for (call_id, agent_id), contact_ids in gathered.items()
            )
        with self._changed:
            for sighting in gathered:
                self._waiting.pop(sighting, None)
        return new

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if not self._stopping:
                    self._changed.wait_for(lambda: self._stopping, self._pause)
                last = self._stopping
            try:
                self.write()
            except StoreUnavailable as problem:
                log.error("sightings_wait_for_database", problem=problem)
            except Exception:
                log.exception("sightings_broke")
                with self._changed:  # what cannot be written once is not tried for ever
                    self._waiting.clear()
            if last:
                return
