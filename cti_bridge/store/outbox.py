"""CRM writes that must happen: the table and its claims. What is written, and when again, is ``cti_bridge.outbox``'s.

``run_at`` is when an entry is due and, once claimed, when its lease ends: a killed worker's entry becomes due again by
itself. ``leased`` says which of the two, so that newer content never cuts a lease short. ``attempts`` is the fencing
token: only the worker whose claim is the latest may renew the lease and say how it ended. ``revision`` grows when there
is newer content: an entry whose content changed during its delivery stays pending. ``due_at`` is when the present
content was due for the first time, however often it was tried since.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    update,
)

from cti_bridge.model import Correction
from cti_bridge.store.codec import dump, load
from cti_bridge.store.database import INSERTS, Json, Moment, metadata


class OutboxState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"
    GIVEN_UP = "given_up"


class Standing(StrEnum):
    """How an entry stands at a moment, for people: the pending ones are told apart."""

    WAITING = "waiting"
    DUE = "due"
    WRITING = "writing"
    RETRYING = "retrying"
    PARKED = "parked"
    GIVEN_UP = "given_up"
    DELIVERED = "delivered"


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
    Column("due_at", Moment),
    Column("delivered_at", Moment),
    Column("last_error", Text),
    Column("record_id", String(100)),
    Column("record_url", Text),
    Column("correction", Json),
    Column("reason", Text),
)
Index("uq_outbox_call_id_kind", outbox.c.call_id, outbox.c.kind, unique=True)


def _is(state: OutboxState) -> ColumnElement[bool]:
    """In so many words: neither database uses a partial index for a state that comes as a parameter."""
    return outbox.c.state == literal_column(f"'{state}'")


_is_pending = _is(OutboxState.PENDING)
Index("ix_outbox_due", outbox.c.run_at, outbox.c.id, postgresql_where=_is_pending, sqlite_where=_is_pending)
_is_parked = _is(OutboxState.PARKED)
Index("ix_outbox_parked", outbox.c.id, postgresql_where=_is_parked, sqlite_where=_is_parked)
_is_given_up = _is(OutboxState.GIVEN_UP)
Index("ix_outbox_given_up", outbox.c.id, postgresql_where=_is_given_up, sqlite_where=_is_given_up)


@dataclass(frozen=True, slots=True)
class Entry:
    """One CRM write. ``failures`` counts the tries that failed since its content last changed.

    ``correction`` is what an administrator changed so that the CRM takes it, ``reason`` why it was given up.
    """

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
    due_at: datetime
    delivered_at: datetime | None
    last_error: str | None
    record_id: str | None
    record_url: str | None
    correction: Correction | None
    reason: str | None

    def standing(self, now: datetime) -> Standing:
        if self.state is not OutboxState.PENDING:
            return Standing(self.state)
        if self.leased and self.run_at > now:
            return Standing.WRITING
        if self.failures:
            return Standing.RETRYING
        return Standing.DUE if self.run_at <= now else Standing.WAITING


def put(connection: Connection, call_id: str, kind: str, *, run_at: datetime, now: datetime) -> None:
    """Make sure that this write happens, at ``run_at`` or earlier if it was due earlier; a delivered one runs again.

    What an administrator gave up stays given up; its newer content is written when somebody wants it after all.
    """
    statement = INSERTS[connection.dialect.name](outbox).values(
        call_id=call_id,
        kind=kind,
        state=OutboxState.PENDING,
        revision=1,
        attempts=0,
        failures=0,
        run_at=run_at,
        due_at=run_at,
        created_at=now,
    )
    under_lease = outbox.c.leased & (outbox.c.run_at > now)
    again = {
        "state": case((_is_given_up, outbox.c.state), else_=OutboxState.PENDING.value),
        "revision": outbox.c.revision + 1,
        "failures": 0,
        "run_at": case((_is_pending & (under_lease | (outbox.c.run_at < run_at)), outbox.c.run_at), else_=run_at),
        "due_at": case((_is_pending & (outbox.c.due_at < run_at), outbox.c.due_at), else_=run_at),
    }
    connection.execute(statement.on_conflict_do_update(index_elements=["call_id", "kind"], set_=again))


_other = outbox.alias("other")
_in_the_way = (
    select(_other.c.id)
    .where(
        _other.c.call_id == outbox.c.call_id,
        _other.c.id != outbox.c.id,
        _other.c.state == literal_column(f"'{OutboxState.PENDING}'"),
        or_(_other.c.id < outbox.c.id, _other.c.leased & (_other.c.run_at > bindparam("now"))),
    )
    .correlate(outbox)
    .exists()
)
_due = (
    select(outbox.c.id)
    .where(_is_pending, outbox.c.run_at <= bindparam("now"), ~_in_the_way)
    .order_by(outbox.c.run_at, outbox.c.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True, of=outbox)
    .cte("due")
)
_claim = (
    update(outbox)
    .where(outbox.c.id.in_(select(_due.c.id)), _is_pending)
    .values(attempts=outbox.c.attempts + 1, run_at=bindparam("until"), leased=True)
    .returning(outbox)
)


def claim(connection: Connection, *, now: datetime, lease: timedelta, limit: int) -> list[Entry]:
    """Take due entries, longest due first, for as long as the lease; other workers' claims are stepped over.

    Of one call's entries only the oldest is taken, and none while another is being written: a call's writes have an order.
    """
    taken = connection.execute(_claim, {"now": now, "until": now + lease, "most": limit})
    return [_entry(row) for row in taken]


def renew(connection: Connection, entry: Entry, until: datetime) -> bool:
    """Make this claim last longer; False when the entry is another worker's by now."""
    return connection.execute(update(outbox).where(_mine(entry)).values(run_at=until, leased=True)).rowcount == 1


def release(connection: Connection, entry: Entry, now: datetime) -> bool:
    """Give a claim back that nothing was done with: it is due."""
    return _conclude(connection, entry, run_at=now)


_newer = outbox.c.revision > bindparam("told")
_deliver = (
    update(outbox)
    .where(outbox.c.id == bindparam("entry"), outbox.c.attempts == bindparam("token"), _is_pending)
    .values(
        state=case((_newer, OutboxState.PENDING.value), else_=OutboxState.DELIVERED.value),
        run_at=case((_newer, bindparam("now", type_=Moment)), else_=outbox.c.run_at),
        due_at=case((_newer, bindparam("now", type_=Moment)), else_=outbox.c.due_at),
        delivered_at=bindparam("now", type_=Moment),
        leased=False,
        failures=0,
        last_error=None,
        record_id=bindparam("record"),
        record_url=bindparam("url"),
    )
)


def deliver(connection: Connection, entry: Entry, *, record_id: str, record_url: str | None, now: datetime) -> bool:
    """Say that the CRM has it; False when another worker has taken over. Newer content keeps the entry pending."""
    parameters = {"entry": entry.id, "token": entry.attempts, "told": entry.revision, "now": now}
    return connection.execute(_deliver, {**parameters, "record": record_id, "url": record_url}).rowcount == 1


def put_off(connection: Connection, entry: Entry, *, run_at: datetime, error: str) -> bool:
    """Say that it is tried again at ``run_at``, and why not now."""
    return _conclude(connection, entry, run_at=run_at, failures=outbox.c.failures + 1, last_error=error)


def park(connection: Connection, entry: Entry, *, error: str) -> bool:
    """Set it aside for an administrator, with the CRM's own words. Newer content gets its own try."""
    newer = outbox.c.revision > entry.revision
    state = case((newer, OutboxState.PENDING.value), else_=OutboxState.PARKED.value)
    return _conclude(
        connection, entry, state=state, failures=outbox.c.failures + 1, last_error=error, run_at=entry.run_at
    )


def _conclude(connection: Connection, entry: Entry, **values: Any) -> bool:
    return connection.execute(update(outbox).where(_mine(entry)).values(leased=False, **values)).rowcount == 1


def _mine(entry: Entry) -> ColumnElement[bool]:
    return (outbox.c.id == entry.id) & (outbox.c.attempts == entry.attempts) & _is_pending


def write_again(connection: Connection, entry: Entry, now: datetime) -> bool:
    """A worker whose lease had run out has written all the same, perhaps older content over newer: the newest is written
    once more, after whatever is being written now. False when nothing needs to be."""
    under_lease = _is_pending & outbox.c.leased & (outbox.c.run_at > now)
    written = (outbox.c.attempts > entry.attempts) & (_is(OutboxState.DELIVERED) | under_lease)
    again = {
        "state": OutboxState.PENDING.value,
        "revision": outbox.c.revision + 1,
        "run_at": case((under_lease, outbox.c.run_at), else_=now),
        "due_at": case((under_lease, outbox.c.due_at), else_=now),
    }
    return connection.execute(update(outbox).where(outbox.c.id == entry.id, written).values(again)).rowcount == 1


def hasten(connection: Connection, now: datetime) -> int:
    """Make everything that waits for its next try due now; returns how many entries."""
    waits = _is_pending & (outbox.c.failures > 0) & ~outbox.c.leased & (outbox.c.run_at > now)
    return connection.execute(update(outbox).where(waits).values(run_at=now)).rowcount


# ── what an administrator does ───────────────────────────────────────────────────────────────────────────────────────


def retry(connection: Connection, now: datetime, entry_id: int | None = None) -> int:
    """Make one entry that is parked, given up or retried due now, or all that are parked; returns how many."""
    chosen = _is_parked if entry_id is None else ((outbox.c.id == entry_id) & (_is_parked | _is_given_up | _retried))
    values = {"state": OutboxState.PENDING.value, "run_at": now, "due_at": now, "failures": 0, "reason": None}
    return connection.execute(update(outbox).where(chosen).values(values)).rowcount


def correct(connection: Connection, entry: Entry, correction: Correction | None, now: datetime) -> bool:
    """Write it with this correction, now; one that is being written gets its own write afterwards. False: it is gone."""
    under_lease = _is_pending & outbox.c.leased & (outbox.c.run_at > now)
    values = {
        "correction": dump(correction) if correction else None,
        "state": OutboxState.PENDING.value,
        "revision": outbox.c.revision + 1,
        "run_at": case((under_lease, outbox.c.run_at), else_=now),
        "due_at": now,
        "failures": 0,
        "reason": None,
    }
    return connection.execute(update(outbox).where(outbox.c.id == entry.id).values(values)).rowcount == 1


def give_up(connection: Connection, entry_id: int, reason: str, now: datetime) -> bool:
    """Write it no more. False when there is no such entry, it has been delivered, or is being written just now."""
    idle = ~(outbox.c.leased & (outbox.c.run_at > now))
    chosen = (outbox.c.id == entry_id) & (_is_parked | (_is_pending & idle))
    values = {"state": OutboxState.GIVEN_UP.value, "reason": reason, "leased": False}
    return connection.execute(update(outbox).where(chosen).values(values)).rowcount == 1


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def entry_of(connection: Connection, call_id: str, kind: str) -> Entry | None:
    query = select(outbox).where(outbox.c.call_id == call_id, outbox.c.kind == kind)
    row = connection.execute(query).one_or_none()
    return _entry(row) if row else None


def get(connection: Connection, entry_id: int) -> Entry | None:
    row = connection.execute(select(outbox).where(outbox.c.id == entry_id)).one_or_none()
    return _entry(row) if row else None


def entries_in(connection: Connection, state: OutboxState, limit: int = 100) -> list[Entry]:
    query = select(outbox).where(_is(state)).order_by(outbox.c.run_at).limit(limit)
    return [_entry(row) for row in connection.execute(query)]


_retried = _is_pending & (outbox.c.failures > 0) & ~outbox.c.leased


def standing_in(
    connection: Connection, standings: Iterable[Standing], now: datetime, *, limit: int, after: int = 0
) -> list[Entry]:
    """Entries that stand so, oldest first; ``after`` is the last one's id on the page before."""
    chosen = or_(*(_stands(standing, now) for standing in standings))
    query = select(outbox).where(chosen, outbox.c.id > after).order_by(outbox.c.id).limit(limit)
    return [_entry(row) for row in connection.execute(query)]


def counts(connection: Connection, now: datetime) -> dict[Standing, int]:
    """How many entries stand how, without the delivered ones, whose number only grows."""
    told = [standing for standing in Standing if standing is not Standing.DELIVERED]
    columns = [
        select(func.count()).select_from(outbox).where(_stands(standing, now)).scalar_subquery() for standing in told
    ]
    return dict(zip(told, connection.execute(select(*columns)).one(), strict=True))


def oldest_due(connection: Connection, now: datetime) -> datetime | None:
    """Since when the log is due that waits the longest; None when none is overdue."""
    query = select(func.min(outbox.c.due_at)).where(_is_pending, outbox.c.due_at <= now)
    moment: datetime | None = connection.execute(query).scalar_one()
    return moment


def _stands(standing: Standing, now: datetime) -> ColumnElement[bool]:
    """The same as ``Entry.standing``, for the database."""
    writing = outbox.c.leased & (outbox.c.run_at > now)
    match standing:
        case Standing.WRITING:
            return _is_pending & writing
        case Standing.RETRYING:
            return _is_pending & ~writing & (outbox.c.failures > 0)
        case Standing.DUE:
            return _is_pending & ~writing & (outbox.c.failures == 0) & (outbox.c.run_at <= now)
        case Standing.WAITING:
            return _is_pending & ~writing & (outbox.c.failures == 0) & (outbox.c.run_at > now)
        case _:
            return _is(OutboxState(standing))


def depth(connection: Connection, now: datetime) -> tuple[int, int]:
    """How many entries are overdue or being retried, and how many are parked."""
    late = _is_pending & ((outbox.c.run_at <= now) | (outbox.c.failures > 0))
    overdue = connection.execute(select(func.count()).select_from(outbox).where(late)).scalar_one()
    parked = connection.execute(select(func.count()).select_from(outbox).where(_is_parked)).scalar_one()
    return overdue, parked


_next_due = select(outbox.c.run_at).where(_is_pending).order_by(outbox.c.run_at).limit(1)


def next_due(connection: Connection) -> datetime | None:
    moment: datetime | None = connection.execute(_next_due).scalar_one_or_none()
    return moment


def _entry(row: Row[Any]) -> Entry:
    data = row._asdict()
    correction = load(Correction, data["correction"]) if data["correction"] else None
    due_at = data["due_at"] or data["run_at"]  # entries of an older version have none
    return Entry(**{**data, "state": OutboxState(data["state"]), "correction": correction, "due_at": due_at})
