"""Who is it? Passwords, tokens and tickets: what opens, what does not, and that nobody learns who exists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cti_bridge import auth as auth_module
from cti_bridge.auth import Auth, Session
from cti_bridge.errors import BadRequest, NotSignedIn, TicketExpired, TicketInvalid, TicketUsed
from cti_bridge.model import Agent
from cti_bridge.store import Database, directory, tickets
from tests.running import impatience

NOON = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
def auth(database: Database) -> Auth:
    with impatience():
        return Auth("a secret for tests", database, clock=lambda: NOON)


@pytest.fixture
def sato(database: Database, auth: Auth) -> Agent:
    with database.transaction() as connection:
        hashed = auth.hash_password(PASSWORD)
        directory.add_agent(connection, email="Sato@example.co.jp ", name="佐藤", password_hash=hashed, language="ja")
    with database.reading() as connection:
        [agent] = directory.read_directory(connection).agents.values()
    return agent


def test_an_agent_signs_in_with_their_address_however_it_is_written(auth: Auth, sato: Agent) -> None:
    for email in ("sato@example.co.jp", " SATO@EXAMPLE.CO.JP"):
        agent, token = auth.sign_in(email, PASSWORD)
        assert agent == sato
        assert auth.read_token(token) == Session(sato.id, NOON)


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD.upper(), PASSWORD + "\0"])
def test_a_wrong_password_and_an_unknown_address_are_refused_alike(auth: Auth, sato: Agent, password: str) -> None:
    for email in (sato.email, "nobody@example.co.jp"):
        with pytest.raises(NotSignedIn) as refused:
            auth.sign_in(email, password)
        assert refused.value.code == "wrong_password"


def test_the_password_of_nobody_is_checked_too_so_that_time_tells_nothing(
    auth: Auth, sato: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    class Hasher:
        def verify(self, hashed: str, _: str) -> bool:
            checked.append(hashed)
            return True

    monkeypatch.setattr(auth, "_hasher", Hasher())
    with pytest.raises(NotSignedIn):
        auth.sign_in("nobody@example.co.jp", PASSWORD)
    assert checked == [auth._nobodys_hash], "and even a match would not sign nobody in"


def test_a_hash_that_is_none_signs_nobody_in(database: Database, auth: Auth, sato: Agent) -> None:
    with database.transaction() as connection:
        directory.change_agent(connection, sato.id, password_hash="plain text")
    with pytest.raises(NotSignedIn):
        auth.sign_in(sato.email, "plain text")


def test_who_has_left_cannot_sign_in(database: Database, auth: Auth, sato: Agent) -> None:
    with database.transaction() as connection:
        directory.change_agent(connection, sato.id, active=False)
    with pytest.raises(NotSignedIn):
        auth.sign_in(sato.email, PASSWORD)


def test_a_short_password_is_not_taken(auth: Auth) -> None:
    with pytest.raises(BadRequest) as refused:
        auth.hash_password("short")
    assert refused.value.values == {"shortest": 10}


def test_a_sign_in_is_renewed_for_a_working_day(database: Database) -> None:
    now = NOON
    with impatience():
        auth = Auth("a secret for tests", database, clock=lambda: now)
    session = Session(1, NOON)
    now = NOON + timedelta(hours=13, minutes=59)
    assert auth.read_token(auth.renew(session)) == session, "renewing does not begin a new day"
    now = NOON + timedelta(hours=14, minutes=1)
    with pytest.raises(NotSignedIn) as refused:
        auth.renew(session)
    assert refused.value.code == "session_over"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "\0"])
def test_a_made_up_token_or_ticket_is_refused(auth: Auth, token: str) -> None:
    with pytest.raises(NotSignedIn):
        auth.read_token(token)
    with pytest.raises(TicketInvalid):
        auth.use_ticket(token)


def test_what_another_secret_signed_or_what_is_something_else_is_refused(
    database: Database, auth: Auth, sato: Agent
) -> None:
    with impatience():
        other = Auth("another secret", database)
    with pytest.raises(NotSignedIn):
        auth.read_token(other.renew(Session(sato.id, datetime.now(UTC))))
    with pytest.raises(TicketInvalid):
        auth.use_ticket(other.issue_ticket(sato))
    with pytest.raises(NotSignedIn):
        auth.read_token(auth.issue_ticket(sato))
    with pytest.raises(TicketInvalid):
        auth.use_ticket(auth.renew(Session(sato.id, NOON)))
    for signed in (auth._tokens.dumps([]), auth._tokens.dumps({"agent": "x", "began": 0})):
        with pytest.raises(NotSignedIn):
            auth.read_token(signed)
    for signed in (auth._tickets.dumps([]), auth._tickets.dumps({"agent": "x", "id": "y"})):
        with pytest.raises(TicketInvalid):
            auth.use_ticket(signed)


def test_a_ticket_is_used_once(auth: Auth, sato: Agent) -> None:
    ticket = auth.issue_ticket(sato)
    assert auth.use_ticket(ticket) == sato.id
    with pytest.raises(TicketUsed):
        auth.use_ticket(ticket)
    assert auth.use_ticket(auth.issue_ticket(sato)) == sato.id


def test_an_old_ticket_has_expired(auth: Auth, sato: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = auth.issue_ticket(sato)
    monkeypatch.setattr(auth_module, "TICKET_LIFE", timedelta(seconds=-1))
    with pytest.raises(TicketExpired):
        auth.use_ticket(ticket)


def test_used_tickets_are_forgotten_when_they_could_not_be_used_any_more(database: Database) -> None:
    for minutes in range(5):
        now = NOON + timedelta(minutes=10 * minutes)
        with database.transaction() as connection:
            assert tickets.use(connection, f"ticket {minutes}", expires_at=now + timedelta(minutes=2), now=now)
    with database.reading() as connection:
        assert len(connection.execute(tickets.used_tickets.select()).all()) == 1
