"""What is older than it is to be kept: counting it, and deleting it in batches, each a short transaction of its own.

A call whose log has not reached the CRM is not old, whatever its age. How long each kind is kept: ``settings``; when the
work is done, and by whom: ``cti_bridge.retention``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, select, tuple_

from cti_bridge.store import chores
from cti_bridge.store.audit import audit
from cti_bridge.store.calls import call_events, calls, rings
from cti_bridge.store.database import Database
from cti_bridge.store.numbers import number_index, picks
from cti_bridge.store.outbox import OutboxState, outbox
from cti_bridge.store.seen import seen

BATCH = 200
"""Rows in one transaction: some milliseconds, so that no webhook waits longer for its turn to write."""

SOME = 2000
"""Rows that are looked at in one read."""

_OWED = [OutboxState.PENDING.value, OutboxState.PARKED.value]


@dataclass(frozen=True)
class Kind:
    """One kind of old data. ``find`` gives the keys of what is older, a batch at a time; ``delete`` deletes those of
    them that still are, and says how many; ``count`` says how many there are."""

    find: Callable[[Database, datetime], Iterator[list[Any]]]
    delete: Callable[[Connection, list[Any], datetime], int]
    count: Callable[[Connection, datetime], int]


def batches(database: Database, kind: Kind, before: datetime) -> Iterator[int]:
    """Delete what is older than this, and say after each transaction how many rows it was. Raises StoreUnavailable."""
    for keys in kind.find(database, before):
        with database.transaction() as connection:
            count = kind.delete(connection, keys, before)
        yield count


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _settled_before(before: datetime) -> ColumnElement[bool]:
    owed = exists().where(outbox.c.call_id == calls.c.id, outbox.c.state.in_(_OWED))
    return (calls.c.started_at < before) & ~owed


def _old_calls(database: Database, before: datetime) -> Iterator[list[str]]:
    place = tuple_(calls.c.started_at, calls.c.id)
    query = select(calls.c.started_at, calls.c.id).where(_settled_before(before))
    query = query.order_by(calls.c.started_at, calls.c.id).limit(BATCH)
    after: tuple[datetime, str] | None = None
    while True:
        page = query if after is None else query.where(place > tuple_(*after))
        with database.reading() as connection:
            rows = connection.execute(page).all()
        if not rows:
            return
        yield [row.id for row in rows]
        after = rows[-1].started_at, rows[-1].id


def _delete_calls(connection: Connection, ids: list[str], before: datetime) -> int:
    """Locked first, then looked at again: an agent may be correcting an old note, whose log is owed then."""
    connection.execute(select(calls.c.id).where(calls.c.id.in_(ids)).order_by(calls.c.id).with_for_update())
    settled = select(calls.c.id).where(calls.c.id.in_(ids), _settled_before(before))
    gone = list(connection.execute(settled).scalars())
    for of in (rings, seen, outbox):
        connection.execute(delete(of).where(of.c.call_id.in_(gone)))
    return connection.execute(delete(calls).where(calls.c.id.in_(gone))).rowcount


# ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _old_webhooks(database: Database, before: datetime) -> Iterator[list[int]]:
    """Ids grow with time, so that the old ones are the first: no index on the time, which every webhook would pay for."""
    after = 0
    while True:
        query = select(call_events.c.id, call_events.c.received_at).where(call_events.c.id > after)
        with database.reading() as connection:
            rows = connection.execute(query.order_by(call_events.c.id).limit(SOME)).all()
        old = [row.id for row in rows if row.received_at < before]
        for start in range(0, len(old), BATCH):
            yield old[start : start + BATCH]
        if not old:
            return
        after = rows[-1].id


def _delete_webhooks(connection: Connection, ids: list[int], before: datetime) -> int:
    old = call_events.c.received_at < before
    return connection.execute(delete(call_events).where(call_events.c.id.in_(ids), old)).rowcount


# ── what we remember of numbers ──────────────────────────────────────────────────────────────────────────────────────


def _stale(before: datetime) -> ColumnElement[bool]:
    return number_index.c.fetched_at < before


def _unused(before: datetime) -> ColumnElement[bool]:
    """Picks are as old as the last call of their number, or the choice itself, which says so as text in ISO 8601."""
    called = exists().where(calls.c.caller_number == picks.c.number)
    return and_(~called, picks.c.choice["at"].as_string() < before.isoformat())


def _numbers(of: Any, old: Callable[[datetime], ColumnElement[bool]]) -> Kind:
    key = tuple_(of.c.number, of.c.connector)

    def find(database: Database, before: datetime) -> Iterator[list[Any]]:
        query = select(of.c.number, of.c.connector).where(old(before)).order_by(of.c.number, of.c.connector)
        after: tuple[str, str] | None = None
        while True:
            page = query if after is None else query.where(key > tuple_(*after))
            with database.reading() as connection:
                rows = [tuple(row) for row in connection.execute(page.limit(BATCH))]
            if not rows:
                return
            yield rows
            after = rows[-1]

    def delete_them(connection: Connection, keys: list[Any], before: datetime) -> int:
        return connection.execute(delete(of).where(key.in_(keys), old(before))).rowcount

    def count(connection: Connection, before: datetime) -> int:
        return connection.execute(select(func.count()).select_from(of).where(old(before))).scalar_one()

    return Kind(find, delete_them, count)


# ── the audit log ────────────────────────────────────────────────────────────────────────────────────────────────────


def _old_entries(database: Database, before: datetime) -> Iterator[list[int]]:
    after = 0
    while True:
        query = select(audit.c.id).where(audit.c.at < before, audit.c.id > after).order_by(audit.c.id).limit(BATCH)
        with database.reading() as connection:
            ids = list(connection.execute(query).scalars())
        if not ids:
            return
        yield ids
        after = ids[-1]


def _delete_entries(connection: Connection, ids: list[int], before: datetime) -> int:
    with chores.audit_may_shrink(connection):
        return connection.execute(delete(audit).where(audit.c.id.in_(ids), audit.c.at < before)).rowcount


def _count(of: Any, old: Callable[[datetime], ColumnElement[bool]]) -> Callable[[Connection, datetime], int]:
    def count(connection: Connection, before: datetime) -> int:
        return connection.execute(select(func.count()).select_from(of).where(old(before))).scalar_one()

    return count


WEBHOOKS = Kind(_old_webhooks, _delete_webhooks, _count(call_events, lambda before: call_events.c.received_at < before))
CALLS = Kind(_old_calls, _delete_calls, _count(calls, _settled_before))
PICKS = _numbers(picks, _unused)
INDEX = _numbers(number_index, _stale)
AUDIT = Kind(_old_entries, _delete_entries, _count(audit, lambda before: audit.c.at < before))


def owed_since(connection: Connection, before: datetime) -> int:
    """How many calls are that old and stay all the same, because their log has not reached the CRM."""
    owed = exists().where(outbox.c.call_id == calls.c.id, outbox.c.state.in_(_OWED))
    return connection.execute(
        select(func.count()).select_from(calls).where(calls.c.started_at < before, owed)
    ).scalar_one()
