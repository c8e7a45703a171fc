"""One person's data, asked for by telephone number or contact: everything as JSON, and erasing it.

Which columns hold personal data is ``store.personal``'s; this reads, decides what hinders, and tells the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from cti_bridge.clock import Clock, utc_now
from cti_bridge.errors import BridgeError
from cti_bridge.model import ContactKind
from cti_bridge.phone import PhoneNumber
from cti_bridge.store import Database, audit
from cti_bridge.store.audit import Who
from cti_bridge.store.directory import agents, lines
from cti_bridge.store.personal import erasing
from cti_bridge.store.personal.columns import REGISTRY
from cti_bridge.store.personal.erasing import CallsChanged, Hindrance, Tally
from cti_bridge.store.personal.rows import Found, Wanted, as_text, find, key_of, rows_with, texts_of
from cti_bridge.store.records.contacts import RecordId
from cti_bridge.store.records.tables import activities, cases, numbers, orders
from cti_bridge.store.trail import contact_subject

Json = dict[str, Any]

ERASED = "personal_data_erased"
EXPORTED = "personal_data_exported"


class OurOwnNumber(BridgeError):
    """This is a line's or an agent's own number, not a caller's."""


class CannotErase(BridgeError):
    """Some calls of this number are not over, or their logs have not reached the CRM.

    ``hindrances`` are those calls, each with the reason; none when the number has called meanwhile: plan again.
    """

    def __init__(self, hindrances: Iterable[Hindrance]) -> None:
        super().__init__()
        self.hindrances = tuple(hindrances)


class NotTheirRecord(BridgeError):
    """This record does not hold the number."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What others than the bridge hold: records of the CRM with their links, and recordings at Twilio by id."""

    contacts: dict[str, str | None]
    logs: tuple[str, ...]
    recordings: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What erasing would do: how many rows of each table, what hinders it, whose record holds the number, what stays
    with others."""

    found: Found
    records: tuple[RecordId, ...]
    tally: Tally
    hindrances: tuple[Hindrance, ...]
    elsewhere: Elsewhere


class Privacy:
    """Answers for one bridge's database. ``keyed`` hashes a number so that nobody without the bridge's secret can tell
    which it was (``Auth.keyed``). ``connector`` is the CRM's name."""

    def __init__(
        self, database: Database, keyed: Callable[[str], str], *, connector: str, clock: Clock = utc_now
    ) -> None:
        self._database = database
        self._keyed = keyed
        self._connector = connector
        self._clock = clock

    def subject(self, number: PhoneNumber) -> str:
        """A number as the audit log names it: ``number:5f2c…``."""
        return f"number:{self._keyed(number.e164)[:32]}"

    # ── everything ──────────────────────────────────────────────────────────────────────────────────────────────────

    def export(self, wanted: Wanted, who: Who) -> Json:
        """All rows of this number or contact, whole, and what other rows say of them, in excerpts; JSON types only.

        Raises OurOwnNumber for a line's number: every call of the line would be the answer.
        """
        with self._database.reading() as connection:
            if wanted.number and _is_line(connection, wanted.number):
                raise OurOwnNumber
        found = find(self._database, wanted)
        with self._database.reading() as connection:
            told = {name: _rows(connection, name, found) for name in REGISTRY}
            for name, rows in _records(connection, found):
                told[name] = [*told[name], *(row for row in rows if row not in told[name])]
            told["audit"] = self._noted(connection, wanted)
            told["agents"] = _staff(connection, wanted.number) if wanted.number else []
            mentions = {name: _excerpts(connection, name, found) for name in REGISTRY}
            elsewhere = self._elsewhere(connection, found)
        answer = {
            "number": wanted.number.e164 if wanted.number else None,
            "contacts": list(wanted.contact_ids),
            "made_at": self._clock().isoformat(),
            "rows": {name: rows for name, rows in told.items() if rows},
            "mentioned_elsewhere": {name: rows for name, rows in mentions.items() if rows},
            "held_by_others": {
                "crm": self._connector,
                "contacts": [{"id": name, "url": url} for name, url in elsewhere.contacts.items()],
                "call_logs": list(elsewhere.logs),
                "recordings_at_twilio": list(elsewhere.recordings),
            },
        }
        about = self.subject(wanted.number) if wanted.number else self._contact_subject(wanted.contact_ids[0])
        with self._database.transaction() as connection:
            count = sum(len(rows) for rows in told.values())
            audit.note(connection, who, EXPORTED, about, self._clock(), rows=count)
        return answer

    # ── erasing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def plan(self, number: PhoneNumber, records: Iterable[RecordId] = ()) -> Plan:
        """What erasing this number, and these whole records of the embedded CRM, would do. Changes nothing.

        Raises OurOwnNumber, and NotTheirRecord for a record that does not hold the number.
        """
        with self._database.reading() as connection:
            if _is_line(connection, number) or _staff(connection, number):
                raise OurOwnNumber
        chosen = tuple(dict.fromkeys(records))
        found = find(self._database, Wanted(number, map(str, chosen)))
        if set(chosen) - set(found.records):
            raise NotTheirRecord
        with self._database.reading() as connection:
            hindering = erasing.hindrances(connection, found, self._clock())
            elsewhere = self._elsewhere(connection, found)
        return Plan(found, chosen, erasing.planned(found, chosen), tuple(hindering), elsewhere)

    def erase(self, plan: Plan, who: Who) -> Tally:
        """Do it, in one transaction, and tell the audit log. Raises CannotErase, with nothing erased."""
        number = plan.found.wanted.number
        if number is None:
            raise NotTheirRecord
        now = self._clock()
        if plan.hindrances:
            raise CannotErase(plan.hindrances)
        try:
            with self._database.transaction() as connection:
                tally = erasing.erase(connection, plan.found, plan.records, now)
                details = {"rows": tally.rows, "calls": len(plan.found.calls), "records": len(plan.records)}
                audit.note(connection, who, ERASED, self.subject(number), now, **details)
        except CallsChanged:
            raise CannotErase(self.plan(number, plan.records).hindrances) from None
        return tally

    # ── how ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _contact_subject(self, contact_id: str) -> str:
        return contact_subject(self._connector, contact_id)

    def _noted(self, connection: Connection, wanted: Wanted) -> list[Json]:
        """What the audit log says of the number and the contact."""
        subjects = [self._contact_subject(one) for one in wanted.contact_ids]
        subjects += [self.subject(wanted.number)] if wanted.number else []
        log = audit.audit
        rows = connection.execute(select(log).where(log.c.subject.in_(subjects)).order_by(log.c.id)).mappings()
        return [_plain(row) for row in rows]

    def _elsewhere(self, connection: Connection, found: Found) -> Elsewhere:
        told = {name: rows_with(connection, name, found.own[name]) for name in ("calls", "picks", "number_index")}
        contacts: dict[str, str | None] = {}
        for contact in _contacts_in([list(rows) for rows in told.values()]):
            contacts[contact["id"]] = contact.get("url") or contacts.get(contact["id"])
        entries = rows_with(connection, "outbox", found.own["outbox"])
        recordings = {call["recording_id"] for call in told["calls"] if call["recording_id"]}
        logs = (str(entry["record_url"] or entry["record_id"]) for entry in entries if entry["record_id"])
        return Elsewhere(contacts, tuple(logs), tuple(sorted(recordings)))


def _is_line(connection: Connection, number: PhoneNumber) -> bool:
    return connection.execute(select(lines.c.id).where(lines.c.number == number.e164)).first() is not None


def _staff(connection: Connection, number: PhoneNumber) -> list[Json]:
    """The agents whose own telephone this is."""
    shown = [column for column in agents.c if column.name not in REGISTRY["agents"].hidden.split()]
    return [_plain(row) for row in connection.execute(select(*shown).where(agents.c.phone == number.e164)).mappings()]


def _rows(connection: Connection, name: str, found: Found) -> list[Json]:
    rows = [_plain(row) for row in rows_with(connection, name, found.own[name])]
    if found.wanted.number is None:  # of a number that several people share, only what is this contact's
        rows = [_without_others(row, set(found.wanted.contact_ids)) for row in rows]
    return rows


def _without_others(value: Any, contact_ids: set[str]) -> Any:
    """The JSON without contacts, and matches of contacts, that are not these."""
    match value:
        case dict():
            return {name: _without_others(inner, contact_ids) for name, inner in value.items()}
        case list():
            return [_without_others(inner, contact_ids) for inner in value if _is_of(inner, contact_ids)]
        case _:
            return value


def _is_of(value: Any, contact_ids: set[str]) -> bool:
    contact = value.get("contact", value) if isinstance(value, dict) else None
    return not (isinstance(contact, dict) and _is_contact(contact) and contact["id"] not in contact_ids)


def _is_contact(value: Json) -> bool:
    return {"id", "kind", "name", "numbers"} <= value.keys()


def _contacts_in(value: Any) -> Iterator[Json]:
    """Every contact that stands somewhere in this JSON."""
    if isinstance(value, dict):
        if _is_contact(value):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _contacts_in(inner)


def _records(connection: Connection, found: Found) -> Iterator[tuple[str, list[Json]]]:
    """The embedded CRM's records that hold the number, or are the contact, with all that belongs to them."""
    asked = [record for one in found.wanted.contact_ids if (record := RecordId.read(one))]
    for record in dict.fromkeys([*found.records, *asked]):
        name = "crm_contacts" if record.kind is ContactKind.PERSON else "crm_companies"
        yield name, [_plain(row) for row in rows_with(connection, name, {(record.row,)})]
        for of in (numbers, activities, orders, cases):
            rows = connection.execute(select(of).where(record.owns(of)).order_by(of.c.id)).mappings()
            yield of.name, [_plain(row) for row in rows]


def _excerpts(connection: Connection, name: str, found: Found) -> list[Json]:
    """Where rows of others mention the number: which row, which column, and the words around it."""
    told = []
    for row in rows_with(connection, name, found.mentioning[name]):
        for column in texts_of(name):
            text = as_text(row[column.name])
            around = found.wanted.mentions.excerpts(text) if found.wanted.mentions else []
            if around or found.wanted.has_contact(text):
                key = [_json(part) for part in key_of(name, row)]
                told.append({"row": key, "column": column.name, "excerpts": around})
    return told


def _plain(row: Any) -> Json:
    return {name: _json(value) for name, value in row.items()}


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (datetime, date)) else value
