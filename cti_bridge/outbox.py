"""CRM writes that must happen: put into the caller's own transaction, delivered by a loop, tried again, parked.

Changing a call and enqueueing its log is one commit, so neither exists without the other. What a delivery does is
handed in (``calllogs``); what an administrator does about it is ``backlog``'s. Any number of processes may run the loop.

What is promised, and by what. *Every write happens*: the entry is there until the CRM has confirmed it. *At least once*
is all that a queue can give: the CRM write finds its record again by the call's id. *The newest content stands in the
end*: a claim is a lease that is renewed while the worker lives, a worker asks whether it still holds it right before it
writes, only the latest claim may say how it ended, and one that finds out afterwards that it was overtaken has the
newest content written once more. What no client can rule out: a request that outlives its dead sender on the network or
in the CRM by more than what is left of the lease (at least two thirds of ``LEASE``), when newer content was written in
between.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from sqlalchemy import Connection

from cti_bridge.backlog import DELIVERED, SINCE_EVER
from cti_bridge.circuit import Circuit
from cti_bridge.clock import Clock, utc_now
from cti_bridge.errors import BridgeError, ConnectorRefused, ConnectorUnavailable, StoreUnavailable
from cti_bridge.live import topics
from cti_bridge.live.hub import Hub
from cti_bridge.logbook import get_logger
from cti_bridge.model import RecordLink
from cti_bridge.store import Database, calls
from cti_bridge.store import outbox as entries
from cti_bridge.store.outbox import Entry
from cti_bridge.store.tallies import Tallies

log = get_logger(__name__)

CALL_LOG = "call_log"

BACK_OFF = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""How long to wait after the first, second, … failure, and up to a fifth longer: 75 hours in all, then it is parked."""

PATIENCE = timedelta(hours=72)
"""Nothing is parked for an outage that is shorter, however many tries the outage's end and beginning again have cost."""

LONGEST_RETRY_AFTER = timedelta(hours=24)
"""A CRM that asks for more is asked again after that all the same."""

LEASE = timedelta(seconds=60)
"""How long a claim holds when its worker is not heard of any more."""

LONGEST_DELIVERY = timedelta(minutes=10)
"""After that a claim is not renewed: a connector without a time-out must not keep a log for ever."""

IDLE = 1.0
"""Seconds between looks at the table when nothing wakes the loop."""

HANDS = 4
"""Deliveries at once in one process: enough to hide the CRM's round trips, few beside any CRM's limit of requests."""

GRACE = 20.0
"""Seconds that a stopping worker finishes what is under way; Heroku kills after 30."""

Deliver = Callable[[Entry, Callable[[], None]], RecordLink]


class LeaseLost(BridgeError):
    """Another worker has taken this log over; it is not written by this one."""


class Outbox:
    """The queue and its worker.

    ``deliver(entry, ready)`` writes the log of the entry's call; it calls ``ready`` when everything is composed, right
    before the write, lets LeaseLost pass, and raises what connectors raise.
    """

    def __init__(
        self,
        database: Database,
        hub: Hub,
        deliver: Deliver,
        circuit: Circuit,
        *,
        clock: Clock = utc_now,
        hands: int = HANDS,
    ) -> None:
        self._database = database
        self._hub = hub
        self._deliver = deliver
        self._circuit = circuit
        self._clock = clock
        self._hands = hands
        self._random = random.Random()  # noqa: S311  (jitter, not a secret)
        self._tallies = Tallies(database)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._leases: dict[tuple[int, int], tuple[Entry, datetime, datetime]] = {}
        self._delivered = 0
        self._looks_idle = True
        self._saw_down = False
        hub.listen(self._hear)

    def enqueue(self, connection: Connection, call_id: str, *, run_at: datetime) -> None:
        """Make sure, in this transaction, that the call's log is written at ``run_at`` or before."""
        entries.put(connection, call_id, CALL_LOG, run_at=run_at, now=self._clock())

    def nudge(self) -> None:
        """Something is due: look now, here and in every other process."""
        self._hub.wake(topics.OUTBOX)

    # ── the loop ────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Begin to deliver in threads of this process."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self.run, name="outbox", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Begin nothing more, finish the deliveries under way; what is left stays due."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def run(self) -> None:
        """Deliver until stopped. One broken entry, or a database that is gone for a while, never ends the loop."""
        work: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        hands = [
            threading.Thread(target=self._deliver_all, args=(work,), name=f"outbox-{number}", daemon=True)
            for number in range(self._hands)
        ]
        for hand in hands:
            hand.start()
        while not self._stopping.is_set():
            busy = False
            try:
                busy = self._hand_out(work)
            except StoreUnavailable as problem:
                log.error("outbox_waits_for_database", problem=problem)
            except Exception:
                log.exception("outbox_broke")
            if not busy:
                self._wake.wait(IDLE)
                self._wake.clear()
        self._finish(work, hands)

    def work(self) -> bool:
        """Deliver the one entry that is due the longest, in this thread; False when none is due or the CRM is to be left
        alone."""
        claimed = self._claim(1)
        for entry in claimed:
            self._attempt(entry)
        return bool(claimed)

    def _hear(self, topic: str) -> None:
        if topic == topics.OUTBOX:
            self._wake.set()

    def _hand_out(self, work: queue.SimpleQueue[Entry | None]) -> bool:
        """When a hand has nothing to do, claim for it and one more for each: fewer and larger claims. A hand that is done
        wakes the loop. Returns whether to go on at once."""
        self._renew_leases()
        self._tell_delivered()
        self._notice_recovery()
        with self._lock:
            held = len(self._leases)
        if held >= self._hands:
            return False
        claimed = self._claim(2 * self._hands - held)
        for entry in claimed:
            work.put(entry)
        return bool(claimed)

    def _claim(self, most: int) -> list[Entry]:
        """Take what is due. While the CRM is down, one entry at a time goes as the probe."""
        now = self._clock()
        if self._looks_idle:  # an idle loop asks without locking anything
            with self._database.reading() as connection:
                due = entries.next_due(connection)
            if due is None or due > now:
                return []
        if not self._circuit.admits():
            return []
        limit = 1 if self._circuit.health == "down" else most
        with self._database.transaction() as connection:
            claimed = entries.claim(connection, now=now, lease=LEASE, limit=limit)
        self._looks_idle = len(claimed) < limit
        with self._lock:
            self._leases.update({_key(entry): (entry, now, now + LEASE) for entry in claimed})
        return claimed

    def _deliver_all(self, work: queue.SimpleQueue[Entry | None]) -> None:
        """A hand: deliver what is handed out, until there is no more."""
        for entry in iter(work.get, None):
            try:
                self._attempt(entry)
            except StoreUnavailable as problem:
                log.error("outbox_waits_for_database", call=entry.call_id, problem=problem)
            except Exception:
                log.exception("outbox_broke", call=entry.call_id)
            self._wake.set()

    def _finish(self, work: queue.SimpleQueue[Entry | None], hands: list[threading.Thread]) -> None:
        """Give back what no hand has begun, and wait for what one has."""
        untouched = list(_emptied(work))
        log.info("outbox_stopping", given_back=len(untouched))
        for _ in hands:
            work.put(None)
        try:
            self._release(untouched)
            deadline = time.monotonic() + GRACE
            for hand in hands:
                hand.join(max(0.0, deadline - time.monotonic()))
            self._tell_delivered()
        except StoreUnavailable as problem:  # their leases run out by themselves
            log.warning("outbox_stopped_without_database", problem=problem)

    def _release(self, untouched: list[Entry]) -> None:
        with self._database.transaction() as connection:
            for entry in untouched:
                entries.release(connection, entry, self._clock())
        with self._lock:
            for entry in untouched:
                self._leases.pop(_key(entry), None)

    # ── leases ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _renew_leases(self) -> None:
        """Whoever lives keeps what it works on: a slow CRM is no reason to have another worker write the same log."""
        now = self._clock()
        with self._lock:
            held = list(self._leases.values())
        for entry, since, until in held:
            if until - now < LEASE * 2 / 3 and now - since < LONGEST_DELIVERY:
                self._renew(entry, now)

    def _renew(self, entry: Entry, now: datetime) -> bool:
        with self._database.transaction() as connection:
            mine = entries.renew(connection, entry, now + LEASE)
        with self._lock:
            if mine and _key(entry) in self._leases:
                self._leases[_key(entry)] = (entry, self._leases[_key(entry)][1], now + LEASE)
        return mine

    def _ready(self, entry: Entry) -> None:
        """Right before the write: a worker that was held up asks whether the log is still its own. Raises LeaseLost."""
        now = self._clock()
        with self._lock:
            _, since, until = self._leases[_key(entry)]
        if since <= now < until - LEASE / 2:
            return
        if not self._renew(entry, now):
            raise LeaseLost

    # ── one delivery ────────────────────────────────────────────────────────────────────────────────────────────────

    def _attempt(self, entry: Entry) -> None:
        began = time.monotonic()
        try:
            link = self._deliver(entry, lambda: self._ready(entry))
        except LeaseLost:
            log.warning("log_left_to_another", call=entry.call_id)
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
        finally:
            with self._lock:
                self._leases.pop(_key(entry), None)
        self._hub.wake(topics.call_topic(entry.call_id), topics.HEALTH)

    def _note_delivered(self, entry: Entry, link: RecordLink) -> None:
        now = self._clock()
        with self._concluding(entry, now) as connection:
            mine = entries.deliver(connection, entry, record_id=link.id, record_url=link.url, now=now)
            again = not mine and entries.write_again(connection, entry, now)
        with self._lock:
            self._delivered += mine
        log.info("log_delivered" if mine else "log_delivered_by_another", call=entry.call_id, again=again)

    def _put_off(self, entry: Entry, error: str, retry_after: timedelta | None) -> None:
        now = self._clock()
        if entry.failures >= len(BACK_OFF) and now - entry.due_at >= PATIENCE:
            self._park(entry, error)
            return
        back_off = BACK_OFF[min(entry.failures, len(BACK_OFF) - 1)] * self._random.uniform(1.0, 1.2)
        wait = max(back_off, min(retry_after or timedelta(0), LONGEST_RETRY_AFTER))
        with self._concluding(entry, now) as connection:
            if not entries.put_off(connection, entry, run_at=now + wait, error=error):
                entries.write_again(connection, entry, now)  # without an answer, it may have been written
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

    # ── what is going on in general ─────────────────────────────────────────────────────────────────────────────────

    def _notice_recovery(self) -> None:
        """The CRM was down and answers again: what waits for its next try goes now, not in hours."""
        down = self._circuit.health == "down"
        if self._saw_down and not down:
            with self._database.transaction() as connection:
                count = entries.hasten(connection, self._clock())
            log.info("crm_answers_again", hastened=count)
        self._saw_down = down

    def _tell_delivered(self) -> None:
        """Add what this process has delivered to what all have, every now and then."""
        with self._lock:
            count = self._delivered
        if count:
            self._tallies.add(DELIVERED, SINCE_EVER, count)
            with self._lock:
                self._delivered -= count


def _emptied(work: queue.SimpleQueue[Entry | None]) -> Iterator[Entry]:
    with suppress(queue.Empty):
        while True:
            if (entry := work.get_nowait()) is not None:
                yield entry


def _key(entry: Entry) -> tuple[int, int]:
    """One claim of one entry."""
    return entry.id, entry.attempts
