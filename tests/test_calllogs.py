"""What the CRM is told about a call: ready to read, in the line's language, about the right contact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cti_bridge.calllogs import CallLogs
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable, LookupSpared
from cti_bridge.model import (
    Agent,
    Call,
    Caller,
    CallerKind,
    Choice,
    ChoiceHow,
    Contact,
    ContactKind,
    Direction,
    LegStatus,
    Line,
    Match,
    Outcome,
    RelatedRecord,
)
from cti_bridge.store import Database, calls
from cti_bridge.store.calls import CallRecord, Lookup, LookupState
from tests.desk import MAIN_LINE, TARO, Desk, at_desk

START = datetime(2026, 11, 21, 0, 30, tzinfo=UTC)
SATO = Agent(1, "佐藤", "sato@example.co.jp", "ja")
JAPANESE = Line(1, MAIN_LINE, "代表", "", "ja")
ENGLISH = Line(2, "+815031234568", "Support", "", "en")
RECORDINGS = "https://cti.example.co.jp/widgets/recording"
YAMADA = Contact("c1", ContactKind.PERSON, "山田 太郎")
SUZUKI = Contact("c2", ContactKind.PERSON, "鈴木 花子")


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    with at_desk(database) as opened:
        yield opened


@pytest.fixture
def logs(desk: Desk) -> CallLogs:
    bridge = desk.bridge
    return CallLogs(bridge.settings, bridge.database, bridge.directory, desk.crm, bridge.lookups, recordings=RECORDINGS)


def a_talk(**more: object) -> CallRecord:
    """Taro called at 9:30 in Tokyo and talked from the tenth second for 83 seconds."""
    call = Call(
        "CA1",
        Direction.INBOUND,
        MAIN_LINE,
        TARO,
        started_at=START,
        dial_status=LegStatus.COMPLETED,
        dial_ended_at=START + timedelta(seconds=93),
        dial_duration=timedelta(seconds=83),
        recording_id="RE1",
    )
    record = CallRecord(call, Caller(CallerKind.NUMBER, TARO, TARO), note="見積もりの件", disposition="callback")
    return replace(record, **more)  # type: ignore[arg-type]


def missed(**more: object) -> CallRecord:
    record = a_talk(**more)
    return replace(record, call=replace(record.call, dial_status=LegStatus.NO_ANSWER, dial_duration=None))


def among(*contacts: Contact, learned: Contact | None = None) -> Lookup:
    known = Choice(learned, ChoiceHow.PICKED, "佐藤", START) if learned else None
    matches = tuple(Match(contact, "携帯", TARO) for contact in contacts)
    return Lookup(LookupState.DONE, "crm", matches=matches, learned=known)


def test_a_japanese_lines_log_is_japanese(logs: CallLogs) -> None:
    log = logs.compose(a_talk(), JAPANESE, SATO)
    assert log.subject == "着信 090-1234-5678 (応答)"
    assert log.body == (
        "日時: 2026-11-21 09:30\n回線: 代表\n担当: 佐藤\n通話時間: 1:23\n結果: 再コール\n\n見積もりの件"
    )
    assert (log.call_id, log.party, log.line_name, log.recording_id) == ("CA1", TARO, "代表", "RE1")
    assert (log.started_at, log.ended_at, log.talk_time) == (
        START,
        START + timedelta(seconds=93),
        timedelta(seconds=83),
    )


def test_an_english_lines_log_is_english(logs: CallLogs) -> None:
    log = logs.compose(missed(note="", disposition=None), ENGLISH, None)
    assert log.subject == "Inbound call 090-1234-5678 (missed)"
    assert log.body == "Time: 2026-11-21 09:30\nLine: Support\nAgent: -\nTalk time: 0:00"
    assert (log.agent_name, log.agent_email, log.outcome) == ("", "", Outcome.MISSED)


@pytest.mark.parametrize(
    ("kind", "raw", "subject"),
    [(CallerKind.WITHHELD, "anonymous", "着信 非通知 (応答)"), (CallerKind.UNREADABLE, "12", "着信 番号不明 (応答)")],
)
def test_a_caller_without_a_number_is_named_by_what_is_known(
    logs: CallLogs, kind: CallerKind, raw: str, subject: str
) -> None:
    log = logs.compose(a_talk(caller=Caller(kind, None, raw)), JAPANESE, SATO)
    assert (log.subject, log.party) == (subject, raw)


def test_a_disposition_that_was_abolished_is_told_as_it_was_stored(logs: CallLogs) -> None:
    log = logs.compose(a_talk(disposition="from_last_year"), None, None)
    assert log.disposition == "from_last_year"
    assert f"回線: {MAIN_LINE}" in log.body


@pytest.mark.parametrize(
    ("record", "contact"),
    [
        (a_talk(lookup=among(YAMADA)), YAMADA),
        (a_talk(lookup=among(YAMADA, SUZUKI)), None),
        (a_talk(lookup=among(YAMADA, SUZUKI), picked=Choice(SUZUKI, ChoiceHow.PICKED)), SUZUKI),
        (a_talk(lookup=among(YAMADA, SUZUKI, learned=YAMADA)), YAMADA),
        (missed(lookup=among(YAMADA, SUZUKI, learned=YAMADA)), None),
        (missed(lookup=among(YAMADA)), YAMADA),
        (a_talk(), None),
    ],
    ids=["only match", "several", "picked", "learned and spoken with", "learned but missed", "missed", "nobody"],
)
def test_the_log_belongs_to_whom_it_was_settled_to_and_to_nobody_else(
    logs: CallLogs, record: CallRecord, contact: Contact | None
) -> None:
    assert logs.compose(record, JAPANESE, SATO).contact == contact


def test_a_call_completed_while_it_goes_on_ends_for_now_when_it_was_completed(logs: CallLogs) -> None:
    going_on = replace(
        a_talk().call, dial_status=LegStatus.UNKNOWN, dial_ended_at=None, direction=None, started_at=None
    )
    log = logs.compose(a_talk(call=going_on, completed_at=START), JAPANESE, SATO)
    assert (log.ended_at, log.outcome, log.direction) == (START, Outcome.CANCELED, Direction.INBOUND)


def test_a_log_whose_call_is_gone_is_refused_with_the_reason(logs: CallLogs) -> None:
    with pytest.raises(ConnectorRefused, match="CA-gone"):
        logs.write("CA-gone")


def test_the_crm_is_asked_now_if_it_could_not_be_asked_before(desk: Desk, logs: CallLogs) -> None:
    desk.crm.add("c1", "山田 太郎", TARO)
    _keep(desk, a_talk())
    link = logs.write("CA1")
    assert link.url == "https://crm.example/CA1"
    assert desk.crm.logs["CA1"].contact == desk.crm.contacts["c1"]
    assert desk.crm.asked == ["find_contacts", "write_call_log"]
    logs.write("CA1")
    assert desk.crm.asked.count("find_contacts") == 1, "once is enough"


def test_a_crm_that_is_down_for_the_question_is_down_for_the_log(desk: Desk, logs: CallLogs) -> None:
    _keep(desk, a_talk())
    desk.crm.trouble = ConnectorUnavailable()
    with pytest.raises(ConnectorUnavailable):
        logs.write("CA1")
    assert "write_call_log" not in desk.crm.asked


def _keep(desk: Desk, record: CallRecord) -> None:
    with desk.bridge.database.transaction() as connection:
        calls.save(connection, record, START)


def test_a_log_is_written_though_the_lookup_is_spared(
    desk: Desk, logs: CallLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spare(_number: object) -> list[Contact]:
        raise LookupSpared

    monkeypatch.setattr(desk.crm, "find_contacts", spare)
    call = desk.hang_up(desk.answer(desk.call_in()))
    logs.write(call)
    assert desk.crm.logs[call].contact is None


def test_a_log_says_where_the_recording_plays_and_what_the_call_was_about(logs: CallLogs) -> None:
    case = RelatedRecord("500", "修理の件", "https://crm.example/500")
    record = a_talk(related=case)
    recorded = replace(record, call=replace(record.call, recording_id="RE1"))
    log = logs.compose(recorded, JAPANESE, SATO)
    assert (log.recording_url, log.related) == (f"{RECORDINGS}?id=RE1", case)
    silent = replace(record, call=replace(record.call, recording_id=None))
    assert logs.compose(silent, JAPANESE, SATO).recording_url is None
