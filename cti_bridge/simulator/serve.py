"""Running the simulator as a process of its own, until it is told to stop. No telephony here."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any

from .simulator import NumberSettings, Simulator


def serve(
    numbers: Mapping[str, NumberSettings],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    account_sid: str | None = None,
    auth_token: str | None = None,
    ready: Callable[[Simulator], None] | None = None,
    stop: threading.Event | None = None,
    **options: Any,
) -> None:
    """Serve until `stop` is set, or SIGTERM or Ctrl-C comes (in the main thread).

    `ready(simulator)` is called once it listens: print `simulator.url` there. `options` go to `Simulator`.

    Raises:
        ValueError: as Simulator does. OSError: the port is taken.
    """
    done = stop or threading.Event()
    if stop is None and threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: done.set())
    with Simulator(
        numbers, host=host, port=port, account_sid=account_sid, auth_token=auth_token, **options
    ) as simulator:
        if ready is not None:
            ready(simulator)
        while not done.wait(3600):
            pass
