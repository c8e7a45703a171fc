"""The kintone connector keeps the contract."""

from __future__ import annotations

import pytest

from tests.connectors.kintone.company import KintoneCompany
from tests.contract import ConnectorContract, Crm


class TestKintone(ConnectorContract):
    @pytest.fixture
    def crm(self, company: KintoneCompany) -> Crm:
        return company
