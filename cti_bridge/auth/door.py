"""Signing in, and what proves it afterwards: passwords, one-time codes, bearer tokens, single-use tickets.

Every refusal says the same for addresses that exist and that do not, so that nobody learns who works here; what only
somebody with the right password is told (a code is needed, the office only) may differ.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from sqlalchemy import Connection

from cti_bridge.auth.addresses import UNKNOWN, Addresses
from cti_bridge.auth.lockout import Lockout
from cti_bridge.auth.passwords import Passwords
from cti_bridge.auth.sessions import Session, Sessions
from cti_bridge.auth.totp import Enrolment, SecondFactors
from cti_bridge.clock import Clock, utc_now
from cti_bridge.errors import NotAllowed, NotSignedIn, TicketExpired, TicketInvalid, TicketUsed
from cti_bridge.model import Agent, Permission, Role, permissions_of
from cti_bridge.store import Database, audit, directory, sessions, tickets
from cti_bridge.store.audit import Who, agent_subject

TICKET_LIFE = timedelta(seconds=60)

Demand = Literal["nobody", "administrators", "everybody"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who knocks: from which address, with which browser (its User-Agent)."""

    address: str = UNKNOWN
    user_agent: str = ""

    def as_agent(self, agent_id: int | None) -> Who:
        """For the audit log, once it is known who they are."""
        return Who(agent_id, self.address)


STRANGER = Caller()


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom a ticket opens a socket for, and the key of the sign-in that it ends with."""

    agent_id: int
    session_id: str | None


class Auth:
    """Signs agents in. ``wake`` tells the other processes that a sign-in was ended (``live.hub``)."""

    def __init__(
        self,
        secret_key: str,
        database: Database,
        *,
        embed_secret: str = "",
        demand: Demand = "nobody",
        addresses: Addresses | None = None,
        wake: Callable[[str], None] = lambda _topic: None,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._clock = clock
        self._key = hashlib.sha256(b"cti-bridge.keyed|" + secret_key.encode()).digest()
        self._tickets = URLSafeTimedSerializer(secret_key, salt="cti-bridge.ticket")
        self._sign_in_tickets = URLSafeTimedSerializer(secret_key, salt="cti-bridge.sign-in-ticket")
        self._embed_secret = embed_secret.encode()
        self._demand = demand
        self._addresses = addresses
        self.passwords = Passwords()
        self.sessions = Sessions(secret_key, database, clock, wake)
        self.lockout = Lockout(self.keyed)
        self.second_factors = SecondFactors(self.keyed)

    def keyed(self, text: str) -> str:
        """A hash that nobody without CTI_SECRET_KEY can guess back: for addresses, codes, e-mail addresses."""
        return hmac.digest(self._key, text.encode(), "sha256").hex()

    def hash_password(self, password: str) -> str:
        """For the agents table. Raises BadRequest when the password is too short."""
        return self.passwords.hash(password)

    # ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────────

    def sign_in(self, email: str, password: str, *, code: str = "", caller: Caller = STRANGER) -> tuple[Agent, str]:
        """The agent and a bearer token.

        Raises NotSignedIn (``wrong_password``, ``code_required``, ``wrong_code``), TooMany (``locked_out``) and NotAllowed
        (``address_not_allowed``). Takes as long for an unknown address as for a wrong password.
        """
        with self._database.transaction() as connection:
            wait = self.lockout.charge(connection, email, caller.address, self._clock())
            found = directory.credentials(connection, email)
        if not self.passwords.fits(found[1] if found else None, password) or found is None:
            self._note_failure(email, found[0] if found else None, caller, "wrong_password", wait)
            raise NotSignedIn("wrong_password")
        agent = found[0]
        with self._database.transaction() as connection:
            refusal = self._refusal(connection, agent, code, caller)
            if refusal is None:
                self.lockout.welcome(connection, email, caller.address, self._clock())
                return agent, self._begin(connection, agent, caller, how="password")
            if refusal.code != "wrong_code":
                self.lockout.refund(connection, email, caller.address, self._clock())
        if refusal.code != "code_required":  # the form asks for it now
            self._note_failure(email, agent, caller, refusal.code, wait if refusal.code == "wrong_code" else None)
        raise refusal

    def _refusal(
        self, connection: Connection, agent: Agent, code: str, caller: Caller
    ) -> NotSignedIn | NotAllowed | None:
        """Why somebody with the right password does not come in yet."""
        if not self.allows(agent, caller.address):
            return NotAllowed("address_not_allowed")
        if not agent.second_factor:
            return None
        if not code.strip():
            return NotSignedIn("code_required")
        good = self.second_factors.use(connection, agent.id, code, self._clock())
        return None if good else NotSignedIn("wrong_code")

    def _begin(self, connection: Connection, agent: Agent, caller: Caller, *, how: str) -> str:
        who, about = caller.as_agent(agent.id), agent_subject(agent.id)
        audit.note(connection, who, "signed_in", about, self._clock(), how=how)
        return self.sessions.begin(connection, agent, caller.user_agent)

    def _note_failure(self, email: str, agent: Agent | None, caller: Caller, why: str, wait: timedelta | None) -> None:
        about = agent_subject(agent.id) if agent else f"email:{self.keyed(email.strip().lower())[:16]}"
        with self._database.transaction() as connection:
            audit.note(connection, caller.as_agent(None), "sign_in_failed", about, self._clock(), why=why)
            if wait:
                seconds = int(wait.total_seconds())
                audit.note(connection, caller.as_agent(None), "locked_out", about, self._clock(), seconds=seconds)

    # ── being signed in ─────────────────────────────────────────────────────────────────────────────────────────────

    def allows(self, agent: Agent, address: str) -> bool:
        """Whether this agent may work from there."""
        return self._addresses is None or self._addresses.allows(agent.role, address)

    def demands(self, agent: Agent) -> bool:
        """Whether the settings want this agent to have one-time codes."""
        return self._demand == "everybody" or (self._demand == "administrators" and agent.role is Role.ADMINISTRATOR)

    def must_enrol(self, agent: Agent) -> bool:
        """Whether they must set up one-time codes before anything else."""
        return self.demands(agent) and not agent.second_factor

    def permissions(self, agent: Agent) -> frozenset[Permission]:
        """What this agent may do just now."""
        return permissions_of(agent.role, must_enrol=self.must_enrol(agent))

    def read_token(self, token: str) -> Session:
        """Raises NotSignedIn; StoreUnavailable when it cannot be known whether the sign-in was ended."""
        return self.sessions.read(token)

    def renew(self, session: Session, token: str) -> str:
        """A fresh token for the same sign-in. Raises NotSignedIn when it began too long ago."""
        return self.sessions.renew(session, token)

    def sign_out(self, session: Session, caller: Caller = STRANGER) -> None:
        """End this sign-in, at once and in every process."""
        with self._database.transaction() as connection:
            self.sessions.end(connection, session)
            about = agent_subject(session.agent_id)
            audit.note(connection, caller.as_agent(session.agent_id), "signed_out", about, self._clock())
        self.sessions.told(session.agent_id)

    # ── one-time codes of one's own ─────────────────────────────────────────────────────────────────────────────────

    def begin_enrolment(self, agent: Agent) -> Enrolment:
        """What the agent's authenticator app needs. Raises Conflict when they show codes already."""
        with self._database.transaction() as connection:
            return self.second_factors.begin(connection, agent)

    def confirm_enrolment(self, agent: Agent, code: str, who: Who) -> list[str]:
        """The agent's recovery codes; from now on they sign in with codes. Raises BadRequest (``wrong_code``), Conflict."""
        with self._database.transaction() as connection:
            told = self.second_factors.confirm(connection, agent, code, self._clock())
            audit.note(connection, who, "totp_enrolled", agent_subject(agent.id), self._clock())
        return told

    # ── vouched for by a CRM's plug-in ──────────────────────────────────────────────────────────────────────────────

    def check_embed_secret(self, given: str) -> None:
        """Whether this is a plug-in that may vouch for agents. Raises NotAllowed (``vouching_off``, ``wrong_secret``)."""
        if not self._embed_secret:
            raise NotAllowed("vouching_off")
        if not hmac.compare_digest(given.encode(), self._embed_secret):
            raise NotAllowed("wrong_secret")

    def issue_sign_in_ticket(self, agent: Agent) -> str:
        """Signs this agent in, once, within a minute. Raises NotAllowed when nobody may vouch for them."""
        self._check_vouchable(agent)
        return self._sign_in_tickets.dumps({"agent": agent.id, "id": secrets.token_urlsafe(16)})

    def read_sign_in_ticket(self, ticket: str) -> int:
        """The agent's id, once. Raises TicketInvalid, TicketExpired or TicketUsed."""
        return int(self._use(self._sign_in_tickets, ticket)["agent"])

    def admit_vouched(self, agent: Agent, caller: Caller = STRANGER) -> str:
        """A bearer token for somebody whose ticket was read. Raises NotAllowed."""
        self._check_vouchable(agent)
        if not self.allows(agent, caller.address):
            raise NotAllowed("address_not_allowed")
        with self._database.transaction() as connection:
            return self._begin(connection, agent, caller, how="vouched")

    def _check_vouchable(self, agent: Agent) -> None:
        """Whoever has the plug-in's secret can be anybody: not so an administrator, or somebody who shows codes."""
        if agent.role is Role.ADMINISTRATOR or agent.second_factor or self.demands(agent):
            raise NotAllowed("vouching_off")

    # ── tickets for the live socket ─────────────────────────────────────────────────────────────────────────────────

    def issue_ticket(self, agent: Agent, session: Session | None = None) -> str:
        """Opens one socket for this agent within a minute; the socket ends with the sign-in."""
        said = {"agent": agent.id, "id": secrets.token_urlsafe(16), "session": session.id if session else None}
        return self._tickets.dumps(said)

    def use_ticket(self, ticket: str) -> Admission:
        """Whom it lets in. Raises TicketInvalid (also when the sign-in was ended), TicketExpired or TicketUsed."""
        said = self._use(self._tickets, ticket)
        session_id = said.get("session")
        if session_id is not None:
            with self._database.reading() as connection:
                if not sessions.is_live(connection, session_id):
                    raise TicketInvalid
        return Admission(int(said["agent"]), session_id)

    def _use(self, tickets_of: URLSafeTimedSerializer, ticket: str) -> dict[str, str]:
        try:
            said: dict[str, str] = tickets_of.loads(ticket, max_age=int(TICKET_LIFE.total_seconds()))
            int(said["agent"])
            ticket_id = str(said["id"])
        except SignatureExpired:
            raise TicketExpired from None
        except (BadSignature, KeyError, TypeError, ValueError):
            raise TicketInvalid from None
        now = self._clock()
        with self._database.transaction() as connection:
            if not tickets.use(connection, ticket_id, expires_at=now + TICKET_LIFE * 2, now=now):
                raise TicketUsed
        return said
