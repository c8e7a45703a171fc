"""What the database tells: lines, agents, what last came in, what is unsent; and that nothing breaks the check-up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cti_bridge.doctor import Doctor, inside
from cti_bridge.doctor.words import ago
from cti_bridge.errors import ConnectorUnavailable, SettingsError
from cti_bridge.model import Finding, Severity
from cti_bridge.store import Database, directory
from cti_bridge.store import outbox as entries
from cti_bridge.twilio.rest import PhoneNetwork
from tests.conftest import empty
from tests.doctor.conftest import Practice
from tests.running import MAIN_LINE

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def test_a_call_that_came_and_popped_is_told(practice: Practice) -> None:
    assert "nothing has come" in practice.about("last webhook")[0].en
    running = practice.running
    running.crm.add("c:1", "山田", "090-1234-5678")
    screen = running.screen()
    call = running.twilio.call_in("+819012345678", MAIN_LINE)
    screen.card(call.sid, stage=3)

    [webhook], [pop] = practice.about("last webhook"), practice.about("last pop")
    assert webhook.severity is pop.severity is Severity.OK
    assert "just now" in webhook.en
    assert "agents rung: 2" in pop.en
    assert "answered" in pop.en


def test_a_call_that_rang_nobody_is_told(practice: Practice) -> None:
    running = practice.running
    with running.bridge.database.transaction() as connection:
        for agent in (running.sato, running.suzuki):
            directory.change_agent(connection, agent.id, away=True)
    running.bridge.directory.refresh()
    running.twilio.call_in("+819012345678", MAIN_LINE).wait_until_over()

    assert "no agent has been rung yet" in practice.about("last pop")[0].en


def test_agents_whom_no_call_reaches_are_named_by_their_address(practice: Practice) -> None:
    assert "agents" not in {finding.subject for finding in practice.findings()}
    with practice.running.bridge.database.transaction() as connection:
        directory.change_agent(connection, practice.running.suzuki.id, phone=None)
        directory.add_agent(
            connection, email="idle@example.co.jp", name="暇", password_hash="x", language="ja", phone="+819012345678"
        )

    mute, idle = practice.about("agents")
    assert mute.severity is idle.severity is Severity.WARNING
    assert "suzuki@example.co.jp" in mute.en
    assert "--phone" in mute.en
    assert "idle@example.co.jp" in idle.ja
    assert "lines ring" in idle.ja


def depth(database: Database, now: datetime) -> list[Finding]:
    return list(inside.outbox(database, now))


def test_logs_that_wait_too_long_or_are_parked_are_told(database: Database) -> None:
    [fine] = depth(database, NOW)
    assert fine.severity is Severity.OK
    with database.transaction() as connection:
        entries.put(connection, "CA1", "call_log", run_at=NOW, now=NOW)
    [fine] = depth(database, NOW + timedelta(minutes=1))
    assert "1 due" in fine.en

    [late] = depth(database, NOW + timedelta(hours=3))
    assert late.severity is Severity.WARNING
    assert "3 hours ago" in late.en
    with database.transaction() as connection:
        [entry] = entries.claim(connection, now=NOW, lease=timedelta(minutes=1), limit=1)
        entries.park(connection, entry, error="Field “Owner” is required.")
    [parked] = depth(database, NOW + timedelta(hours=3))
    assert parked.severity is Severity.ERROR
    assert "outbox list" in parked.en


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, ("たった今", "just now")),
        (59, ("たった今", "just now")),
        (60, ("1分前", "1 minute ago")),
        (7_300, ("2時間前", "2 hours ago")),
        (90_000, ("1日前", "1 day ago")),
    ],
)
def test_ages_are_told_as_people_say_them(seconds: int, words: tuple[str, str]) -> None:
    assert ago(timedelta(seconds=seconds)) == words


def test_every_finding_speaks_both_languages(practice: Practice) -> None:
    for finding in practice.findings():
        assert finding.ja
        assert finding.en.isascii() or finding.subject.startswith("line") or "“" in finding.en


def test_what_breaks_one_part_is_told_and_the_others_go_on(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(inside, "agents", breaks)
    found = practice.findings()
    assert "ZeroDivisionError" in next(finding.en for finding in found if finding.subject == "doctor")
    assert found[-1].subject == "call logs"


def test_a_crm_that_cannot_be_opened_or_breaks_is_a_finding(practice: Practice) -> None:
    settings = practice.settings()
    for problem in (SettingsError("CTI_CONNECTOR: unknown"), ConnectorUnavailable("gone")):

        def broken(problem: Exception = problem) -> None:
            raise problem

        doctor = Doctor(settings, practice.running.bridge.database, broken, PhoneNetwork(settings))  # type: ignore[arg-type]
        assert str(problem) in " ".join(finding.en for finding in doctor.examine())


def test_a_database_that_is_gone_leaves_the_rest_to_be_looked_at(practice: Practice) -> None:
    subjects = {
        finding.subject: finding for finding in practice.findings(DATABASE_URL="sqlite:////no/such/folder/bridge.db")
    }
    assert subjects["database"].severity is Severity.ERROR
    assert subjects["address"].severity is Severity.OK
    assert subjects["twilio"].severity is Severity.OK


def test_nothing_is_told_of_pops_before_any_line_is_there(database: Database) -> None:
    empty(database)
    [webhook] = inside.lately(database, NOW)
    assert webhook.severity is Severity.WARNING
