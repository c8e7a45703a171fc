"""The connector port's twin: a CRM in memory that can be made slow, down or stubborn."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import ClassVar, Self

from cti_bridge.connector import Connector, Resources
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable
from cti_bridge.model import (
    Activity,
    CallLog,
    Contact,
    ContactDraft,
    ContactKind,
    ContactNumber,
    Finding,
    Placement,
    RecordLink,
    RelatedRecord,
)
from cti_bridge.phone import PhoneNumber


class MemoryConnector(Connector):
    """Holds contacts and logs in dictionaries. ``trouble`` is raised by every call; ``gate`` holds every call up."""

    name: ClassVar[str] = "memory"

    def __init__(self) -> None:
        self.contacts: dict[str, Contact] = {}
        self.activities: dict[str, Activity] = {}
        self.told_at_once: dict[str, Activity] = {}
        """Activities that come in the same answer as the contact."""
        self.cases: dict[str, tuple[str, str | None]] = {}
        """A case's id to its title and its contact's id."""
        self.logs: dict[str, CallLog] = {}
        self.asked: list[str] = []
        self.trouble: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()

    @classmethod
    def open(cls, resources: Resources) -> Self:
        return cls()

    def add(self, contact_id: str, name: str, *numbers: str, **more: object) -> Contact:
        held = tuple(ContactNumber("携帯", number) for number in numbers)
        contact = replace(Contact(contact_id, ContactKind.PERSON, name, numbers=held), **more)  # type: ignore[arg-type]
        self.contacts[contact_id] = contact
        return contact

    def find_contacts(self, number: PhoneNumber) -> list[Contact]:
        self._ask("find_contacts")
        spelled = set(number.spellings())
        found = [c for c in self.contacts.values() if any(held.text in spelled for held in c.numbers)]
        return [replace(contact, activity=self.told_at_once.get(contact.id)) for contact in found]

    def get_contact(self, contact_id: str) -> Contact | None:
        self._ask("get_contact")
        return self.contacts.get(contact_id)

    def locate(self, record_id: str) -> Placement | None:
        if record_id not in self.cases:
            return super().locate(record_id)
        title, contact_id = self.cases[record_id]
        return Placement(
            self.contacts.get(contact_id or ""), RelatedRecord(record_id, title, f"https://crm.example/{record_id}")
        )

    def recent_activity(self, contact: Contact) -> Activity:
        self._ask("recent_activity")
        return self.activities.get(contact.id, Activity())

    def search(self, text: str) -> list[Contact]:
        self._ask("search")
        return [contact for contact in self.contacts.values() if text in contact.name]

    def create_contact(self, draft: ContactDraft) -> Contact:
        self._ask("create_contact")
        with self._lock:
            return self.add(f"new:{len(self.contacts)}", draft.name, draft.number)

    def add_number(self, contact: Contact, number: PhoneNumber) -> Contact:
        self._ask("add_number")
        if contact.id not in self.contacts:
            raise ConnectorRefused("The record was deleted.", code="GONE")
        changed = replace(contact, numbers=(*contact.numbers, ContactNumber("その他", number.e164)))
        self.contacts[contact.id] = changed
        return changed

    def write_call_log(self, log: CallLog) -> RecordLink:
        self._ask("write_call_log")
        self.logs[log.call_id] = log
        return RecordLink(f"log:{log.call_id}", f"https://crm.example/{log.call_id}")

    def check(self) -> list[Finding]:
        return []

    def _ask(self, what: str) -> None:
        with self._lock:
            self.asked.append(what)
        if not self.gate.wait(30):
            raise ConnectorUnavailable("The CRM did not answer in time.")
        if self.trouble is not None:
            raise self.trouble
