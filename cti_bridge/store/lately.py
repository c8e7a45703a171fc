"""When something last came in: for a check-up. Each is one indexed query, however many calls there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from cti_bridge.store.calls import Lookup, LookupState, call_events, calls, rings
from cti_bridge.store.codec import load


@dataclass(frozen=True, slots=True)
class LastPop:
    """The last call that rang anybody: when, how many agents, and what became of the look-up in the CRM."""

    rung_at: datetime
    agents: int
    lookup: LookupState


def last_event(connection: Connection) -> tuple[str, datetime] | None:
    """What kind of webhook was taken in last, and when: ``("status", …)``; None when none ever was."""
    query = select(call_events.c.kind, call_events.c.received_at).order_by(call_events.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return (row.kind, row.received_at) if row else None


def last_pop(connection: Connection) -> LastPop | None:
    """The last call that rang an agent; None when no agent was ever rung."""
    rung = select(rings.c.call_id).where(rings.c.call_id == calls.c.id).exists()
    query = select(calls.c.id, calls.c.started_at, calls.c.lookup).where(rung).order_by(calls.c.started_at.desc())
    row = connection.execute(query.limit(1)).one_or_none()
    if row is None:
        return None
    agents = select(func.count()).select_from(rings).where(rings.c.call_id == row.id)
    return LastPop(row.started_at, connection.execute(agents).scalar_one(), load(Lookup, row.lookup).state)
