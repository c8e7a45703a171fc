"""Who is free to ring: derived from the calls, by one query, so that it cannot go stale."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, or_, select

from cti_bridge.model import Engagement
from cti_bridge.store.calls import LONGEST_CALL, calls
from cti_bridge.store.directory import agents, line_agents

_not_completed = calls.c.completed_at.is_(None)
_wrapping_up = and_(_not_completed, calls.c.ended_at > bindparam("ended_after"), calls.c.outcome == "answered")
# Who completes early still talks; but when the end was never told, completing is the way out, a wrap-up's time later.
_talking = and_(calls.c.ended_at.is_(None), or_(_not_completed, calls.c.completed_at > bindparam("ended_after")))
_busy = select(calls.c.id).where(calls.c.started_at > bindparam("began_after"), or_(_talking, _wrapping_up))
_available = (
    select(agents.c.id)
    .join(line_agents, line_agents.c.agent_id == agents.c.id)
    .where(
        line_agents.c.line_id == bindparam("line_id"),
        agents.c.active,
        ~agents.c.away,
        ~_busy.where(calls.c.agent_id == agents.c.id).exists(),
    )
    .order_by(agents.c.id)
)


def available_agents(connection: Connection, line_id: int, now: datetime, wrap_up: timedelta) -> list[int]:
    """The ids of the line's agents who are not away, not on a call and not wrapping up, in the order of their ids."""
    parameters = {"line_id": line_id, **_busy_since(now, wrap_up)}
    return list(connection.execute(_available, parameters).scalars())


_engaged = _busy.with_only_columns(calls.c.agent_id, calls.c.ended_at)
_all_engaged = _engaged.where(calls.c.agent_id.is_not(None))
_one_engaged = _engaged.where(calls.c.agent_id == bindparam("agent_id"))


def engagements(
    connection: Connection, now: datetime, wrap_up: timedelta, agent_id: int | None = None
) -> dict[int, Engagement]:
    """What calls keep agents busy with, by agent id; of one agent, or of all. Free agents are not in it."""
    query = _all_engaged if agent_id is None else _one_engaged
    found: dict[int, Engagement] = {}
    for row in connection.execute(query, {"agent_id": agent_id, **_busy_since(now, wrap_up)}):
        if row.ended_at is None or row.agent_id not in found:
            found[row.agent_id] = Engagement.TALKING if row.ended_at is None else Engagement.WRAPPING_UP
    return found


def _busy_since(now: datetime, wrap_up: timedelta) -> dict[str, datetime]:
    return {"began_after": now - LONGEST_CALL, "ended_after": now - wrap_up}
