"""Who is it? Passwords, tokens and tickets: what opens, what does not, and that nobody learns who exists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cti_bridge.auth import Auth, Caller, door, sessions
from cti_bridge.auth.passwords import Passwords
from cti_bridge.errors import BadRequest, NotAllowed, NotSignedIn, TicketExpired, TicketInvalid, TicketUsed
from cti_bridge.model import Agent, Role
from cti_bridge.store import Database, directory, tickets
from tests.auth.conftest import NOON, PASSWORD, House


def test_an_agent_signs_in_with_their_address_however_it_is_written(auth: Auth, sato: Agent) -> None:
    for email in ("sato@example.co.jp", " SATO@EXAMPLE.CO.JP"):
        agent, token = auth.sign_in(email, PASSWORD)
        assert agent == sato
        session = auth.read_token(token)
        assert (session.agent_id, session.began_at) == (sato.id, NOON)


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

    monkeypatch.setattr(auth.passwords, "_hasher", Hasher())
    with pytest.raises(NotSignedIn):
        auth.sign_in("nobody@example.co.jp", PASSWORD)
    assert checked == [auth.passwords._nobodys_hash], "and even a match would not sign nobody in"


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


def test_a_real_hash_costs_what_the_library_advises() -> None:
    assert Passwords().hash(PASSWORD).startswith("$argon2id$")


def test_a_sign_in_is_renewed_for_a_working_day(house: House, sato: Agent) -> None:
    auth = house.auth()
    _, token = auth.sign_in(sato.email, PASSWORD)
    session = auth.read_token(token)
    house.watch.wait(hours=13, minutes=59)
    assert auth.read_token(auth.renew(session, token)) == session, "renewing does not begin a new day"
    house.watch.wait(minutes=2)
    with pytest.raises(NotSignedIn) as refused:
        auth.renew(session, token)
    assert refused.value.code == "session_over"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "\0"])
def test_a_made_up_token_or_ticket_is_refused(auth: Auth, token: str) -> None:
    with pytest.raises(NotSignedIn):
        auth.read_token(token)
    with pytest.raises(TicketInvalid):
        auth.use_ticket(token)


def test_what_another_secret_signed_or_what_is_something_else_is_refused(house: House, auth: Auth, sato: Agent) -> None:
    other = house.auth("another secret")
    _, token = auth.sign_in(sato.email, PASSWORD)
    with pytest.raises(NotSignedIn):
        other.read_token(token)
    with pytest.raises(TicketInvalid):
        auth.use_ticket(other.issue_ticket(sato))
    with pytest.raises(NotSignedIn):
        auth.read_token(auth.issue_ticket(sato))
    with pytest.raises(TicketInvalid):
        auth.use_ticket(token)
    began = datetime.now(UTC).timestamp()
    wrong: list[object] = [[], {"agent": "x", "began": 0}, {"agent": 1, "began": began}, {"agent": 1, "session": "x"}]
    for said in wrong:
        with pytest.raises(NotSignedIn):
            auth.read_token(auth.sessions._tokens.dumps(said))
    for signed in (auth._tickets.dumps([]), auth._tickets.dumps({"agent": "x", "id": "y"})):
        with pytest.raises(TicketInvalid):
            auth.use_ticket(signed)


def test_a_signed_token_of_no_sign_in_is_refused(auth: Auth, sato: Agent) -> None:
    """Whoever learns the signing key alone, or keeps a token from before sign-ins were kept, is not in."""
    made_up = auth.sessions._tokens.dumps({"agent": sato.id, "began": NOON.timestamp(), "session": "made up"})
    with pytest.raises(NotSignedIn):
        auth.read_token(made_up)


def test_a_token_that_ran_out_is_refused(auth: Auth, sato: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = auth.sign_in(sato.email, PASSWORD)
    monkeypatch.setattr(sessions, "TOKEN_LIFE", timedelta(seconds=-1))
    with pytest.raises(NotSignedIn):
        auth.read_token(token)


def test_a_ticket_is_used_once(auth: Auth, sato: Agent) -> None:
    ticket = auth.issue_ticket(sato)
    assert auth.use_ticket(ticket).agent_id == sato.id
    with pytest.raises(TicketUsed):
        auth.use_ticket(ticket)
    assert auth.use_ticket(auth.issue_ticket(sato)).agent_id == sato.id


def test_an_old_ticket_has_expired(auth: Auth, sato: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = auth.issue_ticket(sato)
    monkeypatch.setattr(door, "TICKET_LIFE", timedelta(seconds=-1))
    with pytest.raises(TicketExpired):
        auth.use_ticket(ticket)


def test_used_tickets_are_forgotten_when_they_could_not_be_used_any_more(database: Database) -> None:
    for minutes in range(5):
        now = NOON + timedelta(minutes=10 * minutes)
        with database.transaction() as connection:
            assert tickets.use(connection, f"ticket {minutes}", expires_at=now + timedelta(minutes=2), now=now)
    with database.reading() as connection:
        assert len(connection.execute(tickets.used_tickets.select()).all()) == 1


@pytest.mark.parametrize("demand", ["nobody", "administrators", "everybody"])
def test_nobody_vouches_for_an_administrator_or_for_whom_a_code_is_demanded(
    house: House, sato: Agent, demand: door.Demand
) -> None:
    auth, chief = house.auth(demand=demand), house.add("chief@example.co.jp", Role.ADMINISTRATOR)
    with pytest.raises(NotAllowed) as refused:
        auth.issue_sign_in_ticket(chief)
    assert refused.value.code == "vouching_off"
    if demand == "everybody":
        with pytest.raises(NotAllowed):
            auth.issue_sign_in_ticket(sato)
    else:
        assert auth.read_sign_in_ticket(auth.issue_sign_in_ticket(sato)) == sato.id


def test_a_ticket_from_before_somebody_became_administrator_lets_nobody_in(
    house: House, auth: Auth, sato: Agent
) -> None:
    ticket = auth.issue_sign_in_ticket(sato)
    with house.database.transaction() as connection:
        directory.change_agent(connection, sato.id, role=Role.ADMINISTRATOR)
    auth.read_sign_in_ticket(ticket)
    with pytest.raises(NotAllowed):
        auth.admit_vouched(house.agent(sato.email))


def test_sign_ins_and_failures_are_told_to_the_audit_log_without_an_address(
    house: House, auth: Auth, sato: Agent
) -> None:
    here = Caller("203.0.113.7", "Firefox")
    auth.sign_in(sato.email, PASSWORD, caller=here)
    for email in (sato.email, "nobody@example.co.jp"):
        with pytest.raises(NotSignedIn):
            auth.sign_in(email, "a password of somebody", caller=here)
    signed_in, failed, stranger = house.told()
    assert signed_in == ("signed_in", f"agent:{sato.id}", {"how": "password"})
    assert failed == ("sign_in_failed", f"agent:{sato.id}", {"why": "wrong_password"})
    assert (stranger[0], stranger[1][:6], len(stranger[1])) == ("sign_in_failed", "email:", 22)
    assert "nobody" not in repr(house.told())
