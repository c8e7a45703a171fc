"""One kintone domain, shared with everybody who works in it: the session, and how sparingly we use what they share.

kintone allows a domain 100 requests at once, whoever makes them; the 101st is refused, and then everybody's are. So a
process holds to its share of ``KINTONE_MAX_CONCURRENCY``, and a 429 stops all our requests for a while. What is asked of
which app is ``client``'s. https://cybozu.dev/ja/kintone/tips/development/customize/columns/concurrent-connection-limit-reason/
"""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from cti_bridge.connectors.kintone.budget import Budget
from cti_bridge.connectors.kintone.problems import KintoneUnavailable, TooManyRequests, raise_for_kintone
from cti_bridge.connectors.kintone.settings import KintoneSettings
from cti_bridge.logbook import get_logger
from cti_bridge.model import Language, Usage

log = get_logger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds that the domain is left alone after a 429: doubled from the one to the other while it goes on."""

LIMIT, RUNNING = "X-ConcurrencyLimit-Limit", "X-ConcurrencyLimit-Running"


class Pause:
    """When the domain may be asked again. One 429 pauses every thread; those already under way do not add to it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until = 0.0
        self._set_at = float("-inf")
        self._length = 0.0

    def left(self) -> float:
        """Seconds still to wait; 0 when the way is free."""
        return max(0.0, self._until - self._clock())

    def lengthen(self, asked_at: float, told: float | None) -> float:
        """A request that left at ``asked_at`` was refused: how long to wait now. ``told`` is what kintone says."""
        with self._lock:
            if asked_at >= self._set_at:
                self._length = min(LONGEST_PAUSE, self._length * 2) if self._length else FIRST_PAUSE
                self._set_at = self._clock()
            self._until = max(self._until, self._set_at + max(self._length, told or 0.0))
            return self.left()

    def end(self, asked_at: float) -> None:
        """A request that left at ``asked_at``, after the last pause, was answered: the next pause is short again."""
        if self._length and asked_at >= self._until:
            with self._lock:
                self._length = 0.0


class Domain:
    """The way to one kintone domain. Safe for any number of threads, and after a fork."""

    def __init__(
        self,
        settings: KintoneSettings,
        budget: Budget,
        *,
        language: Language = "ja",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base_url = settings.base_url
        self.budget = budget
        self._guest_space = settings.guest_space
        self._timeout = (3.05, settings.timeout_seconds)
        self._concurrency = settings.concurrency
        self._slots = threading.BoundedSemaphore(settings.concurrency)
        self._clock = clock
        self._pause = Pause(clock)
        self._headers = {"Accept-Language": language, "User-Agent": "cti-bridge"}
        if settings.basic_auth is not None:
            secret = settings.basic_auth.get_secret_value().encode()
            self._headers["Authorization"] = "Basic " + base64.b64encode(secret).decode()
        self._session: requests.Session | None = None
        self._session_of = 0
        self._session_lock = threading.Lock()
        self._gauges: dict[str, float] = {}

    def root(self, guest_space: int | None = None) -> str:
        """Where the interface stands: ``https://acme.cybozu.com/k/v1``, ``…/k/guest/3/v1``."""
        space = guest_space or self._guest_space
        return f"{self.base_url}/k/guest/{space}/v1" if space else f"{self.base_url}/k/v1"

    def record_url(self, app: int, record_id: str, guest_space: int | None = None) -> str:
        """Where people see a record: ``https://acme.cybozu.com/k/12/show#record=345``."""
        space = guest_space or self._guest_space
        place = f"k/guest/{space}/{app}" if space else f"k/{app}"
        return f"{self.base_url}/{place}/show#record={record_id}"

    def send(
        self,
        method: str,
        url: str,
        *,
        app: int | None,
        headers: Mapping[str, str],
        params: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> requests.Response:
        """One request within our share of the domain, counted as ``app``'s. Its answer is whole and good JSON.

        Raises KintoneUnavailable, TooManyRequests or KintoneRefused.
        """
        with self._slot():
            asked_at = self._clock()
            self.budget.count(app)
            try:
                response = self._sessions().request(
                    method,
                    url,
                    params=params,
                    json=body,
                    headers={**self._headers, **headers},
                    timeout=self._timeout,
                    allow_redirects=False,
                )
            except requests.RequestException as problem:
                raise KintoneUnavailable(
                    f"kintoneに接続できません / kintone cannot be reached ({type(problem).__name__})"
                ) from problem
        self._read_gauges(response)
        wait = None
        if response.status_code == 429:
            wait = self._pause.lengthen(asked_at, _seconds(response.headers.get("Retry-After")))
            log.warning("kintone_asks_to_wait", seconds=round(wait, 1))
        else:
            self._pause.end(asked_at)
        raise_for_kintone(response, timedelta(seconds=wait) if wait is not None else None)
        return response

    def usage(self) -> list[Usage]:
        """Requests of each app today, and the domain's requests at once as kintone last told them."""
        at_once = [Usage("concurrent_requests", self._gauges[RUNNING], self._gauges.get(LIMIT))] * (
            RUNNING in self._gauges
        )
        return [*self.budget.usage(), *at_once]

    @contextmanager
    def _slot(self) -> Iterator[None]:
        self._keep_pause()
        if not self._slots.acquire(timeout=2 * self._timeout[1]):
            raise KintoneUnavailable("kintoneへの要求が混み合っています / our own requests to kintone are queueing")
        try:
            self._keep_pause()
            yield
        finally:
            self._slots.release()

    def _keep_pause(self) -> None:
        if left := self._pause.left():
            raise TooManyRequests(
                "kintoneから、しばらく待つように求められています / kintone has asked us to wait a while",
                status=429,
                retry_after=timedelta(seconds=left),
            )

    def _sessions(self) -> requests.Session:
        """This process's session: connections must not be shared with the process that it was forked from."""
        with self._session_lock:
            if self._session is None or self._session_of != os.getpid():
                session = requests.Session()
                adapter = HTTPAdapter(pool_connections=2, pool_maxsize=self._concurrency, max_retries=0)
                session.mount("https://", adapter)
                session.mount("http://", adapter)
                session.auth = _as_it_is  # else a ~/.netrc would replace our headers
                session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # a session cookie is a sign-in
                self._session, self._session_of = session, os.getpid()
            return self._session

    def _read_gauges(self, response: requests.Response) -> None:
        for name in (LIMIT, RUNNING):
            if (value := _seconds(response.headers.get(name))) is not None:
                self._gauges[name] = value


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
