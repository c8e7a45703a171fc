"""What we remember about outside numbers: the CRM's last answer (the number index) and which contact agents picked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, String, Table, and_, bindparam, delete, select

from cti_bridge.model import Choice, Contact
from cti_bridge.store.codec import dump, dump_all, load, load_all
from cti_bridge.store.database import INSERTS, Json, Moment, metadata

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


_recall = select(number_index).where(
    and_(number_index.c.number == bindparam("number"), number_index.c.connector == bindparam("connector"))
)


def recall(connection: Connection, connector: str, number: str) -> Remembered | None:
    row = connection.execute(_recall, {"number": number, "connector": connector}).one_or_none()
    return Remembered(load_all(Contact, row.contacts), row.fetched_at) if row else None


_remember = {}
for dialect, insert in INSERTS.items():
    new = insert(number_index)
    _remember[dialect] = new.on_conflict_do_update(
        index_elements=["number", "connector"],
        set_={"contacts": new.excluded.contacts, "fetched_at": new.excluded.fetched_at},
    )


def remember(connection: Connection, connector: str, number: str, contacts: tuple[Contact, ...], now: datetime) -> None:
    row = {
        "number": number,
        "connector": connector,
        "contacts": dump_all(Contact, contacts),
        "fetched_at": now,
    }
    connection.execute(_remember[connection.dialect.name], row)


def forget(connection: Connection, connector: str, number: str) -> None:
    """Drop the remembered answer, because the CRM was just changed for this number."""
    statement = delete(number_index).where(number_index.c.number == number, number_index.c.connector == connector)
    connection.execute(statement)


def learn(connection: Connection, connector: str, number: str, choice: Choice) -> None:
    """Remember which contact an agent picked for this number."""
    values = {"choice": dump(choice)}
    statement = INSERTS[connection.dialect.name](picks).values(number=number, connector=connector, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["number", "connector"], set_=values))


def unlearn(connection: Connection, connector: str, number: str) -> None:
    connection.execute(delete(picks).where(picks.c.number == number, picks.c.connector == connector))


_learned = select(picks.c.choice).where(
    and_(picks.c.number == bindparam("number"), picks.c.connector == bindparam("connector"))
)


def learned(connection: Connection, connector: str, number: str) -> Choice | None:
    data = connection.execute(_learned, {"number": number, "connector": connector}).scalar_one_or_none()
    return load(Choice, data) if data else None
