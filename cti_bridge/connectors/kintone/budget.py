"""How many requests each app had today, over all processes of the bridge, and when to spare it.

kintone fails nothing beyond its daily limit, but its vendor writes to the customer and may step in. The count starts
again at 09:00 in Japan, which is midnight UTC
(https://cybozu.dev/ja/kintone/tips/best-practices/performance/kintone-api-request-limit-exceeded-guide).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from cti_bridge.connector import Tally
from cti_bridge.errors import StoreUnavailable
from cti_bridge.logbook import get_logger
from cti_bridge.model import Usage

log = get_logger(__name__)

WARN_AT = 0.8
SPARE_FROM = 0.9


class Budget:
    """A day's requests, app by app. Without a ``tally`` only this process is counted."""

    def __init__(
        self, limit: int, tally: Tally | None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.limit = limit
        self._tally = tally
        self._now = now
        self._lock = threading.Lock()
        self._day = date.min
        self._used: dict[int, int] = {}
        self._warned: set[int] = set()

    def count(self, app: int | None) -> None:
        """One request more."""
        if app is None:
            return
        day = self._now().astimezone(UTC).date()
        with self._lock:
            self._turn_to(day)
            self._used[app] = self._used.get(app, 0) + 1
        if self._tally is not None:
            try:
                total = self._tally.add(f"kintone:{app}", day)
            except StoreUnavailable:
                log.warning("kintone_requests_not_counted", app=app)  # the count goes on in this process
            else:
                with self._lock:
                    if day == self._day:
                        self._used[app] = max(self._used.get(app, 0), total)
        self._warn(app)

    def used(self, app: int) -> int:
        """Today's requests of this app, as far as this process knows."""
        with self._lock:
            self._turn_to(self._now().astimezone(UTC).date())
            return self._used.get(app, 0)

    def nearly_used_up(self, app: int) -> bool:
        """Whether the rest is for call logs."""
        return self.used(app) >= self.limit * SPARE_FROM

    def until_renewed(self) -> timedelta:
        """How long until the count starts again."""
        now = self._now().astimezone(UTC)
        return datetime.combine(now.date() + timedelta(days=1), time(), UTC) - now

    def usage(self) -> list[Usage]:
        with self._lock:
            return [Usage(f"app_{app}_requests", used, self.limit) for app, used in sorted(self._used.items())]

    def _turn_to(self, day: date) -> None:
        if day > self._day:
            self._day, self._used, self._warned = day, {}, set()

    def _warn(self, app: int) -> None:
        with self._lock:
            used = self._used.get(app, 0)
            if used < self.limit * WARN_AT or app in self._warned:
                return
            self._warned.add(app)
        log.warning("kintone_daily_limit_near", app=app, used=used, limit=self.limit)
