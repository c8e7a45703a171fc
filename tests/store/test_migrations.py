"""The migrations make exactly the tables that the code believes in, once, whoever runs them."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url

from cti_bridge.errors import SettingsError, StoreUnavailable
from cti_bridge.model import Role
from cti_bridge.store import Database, calls, directory, migrate
from tests.conftest import POSTGRES


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'new.db'}")
        yield database
        database.close()
        return
    request.getfixturevalue("postgres_database")  # skips where there is none
    name = f"cti_test_{secrets.token_hex(6)}"
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    database = Database(make_url(POSTGRES).set(database=name).render_as_string(hide_password=False))
    yield database
    database.close()
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_migrating_from_nothing_gives_exactly_the_tables_of_the_code(empty_database: Database) -> None:
    migrate.upgrade(empty_database)
    with empty_database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, migrate.all_tables())
        indexes = {
            index["name"]
            for table in inspect(connection).get_table_names()
            for index in inspect(connection).get_indexes(table)
        }
    assert differences == []
    assert {"ix_outbox_due", "ix_calls_missed", "ix_calls_recording", "uq_outbox_call_id_kind"} <= indexes


def test_calls_of_an_older_version_are_kept(empty_database: Database) -> None:
    with empty_database.transaction() as connection:
        command.upgrade(migrate._config(connection), "0001")
        connection.execute(
            text(
                "INSERT INTO calls (id, version, changed_at, facts, caller_kind, caller_raw, started_at, note, disowned, "
                "lookup) VALUES ('CA1', 1, :now, :facts, 'withheld', '', :now, 'メモ', false, '{}')"
            ),
            {"now": datetime(2026, 11, 22, tzinfo=UTC), "facts": '{"id": "CA1"}'},
        )
    migrate.upgrade(empty_database)
    with empty_database.reading() as connection:
        record = calls.get(connection, "CA1")
    assert record is not None
    assert (record.note, record.related) == ("メモ", None)


def test_recordings_of_an_older_version_are_found(empty_database: Database) -> None:
    recording = "RE" + "1a" * 16
    with empty_database.transaction() as connection:
        command.upgrade(migrate._config(connection), "0002")
        for call_id, facts in (
            ("CA1", f'{{"id": "CA1", "recording_id": "{recording}"}}'),
            ("CA2", '{"id": "CA2", "recording_id": null}'),
            ("CA3", '{"id": "CA3"}'),
        ):
            connection.execute(
                text(
                    "INSERT INTO calls (id, version, changed_at, facts, caller_kind, caller_raw, started_at, note, "
                    "disowned, lookup) VALUES (:id, 1, :now, :facts, 'withheld', '', :now, '', false, '{}')"
                ),
                {"id": call_id, "now": datetime(2026, 11, 22, tzinfo=UTC), "facts": facts},
            )
    migrate.upgrade(empty_database)
    with empty_database.reading() as connection:
        record = calls.recorded_as(connection, recording)
        assert record is not None, "the older call's recording is not found"
        assert record.id == "CA1"
        assert calls.recorded_as(connection, "RE" + "0" * 32) is None
        filled = connection.execute(text("SELECT count(recording_id) FROM calls")).scalar_one()
    assert filled == 1


def test_whoever_was_an_agent_before_there_were_roles_stays_one(empty_database: Database) -> None:
    with empty_database.transaction() as connection:
        command.upgrade(migrate._config(connection), "0004")
        connection.execute(
            text(
                "INSERT INTO agents (email, name, password_hash, language, softphone, away, active) "
                "VALUES ('sato@example.co.jp', '佐藤', 'x', 'ja', false, false, true)"
            )
        )
    migrate.upgrade(empty_database)
    with empty_database.reading() as connection:
        [agent] = directory.read_directory(connection).agents.values()
    assert (agent.role, agent.second_factor) == (Role.AGENT, False)


def test_migrating_twice_changes_nothing(empty_database: Database) -> None:
    assert migrate.behind(empty_database)
    migrate.upgrade(empty_database)
    assert not migrate.behind(empty_database)
    migrate.upgrade(empty_database)
    assert not migrate.behind(empty_database)


@pytest.mark.parametrize("empty_database", ["postgres"], indirect=True)
def test_two_processes_may_migrate_at_once(empty_database: Database) -> None:
    url = empty_database.url.render_as_string(hide_password=False)
    problems: list[BaseException] = []
    start = threading.Barrier(2)

    def upgrade() -> None:
        database = Database(url)
        try:
            start.wait(5)
            migrate.upgrade(database)
        except BaseException as problem:  # noqa: BLE001  (the thread's problem is the test's)
            problems.append(problem)
        finally:
            database.close()

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert problems == []
    assert not migrate.behind(empty_database)


def test_a_migration_that_breaks_leaves_nothing_behind(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = command.upgrade

    def upgrade_and_break(*given: Any) -> None:
        upgrade(*given)
        raise RuntimeError("the power went out")

    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", upgrade_and_break)
        with pytest.raises(RuntimeError):
            migrate.upgrade(empty_database)
    with empty_database.reading() as connection:
        assert "calls" not in inspect(connection).get_table_names()
    migrate.upgrade(empty_database)
    assert not migrate.behind(empty_database)


def test_an_older_database_is_behind(empty_database: Database) -> None:
    migrate.upgrade(empty_database)
    with empty_database.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'an older one'"))
    assert migrate.behind(empty_database)


def test_a_database_that_cannot_be_reached_says_so(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'no such folder' / 'new.db'}")
    with pytest.raises(StoreUnavailable):
        migrate.upgrade(database)
    with pytest.raises(StoreUnavailable):
        migrate.behind(database)


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "no address", "://"])
def test_a_database_of_another_kind_is_refused_with_the_mend(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        Database(url)
