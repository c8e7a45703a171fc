"""Agents, lines, and which agents a line rings: tables and queries. Who may sign in is decided in ``auth``."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from cti_bridge.model import Agent, Line, Role
from cti_bridge.store import second_factors
from cti_bridge.store.database import Database, metadata

agents = Table(
    "agents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("phone", String(20)),
    Column("softphone", Boolean, nullable=False, default=False),
    Column("away", Boolean, nullable=False, default=False),
    Column("active", Boolean, nullable=False, default=True),
    Column("role", String(20), nullable=False, default="agent", server_default="agent"),
)

lines = Table(
    "lines",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(20), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("greeting", Text, nullable=False, default=""),
    Column("language", String(2), nullable=False),
    Column("ring_seconds", Integer, nullable=False, default=25),
    Column("record", Boolean, nullable=False, default=False),
)

line_agents = Table(
    "line_agents",
    metadata,
    Column("line_id", ForeignKey("lines.id", ondelete="CASCADE"), primary_key=True),
    Column("agent_id", ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
)


@dataclass(frozen=True, slots=True)
class Directory:
    """Everybody and every line at one moment: small, kept in memory, and what is used when the database is gone."""

    agents: dict[int, Agent]
    lines: dict[int, Line]
    ringing: dict[int, tuple[int, ...]]

    def line_of(self, number: str | None) -> Line | None:
        return next((line for line in self.lines.values() if line.number == number), None)

    def agent_by_email(self, email: str) -> Agent | None:
        """The active agent who signs in with this address."""
        return next((agent for agent in self.agents.values() if agent.email == email.strip().lower()), None)

    def agents_of(self, line: Line) -> tuple[Agent, ...]:
        """The active agents that this line rings, available or not."""
        return tuple(self.agents[agent_id] for agent_id in self.ringing.get(line.id, ()) if agent_id in self.agents)

    def lines_ringing(self, agent: Agent) -> tuple[Line, ...]:
        """The lines that ring this agent."""
        return tuple(line for line in self.lines.values() if agent.id in self.ringing.get(line.id, ()))

    def numbers_ringing(self, agent: Agent) -> frozenset[str]:
        """The numbers of the lines that ring this agent, E.164."""
        return frozenset(line.number for line in self.lines_ringing(agent))

    def numbers_by_agent(self) -> dict[int, frozenset[str]]:
        """Which of our numbers ring whom."""
        numbers: dict[int, set[str]] = {}
        for line_id, agent_ids in self.ringing.items():
            for agent_id in agent_ids:
                numbers.setdefault(agent_id, set()).add(self.lines[line_id].number)
        return {agent_id: frozenset(found) for agent_id, found in numbers.items()}


EMPTY = Directory({}, {}, {})


def read_directory(connection: Connection) -> Directory:
    ringing: dict[int, tuple[int, ...]] = {}
    for line_id, agent_id in connection.execute(select(line_agents).order_by(line_agents.c.agent_id)):
        ringing[line_id] = (*ringing.get(line_id, ()), agent_id)
    enrolled = second_factors.enrolled(connection)
    return Directory(
        {row.id: _agent(row, enrolled) for row in connection.execute(select(agents).where(agents.c.active))},
        {row.id: _line(row) for row in connection.execute(select(lines).order_by(lines.c.id))},
        ringing,
    )


def credentials(connection: Connection, email: str) -> tuple[Agent, str] | None:
    """The active agent with this e-mail address, and their password's hash."""
    query = select(agents).where(agents.c.email == email.strip().lower(), agents.c.active)
    row = connection.execute(query).one_or_none()
    return (_agent(row, second_factors.enrolled(connection)), row.password_hash) if row else None


def whoever(connection: Connection, email: str) -> Agent | None:
    """The agent with this e-mail address, active or not."""
    row = connection.execute(select(agents).where(agents.c.email == email.strip().lower())).one_or_none()
    return _agent(row, second_factors.enrolled(connection)) if row else None


def add_agent(
    connection: Connection,
    *,
    email: str,
    name: str,
    password_hash: str,
    language: str,
    phone: str | None = None,
    softphone: bool = False,
    role: Role = Role.AGENT,
) -> int:
    """The new agent's id. Raises sqlalchemy's IntegrityError when the e-mail address is taken."""
    values = {
        "email": email.strip().lower(),
        "name": name,
        "password_hash": password_hash,
        "language": language,
        "phone": phone,
        "softphone": softphone,
        "role": role,
    }
    return int(connection.execute(insert(agents).values(values).returning(agents.c.id)).scalar_one())


def change_agent(connection: Connection, agent_id: int, **values: object) -> None:
    connection.execute(update(agents).where(agents.c.id == agent_id).values(values))


def change_agent_by_email(connection: Connection, email: str, **values: object) -> bool:
    """Change columns of the agent with this e-mail address, active or not; False when there is none."""
    statement = update(agents).where(agents.c.email == email.strip().lower()).values(values)
    return connection.execute(statement).rowcount == 1


def add_line(
    connection: Connection,
    *,
    number: str,
    name: str,
    greeting: str,
    language: str,
    ring_timeout: timedelta = timedelta(seconds=25),
    record: bool = False,
    agent_ids: Iterable[int] = (),
) -> int:
    """The new line's id. Raises sqlalchemy's IntegrityError when the number is a line already."""
    values = {
        "number": number,
        "name": name,
        "greeting": greeting,
        "language": language,
        "ring_seconds": int(ring_timeout.total_seconds()),
        "record": record,
    }
    line_id = int(connection.execute(insert(lines).values(values).returning(lines.c.id)).scalar_one())
    set_ringing(connection, line_id, agent_ids)
    return line_id


def change_line(connection: Connection, number: str, **values: object) -> bool:
    """Change columns of the line with this number, E.164; False when there is none."""
    return connection.execute(update(lines).where(lines.c.number == number).values(values)).rowcount == 1


def set_ringing(connection: Connection, line_id: int, agent_ids: Iterable[int]) -> None:
    """Say which agents a line rings, instead of whom it rang before."""
    connection.execute(delete(line_agents).where(line_agents.c.line_id == line_id))
    rows = [{"line_id": line_id, "agent_id": agent_id} for agent_id in sorted(set(agent_ids))]
    if rows:
        connection.execute(insert(line_agents), rows)


def _agent(row: Row[tuple[object, ...]], enrolled: frozenset[int]) -> Agent:
    role, second_factor = Role(row.role), row.id in enrolled
    return Agent(row.id, row.name, row.email, row.language, row.phone, row.softphone, row.away, role, second_factor)


def _line(row: Row[tuple[object, ...]]) -> Line:
    timeout = timedelta(seconds=row.ring_seconds)
    return Line(row.id, row.number, row.name, row.greeting, row.language, timeout, row.record)


class KnownDirectory:
    """The directory as last read. ``current()`` reads again when that is long ago; ``last`` asks no database."""

    MAX_AGE = 3.0

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read_at = float("-inf")
        self._lock = threading.Lock()
        self.last = EMPTY

    def current(self) -> Directory:
        """At most MAX_AGE seconds old. Raises StoreUnavailable."""
        if time.monotonic() - self._read_at > self.MAX_AGE:
            self.refresh()
        return self.last

    def refresh(self) -> Directory:
        """Read it now, because it was just changed. Raises StoreUnavailable."""
        with self._lock, self._database.reading() as connection:
            self.last = read_directory(connection)
            self._read_at = time.monotonic()
        return self.last
