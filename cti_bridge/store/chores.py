"""Work that one process at a time does for all: who is at it, until when, and when it was last done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, String, Table, delete, insert, or_, update

from cti_bridge.store.database import INSERTS, Moment, metadata

chores = Table(
    "chores",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("leased_until", Moment),
    Column("done_at", Moment),
)
"""``leased_until`` is also the fencing token: only whoever wrote it may renew the lease or say that the work is done."""

AUDIT_MAY_SHRINK = "audit_may_shrink"
"""The name that must stand here for the database to let entries of the audit log go (see the triggers)."""


def claim(connection: Connection, name: str, *, now: datetime, lease: timedelta, every: timedelta) -> datetime | None:
    """Take the work on for so long, if it is due and nobody is at it: until when, else None."""
    connection.execute(INSERTS[connection.dialect.name](chores).values(name=name).on_conflict_do_nothing())
    free = or_(chores.c.leased_until.is_(None), chores.c.leased_until <= now)
    due = or_(chores.c.done_at.is_(None), chores.c.done_at <= now - every)
    statement = update(chores).where(chores.c.name == name, free, due).values(leased_until=now + lease)
    return now + lease if connection.execute(statement).rowcount == 1 else None


def renew(connection: Connection, name: str, held: datetime, until: datetime) -> bool:
    """False when somebody else has taken it on, because the lease had run out."""
    mine = (chores.c.name == name) & (chores.c.leased_until == held)
    return connection.execute(update(chores).where(mine).values(leased_until=until)).rowcount == 1


def finish(connection: Connection, name: str, held: datetime, done_at: datetime | None) -> None:
    """Give it back; with a moment, it has been done."""
    mine = (chores.c.name == name) & (chores.c.leased_until == held)
    values = {"leased_until": None, **({"done_at": done_at} if done_at else {})}
    connection.execute(update(chores).where(mine).values(values))


@contextmanager
def audit_may_shrink(connection: Connection) -> Iterator[None]:
    """Within this, and in this transaction alone, the database lets entries of the audit log go."""
    connection.execute(insert(chores).values(name=AUDIT_MAY_SHRINK))
    yield
    connection.execute(delete(chores).where(chores.c.name == AUDIT_MAY_SHRINK))
