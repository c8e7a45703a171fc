"""The connections to an org: pooled, never without a time-out, repeating only what may be. What is asked: ``session``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError
from urllib3.util import Retry

from cti_bridge.connectors.salesforce.settings import SalesforceSettings

POOL = 32
"""Connections kept open: look-ups, outbox and agents' requests of one process."""

CONNECT_SECONDS = 3.05


class Wire(HTTPAdapter):
    """The connections. Every request has a time-out; only what may be repeated is repeated, and only once.

    ``elsewhere`` sends everything to this address instead, for tests: also the sign-in, whose host the library makes up.
    """

    def __init__(self, timeout: float, elsewhere: str | None = None) -> None:
        self._timeout = (min(CONNECT_SECONDS, timeout), timeout)
        self._elsewhere = elsewhere
        repeat = Retry(
            total=1,
            connect=0,  # send() does it: urllib3 would log the address, and with it the number that is looked up
            read=0,
            other=0,
            status=1,
            status_forcelist=(502, 503, 504),
            allowed_methods=("GET", "PATCH"),
            backoff_factor=0.2,
            raise_on_status=False,
            respect_retry_after_header=False,
        )
        super().__init__(pool_connections=4, pool_maxsize=POOL, max_retries=repeat)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if self._elsewhere and request.url:
            parts = urlsplit(request.url)
            request.url = f"{self._elsewhere}{parts.path}{'?' * bool(parts.query)}{parts.query}"
        try:
            return super().send(request, stream, timeout or self._timeout, verify, cert, proxies)
        except requests.ConnectionError as problem:
            if not _never_left(problem):
                raise
            return super().send(request, stream, timeout or self._timeout, verify, cert, proxies)


def _never_left(problem: requests.ConnectionError) -> bool:
    """Whether nothing was sent, because there was no connection to send it on."""
    reason = problem.args[0].reason if problem.args and isinstance(problem.args[0], MaxRetryError) else None
    return isinstance(problem, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)


def connections(settings: SalesforceSettings) -> requests.Session:
    """Where every request to the org goes through: pooled, timed, and named once for all."""
    http = requests.Session()
    http.trust_env = settings.instance_url is None  # no proxy stands between us and this machine
    http.headers["Accept"] = "application/json"
    http.auth = _as_they_are  # a .netrc of this machine is not for us
    http.mount("https://", Wire(settings.timeout_seconds, settings.instance_url))
    return http


def _as_they_are(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Every request brings its own token."""
    return request
