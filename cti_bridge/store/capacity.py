"""Whether an installation fits its database, asked before anything is started: connections on PostgreSQL, and that SQLite
serves one process only."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from cti_bridge.environment import administrators_language
from cti_bridge.errors import SettingsError
from cti_bridge.store.database import Database

FOR_WAKE_UPS = 2
"""Connections of a process beside its pool: one that listens, one that tells."""

HANDING_OVER = 15.0
"""Seconds that a starting process waits for the one before it to end."""

_occupied: dict[Path, int] = {}
"""Files that this process serves, with what holds the lock: held until the process ends, and by its forked workers."""

_ROOM = text("""
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS server,
           (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role,
           (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database,
           count(*) AS on_server,
           count(*) FILTER (WHERE usename = current_user) AS of_role,
           count(*) FILTER (WHERE datname = current_database()) AS on_database
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
""")


@dataclass(frozen=True, slots=True)
class Room:
    """How many connections the database gives us at all, and how many are free now."""

    limit: int
    free: int


def room(database: Database) -> Room:
    """Ask PostgreSQL: the server's limit, and those of our role and database where they have one (-1: none)."""
    with database.reading() as connection:
        row = connection.execute(_ROOM).one()
    limits = [(row.server, row.on_server), (row.role, row.of_role), (row.database, row.on_database)]
    set_ = [(limit, used) for limit, used in limits if limit >= 0]
    return Room(min(limit for limit, _ in set_), min(limit - used for limit, used in set_))


def check(database: Database, processes: int) -> str | None:
    """Whether so many processes fit. Raises SettingsError when they never can; returns a warning when it is tight now.

    Raises StoreUnavailable when the database does not answer.
    """
    if database.is_sqlite:
        return None
    needed, found = processes * (database.connections + FOR_WAKE_UPS), room(database)
    ja = administrators_language() == "ja"
    if needed > found.limit:
        raise SettingsError(
            f"データベースの接続数が足りません。{processes} プロセスで最大 {needed} 接続を使いますが、"
            f"データベースの上限は {found.limit} です。WEB_CONCURRENCY か CTI_DATABASE_POOL を小さくするか、"
            "データベースのプランを上げてください。"
            if ja
            else f"The database allows {found.limit} connections, but {processes} process(es) may open {needed}. "
            "Lower WEB_CONCURRENCY or CTI_DATABASE_POOL, or take a larger database plan."
        )
    if needed > found.free:
        return (
            f"データベースの空き接続は {found.free} 本ですが、最大 {needed} 本を使うことがあります。"
            "他のプロセスと合わせて上限を超えるときは CTI_DATABASE_POOL を小さくしてください。"
            if ja
            else f"{found.free} database connections are free, and up to {needed} may be needed. Lower CTI_DATABASE_POOL "
            "if all processes together come to the limit."
        )
    return None


def occupy(database: Database, *, patience: float = HANDING_OVER) -> None:
    """Be the one process that serves this SQLite file, until the process ends; nothing to do on PostgreSQL.

    A lock file beside the database: SQLite's own locks would be lost with any handle of the database that is closed
    (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_). Raises
    SettingsError when another process has it.
    """
    if not database.is_sqlite or not database.url.database:
        return
    file = Path(f"{database.url.database}.lock").absolute()
    if file in _occupied:
        return
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return  # a folder that cannot be written is the database's own trouble, and told there
    deadline = time.monotonic() + patience
    while not _lock(handle):
        if time.monotonic() > deadline:
            os.close(handle)
            raise SettingsError(
                "このSQLiteデータベースは別のプロセスが使用中です。SQLiteで動かせるのは1プロセスだけです。"
                "そのプロセスを止めるか、DATABASE_URL にPostgreSQLを指定してください。"
                if administrators_language() == "ja"
                else "Another process serves this SQLite database, and SQLite serves one process only. Stop that process, "
                "or set a PostgreSQL database in DATABASE_URL."
            )
        time.sleep(0.1)
    _occupied[file] = handle


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
