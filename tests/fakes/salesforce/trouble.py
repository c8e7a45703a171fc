"""Trouble on demand: refusals, outages, cut lines and held-up answers. What an untroubled org answers is elsewhere."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Self

from .wire import Answer, Request


class Kind(StrEnum):
    """What can go wrong. The first ones are answers; the last three happen to the line."""

    EXPIRED = "expired"
    LIMIT = "limit"
    TOO_MANY = "too many"
    BROKEN = "broken"
    DOWN = "down"
    DOWN_HTML = "down html"
    LOCKED = "locked"
    QUERY_TIMEOUT = "query timeout"
    CUT = "cut"
    """The line breaks before anything is done."""
    CUT_AFTER = "cut after"
    """The work is done and committed, then the line breaks: the client cannot know."""
    HOLD = "hold"
    """Nothing happens until the test opens the gate."""
    HOLD_AFTER = "hold after"
    """The work is done and committed; the answer waits for the gate. With a client's time-out this is a lost answer."""


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, [{"message": message, "errorCode": code}])


ANSWERS = {
    Kind.EXPIRED: _error(401, "INVALID_SESSION_ID", "Session expired or invalid"),
    Kind.LIMIT: _error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    Kind.TOO_MANY: _error(429, "REQUEST_LIMIT_EXCEEDED", "Too many requests."),
    Kind.BROKEN: _error(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId: 1-1 (1)"),
    Kind.DOWN: _error(503, "SERVER_UNAVAILABLE", "Server is currently unavailable; try again later."),
    Kind.DOWN_HTML: Answer(503, "<html><head><title>Down For Maintenance</title></head></html>", {}, "text/html"),
    Kind.LOCKED: _error(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records"),
    Kind.QUERY_TIMEOUT: _error(400, "QUERY_TIMEOUT", "Your query request was running for too long."),
}


class Trouble:
    """One trouble. Used with ``with`` it lasts as long as the block; else for ``times`` requests.

    ``hits`` counts the requests it met. ``wait_for(n)`` returns when so many have come; ``open()`` lets held ones go.
    """

    def __init__(
        self,
        kind: Kind,
        *,
        times: int | None,
        method: str | None,
        path: str | None,
        inside: bool,
        headers: dict[str, str],
        end: Callable[[Trouble], None],
    ) -> None:
        self.kind = kind
        self.hits = 0
        self.inside = inside
        self._times: int | None = 1 if times is None else times
        self._told_times = times is not None
        self._method = method
        self._path = re.compile(path) if path else None
        self._headers = headers
        self._end = end
        self._changed = threading.Condition()
        self._opened = threading.Event()

    def __enter__(self) -> Self:
        if not self._told_times:
            self._times = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Over; whoever is held goes on."""
        self._end(self)
        self.open()

    def open(self) -> None:
        """Let go of every held request, and hold no more."""
        self._opened.set()

    def wait_for(self, hits: int = 1, timeout: float = 10.0) -> None:
        """Until so many requests have met this trouble. Raises AssertionError when they do not come."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.hits >= hits, timeout):
                raise AssertionError(f"only {self.hits} of {hits} requests met the trouble {self.kind!r}")

    def meets(self, method: str, path: str, *, inside: bool) -> bool:
        """Take this request? Counts it. Called with the org's lock held."""
        fits = self._method in {None, method} and (self._path is None or self._path.search(path) is not None)
        if not fits or inside != self.inside or self._times == 0:
            return False
        if self._times is not None:
            self._times -= 1
        with self._changed:
            self.hits += 1
            self._changed.notify_all()
        return True

    def hold(self) -> None:
        """Wait at the gate."""
        self._opened.wait()

    def answer(self) -> Answer:
        known = ANSWERS[self.kind]
        return Answer(known.status, known.body, {**known.headers, **self._headers}, known.content_type)


class Troubles:
    """Those of one org that are going on."""

    def __init__(self, lock: threading.RLock) -> None:  # type: ignore[valid-type, unused-ignore]
        self._lock = lock
        self._active: list[Trouble] = []

    def start(
        self,
        kind: Kind,
        *,
        times: int | None,
        method: str | None,
        path: str | None,
        inside: bool,
        headers: dict[str, str],
    ) -> Trouble:
        trouble = Trouble(kind, times=times, method=method, path=path, inside=inside, headers=headers, end=self._forget)
        with self._lock:
            self._active.append(trouble)
        return trouble

    def meet(self, request: Request) -> Trouble | None:
        return self.find(request.method, request.target, inside=False)

    def find(self, method: str, path: str, *, inside: bool) -> Trouble | None:
        """The first trouble that a request, or with ``inside`` a composite's subrequest, runs into."""
        with self._lock:
            return next((one for one in self._active if one.meets(method, path, inside=inside)), None)

    def end_all(self) -> None:
        for trouble in list(self._active):
            trouble.end()

    def _forget(self, trouble: Trouble) -> None:
        with self._lock:
            if trouble in self._active:
                self._active.remove(trouble)
