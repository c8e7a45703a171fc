"""Sign-ins that can be ended: what a token says, and whether it still holds. Who may begin one: ``door``.

A token is signed, so that most forgeries never reach the database, and names a row, so that signing out ends it at once.
Whether the row is live is remembered for seconds; a wake-up (``sessions:3``) has it read anew, and where wake-ups do not
reach, the seconds run out.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import Connection

from cti_bridge.clock import Clock
from cti_bridge.errors import NotSignedIn
from cti_bridge.live.topics import sessions_topic
from cti_bridge.model import Agent
from cti_bridge.store import Database, sessions

TOKEN_LIFE = timedelta(minutes=60)
"""A bearer token's; the widget renews it at half of that."""

SESSION_LIFE = timedelta(hours=14)
"""How long a sign-in can be renewed: a long working day."""

KEPT = timedelta(days=30)
"""How long the row of a sign-in stays."""

BELIEVED = 3.0
"""Seconds that a sign-in, once seen to be live, is taken for live without asking."""

MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in: whose, when they gave their password, and the key of its row."""

    agent_id: int
    began_at: datetime
    id: str


class Sessions:
    """The sign-ins as one process sees them. ``wake`` tells the other processes."""

    def __init__(self, secret_key: str, database: Database, clock: Clock, wake: Callable[[str], None]) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake
        self._tokens = URLSafeTimedSerializer(secret_key, salt="cti-bridge.token")
        self._lock = threading.Lock()
        self._believed: dict[int, dict[str, float]] = {}

    def begin(self, connection: Connection, agent: Agent, user_agent: str = "") -> str:
        """A bearer token for a new sign-in. Forgets old rows."""
        now, secret = self._clock(), secrets.token_urlsafe(24)
        sessions.begin(connection, _hash(secret), agent.id, user_agent=user_agent, at=now)
        sessions.forget(connection, began_before=now - KEPT)
        return self._tokens.dumps({"agent": agent.id, "began": now.timestamp(), "session": secret})

    def renew(self, session: Session, token: str) -> str:
        """A fresh token for the same sign-in. Raises NotSignedIn when it began too long ago or was ended."""
        now = self._clock()
        if now - session.began_at > SESSION_LIFE:
            raise NotSignedIn("session_over")
        with self._database.transaction() as connection:
            if not sessions.renew(connection, session.id, now):
                raise NotSignedIn
        return self._tokens.dumps(self._tokens.loads(token))

    def read(self, token: str) -> Session:
        """Whose token this is. Raises NotSignedIn when it is forged or old, or its sign-in was ended."""
        try:
            data = self._tokens.loads(token, max_age=int(TOKEN_LIFE.total_seconds()))
            began_at = datetime.fromtimestamp(data["began"], UTC)
            session = Session(int(data["agent"]), began_at, _hash(str(data["session"])))
        except (BadSignature, KeyError, TypeError, ValueError):
            raise NotSignedIn from None
        self.check(session)
        return session

    def check(self, session: Session) -> None:
        """Raises NotSignedIn when this sign-in was ended; StoreUnavailable when that cannot be known."""
        now = time.monotonic()
        with self._lock:
            if now - self._believed.get(session.agent_id, {}).get(session.id, float("-inf")) < BELIEVED:
                return
        with self._database.reading() as connection:
            if not sessions.is_live(connection, session.id):
                raise NotSignedIn
        with self._lock:
            if len(self._believed) >= MOST_REMEMBERED:
                self._believed.clear()
            believed = self._believed.setdefault(session.agent_id, {})
            for old in [known for known, seen_at in believed.items() if now - seen_at >= BELIEVED]:
                del believed[old]
            believed[session.id] = now

    def end(self, connection: Connection, session: Session) -> None:
        """End this one; call ``told`` after the commit."""
        sessions.end(connection, session.id, self._clock())

    def end_all(self, connection: Connection, agent_id: int) -> int:
        """End all of an agent's, and say how many; call ``told`` after the commit."""
        return sessions.end_all(connection, agent_id, self._clock())

    def told(self, agent_id: int) -> None:
        """Some of this agent's were ended: everybody is to look."""
        self.notice(sessions_topic(agent_id))
        self._wake(sessions_topic(agent_id))

    def notice(self, topic: str) -> None:
        """The hub's listener."""
        kind, _, agent_id = topic.partition(":")
        if kind == "sessions":
            with self._lock:
                self._believed.pop(int(agent_id), None)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
