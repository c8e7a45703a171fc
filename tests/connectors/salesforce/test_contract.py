"""The Salesforce connector keeps the contract: with and without an external id, by spelling, by search, by a normal form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cti_bridge.phone import PhoneNumber
from tests.connectors.salesforce.crm import PHONES, SalesforceCrm, opened, prepared
from tests.contract import ConnectorContract, Crm
from tests.fakes.salesforce import FakeOrg

NORMAL_FORMS = ("Phone_E164__c", "Mobile_E164__c", "Home_E164__c", "Other_E164__c")


class TestSalesforce(ConnectorContract):
    """A fresh org: calls are found again by CallObject."""

    @pytest.fixture
    def crm(self, org: FakeOrg) -> Crm:
        return SalesforceCrm(org, opened(org))


class TestSalesforceWithAnExternalId(ConnectorContract):
    """An org with our field for the call's id."""

    @pytest.fixture
    def crm(self, org: FakeOrg) -> Crm:
        org.add_field("Activity", "CTI_Call_SID__c", external_id=True, unique=True, length=34)
        return SalesforceCrm(org, opened(org))


class TestSalesforceBySearch(ConnectorContract):
    """An org whose numbers Salesforce's search index finds, and agents' words too."""

    @pytest.fixture
    def crm(self, org: FakeOrg) -> Crm:
        return SalesforceCrm(org, opened(org, search="sosl"))


class TestSalesforceInEnglishAsLeads(ConnectorContract):
    """An English org with person accounts, whose new callers become leads."""

    @pytest.fixture
    def org(self) -> Iterator[FakeOrg]:
        with FakeOrg(person_accounts=True, language="en_US", locale="en_US") as org:
            yield prepared(org)

    @pytest.fixture
    def crm(self, org: FakeOrg) -> Crm:
        return SalesforceCrm(org, opened(org, create="Lead"))


class TestSalesforceByANormalForm(ConnectorContract):
    """An org whose flow writes every number's normal form beside it."""

    @pytest.fixture
    def crm(self, org: FakeOrg) -> Crm:
        for sobject in ("Contact", "Account"):
            for name in NORMAL_FORMS[: len(PHONES)]:
                org.add_field(sobject, name, external_id=True, length=20)
        fields = " ".join(f"{sobject}.{name}" for sobject in ("Contact", "Account") for name in NORMAL_FORMS)
        return FlowCrm(org, opened(org, normalised_fields=fields))


class FlowCrm(SalesforceCrm):
    """Numbers get their normal form the moment that somebody types them. Only those that any system can read: a flow
    is not the bridge, and what it leaves empty is found by spelling."""

    forgiving = True

    def keep_person(self, name: str, *numbers: str, reading: str = "", company: str = "") -> str:
        return self._normalised(super().keep_person(name, *numbers, reading=reading, company=company), numbers)

    def keep_company(self, name: str, *numbers: str) -> str:
        return self._normalised(super().keep_company(name, *numbers), numbers)

    def _normalised(self, record_id: str, numbers: tuple[str, ...]) -> str:
        forms = [number.e164 if (number := PhoneNumber.find(text)) else None for text in numbers]
        self.org.update(record_id, **dict(zip(NORMAL_FORMS, forms, strict=False)))
        return record_id
