"""A door on an empty database, with a clock that stands still until it is told otherwise, and Sato, who may come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cti_bridge.auth import Auth
from cti_bridge.model import Agent, Role
from cti_bridge.store import Database, directory
from cti_bridge.store.audit import audit
from tests.running import impatience

NOON = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
SECRET = "a secret for tests"


@dataclass
class Watch:
    """A clock that is moved by hand."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **much: float) -> None:
        self.now += timedelta(**much)


@dataclass
class House:
    """A door, and everything to look behind it."""

    database: Database
    watch: Watch = field(default_factory=Watch)

    def auth(self, secret: str = SECRET, **settings: Any) -> Auth:
        """A door of one process; two of them are two processes."""
        with impatience():
            return Auth(secret, self.database, clock=self.watch, **settings)

    def add(self, email: str, role: Role = Role.AGENT) -> Agent:
        with self.database.transaction() as connection:
            directory.add_agent(
                connection, email=email, name="佐藤", password_hash=self.hashed, language="ja", role=role
            )
        return self.agent(email)

    def agent(self, email: str) -> Agent:
        """As the database has them now."""
        with self.database.reading() as connection:
            agent = directory.whoever(connection, email)
        assert agent is not None
        return agent

    def told(self) -> list[tuple[str, str, dict[str, Any]]]:
        """The audit log: what, about whom, with which details."""
        with self.database.reading() as connection:
            rows = connection.execute(audit.select().order_by(audit.c.id)).all()
        return [(row.action, row.subject, row.details) for row in rows]

    @property
    def hashed(self) -> str:
        return _HASH()


def _hash_once() -> Callable[[], str]:
    made: list[str] = []

    def give() -> str:
        if not made:
            from cti_bridge.auth.passwords import Passwords

            with impatience():
                made.append(Passwords().hash(PASSWORD))
        return made[0]

    return give


_HASH = _hash_once()


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.fixture
def auth(house: House) -> Auth:
    return house.auth()


@pytest.fixture
def sato(house: House) -> Agent:
    return house.add("Sato@example.co.jp ")
