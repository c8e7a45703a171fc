"""Sign-ins that end at once: by their owner, by an administrator, in every process; and what a check costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event

from cti_bridge.auth import Auth, Caller, Session, Warden
from cti_bridge.auth import sessions as module
from cti_bridge.errors import NotSignedIn, TicketInvalid
from cti_bridge.live.hub import PostgresHub
from cti_bridge.model import Agent, Role
from cti_bridge.store import Database, sessions
from cti_bridge.store.audit import COMMAND_LINE
from tests.auth.conftest import PASSWORD, House
from tests.conftest import empty
from tests.running import PATIENCE


def signed_in(auth: Auth, agent: Agent) -> tuple[str, Session]:
    _, token = auth.sign_in(agent.email, PASSWORD)
    return token, auth.read_token(token)


def test_signing_out_ends_this_sign_in_at_once_and_no_other(auth: Auth, sato: Agent) -> None:
    token, session = signed_in(auth, sato)
    other, _ = signed_in(auth, sato)
    renewed = auth.renew(session, token)
    auth.sign_out(session)
    for ended in (token, renewed):
        with pytest.raises(NotSignedIn):
            auth.read_token(ended)
    with pytest.raises(NotSignedIn):
        auth.renew(session, token)
    assert auth.read_token(other).agent_id == sato.id


def test_a_ticket_of_an_ended_sign_in_opens_nothing(auth: Auth, sato: Agent) -> None:
    _, session = signed_in(auth, sato)
    ticket = auth.issue_ticket(sato, session)
    auth.sign_out(session)
    with pytest.raises(TicketInvalid):
        auth.use_ticket(ticket)


def test_another_process_hears_of_it_by_a_wake_up(house: House, sato: Agent) -> None:
    there = house.auth()
    here = house.auth(wake=there.sessions.notice)
    token, session = signed_in(here, sato)
    there.read_token(token)
    here.sign_out(session)
    with pytest.raises(NotSignedIn):
        there.read_token(token)


def test_postgresql_carries_the_wake_up_to_another_process(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty(postgres_database)
    monkeypatch.setattr(module, "BELIEVED", 10_000.0)
    house = House(postgres_database)
    sato = house.add("sato@example.co.jp")
    hubs = [PostgresHub(postgres_database.url) for _ in range(2)]
    heard = threading.Event()
    for hub in hubs:
        hub.start()
    try:
        here, there = house.auth(wake=hubs[0].wake), house.auth()
        hubs[1].listen(there.sessions.notice)
        hubs[1].listen(lambda topic: heard.set() if topic == f"sessions:{sato.id}" else None)
        token, _ = signed_in(here, sato)
        there.read_token(token)
        deadline = time.monotonic() + PATIENCE
        while not heard.wait(0.2):  # a hub that has just been started may not listen yet
            assert time.monotonic() < deadline, "no wake-up came through PostgreSQL"
            here.sessions.told(sato.id)
        there.read_token(token)
        heard.clear()
        here.sign_out(here.read_token(token))
        assert heard.wait(PATIENCE)
        with pytest.raises(NotSignedIn):
            there.read_token(token)
    finally:
        for hub in hubs:
            hub.stop()


def test_another_process_without_a_wake_up_believes_it_for_seconds_only(
    house: House, sato: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = house.auth(), house.auth()
    token, session = signed_in(here, sato)
    there.read_token(token)
    here.sign_out(session)
    there.read_token(token)  # it cannot know yet
    elapsed = time.monotonic() + module.BELIEVED + 0.1
    monkeypatch.setattr(time, "monotonic", lambda: elapsed)
    with pytest.raises(NotSignedIn):
        there.read_token(token)


@pytest.mark.parametrize("act", ["sign_out", "set_role", "set_password", "set_active", "reset_totp"])
def test_what_an_administrator_does_ends_all_sign_ins_of_that_agent_and_nobody_elses(
    house: House, auth: Auth, sato: Agent, act: str
) -> None:
    suzuki = house.add("suzuki@example.co.jp")
    tokens = [signed_in(auth, sato)[0] for _ in range(2)]
    untouched, _ = signed_in(auth, suzuki)
    warden = Warden(auth, house.database, clock=house.watch)
    if act == "reset_totp":
        with house.database.transaction() as connection:
            auth.second_factors.begin(connection, sato)
    acts: dict[str, Callable[[], object]] = {
        "sign_out": lambda: warden.sign_out(sato, COMMAND_LINE),
        "set_role": lambda: warden.set_role(sato, Role.SUPERVISOR, COMMAND_LINE),
        "set_password": lambda: warden.set_password(sato, "another long password", COMMAND_LINE),
        "set_active": lambda: warden.set_active(sato, COMMAND_LINE, active=False),
        "reset_totp": lambda: warden.reset_totp(sato, COMMAND_LINE),
    }
    acts[act]()
    for token in tokens:
        with pytest.raises(NotSignedIn):
            auth.read_token(token)
    assert auth.read_token(untouched).agent_id == suzuki.id
    what, about, details = house.told()[-1]
    assert (about, details["ended"]) == (f"agent:{sato.id}", 2), f"{what} was not written down with what it ended"


def test_a_check_asks_the_database_once_in_seconds_not_once_a_request(house: House, auth: Auth, sato: Agent) -> None:
    token, _ = signed_in(auth, sato)
    asked: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(house.database.engine, "before_cursor_execute", count)
    try:
        for _ in range(1000):
            auth.read_token(token)
    finally:
        event.remove(house.database.engine, "before_cursor_execute", count)
    assert len(asked) <= 1, f"1000 checks within moments asked {len(asked)} times"


def test_the_table_holds_nothing_to_make_a_token_of(house: House, auth: Auth, sato: Agent) -> None:
    _, token = auth.sign_in(sato.email, PASSWORD, caller=Caller("203.0.113.7", "Firefox " * 100))
    secret = auth.sessions._tokens.loads(token)["session"]
    with house.database.reading() as connection:
        [row] = connection.execute(sessions.sessions.select()).all()
    assert secret not in repr(row)
    assert (row.agent_id, row.ended_at, len(row.user_agent)) == (sato.id, None, 80)


def test_old_rows_are_forgotten(house: House, auth: Auth, sato: Agent) -> None:
    signed_in(auth, sato)
    house.watch.wait(days=31)
    signed_in(auth, sato)
    with house.database.reading() as connection:
        assert len(connection.execute(sessions.sessions.select()).all()) == 1


def test_what_ended_and_what_ran_out_is_told_to_the_sockets_sweep(house: House, auth: Auth, sato: Agent) -> None:
    _, old = signed_in(auth, sato)
    house.watch.wait(hours=14, seconds=2)
    _, ended = signed_in(auth, sato)
    signed_in(auth, sato)
    auth.sign_out(ended)
    now = house.watch.now
    with house.database.reading() as connection:
        found = sessions.ended(connection, since=now - timedelta(seconds=30), now=now, life=module.SESSION_LIFE)
        among = sessions.ended_among(connection, [old.id, ended.id])
    assert found == {old.id, ended.id}
    assert among == {ended.id}
