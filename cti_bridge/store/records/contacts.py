"""Contacts as the bridge sees them: loading, finding by number, searching by text, and their story. Reads only.

Every question costs a fixed number of indexed queries, however many records there are and however many it finds; the
one exception is a search that no record's beginning answers, which reads all names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, literal, or_, select

from cti_bridge.model import Activity, ActivityItem, ActivityKind, Contact, ContactKind, ContactNumber
from cti_bridge.store.records.tables import activities, cases, companies, contacts, numbers, orders
from cti_bridge.store.records.text import fold, short, words

MOST_HOLDERS = 200
"""How many records one number may find. Past that it is a placeholder such as 03-0000-0000, not somebody's number."""

LONGEST_SEARCH = 100
"""Folded characters of a search that count; nobody's name is longer."""

LAST = "\U0010ffff"


class RecordId(NamedTuple):
    """A contact's id taken apart: ``RecordId.read("contact:12") == RecordId(ContactKind.PERSON, 12)``."""

    kind: ContactKind
    row: int

    @classmethod
    def read(cls, text: str) -> RecordId | None:
        """None for an id that is not one of ours."""
        word, _, digits = text.partition(":")
        kind = _KINDS.get(word)
        return cls(kind, int(digits)) if kind and digits.isascii() and digits.isdigit() and len(digits) < 10 else None

    def __str__(self) -> str:
        return f"{_WORDS[self.kind]}:{self.row}"

    def owns(self, table: Table) -> ColumnElement[bool]:
        """The condition that a row of this table is this record's."""
        owner: ColumnElement[bool] = table.c[f"{_WORDS[self.kind]}_id"] == self.row
        return owner


_WORDS = {ContactKind.PERSON: "contact", ContactKind.COMPANY: "company"}
_KINDS = {word: kind for kind, word in _WORDS.items()}


def load(connection: Connection, ids: Sequence[RecordId], now: datetime) -> list[Contact]:
    """The contacts with these ids, in their order, with their numbers; ids that are no more are left out."""
    people = [record.row for record in ids if record.kind is ContactKind.PERSON]
    firms = [record.row for record in ids if record.kind is ContactKind.COMPANY]
    held = _numbers(connection, people, firms)
    found = {}
    for kind, table, rows in ((ContactKind.PERSON, contacts, people), (ContactKind.COMPANY, companies, firms)):
        if rows:
            for row in connection.execute(_card(kind, now).where(table.c.id.in_(rows))):
                record = RecordId(kind, row.id)
                found[record] = Contact(
                    id=str(record),
                    kind=kind,
                    name=row.name,
                    reading=row.reading,
                    company=row.company,
                    title=row.title,
                    numbers=held.get(record, ()),
                    touched_at=row.touched_at,
                    open_cases=row.open_cases,
                )
    return [found[record] for record in dict.fromkeys(ids) if record in found]


def _card(kind: ContactKind, now: datetime) -> Select[Any]:
    """What a card shows of each record, its last activity and open cases counted in the same query."""
    table = contacts if kind is ContactKind.PERSON else companies
    owner = f"{_WORDS[kind]}_id"
    touched = select(func.max(activities.c.at)).where(activities.c[owner] == table.c.id, activities.c.at <= now)
    waiting = select(func.count()).where(cases.c[owner] == table.c.id, cases.c.closed_at.is_(None))
    counted = (touched.scalar_subquery().label("touched_at"), waiting.scalar_subquery().label("open_cases"))
    if kind is ContactKind.COMPANY:
        return select(
            table.c.id, table.c.name, table.c.reading, _EMPTY.label("company"), _EMPTY.label("title"), *counted
        )
    company = func.coalesce(companies.c.name, "").label("company")
    columns = select(table.c.id, table.c.name, table.c.reading, company, table.c.title, *counted)
    return columns.select_from(contacts.outerjoin(companies))


_EMPTY = literal("")


def _numbers(connection: Connection, people: list[int], firms: list[int]) -> dict[RecordId, tuple[ContactNumber, ...]]:
    owned = or_(numbers.c.contact_id.in_(people), numbers.c.company_id.in_(firms))
    held: dict[RecordId, list[ContactNumber]] = {}
    for row in connection.execute(select(numbers).where(owned).order_by(numbers.c.id)):
        kind = ContactKind.PERSON if row.contact_id else ContactKind.COMPANY
        owner = RecordId(kind, row.contact_id or row.company_id)
        held.setdefault(owner, []).append(ContactNumber(row.kind, row.text))
    return {owner: tuple(texts) for owner, texts in held.items()}


def holding(connection: Connection, e164: str) -> list[RecordId]:
    """The records that hold this number, in the order of their ids."""
    query = select(numbers.c.contact_id, numbers.c.company_id).where(numbers.c.e164 == e164).limit(MOST_HOLDERS)
    found = {
        RecordId(ContactKind.PERSON, row.contact_id)
        if row.contact_id
        else RecordId(ContactKind.COMPANY, row.company_id)
        for row in connection.execute(query)
    }
    return sorted(found)


# ── search ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def matching(connection: Connection, text: str, limit: int) -> list[RecordId]:
    """The records that this text names, likeliest first.

    Equal to a name, furigana, company or customer number; then beginning with it; then people of a company that begins
    with it; then holding every word of it somewhere. Each step is asked only while there is room.
    """
    whole = fold(text)[:LONGEST_SEARCH]
    if not whole:
        return []
    found: dict[RecordId, None] = {}
    for kind, condition in _steps(whole, [word[:LONGEST_SEARCH] for word in words(text)][:8]):
        if len(found) >= limit:
            break
        table = contacts if kind is ContactKind.PERSON else companies
        rows = connection.execute(select(table.c.id).where(condition).limit(limit)).scalars()
        found.update(dict.fromkeys(RecordId(kind, row) for row in sorted(rows)))
    return list(islice(found, limit))


def _steps(whole: str, parts: Sequence[str]) -> Iterable[tuple[ContactKind, ColumnElement[bool]]]:
    person, company = ContactKind.PERSON, ContactKind.COMPANY
    people_keys = (contacts.c.name_key, contacts.c.reading_key, contacts.c.customer_number_key)
    firm_keys = (companies.c.name_key, companies.c.reading_key, companies.c.customer_number_key)
    bare = short(whole)
    yield person, or_(*(key == whole for key in people_keys))
    yield company, or_(companies.c.short_key == bare, *(key == whole for key in firm_keys))
    yield person, or_(*(_begins(key, whole) for key in people_keys))
    beginning = or_(_begins(companies.c.short_key, bare), *(_begins(key, whole) for key in firm_keys))
    yield company, beginning
    yield person, contacts.c.company_id.in_(select(companies.c.id).where(beginning))
    yield company, and_(*(companies.c.search_key.contains(part, autoescape=True) for part in parts))
    yield person, and_(*(_held_by_person(part) for part in parts))


def _begins(key: ColumnElement[str], whole: str) -> ColumnElement[bool]:
    return and_(key >= whole, key < whole + LAST)


def _held_by_person(part: str) -> ColumnElement[bool]:
    firms = select(companies.c.id).where(companies.c.search_key.contains(part, autoescape=True))
    return or_(contacts.c.search_key.contains(part, autoescape=True), contacts.c.company_id.in_(firms))


# ── the story ────────────────────────────────────────────────────────────────────────────────────────────────────────


def story(connection: Connection, record: RecordId, now: datetime, limit: int) -> Activity:
    """What happened (newest first), what is open (newest first), what is to come (soonest first): ``limit`` of each.

    A company's story is also that of its people, each told with their name.
    """
    past = _items(connection, activities, and_(record.owns(activities), activities.c.at <= now), limit, record)
    coming = and_(record.owns(activities), activities.c.kind == ActivityKind.APPOINTMENT, activities.c.at > now)
    upcoming = _items(connection, activities, coming, limit, record, soonest=True)
    waiting: list[ActivityItem] = []
    for table in (orders, cases):
        waiting += _items(connection, table, and_(record.owns(table), table.c.closed_at.is_(None)), limit, record)
        past += _items(connection, table, and_(record.owns(table), table.c.closed_at.is_not(None)), limit, record)
    return Activity(_newest(past, limit), _newest(waiting, limit), tuple(upcoming))


def _items(
    connection: Connection,
    table: Table,
    condition: ColumnElement[bool],
    limit: int,
    record: RecordId,
    *,
    soonest: bool = False,
) -> list[ActivityItem]:
    order = (table.c.at, table.c.id) if soonest else (table.c.at.desc(), table.c.id.desc())
    joined = table.outerjoin(contacts, contacts.c.id == table.c.contact_id)
    query = select(table, contacts.c.name.label("who")).select_from(joined).where(condition)
    rows = connection.execute(query.order_by(*order).limit(limit))
    return [_item(table, row, tell_who=record.kind is ContactKind.COMPANY) for row in rows]


def _item(table: Table, row: Any, *, tell_who: bool) -> ActivityItem:
    if table is activities:
        kind, title = ActivityKind(row.kind), row.title
    else:
        kind, title = (ActivityKind.ORDER if table is orders else ActivityKind.CASE), f"{row.number} {row.title}"
    return ActivityItem(kind, f"{title} ({row.who})" if tell_who and row.who else title, row.detail, row.at)


def _newest(items: list[ActivityItem], limit: int) -> tuple[ActivityItem, ...]:
    return tuple(sorted(items, key=lambda item: item.at.timestamp() if item.at else 0.0, reverse=True)[:limit])
