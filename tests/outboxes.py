"""For tests of the outbox: a clock moved by hand, a CRM that does what it is told, and entries to work on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from cti_bridge.circuit import Circuit
from cti_bridge.live.hub import Hub
from cti_bridge.model import RecordLink
from cti_bridge.outbox import CALL_LOG, LEASE, Deliver, Outbox
from cti_bridge.store import Database
from cti_bridge.store import outbox as entries
from cti_bridge.store.outbox import Entry

CALL = "CA-from-taro"
NOON = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, time: timedelta) -> None:
        self.now += time


class Crm:
    """Takes logs down, or raises what it is told to. ``meanwhile`` happens once, during the next delivery."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.troubles: Iterator[Exception | None] = itertools.repeat(None)
        self.meanwhile: Callable[[], object] = lambda: None

    def write(self, call_id: str) -> RecordLink:
        trouble = next(self.troubles)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if trouble is not None:
            raise trouble
        self.written.append(call_id)
        return RecordLink(f"log:{call_id}", f"https://crm.example/{call_id}")


def a_worker(database: Database, write: Callable[[str], RecordLink], clock: HandClock, *, hands: int = 1) -> Outbox:
    return Outbox(database, Hub(), told(write), Circuit(threshold=10**9), clock=clock, hands=hands)


def told(write: Callable[[str], RecordLink]) -> Deliver:
    """A delivery that looks whether it is ready and then writes."""

    def deliver(entry: Entry, ready: Callable[[], None]) -> RecordLink:
        ready()
        return write(entry.call_id)

    return deliver


def enqueue(database: Database, worker: Outbox, call_id: str = CALL, *, run_at: datetime = NOON) -> None:
    with database.transaction() as connection:
        worker.enqueue(connection, call_id, run_at=run_at)


def claim(database: Database, clock: HandClock) -> Entry:
    with database.transaction() as connection:
        [entry] = entries.claim(connection, now=clock(), lease=LEASE, limit=1)
    return entry


def entry_of(database: Database, call_id: str = CALL) -> Entry:
    with database.reading() as connection:
        entry = entries.entry_of(connection, call_id, CALL_LOG)
    assert entry is not None
    return entry
