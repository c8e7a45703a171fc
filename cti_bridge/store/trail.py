"""Reading the audit log, and what it calls things. Writing it is ``audit``'s; how long it is kept, ``retention``'s."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from cti_bridge.store.audit import audit
from cti_bridge.store.directory import agents

PAGE = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries: of this agent, this action, from this moment (included) to that (excluded); None leaves it open."""

    agent_id: int | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """One entry. ``agent`` is the e-mail address of who did it, if they are still in the directory."""

    id: int
    at: datetime
    agent_id: int | None
    agent: str | None
    address: str
    action: str
    subject: str
    details: dict[str, Any]


def contact_subject(connector: str, contact_id: str) -> str:
    """A contact, as a subject: ``salesforce/0035…``. An id says nothing by itself."""
    return f"{connector}/{contact_id}"[:100]


def latest(connection: Connection, wanted: Filter, *, limit: int, before: int | None = None) -> list[Noted]:
    """The newest entries first; ``before`` is the id of the last one on the page before."""
    query = _query(wanted).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    return [_noted(row) for row in connection.execute(query)]


def page(connection: Connection, wanted: Filter, after: int = 0) -> list[Noted]:
    """The oldest first, a page at a time; ``after`` is the id of the last one on the page before."""
    query = _query(wanted).where(audit.c.id > after).order_by(audit.c.id).limit(PAGE)
    return [_noted(row) for row in connection.execute(query)]


def actions(connection: Connection) -> Iterator[str]:
    """Every word for what was done that stands in the log."""
    yield from connection.execute(select(audit.c.action).distinct().order_by(audit.c.action)).scalars()


def _query(wanted: Filter) -> Any:
    query = select(audit, agents.c.email).select_from(audit.outerjoin(agents, agents.c.id == audit.c.agent_id))
    conditions = []
    if wanted.agent_id is not None:
        conditions.append(audit.c.agent_id == wanted.agent_id)
    if wanted.action is not None:
        conditions.append(audit.c.action == wanted.action)
    if wanted.subject is not None:
        conditions.append(audit.c.subject == wanted.subject)
    if wanted.since is not None:
        conditions.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(audit.c.at < wanted.until)
    return query.where(*conditions)


def _noted(row: Row[Any]) -> Noted:
    return Noted(row.id, row.at, row.agent_id, row.email, row.address, row.action, row.subject, row.details)
