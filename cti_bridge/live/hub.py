"""Wake-ups: "look, this changed", in one process or, over PostgreSQL's NOTIFY, between all. They carry ids only.

A wake-up is a hint that may be lost: the row is the truth, and ``delivery`` sweeps for what no wake-up told.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable

import psycopg
from sqlalchemy.engine import URL

from cti_bridge.live import topics
from cti_bridge.logbook import get_logger

log = get_logger(__name__)

CHANNEL = "cti_bridge"
Listener = Callable[[str], None]


class Hub:
    """Wake-ups inside one process. Listeners are called in the waking thread and must return at once."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def wake(self, *woken: str) -> None:
        """Tell everybody to look: ``call:CA…``, ``agent:3``, ``missed``, ``health``. Never raises, never waits."""
        for topic in woken:
            for listener in self._listeners:
                listener(topic)

    def start(self) -> None:
        """Begin to hear other processes; nothing to do inside one."""

    def stop(self) -> None:
        """Stop hearing other processes."""


class PostgresHub(Hub):
    """Wake-ups between processes, with a connection of its own that listens and is made again when it is lost.

    ``LISTEN`` needs a direct connection, not a transaction-mode pooler
    (https://www.postgresql.org/docs/current/sql-notify.html).
    """

    RECONNECT_SECONDS = 2.0

    def __init__(self, url: URL) -> None:
        super().__init__()
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._outgoing: list[str] = []
        self._pending = threading.Condition()
        self._sender: threading.Thread | None = None
        self._sender_pid = 0

    def wake(self, *woken: str) -> None:
        super().wake(*woken)
        with self._pending:
            self._outgoing.extend(topic for topic in woken if topic not in self._outgoing)
            self._pending.notify()

    def start(self) -> None:
        self._stopping.clear()
        self._bell, self._bell_wire = socket.socketpair()
        self._thread = threading.Thread(target=self._hear, name="hub-hear", daemon=True)
        self._sender = threading.Thread(target=self._tell, name="hub-tell", daemon=True)
        self._thread.start()
        self._sender.start()

    def stop(self) -> None:
        self._stopping.set()
        with self._pending:
            self._pending.notify()
        if self._thread is None or self._sender is None:
            return
        self._bell.close()
        for thread in (self._thread, self._sender):
            thread.join(timeout=2)
        self._bell_wire.close()

    def _hear(self) -> None:
        while not self._stopping.is_set():
            try:
                with (
                    psycopg.connect(self._address, autocommit=True, connect_timeout=5) as connection,
                    selectors.DefaultSelector() as waiting,  # select() itself fails beside a thousand sockets
                ):
                    connection.execute(f"LISTEN {CHANNEL}")
                    super().wake(topics.HEALTH)
                    waiting.register(connection, selectors.EVENT_READ)
                    waiting.register(self._bell_wire, selectors.EVENT_READ)
                    while not self._stopping.is_set():
                        waiting.select()
                        for notice in connection.notifies(timeout=0):
                            if notice.pid != self._sender_pid:  # our own listeners have been told
                                super().wake(notice.payload)
            except (psycopg.Error, OSError) as problem:
                log.warning("hub_listening_lost", problem=type(problem).__name__)
                self._stopping.wait(self.RECONNECT_SECONDS)

    def _tell(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True, connect_timeout=5) as connection:
                    self._sender_pid = connection.info.backend_pid
                    while not self._stopping.is_set():
                        for topic in self._take():
                            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, topic))
            except (psycopg.Error, OSError) as problem:
                log.warning("hub_telling_lost", problem=type(problem).__name__)
                self._stopping.wait(self.RECONNECT_SECONDS)

    def _take(self) -> list[str]:
        with self._pending:
            self._pending.wait_for(lambda: self._outgoing or self._stopping.is_set())
            taken, self._outgoing = self._outgoing, []
        return taken
