"""A whole bridge on loopback, looked over by a doctor of its own: other objects than the bridge's, as in another process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from cti_bridge.doctor import Doctor
from cti_bridge.model import Finding, Severity
from cti_bridge.settings import Settings
from cti_bridge.store import Database
from cti_bridge.twilio.rest import PhoneNetwork
from tests.running import Running, running


@dataclass
class Practice:
    """The bridge, and what the doctor finds of it."""

    running: Running
    prefix: str = ""

    def settings(self, **changed: str) -> Settings:
        names = ("CTI_PUBLIC_URL", "CTI_SECRET_KEY", "DATABASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
        config = self.running.app.config
        told = {name: config[name] for name in (*names, "CTI_TWILIO_API_URL")}
        return Settings.read({**told, **changed})

    def findings(self, **changed: str) -> list[Finding]:
        """Everything that the doctor finds, with these settings changed."""
        settings = self.settings(**changed)
        database = Database(settings.database_url.get_secret_value())
        crm = self.running.crm
        doctor = Doctor(settings, database, lambda: crm, PhoneNetwork(settings), prefix=self.prefix)
        try:
            return list(doctor.examine())
        finally:
            database.close()

    def about(self, subject: str, **changed: str) -> list[Finding]:
        """What is found about this; there must be something."""
        found = self.findings(**changed)
        chosen = [finding for finding in found if finding.subject == subject]
        assert chosen, f"nothing is said about {subject}: {found}"
        return chosen


@pytest.fixture
def practice(sqlite_database: Database, database_emptied: None) -> Iterator[Practice]:
    with running(sqlite_database) as started:
        yield Practice(started)


@pytest.fixture
def database_emptied(sqlite_database: Database) -> None:
    from tests.conftest import empty

    empty(sqlite_database)


def worst(findings: list[Finding]) -> Severity:
    return max((finding.severity for finding in findings), key=list(Severity).index)


Say = Callable[[Finding], str]
