"""Trouble on demand: maintenance pages, locks, cut connections, answers that never come, and a gate that holds requests.

Nothing sleeps: what hangs does so until the test ends it, the client hangs up, or the domain closes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal, Self

from .wire import Answer, Refused, Request

Kind = Literal[
    "maintenance",
    "bad gateway",
    "internal error",
    "database locked",
    "record locked",
    "too many requests",
    "cut",
    "hang",
    "slow",
    "cut after commit",
    "hang after commit",
    "half a body",
    "no id",
    "empty body",
    "incomplete",
]
"""What can go wrong.

Before anything is done: ``maintenance`` (an HTML page, 503), ``bad gateway`` (HTML, 502), ``internal error`` (JSON,
500), ``database locked`` and ``record locked`` (GAIA_DA02, GAIA_RE18), ``too many requests`` (429), ``cut`` (the
connection closes without an answer), ``hang`` (no answer until the trouble ends; then nothing was done).
``slow`` waits until the trouble ends and then does as asked. After it was done: ``cut after commit``, ``hang after
commit`` (the client's time-out), ``half a body``, ``no id`` (the answer's ``id`` is missing, in an error too),
``empty body``. ``incomplete`` adds the warning that the filter was aborted.
"""

AFTERWARDS = frozenset({"cut after commit", "hang after commit", "half a body", "no id", "empty body", "incomplete"})

MAINTENANCE_PAGE = (
    "<!DOCTYPE html><html lang=ja><head><title>メンテナンス中 / Maintenance</title></head>"
    "<body><h1>ただいまメンテナンス中です。</h1><p>Service Unavailable</p></body></html>"
)


@dataclass
class Where:
    """Which requests are meant; what is left out, fits all. ``path`` is a part of the path (``records.json``)."""

    method: str | None = None
    path: str | None = None
    app: int | None = None

    def fits(self, request: Request) -> bool:
        """Whether a request is meant."""
        return (
            (self.method is None or self.method == request.method)
            and (self.path is None or self.path in request.path)
            and (self.app is None or str(self.app) in request.apps)
        )


@dataclass
class Trouble:
    """One trouble. Ends after ``times`` requests, with its ``with`` block, or by ``end()``. ``met`` counts requests."""

    kind: Kind
    where: Where
    times: int | None = None
    retry_after: str | None = None
    met: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.end()

    def end(self) -> None:
        """All is well again; who hangs is let go."""
        self.over.set()

    def strikes(self, request: Request) -> bool:
        """Whether this request is hit. Counts it if so."""
        with self._news:
            spent = self.times is not None and self.met >= self.times
            if self.over.is_set() or spent or not self.where.fits(request):
                return False
            self.met += 1
            self._news.notify_all()
            return True

    def wait_for(self, number: int, patience: float = 10.0) -> None:
        """Wait until this many requests were hit."""
        with self._news:
            came = self._news.wait_for(lambda: self.met >= number, patience)
        assert came, f"waited {patience:.0f} s for {number} requests to meet {self.kind!r}; {self.met} did"

    def instead(self) -> Answer | Refused | None:
        """What is answered instead of doing anything; None for the kinds that are no answer."""
        headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        if self.kind == "maintenance":
            return Answer(503, MAINTENANCE_PAGE, headers)
        if self.kind == "bad gateway":
            return Answer(502, "<html><head><title>502 Bad Gateway</title></head><body></body></html>", headers)
        if self.kind == "internal error":
            return Refused(
                500, "CB_SE01", ("エラーが発生しました。管理者にお問い合わせください。", "An error has occurred.")
            )
        if self.kind == "database locked":
            return _locked("GAIA_DA02")
        if self.kind == "record locked":
            return _locked("GAIA_RE18")
        return None


class Gate:
    """Holds requests until it is opened. ``with domain.gate(path="records.json") as gate: …; gate.wait_for(5)``."""

    def __init__(self, where: Where) -> None:
        self.where = where
        self.held = 0
        self._open = False
        self._change = threading.Condition()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.open()

    def open(self) -> None:
        """Let everybody pass, from now on."""
        with self._change:
            self._open = True
            self._change.notify_all()

    def wait_for(self, number: int, patience: float = 10.0) -> None:
        """Wait until this many requests stand before the gate at once."""
        with self._change:
            here = self._change.wait_for(lambda: self.held >= number, patience)
        assert here, f"waited {patience:.0f} s for {number} requests at the gate; {self.held} came"

    def pass_through(self, request: Request) -> None:
        """A request comes by; it waits here if it is meant."""
        with self._change:
            if self._open or not self.where.fits(request):
                return
            self.held += 1
            self._change.notify_all()
            self._change.wait_for(lambda: self._open, 60)
            self.held -= 1


def too_many_requests(limit: int) -> Refused:
    """``GAIA_TO04``: the domain has too many requests under way."""
    return Refused(
        429,
        "GAIA_TO04",
        (
            f"API同時接続数の上限（{limit}）を超過したため、リクエストを処理できませんでした。",
            f"Too many requests. The number of concurrent requests exceeds the limit ({limit}).",
        ),
    )


def _locked(code: str) -> Refused:
    """A database lock. No source tells its status; 400 is the hardest for who would look at the status alone."""
    return Refused(
        400,
        code,
        (
            "データベースのロックに失敗したため、変更を保存できませんでした。時間をおいて再度お試しください。",
            "Failed to lock the database, and could not save the changes. Please try again later.",
        ),
    )
