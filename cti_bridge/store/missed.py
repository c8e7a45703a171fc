"""Missed calls that nobody has dealt with yet, and striking them off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, true, update

from cti_bridge.model import Caller, CallerKind
from cti_bridge.store.calls import calls, is_missed


@dataclass(frozen=True, slots=True)
class MissedCall:
    """As much of a missed call as its line in the list shows: there may be hundreds, read again at every change."""

    id: str
    caller: Caller
    line_number: str | None
    started_at: datetime
    contact_name: str | None


_missed = (
    select(
        calls.c.id,
        calls.c.caller_kind,
        calls.c.caller_number,
        calls.c.caller_raw,
        calls.c.line_number,
        calls.c.started_at,
        calls.c.contact_name,
    )
    .where(is_missed, calls.c.started_at >= bindparam("since"))
    .order_by(calls.c.started_at.desc())
    .limit(500)
)


def missed_calls(connection: Connection, since: datetime) -> list[MissedCall]:
    """Missed calls that nobody has dealt with, newest first."""
    return [
        MissedCall(
            row.id,
            Caller(CallerKind(row.caller_kind), row.caller_number, row.caller_raw),
            row.line_number,
            row.started_at,
            row.contact_name,
        )
        for row in connection.execute(_missed, {"since": since})
    ]


def deal_with(
    connection: Connection,
    kind: CallerKind,
    number: str | None,
    now: datetime,
    lines: frozenset[str] | None = None,
) -> int:
    """Strike this caller's missed calls off the list, of these lines' or of all; returns how many there were."""
    same = calls.c.caller_number == number if kind is CallerKind.NUMBER else calls.c.caller_kind == kind
    of_lines = true() if lines is None else calls.c.line_number.in_(lines)
    statement = update(calls).where(is_missed, same, of_lines)
    statement = statement.values(dealt_with_at=now, changed_at=now, version=calls.c.version + 1)
    return connection.execute(statement).rowcount
