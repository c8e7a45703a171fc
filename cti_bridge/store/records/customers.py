"""Whole customers, as a list carries them, and saving them so that a repetition changes nothing. Not listing them.

A customer is known by the customer number; without one, by name, company and a common number. What a list leaves blank
changes nothing; what it fills in replaces. Numbers that agents added (``other``) and a company's switchboard (``main``)
are only ever joined by more, so a nightly list cannot undo what was learned during the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, exists, insert, select, update

from cti_bridge.model import ContactKind, ContactNumber
from cti_bridge.phone import PhoneNumber
from cti_bridge.store.records.contacts import RecordId
from cti_bridge.store.records.tables import companies, contacts, numbers
from cti_bridge.store.records.text import LONGEST_KEY, key, one_line, short, storable

KINDS = ("phone", "mobile", "home", "fax", "other", "main")
"""The telephone fields of a record, in the order in which they are shown. ``main`` is a company's switchboard."""

JOINED = frozenset({"other", "main"})


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer with all that a list tells of them. Without a ``name`` it is the company itself.

    ``Customer(name="田中 太郎", company="㈱はやぶさ", numbers=(ContactNumber("mobile", "０９０ー１２３４ー…"),))``; a
    number's label is one of ``KINDS``. ``company_numbers`` are the company's switchboards as typed.
    """

    name: str = ""
    reading: str = ""
    customer_number: str = ""
    company: str = ""
    company_reading: str = ""
    title: str = ""
    email: str = ""
    note: str = ""
    numbers: tuple[ContactNumber, ...] = ()
    company_numbers: tuple[str, ...] = ()


class SavedHow(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Saved(NamedTuple):
    """What became of a customer, and the record that holds them now."""

    how: SavedHow
    record: RecordId


class Held(NamedTuple):
    """A number on a record: its field, as typed, and in E.164 when it can be read."""

    kind: str
    text: str
    e164: str | None

    @property
    def same(self) -> str:
        """Equal for equal numbers, however typed."""
        return self.e164 or self.text


@dataclass(frozen=True, slots=True)
class _Record:
    """A row of contacts or companies with its numbers, as it is or as it shall be."""

    fields: dict[str, str | int | None]
    held: tuple[Held, ...] = ()
    id: int = 0

    def joined_by(self, given: _Record) -> _Record:
        filled = {name: value for name, value in given.fields.items() if value not in {"", None}}
        return replace(self, fields={**self.fields, **filled}, held=_join(self.held, given.held))


def save(connection: Connection, customer: Customer, region: str) -> Saved:
    """Create or update this customer. ValueError when there is neither a name nor a company.

    Call it within a transaction that has :func:`alone`, else two savers could create the same customer twice.
    """
    given = _tidy(customer)
    if len(given.customer_number) > LONGEST_KEY:
        raise ValueError(f"A customer number has at most {LONGEST_KEY} characters.")
    if given.name:
        return _save_person(connection, given, region)
    if given.company:
        return _save_company(connection, given, region)
    raise ValueError("A customer needs a name or a company.")


def alone(connection: Connection) -> None:
    """Wait until nobody else is saving customers, until the transaction ends. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE crm_contacts, crm_companies IN SHARE ROW EXCLUSIVE MODE")


def read_numbers(given: Sequence[ContactNumber], region: str) -> tuple[Held, ...]:
    """The numbers with their E.164, the same number of one field once."""
    held: dict[tuple[str, str], Held] = {}
    for number in given:
        found = PhoneNumber.find(number.text, region)
        one = Held(number.label if number.label in KINDS else "other", number.text, found.e164 if found else None)
        held.setdefault((one.kind, one.same), one)
    return _sorted(held.values())


# ── saving ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tidy(given: Customer) -> Customer:
    texts = (ContactNumber(number.label, one_line(number.text)) for number in given.numbers)
    return Customer(
        name=one_line(given.name),
        reading=one_line(given.reading),
        customer_number=one_line(given.customer_number),
        company=one_line(given.company),
        company_reading=one_line(given.company_reading),
        title=one_line(given.title),
        email=one_line(given.email),
        note=storable(given.note),
        numbers=tuple(number for number in texts if number.text),
        company_numbers=tuple(text for text in map(one_line, given.company_numbers) if text),
    )


def _save_person(connection: Connection, given: Customer, region: str) -> Saved:
    wanted = _Record(
        {
            "customer_number": given.customer_number or None,
            "name": given.name,
            "reading": given.reading,
            "title": given.title,
            "email": given.email,
            "note": given.note,
        },
        read_numbers([replace(one, label="phone") if one.label == "main" else one for one in given.numbers], region),
    )
    namesakes = select(companies.c.id).where(companies.c.name_key == key(given.company))
    colleague = contacts.c.company_id.in_(namesakes) if given.company else contacts.c.company_id.is_(None)
    known = _same(connection, contacts, wanted, colleague)
    company_changed = False
    if given.company:
        present = known.fields["company_id"] if known else None
        company_id, company_changed = _employer(connection, given, region, present)
        wanted.fields["company_id"] = company_id
    saved = _store(connection, contacts, ContactKind.PERSON, known, wanted)
    changed = company_changed and saved.how is SavedHow.UNCHANGED
    return Saved(SavedHow.UPDATED, saved.record) if changed else saved


def _save_company(connection: Connection, given: Customer, region: str) -> Saved:
    switchboards = tuple(ContactNumber("main", text) for text in given.company_numbers)
    wanted = _Record(
        {
            "customer_number": given.customer_number or None,
            "name": given.company,
            "reading": given.company_reading or given.reading,
            "email": given.email,
            "note": given.note,
        },
        read_numbers(given.numbers + switchboards, region),
    )
    return _store(connection, companies, ContactKind.COMPANY, _same(connection, companies, wanted), wanted)


def _employer(connection: Connection, given: Customer, region: str, present: str | int | None) -> tuple[int, bool]:
    """The id of the company that a person's row names, and whether the row told something new about it.

    Of several companies of that name it is the ``present`` one, else the oldest.
    """
    namesakes = select(companies.c.id).where(companies.c.name_key == key(given.company)).order_by(companies.c.id)
    ids = connection.execute(namesakes.limit(50)).scalars().all()
    company_id = present if isinstance(present, int) and present in ids else next(iter(ids), None)
    switchboards = read_numbers([ContactNumber("main", text) for text in given.company_numbers], region)
    if company_id is not None and not given.company_reading and not switchboards:
        return company_id, False
    company = _read(connection, companies, [company_id])[0] if company_id is not None else None
    name = company.fields["name"] if company else given.company
    wanted = _Record({"name": name, "reading": given.company_reading}, switchboards)
    saved = _store(connection, companies, ContactKind.COMPANY, company, wanted)
    return saved.record.row, saved.how is not SavedHow.UNCHANGED


def _same(
    connection: Connection, table: Table, wanted: _Record, beside: ColumnElement[bool] | None = None
) -> _Record | None:
    """The record that this row is about: by customer number, else by name (and, for a person, company and number).

    Of several, the one that the row would not change; else the one without a customer number; else the oldest.
    """
    customer_number = wanted.fields["customer_number"]
    if customer_number:
        query = select(table.c.id).where(table.c.customer_number == customer_number)
        known = connection.execute(query).scalar()
        if known is not None:
            return _read(connection, table, [known])[0]
    alike = table.c.name_key == key(str(wanted.fields["name"]))
    if beside is not None:
        alike = and_(alike, beside, _common_number(wanted))
    if customer_number:
        alike = and_(alike, table.c.customer_number.is_(None))
    ids = connection.execute(select(table.c.id).where(alike).order_by(table.c.id).limit(50)).scalars().all()

    def place(record: _Record) -> tuple[bool, bool, int]:
        return (_differ(record, record.joined_by(wanted)), record.fields["customer_number"] is not None, record.id)

    return min(_read(connection, table, ids), key=place, default=None)


def _common_number(wanted: _Record) -> ColumnElement[bool]:
    """That a person holds one of the row's numbers, or neither has any."""
    if not wanted.held:
        return ~exists().where(numbers.c.contact_id == contacts.c.id)
    readable = [held.e164 for held in wanted.held if held.e164]
    if readable:
        return contacts.c.id.in_(select(numbers.c.contact_id).where(numbers.c.e164.in_(readable)))
    texts = [held.text for held in wanted.held]
    return exists().where(numbers.c.contact_id == contacts.c.id, numbers.c.text.in_(texts))


def _join(old: tuple[Held, ...], given: tuple[Held, ...]) -> tuple[Held, ...]:
    """The numbers after a row was laid over them, field by field."""
    replaced = {held.kind for held in given} - JOINED
    kept = [held for held in old if held.kind not in replaced]
    known = {(held.kind, held.same) for held in kept}
    new = [held for held in given if (held.kind, held.same) not in known]
    return _sorted(kept + new)


def _differ(one: _Record, other: _Record) -> bool:
    return one.fields != other.fields or one.held != other.held


def _read(connection: Connection, table: Table, ids: Sequence[int]) -> list[_Record]:
    if not ids:
        return []
    names = [name for name in (*_FIELDS, "company_id", "title") if name in table.c]
    held: dict[int, list[Held]] = {}
    owner = numbers.c.contact_id if table is contacts else numbers.c.company_id
    for row in connection.execute(select(numbers, owner.label("owner")).where(owner.in_(ids)).order_by(numbers.c.id)):
        held.setdefault(row.owner, []).append(Held(row.kind, row.text, row.e164))
    rows = connection.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id)).mappings()
    return [_Record({name: row[name] for name in names}, _sorted(held.get(row["id"], ())), row["id"]) for row in rows]


def _sorted(held: Iterable[Held]) -> tuple[Held, ...]:
    return tuple(sorted(held, key=lambda one: KINDS.index(one.kind)))


_FIELDS = ("customer_number", "name", "reading", "email", "note")


def _store(connection: Connection, table: Table, kind: ContactKind, known: _Record | None, wanted: _Record) -> Saved:
    if known is None:
        blank = dict.fromkeys((name for name in (*_FIELDS, "title") if name in table.c), "")
        fields = {**blank, "customer_number": None, **wanted.fields}
        new = connection.execute(insert(table).values(**fields, **_keys(table, fields)).returning(table.c.id))
        record = RecordId(kind, new.scalar_one())
        _put_numbers(connection, record, wanted.held)
        return Saved(SavedHow.CREATED, record)
    record, merged = RecordId(kind, known.id), known.joined_by(wanted)
    if not _differ(known, merged):
        return Saved(SavedHow.UNCHANGED, record)
    if merged.fields != known.fields:
        values = {**merged.fields, **_keys(table, merged.fields)}
        connection.execute(update(table).where(table.c.id == known.id).values(**values))
    if merged.held != known.held:
        connection.execute(numbers.delete().where(record.owns(numbers)))
        _put_numbers(connection, record, merged.held)
    return Saved(SavedHow.UPDATED, record)


def _keys(table: Table, fields: dict[str, str | int | None]) -> dict[str, str]:
    """The folded columns that searches compare."""
    name, reading, number = (str(fields[name] or "") for name in ("name", "reading", "customer_number"))
    keys = {"name_key": key(name), "reading_key": key(reading), "customer_number_key": key(number)}
    if table is companies:
        keys["short_key"] = short(name)
    return {**keys, "search_key": "\n".join(dict.fromkeys(keys.values()))}


def _put_numbers(connection: Connection, record: RecordId, held: tuple[Held, ...]) -> None:
    owner = "contact_id" if record.kind is ContactKind.PERSON else "company_id"
    rows = [{owner: record.row, "kind": one.kind, "text": one.text, "e164": one.e164} for one in held]
    if rows:
        connection.execute(insert(numbers), rows)
