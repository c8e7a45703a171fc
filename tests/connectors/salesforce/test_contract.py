"""The Salesforce connector keeps the contract: with and without an external id, by spelling, by search, by a normal form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.salesforce.crm import SalesforceCrm, opened, prepared
from tests.contract import ConnectorContract, Crm
from tests.fakes.salesforce import FakeOrg


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
