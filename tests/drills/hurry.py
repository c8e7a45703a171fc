"""The bridge as it is served, with its waits cut short: what takes a minute or hours in an office takes a second here.

Runs in the drills' processes: ``gunicorn -c python:cti_bridge.serving tests.drills.hurry:create_app()``, and
``python -m tests.drills.hurry`` for ``cti-bridge outbox work``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask

from cti_bridge import app, calls, cli, outbox
from cti_bridge.circuit import Circuit

LEASE = timedelta(seconds=3)
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (0.2, 0.3, 0.5, 0.8, 1.0))


LONGEST_REST = timedelta(seconds=1)
_failed = Circuit.failed


def _failed_for_a_moment(circuit: Circuit, retry_after: timedelta | None = None) -> bool:
    return _failed(circuit, min(retry_after, LONGEST_REST) if retry_after else None)


def hurry() -> None:
    outbox.LEASE = LEASE
    outbox.LONGEST_RETRY_AFTER = LONGEST_REST  # a busy org is let alone for 20 seconds and more
    Circuit.failed = _failed_for_a_moment  # type: ignore[method-assign, assignment]
    outbox.BACK_OFF = BACK_OFF
    outbox.IDLE = 0.2
    calls.SETTLING = timedelta(seconds=0.3)
    defaults: dict[str, Any] = Circuit.__init__.__kwdefaults__ or {}
    defaults["pause"] = timedelta(seconds=0.5)


def create_app() -> Flask:
    hurry()
    return app.create_app()


if __name__ == "__main__":
    hurry()
    cli.main(["outbox", "work"])
