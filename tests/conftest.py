"""Fixtures that every folder of tests may use: the bridge's database, empty, once on SQLite and once on PostgreSQL.

One database per kind and per pytest worker is made at the first use and emptied before each test, which takes a
millisecond where making it anew would take a hundred. Queries are tested in ``store``; nothing is tested here.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from sqlalchemy.engine import make_url

from cti_bridge.store import chores, migrate
from cti_bridge.store.audit import audit
from cti_bridge.store.database import Database, metadata

settings.register_profile("calm", deadline=None)  # a busy machine is no failure
settings.load_profile("calm")

POSTGRES = os.environ.get("CTI_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
"""A PostgreSQL whose user may create databases. The tests make their own in it and drop it again."""


@pytest.fixture(scope="session")
def sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The session's SQLite file with all tables. Ask for ``database`` unless the test is about SQLite."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'bridge.db'}")
    _create_tables(database)
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[Database]:
    """The session's own PostgreSQL database with all tables. Its own database, since NOTIFY reaches all of one."""
    name = f"cti_test_{secrets.token_hex(6)}"
    try:
        with psycopg.connect(POSTGRES, connect_timeout=2, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.OperationalError:
        pytest.skip("No PostgreSQL answers; start one and name it in CTI_TEST_POSTGRES to run these tests on it too.")
    database = Database(make_url(POSTGRES).set(database=name).render_as_string(hide_password=False))
    _create_tables(database)
    yield database
    database.close()
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """The bridge's database with empty tables; the test runs on each kind."""
    opened: Database = request.getfixturevalue(f"{request.param}_database")
    empty(opened)
    return opened


def empty(database: Database) -> None:
    """Delete every row of every table."""
    with database.transaction() as connection:
        with chores.audit_may_shrink(connection):
            connection.execute(audit.delete())
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


def _create_tables(database: Database) -> None:
    migrate.all_tables()
    migrate.upgrade(database)
