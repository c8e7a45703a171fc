"""Sign-ins: a row for each, so that it can be ended at once in every process. What a token says: ``auth``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, ForeignKey, String, Table, delete, insert, or_, select, update

from cti_bridge.store.database import Moment, metadata

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("agent_id", ForeignKey("agents.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("began_at", Moment, nullable=False, index=True),
    Column("renewed_at", Moment, nullable=False),
    Column("user_agent", String(80), nullable=False),
    Column("ended_at", Moment, index=True),
)
"""``id`` is a hash of what the token holds: whoever reads this table cannot make a token of it."""


def begin(connection: Connection, session_id: str, agent_id: int, *, user_agent: str, at: datetime) -> None:
    values = {"id": session_id, "agent_id": agent_id, "began_at": at, "renewed_at": at, "user_agent": user_agent[:80]}
    connection.execute(insert(sessions).values(values))


def is_live(connection: Connection, session_id: str) -> bool:
    """Whether this sign-in began and was not ended."""
    found = select(sessions.c.id).where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
    return connection.execute(found).first() is not None


def renew(connection: Connection, session_id: str, at: datetime) -> bool:
    """False when it was ended."""
    live = (sessions.c.id == session_id) & sessions.c.ended_at.is_(None)
    return connection.execute(update(sessions).where(live).values(renewed_at=at)).rowcount == 1


def end(connection: Connection, session_id: str, at: datetime) -> None:
    live = (sessions.c.id == session_id) & sessions.c.ended_at.is_(None)
    connection.execute(update(sessions).where(live).values(ended_at=at))


def end_all(connection: Connection, agent_id: int, at: datetime) -> int:
    """How many of this agent's sign-ins were ended by that."""
    live = (sessions.c.agent_id == agent_id) & sessions.c.ended_at.is_(None)
    return connection.execute(update(sessions).where(live).values(ended_at=at)).rowcount


def ended(connection: Connection, *, since: datetime, now: datetime, life: timedelta) -> frozenset[str]:
    """The sign-ins that were ended since then, or whose life ran out."""
    ran_out = (sessions.c.began_at >= since - life) & (sessions.c.began_at < now - life)
    query = select(sessions.c.id).where(or_(sessions.c.ended_at >= since, ran_out))
    return frozenset(connection.execute(query).scalars())


def ended_among(connection: Connection, session_ids: Iterable[str]) -> frozenset[str]:
    """Which of these were ended."""
    query = select(sessions.c.id).where(sessions.c.id.in_(list(session_ids)), sessions.c.ended_at.is_not(None))
    return frozenset(connection.execute(query).scalars())


def forget(connection: Connection, *, began_before: datetime) -> None:
    connection.execute(delete(sessions).where(sessions.c.began_at < began_before))
