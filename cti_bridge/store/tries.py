"""How often signing in went wrong lately; by keyed hash, no e-mail address is kept. How long to wait: ``auth.lockout``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Column, Connection, Integer, String, Table, delete, select, update

from cti_bridge.store.database import INSERTS, Moment, metadata

tries = Table(
    "tries",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("account", String(64), nullable=False, index=True),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Moment),
    Column("welcomed_at", Moment),
    Column("touched_at", Moment, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Tries:
    """The failures of one account, or of one account from one address; ``welcomed_at`` is the last time it went well."""

    key: str
    failures: int
    touched_at: datetime
    locked_until: datetime | None = None
    welcomed_at: datetime | None = None


def hold(connection: Connection, key: str, *, account: str, at: datetime) -> Tries:
    """What is known of this key, one of the account's, held against everybody else until the transaction ends."""
    first = INSERTS[connection.dialect.name](tries).values(key=key, account=account, failures=0, touched_at=at)
    connection.execute(first.on_conflict_do_nothing())
    row = connection.execute(select(tries).where(tries.c.key == key).with_for_update()).one()
    return Tries(row.key, row.failures, row.touched_at, row.locked_until, row.welcomed_at)


def keep(connection: Connection, known: Tries, at: datetime) -> None:
    known = replace(known, touched_at=at)
    values = {name: getattr(known, name) for name in ("failures", "locked_until", "welcomed_at", "touched_at")}
    connection.execute(update(tries).where(tries.c.key == known.key).values(values))


def remove(connection: Connection, account: str) -> None:
    """Forget all that is known of an account, from wherever."""
    connection.execute(delete(tries).where(tries.c.account == account))


def forget(connection: Connection, *, touched_before: datetime) -> None:
    connection.execute(delete(tries).where(tries.c.touched_at < touched_before))
