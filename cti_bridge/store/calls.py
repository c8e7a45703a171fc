"""Calls, the events that told them, and whom they rang: tables and queries.

A call's row holds its facts as JSON (``model.Call``, the only truth) beside columns derived from them for queries, what
the agent said about it, and what the CRM said about the caller. ``version`` grows with every change: whoever shows a
call compares versions and never needs to know what changed.

Statements that every webhook needs are built once, above the function that runs them: building one takes longer than
running it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    and_,
    bindparam,
    or_,
    select,
    update,
)

from cti_bridge.model import Activity, Call, Caller, CallerKind, CallEvent, Choice, Match, RelatedRecord, settle
from cti_bridge.store.codec import dump, load
from cti_bridge.store.database import INSERTS, Json, Moment, metadata

LONGEST_CALL = timedelta(hours=4)
"""Twilio ends every call after four hours (``timeLimit`` 14400): what is older is over, whatever we were told."""

MOST_SHOWN = 50
"""Cards on one screen; who leaves more wrap-ups open than that sees the latest."""

calls = Table(
    "calls",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("changed_at", Moment, nullable=False, index=True),
    Column("facts", Json, nullable=False),
    # derived from the facts
    Column("direction", String(8)),
    Column("line_number", String(20)),
    Column("caller_kind", String(10), nullable=False),
    Column("caller_number", String(20)),
    Column("caller_raw", Text, nullable=False),
    Column("agent_id", ForeignKey("agents.id")),
    Column("started_at", Moment, nullable=False),
    Column("answered_at", Moment),
    Column("ended_at", Moment),
    Column("outcome", String(12)),
    Column("recording_id", String(40)),
    # what the agent said
    Column("note", Text, nullable=False, default=""),
    Column("disposition", String(40)),
    Column("draft_saved_at", Moment),
    Column("picked", Json),
    Column("disowned", Boolean, nullable=False, default=False),
    Column("related", Json),
    Column("completed_at", Moment),
    Column("dealt_with_at", Moment),
    # what the CRM said
    Column("lookup", Json, nullable=False),
    Column("contact_id", String(100)),
    Column("contact_name", Text),
)
Index("ix_calls_caller", calls.c.caller_number, calls.c.started_at)
Index("ix_calls_agent", calls.c.agent_id, calls.c.started_at)
Index("ix_calls_started_at", calls.c.started_at)
_is_recorded = calls.c.recording_id.is_not(None)
Index("ix_calls_recording", calls.c.recording_id, postgresql_where=_is_recorded, sqlite_where=_is_recorded)
is_missed = and_(calls.c.outcome == "missed", calls.c.dealt_with_at.is_(None))
Index("ix_calls_missed", calls.c.started_at, postgresql_where=is_missed, sqlite_where=is_missed)

call_events = Table(
    "call_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("token", String(64)),
    Column("call_id", String(40), nullable=False),  # the key begins with it, so that one index serves both
    Column("kind", String(12), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("parameters", Json, nullable=False),
    Column("answer", Text, nullable=False),
)
_is_retry = call_events.c.token.is_not(None)
Index("uq_call_events_token", call_events.c.token, unique=True, postgresql_where=_is_retry, sqlite_where=_is_retry)

rings = Table(
    "rings",
    metadata,
    Column("call_id", String(40), primary_key=True),
    Column("agent_id", ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("rung_at", Moment, nullable=False),
)
Index("ix_rings_agent", rings.c.agent_id, rings.c.rung_at)


class LookupState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Story:
    """A contact's activity on the card: whose it is (a contact id), and whether it has come."""

    of: str | None = None
    state: LookupState = LookupState.WAITING
    activity: Activity = field(default_factory=Activity)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the CRM said about a caller. ``source`` is ``crm`` or ``index`` (our memory of its earlier answers)."""

    state: LookupState = LookupState.WAITING
    source: str | None = None
    stale: bool = False
    fetched_at: datetime | None = None
    trouble: str | None = None
    matches: tuple[Match, ...] = ()
    learned: Choice | None = None
    story: Story = field(default_factory=Story)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call's row: its facts, what the agent said, what the CRM said."""

    call: Call
    caller: Caller
    version: int = 0
    note: str = ""
    disposition: str | None = None
    draft_saved_at: datetime | None = None
    picked: Choice | None = None
    disowned: bool = False
    related: RelatedRecord | None = None
    completed_at: datetime | None = None
    dealt_with_at: datetime | None = None
    lookup: Lookup = field(default_factory=Lookup)
    contact_id: str | None = None
    contact_name: str | None = None

    @property
    def id(self) -> str:
        return self.call.id

    @property
    def choice(self) -> Choice | None:
        """Whose call it is, as far as that is settled."""
        return settle(self.lookup.matches, self.picked, self.lookup.learned, disowned=self.disowned)


_get = select(calls).where(calls.c.id == bindparam("call_id"))
_get_for_update = _get.with_for_update()


def get(connection: Connection, call_id: str, *, for_update: bool = False) -> CallRecord | None:
    """The call, or None. ``for_update`` holds off other writers of this call until the transaction ends."""
    query = _get_for_update if for_update else _get
    row = connection.execute(query, {"call_id": call_id}).one_or_none()
    return _record(row) if row else None


def recorded_as(connection: Connection, recording_id: str) -> CallRecord | None:
    """The call that this recording is of, or None."""
    query = select(calls).where(calls.c.recording_id == recording_id).order_by(calls.c.started_at.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return _record(row) if row else None


_insert = calls.insert()
_update = update(calls).where(calls.c.id == bindparam("call_id"))


def save(connection: Connection, record: CallRecord, now: datetime) -> None:
    """Insert or update the whole row; ``record.version`` is the version that it had, 0 for a new one.

    Raises sqlalchemy's IntegrityError when another transaction inserted the same new call first.
    """
    call = record.call
    values = {
        "version": record.version + 1,
        "changed_at": now,
        "facts": dump(call),
        "direction": call.direction,
        "line_number": call.line_number,
        "caller_kind": record.caller.kind,
        "caller_number": record.caller.number,
        "caller_raw": record.caller.raw,
        "agent_id": call.agent_id,
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "outcome": call.outcome,
        "recording_id": call.recording_id,
        "note": record.note,
        "disposition": record.disposition,
        "draft_saved_at": record.draft_saved_at,
        "picked": dump(record.picked) if record.picked else None,
        "disowned": record.disowned,
        "related": dump(record.related) if record.related else None,
        "completed_at": record.completed_at,
        "dealt_with_at": record.dealt_with_at,
        "lookup": dump(record.lookup),
        "contact_id": record.contact_id,
        "contact_name": record.contact_name,
    }
    if record.version == 0:
        connection.execute(_insert, {"id": call.id, **values})
    else:
        connection.execute(_update, {"call_id": call.id, **values})


_touch = _update.values(version=calls.c.version + 1)


def touch(connection: Connection, call_id: str, now: datetime) -> None:
    """Say that something changed that a card of this call shows, though it stands in another table."""
    connection.execute(_touch, {"call_id": call_id, "changed_at": now})


_add_event = {
    dialect: insert(call_events).on_conflict_do_nothing().returning(call_events.c.id)
    for dialect, insert in INSERTS.items()
}


def add_event(
    connection: Connection, event: CallEvent, parameters: Mapping[str, Any], answer: str, now: datetime
) -> bool:
    """Write the event down; False when it was known already, by its key or by its idempotency token."""
    values = {
        "key": event.key,
        "token": event.token,
        "call_id": event.call_id,
        "kind": event.kind,
        "received_at": now,
        "parameters": dict(parameters),
        "answer": answer,
    }
    return connection.execute(_add_event[connection.dialect.name], values).first() is not None


_answer_by_key = select(call_events.c.answer).where(call_events.c.key == bindparam("key")).limit(1)
_answer_by_key_or_token = (
    select(call_events.c.answer)
    .where(or_(call_events.c.key == bindparam("key"), call_events.c.token == bindparam("token")))
    .limit(1)
)


def answer_given(connection: Connection, event: CallEvent) -> str | None:
    """What this very event was answered the first time; None when it is new."""
    query = _answer_by_key_or_token if event.token else _answer_by_key
    given: str | None = connection.execute(query, {"key": event.key, "token": event.token}).scalar_one_or_none()
    return given


_add_rings = {dialect: insert(rings).on_conflict_do_nothing() for dialect, insert in INSERTS.items()}


def add_rings(connection: Connection, call_id: str, agent_ids: Iterable[int], now: datetime) -> None:
    rows = [{"call_id": call_id, "agent_id": agent_id, "rung_at": now} for agent_id in agent_ids]
    if rows:
        connection.execute(_add_rings[connection.dialect.name], rows)


def live_calls(connection: Connection, agent_id: int, now: datetime) -> list[CallRecord]:
    """What an agent's screen shows, oldest first: calls that ring them, that they are on, or have yet to finish."""
    rung = select(rings.c.call_id).where(rings.c.agent_id == agent_id, rings.c.rung_at > now - LONGEST_CALL)
    query = (
        select(calls)
        .where(
            calls.c.started_at > now - LONGEST_CALL * 3,
            calls.c.completed_at.is_(None),
            or_(
                calls.c.agent_id == agent_id,
                and_(calls.c.id.in_(rung), calls.c.agent_id.is_(None), calls.c.ended_at.is_(None)),
            ),
        )
        .order_by(calls.c.started_at.desc())
        .limit(MOST_SHOWN)
    )
    return [_record(row) for row in connection.execute(query)][::-1]


def recent_calls(connection: Connection, agent_id: int, limit: int = 20) -> list[CallRecord]:
    """The agent's own calls, newest first."""
    query = select(calls).where(calls.c.agent_id == agent_id).order_by(calls.c.started_at.desc()).limit(limit)
    return [_record(row) for row in connection.execute(query)]


_rung_agents = select(rings.c.agent_id).where(rings.c.call_id == bindparam("call_id"))


def rung_agents(connection: Connection, call_id: str) -> list[int]:
    return list(connection.execute(_rung_agents, {"call_id": call_id}).scalars())


def changed_since(connection: Connection, moment: datetime) -> list[tuple[str, int]]:
    """Ids and versions of the calls that changed since then."""
    query = select(calls.c.id, calls.c.version).where(calls.c.changed_at >= moment)
    return [(row.id, row.version) for row in connection.execute(query)]


_last_answered = (
    select(calls)
    .where(
        calls.c.caller_number == bindparam("number"),
        calls.c.started_at <= bindparam("before"),  # Twilio's moments are whole seconds
        calls.c.answered_at.is_not(None),
        calls.c.id != bindparam("besides"),
    )
    .order_by(calls.c.started_at.desc())
    .limit(1)
)


def last_answered(connection: Connection, number: str, before: datetime, *, besides: str) -> CallRecord | None:
    """The last conversation with this number that began until this moment, ``besides`` this call itself."""
    parameters = {"number": number, "before": before, "besides": besides}
    row = connection.execute(_last_answered, parameters).one_or_none()
    return _record(row) if row else None


_contacts_called = select(calls.c.contact_id).where(
    calls.c.caller_number == bindparam("number"),
    calls.c.started_at >= bindparam("since"),
    calls.c.contact_id.is_not(None),
    calls.c.outcome == "answered",
    calls.c.id != bindparam("besides"),
)


def contacts_called(connection: Connection, number: str, since: datetime, *, besides: str) -> frozenset[str]:
    """The contacts that our conversations with this number since then belonged to, ``besides`` this call itself."""
    parameters = {"number": number, "since": since, "besides": besides}
    return frozenset(connection.execute(_contacts_called, parameters).scalars())


def _record(row: Row[Any]) -> CallRecord:
    return CallRecord(
        call=load(Call, row.facts),
        caller=Caller(CallerKind(row.caller_kind), row.caller_number, row.caller_raw),
        version=row.version,
        note=row.note,
        disposition=row.disposition,
        draft_saved_at=row.draft_saved_at,
        picked=load(Choice, row.picked) if row.picked else None,
        disowned=row.disowned,
        related=load(RelatedRecord, row.related) if row.related else None,
        completed_at=row.completed_at,
        dealt_with_at=row.dealt_with_at,
        lookup=load(Lookup, row.lookup),
        contact_id=row.contact_id,
        contact_name=row.contact_name,
    )
