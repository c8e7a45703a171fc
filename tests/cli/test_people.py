"""Agents and lines from the command line."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest

from cti_bridge.auth import Auth
from cti_bridge.errors import NotSignedIn
from cti_bridge.model import Role
from cti_bridge.store.audit import Who, audit
from cti_bridge.store.directory import Directory, read_directory
from tests.cli.conftest import SETTINGS, Terminal

SATO = ("agents", "add", "Sato@example.co.jp", "--name", "佐藤 花子")


def read(terminal: Terminal) -> Directory:
    database = terminal.database()
    with database.reading() as connection:
        known = read_directory(connection)
    database.close()
    return known


def test_an_added_agent_can_sign_in_with_the_password_that_was_asked_for(terminal: Terminal) -> None:
    said = terminal.run(*SATO, "--phone", "０９０ー１２３４ー５６７８", asks="kirakira hoshi\nkirakira hoshi\n")

    assert "Added 佐藤 花子" in said
    assert "kirakira" not in said
    database = terminal.database()
    agent, _ = Auth(SETTINGS["CTI_SECRET_KEY"], database).sign_in("sato@example.co.jp", "kirakira hoshi")
    database.close()
    assert (agent.name, agent.phone) == ("佐藤 花子", "+819012345678")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (("--password", "short"), "at least 10 characters"),
        (("--password", "long enough here", "--phone", "110"), "110 is not a telephone number"),
    ],
)
def test_a_bad_agent_is_refused_with_the_reason(terminal: Terminal, extra: tuple[str, ...], words: str) -> None:
    assert words in terminal.run(*SATO, *extra, code=1)
    assert read(terminal).agents == {}


def test_an_email_address_is_taken_once(terminal: Terminal) -> None:
    terminal.run(*SATO, "--password", "long enough here")

    assert "There is an agent" in terminal.run(*SATO, "--password", "long enough here", code=1)


def test_an_agent_is_changed_and_made_inactive(terminal: Terminal) -> None:
    terminal.run(*SATO, "--password", "long enough here", "--phone", "090-1234-5678")

    terminal.run("agents", "change", "sato@example.co.jp", "--name", "佐藤 はな", "--phone", "", "--language", "en")
    [agent] = read(terminal).agents.values()
    assert (agent.name, agent.phone, agent.language) == ("佐藤 はな", None, "en")

    terminal.run("agents", "change", "sato@example.co.jp", "--inactive", "--password", "another long one")
    assert read(terminal).agents == {}
    database = terminal.database()
    with pytest.raises(NotSignedIn):
        Auth(SETTINGS["CTI_SECRET_KEY"], database).sign_in("sato@example.co.jp", "another long one")
    database.close()


@pytest.mark.parametrize(
    "words", [("agents", "change", "nobody@example.com", "--name", "x"), ("agents", "change", "a@b.c")]
)
def test_changing_nobody_or_nothing_says_so(terminal: Terminal, words: tuple[str, ...]) -> None:
    assert "nothing to change" in terminal.run(*words, code=1)


def told(terminal: Terminal) -> list[tuple[str, str, dict[str, Any]]]:
    """The audit log's rows, with who did it left out: always the command line."""
    database = terminal.database()
    with database.reading() as connection:
        rows = connection.execute(audit.select().order_by(audit.c.id)).all()
    database.close()
    assert {(row.agent_id, row.address) for row in rows} <= {(None, "command line")}
    return [(row.action, row.subject, row.details) for row in rows]


def test_the_first_administrator_is_made_here_and_roles_are_changed(terminal: Terminal) -> None:
    terminal.run(*SATO, "--password", "long enough here", "--role", "administrator")
    terminal.run("agents", "add", "suzuki@example.co.jp", "--name", "鈴木", "--password", "long enough here")
    assert [agent.role for agent in read(terminal).agents.values()] == [Role.ADMINISTRATOR, Role.AGENT]
    terminal.run("agents", "change", "suzuki@example.co.jp", "--role", "supervisor")
    assert "supervisor" in terminal.run("agents", "list")
    added, _, changed = told(terminal)
    assert added == ("agent_added", "agent:1", {"role": "administrator"})
    assert changed == ("role_changed", "agent:2", {"from": "agent", "to": "supervisor", "ended": 0})


def test_a_password_is_reset_sign_ins_are_ended_and_failures_forgotten(terminal: Terminal) -> None:
    terminal.run(*SATO, "--password", "long enough here")
    database = terminal.database()
    auth = Auth(SETTINGS["CTI_SECRET_KEY"], database)
    _, token = auth.sign_in("sato@example.co.jp", "long enough here")
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            auth.sign_in("sato@example.co.jp", "guessed")
    said = terminal.run("agents", "reset-password", "sato@example.co.jp")
    made_up = said.split()[-1]
    assert len(made_up) >= 16
    with pytest.raises(NotSignedIn):
        auth.read_token(token)
    _, token = auth.sign_in("sato@example.co.jp", made_up)
    assert "Ended 1 sign-in(s)" in terminal.run("agents", "sign-out", "sato@example.co.jp")
    with pytest.raises(NotSignedIn):
        auth.sessions.check(Auth(SETTINGS["CTI_SECRET_KEY"], database).sessions.read(token))
    said = terminal.run("agents", "reset-password", "sato@example.co.jp", "--password", "chosen by hand")
    assert "chosen by hand" not in said
    auth.sign_in("sato@example.co.jp", "chosen by hand")
    assert "at least 10" in terminal.run("agents", "reset-password", "sato@example.co.jp", "--password", "x", code=1)
    database.close()


def test_a_lock_out_is_lifted(terminal: Terminal) -> None:
    terminal.run(*SATO, "--password", "long enough here")
    database = terminal.database()
    auth = Auth(SETTINGS["CTI_SECRET_KEY"], database)
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            auth.sign_in("sato@example.co.jp", "guessed")
    assert "can sign in again" in terminal.run("agents", "unlock", "sato@example.co.jp")
    auth.sign_in("sato@example.co.jp", "long enough here")
    database.close()


def test_one_time_codes_are_taken_away(terminal: Terminal) -> None:
    terminal.run(*SATO, "--password", "long enough here")
    assert "no one-time codes" in terminal.run("agents", "reset-totp", "sato@example.co.jp", code=1)
    database = terminal.database()
    auth = Auth(SETTINGS["CTI_SECRET_KEY"], database)
    agent, _ = auth.sign_in("sato@example.co.jp", "long enough here")
    code = pyotp.TOTP(auth.begin_enrolment(agent).secret).now()
    auth.confirm_enrolment(agent, code, Who(agent.id, "command line"))
    assert "+TOTP" in terminal.run("agents", "list")
    terminal.run("agents", "reset-totp", "sato@example.co.jp")
    assert "+TOTP" not in terminal.run("agents", "list")
    auth.sign_in("sato@example.co.jp", "long enough here")
    database.close()


@pytest.mark.parametrize("command", ["sign-out", "reset-password", "reset-totp", "unlock"])
def test_a_command_about_nobody_says_so(terminal: Terminal, command: str) -> None:
    assert "There is no agent nobody@example.com" in terminal.run("agents", command, "nobody@example.com", code=1)


def test_a_line_is_added_changed_listed_and_rings_whom_it_should(terminal: Terminal) -> None:
    terminal.run(*SATO, "--password", "long enough here")
    terminal.run("agents", "add", "suzuki@example.co.jp", "--name", "鈴木", "--password", "long enough here")

    said = terminal.run("lines", "add", "050-3123-4567", "--name", "代表", "--ring", "sato@example.co.jp")
    assert "https://cti.example.co.jp/twilio/voice/incoming#rc=" in said
    assert "https://cti.example.co.jp/twilio/voice/status" in said

    terminal.run("lines", "change", "050-3123-4567", "--greeting", "山田商事です", "--ring-seconds", "40", "--record")
    terminal.run("lines", "ring", "050-3123-4567", "suzuki@example.co.jp")
    known = read(terminal)
    [line] = known.lines.values()
    assert (line.greeting, line.ring_timeout.total_seconds(), line.record) == ("山田商事です", 40, True)
    assert [agent.name for agent in known.agents_of(line)] == ["鈴木"]
    assert "[鈴木]" in terminal.run("lines", "list")
    assert "[代表]" in terminal.run("agents", "list")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("lines", "add", "050-3123-4567", "--name", "x", "--ring", "nobody@example.com"), "There is no agent"),
        (("lines", "add", "12", "--name", "x"), "12 is not a telephone number"),
        (("lines", "ring", "050-3123-4567"), "There is no line"),
        (("lines", "change", "050-3123-4567", "--name", "x"), "There is no line"),
    ],
)
def test_a_mistake_about_lines_is_named(terminal: Terminal, words: tuple[str, ...], answer: str) -> None:
    assert answer in terminal.run(*words, code=1)


def test_a_number_is_a_line_once(terminal: Terminal) -> None:
    terminal.run("lines", "add", "050-3123-4567", "--name", "代表")

    assert "is a line already" in terminal.run("lines", "add", "+81 50 3123 4567", "--name", "x", code=1)
