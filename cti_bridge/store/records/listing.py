"""Listing all customers, a page at a time, as a list carries them. Saving them is in ``customers``."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from cti_bridge.model import ContactKind, ContactNumber
from cti_bridge.store.records.contacts import RecordId
from cti_bridge.store.records.customers import Customer
from cti_bridge.store.records.tables import companies, contacts, numbers

PAGE = 500


def page(connection: Connection, after: RecordId | None) -> list[tuple[RecordId, Customer]]:
    """The next page of all customers, people first and then companies, each in the order of their ids.

    A company whose people's rows already say everything about it has no row of its own.
    """
    if after is None or after.kind is ContactKind.PERSON:
        people = list(_people(connection, after.row if after else 0))
        if people:
            return people
    return list(_companies(connection, after.row if after and after.kind is ContactKind.COMPANY else 0))


def _people(connection: Connection, after: int) -> Iterator[tuple[RecordId, Customer]]:
    company = (companies.c.name.label("company"), companies.c.reading.label("company_reading"))
    query = select(contacts, *company).select_from(contacts.outerjoin(companies)).where(contacts.c.id > after)
    rows = connection.execute(query.order_by(contacts.c.id).limit(PAGE)).all()
    held = _held_by(connection, numbers.c.contact_id, [row.id for row in rows])
    switchboards = _held_by(connection, numbers.c.company_id, list({row.company_id for row in rows if row.company_id}))
    for row in rows:
        yield (
            RecordId(ContactKind.PERSON, row.id),
            Customer(
                name=row.name,
                reading=row.reading,
                customer_number=row.customer_number or "",
                company=row.company or "",
                company_reading=row.company_reading or "",
                title=row.title,
                email=row.email,
                note=row.note,
                numbers=tuple(held.get(row.id, ())),
                company_numbers=_main(switchboards.get(row.company_id, [])),
            ),
        )


def _companies(connection: Connection, after: int) -> Iterator[tuple[RecordId, Customer]]:
    other = and_(numbers.c.company_id == companies.c.id, numbers.c.kind != "main")
    says_more = or_(
        companies.c.customer_number.is_not(None),
        companies.c.email != "",
        companies.c.note != "",
        ~exists().where(contacts.c.company_id == companies.c.id),
        exists().where(other),
    )
    query = select(companies).where(companies.c.id > after, says_more).order_by(companies.c.id).limit(PAGE)
    rows = connection.execute(query).all()
    held = _held_by(connection, numbers.c.company_id, [row.id for row in rows])
    for row in rows:
        own = held.get(row.id, [])
        yield (
            RecordId(ContactKind.COMPANY, row.id),
            Customer(
                customer_number=row.customer_number or "",
                company=row.name,
                company_reading=row.reading,
                email=row.email,
                note=row.note,
                numbers=tuple(number for number in own if number.label != "main"),
                company_numbers=_main(own),
            ),
        )


def _main(held: list[ContactNumber]) -> tuple[str, ...]:
    return tuple(number.text for number in held if number.label == "main")


def _held_by(connection: Connection, owner: ColumnElement[int], ids: list[int]) -> dict[int, list[ContactNumber]]:
    held: dict[int, list[ContactNumber]] = {}
    for row in connection.execute(select(numbers, owner.label("owner")).where(owner.in_(ids)).order_by(numbers.c.id)):
        held.setdefault(row.owner, []).append(ContactNumber(row.kind, row.text))
    return held


def numbered(connection: Connection, kind: ContactKind, after: int, limit: int) -> list[RecordId]:
    """The next page of the people, or companies, that have a number, behind the one with this row id."""
    owner = numbers.c.contact_id if kind is ContactKind.PERSON else numbers.c.company_id
    query = select(owner).where(owner > after).distinct().order_by(owner).limit(limit)
    return [RecordId(kind, row) for row in connection.execute(query).scalars()]


def numbered_count(connection: Connection) -> int:
    """How many people and companies have a number."""
    owners = (numbers.c.contact_id, numbers.c.company_id)
    counts = [select(func.count(func.distinct(owner))).scalar_subquery() for owner in owners]
    return int(connection.execute(select(counts[0] + counts[1])).scalar_one())


def count(connection: Connection) -> int:
    """How many rows :func:`page` may give at most."""
    people = select(func.count()).select_from(contacts).scalar_subquery()
    firms = select(func.count()).select_from(companies).scalar_subquery()
    return int(connection.execute(select(people + firms)).scalar_one())
