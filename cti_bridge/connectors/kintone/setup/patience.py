"""Asking again what kintone could not answer just now. A ring cannot wait for that; a command can."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from cti_bridge.connectors.kintone.problems import KintoneUnavailable, TooManyRequests

PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0)
"""Seconds between tries, where kintone does not say how long to wait."""

T = TypeVar("T")


class Patience:
    """Tries again, seven times in all. ``wait`` takes seconds."""

    def __init__(self, wait: Callable[[float], object] = time.sleep) -> None:
        self.wait = wait

    def ask(self, question: Callable[[], T], *, repeatable: bool = True) -> T:
        """The answer. What was perhaps done already and must not be done twice is not ``repeatable``: that is tried again
        only when kintone refused to begin. Raises what the last try raised."""
        for pause in PAUSES:
            try:
                return question()
            except KintoneUnavailable as problem:
                if is_conflict(problem) or not (repeatable or isinstance(problem, TooManyRequests)):
                    raise
                told = problem.retry_after.total_seconds() if problem.retry_after else 0.0
                self.wait(max(pause, told))
        return question()


def is_conflict(problem: KintoneUnavailable) -> bool:
    """Whether somebody else changed it meanwhile: asking again as before cannot help."""
    return problem.status == 409 or problem.code.startswith("GAIA_CO")
