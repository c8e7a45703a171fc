"""The fake org of a test, prepared for the bridge; a test that wants another one overrides ``org``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.salesforce.crm import prepared
from tests.fakes.salesforce import FakeOrg


@pytest.fixture
def org() -> Iterator[FakeOrg]:
    with FakeOrg() as org:
        yield prepared(org)
