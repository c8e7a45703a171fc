"""The fake org filled as its users would fill it, and the connector opened on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from cti_bridge.connector import Resources
from cti_bridge.connectors.salesforce import SalesforceConnector
from cti_bridge.connectors.salesforce.activity import TAIL
from cti_bridge.connectors.salesforce.entries import split_name
from tests.contract import Crm, KeptLog
from tests.fakes.salesforce import FakeOrg, Kind

KEY, SECRET = "3MVG9-key", "fake-consumer-secret"
PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")


def prepared(org: FakeOrg) -> FakeOrg:
    """The org with an app for us, a furigana field, and the agent of the contract's logs as a user."""
    org.connected_app(KEY, secret=SECRET)
    org.user("hanako@acme.example", Email="hanako@example.com")
    for sobject in ("Contact", "Lead"):
        org.add_field(sobject, "Furigana__c", label="Furigana", label_ja="フリガナ", length=80)
    return org


def opened(org: FakeOrg, **settings: str) -> SalesforceConnector:
    """A connector for this org; ``settings`` without their ``SALESFORCE_``."""
    environment = {
        "SALESFORCE_MY_DOMAIN": "acme",
        "SALESFORCE_CONSUMER_KEY": KEY,
        "SALESFORCE_CONSUMER_SECRET": SECRET,
        "SALESFORCE_INSTANCE_URL": org.url,
        **{f"SALESFORCE_{name.upper()}": value for name, value in settings.items()},
    }
    return SalesforceConnector.open(Resources(environment))


class SalesforceCrm(Crm):
    """The fake org behind the connector's back."""

    def __init__(self, org: FakeOrg, connector: SalesforceConnector) -> None:
        self.org = org
        self.connector: SalesforceConnector = connector

    def keep_person(self, name: str, *numbers: str, reading: str = "", company: str = "") -> str:
        family, given = split_name(name)
        held = dict(zip(PHONES, numbers, strict=False))
        account = self._company(company) if company else None
        return self.org.insert(
            "Contact", LastName=family, FirstName=given or None, Furigana__c=reading or None, AccountId=account, **held
        )

    def keep_company(self, name: str, *numbers: str) -> str:
        return self.org.insert("Account", Name=name, **dict(zip(("Phone",), numbers, strict=True)))

    def keep_story(self, contact_id: str, count: int) -> None:
        now = datetime.now(UTC)
        for index in range(count):
            called, starts = now - timedelta(hours=1 + index), now + timedelta(hours=1 + index)
            self.org.insert(
                "Task",
                WhoId=contact_id,
                Subject=f"電話 {index}",
                Status="Completed",
                TaskSubtype="Call",
                CallType="Inbound",
                CreatedDate=called.isoformat(),
            )
            self.org.insert("Case", ContactId=contact_id, Subject=f"問い合わせ {index}", Status="New")
            self.org.insert("Event", WhoId=contact_id, Subject=f"訪問 {index}", StartDateTime=starts.isoformat())

    def logs(self, call_id: str) -> list[KeptLog]:
        return [
            KeptLog(
                task["Subject"] or "", (task["Description"] or "").partition(TAIL)[0], task["WhoId"] or task["WhatId"]
            )
            for task in self.org.rows("Task")
            if call_id in (task["CallObject"], task.get("CTI_Call_SID__c"))
        ]

    def in_pages_of(self, count: int) -> None:
        self.org.batch_size = count

    @contextmanager
    def broken(self) -> Iterator[None]:
        with self.org.trouble(Kind.DOWN, times=None):
            yield

    def _company(self, name: str) -> str:
        known = [row["Id"] for row in self.org.rows("Account") if row["Name"] == name]
        return known[0] if known else self.org.insert("Account", Name=name)
