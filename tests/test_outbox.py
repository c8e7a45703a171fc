"""What must reach the CRM reaches it: claimed by one worker, tried again, parked in the open, never lost."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from cti_bridge import outbox as outbox_module
from cti_bridge.backlog import Backlog
from cti_bridge.circuit import Circuit
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable, StoreUnavailable
from cti_bridge.live.hub import Hub
from cti_bridge.model import RecordLink
from cti_bridge.outbox import BACK_OFF, LEASE, Outbox
from cti_bridge.store import Database
from cti_bridge.store import outbox as entries
from cti_bridge.store.outbox import OutboxState
from tests.outboxes import CALL, NOON, Crm, HandClock, a_worker, claim, enqueue, entry_of, told


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def crm() -> Crm:
    return Crm()


@pytest.fixture
def worker(database: Database, crm: Crm, clock: HandClock) -> Outbox:
    return a_worker(database, crm.write, clock)


# ── in the ordinary case ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_due_log_is_delivered_once_and_remembers_its_record(database: Database, worker: Outbox, crm: Crm) -> None:
    enqueue(database, worker)
    assert worker.work() is True
    assert worker.work() is False
    assert crm.written == [CALL]
    entry = entry_of(database)
    assert (entry.state, entry.record_id, entry.record_url, entry.delivered_at) == (
        OutboxState.DELIVERED,
        f"log:{CALL}",
        f"https://crm.example/{CALL}",
        NOON,
    )


def test_a_log_waits_until_it_is_due(database: Database, worker: Outbox, crm: Crm, clock: HandClock) -> None:
    enqueue(database, worker, run_at=NOON + timedelta(minutes=10))
    assert worker.work() is False
    clock.pass_(timedelta(minutes=10))
    assert worker.work() is True
    assert crm.written == [CALL]


def test_what_is_due_the_longest_goes_first(database: Database, worker: Outbox, crm: Crm) -> None:
    for call_id, minutes in (("CA-second", 2), ("CA-third", 1), ("CA-first", 3)):
        enqueue(database, worker, call_id, run_at=NOON - timedelta(minutes=minutes))
    while worker.work():
        pass
    assert crm.written == ["CA-first", "CA-second", "CA-third"]


def test_putting_twice_leaves_one_entry_due_at_the_earlier_moment(database: Database, worker: Outbox) -> None:
    for minutes in (10, 1, 5):
        enqueue(database, worker, run_at=NOON + timedelta(minutes=minutes))
    entry = entry_of(database)
    assert (entry.run_at, entry.revision, entry.attempts) == (NOON + timedelta(minutes=1), 3, 0)


def test_a_rolled_back_change_leaves_no_log_behind(database: Database, worker: Outbox) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:  # noqa: PT012
        worker.enqueue(connection, CALL, run_at=NOON)
        _ = 1 / 0
    assert worker.work() is False


def test_a_delivered_log_is_written_again_when_its_content_changes(
    database: Database, worker: Outbox, crm: Crm
) -> None:
    enqueue(database, worker)
    worker.work()
    enqueue(database, worker)
    assert entry_of(database).state is OutboxState.PENDING
    worker.work()
    assert crm.written == [CALL, CALL]


# ── newer content while a delivery is under way ──────────────────────────────────────────────────────────────────────


def test_content_that_changes_during_the_delivery_is_delivered_too(
    database: Database, worker: Outbox, crm: Crm
) -> None:
    enqueue(database, worker)
    crm.meanwhile = lambda: enqueue(database, worker)
    assert worker.work() is True
    assert entry_of(database).state is OutboxState.PENDING
    assert worker.work() is True
    assert entry_of(database).state is OutboxState.DELIVERED
    assert crm.written == [CALL, CALL]


def test_newer_content_never_cuts_a_lease_short(database: Database, worker: Outbox, clock: HandClock) -> None:
    enqueue(database, worker)
    claim(database, clock)
    enqueue(database, worker)
    assert entry_of(database).run_at == NOON + LEASE
    assert worker.work() is False, "another worker has it until the lease runs out"


def test_newer_content_does_not_prolong_a_lease_that_has_run_out(
    database: Database, worker: Outbox, clock: HandClock
) -> None:
    enqueue(database, worker)
    claim(database, clock)
    clock.pass_(LEASE)
    enqueue(database, worker, run_at=clock() + timedelta(minutes=10))
    assert entry_of(database).run_at == NOON + LEASE
    assert worker.work() is True


def test_newer_content_is_tried_although_the_older_was_refused(
    database: Database, worker: Outbox, crm: Crm, clock: HandClock
) -> None:
    enqueue(database, worker)
    crm.troubles = iter([ConnectorRefused("The field is missing."), None])
    crm.meanwhile = lambda: enqueue(database, worker)
    worker.work()
    assert entry_of(database).state is OutboxState.PENDING
    clock.pass_(LEASE)
    worker.work()
    assert entry_of(database).state is OutboxState.DELIVERED


# ── leases and fencing ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_worker_whose_lease_ran_out_cannot_say_how_it_ended(
    database: Database, worker: Outbox, clock: HandClock
) -> None:
    enqueue(database, worker)
    slow = claim(database, clock)
    clock.pass_(LEASE)
    quick = claim(database, clock)
    later = clock() + timedelta(hours=1)
    with database.transaction() as connection:
        assert not entries.deliver(connection, slow, record_id="log:1", record_url=None, now=clock())
        assert not entries.put_off(connection, slow, run_at=later, error="slow")
        assert not entries.park(connection, slow, error="slow")
    assert entry_of(database) == quick
    with database.transaction() as connection:
        assert entries.deliver(connection, quick, record_id="log:1", record_url=None, now=clock())


def test_a_slow_worker_in_the_middle_of_its_delivery_is_overtaken(
    database: Database, worker: Outbox, crm: Crm, clock: HandClock
) -> None:
    enqueue(database, worker)
    other = a_worker(database, lambda call_id: RecordLink("log:by the other"), clock)

    def dawdle() -> None:
        clock.pass_(LEASE)
        other.work()

    crm.meanwhile = dawdle
    worker.work()
    assert entry_of(database).record_id == "log:by the other"


def test_several_workers_never_deliver_one_entry_at_the_same_time(database: Database, clock: HandClock) -> None:
    call_ids = {f"CA-{number}" for number in range(40)}
    lock, busy, written = threading.Lock(), set[str](), list[str]()
    clashes: list[str] = []

    def write(call_id: str) -> RecordLink:
        with lock:
            clashes.extend([call_id] if call_id in busy else [])
            busy.add(call_id)
        with lock:
            busy.discard(call_id)
            written.append(call_id)
        return RecordLink(call_id)

    workers = [a_worker(database, write, clock) for _ in range(6)]
    for call_id in call_ids:
        enqueue(database, workers[0], call_id)

    def deliver_all(worker: Outbox) -> None:
        while len(written) < len(call_ids):
            worker.work()

    threads = [threading.Thread(target=deliver_all, args=(worker,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert clashes == []
    assert sorted(written) == sorted(call_ids)


KILLED = """
import sys, threading
from datetime import datetime
from cti_bridge.backlog import Backlog
from cti_bridge.circuit import Circuit
from cti_bridge.live.hub import Hub
from cti_bridge.outbox import Outbox
from cti_bridge.store import Database

def write(entry, ready):
    print("delivering", entry.call_id, flush=True)
    threading.Event().wait()

now = datetime.fromisoformat(sys.argv[2])
Outbox(Database(sys.argv[1]), Hub(), write, Circuit(), clock=lambda: now).work()
"""


def test_a_worker_killed_in_mid_delivery_is_replaced_when_its_lease_is_over(
    database: Database, worker: Outbox, crm: Crm, clock: HandClock
) -> None:
    enqueue(database, worker)
    url = database.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, url, NOON.isoformat()], stdout=subprocess.PIPE, text=True
    ) as doomed:
        assert doomed.stdout is not None
        assert doomed.stdout.readline() == f"delivering {CALL}\n"
        doomed.kill()
    assert worker.work() is False, "the dead worker's lease still stands"
    clock.pass_(LEASE)
    assert worker.work() is True
    assert crm.written == [CALL]
    assert entry_of(database).state is OutboxState.DELIVERED


# ── when the CRM does not take it ────────────────────────────────────────────────────────────────────────────────────


def test_an_unreachable_crm_is_tried_again_at_growing_intervals_and_then_parked(
    database: Database, worker: Outbox, crm: Crm, clock: HandClock
) -> None:
    enqueue(database, worker)
    crm.troubles = itertools.repeat(ConnectorUnavailable("No route to the CRM."))
    for failures, expected in enumerate(BACK_OFF, start=1):
        assert worker.work() is True
        entry = entry_of(database)
        assert (entry.state, entry.failures, entry.last_error) == (
            OutboxState.PENDING,
            failures,
            "No route to the CRM.",
        )
        assert expected <= entry.run_at - clock() <= 1.2 * expected
        clock.now = entry.run_at
    assert worker.work() is True
    assert entry_of(database).state is OutboxState.PARKED
    assert timedelta(hours=72) < sum(BACK_OFF, timedelta())
    assert worker.work() is False


def test_a_crm_that_says_when_to_come_back_is_left_alone_until_then(
    database: Database, worker: Outbox, crm: Crm, clock: HandClock
) -> None:
    enqueue(database, worker)
    crm.troubles = iter([ConnectorUnavailable("Too many requests.", retry_after=timedelta(hours=3))])
    worker.work()
    assert entry_of(database).run_at == clock() + timedelta(hours=3)


def test_a_refused_log_is_parked_with_the_crms_own_words(database: Database, worker: Outbox, crm: Crm) -> None:
    enqueue(database, worker)
    crm.troubles = iter([ConnectorRefused("必須項目「担当者」がありません。", code="GAIA_1")])
    worker.work()
    entry = entry_of(database)
    assert (entry.state, entry.last_error) == (OutboxState.PARKED, "必須項目「担当者」がありません。")


def test_a_bug_in_the_delivery_is_tried_again_like_an_outage(
    database: Database, worker: Outbox, crm: Crm, clock: HandClock
) -> None:
    enqueue(database, worker)
    crm.troubles = iter([KeyError("Id"), None])
    worker.work()
    entry = entry_of(database)
    assert (entry.state, entry.failures, entry.last_error) == (OutboxState.PENDING, 1, "KeyError: 'Id'")
    clock.now = entry.run_at
    worker.work()
    entry = entry_of(database)
    assert (entry.state, entry.failures, entry.last_error) == (OutboxState.DELIVERED, 0, None)


def test_one_parked_log_or_all_are_tried_again_when_an_administrator_says_so(
    database: Database, worker: Outbox, crm: Crm, clock: HandClock
) -> None:
    crm.troubles = iter([ConnectorRefused("No."), ConnectorRefused("No."), ConnectorRefused("No."), None, None, None])
    for call_id in ("CA-1", "CA-2", "CA-3"):
        enqueue(database, worker, call_id)
        worker.work()
    with database.reading() as connection:
        assert len(entries.entries_in(connection, OutboxState.PARKED)) == 3
        assert entries.depth(connection, NOON) == (0, 3)
    backlog = Backlog(database, Hub(), clock=clock)
    assert backlog.retry(entry_of(database, "CA-2").id) == 1
    assert worker.work() is True
    assert worker.work() is False
    assert crm.written == ["CA-2"]
    assert backlog.retry() == 2
    assert backlog.retry() == 0


def test_an_open_circuit_leaves_the_crm_alone_until_a_probe_is_due(
    database: Database, crm: Crm, clock: HandClock
) -> None:
    seconds = [0.0]
    circuit = Circuit(threshold=1, pause=timedelta(seconds=15), monotonic=lambda: seconds[0])
    worker = Outbox(database, Hub(), told(crm.write), circuit, clock=clock)
    enqueue(database, worker)
    circuit.failed()
    assert worker.work() is False
    seconds[0] = 15.0
    assert worker.work() is True
    assert circuit.health == "ok"


def test_a_refusal_is_an_answer_and_closes_the_circuit(database: Database, crm: Crm, clock: HandClock) -> None:
    seconds = [0.0]
    circuit = Circuit(threshold=1, monotonic=lambda: seconds[0])
    worker = Outbox(database, Hub(), told(crm.write), circuit, clock=clock)
    enqueue(database, worker)
    circuit.failed()
    seconds[0] = 60.0
    crm.troubles = iter([ConnectorRefused("No.")])
    assert worker.work() is True
    assert circuit.health == "ok"


# ── the loop ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "IDLE", 0.01)


@pytest.fixture
def begun() -> threading.Event:
    return threading.Event()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("trouble", [StoreUnavailable("gone"), RuntimeError("a bug")])
def test_a_database_that_is_gone_for_a_while_does_not_end_the_loop(
    database: Database,
    worker: Outbox,
    crm: Crm,
    begun: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Exception,
) -> None:
    enqueue(database, worker)
    crm.meanwhile = begun.set
    outages = iter([trouble] * 3)
    reading = database.reading

    def flaky() -> object:
        if (outage := next(outages, None)) is not None:
            raise outage
        return reading()

    monkeypatch.setattr(database, "reading", flaky)
    worker.start()
    assert begun.wait(5)
    worker.stop()
    assert crm.written == [CALL]


@pytest.mark.usefixtures("quick")
def test_a_store_lost_in_mid_delivery_leaves_the_entry_to_its_lease(
    database: Database, worker: Outbox, crm: Crm, clock: HandClock
) -> None:
    enqueue(database, worker)
    crm.troubles = iter([StoreUnavailable("gone"), None])
    with pytest.raises(StoreUnavailable):
        worker.work()
    clock.pass_(LEASE)
    assert worker.work() is True
    assert crm.written == [CALL]


def test_a_nudge_is_heard_at_once(
    database: Database, worker: Outbox, crm: Crm, begun: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "IDLE", 3600.0)
    crm.meanwhile = begun.set
    worker.start()
    enqueue(database, worker)
    worker.nudge()
    assert begun.wait(5)
    worker.stop()
    assert entry_of(database).state is OutboxState.DELIVERED, "stopping finishes the delivery under way"


def test_stopping_what_never_started_is_no_trouble(worker: Outbox) -> None:
    worker.stop()
    worker.run()  # stopped before it began: returns at once


def test_what_is_left_when_the_worker_stops_stays_due(
    database: Database, worker: Outbox, crm: Crm, begun: threading.Event
) -> None:
    def stop_begins() -> None:
        worker._stopping.set()
        begun.set()

    crm.meanwhile = stop_begins
    for call_id in ("CA-1", "CA-2"):
        enqueue(database, worker, call_id)
    worker.start()
    assert begun.wait(5)
    worker.stop()
    assert len(crm.written) == 1
    with database.reading() as connection:
        [left] = entries.entries_in(connection, OutboxState.PENDING)
    assert not left.leased, "nobody works on it, and nobody else may either"
    assert left.run_at <= NOON
