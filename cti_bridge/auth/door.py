"""Who is it? Passwords, bearer tokens and single-use tickets for agents. What they may do with a call: ``calls``.

Tokens and tickets are signed, not stored; only used tickets are, so that each opens one socket in whatever process.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from cti_bridge.clock import Clock, utc_now
from cti_bridge.errors import BadRequest, NotAllowed, NotSignedIn, TicketExpired, TicketInvalid, TicketUsed
from cti_bridge.model import Agent
from cti_bridge.store import Database, directory, tickets

TOKEN_LIFE = timedelta(minutes=60)
"""A bearer token's; the widget renews it at half of that."""

SESSION_LIFE = timedelta(hours=14)
"""How long a sign-in can be renewed: a long working day."""

TICKET_LIFE = timedelta(seconds=60)

SHORTEST_PASSWORD = 10


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in: the agent's id and when they gave their password."""

    agent_id: int
    began_at: datetime


class Auth:
    """Signs agents in. Every refusal says the same, so that nobody learns which e-mail addresses exist."""

    def __init__(self, secret_key: str, database: Database, *, embed_secret: str = "", clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock
        self._tokens = URLSafeTimedSerializer(secret_key, salt="cti-bridge.token")
        self._tickets = URLSafeTimedSerializer(secret_key, salt="cti-bridge.ticket")
        self._sign_in_tickets = URLSafeTimedSerializer(secret_key, salt="cti-bridge.sign-in-ticket")
        self._embed_secret = embed_secret.encode()
        self._hasher = PasswordHasher()
        self._nobodys_hash = self._hasher.hash(secrets.token_urlsafe(16))

    def hash_password(self, password: str) -> str:
        """For the agents table. Raises BadRequest when the password is too short."""
        if len(password) < SHORTEST_PASSWORD:
            raise BadRequest("password_too_short", shortest=SHORTEST_PASSWORD)
        return self._hasher.hash(password)

    def sign_in(self, email: str, password: str) -> tuple[Agent, str]:
        """The agent and a bearer token. Raises NotSignedIn; takes as long for an unknown address as for a wrong password."""
        with self._database.reading() as connection:
            found = directory.credentials(connection, email)
        hashed = found[1] if found else self._nobodys_hash
        try:
            self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            raise NotSignedIn("wrong_password") from None
        if found is None:
            raise NotSignedIn("wrong_password")
        return found[0], self._token(Session(found[0].id, self._clock()))

    def renew(self, session: Session) -> str:
        """A fresh token for the same sign-in. Raises NotSignedIn when it began too long ago."""
        if self._clock() - session.began_at > SESSION_LIFE:
            raise NotSignedIn("session_over")
        return self._token(session)

    def read_token(self, token: str) -> Session:
        """Raises NotSignedIn."""
        try:
            data = self._tokens.loads(token, max_age=int(TOKEN_LIFE.total_seconds()))
            return Session(int(data["agent"]), datetime.fromtimestamp(data["began"], UTC))
        except (BadSignature, KeyError, TypeError, ValueError):
            raise NotSignedIn from None

    def check_embed_secret(self, given: str) -> None:
        """Whether this is a plug-in that may vouch for agents. Raises NotAllowed (``vouching_off``, ``wrong_secret``)."""
        if not self._embed_secret:
            raise NotAllowed("vouching_off")
        if not hmac.compare_digest(given.encode(), self._embed_secret):
            raise NotAllowed("wrong_secret")

    def issue_sign_in_ticket(self, agent: Agent) -> str:
        """Signs this agent in, once, within a minute."""
        return _issue(self._sign_in_tickets, agent)

    def redeem(self, ticket: str) -> tuple[int, str]:
        """The agent's id and a bearer token. Raises TicketInvalid, TicketExpired or TicketUsed."""
        agent_id = self._use(self._sign_in_tickets, ticket)
        return agent_id, self._token(Session(agent_id, self._clock()))

    def issue_ticket(self, agent: Agent) -> str:
        """Opens one socket for this agent within a minute."""
        return _issue(self._tickets, agent)

    def use_ticket(self, ticket: str) -> int:
        """The agent's id. Raises TicketInvalid, TicketExpired or TicketUsed."""
        return self._use(self._tickets, ticket)

    def _use(self, tickets_of: URLSafeTimedSerializer, ticket: str) -> int:
        try:
            data = tickets_of.loads(ticket, max_age=int(TICKET_LIFE.total_seconds()))
            agent_id, ticket_id = int(data["agent"]), str(data["id"])
        except SignatureExpired:
            raise TicketExpired from None
        except (BadSignature, KeyError, TypeError, ValueError):
            raise TicketInvalid from None
        now = self._clock()
        with self._database.transaction() as connection:
            if not tickets.use(connection, ticket_id, expires_at=now + TICKET_LIFE * 2, now=now):
                raise TicketUsed
        return agent_id

    def _token(self, session: Session) -> str:
        return self._tokens.dumps({"agent": session.agent_id, "began": session.began_at.timestamp()})


def _issue(tickets_of: URLSafeTimedSerializer, agent: Agent) -> str:
    return tickets_of.dumps({"agent": agent.id, "id": secrets.token_urlsafe(16)})
