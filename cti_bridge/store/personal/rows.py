"""Which rows of all tables are a number's own, and which only mention it. Reads only, in pages: holds up no writer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Integer, Table, Text, cast, false, or_, select, tuple_

from cti_bridge.model import ContactKind
from cti_bridge.phone import PhoneNumber
from cti_bridge.store.database import Database
from cti_bridge.store.personal.columns import REGISTRY, customer_columns, table
from cti_bridge.store.personal.mentions import Mentions
from cti_bridge.store.records.contacts import RecordId

PAGE = 1000

MACHINE_WRITTEN = frozenset({"call_events"})
"""Tables whose texts hold numbers only as machines write them: there the database itself looks for the digits."""

Key = tuple[Any, ...]
T = TypeVar("T")


class Wanted:
    """Whose data: a number's, a contact's of the CRM (by id), or both together."""

    def __init__(self, number: PhoneNumber | None, contact_ids: Iterable[str] = ()) -> None:
        self.number = number
        self.contact_ids = tuple(dict.fromkeys(contact_ids))
        self.mentions = Mentions(number) if number else None
        quoted = "|".join(re.escape(json.dumps(one, ensure_ascii=False)) for one in self.contact_ids)
        self._of_contact = re.compile(rf'"id":\s*(?:{quoted})') if quoted else None

    def has_number(self, text: str) -> bool:
        return self.mentions is not None and text in self.mentions

    def has_contact(self, text: str) -> bool:
        """The text is the contact's id, or JSON that holds the contact."""
        return text in self.contact_ids or (self._of_contact is not None and bool(self._of_contact.search(text)))


@dataclass(frozen=True)
class Found:
    """What the bridge holds of somebody: the keys of their own rows and of others' rows that mention them, by table.

    ``records`` are the embedded CRM's people and companies that hold the number; their rows are not the number's own.
    """

    wanted: Wanted
    own: dict[str, set[Key]] = field(default_factory=dict)
    mentioning: dict[str, set[Key]] = field(default_factory=dict)
    records: tuple[RecordId, ...] = ()

    @property
    def calls(self) -> list[str]:
        """The ids of their calls."""
        return sorted(key[0] for key in self.own.get("calls", ()))

    @property
    def nothing(self) -> bool:
        return not any(self.own.values()) and not any(self.mentioning.values())


def find(database: Database, wanted: Wanted) -> Found:
    """Look through every table. Takes as long as reading all calls does. Raises StoreUnavailable."""
    found = Found(wanted)
    for name in REGISTRY:
        found.own[name], found.mentioning[name] = _told(database, name, wanted)
    for name, personal in REGISTRY.items():
        if personal.call and name != "calls":
            with database.reading() as connection:
                found.own[name] |= set(rows_of_calls(connection, name, found.calls))
        found.mentioning[name] -= found.own[name]
    with database.reading() as connection:
        records = [*_holders(connection, found.own["crm_numbers"])]
    return Found(wanted, found.own, found.mentioning, tuple(dict.fromkeys(records)))


def rows_of_calls(connection: Connection, name: str, call_ids: Iterable[str]) -> Iterator[Key]:
    """The keys of the rows of this table that belong to these calls."""
    call = table(name).c[REGISTRY[name].call or ""]
    for some in in_parts(call_ids, 500):
        yield from _keys(connection, table(name), call.in_(some))


def rows_with(connection: Connection, name: str, keys: Iterable[Key], *, lock: bool = False) -> list[dict[str, Any]]:
    """The rows of this table with these keys, whole."""
    of = table(name)
    rows: list[dict[str, Any]] = []
    for some in in_parts(sorted(keys), 200):
        query = select(of).where(_is_one_of(of, some)).order_by(*of.primary_key.columns)
        rows += [dict(row) for row in connection.execute(query.with_for_update() if lock else query).mappings()]
    return rows


def in_parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items, at most so many at a time: neither database takes any number of parameters."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def key_of(name: str, row: dict[str, Any]) -> Key:
    return tuple(row[column.name] for column in table(name).primary_key.columns)


def as_text(value: Any) -> str:
    """A column's value as the search sees it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def has_key(name: str, key: Key) -> ColumnElement[bool]:
    return _is_one_of(table(name), [key])


def texts_of(name: str) -> list[Column[Any]]:
    """The columns of this table in which a number could be mentioned."""
    return [column for column in customer_columns(name) if not isinstance(column.type, Integer)]


def _told(database: Database, name: str, wanted: Wanted) -> tuple[set[Key], set[Key]]:
    """The keys of the rows whose texts hold the number or the contact: where it makes them their own, and elsewhere."""
    personal, columns = REGISTRY[name], texts_of(name)
    own: set[Key] = set()
    mentioning: set[Key] = set()
    for key, texts in _pages(database, table(name), columns, wanted) if columns else ():
        told = [(column.name, text) for column, text in zip(columns, texts, strict=True) if text]
        numbered = {column for column, text in told if wanted.has_number(text)}
        belonging = {column for column, text in told if wanted.has_contact(text)}
        if numbered & set(personal.number) or belonging & set(personal.contact):
            own.add(key)
        elif numbered or belonging:
            mentioning.add(key)
    return own, mentioning


def _pages(
    database: Database, of: Table, columns: Sequence[Column[Any]], wanted: Wanted
) -> Iterator[tuple[Key, Sequence[str | None]]]:
    keys = list(of.primary_key.columns)
    texts = [cast(column, Text) for column in columns]
    query = select(*keys, *texts).order_by(*keys).limit(PAGE)
    if of.name in MACHINE_WRITTEN:
        digits = [wanted.mentions.digits] if wanted.mentions else []
        query = query.where(or_(false(), *(text.contains(some) for some in digits for text in texts)))
    after: Key | None = None
    while True:
        page = query if after is None else query.where(tuple_(*keys) > tuple_(*after))
        with database.reading() as connection:
            rows = connection.execute(page).all()
        for row in rows:
            yield tuple(row[: len(keys)]), row[len(keys) :]
        if len(rows) < PAGE:
            return
        after = tuple(rows[-1][: len(keys)])


def _keys(connection: Connection, of: Table, condition: ColumnElement[bool]) -> Iterator[Key]:
    for row in connection.execute(select(*of.primary_key.columns).where(condition)):
        yield tuple(row)


def _is_one_of(of: Table, keys: Iterable[Key]) -> ColumnElement[bool]:
    columns = list(of.primary_key.columns)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(list(keys))


def _holders(connection: Connection, keys: Iterable[Key]) -> Iterator[RecordId]:
    for row in rows_with(connection, "crm_numbers", keys):
        person, company = row["contact_id"], row["company_id"]
        yield RecordId(ContactKind.PERSON, person) if person else RecordId(ContactKind.COMPANY, company)
