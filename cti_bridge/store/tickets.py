"""Which tickets were used, so that each opens one socket only, in whatever process."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Connection, String, Table, delete
from sqlalchemy.dialects import postgresql, sqlite

from cti_bridge.store.database import Moment, metadata

used_tickets = Table(
    "used_tickets",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("expires_at", Moment, nullable=False, index=True),
)


def use(connection: Connection, ticket_id: str, *, expires_at: datetime, now: datetime) -> bool:
    """Mark the ticket as used; False when it was used before. Forgets tickets that have run out."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(delete(used_tickets).where(used_tickets.c.expires_at < now))
    statement = insert(used_tickets).values(id=ticket_id, expires_at=expires_at).on_conflict_do_nothing()
    return connection.execute(statement.returning(used_tickets.c.id)).first() is not None
