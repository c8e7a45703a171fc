"""CRM writes that must happen: put into the caller's own transaction, delivered by a loop, tried again, parked.

Changing a call and enqueueing its log is one commit, so neither exists without the other. What a delivery does is
handed in (``calllogs``). At least once is all that a queue can give: the CRM write finds its record again by the call's
id.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Connection

from cti_bridge.circuit import Circuit
from cti_bridge.clock import Clock, utc_now
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable, StoreUnavailable
from cti_bridge.live import topics
from cti_bridge.live.hub import Hub
from cti_bridge.logbook import get_logger
from cti_bridge.model import RecordLink
from cti_bridge.store import Database, calls
from cti_bridge.store import outbox as entries
from cti_bridge.store.outbox import Entry

log = get_logger(__name__)

CALL_LOG = "call_log"

BACK_OFF = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""How long to wait after the first, second, … failure: 75 hours in all, then the entry is parked."""

LEASE = timedelta(seconds=60)
"""How long a worker may take over one delivery; longer than any connector's time-outs together."""

IDLE = 1.0
"""Seconds between looks at the table when nothing wakes the loop."""

Deliver = Callable[[str], RecordLink]


class Outbox:
    """The queue and its worker. ``deliver`` writes the log of the call with this id; raises what connectors raise."""

    def __init__(
        self, database: Database, hub: Hub, deliver: Deliver, circuit: Circuit, *, clock: Clock = utc_now
    ) -> None:
        self._database = database
        self._hub = hub
        self._deliver = deliver
        self._circuit = circuit
        self._clock = clock
        self._random = random.Random()  # noqa: S311  (jitter, not a secret)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def enqueue(self, connection: Connection, call_id: str, *, run_at: datetime) -> None:
        """Make sure, in this transaction, that the call's log is written at ``run_at`` or before."""
        entries.put(connection, call_id, CALL_LOG, run_at=run_at, now=self._clock())

    def nudge(self) -> None:
        """Something may be due: look now."""
        self._wake.set()

    def start(self) -> None:
        """Begin to deliver in a thread of this process."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self.run, name="outbox", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Finish the delivery under way and stop; what is left stays due."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def run(self) -> None:
        """Deliver until stopped. One broken entry, or a database that is gone for a while, never ends the loop."""
        while not self._stopping.is_set():
            try:
                while not self._stopping.is_set() and self.work():
                    pass
            except StoreUnavailable as problem:
                log.error("outbox_waits_for_database", problem=str(problem))
            except Exception:
                log.exception("outbox_broke")
            self._wake.wait(IDLE)
            self._wake.clear()

    def work(self) -> bool:
        """Deliver the one entry that is due the longest; False when none is due or the CRM is to be left alone."""
        now = self._clock()
        with self._database.reading() as connection:
            due = entries.next_due(connection)
        if due is None or due > now or not self._circuit.admits():
            return False
        with self._database.transaction() as connection:
            claimed = entries.claim(connection, now=now, lease=LEASE, limit=1)
        for entry in claimed:
            self._attempt(entry)
        return bool(claimed)

    def retry_parked(self, entry_id: int | None = None) -> int:
        """Make one parked entry, or all, due now; returns how many."""
        with self._database.transaction() as connection:
            count = entries.retry_parked(connection, self._clock(), entry_id)
        self.nudge()
        return count

    def _attempt(self, entry: Entry) -> None:
        began = time.monotonic()
        try:
            link = self._deliver(entry.call_id)
        except ConnectorUnavailable as problem:
            self._circuit.failed(problem.retry_after)
            self._put_off(entry, str(problem), problem.retry_after)
        except ConnectorRefused as problem:
            self._circuit.succeeded(time.monotonic() - began)  # a refusal is an answer: the CRM is there
            self._park(entry, str(problem))
        except StoreUnavailable:
            raise
        except Exception as problem:
            log.exception("log_delivery_broke", call=entry.call_id)
            self._put_off(entry, f"{type(problem).__name__}: {problem}", None)
        else:
            self._circuit.succeeded(time.monotonic() - began)
            self._note_delivered(entry, link)
        self._hub.wake(topics.call_topic(entry.call_id), topics.HEALTH)

    def _note_delivered(self, entry: Entry, link: RecordLink) -> None:
        now = self._clock()
        with self._concluding(entry, now) as connection:
            mine = entries.deliver(connection, entry, record_id=link.id, record_url=link.url, now=now)
        log.info("log_delivered" if mine else "log_delivered_by_another", call=entry.call_id)

    def _put_off(self, entry: Entry, error: str, retry_after: timedelta | None) -> None:
        if entry.failures >= len(BACK_OFF):
            self._park(entry, error)
            return
        wait = max(BACK_OFF[entry.failures] * self._random.uniform(0.8, 1.2), retry_after or timedelta(0))
        now = self._clock()
        with self._concluding(entry, now) as connection:
            entries.retry(connection, entry, run_at=now + wait, error=error)
        log.warning("log_put_off", call=entry.call_id, failures=entry.failures + 1, seconds=round(wait.total_seconds()))

    def _park(self, entry: Entry, error: str) -> None:
        with self._concluding(entry, self._clock()) as connection:
            entries.park(connection, entry, error=error)
        log.error("log_parked", call=entry.call_id, failures=entry.failures + 1)

    @contextmanager
    def _concluding(self, entry: Entry, now: datetime) -> Iterator[Connection]:
        """A transaction that says how a try ended, and that the call's card shows it.

        The call's row is locked first, as everywhere: webhooks lock the call and then its entry, and two orders would
        make a deadlock.
        """
        with self._database.transaction() as connection:
            calls.touch(connection, entry.call_id, now)
            yield connection
