"""Processes that can be killed, and one address before several of them. What is done to them: the drills."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import requests
from argon2 import PasswordHasher

from cti_bridge.bench.processes import free_port
from cti_bridge.store import Database, directory
from tests.running import MAIN_LINE, PASSWORD

STARTING = 60.0
ACCOUNT = "AC" + "0" * 32
TOKEN = "0123456789abcdef0123456789abcdef"
ROOT = Path(__file__).parent.parent.parent
OURS = ("CTI_", "TWILIO_", "SALESFORCE_", "KINTONE_", "DATABASE_URL", "DYNO", "PORT", "WEB_CONCURRENCY")


class Process:
    """One process (gunicorn's master and worker are one) in a group of its own, so that ``kill`` takes all of it."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.kills = 0
        self._command = command
        self._log = folder / f"{name}.log"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self._environment = {**inherited, **environment, "PYTHONPATH": str(ROOT)}
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,  # away from any gunicorn.conf.py
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill -9, all at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            self.kills += 1

    def stop(self) -> int:
        """SIGTERM, as every platform does before it restarts a process; how it ended."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            code = self._process.wait(40)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within 40 s of SIGTERM: {self.last_words()}") from None
        self._process = None
        return code

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-8:])

    def text(self) -> str:
        return self._log.read_text("utf-8", "replace")


class Web(Process):
    """A web process of the bridge on a port of its own."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str], *, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._told = ""
        command = [
            *(sys.executable, "-m", "gunicorn", "-c", "python:cti_bridge.serving"),
            *("--bind", f"127.0.0.1:{self.port}", "--log-level", "warning", "tests.drills.hurry:create_app()"),
        ]
        super().__init__(name, command, folder, {"CTI_MAX_SOCKETS": "20", **environment})

    def wait(self) -> None:
        """Until it answers."""
        deadline, pause = time.monotonic() + STARTING, threading.Event()
        while not self.answers():
            assert self.running, f"{self.name} ended: {self.last_words()}"
            assert time.monotonic() < deadline, f"{self.name} is not ready ({self._told}): {self.last_words()}"
            pause.wait(0.02)

    def answers(self) -> bool:
        try:
            answer = requests.get(f"{self.url}/readyz", timeout=2)
        except requests.RequestException as problem:
            self._told = type(problem).__name__
            return False
        self._told = answer.text
        return answer.status_code == 200


class Worker(Process):
    """``cti-bridge outbox work``."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(name, [sys.executable, "-m", "tests.drills.hurry"], folder, environment)


class Balancer:
    """One address before several ports: every connection goes to the next port that takes it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.ports: list[int] = []
        self._turn = 0
        self._thread = threading.Thread(target=self._accept, name="balancer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(caller,), daemon=True).start()

    def _connect(self, caller: socket.socket) -> None:
        with ExitStack() as closing:
            closing.enter_context(caller)
            for _ in self.ports:
                self._turn += 1
                try:
                    house = socket.create_connection(("127.0.0.1", self.ports[self._turn % len(self.ports)]), 5)
                except OSError:
                    continue  # that one is dead; the next
                closing.enter_context(house)
                house.settimeout(None)
                back = threading.Thread(target=_pump, args=(house, caller), daemon=True)
                back.start()
                _pump(caller, house)
                back.join()
                return


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def settings(url: str, database: Database, **more: str) -> dict[str, str]:
    """The environment of the drills' bridge."""
    return {
        "CTI_PUBLIC_URL": url,
        "CTI_SECRET_KEY": "a secret for the drills that is long enough",
        "CTI_LANGUAGE": "ja",
        "DATABASE_URL": database.url.render_as_string(hide_password=False),
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        **more,
    }


def staff(database: Database) -> list[str]:
    """Two agents on the main line; their e-mails."""
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    emails = ["sato@example.co.jp", "suzuki@example.co.jp"]
    with database.transaction() as connection:
        ids = [
            directory.add_agent(
                connection,
                email=email,
                name=email.partition("@")[0],
                password_hash=hashed,
                language="ja",
                phone=f"+81800000000{number}",
            )
            for number, email in enumerate(emails)
        ]
        directory.add_line(
            connection, number=MAIN_LINE, name="代表", greeting="山田商事でございます。", language="ja", agent_ids=ids
        )
    return emails
