"""The audit log: who did what to whom, when and from where. Rows are added, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Integer, String, Table, insert

from cti_bridge.store.database import Json, Moment, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False, index=True),
    Column("agent_id", Integer, index=True),
    Column("address", String(45), nullable=False),
    Column("action", String(40), nullable=False, index=True),
    Column("subject", String(100), nullable=False),
    Column("details", Json, nullable=False),
)
"""``agent_id`` refers to no row: the log outlives the agent. ``subject`` never holds a name, number or e-mail address."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who did it, and from which address: ``Who(3, "203.0.113.7")``; nobody known: ``Who(None, "203.0.113.7")``."""

    agent_id: int | None
    address: str = ""


COMMAND_LINE = Who(None, "command line")
"""Somebody with the server's own settings: an administrator by definition."""


def note(connection: Connection, who: Who, what: str, about: str, at: datetime, **details: Any) -> None:
    """Write down what was done, in the transaction that does it.

    ``what`` is a word for programs (``signed_in``), ``about`` masked or hashed (``agent:3``, ``email:5f2c…``), ``details``
    are small and hold nothing personal: ``{"from": "agent", "to": "supervisor"}``.
    """
    values = {"at": at, "agent_id": who.agent_id, "address": who.address, "action": what, "subject": about}
    connection.execute(insert(audit).values({**values, "details": details}))


def agent_subject(agent_id: int) -> str:
    """An agent, as a subject: ``agent:3``."""
    return f"agent:{agent_id}"
