"""Where the bench plays: databases with a few people in them, and the environment of a bridge that serves them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from cti_bridge.auth import Auth
from cti_bridge.bench.processes import Server, free_port
from cti_bridge.bench.table import NotMeasured
from cti_bridge.model import Agent
from cti_bridge.store import Database, directory, migrate

LINE = "+815031234567"
ACCOUNT = "AC" + "0" * 32
TOKEN = "the-bench-signs-nothing-but-its-own-webhooks"  # noqa: S105
SECRET_KEY = "the bench's secret key, long enough for anybody"  # noqa: S105

POSTGRES = os.environ.get("CTI_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
"""A PostgreSQL whose user may create databases; the bench makes its own in it and drops it again."""


@contextmanager
def postgres_url() -> Iterator[str]:
    """The address of a new, empty PostgreSQL database. Raises NotMeasured when none answers."""
    name = f"cti_bench_{secrets.token_hex(6)}"
    try:
        with psycopg.connect(POSTGRES, connect_timeout=2, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.Error as problem:
        raise NotMeasured(f"no PostgreSQL answers at CTI_TEST_POSTGRES ({type(problem).__name__})") from None
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass(frozen=True, slots=True)
class Office:
    """A bridge's database with its agents, all of whom one line rings (Twilio takes the first ten)."""

    url: str
    folder: Path
    agents: tuple[Agent, ...]

    @classmethod
    def found(cls, url: str, folder: Path, *, agents: int) -> Office:
        """Make the tables and the people."""
        migrate.all_tables()
        database = Database(url)
        migrate.upgrade(database)
        with database.transaction() as connection:
            ids = [
                directory.add_agent(
                    connection,
                    email=f"agent{number}@example.co.jp",
                    name=f"担当{number}",
                    password_hash="nobody signs in",  # noqa: S106
                    language="ja",
                    phone=f"+81800000{number:04}",
                )
                for number in range(1, agents + 1)
            ]
            directory.add_line(
                connection,
                number=LINE,
                name="代表",
                greeting="お電話ありがとうございます。山田商事でございます。",
                language="ja",
                agent_ids=ids,
            )
        with database.reading() as connection:
            known = directory.read_directory(connection)
        database.close()
        return cls(url, folder, tuple(known.agents[agent_id] for agent_id in ids))

    def tickets(self) -> list[str]:
        """A ticket for each agent's socket, signed with the bridge's own key: a thousand sign-ins would take minutes."""
        database = Database(self.url)
        auth = Auth(SECRET_KEY, database)
        issued = [auth.issue_ticket(agent) for agent in self.agents]
        database.close()
        return issued

    def bridge(self, **environment: str) -> Server:
        """The bridge that serves this office, not yet started."""
        sockets = max(100, len(self.agents) + 10)
        port = free_port()
        settings = {
            "CTI_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "CTI_SECRET_KEY": SECRET_KEY,
            "CTI_MAX_SOCKETS": str(sockets),
            "DATABASE_URL": self.url,
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            **environment,
        }
        app, conf = "cti_bridge.bench.bridge:create_app()", "python:cti_bridge.serving"
        return Server(app, self.folder, settings, port=port, sockets=sockets, conf=conf)


def bare(url: str, folder: Path) -> Server:
    """The baseline on a database of its own, not yet started."""
    port = free_port()
    settings = {
        "BENCH_DATABASE_URL": url.replace("postgresql://", "postgresql+psycopg://", 1),
        "CTI_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TWILIO_AUTH_TOKEN": TOKEN,
    }
    return Server("cti_bridge.bench.bare:create_app()", folder, settings, port=port)


def sqlite_url(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}"
