"""Bringing the database up to this version's tables, safely when several processes start at once."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text

from cti_bridge.store.database import Database, metadata

ONE_AT_A_TIME = 0x43_54_49  # "CTI"; the number of PostgreSQL's advisory lock


def all_tables() -> MetaData:
    """The metadata with every table of the bridge in it."""
    from cti_bridge.store import (  # noqa: F401, PLC0415
        audit,
        calls,
        chores,
        directory,
        numbers,
        outbox,
        rates,
        records,
        second_factors,
        seen,
        sessions,
        tallies,
        tickets,
        tries,
    )

    return metadata


def upgrade(database: Database) -> None:
    """Run what is missing. Raises StoreUnavailable; then nothing has changed."""
    with database.transaction() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
        command.upgrade(_config(connection), "head")


def behind(database: Database) -> bool:
    """Whether migrations are missing. Raises StoreUnavailable."""
    with database.reading() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
        return present != ScriptDirectory.from_config(_config(connection)).get_current_head()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
