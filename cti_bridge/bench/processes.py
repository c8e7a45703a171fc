"""Servers under gunicorn with the settings of ``cti_bridge.serving``, and what they cost: processor time and memory.

Processor time is read per thread from the kernel (``/proc``, in nanoseconds), so that it can be told who spent it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from cti_bridge.bench.table import NotMeasured

SPARE_THREADS = 16
STARTING = 40.0
"""Seconds that a server has to answer for the first time."""

_open = build_opener(ProxyHandler({})).open


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch_json(url: str, timeout: float = 10.0) -> Any:
    with _open(url, timeout=timeout) as answer:
        return json.load(answer)


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds of one process, by its threads' names."""

    by_thread: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(self.by_thread.values())

    def of(self, *prefixes: str) -> float:
        return sum(seconds for name, seconds in self.by_thread.items() if name.startswith(prefixes))


class Server:
    """One app under gunicorn, in a process group of its own so that ``kill`` takes all of it at once."""

    def __init__(
        self,
        app: str,
        folder: Path,
        environment: Mapping[str, str],
        *,
        port: int | None = None,
        sockets: int = 100,
        conf: str | None = None,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / f"{app.partition(':')[0]}-{self.port}.log"
        self._folder = folder
        ours = ("CTI_", "TWILIO_", "SALESFORCE_", "KINTONE_", "DATABASE_URL", "DYNO", "PORT", "WEB_CONCURRENCY")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.environment = {**inherited, **environment}
        self._command = [
            *(sys.executable, "-m", "gunicorn", app, "--bind", f"127.0.0.1:{self.port}"),
            *(("-c", conf) if conf else ()),
            *("-k", "gthread", "--workers", "1", "--threads", str(sockets + SPARE_THREADS)),
            *("--worker-connections", str(sockets + 100), "--backlog", "1024", "--keep-alive", "95"),
            *("--preload", "--no-control-socket", "--graceful-timeout", "5", "--log-level", "warning"),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait for the first answer. Raises NotMeasured with the server's last words."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and arguments)
                self._command,
                cwd=self._folder,  # away from any gunicorn.conf.py
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + STARTING
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                words = " / ".join(self._log.read_text("utf-8", "replace").splitlines()[-4:])
                raise NotMeasured(f"the server did not start: {words}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(8.0)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """kill -9 for the master and its worker, at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def spent(self) -> Spent:
        """Processor time of the worker up to now. Both apps answer /bench/threads with their threads' names."""
        told = fetch_json(f"{self.url}/bench/threads")
        names = {int(thread): str(name) for thread, name in told["threads"].items()}
        by_thread: dict[str, float] = {}
        tasks = Path(f"/proc/{told['pid']}/task")
        if not tasks.is_dir():
            raise NotMeasured("processor time per thread needs Linux (/proc)")
        for task in tasks.iterdir():
            name = names.get(int(task.name), "other")
            try:
                nanoseconds = int((task / "schedstat").read_text().split()[0])
            except OSError:
                continue  # the thread ended just now
            by_thread[name] = by_thread.get(name, 0.0) + nanoseconds / 1e9
        return Spent(by_thread)

    def memory(self) -> tuple[float, float]:
        """Proportional and resident megabytes of the worker."""
        rollup = Path(f"/proc/{fetch_json(f'{self.url}/bench/threads')['pid']}/smaps_rollup")
        if not rollup.exists():
            raise NotMeasured("memory needs Linux (/proc)")
        found = {line.split(":")[0]: line.split() for line in rollup.read_text().splitlines()[1:]}
        return int(found["Pss"][1]) / 1024, int(found["Rss"][1]) / 1024

    def _answers(self) -> bool:
        try:
            fetch_json(f"{self.url}/bench/threads", timeout=2)
        except (URLError, OSError, ValueError):
            return False
        return True


def difference(before: Spent, after: Spent) -> Spent:
    """What was spent in between, by thread."""
    return Spent({name: seconds - before.by_thread.get(name, 0.0) for name, seconds in after.by_thread.items()})
