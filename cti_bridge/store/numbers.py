"""What we remember about outside numbers: the CRM's last answer (the number index) and which contact agents picked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, String, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from cti_bridge.model import Choice, Contact
from cti_bridge.store.codec import dump, dump_all, load, load_all
from cti_bridge.store.database import Json, Moment, metadata

number_index = Table(
    "number_index",
    metadata,
    Column("number", String(20), primary_key=True),
    Column("connector", String(40), primary_key=True),
    Column("contacts", Json, nullable=False),
    Column("fetched_at", Moment, nullable=False),
)

picks = Table(
    "picks",
    metadata,
    Column("number", String(20), primary_key=True),
    Column("connector", String(40), primary_key=True),
    Column("choice", Json, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """The CRM's answer about a number, and when it gave it. No contacts means: it knew nobody."""

    contacts: tuple[Contact, ...]
    fetched_at: datetime


def recall(connection: Connection, connector: str, number: str) -> Remembered | None:
    query = select(number_index).where(number_index.c.number == number, number_index.c.connector == connector)
    row = connection.execute(query).one_or_none()
    return Remembered(load_all(Contact, row.contacts), row.fetched_at) if row else None


def remember(connection: Connection, connector: str, number: str, contacts: tuple[Contact, ...], now: datetime) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"contacts": dump_all(Contact, contacts), "fetched_at": now}
    statement = insert(number_index).values(number=number, connector=connector, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["number", "connector"], set_=values))


def forget(connection: Connection, connector: str, number: str) -> None:
    """Drop the remembered answer, because the CRM was just changed for this number."""
    statement = delete(number_index).where(number_index.c.number == number, number_index.c.connector == connector)
    connection.execute(statement)


def learn(connection: Connection, connector: str, number: str, choice: Choice) -> None:
    """Remember which contact an agent picked for this number."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"choice": dump(choice)}
    statement = insert(picks).values(number=number, connector=connector, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["number", "connector"], set_=values))


def unlearn(connection: Connection, connector: str, number: str) -> None:
    connection.execute(delete(picks).where(picks.c.number == number, picks.c.connector == connector))


def learned(connection: Connection, connector: str, number: str) -> Choice | None:
    query = select(picks.c.choice).where(picks.c.number == number, picks.c.connector == connector)
    data = connection.execute(query).scalar_one_or_none()
    return load(Choice, data) if data else None
