"""kintone as the CRM: the connector itself. What each module knows stands in its first line.

Start reading at ``mapping`` (which apps and fields), then ``lookup``, ``activity`` and ``calllog`` (what is asked and
written), ``client`` and ``domain`` (how, and how sparingly).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from cti_bridge.connector import Connector, Resources, Screen
from cti_bridge.connectors.kintone.activity import Stories
from cti_bridge.connectors.kintone.apps import Apps
from cti_bridge.connectors.kintone.budget import Budget
from cti_bridge.connectors.kintone.calllog import CallLogs
from cti_bridge.connectors.kintone.checkup import check_up
from cti_bridge.connectors.kintone.customers import Customers
from cti_bridge.connectors.kintone.domain import Domain
from cti_bridge.connectors.kintone.lookup import Lookup
from cti_bridge.connectors.kintone.mapping import KintoneMapping, load_mapping
from cti_bridge.connectors.kintone.settings import KintoneSettings
from cti_bridge.connectors.kintone.walking import Walking
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


class KintoneConnector(Connector):
    """A kintone domain's own apps, as the mapping describes them."""

    name: ClassVar[str] = "kintone"
    capabilities = Capabilities(walk=True)

    def __init__(self, settings: KintoneSettings, mapping: KintoneMapping, resources: Resources) -> None:
        zone = ZoneInfo(resources.timezone)
        budget = Budget(settings.daily_limit, resources.tally)
        self._region = resources.region
        self.apps = Apps(mapping, Domain(settings, budget, language=resources.language))
        self._lookup = Lookup(self.apps, resources.region, zone)
        self._walking = Walking(self.apps, resources.region, zone)
        self._customers = Customers(self.apps, self._lookup, resources.region)
        self._stories = Stories(self.apps, self._lookup, zone)
        self._logs = CallLogs(
            self.apps,
            self._lookup,
            language=resources.language,
            zone=zone,
            one_by_one=settings.call_log_webhooks,
        )
        self.screen = Screen(origins=(settings.base_url,))

    @classmethod
    def open(cls, resources: Resources) -> Self:
        settings = KintoneSettings.read(resources.environment)
        return cls(settings, load_mapping(settings, resources.environment), resources)

    def warm_up(self) -> None:
        self.apps.warm_up(self.apps.mapping.apps())

    def find_contacts(self, number: PhoneNumber) -> list[Contact]:
        return self._lookup.by_number(number)

    def get_contact(self, contact_id: str) -> Contact | None:
        return self._lookup.by_id(contact_id)

    def locate(self, record_id: str) -> Placement | None:
        return self._stories.locate(record_id)

    def recent_activity(self, contact: Contact) -> Activity:
        return self._stories.of(contact)

    def field_label(self, field: str, language: Language) -> str:  # noqa: ARG002  (kintone tells one name to everybody)
        labels = (form.label_of(field) for form in self.apps.known_forms() if field in form.fields)
        return next(labels, field)

    def search(self, text: str) -> list[Contact]:
        return self._lookup.by_words(text)

    def create_contact(self, draft: ContactDraft) -> Contact:
        return self._customers.create(draft)

    def add_number(self, contact: Contact, number: PhoneNumber) -> Contact:
        return self._customers.add_number(contact, number)

    def write_call_log(self, log: CallLog) -> RecordLink:
        return self._logs.write(log)

    def check(self) -> list[Finding]:
        return check_up(self.apps, self._region)

    def walk(self) -> Iterator[Contact]:
        return self._walking.contacts()

    def survey(self) -> Survey:
        return self._walking.survey()

    def finds(self, number: PhoneNumber, held: ContactNumber) -> bool:
        return self._walking.finds(number, held)

    def email_of(self, user: str) -> str | None:
        return self.apps.mapping.call_log.email_of(user)

    def usage(self) -> list[Usage]:
        return self.apps.domain.usage()
