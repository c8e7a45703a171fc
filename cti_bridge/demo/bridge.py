"""The bridge's own process in the demo: gunicorn with the real app, started, waited for, stopped."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

STOPPING = 8.0
"""Seconds for a clean stop: gunicorn gives its requests five."""

_open = build_opener(ProxyHandler({})).open


class BridgeFailed(Exception):
    """The bridge did not start; the message says what it said last."""


class BridgeProcess:
    """``cti_bridge.app:create_app()`` under gunicorn on 127.0.0.1, set as in earnest. What it says goes to ``log``."""

    def __init__(self, port: int, environment: Mapping[str, str], log: Path) -> None:
        self._port = port
        self._environment = dict(environment)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Begin to start; ``wait_until_ready`` says when it has."""
        command = [
            *(sys.executable, "-m", "gunicorn", "cti_bridge.app:create_app()", "-c", "python:cti_bridge.serving"),
            *("--bind", f"127.0.0.1:{self._port}", "--graceful-timeout", "5", "--log-level", "warning"),
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and arguments)
                command,
                cwd=self._log.parent,  # away from any gunicorn.conf.py
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops us in order
            )

    def wait_until_ready(self, timeout: float = 60.0, *, give_up: Callable[[], bool] = lambda: False) -> None:
        """Wait until /readyz answers. Raises BridgeFailed with the end of the log."""
        deadline = time.monotonic() + timeout
        while not self._ready():
            if not self.running:
                raise BridgeFailed(f"The bridge stopped while starting. Its last words ({self._log}):\n{self._tail()}")
            if time.monotonic() > deadline or give_up():
                raise BridgeFailed(f"The bridge was not ready after {timeout:.0f} seconds. See {self._log}.")
            time.sleep(0.05)

    def stop(self) -> None:
        """SIGTERM and wait; kill when it does not listen."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None

    def _ready(self) -> bool:
        try:
            with _open(f"http://127.0.0.1:{self._port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def _tail(self) -> str:
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-8:])
