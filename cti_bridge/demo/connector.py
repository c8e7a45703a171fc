"""The embedded CRM behind weather: every operation first asks the demo's server, over HTTP, whether the CRM is up.

So its slowness and its failures are real ones. Used by the demo and its tests only; the records are the local ones.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import ClassVar, Self
from urllib.parse import urlsplit

import requests

from cti_bridge.connector import Resources
from cti_bridge.connectors.local import LocalConnector
from cti_bridge.errors import ConnectorUnavailable, SettingsError
from cti_bridge.model import Activity, CallLog, Contact, ContactDraft, Finding, RecordLink, Severity, Survey
from cti_bridge.phone import PhoneNumber

TIMEOUT = 10.0
"""Seconds that the CRM has for its answer."""


class DemoConnector(LocalConnector):
    """The local CRM, as slow or as dead as the demo's page says. ``CTI_DEMO_CRM_URL`` is the gate that is asked."""

    name: ClassVar[str] = "demo"
    gate: str = ""

    @classmethod
    def open(cls, resources: Resources) -> Self:
        gate = resources.environment.get("CTI_DEMO_CRM_URL", "")
        if not _on_this_machine(gate):
            raise SettingsError(
                "CTI_CONNECTOR is demo, but CTI_DEMO_CRM_URL is no address on this machine. "
                "Start the demo with: cti-bridge demo"
            )
        connector = super().open(resources)
        connector.gate = gate
        return connector

    def find_contacts(self, number: PhoneNumber) -> list[Contact]:
        self._reach_crm()
        return super().find_contacts(number)

    def get_contact(self, contact_id: str) -> Contact | None:
        self._reach_crm()
        return super().get_contact(contact_id)

    def recent_activity(self, contact: Contact) -> Activity:
        self._reach_crm()
        return super().recent_activity(contact)

    def search(self, text: str) -> list[Contact]:
        self._reach_crm()
        return super().search(text)

    def create_contact(self, draft: ContactDraft) -> Contact:
        self._reach_crm()
        return super().create_contact(draft)

    def add_number(self, contact: Contact, number: PhoneNumber) -> Contact:
        self._reach_crm()
        return super().add_number(contact, number)

    def write_call_log(self, log: CallLog) -> RecordLink:
        self._reach_crm()
        return super().write_call_log(log)

    def walk(self) -> Iterator[Contact]:
        self._reach_crm()
        yield from super().walk()

    def survey(self) -> Survey:
        self._reach_crm()
        return super().survey()

    def check(self) -> list[Finding]:
        try:
            self._reach_crm()
        except ConnectorUnavailable as problem:
            return [
                Finding(Severity.ERROR, "gate", f"デモのCRMに接続できません：{problem}", f"The demo's CRM: {problem}")
            ]
        return super().check()

    def _reach_crm(self) -> None:
        """Return when the CRM may be used. Raises ConnectorUnavailable when it is down or takes too long."""
        try:
            with requests.Session() as session:
                session.trust_env = False  # a proxy of the environment is not for this machine
                answer = session.get(self.gate, timeout=TIMEOUT)
        except requests.Timeout:
            raise ConnectorUnavailable(f"The CRM did not answer within {TIMEOUT:.0f} seconds.") from None
        except requests.RequestException:
            raise ConnectorUnavailable("The CRM cannot be reached.") from None
        if not answer.ok:
            raise ConnectorUnavailable(f"The CRM answered {answer.status_code} {answer.reason}.")


def _on_this_machine(url: str) -> bool:
    parts = urlsplit(url)
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
