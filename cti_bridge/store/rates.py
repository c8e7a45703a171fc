"""How often strangers knocked at a door within a minute, counted by all processes together. The limits: ``auth.limits``."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Integer, String, Table, delete

from cti_bridge.store.database import INSERTS, metadata

rates = Table(
    "rates",
    metadata,
    Column("door", String(20), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("minute", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
)
"""``source`` is a keyed hash of an address; ``minute`` counts from 1970."""


def add(connection: Connection, door: str, source: str, *, minute: int, amount: int) -> int:
    """Add to the count of this minute and return it; the first of a minute forgets what is older than two."""
    first = INSERTS[connection.dialect.name](rates).values(door=door, source=source, minute=minute, count=amount)
    more = first.on_conflict_do_update(
        index_elements=[rates.c.door, rates.c.source, rates.c.minute],
        set_={"count": rates.c.count + first.excluded.count},
    )
    total: int = connection.execute(more.returning(rates.c.count)).scalar_one()
    if total == amount:
        connection.execute(delete(rates).where(rates.c.minute < minute - 2))
    return total
