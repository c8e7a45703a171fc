"""Databases of the drills' own, an org that keeps the logs, and the seed of all chance.

``CTI_DRILLS=long`` plays hundreds of calls; ``CTI_DRILLS_SEED`` repeats a run's chances (they are printed).
"""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from cti_bridge.store import Database, migrate
from tests.conftest import POSTGRES
from tests.connectors.salesforce.crm import prepared
from tests.fakes.salesforce import FakeOrg

LONG = os.environ.get("CTI_DRILLS") == "long"


@dataclass(frozen=True, slots=True)
class Size:
    """How much a drill does."""

    calls: int
    kills: int
    faults: int


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("CTI_DRILLS_SEED") or secrets.randbelow(10**6))
    print(f"CTI_DRILLS_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An embedded database of one drill's own."""
    database = Database(f"sqlite:///{tmp_path / 'bridge.db'}")
    migrate.upgrade(database)
    yield database
    database.close()


@pytest.fixture
def postgres() -> Iterator[Database]:
    """A PostgreSQL database of one drill's own: what is done to its connections disturbs nobody else's."""
    name = f"cti_drill_{secrets.token_hex(6)}"
    try:
        with psycopg.connect(POSTGRES, connect_timeout=2, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.OperationalError:
        pytest.skip("No PostgreSQL answers; start one and name it in CTI_TEST_POSTGRES to run this drill.")
    database = Database(make_url(POSTGRES).set(database=name).render_as_string(hide_password=False))
    migrate.upgrade(database)
    yield database
    database.close()
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def org() -> Iterator[FakeOrg]:
    """A Salesforce that knows every other caller of ``phones.callers``."""
    with FakeOrg() as org:
        yield prepared(org)
