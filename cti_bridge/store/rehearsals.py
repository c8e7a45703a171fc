"""Deleting the rows of test cards (``doctor.pop``), so that nothing tells of them afterwards."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select

from cti_bridge.store.calls import calls, rings
from cti_bridge.store.outbox import outbox

PREFIX = "TEST"
"""How their ids begin; a call's at Twilio begin with CA."""


def strike(connection: Connection, call_id: str) -> None:
    """Delete this test card's rows; a real call's id deletes nothing."""
    if call_id.startswith(PREFIX):
        connection.execute(delete(outbox).where(outbox.c.call_id == call_id))
        connection.execute(delete(rings).where(rings.c.call_id == call_id))
        connection.execute(delete(calls).where(calls.c.id == call_id))


def strike_all(connection: Connection, before: datetime) -> None:
    """Delete what killed processes left behind: test cards shown before this moment."""
    left = select(calls.c.id).where(calls.c.id.startswith(PREFIX), calls.c.started_at < before)
    for call_id in connection.execute(left).scalars().all():
        strike(connection, call_id)
