"""The stand-in CRM's screens as JSON: customers, a record with its story, the call logs. Reads the database only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from cti_bridge.connectors.local import LABELS
from cti_bridge.model import ActivityItem
from cti_bridge.store import Database
from cti_bridge.store.records import Records
from cti_bridge.store.records.contacts import RecordId
from cti_bridge.store.records.tables import activities, companies, contacts, numbers

Json = dict[str, Any]
MOST_LISTED = 200
MOST_LOGS = 50


class StandInCrm:
    """What a CRM would show of the embedded database. Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._records = Records(database)

    def customers(self, text: str) -> list[Json]:
        """All customers in the order of their furigana, or those that a search finds, likeliest first."""
        if text.strip():
            found = self._records.search(text, datetime.now(UTC), limit=MOST_LISTED)
            return [
                {"id": one.id, "name": one.name, "reading": one.reading, "company": one.company, "title": one.title}
                for one in found
            ]
        person = select(contacts.c.id, contacts.c.name, contacts.c.reading, companies.c.name.label("company"))
        person = person.add_columns(contacts.c.title).select_from(contacts.outerjoin(companies))
        firm = select(companies.c.id, companies.c.name, companies.c.reading)
        with self._database.reading() as connection:
            people = [
                {**row._asdict(), "id": f"contact:{row.id}", "company": row.company or ""}
                for row in connection.execute(person.order_by(contacts.c.reading, contacts.c.id).limit(MOST_LISTED))
            ]
            firms = [
                {**row._asdict(), "id": f"company:{row.id}", "company": "", "title": ""}
                for row in connection.execute(firm.order_by(companies.c.reading, companies.c.id).limit(MOST_LISTED))
            ]
        return people + firms

    def record(self, record_id: str, language: str) -> Json | None:
        """One customer with numbers exactly as they were typed, company or people, and the story; None if unknown."""
        record = RecordId.read(record_id)
        if record is None:
            return None
        with self._database.reading() as connection:
            row = (
                self._person(connection, record) if record_id.startswith("contact:") else self._firm(connection, record)
            )
            if row is None:
                return None
            row["numbers"] = _numbers(connection, record.owns(numbers), language)
        story = self._records.activity(record_id, datetime.now(UTC), limit=12)
        return {
            **row,
            "id": record_id,
            "open": [_item(item) for item in story.open],
            "upcoming": [_item(item) for item in story.upcoming],
            "history": [_item(item) for item in story.history],
        }

    def calls(self) -> list[Json]:
        """The call logs that the bridge wrote, newest first, each with the customer it is filed under."""
        query = (
            select(activities, contacts.c.name.label("person"), companies.c.name.label("firm"))
            .select_from(activities.outerjoin(contacts).outerjoin(companies, companies.c.id == activities.c.company_id))
            .where(activities.c.kind == "call", activities.c.facts.is_not(None))
            .order_by(activities.c.at.desc(), activities.c.id.desc())
            .limit(MOST_LOGS)
        )
        with self._database.reading() as connection:
            return [_log(row) for row in connection.execute(query) if row.facts]

    def _person(self, connection: Connection, record: RecordId) -> Json | None:
        row = connection.execute(select(contacts).where(contacts.c.id == record.row)).one_or_none()
        if row is None:
            return None
        firm = connection.execute(select(companies).where(companies.c.id == row.company_id)).one_or_none()
        return {
            "kind": "person",
            **_profile(row),
            "title": row.title,
            "company": {"id": f"company:{firm.id}", "name": firm.name} if firm else None,
            "people": [],
        }

    def _firm(self, connection: Connection, record: RecordId) -> Json | None:
        row = connection.execute(select(companies).where(companies.c.id == record.row)).one_or_none()
        if row is None:
            return None
        people = select(contacts).where(contacts.c.company_id == record.row).order_by(contacts.c.reading)
        return {
            "kind": "company",
            **_profile(row),
            "title": "",
            "company": None,
            "people": [
                {"id": f"contact:{person.id}", "name": person.name, "title": person.title}
                for person in connection.execute(people)
            ],
        }


class ChangeWatch:
    """Notices that another process wrote to the SQLite file. Belongs to one thread."""

    def __init__(self, database: Database) -> None:
        # A connection of its own, outside any transaction: inside of one, nothing would ever seem to change.
        self._connection = sqlite3.connect(f"file:{database.url.database}?mode=ro", uri=True, isolation_level=None)

    def version(self) -> int:
        """A number that is another one after every commit (https://sqlite.org/pragma.html#pragma_data_version)."""
        with closing(self._connection.execute("PRAGMA data_version")) as cursor:
            return int(cursor.fetchone()[0])

    def close(self) -> None:
        self._connection.close()


def _profile(row: Any) -> Json:
    return {
        "name": row.name,
        "reading": row.reading,
        "customer_number": row.customer_number or "",
        "email": row.email,
        "note": row.note,
    }


def _numbers(connection: Connection, owned: ColumnElement[bool], language: str) -> list[Json]:
    rows = connection.execute(select(numbers).where(owned).order_by(numbers.c.id))
    return [
        {"kind": row.kind, "label": LABELS.get(row.kind, (row.kind,) * 2)[language != "ja"], "text": row.text}
        for row in rows
    ]


def _item(item: ActivityItem) -> Json:
    return {
        "kind": item.kind,
        "title": item.title,
        "detail": item.detail,
        "at": item.at.isoformat() if item.at else None,
    }


def _log(row: Any) -> Json:
    owner = f"contact:{row.contact_id}" if row.contact_id else f"company:{row.company_id}" if row.company_id else None
    return {
        "id": f"activity:{row.id}",
        "call_id": row.source_id,
        "title": row.title,
        "at": row.at.isoformat(),
        "customer": {"id": owner, "name": row.person or row.firm} if owner else None,
        **{name: row.facts.get(name) for name in ("direction", "outcome", "line", "agent", "note", "disposition")},
        "talk_seconds": row.facts.get("talk_seconds") or 0,
    }
