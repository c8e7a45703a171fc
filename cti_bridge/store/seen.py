"""Which agent has been shown whose call, once for each call and agent: for the audit log. Who is told: ``live.delivery``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Column, Connection, ForeignKey, String, Table

from cti_bridge.store import audit
from cti_bridge.store.audit import Who
from cti_bridge.store.database import INSERTS, Moment, metadata
from cti_bridge.store.trail import contact_subject

CONTACT_SEEN = "contact_seen"
MOST_NAMED = 10
"""Contacts of one call that are noted by name: a switchboard's number may find two hundred."""

seen = Table(
    "seen",
    metadata,
    Column("call_id", String(40), primary_key=True),
    Column("agent_id", ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("at", Moment, nullable=False),
)


def note_once(
    connection: Connection, call_id: str, agent_id: int, connector: str, contact_ids: Iterable[str], at: datetime
) -> bool:
    """Tell the audit log that this agent was shown these contacts on the call's card, unless it was told before."""
    first = INSERTS[connection.dialect.name](seen).values(call_id=call_id, agent_id=agent_id, at=at)
    if connection.execute(first.on_conflict_do_nothing().returning(seen.c.call_id)).first() is None:
        return False
    for contact_id in list(dict.fromkeys(contact_ids))[:MOST_NAMED]:
        about = contact_subject(connector, contact_id)
        audit.note(connection, Who(agent_id), CONTACT_SEEN, about, at, call=call_id)
    return True
