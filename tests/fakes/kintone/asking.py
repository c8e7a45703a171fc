"""A plain client for the fake domain: one request, the answer as it came. No retry, no pool, no opinion."""

from __future__ import annotations

import base64
from typing import Any

import requests

from .auth import User
from .domain import FakeDomain

PATIENCE = 20


def ask(
    domain: FakeDomain,
    method: str,
    api: str,
    params: dict[str, Any] | None = None,
    *,
    token: str = "",
    user: User | None = None,
    language: str = "ja",
    override: bool = False,
    guest_space: int | None = None,
    headers: dict[str, str] | None = None,
) -> requests.Response:
    """Send a request with a JSON body; a GET with ``override`` goes as POST, without it by its query string."""
    sent = {"Accept-Language": language} if language else {}
    if token:
        sent["X-Cybozu-API-Token"] = token
    if user is not None:
        secret = f"{user.code}:{user.password}".encode()
        sent["X-Cybozu-Authorization"] = base64.b64encode(secret).decode()
    sent |= headers or {}
    space = "" if guest_space is None else f"guest/{guest_space}/"
    url = f"{domain.url}/k/{space}v1/{api}"
    if method == "GET" and not override:
        return requests.get(url, params=flat(params or {}), headers=sent, timeout=PATIENCE)
    if override:
        sent["X-HTTP-Method-Override"] = method
    return requests.request("POST" if override else method, url, json=params or {}, headers=sent, timeout=PATIENCE)


def flat(params: dict[str, Any]) -> dict[str, str]:
    """Parameters for a query string: ``{"fields": ["a", "b"]}`` becomes ``fields[0]`` and ``fields[1]``."""
    found: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, list):
            found |= {f"{name}[{at}]": str(each) for at, each in enumerate(value)}
        else:
            found[name] = str(value)
    return found
