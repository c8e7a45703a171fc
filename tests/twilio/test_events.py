"""Twilio's parameters to our events: from recorded payloads, by table, never an exception over one of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cti_bridge.model import Call, CallEvent, Direction, EventKind, LegRole, LegStatus
from cti_bridge.twilio.events import DIAL_STATUSES, STATUSES, read_event

FIXTURES = Path(__file__).parents[1] / "fixtures" / "twilio"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
CALL = "CA" + "1" * 32
CHILD = "CA" + "7" * 32
NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
GEOGRAPHY = ("City", "State", "Zip", "Country")


def expand(form: dict[str, str]) -> dict[str, str]:
    """The full key set that Twilio sends; the fixtures are stored without what is empty or said twice."""
    full = {"AccountSid": "AC" + "1" * 32, "CallSid": CALL, **form}
    if "From" in full:
        empty = {side + part: "" for side in ("From", "To") for part in GEOGRAPHY}
        full = {"ApiVersion": "2010-04-01", **empty, **full}
        for twin, side in (("Caller", "From"), ("Called", "To")):
            full.update({twin + part: full[side + part] for part in ("", *GEOGRAPHY)})
    return full


def fixture(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return {**found, "form": expand(found["form"])}


def read(
    kind: EventKind = EventKind.STATUS,
    *,
    query: dict[str, str] | None = None,
    token: str | None = None,
    received_at: datetime = NOW,
    **form: str,
) -> CallEvent:
    return read_event(kind, query or {}, {"CallSid": CALL, **form}, token=token, received_at=received_at)


# ── recorded payloads ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_webhook_is_the_event_that_it_tells(name: str) -> None:
    recorded = fixture(name)
    expected = {"call_id": CALL, "leg_id": CALL, **recorded["expected"]}
    at = datetime.fromisoformat(expected.pop("at", NOW.isoformat()))
    duration = expected.pop("duration", None)
    event = read_event(
        EventKind(recorded["kind"]),
        recorded["query"],
        recorded["form"],
        token=None,
        received_at=at + timedelta(seconds=1),
    )
    assert event.kind == recorded["kind"]
    assert {member: getattr(event, member) for member in expected} == expected
    assert event.duration == (timedelta(seconds=duration) if duration is not None else None)
    assert event.at == (at if "at" in recorded["expected"] else at + timedelta(seconds=1))


def test_every_kind_of_event_has_a_recorded_payload() -> None:
    assert {fixture(name)["kind"] for name in NAMES} == {kind.value for kind in EventKind}


def test_every_recorded_payload_has_its_own_key() -> None:
    keys = [
        read_event(
            EventKind(one["kind"]), one["query"], {**one["form"], "CallSid": name}, token=None, received_at=NOW
        ).key
        for name in NAMES
        for one in [fixture(name)]
    ]
    assert len(set(keys)) == len(keys)


# ── statuses ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("queued", LegStatus.QUEUED),
        ("initiated", LegStatus.INITIATED),
        ("ringing", LegStatus.RINGING),
        ("in-progress", LegStatus.IN_PROGRESS),
        ("answered", LegStatus.IN_PROGRESS),
        ("completed", LegStatus.COMPLETED),
        ("busy", LegStatus.BUSY),
        ("no-answer", LegStatus.NO_ANSWER),
        ("failed", LegStatus.FAILED),
        ("canceled", LegStatus.CANCELED),
        ("", LegStatus.UNKNOWN),
        ("teleported", LegStatus.UNKNOWN),
        ("Completed", LegStatus.UNKNOWN),
    ],
)
def test_a_call_status_is_translated_by_table_and_an_unknown_one_is_unknown(said: str, status: LegStatus) -> None:
    assert read(CallStatus=said).status is status


def test_every_status_of_ours_has_a_word_of_theirs() -> None:
    assert set(STATUSES.values()) == set(LegStatus) - {LegStatus.UNKNOWN}


def test_a_dial_that_was_answered_is_over_but_a_call_that_was_answered_is_not() -> None:
    result = read(EventKind.RESULT, DialCallStatus="answered", CallStatus="in-progress")
    assert (result.dial_status, result.status) == (LegStatus.COMPLETED, LegStatus.IN_PROGRESS)
    assert set(DIAL_STATUSES) == set(STATUSES)


def test_an_unknown_status_changes_nothing_of_the_call() -> None:
    known = Call.of(CALL, [read(EventKind.INCOMING, CallStatus="in-progress", Direction="inbound")])
    after = known.apply(read(CallStatus="teleported", SequenceNumber="9"))
    assert after == known


def test_only_the_result_tells_the_dial_s_status_and_leg() -> None:
    told: dict[str, Any] = {
        "DialCallStatus": "busy",
        "DialCallSid": CHILD,
        "DialCallDuration": "7",
        "CallDuration": "9",
    }
    status, result = read(EventKind.STATUS, **told), read(EventKind.RESULT, **told)
    assert (status.dial_status, status.dialled_leg_id, status.duration) == (
        LegStatus.UNKNOWN,
        None,
        timedelta(seconds=9),
    )
    assert (result.dial_status, result.dialled_leg_id) == (LegStatus.BUSY, CHILD)
    assert result.duration == timedelta(seconds=7)


# ── whose leg, which way ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_root_leg_tells_direction_line_and_caller() -> None:
    event = read(EventKind.INCOMING, Direction="inbound", From="+819012345678", To="+815031234567")
    assert (event.direction, event.role) == (Direction.INBOUND, LegRole.PARTY)
    assert (event.line_number, event.party) == ("+815031234567", "+819012345678")


def test_an_agent_s_leg_tells_none_of_them() -> None:
    event = read(
        query={"call": CALL, "agent": "7"}, CallSid=CHILD, Direction="outbound-dial", From="+81901", To="+81801"
    )
    assert (event.call_id, event.leg_id) == (CALL, CHILD)
    assert (event.direction, event.line_number, event.party) == (None, None, None)
    assert (event.role, event.agent_id) == (LegRole.AGENT, 7)


def test_the_outside_party_s_leg_of_an_outgoing_call_is_the_party_s() -> None:
    event = read(query={"call": CALL}, CallSid=CHILD, Direction="outbound-dial")
    assert (event.role, event.agent_id) == (LegRole.PARTY, None)


def test_an_outgoing_call_is_known_by_the_number_that_we_wrote_into_its_address() -> None:
    query = {"agent": "2", "number": "+819012345678"}
    event = read(query=query, Direction="outbound-api", From="+815031234567", To="+818000000001")
    assert (event.direction, event.role, event.agent_id) == (Direction.OUTBOUND, LegRole.AGENT, 2)
    assert (event.line_number, event.party) == ("+815031234567", "+819012345678")


def test_a_called_sip_address_is_no_number_of_ours_and_no_column_is_too_narrow_for_it() -> None:
    event = read(
        EventKind.INCOMING, Direction="inbound", To="sip:reception@yamada.sip.tokyo.twilio.com", From="sip:x@y"
    )
    assert (event.line_number, event.party) == (None, "sip:x@y")


@pytest.mark.parametrize("agent", ["", "x", "-1", "1.5", "²", "9" * 10, "9" * 5000])
def test_an_agent_who_cannot_be_is_nobody(agent: str) -> None:
    assert read(query={"agent": agent}).agent_id is None


# ── moments ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "written",
    [
        "Fri, 20 Nov 2026 01:13:42 +0000",
        "20 Nov 2026 01:13:42 +0000",
        "Fri, 20 Nov 2026 01:13:42 GMT",
        "Fri, 20 Nov 2026 01:13:42 -0000",
        "Fri, 20 Nov 2026 10:13:42 +0900",
    ],
)
def test_twilio_s_date_is_the_moment_aware(written: str) -> None:
    event = read(Timestamp=written)
    assert event.at == datetime(2026, 11, 20, 1, 13, 42, tzinfo=UTC)
    assert event.at.tzinfo is not None


def test_the_day_of_a_date_may_be_one_digit() -> None:
    first = datetime(2017, 6, 1, 20, 48, 33, tzinfo=UTC)
    event = read(Timestamp="Thu, 1 Jun 2017 20:48:32 +0000", received_at=first)
    assert event.at == first - timedelta(seconds=1)


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "yesterday",
        "2026-11-20T01:13:42.454203Z",
        "Fri, 32 Nov 2026 01:13:42 +0000",
        "Fri, 20 Nov 2026 25:13:42 +0000",
        "Fri, 20 Nov 2026 01:13:42 +9999999999999999",
        "Fri, 20 Nov 2026 01:13:42 +9900",
        "Fri, 20 Nov 99999999999 01:13:42 +0000",
        "Thu, 01 Jan 1970 00:00:00 +0000",
        "Fri, 20 Nov 2099 01:13:42 +0000",
        "\x00",
        ",",
    ],
)
def test_a_date_that_is_nonsense_or_unbelievable_gives_way_to_the_moment_of_arrival(nonsense: str) -> None:
    assert read(Timestamp=nonsense).at == NOW


@settings(max_examples=60)
@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,4} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d [+-]\d{1,20}"))
def test_no_date_moves_an_event_further_than_a_day(text: str) -> None:
    assert abs(read(Timestamp=text).at - NOW) < timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("49", 49), ("", None), ("-3", None), ("4.5", None), ("9" * 8, None)]
)
def test_a_duration_is_whole_seconds_or_not_known(text: str, seconds: int | None) -> None:
    assert read(CallDuration=text).duration == (None if seconds is None else timedelta(seconds=seconds))


# ── recordings ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("status", "known"), [("completed", True), ("in-progress", False), ("absent", False)])
def test_a_recording_is_known_when_it_is_complete(status: str, known: bool) -> None:
    event = read(EventKind.RECORDING, RecordingSid="RE1", RecordingStatus=status)
    assert event.recording_id == ("RE1" if known else None)


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_webhook_has_the_same_key_whenever_and_however_often_it_comes() -> None:
    told: dict[str, Any] = {"CallStatus": "ringing", "SequenceNumber": "1"}
    first, second = read(**told), read(token="t", received_at=NOW + timedelta(seconds=9), SomethingNew="x", **told)
    assert first.key == second.key


def test_another_sequence_number_is_another_key_though_the_status_is_the_same() -> None:
    assert read(CallStatus="ringing", SequenceNumber="1").key != read(CallStatus="ringing", SequenceNumber="2").key


def test_without_a_sequence_number_the_status_is_the_key() -> None:
    assert read(CallStatus="ringing").key != read(CallStatus="completed").key


def test_each_leg_and_each_kind_has_its_own_keys() -> None:
    query = {"call": CALL}
    keys = {read(kind, query=query, CallSid=leg).key for kind in EventKind for leg in (CALL, CHILD)}
    assert len(keys) == len(EventKind) * 2


def test_each_step_of_a_dial_has_its_own_key() -> None:
    assert read(EventKind.RESULT, query={"step": "1"}).key != read(EventKind.RESULT, query={"step": "2"}).key


def test_a_recording_s_beginning_and_end_are_two_facts() -> None:
    begun, done = (
        read(EventKind.RECORDING, RecordingSid="RE1", RecordingStatus=s) for s in ("in-progress", "completed")
    )
    other = read(EventKind.RECORDING, RecordingSid="RE2", RecordingStatus="completed")
    assert len({begun.key, done.key, other.key}) == 3


def test_an_idempotency_token_is_kept_no_longer_than_its_column() -> None:
    assert read(token="a" * 100).token == "a" * 64
    assert (read(token="").token, read().token) == (None, None)


# ── whatever comes ───────────────────────────────────────────────────────────────────────────────────────────────────

KNOWN = st.sampled_from(
    [
        *("CallStatus", "Direction", "From", "To", "Timestamp", "SequenceNumber", "CallDuration", "ParentCallSid"),
        *("DialCallStatus", "DialCallSid", "DialCallDuration", "RecordingSid", "RecordingStatus"),
    ]
)
OURS = st.sampled_from(["call", "agent", "number", "step"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(EventKind),
    st.dictionaries(OURS, st.text()),
    st.dictionaries(KNOWN | st.text(), st.text() | st.sampled_from([*STATUSES, "outbound-api", "inbound", "9" * 5000])),
    st.text(min_size=1, max_size=40),
    st.none() | st.text(),
)
@example(EventKind.STATUS, {"agent": "9" * 5000}, {}, CALL, None)
def test_any_parameters_with_a_call_sid_are_an_event_that_its_call_can_take(
    kind: EventKind, query: dict[str, str], form: dict[str, str], sid: str, token: str | None
) -> None:
    event = read_event(kind, query, {**form, "CallSid": sid}, token=token, received_at=NOW)
    assert len(event.key) <= 200
    call = Call.of(event.call_id, [event, event])
    assert call == Call.of(event.call_id, [replace(event)])


@pytest.mark.parametrize("form", [{}, {"CallSid": ""}, {"CallSid": "C" * 41}, {"callsid": CALL}])
def test_a_webhook_about_no_call_is_refused(form: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no CallSid"):
        read_event(EventKind.STATUS, {"call": CALL}, form, token=None, received_at=NOW)
