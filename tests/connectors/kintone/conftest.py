"""A fake kintone domain for each test, with the company that works in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.kintone.company import KintoneCompany
from tests.fakes.kintone import FakeDomain


@pytest.fixture
def domain() -> Iterator[FakeDomain]:
    with FakeDomain() as domain:
        yield domain


@pytest.fixture
def company(domain: FakeDomain) -> KintoneCompany:
    return KintoneCompany(domain)
