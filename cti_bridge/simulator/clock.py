"""Time for the simulated network: what time it is, and "do this in n seconds". No telephony lives here."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """The port: what time it is (aware, UTC), and a way to have something done later.

    Functions given to `after` are called from the clock's own thread, one at a time, in the order of
    their moments; they must not block.
    """

    def now(self) -> datetime:
        """The moment, aware and in UTC."""
        raise NotImplementedError

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Call `do()` when `seconds` have gone by. There is no cancelling: `do` looks whether it still matters."""
        raise NotImplementedError

    def close(self) -> None:
        """Forget what is still due and stop the clock's thread, if it has one."""


class _Due:
    """What is due when, in the order of the moments and then of the asking."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def add(self, at: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (at, next(self._count), do))

    def next_at(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def pop(self, until: float) -> Callable[[], None] | None:
        if self._heap and self._heap[0][0] <= until:
            return heapq.heappop(self._heap)[2]
        return None

    def clear(self) -> None:
        self._heap.clear()


class SystemClock(Clock):
    """Real time. One daemonic thread, started when something is first asked for."""

    def __init__(self) -> None:
        self._due = _Due()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def now(self) -> datetime:
        return datetime.now(UTC)

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        with self._changed:
            if self._closed:
                return
            self._due.add(time.monotonic() + max(0.0, seconds), do)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="simulator-clock", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._due.clear()
            self._changed.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                do = self._due.pop(time.monotonic())
                if do is None:
                    at = self._due.next_at()
                    self._changed.wait(None if at is None else max(0.0, at - time.monotonic()))
                    continue
            do()


class ManualClock(Clock):
    """A clock that stands still until a test moves it with `advance`. Starts at 2026-11-20 01:00 UTC.

    What is asked for after 0 seconds is done at once, from a thread of its own.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start or datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
        self._elapsed = 0.0
        self._due = _Due()
        self._changed = threading.Condition()
        self._at_once = SystemClock()

    def now(self) -> datetime:
        with self._changed:
            return self._start + timedelta(seconds=self._elapsed)

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        if seconds <= 0:
            self._at_once.after(0, do)
            return
        with self._changed:
            self._due.add(self._elapsed + seconds, do)
            self._changed.notify_all()

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`, doing in the caller's thread everything that comes due on the way."""
        with self._changed:
            end = self._elapsed + seconds
        while True:
            with self._changed:
                at = self._due.next_at()
                do = self._due.pop(end)
                if do is None or at is None:
                    self._elapsed = end
                    return
                self._elapsed = max(self._elapsed, at)
            do()

    def wait_for_timer(self, timeout: float = 5.0) -> None:
        """Wait (in real seconds) until somebody waits for this clock to move. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._due.next_at() is not None, timeout):
                raise TimeoutError(f"nobody waited for the clock within {timeout} s")

    def close(self) -> None:
        self._at_once.close()
        with self._changed:
            self._due.clear()
