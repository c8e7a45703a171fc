"""Signing in and out over HTTP, one-time codes, and who is let through to every other route. The rules: ``auth``."""

from __future__ import annotations

from datetime import timedelta

from flask import g, request
from spectree import Response as Answers

from cti_bridge.api import schema
from cti_bridge.api.route import Route
from cti_bridge.auth import TICKET_LIFE, TOKEN_LIFE, Addresses, Auth, Caller, Door, Limits, Warden
from cti_bridge.connector import Connector
from cti_bridge.errors import NotAllowed, NotFound, NotSignedIn
from cti_bridge.live.delivery import Delivery
from cti_bridge.logbook import get_logger
from cti_bridge.model import Agent, Permission
from cti_bridge.pops import Json, agent_json
from cti_bridge.store import Database, second_factors
from cti_bridge.store.audit import Who
from cti_bridge.store.directory import KnownDirectory

log = get_logger(__name__)


class Entrance:
    """The API's way in. What it learns stands in Flask's ``g``: cti_caller, cti_session, cti_bearer, cti_agent."""

    def __init__(
        self,
        *,
        database: Database,
        known: KnownDirectory,
        auth: Auth,
        addresses: Addresses,
        limits: Limits,
        connector: Connector,
        delivery: Delivery,
    ) -> None:
        self._database = database
        self._known = known
        self._auth = auth
        self._warden = Warden(auth, database)
        self._addresses = addresses
        self._limits = limits
        self._connector = connector
        self._delivery = delivery

    def routes(self) -> list[Route]:
        """Its lines of the table."""
        own, work, manage = Permission.OWN_SIGN_IN, Permission.TAKE_CALLS, Permission.MANAGE_AGENTS
        signed_in, ticket = Answers(HTTP_200=schema.SignedIn), Answers(HTTP_201=schema.Ticket)
        ended, done = Answers(HTTP_200=schema.Ended), Answers("HTTP_204")
        return [
            Route("POST", "/session", Door.SIGN_IN, self.sign_in, signed_in),
            Route("POST", "/session/ticket", Door.VOUCH, self.vouch, ticket),
            Route("POST", "/session/redeem", Door.REDEEM, self.redeem, signed_in),
            Route("POST", "/session/renew", own, self.renew, signed_in),
            Route("DELETE", "/session", own, self.sign_out, done),
            Route("DELETE", "/sessions", own, self.sign_out_everywhere, ended),
            Route("GET", "/totp", own, self.second_factor, Answers(HTTP_200=schema.SecondFactor)),
            Route("POST", "/totp", own, self.begin_totp, Answers(HTTP_201=schema.Enrolment)),
            Route("POST", "/totp/confirmation", own, self.confirm_totp, Answers(HTTP_200=schema.RecoveryCodes)),
            Route("DELETE", "/agents/<agent_id>/sessions", manage, self.sign_agent_out, ended),
            Route("DELETE", "/agents/<agent_id>/totp", manage, self.reset_totp, done),
            Route("POST", "/tickets", work, self.issue_ticket, ticket),
        ]

    def admit(self, needs: Permission | Door) -> None:
        """Let the present request through, or raise TooMany, NotSignedIn or NotAllowed."""
        g.cti_caller = Caller(self._addresses.of(request.environ), request.headers.get("User-Agent", ""))
        if isinstance(needs, Door):
            self._limits.knock(needs, g.cti_caller.address)
        else:
            self._admit_agent(needs)

    def _admit_agent(self, needs: Permission) -> None:
        kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise NotSignedIn
        g.cti_bearer = bearer.strip()
        g.cti_session = session = self._auth.read_token(g.cti_bearer)
        agent = self._known.current().agents.get(session.agent_id)
        if agent is None:
            raise NotSignedIn
        g.cti_agent = agent
        if not self._auth.allows(agent, g.cti_caller.address):
            raise NotAllowed("address_not_allowed")
        if needs not in self._auth.permissions(agent):
            raise NotAllowed("must_enrol" if self._auth.must_enrol(agent) else "not_allowed")

    # ── signing in and out ──────────────────────────────────────────────────────────────────────────────────────────

    def sign_in(self, json: schema.SignIn) -> Json:
        """Sign in with e-mail address and password, and a one-time code where one is asked for."""
        agent, token = self._auth.sign_in(json.email, json.password, code=json.code, caller=g.cti_caller)
        log.info("signed_in", agent=agent.id)
        return self._grant(agent, token)

    def vouch(self, json: schema.Vouch) -> tuple[Json, int]:
        """Get a ticket that signs in the agent named, for a CRM's plug-in that knows CTI_EMBED_SECRET."""
        self._auth.check_embed_secret(request.headers.get("X-CTI-Embed-Secret", ""))
        known = self._known.current()
        emails = (json.email, self._connector.email_of(json.user) or "")
        agent = next((agent for email in emails if (agent := known.agent_by_email(email))), None)
        if agent is None:
            raise NotFound("agent_not_found")
        log.info("vouched_for", agent=agent.id)
        return {"ticket": self._auth.issue_sign_in_ticket(agent), "expires_in": _seconds(TICKET_LIFE)}, 201

    def redeem(self, json: schema.Redeem) -> Json:
        """Sign in with a ticket of ``/session/ticket``; each signs in once."""
        agent = self._known.current().agents.get(self._auth.read_sign_in_ticket(json.ticket))
        if agent is None:
            raise NotSignedIn
        token = self._auth.admit_vouched(agent, g.cti_caller)
        log.info("signed_in", agent=agent.id, how="vouched")
        return self._grant(agent, token)

    def renew(self) -> Json:
        """Get a fresh token for the same sign-in."""
        return {"token": self._auth.renew(g.cti_session, g.cti_bearer), "expires_in": _seconds(TOKEN_LIFE)}

    def sign_out(self) -> tuple[str, int]:
        """Sign out: this token, and all that were got with it, are refused from now on."""
        self._auth.sign_out(g.cti_session, g.cti_caller)
        return "", 204

    def sign_out_everywhere(self) -> Json:
        """Sign out here and wherever else the agent is signed in."""
        return {"ended": self._warden.sign_out(g.cti_agent, self._who())}

    # ── one-time codes ──────────────────────────────────────────────────────────────────────────────────────────────

    def second_factor(self) -> Json:
        """Whether the agent shows one-time codes, and must."""
        with self._database.reading() as connection:
            left = second_factors.recovery_codes_left(connection, g.cti_agent.id)
        agent: Agent = g.cti_agent
        return {"on": agent.second_factor, "demanded": self._auth.demands(agent), "recovery_codes_left": left}

    def begin_totp(self) -> tuple[Json, int]:
        """Make a secret for the agent's authenticator app; it counts once a code of it is confirmed."""
        begun = self._auth.begin_enrolment(g.cti_agent)
        return {"secret": begun.secret, "uri": begun.uri, "qr": begun.qr}, 201

    def confirm_totp(self, json: schema.Code) -> Json:
        """Show a first code: from now on the agent signs in with codes."""
        told = self._auth.confirm_enrolment(g.cti_agent, json.code, self._who())
        self._known.refresh()
        return {"recovery_codes": told}

    def sign_agent_out(self, agent_id: str) -> Json:
        """Sign somebody else out everywhere."""
        return {"ended": self._warden.sign_out(self._agent(agent_id), self._who())}

    def reset_totp(self, agent_id: str) -> tuple[str, int]:
        """Take somebody's one-time codes away, who lost their telephone."""
        self._warden.reset_totp(self._agent(agent_id), self._who())
        self._known.refresh()
        return "", 204

    def issue_ticket(self) -> tuple[Json, int]:
        """Get a ticket that opens one live socket within a minute."""
        issued = self._auth.issue_ticket(g.cti_agent, g.cti_session)
        return {"ticket": issued, "expires_in": _seconds(TICKET_LIFE)}, 201

    # ── how ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _who(self) -> Who:
        caller: Caller = g.cti_caller
        return caller.as_agent(g.cti_agent.id)

    def _agent(self, agent_id: str) -> Agent:
        """A colleague. Raises NotFound."""
        known = {str(agent.id): agent for agent in self._known.current().agents.values()}
        agent = known.get(agent_id)
        if agent is None:
            raise NotFound("colleague_not_found")
        return agent

    def _grant(self, agent: Agent, token: str) -> Json:
        return {
            "token": token,
            "expires_in": _seconds(TOKEN_LIFE),
            "agent": self.agent_json(agent),
            "must_enrol": self._auth.must_enrol(agent),
        }

    def agent_json(self, agent: Agent) -> Json:
        """The agent as the protocol shows them."""
        with self._database.reading() as connection:
            return agent_json(agent, self._delivery.presence(connection, agent))


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
