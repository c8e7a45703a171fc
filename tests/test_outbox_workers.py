"""Several workers, slow workers, dying and stopping ones: the newest content stands in the CRM, and nobody is hammered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from cti_bridge import outbox as outbox_module
from cti_bridge.backlog import DELIVERED, SINCE_EVER
from cti_bridge.circuit import Circuit
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable
from cti_bridge.live.hub import Hub, PostgresHub
from cti_bridge.model import RecordLink
from cti_bridge.outbox import (
    BACK_OFF,
    IDLE,
    LEASE,
    LONGEST_DELIVERY,
    PATIENCE,
    Outbox,
)
from cti_bridge.store import Database
from cti_bridge.store import outbox as entries
from cti_bridge.store.outbox import Entry, OutboxState
from cti_bridge.store.tallies import Tallies
from tests.outboxes import CALL, NOON, HandClock, a_worker, claim, enqueue, entry_of, told

LONG = 10.0
"""Seconds to wait for what must come."""


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def until(test: Callable[[], bool], what: str) -> None:
    """Wait for something that nobody announces."""
    deadline, pause = time.monotonic() + LONG, threading.Event()
    while not test():
        assert time.monotonic() < deadline, f"waited {LONG:.0f} s for {what}"
        pause.wait(0.005)


class Desk:
    """What the agent has written, the CRM's copy of it, and workers that copy it as ``calllogs`` does: read, be ready,
    write. ``before`` happens between reading and being ready, ``during`` before the CRM commits; each happens once."""

    def __init__(self, database: Database, clock: HandClock) -> None:
        self.database, self.clock = database, clock
        self.note, self.crm = "first", ""
        self.before: Callable[[], object] = lambda: None
        self.during: Callable[[], object] = lambda: None
        self.answer: Exception | None = None

    def worker(self) -> Outbox:
        return Outbox(self.database, Hub(), self.deliver, Circuit(threshold=10**9), clock=self.clock)

    def deliver(self, entry: Entry, ready: Callable[[], None]) -> RecordLink:
        composed = self.note
        before, self.before = self.before, lambda: None
        before()
        ready()
        during, self.during = self.during, lambda: None
        during()
        answer, self.answer = self.answer, None
        if isinstance(answer, ConnectorRefused):
            raise answer
        self.crm = composed
        if answer is not None:
            raise answer
        return RecordLink("log:1")

    def overtake(self) -> None:
        """The agent changes the note, the lease runs out, another worker writes it."""
        self.note = "second"
        enqueue(self.database, self.worker())
        self.clock.pass_(LEASE)
        self.answer, kept = None, self.answer
        assert self.worker().work()
        assert self.crm == "second"
        self.answer = kept


# ── who was overtaken ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_worker_held_up_before_it_writes_leaves_the_log_to_who_took_it_over(
    database: Database, clock: HandClock
) -> None:
    desk = Desk(database, clock)
    slow = desk.worker()
    enqueue(database, slow)
    desk.before = desk.overtake
    slow.work()
    assert desk.crm == "second", "the slow worker has written older content over newer"
    assert entry_of(database).state is OutboxState.DELIVERED
    assert not slow.work()


@pytest.mark.parametrize("answer", [None, ConnectorUnavailable("It took too long.")], ids=["answered", "timed out"])
def test_a_late_write_over_a_newer_one_is_itself_overwritten(
    database: Database, clock: HandClock, answer: Exception | None
) -> None:
    desk = Desk(database, clock)
    slow = desk.worker()
    enqueue(database, slow)
    desk.during, desk.answer = desk.overtake, answer
    slow.work()
    assert desk.crm == "first", "the test's late write came too early"
    assert entry_of(database).state is OutboxState.PENDING
    assert desk.worker().work()
    assert (desk.crm, entry_of(database).state) == ("second", OutboxState.DELIVERED)


def test_a_late_write_while_another_is_under_way_is_followed_by_one_more(database: Database, clock: HandClock) -> None:
    desk = Desk(database, clock)
    slow = desk.worker()
    enqueue(database, slow)
    others: list[Entry] = []

    def taken_over() -> None:
        clock.pass_(LEASE)
        others.append(claim(database, clock))

    desk.during = taken_over
    slow.work()
    [other] = others
    assert entry_of(database).run_at == clock() + LEASE, "the other worker's lease was cut short"
    with database.transaction() as connection:
        assert entries.deliver(connection, other, record_id="log:1", record_url=None, now=clock())
    assert entry_of(database).state is OutboxState.PENDING, "nobody knows which of the two writes came last"


def test_a_late_refusal_has_written_nothing_and_changes_nothing(database: Database, clock: HandClock) -> None:
    desk = Desk(database, clock)
    slow = desk.worker()
    enqueue(database, slow)
    desk.during, desk.answer = desk.overtake, ConnectorRefused("No.")
    slow.work()
    assert (desk.crm, entry_of(database).state) == ("second", OutboxState.DELIVERED)


# ── leases ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "IDLE", 0.005)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """A write waits here until it is opened."""
    opened = threading.Event()
    yield opened
    opened.set()


@pytest.mark.usefixtures("quick")
def test_a_slow_crm_costs_no_lease_while_the_worker_lives(
    database: Database, clock: HandClock, gate: threading.Event
) -> None:
    begun = threading.Event()

    def write(_call_id: str) -> RecordLink:
        begun.set()
        gate.wait(LONG)
        return RecordLink("log:1")

    worker = a_worker(database, write, clock)
    enqueue(database, worker)
    worker.start()
    assert begun.wait(LONG)
    for _ in range(5):
        clock.pass_(LEASE / 2)
        until(lambda: entry_of(database).run_at == clock() + LEASE, "the lease to be renewed")
    gate.set()
    until(lambda: entry_of(database).state is OutboxState.DELIVERED, "the delivery")
    worker.stop()
    assert entry_of(database).attempts == 1


@pytest.mark.usefixtures("quick")
def test_a_connector_that_hangs_for_ever_does_not_keep_the_log_for_ever(
    database: Database, clock: HandClock, gate: threading.Event
) -> None:
    begun = threading.Event()

    def hang(_call_id: str) -> RecordLink:
        begun.set()
        gate.wait(LONG)
        return RecordLink("log:hung")

    worker = a_worker(database, hang, clock)
    enqueue(database, worker)
    worker.start()
    assert begun.wait(LONG)
    clock.pass_(LONGEST_DELIVERY)
    other = a_worker(database, lambda call_id: RecordLink("log:other"), clock)
    assert other.work(), "the hung worker still holds the log"
    assert entry_of(database).record_id == "log:other"
    gate.set()
    worker.stop()


def test_a_clock_set_back_or_forward_loses_nothing_and_doubles_nothing(database: Database, clock: HandClock) -> None:
    desk = Desk(database, clock)
    worker = desk.worker()
    for step in (timedelta(hours=-3), timedelta(hours=6), timedelta(days=-1)):
        enqueue(database, worker, run_at=clock())
        desk.during = lambda step=step: clock.pass_(step)  # type: ignore[misc]
        assert worker.work()
        assert entry_of(database).state is OutboxState.DELIVERED
        desk.note = f"after {step}"
    enqueue(database, worker, run_at=clock() + timedelta(seconds=5))
    clock.pass_(timedelta(seconds=5))
    assert worker.work()
    assert desk.crm == desk.note


def test_a_lease_of_before_the_clock_was_set_back_runs_out_all_the_same(database: Database, clock: HandClock) -> None:
    worker = a_worker(database, lambda call_id: RecordLink("log:1"), clock)
    enqueue(database, worker)
    claim(database, clock)  # by a worker that dies
    clock.pass_(timedelta(hours=-1))
    assert not worker.work()
    clock.pass_(timedelta(hours=1) + LEASE)
    assert worker.work()


# ── order and number ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_calls_writes_go_one_after_the_other_the_oldest_first(database: Database, clock: HandClock) -> None:
    with database.transaction() as connection:
        entries.put(connection, CALL, "call_log", run_at=NOON, now=NOON)
        entries.put(connection, CALL, "something later", run_at=NOON - timedelta(hours=1), now=NOON)
    first = claim(database, clock)
    assert first.kind == "call_log"
    with database.transaction() as connection:
        assert entries.claim(connection, now=clock(), lease=LEASE, limit=5) == []
        entries.deliver(connection, first, record_id="1", record_url=None, now=clock())
        [second] = entries.claim(connection, now=clock(), lease=LEASE, limit=5)
        assert second.kind == "something later"
        entries.put(connection, CALL, "call_log", run_at=NOON, now=NOON)
        assert entries.claim(connection, now=clock(), lease=LEASE, limit=5) == [], "two writes of one call at once"


@pytest.mark.usefixtures("quick")
def test_several_logs_are_written_at_once(database: Database, clock: HandClock) -> None:
    together = threading.Barrier(4)

    def write(call_id: str) -> RecordLink:
        together.wait(LONG)  # returns when four are here
        return RecordLink(call_id)

    worker = a_worker(database, write, clock, hands=4)
    for number in range(8):
        enqueue(database, worker, f"CA-{number}")
    worker.start()
    until(lambda: _count(database, OutboxState.DELIVERED) == 8, "eight deliveries, four at a time")
    worker.stop()
    assert Tallies(database).count(DELIVERED, SINCE_EVER) == 8


@pytest.mark.usefixtures("quick")
def test_stopping_finishes_what_is_under_way_and_leaves_the_rest_due(
    database: Database, clock: HandClock, gate: threading.Event
) -> None:
    under_way = threading.Semaphore(0)

    def write(call_id: str) -> RecordLink:
        under_way.release()
        gate.wait(LONG)
        return RecordLink(call_id)

    worker = a_worker(database, write, clock, hands=2)
    for number in range(5):
        enqueue(database, worker, f"CA-{number}")
    worker.start()
    for _ in range(2):
        assert under_way.acquire(timeout=LONG)
    stopping = threading.Thread(target=worker.stop, args=(LONG,))
    stopping.start()
    assert stopping.is_alive(), "it did not wait for the writes under way"
    gate.set()
    stopping.join(LONG)
    assert _count(database, OutboxState.DELIVERED) == 2
    with database.reading() as connection:
        left = entries.entries_in(connection, OutboxState.PENDING)
    assert [(entry.leased, entry.run_at) for entry in left] == [(False, NOON)] * 3


def _count(database: Database, state: OutboxState) -> int:
    with database.reading() as connection:
        return len(entries.entries_in(connection, state))


# ── a CRM that is down ───────────────────────────────────────────────────────────────────────────────────────────────


class Outage:
    """A CRM that is down until ``over``, a worker with a circuit, and a loop turned by hand."""

    def __init__(self, database: Database, clock: HandClock) -> None:
        self.database, self.clock = database, clock
        self.seconds, self.asked, self.over = 0.0, 0, False
        self.circuit = Circuit(threshold=3, monotonic=lambda: self.seconds)
        self.outbox = Outbox(database, Hub(), told(self.write), self.circuit, clock=clock)

    def write(self, call_id: str) -> RecordLink:
        self.asked += 1
        if not self.over:
            raise ConnectorUnavailable("Down for maintenance.")
        return RecordLink(call_id)

    def pass_(self, time: timedelta) -> None:
        """Let time go by, looking as often as the loop does, but for one entry at a time."""
        end = self.clock() + time
        while self.clock() < end:
            step = min(timedelta(seconds=1), end - self.clock())
            self.clock.pass_(step)
            self.seconds += step.total_seconds()
            self.outbox._notice_recovery()
            while self.outbox.work():
                pass


def test_a_crm_that_is_down_for_an_hour_is_probed_and_then_gets_everything_at_once(
    database: Database, clock: HandClock
) -> None:
    outage = Outage(database, clock)
    for number in range(30):
        enqueue(database, outage.outbox, f"CA-{number}")
    outage.pass_(timedelta(hours=1))
    assert outage.asked <= 3 + 3600 / 15, "a CRM that is down was hammered"
    assert _count(database, OutboxState.PENDING) == 30
    outage.over = True
    outage.pass_(timedelta(minutes=1))
    assert _count(database, OutboxState.DELIVERED) == 30, "the CRM is back, and logs still wait for their next try"


def test_an_outage_that_comes_and_goes_parks_nothing_before_its_time(database: Database, clock: HandClock) -> None:
    worker = a_worker(database, _down, clock)
    enqueue(database, worker)
    for _ in range(3 * len(BACK_OFF)):  # each recovery brings the next try forward, and the CRM is gone again
        with database.transaction() as connection:
            entries.hasten(connection, clock())
        assert worker.work()
    assert entry_of(database).state is OutboxState.PENDING
    clock.pass_(PATIENCE)
    assert worker.work()
    assert entry_of(database).state is OutboxState.PARKED


def test_a_crm_that_asks_for_a_month_of_rest_is_asked_again_after_a_day(database: Database, clock: HandClock) -> None:
    worker = a_worker(database, _in_a_month, clock)
    enqueue(database, worker)
    worker.work()
    assert entry_of(database).run_at == clock() + timedelta(days=1)


def _down(_call_id: str) -> RecordLink:
    raise ConnectorUnavailable("Down.")


def _in_a_month(_call_id: str) -> RecordLink:
    raise ConnectorUnavailable("Later.", retry_after=timedelta(days=30))


# ── waking and idling ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_idle_worker_looks_once_a_second(
    database: Database, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = a_worker(database, _down, clock)
    looks, waits = list[datetime | None](), list[float]()
    next_due = entries.next_due

    def look(connection: object) -> datetime | None:
        looks.append(next_due(connection))  # type: ignore[arg-type]
        return looks[-1]

    class Waiting(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            if len(waits) == 5:
                worker._stopping.set()
            return False

    monkeypatch.setattr(entries, "next_due", look)
    worker._wake = Waiting()
    worker.run()
    assert waits == [IDLE] * 5
    assert IDLE >= 1.0
    assert len(looks) == 5


def test_what_is_due_in_one_process_wakes_a_worker_in_another(
    postgres_database: Database, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "IDLE", 3600.0)
    with postgres_database.transaction() as connection:
        connection.execute(entries.outbox.delete())
    here, there = PostgresHub(postgres_database.url), PostgresHub(postgres_database.url)
    listening = threading.Event()
    there.listen(lambda topic: listening.set())
    here.start()
    there.start()
    written = threading.Event()

    def write(call_id: str) -> RecordLink:
        written.set()
        return RecordLink(call_id)

    asking = Outbox(postgres_database, here, told(_down), Circuit(), clock=clock)
    worker = Outbox(postgres_database, there, told(write), Circuit(), clock=clock)
    assert listening.wait(LONG)
    worker.start()
    until(lambda: not worker._wake.is_set(), "the worker to wait")
    enqueue(postgres_database, asking)
    asking.nudge()
    assert written.wait(LONG), "the worker slept on"
    worker.stop()
    here.stop()
    there.stop()
