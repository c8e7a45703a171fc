"""One-time codes of an authenticator app (RFC 6238) and recovery codes: making, checking, and using each only once.

Who must have them is a setting; when they are asked for: ``door``.
"""

from __future__ import annotations

import io
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pyotp
import segno
from sqlalchemy import Connection

from cti_bridge.errors import BadRequest, Conflict
from cti_bridge.model import Agent
from cti_bridge.store import second_factors

ISSUER = "CTI Bridge"
STEP = 30
"""Seconds that a code is shown for; the one before and the one after it are taken too, for clocks that differ."""

RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that reads like something else


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs: the secret to type, or its address as text and as a picture (SVG) to point at."""

    secret: str
    uri: str
    qr: str


class SecondFactors:
    """Everybody's one-time codes. ``keyed`` hashes recovery codes, of which the database keeps nothing else."""

    def __init__(self, keyed: Callable[[str], str]) -> None:
        self._keyed = keyed

    def begin(self, connection: Connection, agent: Agent) -> Enrolment:
        """Make a secret, which counts once the agent has shown a code of it. Raises Conflict when they have one."""
        known = second_factors.read(connection, agent.id)
        if known is not None and known.confirmed_at is not None:
            raise Conflict("totp_already_on")
        secret = pyotp.random_base32()
        second_factors.begin(connection, agent.id, secret)
        uri = pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=agent.email, issuer_name=ISSUER)
        return Enrolment(secret, uri, _picture(uri))

    def confirm(self, connection: Connection, agent: Agent, typed: str, now: datetime) -> list[str]:
        """From now on the agent's codes count. The recovery codes, told this once: ``["abcd-efgh-jkmn", …]``.

        Raises BadRequest (``wrong_code``); Conflict when there is nothing to confirm.
        """
        known = second_factors.read(connection, agent.id)
        if known is None:
            raise Conflict("totp_not_begun")
        if known.confirmed_at is not None:
            raise Conflict("totp_already_on")
        if not _use_app(connection, agent.id, known.secret, _normal(typed), now):
            raise BadRequest("wrong_code")
        plain = ["".join(secrets.choice(_LETTERS) for _ in range(12)) for _ in range(RECOVERY_CODES)]
        second_factors.confirm(connection, agent.id, [self._kept(agent.id, code) for code in plain], now)
        return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in plain]

    def use(self, connection: Connection, agent_id: int, typed: str, now: datetime) -> bool:
        """Use up a code of the agent's app, or a recovery code; False when it is wrong or was used before."""
        known, code = second_factors.read(connection, agent_id), _normal(typed)
        if known is None or known.confirmed_at is None:
            return False
        if code.isdecimal():
            return _use_app(connection, agent_id, known.secret, code, now)
        return second_factors.use_recovery_code(connection, agent_id, self._kept(agent_id, code), now)

    def _kept(self, agent_id: int, code: str) -> str:
        return self._keyed(f"recovery|{agent_id}|{code}")


def _use_app(connection: Connection, agent_id: int, secret: str, code: str, now: datetime) -> bool:
    app, present = pyotp.TOTP(secret, interval=STEP), int(now.timestamp()) // STEP
    for step in (present, present - 1, present + 1):
        if pyotp.utils.strings_equal(app.at(step * STEP), code):
            return second_factors.use_step(connection, agent_id, step)
    return False


def _normal(typed: str) -> str:
    """What was meant: an input method writes １２３ ４５６, people write 123-456."""
    return "".join(c for c in unicodedata.normalize("NFKC", typed).lower() if c.isalnum())


def _picture(uri: str) -> str:
    drawn = io.BytesIO()
    code = segno.make(uri, error="m", micro=False)
    code.save(drawn, kind="svg", scale=4, border=4, omitsize=True, light="#fff", xmldecl=False, nl=False)
    return drawn.getvalue().decode()
