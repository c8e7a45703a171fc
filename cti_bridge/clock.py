"""What time it is: one function, so that tests can hand in another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)
