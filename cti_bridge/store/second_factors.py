"""One-time codes: each agent's secret, which codes were used, and the hashes of recovery codes. The rules: ``auth.totp``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, ForeignKey, Integer, String, Table, delete, func, insert, select, update

from cti_bridge.store.database import Moment, metadata

second_factors = Table(
    "second_factors",
    metadata,
    Column("agent_id", ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("secret", String(64), nullable=False),
    Column("confirmed_at", Moment),
    Column("last_step", Integer, nullable=False, default=0),
)
"""``last_step`` is the half minute of the last code that was used: neither it nor an older one is taken again."""

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("agent_id", ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("used_at", Moment),
)


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """An agent's secret (base 32), and since when it counts; None until a first code has been shown."""

    secret: str
    confirmed_at: datetime | None


def read(connection: Connection, agent_id: int) -> SecondFactor | None:
    row = connection.execute(select(second_factors).where(second_factors.c.agent_id == agent_id)).one_or_none()
    return SecondFactor(row.secret, row.confirmed_at) if row else None


def enrolled(connection: Connection) -> frozenset[int]:
    """The agents whose one-time codes count."""
    query = select(second_factors.c.agent_id).where(second_factors.c.confirmed_at.is_not(None))
    return frozenset(connection.execute(query).scalars())


def begin(connection: Connection, agent_id: int, secret: str) -> None:
    """Keep a secret that does not count yet, instead of any that did not either."""
    unconfirmed = (second_factors.c.agent_id == agent_id) & second_factors.c.confirmed_at.is_(None)
    connection.execute(delete(second_factors).where(unconfirmed))
    connection.execute(insert(second_factors).values(agent_id=agent_id, secret=secret))


def confirm(connection: Connection, agent_id: int, hashes: Iterable[str], at: datetime) -> None:
    """From now on the secret counts, and these recovery codes do."""
    connection.execute(update(second_factors).where(second_factors.c.agent_id == agent_id).values(confirmed_at=at))
    connection.execute(delete(recovery_codes).where(recovery_codes.c.agent_id == agent_id))
    connection.execute(insert(recovery_codes), [{"agent_id": agent_id, "hash": hashed} for hashed in hashes])


def use_step(connection: Connection, agent_id: int, step: int) -> bool:
    """Use up the code of this half minute; False when it, or a later one, was used before, in whatever process."""
    unused = (second_factors.c.agent_id == agent_id) & (second_factors.c.last_step < step)
    return connection.execute(update(second_factors).where(unused).values(last_step=step)).rowcount == 1


def use_recovery_code(connection: Connection, agent_id: int, hashed: str, at: datetime) -> bool:
    """Use up a recovery code; False when there is no such code, or it was used before."""
    unused = (
        (recovery_codes.c.agent_id == agent_id) & (recovery_codes.c.hash == hashed) & recovery_codes.c.used_at.is_(None)
    )
    return connection.execute(update(recovery_codes).where(unused).values(used_at=at)).rowcount == 1


def recovery_codes_left(connection: Connection, agent_id: int) -> int:
    unused = (recovery_codes.c.agent_id == agent_id) & recovery_codes.c.used_at.is_(None)
    return connection.execute(select(func.count()).select_from(recovery_codes).where(unused)).scalar_one()


def remove(connection: Connection, agent_id: int) -> bool:
    """Take the agent's one-time codes away; False when they had none."""
    connection.execute(delete(recovery_codes).where(recovery_codes.c.agent_id == agent_id))
    gone = delete(second_factors).where(second_factors.c.agent_id == agent_id)
    return connection.execute(gone).rowcount == 1
