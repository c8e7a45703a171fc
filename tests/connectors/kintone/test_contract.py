"""The kintone connector keeps the contract, however the company keeps its numbers and its apps."""

from __future__ import annotations

import pytest

from tests.connectors.kintone.company import KintoneCompany, TidyCompany
from tests.contract import ConnectorContract, Crm
from tests.fakes.kintone import FakeDomain


class TestKintone(ConnectorContract):
    @pytest.fixture
    def crm(self, company: KintoneCompany) -> Crm:
        return company


class TestKintoneWithNormalisedNumbers(ConnectorContract):
    @pytest.fixture
    def crm(self, domain: FakeDomain) -> Crm:
        return TidyCompany(domain)


class TestKintoneWithWebhooks(ConnectorContract):
    """Logs are written one by one."""

    @pytest.fixture
    def crm(self, domain: FakeDomain) -> Crm:
        return KintoneCompany(domain, {"KINTONE_CALL_LOG_WEBHOOKS": "yes"})


class TestKintoneInAGuestSpace(ConnectorContract):
    @pytest.fixture
    def crm(self, domain: FakeDomain) -> Crm:
        return KintoneCompany(domain, {"KINTONE_GUEST_SPACE": "7"}, guest_space=7)
