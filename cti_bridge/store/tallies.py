"""Counts of a day that all processes share: how many requests a CRM has had from us. What is counted: connectors."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Column, Date, Integer, String, Table, delete, select

from cti_bridge.store.database import INSERTS, Database, metadata

KEPT = timedelta(days=30)

tallies = Table(
    "tallies",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("count", Integer, nullable=False),
)


class Tallies:
    """The tally that connectors are opened with (``connector.Tally``)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, day: date, amount: int = 1) -> int:
        """Add to a count and return its total of that day. Raises StoreUnavailable."""
        with self._database.transaction() as connection:
            first = INSERTS[connection.dialect.name](tallies).values(name=name, day=day, count=amount)
            more = first.on_conflict_do_update(
                index_elements=[tallies.c.name, tallies.c.day],
                set_={"count": tallies.c.count + first.excluded.count},
            )
            total: int = connection.execute(more.returning(tallies.c.count)).scalar_one()
            if total == amount:  # a new day
                connection.execute(delete(tallies).where(tallies.c.name == name, tallies.c.day < day - KEPT))
        return total

    def count(self, name: str, day: date) -> int:
        """What was counted that day. Raises StoreUnavailable."""
        with self._database.reading() as connection:
            query = select(tallies.c.count).where(tallies.c.name == name, tallies.c.day == day)
            return connection.execute(query).scalar_one_or_none() or 0
