"""What an administrator does about somebody's way in: role, password, one-time codes, sign-ins, lock-outs.

Each is one transaction with its line in the audit log, and ends the sign-ins that it must.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from cti_bridge.auth.door import Auth
from cti_bridge.clock import Clock, utc_now
from cti_bridge.errors import NotFound
from cti_bridge.model import Agent, Role
from cti_bridge.store import Database, audit, directory, second_factors
from cti_bridge.store.audit import Who, agent_subject


class Warden:
    """Over one database; ``auth`` knows the sign-ins."""

    def __init__(self, auth: Auth, database: Database, *, clock: Clock = utc_now) -> None:
        self._auth = auth
        self._database = database
        self._clock = clock

    def sign_out(self, agent: Agent, who: Who) -> int:
        """End all of this agent's sign-ins, and say how many there were."""
        return self._do(agent, who, "signed_out_everywhere", lambda _: {})

    def set_role(self, agent: Agent, role: Role, who: Who) -> None:
        """Give this agent another role; they sign in again, because some doors may be closed to it."""

        def change(connection: Connection) -> dict[str, str]:
            directory.change_agent(connection, agent.id, role=role)
            return {"from": agent.role, "to": role}

        self._do(agent, who, "role_changed", change)

    def set_password(self, agent: Agent, password: str, who: Who) -> None:
        """Give this agent a new password. Raises BadRequest when it is too short."""
        hashed = self._auth.hash_password(password)

        def change(connection: Connection) -> dict[str, str]:
            directory.change_agent(connection, agent.id, password_hash=hashed)
            self._auth.lockout.unlock(connection, agent.email)
            return {}

        self._do(agent, who, "password_reset", change)

    def set_active(self, agent: Agent, who: Who, *, active: bool) -> None:
        """Let this agent go, or bring them back."""

        def change(connection: Connection) -> dict[str, str]:
            directory.change_agent(connection, agent.id, active=active)
            return {}

        self._do(agent, who, "activated" if active else "deactivated", change)

    def reset_totp(self, agent: Agent, who: Who) -> None:
        """Take this agent's one-time codes away: a lost telephone. Raises NotFound when they have none."""

        def change(connection: Connection) -> dict[str, str]:
            if not second_factors.remove(connection, agent.id):
                raise NotFound("totp_not_on")
            return {}

        self._do(agent, who, "totp_reset", change)

    def unlock(self, agent: Agent, who: Who) -> None:
        """Forget everybody's failed tries at this agent's account."""
        with self._database.transaction() as connection:
            self._auth.lockout.unlock(connection, agent.email)
            audit.note(connection, who, "unlocked", agent_subject(agent.id), self._clock())

    def _do(self, agent: Agent, who: Who, what: str, change: Callable[[Connection], dict[str, str]]) -> int:
        with self._database.transaction() as connection:
            details = change(connection)
            ended = self._auth.sessions.end_all(connection, agent.id)
            audit.note(connection, who, what, agent_subject(agent.id), self._clock(), ended=ended, **details)
        self._auth.sessions.told(agent.id)
        return ended
