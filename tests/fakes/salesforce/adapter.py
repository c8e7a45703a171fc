"""Brings an unpatched client to the fake: an adapter of requests that sends every https address to loopback.

simple-salesforce builds its addresses itself (https://acme.my.salesforce.com/…, https://127.0.0.1:port/…), so the
rewriting sits below it. The host asked for stays in the Host header; Salesforce tells My Domain and login by it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter


class ToFake(HTTPAdapter):
    """``session.mount("https://", ToFake(org.url))``."""

    def __init__(self, url: str) -> None:
        super().__init__(pool_maxsize=32)
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        asked = urlsplit(str(request.url))
        request.headers["Host"] = asked.netloc
        request.url = self._url + asked._replace(scheme="", netloc="").geturl()
        return super().send(request, *args, **kwargs)


def session_to(url: str) -> requests.Session:
    """A session whose every https request reaches the fake at ``url``."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", ToFake(url))
    return session
