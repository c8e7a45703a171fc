"""CRM writes that must happen: the table and its claims. What is written, and when again, is ``cti_bridge.outbox``'s.

``run_at`` is when an entry is due and, once claimed, when its lease ends: a killed worker's entry becomes due again by
itself. ``leased`` says which of the two, so that newer content never cuts a lease short. ``attempts`` is the fencing
token: only the worker whose claim is the latest may say how it ended. ``revision`` grows when there is newer content: an
entry whose content changed during its delivery stays pending.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, Integer, Row, String, Table, Text, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cti_bridge.store.database import Moment, metadata


class OutboxState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"


outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call_id", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("state", String(10), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("run_at", Moment, nullable=False),
    Column("leased", Boolean, nullable=False, default=False),
    Column("created_at", Moment, nullable=False),
    Column("delivered_at", Moment),
    Column("last_error", Text),
    Column("record_id", String(100)),
    Column("record_url", Text),
)
Index("uq_outbox_call_id_kind", outbox.c.call_id, outbox.c.kind, unique=True)
_is_pending = outbox.c.state == OutboxState.PENDING.value
Index("ix_outbox_due", outbox.c.run_at, outbox.c.id, postgresql_where=_is_pending, sqlite_where=_is_pending)
_is_parked = outbox.c.state == OutboxState.PARKED.value
Index("ix_outbox_parked", outbox.c.id, postgresql_where=_is_parked, sqlite_where=_is_parked)


@dataclass(frozen=True, slots=True)
class Entry:
    """One CRM write. ``failures`` counts the tries that failed since its content last changed."""

    id: int
    call_id: str
    kind: str
    state: OutboxState
    revision: int
    attempts: int
    failures: int
    run_at: datetime
    leased: bool
    created_at: datetime
    delivered_at: datetime | None
    last_error: str | None
    record_id: str | None
    record_url: str | None


def put(connection: Connection, call_id: str, kind: str, *, run_at: datetime, now: datetime) -> None:
    """Make sure that this write happens, at ``run_at`` or earlier if it was due earlier; a delivered one runs again."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(outbox).values(
        call_id=call_id,
        kind=kind,
        state=OutboxState.PENDING,
        revision=1,
        attempts=0,
        failures=0,
        run_at=run_at,
        created_at=now,
    )
    under_lease = outbox.c.leased & (outbox.c.run_at > now)
    again = {
        "state": OutboxState.PENDING.value,
        "revision": outbox.c.revision + 1,
        "failures": 0,
        "run_at": case((_is_pending & (under_lease | (outbox.c.run_at < run_at)), outbox.c.run_at), else_=run_at),
    }
    connection.execute(statement.on_conflict_do_update(index_elements=["call_id", "kind"], set_=again))


def claim(connection: Connection, *, now: datetime, lease: timedelta, limit: int) -> list[Entry]:
    """Take due entries, longest due first, for as long as the lease; other workers' claims are stepped over."""
    due = (
        select(outbox.c.id)
        .where(_is_pending, outbox.c.run_at <= now)
        .order_by(outbox.c.run_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        update(outbox)
        .where(outbox.c.id.in_(select(due.c.id)), _is_pending)
        .values(attempts=outbox.c.attempts + 1, run_at=now + lease, leased=True)
        .returning(outbox)
    )
    return [_entry(row) for row in connection.execute(statement)]


def deliver(connection: Connection, entry: Entry, *, record_id: str, record_url: str | None, now: datetime) -> bool:
    """Say that the CRM has it; False when another worker has taken over. Newer content keeps the entry pending."""
    newer = outbox.c.revision > entry.revision
    return _conclude(
        connection,
        entry,
        state=case((newer, OutboxState.PENDING.value), else_=OutboxState.DELIVERED.value),
        run_at=case((newer, now), else_=outbox.c.run_at),
        delivered_at=now,
        failures=0,
        last_error=None,
        record_id=record_id,
        record_url=record_url,
    )


def retry(connection: Connection, entry: Entry, *, run_at: datetime, error: str) -> bool:
    return _conclude(connection, entry, run_at=run_at, failures=outbox.c.failures + 1, last_error=error)


def park(connection: Connection, entry: Entry, *, error: str) -> bool:
    """Set it aside for an administrator, with the CRM's own words. Newer content gets its own try."""
    newer = outbox.c.revision > entry.revision
    state = case((newer, OutboxState.PENDING.value), else_=OutboxState.PARKED.value)
    return _conclude(
        connection, entry, state=state, failures=outbox.c.failures + 1, last_error=error, run_at=entry.run_at
    )


def _conclude(connection: Connection, entry: Entry, **values: Any) -> bool:
    mine = (outbox.c.id == entry.id) & (outbox.c.attempts == entry.attempts) & _is_pending
    return connection.execute(update(outbox).where(mine).values(leased=False, **values)).rowcount == 1


def retry_parked(connection: Connection, now: datetime, entry_id: int | None = None) -> int:
    """Make one parked entry, or all, due now; returns how many."""
    chosen = _is_parked if entry_id is None else (_is_parked & (outbox.c.id == entry_id))
    statement = update(outbox).where(chosen).values(state=OutboxState.PENDING.value, run_at=now, failures=0)
    return connection.execute(statement).rowcount


def entry_of(connection: Connection, call_id: str, kind: str) -> Entry | None:
    query = select(outbox).where(outbox.c.call_id == call_id, outbox.c.kind == kind)
    row = connection.execute(query).one_or_none()
    return _entry(row) if row else None


def entries_in(connection: Connection, state: OutboxState, limit: int = 100) -> list[Entry]:
    query = select(outbox).where(outbox.c.state == state).order_by(outbox.c.run_at).limit(limit)
    return [_entry(row) for row in connection.execute(query)]


def depth(connection: Connection, now: datetime) -> tuple[int, int]:
    """How many entries are overdue or being retried, and how many are parked."""
    late = _is_pending & ((outbox.c.run_at <= now) | (outbox.c.failures > 0))
    overdue = connection.execute(select(func.count()).select_from(outbox).where(late)).scalar_one()
    parked = connection.execute(select(func.count()).select_from(outbox).where(_is_parked)).scalar_one()
    return overdue, parked


def next_due(connection: Connection) -> datetime | None:
    query = select(outbox.c.run_at).where(_is_pending).order_by(outbox.c.run_at).limit(1)
    moment: datetime | None = connection.execute(query).scalar_one_or_none()
    return moment


def _entry(row: Row[Any]) -> Entry:
    data = row._asdict()
    return Entry(**{**data, "state": OutboxState(data["state"])})
