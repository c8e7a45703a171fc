"""Erasing one number in one transaction: its own rows deleted or blanked, struck out where other rows mention it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from cti_bridge.model import ContactKind
from cti_bridge.store.calls import LONGEST_CALL, calls
from cti_bridge.store.outbox import OutboxState, outbox
from cti_bridge.store.personal.columns import ERASED, REGISTRY, Then, no_lookup, table
from cti_bridge.store.personal.rows import (
    Found,
    Key,
    Wanted,
    as_text,
    has_key,
    in_parts,
    key_of,
    rows_of_calls,
    rows_with,
    texts_of,
)
from cti_bridge.store.records.contacts import RecordId
from cti_bridge.store.records.tables import activities, cases, companies, contacts, numbers, orders

SETTLED = timedelta(minutes=15)
"""How long after a call's end its last reports may still come from the network, and would tell the number again."""

UNDELIVERED = (OutboxState.PENDING, OutboxState.PARKED)


class Obstacle(StrEnum):
    """Why a call's data cannot go yet."""

    GOING_ON = "going_on"
    JUST_ENDED = "just_ended"
    LOG_PENDING = "log_pending"
    LOG_PARKED = "log_parked"


@dataclass(frozen=True, slots=True)
class Hindrance:
    """A call that cannot be erased yet; ``entry`` is its log's number in the outbox."""

    call_id: str
    why: Obstacle
    entry: int | None = None


@dataclass
class Tally:
    """How many rows of each table went which way."""

    deleted: dict[str, int] = field(default_factory=dict)
    blanked: dict[str, int] = field(default_factory=dict)
    struck_out: dict[str, int] = field(default_factory=dict)

    def add(self, to: dict[str, int], name: str, count: int) -> None:
        if count:
            to[name] = to.get(name, 0) + count

    @property
    def rows(self) -> int:
        return sum(sum(counts.values()) for counts in (self.deleted, self.blanked, self.struck_out))


class CallsChanged(Exception):
    """The number called, or was called, while somebody thought about erasing it."""


def hindrances(connection: Connection, found: Found, now: datetime) -> list[Hindrance]:
    """The calls that are not over, or whose log has not reached the CRM."""
    hindering: list[Hindrance] = []
    going_on = calls.c.ended_at.is_(None) & (calls.c.started_at > now - LONGEST_CALL)
    unsettled = going_on | (calls.c.ended_at > now - SETTLED)
    owed = outbox.c.state.in_([state.value for state in UNDELIVERED])
    for ids in in_parts(found.calls, 500):
        live = select(calls.c.id, calls.c.ended_at).where(calls.c.id.in_(ids), unsettled)
        owing = select(outbox.c.id, outbox.c.call_id, outbox.c.state).where(outbox.c.call_id.in_(ids), owed)
        hindering += [
            Hindrance(row.id, Obstacle.JUST_ENDED if row.ended_at else Obstacle.GOING_ON)
            for row in connection.execute(live)
        ]
        hindering += [
            Hindrance(row.call_id, _OWED[OutboxState(row.state)], entry=row.id) for row in connection.execute(owing)
        ]
    return sorted(hindering, key=lambda one: (one.call_id, one.why))


_OWED = {OutboxState.PENDING: Obstacle.LOG_PENDING, OutboxState.PARKED: Obstacle.LOG_PARKED}


def planned(found: Found, records: Iterable[RecordId] = ()) -> Tally:
    """How many rows would go which way, as they were found. What belongs to whole records is not counted."""
    tally = Tally()
    for name, personal in REGISTRY.items():
        own, mentioning = len(found.own[name]), len(found.mentioning[name])
        tally.add(tally.deleted if personal.own is Then.DELETED else tally.blanked, name, own)
        tally.add(tally.deleted if personal.mentioning is Then.DELETED else tally.struck_out, name, mentioning)
    for record in records:
        tally.add(tally.deleted, "crm_contacts" if record.kind is ContactKind.PERSON else "crm_companies", 1)
    return tally


def erase(connection: Connection, found: Found, records: Iterable[RecordId], now: datetime) -> Tally:
    """Erase what was found, and these whole records of the embedded CRM.

    Raises CallsChanged when there is a call more, or a hindrance, by now; nothing is erased then.
    """
    rows_with(connection, "calls", found.own["calls"], lock=True)  # before outbox entries, as everywhere
    number = found.wanted.number
    present = select(calls.c.id).where(calls.c.caller_number == (number.e164 if number else None))
    if set(connection.execute(present).scalars()) - set(found.calls) or hindrances(connection, found, now):
        raise CallsChanged
    tally = Tally()
    for name, personal in REGISTRY.items():
        own = set(found.own[name])
        if personal.call and name != "calls":  # what has come since it was looked for
            own |= set(rows_of_calls(connection, name, found.calls))
        if personal.own is Then.DELETED:
            tally.add(tally.deleted, name, _delete(connection, name, own))
        else:
            tally.add(tally.blanked, name, _blank(connection, name, own, now))
        mentioning = found.mentioning[name] - own
        if personal.mentioning is Then.DELETED:
            tally.add(tally.deleted, name, _delete(connection, name, mentioning))
        else:
            tally.add(tally.struck_out, name, _strike_out(connection, name, mentioning, found.wanted, now))
    for record in records:
        _remove_record(connection, record, tally)
    return tally


def _delete(connection: Connection, name: str, keys: Iterable[Key]) -> int:
    return sum(connection.execute(delete(table(name)).where(has_key(name, key))).rowcount for key in keys)


def _blank(connection: Connection, name: str, keys: set[Key], now: datetime) -> int:
    erased = REGISTRY[name].erased
    if not erased:
        return 0
    changes = [
        (key_of(name, row), {column: then(row[column]) if callable(then) else then for column, then in erased.items()})
        for row in rows_with(connection, name, keys)
    ]
    if name == "calls":
        ended = {"dealt_with_at": func.coalesce(calls.c.dealt_with_at, now), "disowned": False}  # nobody can call back
        changes = [(key, {**values, **ended}) for key, values in changes]
    return _change(connection, name, changes, now)


def _strike_out(connection: Connection, name: str, keys: set[Key], wanted: Wanted, now: datetime) -> int:
    changes = []
    for row in rows_with(connection, name, keys, lock=name == "calls"):
        key = key_of(name, row)
        values = {}
        for column in texts_of(name):
            before = row[column.name]
            # what must be unique stays so
            mark = f"{ERASED}{'-'.join(map(str, key))}" if column.unique else ERASED
            after = wanted.mentions.struck_out(before, mark) if wanted.mentions else before
            if name == "calls" and column.name == "lookup" and wanted.has_contact(as_text(after)):
                after = no_lookup()
            if after != before:
                values[column.name] = after
        if values:
            changes.append((key, values))
    return _change(connection, name, changes, now)


def _change(connection: Connection, name: str, changes: list[tuple[Key, dict[str, Any]]], now: datetime) -> int:
    if not changes:
        return 0
    of = table(name)
    if name == "calls":  # so that screens that show the call draw it anew
        changes = [(key, {**values, "version": calls.c.version + 1, "changed_at": now}) for key, values in changes]
    keys = list(of.primary_key.columns)
    plain = all(isinstance(value, _PLAIN) for _, values in changes for value in values.values())
    alike = len({tuple(values) for _, values in changes}) == 1
    if plain and alike:  # one statement for all of them: a number may have thousands of webhooks
        same = [column == bindparam(f"key_{column.name}") for column in keys]
        named: dict[str, Any] = {column: bindparam(f"new_{column}") for column in changes[0][1]}
        parameters = [
            {f"key_{column.name}": part for column, part in zip(keys, key, strict=True)}
            | {f"new_{column}": value for column, value in values.items()}
            for key, values in changes
        ]
        connection.execute(update(of).where(*same).values(named), parameters)
    else:
        for key, values in changes:
            connection.execute(update(of).where(has_key(name, key)).values(values))
    return len(changes)


_PLAIN = (str, int, dict, list, type(None))


def _remove_record(connection: Connection, record: RecordId, tally: Tally) -> None:
    """The whole record with all its numbers and its story; orders and cases stay, as the books want them, nameless."""
    word, of = ("contact_id", contacts) if record.kind is ContactKind.PERSON else ("company_id", companies)
    for story in (activities, numbers):
        tally.add(tally.deleted, story.name, connection.execute(delete(story).where(record.owns(story))).rowcount)
    nameless: Mapping[str, Any] = {"title": ERASED, "detail": "", word: None}
    for books in (orders, cases):
        changed = connection.execute(update(books).where(record.owns(books)).values(nameless)).rowcount
        tally.add(tally.blanked, books.name, changed)
    tally.add(tally.deleted, of.name, connection.execute(delete(of).where(of.c.id == record.row)).rowcount)
