"""An installation that does not fit its database is told so at the start, with the mend."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from cti_bridge.errors import SettingsError
from cti_bridge.store import Database, capacity
from cti_bridge.store.capacity import FOR_WAKE_UPS, Room
from tests.cli.conftest import SETTINGS
from tests.conftest import POSTGRES


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", "en")


@pytest.fixture
def small_plan(postgres_database: Database) -> Iterator[Database]:
    """Signed in as a role that may open twenty connections, as on the smallest plans."""
    name = f"small_{secrets.token_hex(4)}"
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        role = sql.Identifier(name)
        server.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'small' CONNECTION LIMIT 20").format(role))
    url = postgres_database.url.set(username=name, password="small")
    database = Database(url.render_as_string(hide_password=False))
    yield database
    database.close()
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(sql.SQL("DROP ROLE {}").format(role))


def test_the_roles_own_limit_counts(small_plan: Database) -> None:
    assert capacity.room(small_plan) == Room(20, 20)


def test_a_web_and_a_worker_process_fit_the_smallest_plan(small_plan: Database) -> None:
    web = Database(small_plan.url.render_as_string(hide_password=False)).connections + FOR_WAKE_UPS
    worker = Database(small_plan.url.render_as_string(hide_password=False), pool_size=4).connections + FOR_WAKE_UPS
    assert web + worker <= 20
    assert capacity.check(small_plan, 1) is None


def test_more_processes_than_the_database_takes_are_refused_with_the_mend(small_plan: Database) -> None:
    with pytest.raises(SettingsError, match=r"allows 20 connections.*CTI_DATABASE_POOL"):
        capacity.check(small_plan, 2)


def test_connections_that_others_hold_are_warned_of(small_plan: Database) -> None:
    address = small_plan.url.set(drivername="postgresql").render_as_string(hide_password=False)
    held = [psycopg.connect(address) for _ in range(12)]
    try:
        warning = capacity.check(small_plan, 1)
    finally:
        for connection in held:
            connection.close()
    assert warning is not None
    assert "8 database connections are free" in warning


def test_sqlite_has_no_connections_to_count(sqlite_database: Database) -> None:
    assert capacity.check(sqlite_database, 1) is None


OCCUPY = """
import sys
from cti_bridge.store import Database, capacity
capacity.occupy(Database(sys.argv[1]))
print("mine", flush=True)
sys.stdin.read()
"""


def test_a_second_process_on_one_sqlite_file_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'bridge.db'}")
    url = database.url.render_as_string()
    with subprocess.Popen(
        [sys.executable, "-c", OCCUPY, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "mine\n"
        with pytest.raises(SettingsError, match=r"one process only.*PostgreSQL"):
            capacity.occupy(database, patience=0.0)
        first.kill()
        first.wait()
    capacity.occupy(database, patience=5.0)
    capacity.occupy(database, patience=0.0)  # its own


def test_a_worker_beside_a_web_process_on_sqlite_is_refused_with_a_sentence(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'bridge.db'}")
    from cti_bridge.store import migrate

    migrate.upgrade(database)
    database.close()
    capacity.occupy(database)
    environment = {**os.environ, **SETTINGS, "CTI_LANGUAGE": "en", "DATABASE_URL": database.url.render_as_string()}
    code = "from cti_bridge.store import capacity; capacity.occupy.__kwdefaults__['patience'] = 0.0"
    command = [sys.executable, "-c", f"{code}\nfrom cti_bridge.cli import main; main()", "outbox", "work"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Another process serves this SQLite database" in done.stderr
    assert "Traceback" not in done.stderr
