"""The door to the embedded CRM's records: one method per thing that its connector, its lists and the demo do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from cti_bridge.model import Activity, ActivityKind, CallLog, Contact, ContactDraft, ContactKind, ContactNumber
from cti_bridge.phone import PhoneNumber
from cti_bridge.store.database import Database
from cti_bridge.store.records import customers as whole
from cti_bridge.store.records import listing
from cti_bridge.store.records.contacts import RecordId, holding, load, matching, story
from cti_bridge.store.records.customers import Customer, Saved
from cti_bridge.store.records.tables import activities, cases, companies, contacts, numbers, orders
from cti_bridge.store.records.text import LONGEST_KEY, one_line, storable


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a customer's story, known by its ``key``: an activity, an appointment, an order or a case.

    ``Entry("C-1042", ActivityKind.CASE, "contact:12", "基板の不良", at)`` is open until it has a ``closed_at``.
    """

    key: str
    kind: ActivityKind
    contact_id: str
    title: str
    at: datetime
    detail: str = ""
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """What the records hold, and which telephone numbers cannot do their work.

    ``unreadable_examples`` are records' ids, never numbers; ``shared`` counts numbers that several records hold.
    """

    people: int
    companies: int
    numbers: int
    unreadable: int
    unreadable_examples: tuple[str, ...]
    shared: int


class Records:
    """The embedded CRM. Thread-safe; every method is one transaction. Raises StoreUnavailable.

    ``region`` is the country of numbers without a country code. Contacts carry ids such as ``"contact:12"`` and
    ``"company:3"``, and their numbers' labels are the fields of ``customers.KINDS``.
    """

    def __init__(self, database: Database, region: str = "JP") -> None:
        self._database = database
        self._region = region
        self.page = listing.PAGE

    def find(self, e164: str, now: datetime) -> list[Contact]:
        """People and companies that hold this number: ``find("+81312345678", now)``. At most 200."""
        with self._database.reading() as connection:
            return load(connection, holding(connection, e164), now)

    def search(self, text: str, now: datetime, limit: int = 20) -> list[Contact]:
        """By name, furigana, company or customer number, likeliest first. Any text is only text."""
        with self._database.reading() as connection:
            return load(connection, matching(connection, text, limit), now)

    def get(self, contact_id: str, now: datetime) -> Contact | None:
        record = RecordId.read(contact_id)
        with self._database.reading() as connection:
            return next(iter(load(connection, [record], now)), None) if record else None

    def activity(self, contact_id: str, now: datetime, limit: int = 10) -> Activity:
        """The contact's story, ``limit`` of each kind; empty for a contact that is no more."""
        record = RecordId.read(contact_id)
        if record is None:
            return Activity()
        with self._database.reading() as connection:
            return story(connection, record, now, limit)

    def create(self, draft: ContactDraft, kind: str, now: datetime) -> Contact:
        """A person with this number in the field ``kind``, at a company made when it is new.

        The same draft twice is the same person. ValueError when the name is empty.
        """
        if not one_line(draft.name):
            raise ValueError("A contact needs a name.")
        found = PhoneNumber.find(draft.number, self._region)
        text = found.display(self._region) if found else draft.number
        customer = Customer(
            name=draft.name,
            reading=draft.reading,
            company=draft.company,
            numbers=(ContactNumber(kind, text),) if text else (),
        )
        [saved] = self.save([customer])
        with self._database.reading() as connection:
            return load(connection, [saved.record], now)[0]

    def add_number(self, contact_id: str, number: PhoneNumber, now: datetime) -> Contact | None:
        """The contact with this number too, unchanged if it is there already; None when there is no such contact."""
        record = RecordId.read(contact_id)
        if record is None:
            return None
        with self._database.transaction() as connection:
            if not load(connection, [record], now):
                return None
            mine = {"contact_id" if record.kind is ContactKind.PERSON else "company_id": record.row}
            held = select(numbers.c.id).where(record.owns(numbers), numbers.c.e164 == number.e164).limit(1)
            if connection.execute(held).first() is None:
                kind = "other" if record.kind is ContactKind.PERSON else "main"
                values = {**mine, "kind": kind, "text": number.display(self._region), "e164": number.e164}
                connection.execute(_insert(connection, numbers).values(values).on_conflict_do_nothing())
            return load(connection, [record], now)[0]

    def write_call(self, log: CallLog) -> str:
        """Keep the log of a call: one activity per ``call_id``, holding the latest. Returns ``"activity:7"``.

        A log whose contact is no more is kept without one.
        """
        entry = Entry(
            key=log.call_id,
            kind=ActivityKind.CALL,
            contact_id=log.contact.id if log.contact else "",
            title=log.subject,
            at=log.started_at,
            detail=log.body,
        )
        facts = {
            "direction": log.direction,
            "outcome": log.outcome,
            "party": log.party,
            "line": log.line_name,
            "agent": log.agent_name,
            "agent_email": log.agent_email,
            "ended_at": log.ended_at.isoformat(),
            "talk_seconds": log.talk_time.total_seconds(),
            "note": log.note,
            "disposition": log.disposition,
            "recording_id": log.recording_id,
        }
        tidy = {name: storable(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
        with self._database.transaction() as connection:
            return f"activity:{_keep(connection, entry, tidy)}"

    def keep(self, entries: Iterable[Entry]) -> None:
        """Write these into their contacts' stories; an entry whose key is there already is replaced."""
        with self._database.transaction() as connection:
            for entry in entries:
                _keep(connection, entry)

    def save(self, customers: Iterable[Customer]) -> list[Saved]:
        """Create or update these customers in one transaction; what became of each, in their order.

        ValueError, and nothing saved, when one has neither a name nor a company.
        """
        with self._database.transaction() as connection:
            whole.alone(connection)
            return [whole.save(connection, customer, self._region) for customer in customers]

    def customers(self) -> Iterator[Customer]:
        """Everybody, page by page: memory stays flat and no writer waits."""
        last: RecordId | None = None
        while True:
            with self._database.reading() as connection:
                page = listing.page(connection, last)
            if not page:
                return
            yield from (customer for _, customer in page)
            last = page[-1][0]

    def walk(self, now: datetime) -> Iterator[Contact]:
        """Every contact that has a number, page by page: people first, then companies, each in the order of their ids."""
        for kind in (ContactKind.PERSON, ContactKind.COMPANY):
            last = 0
            while True:
                with self._database.reading() as connection:
                    ids = listing.numbered(connection, kind, last, self.page)
                    page = load(connection, ids, now)
                if not ids:
                    break
                yield from page
                last = ids[-1].row

    def numbered_count(self) -> int:
        """How many contacts have a number."""
        with self._database.reading() as connection:
            return listing.numbered_count(connection)

    def numbered(self, customer_numbers: Iterable[str]) -> dict[str, str]:
        """The ids of the contacts with these customer numbers: ``{"D-0002": "contact:1", "D-0001": "company:1"}``."""
        wanted = list(customer_numbers)
        found: dict[str, str] = {}
        with self._database.reading() as connection:
            for kind, table in ((ContactKind.COMPANY, companies), (ContactKind.PERSON, contacts)):
                query = select(table.c.customer_number, table.c.id).where(table.c.customer_number.in_(wanted))
                found |= {row.customer_number: str(RecordId(kind, row.id)) for row in connection.execute(query)}
        return found

    def count(self) -> int:
        """How many people and companies there are."""
        with self._database.reading() as connection:
            return listing.count(connection)

    def readable(self, text: str) -> bool:
        """Whether a caller with this number would be found by what is typed here."""
        return PhoneNumber.find(text, self._region) is not None

    def health(self) -> Health:
        """Count what is there. Reads every number: for a check-up, not for a call."""
        bad = numbers.c.e164.is_(None)
        owners = func.count(func.distinct(func.coalesce(numbers.c.contact_id, -numbers.c.company_id)))
        shared = select(numbers.c.e164).where(~bad).group_by(numbers.c.e164).having(owners > 1).subquery()
        with self._database.reading() as connection:
            people = connection.scalar(select(func.count()).select_from(contacts)) or 0
            firms = connection.scalar(select(func.count()).select_from(companies)) or 0
            total = connection.scalar(select(func.count()).select_from(numbers)) or 0
            unreadable = connection.scalar(select(func.count()).select_from(numbers).where(bad)) or 0
            examples = connection.execute(select(numbers).where(bad).order_by(numbers.c.id).limit(5)).all()
            shared_count = connection.scalar(select(func.count()).select_from(shared)) or 0
        ids = (f"contact:{row.contact_id}" if row.contact_id else f"company:{row.company_id}" for row in examples)
        return Health(people, firms, total, unreadable, tuple(dict.fromkeys(ids)), shared_count)


def _keep(connection: Connection, entry: Entry, facts: dict[str, object] | None = None) -> int:
    table, key = _PLACES.get(entry.kind, (activities, "source_id"))
    values: dict[str, object] = {
        key: one_line(entry.key)[:LONGEST_KEY],
        "title": one_line(entry.title),
        "detail": storable(entry.detail),
        "at": entry.at,
        **_owner(connection, entry.contact_id),
    }
    values |= {"kind": entry.kind, "facts": facts} if table is activities else {"closed_at": entry.closed_at}
    statement = _insert(connection, table).values(values)
    latest = {name: statement.excluded[name] for name in values if name != key}
    written = statement.on_conflict_do_update(index_elements=[key], set_=latest).returning(table.c.id)
    return int(connection.execute(written).scalar_one())


_PLACES: dict[ActivityKind, tuple[Table, str]] = {
    ActivityKind.ORDER: (orders, "number"),
    ActivityKind.CASE: (cases, "number"),
}


def _owner(connection: Connection, contact_id: str) -> dict[str, int | None]:
    """Whose story it is: a person's (and so also their company's), or a company's; nobody's when they are no more."""
    record = RecordId.read(contact_id)
    if record is not None and record.kind is ContactKind.PERSON:
        person = connection.execute(select(contacts.c.company_id).where(contacts.c.id == record.row)).first()
        return {"contact_id": record.row if person else None, "company_id": person.company_id if person else None}
    known = record and connection.scalar(select(companies.c.id).where(companies.c.id == record.row))
    return {"contact_id": None, "company_id": known or None}


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
