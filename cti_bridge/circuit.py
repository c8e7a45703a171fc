"""When a CRM keeps failing, stop asking it for a while, then ask once to see. What is asked is none of its business."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

SLOW = 2.0
"""Seconds after which an answer counts as slow in the health dots."""


class Circuit:
    """Closed while the CRM answers; open for ``pause`` after ``threshold`` failures in a row; then a probe decides."""

    def __init__(
        self,
        *,
        threshold: int = 3,
        pause: timedelta = timedelta(seconds=15),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._pause = pause.total_seconds()
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0
        self._last_took = 0.0

    @property
    def health(self) -> str:
        """``ok``, ``slow`` or ``down``."""
        if self._failures >= self._threshold:
            return "down"
        return "slow" if self._failures or self._last_took > SLOW else "ok"

    def admits(self) -> bool:
        """Whether to ask now. When the pause is over, one caller is admitted as the probe and the pause begins anew."""
        with self._lock:
            if self._failures < self._threshold:
                return True
            if self._monotonic() < self._open_until:
                return False
            self._open_until = self._monotonic() + self._pause
            return True

    def succeeded(self, took: float) -> bool:
        """It answered, after ``took`` seconds. Returns whether the health changed."""
        with self._lock:
            before = self.health
            self._failures, self._last_took = 0, took
            return self.health != before

    def failed(self, retry_after: timedelta | None = None) -> bool:
        """It did not answer. Returns whether the health changed."""
        with self._lock:
            before = self.health
            self._failures += 1
            pause = max(self._pause, retry_after.total_seconds() if retry_after else 0.0)
            self._open_until = self._monotonic() + pause
            return self.health != before
