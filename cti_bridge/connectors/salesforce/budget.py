"""The org's request budget of a rolling day, as its last answers told it; spared before it is gone."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from cti_bridge.logbook import get_logger
from cti_bridge.model import Usage

log = get_logger(__name__)

WARN_AT = (0.95, 0.8)
"""Shares of the budget at whose crossing the log warns. From the first on, callers are not looked up any more."""

ASK_AGAIN_AFTER = 300.0
"""Seconds after which one look-up is let through all the same: only an answer can tell that the budget has recovered."""

_API_USAGE = re.compile(r"(?:^|[;,\s])api-usage=(\d+)/(\d+)")


class Budget:
    """How many requests the org had today, of how many. Asks nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._used, self._limit = 0, 0
        self._told_at = 0.0
        self._warned = 0.0

    def read(self, limit_info: str) -> None:
        """Take in a header ``Sforce-Limit-Info: api-usage=18/5000``."""
        found = _API_USAGE.search(limit_info)
        if found:
            self._take(int(found[1]), int(found[2]))

    def exhausted(self) -> None:
        """Salesforce has refused a request because the budget is used up."""
        self._take(max(self._limit, 1), max(self._limit, 1))

    @property
    def share(self) -> float:
        return self._used / self._limit if self._limit else 0.0

    def spares_lookups(self) -> bool:
        """Whether a caller should not be looked up, so that call logs still get through."""
        with self._lock:
            if self.share < WARN_AT[0]:
                return False
            if self._clock() - self._told_at < ASK_AGAIN_AFTER:
                return True
            self._told_at = self._clock()  # this one may ask, the others wait for its answer
            return False

    def usage(self) -> list[Usage]:
        return [Usage("api_requests", self._used, self._limit)] if self._limit else []

    def _take(self, used: int, limit: int) -> None:
        with self._lock:
            self._used, self._limit, self._told_at = used, limit, self._clock()
            crossed = next((share for share in WARN_AT if self.share >= share), 0.0)
            rising, self._warned = crossed > self._warned, crossed
        if rising:
            log.warning("salesforce_requests_running_out", used=used, limit=limit, lookups_spared=crossed == WARN_AT[0])
