"""Asking the fake in a test: a bare request with a token, an answer's first error, simple-salesforce's records."""

from __future__ import annotations

from typing import Any

import requests
from simple_salesforce.api import Salesforce, SFType

from .org import FakeOrg


def ask(org: FakeOrg, method: str, path: str, **more: Any) -> requests.Response:
    """A request with a fresh token and without simple-salesforce."""
    headers = {"Authorization": f"Bearer {org.token()}", **more.pop("headers", {})}
    return requests.request(method, org.url + path, headers=headers, timeout=10, **more)


def records(sf: Salesforce, name: str) -> SFType:
    """simple-salesforce's records of an object; its ``sf.Contact`` has several types."""
    found = getattr(sf, name)
    assert isinstance(found, SFType)
    return found


def codes(answer: requests.Response) -> tuple[int, str]:
    """Status and first error code: ``(400, "STRING_TOO_LONG")``."""
    return answer.status_code, answer.json()[0]["errorCode"]
