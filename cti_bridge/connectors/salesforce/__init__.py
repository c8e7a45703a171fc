"""Salesforce as a connector. This class only joins its parts; each part says what it knows.

``settings`` what an administrator sets, ``session`` the connection, ``budget`` what it may cost, ``problems`` what its
errors mean, ``schema`` what the org is like, ``soql`` how text gets into queries, ``records`` what a contact is,
``lookup`` who has a number, ``activity`` what happened, ``tasks`` the call's log, ``users`` whose it is, ``entries``
what agents enter, ``placement`` what a page shows, ``walking`` everybody, ``checkup`` what an administrator should know.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from cti_bridge.connector import Connector, Resources, Screen
from cti_bridge.connectors.salesforce.checkup import CheckUp
from cti_bridge.connectors.salesforce.entries import Entries
from cti_bridge.connectors.salesforce.lookup import Lookup
from cti_bridge.connectors.salesforce.placement import locate
from cti_bridge.connectors.salesforce.records import label
from cti_bridge.connectors.salesforce.schema import Schema
from cti_bridge.connectors.salesforce.session import Org
from cti_bridge.connectors.salesforce.settings import SalesforceSettings
from cti_bridge.connectors.salesforce.tasks import Tasks
from cti_bridge.connectors.salesforce.users import Users
from cti_bridge.connectors.salesforce.walking import Walking
from cti_bridge.errors import LookupSpared
from cti_bridge.logbook import get_logger
from cti_bridge.model import (
    Activity,
    CallLog,
    Capabilities,
    Contact,
    ContactDraft,
    ContactNumber,
    Finding,
    Language,
    Placement,
    RecordLink,
    Survey,
    Usage,
)
from cti_bridge.phone import PhoneNumber

__all__ = ["SalesforceConnector"]

log = get_logger(__name__)


class SalesforceConnector(Connector):
    """Contacts, Leads, Accounts and objects of the org's own; calls as Tasks. Settings: ``SalesforceSettings``."""

    name: ClassVar[str] = "salesforce"
    capabilities = Capabilities(walk=True)

    def __init__(self, settings: SalesforceSettings, resources: Resources) -> None:
        self.org = Org(settings)
        self.schema = Schema(self.org, settings)
        users = Users(self.org, settings)
        zone = ZoneInfo(resources.timezone)
        self._lookup = Lookup(self.org, self.schema, settings, resources.region, zone, users)
        self._walking = Walking(self._lookup)
        self._entries = Entries(self._lookup, resources.language)
        self._tasks = Tasks(self._lookup, resources.language)
        self._checkup = CheckUp(self._lookup, resources.environment.get("CTI_PUBLIC_URL", ""))
        self.screen = _screen(settings)

    @classmethod
    def open(cls, resources: Resources) -> Self:
        return cls(SalesforceSettings.read(resources.environment), resources)

    def warm_up(self) -> None:
        for finding in self._checkup.settings_unmet(self.schema.get()):
            log.error("salesforce_setting_unmet", setting=finding.subject, problem=finding.en)

    def find_contacts(self, number: PhoneNumber) -> list[Contact]:
        """One request. LookupSpared from 95 % of the day's requests on, so that call logs still get through."""
        if self.org.budget.spares_lookups():
            raise LookupSpared
        return self._lookup.find(number)

    def get_contact(self, contact_id: str) -> Contact | None:
        return self._lookup.get(contact_id)

    def locate(self, record_id: str) -> Placement | None:
        return locate(self._lookup, record_id)

    def recent_activity(self, contact: Contact) -> Activity:
        return self._lookup.story(contact.id)

    def field_label(self, field: str, language: Language) -> str:
        return label(field, language, self.schema.known)

    def search(self, text: str) -> list[Contact]:
        return self._lookup.search(text)

    def create_contact(self, draft: ContactDraft) -> Contact:
        return self._entries.create(draft)

    def add_number(self, contact: Contact, number: PhoneNumber) -> Contact:
        return self._entries.add_number(contact, number)

    def write_call_log(self, log: CallLog) -> RecordLink:
        return self._tasks.write(log)

    def check(self) -> list[Finding]:
        return self._checkup.findings(datetime.now(UTC))

    def walk(self) -> Iterator[Contact]:
        return self._walking.contacts()

    def survey(self) -> Survey:
        return self._walking.survey()

    def finds(self, number: PhoneNumber, held: ContactNumber) -> bool:
        return self._walking.finds(number, held)

    def usage(self) -> list[Usage]:
        return self.org.budget.usage()


def _screen(settings: SalesforceSettings) -> Screen:
    """Lightning holds the panel and the org's own host has Open CTI's script; in tests both are played on this machine."""
    org = settings.instance_url or settings.origin
    origins = (settings.instance_url,) if settings.instance_url else (settings.lightning_origin, settings.origin)
    facts = {"org": org, "lightning": origins[0], "api": settings.api_version, "entity": settings.create_as}
    return Screen(origins=origins, page="salesforce", scripts=(org,), facts=facts)
