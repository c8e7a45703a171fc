"""The CRM's weather: how long it takes to answer, or whether it answers at all. The page's slider sets it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

SLOWEST = 15_000
"""Milliseconds; more than the bridge waits for."""


@dataclass(frozen=True, slots=True)
class Weather:
    """``delay_ms`` milliseconds until the CRM answers; ``down``: it does not answer."""

    delay_ms: int = 0
    down: bool = False


class WeatherStation:
    """Today's weather. Those who wait at the gate notice at once when it changes."""

    def __init__(self) -> None:
        self._now = Weather()
        self._changed = threading.Condition()

    @property
    def now(self) -> Weather:
        return self._now

    def set(self, weather: Weather) -> None:
        """Raises ValueError when the delay is negative or longer than SLOWEST."""
        if not 0 <= weather.delay_ms <= SLOWEST:
            raise ValueError(f"delay_ms must be between 0 and {SLOWEST}")
        with self._changed:
            self._now = weather
            self._changed.notify_all()

    def pass_gate(self) -> bool:
        """Wait as long as the CRM takes, counted from now; whether it answers."""
        arrived = time.monotonic()
        with self._changed:
            while not self._now.down:
                left = arrived + self._now.delay_ms / 1000 - time.monotonic()
                if left <= 0:
                    return True
                self._changed.wait(left)
            return False
