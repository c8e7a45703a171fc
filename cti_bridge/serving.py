"""gunicorn's settings for the bridge, with the reason beside each. Used by gunicorn.conf.py and ``cti-bridge serve``.

The worker is gthread: gevent corrupted WebSocket frames under back-pressure and froze on SQLite when tried.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from typing import Any

from cti_bridge import logbook
from cti_bridge.app import bridge_of, open_connector
from cti_bridge.errors import SettingsError, StoreUnavailable
from cti_bridge.settings import Settings
from cti_bridge.store import Database, capacity

SPARE_THREADS = 16
"""Threads beyond the sockets': webhooks and API requests always find one."""

WATCH_SECONDS = 0.1

workers = int(os.environ.get("WEB_CONCURRENCY", "1"))


def _check_capacity(database: Database) -> None:
    """Hold a SQLite file for this process and its workers until the last of them ends; count PostgreSQL's connections."""
    capacity.occupy(database)
    try:
        tight = capacity.check(database, workers)
    except StoreUnavailable as problem:
        tight = str(problem)  # callers are answered without a database too: start
    if tight:
        print(tight, file=sys.stderr)


try:
    _settings = Settings.read()
    _database = Database(_settings.database_url.get_secret_value(), pool_size=_settings.database_pool)
    open_connector(_settings, _database)
    if workers > 1 and _database.is_sqlite:
        sys.exit(
            f"WEB_CONCURRENCY is {workers}, but SQLite serves one process only. "
            "Set WEB_CONCURRENCY=1, or a PostgreSQL database in DATABASE_URL."
        )
    _check_capacity(_database)
    _database.close()
except SettingsError as problem:
    sys.exit(str(problem))  # a message, not a traceback: it names the setting and the mend

bind = f"0.0.0.0:{os.environ['PORT']}" if "PORT" in os.environ else "127.0.0.1:8000"
worker_class = "gthread"
threads = _settings.max_sockets + SPARE_THREADS  # a socket holds its thread for life
worker_connections = _settings.max_sockets + 100  # open sockets count; at the limit gthread stops accepting webhooks
backlog = 1024
preload_app = True  # two workers share 30 MB
timeout = 30
graceful_timeout = 10  # Heroku kills after 30 s; sockets are closed at once, so this is for requests under way
keepalive = 95  # longer than Heroku's router keeps connections (90 s)
control_socket_disable = True
accesslog = None  # request lines hold signed query strings with customers' numbers
errorlog = "-"


def post_worker_init(worker: Any) -> None:
    """In the forked worker: start its threads, and one that says goodbye to widgets the moment SIGTERM comes.

    gunicorn calls no hook at SIGTERM before the graceful wait; gthread clears ``worker.alive`` at once.
    """
    logbook.watch_threads()
    logging.getLogger("gunicorn.error").addFilter(logbook.Discreet())  # it quotes whole addresses when a request breaks
    bridge = bridge_of(worker.app.callable)
    bridge.start()

    def say_goodbye() -> None:
        while worker.alive:
            time.sleep(WATCH_SECONDS)
        bridge.delivery.close_all()
        bridge.outbox.stop()

    threading.Thread(target=say_goodbye, name="goodbye", daemon=True).start()


def worker_exit(_server: Any, worker: Any) -> None:
    """The last requests are done: stop the threads and close the database."""
    bridge_of(worker.app.callable).stop()
