"""The use cases of a call: each event counted once, each change followed by a log, nothing lost when something breaks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from cti_bridge import calls as calls_module
from cti_bridge.errors import BadRequest, Conflict, NotAllowed, NotFound, StoreUnavailable
from cti_bridge.model import (
    CallEvent,
    Connect,
    Direction,
    EventKind,
    HangUp,
    LegRole,
    LegStatus,
    Message,
    Noted,
    Outcome,
    Reply,
    Ring,
    Speak,
)
from cti_bridge.store import Database, calls, directory, missed, outbox
from cti_bridge.store.calls import LookupState
from tests.desk import ENGLISH_LINE, MAIN_LINE, TARO, Desk, at_desk

NOW = datetime.now(UTC)


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    with at_desk(database) as opened:
        yield opened


def incoming(call_id: str = "CA1", **more: Any) -> CallEvent:
    event = CallEvent(
        f"{call_id}:incoming",
        EventKind.INCOMING,
        call_id,
        call_id,
        NOW,
        LegStatus.RINGING,
        LegRole.PARTY,
        direction=Direction.INBOUND,
        line_number=MAIN_LINE,
        party=TARO,
    )
    return replace(event, **more)


def outgoing(desk: Desk, call_id: str = "CA1", **more: Any) -> CallEvent:
    event = CallEvent(
        f"{call_id}:outgoing",
        EventKind.OUTGOING,
        call_id,
        call_id,
        NOW,
        LegStatus.IN_PROGRESS,
        LegRole.AGENT,
        direction=Direction.OUTBOUND,
        line_number=MAIN_LINE,
        party=TARO,
        agent_id=desk.sato.id,
    )
    return replace(event, **more)


def result(dial_status: LegStatus, **more: Any) -> CallEvent:
    event = CallEvent("CA1:result", EventKind.RESULT, "CA1", "CA1", NOW, LegStatus.IN_PROGRESS, dial_status=dial_status)
    return replace(event, line_number=MAIN_LINE, **more)


def receive(desk: Desk, event: CallEvent) -> Reply:
    """What we reply, before it is rendered."""
    replies: list[Reply] = []

    def render(reply: Reply) -> str:
        replies.append(reply)
        return type(reply).__name__

    desk.bridge.calls.receive(event, {"raw": "kept"}, render)
    return replies[-1]


def record_of(desk: Desk, call_id: str = "CA1") -> calls.CallRecord:
    with desk.bridge.database.reading() as connection:
        record = calls.get(connection, call_id)
    assert record is not None
    return record


def due(desk: Desk, call_id: str = "CA1") -> timedelta | None:
    """How long until the call's log is due; None when none is owed."""
    with desk.bridge.database.reading() as connection:
        entry = outbox.entry_of(connection, call_id, "call_log")
    return entry.run_at - datetime.now(UTC) if entry else None


# ── replies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_is_free_rings(desk: Desk) -> None:
    reply = receive(desk, incoming())
    assert isinstance(reply, Ring)
    assert [agent.name for agent in reply.agents] == ["佐藤", "鈴木"]
    desk.answer("CA1")
    assert [agent.name for agent in receive(desk, incoming("CA2")).agents] == ["鈴木"]  # type: ignore[union-attr]


def test_no_more_telephones_ring_than_twilio_can_ring(desk: Desk) -> None:
    with desk.bridge.database.transaction() as connection:
        ids = [
            directory.add_agent(
                connection,
                email=f"{n}@example.jp",
                name=f"{n}",
                password_hash="",
                language="ja",
                phone=f"+81312340{n:03}",
            )
            for n in range(12)
        ]
        line = next(line for line in desk.bridge.directory.current().lines.values() if line.number == MAIN_LINE)
        directory.set_ringing(connection, line.id, ids)
    desk.bridge.directory.refresh()
    assert len(receive(desk, incoming()).agents) == 10  # type: ignore[union-attr]
    assert len(desk.bridge.calls.replies.without_memory(incoming()).agents) == 10  # type: ignore[union-attr]


def test_a_call_to_what_is_no_line_hears_an_apology(desk: Desk) -> None:
    assert receive(desk, incoming(line_number="+81399999999")) == Speak(Message.APOLOGY, "ja")


def test_a_caller_for_whom_nobody_is_free_hears_so_and_was_missed(desk: Desk) -> None:
    for name in ("CA-a", "CA-b"):
        receive(desk, incoming(name))
    desk.answer("CA-a", desk.sato)
    desk.answer("CA-b", desk.suzuki)
    assert receive(desk, incoming()) == Speak(Message.NOBODY_FREE, "ja")
    assert record_of(desk).call.outcome is Outcome.MISSED


def test_the_customer_is_called_when_the_agent_has_picked_up(desk: Desk) -> None:
    reply = receive(desk, outgoing(desk))
    assert isinstance(reply, Connect)
    assert (reply.number, reply.agent_id, reply.caller_id) == (TARO, desk.sato.id, MAIN_LINE)


@pytest.mark.parametrize("missing", ["party", "agent_id", "line_number"])
def test_an_outgoing_call_that_does_not_say_what_it_is_hears_an_apology(desk: Desk, missing: str) -> None:
    event = replace(outgoing(desk), **{missing: None})  # type: ignore[arg-type]
    assert receive(desk, event) == Speak(Message.APOLOGY, "ja")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (result(LegStatus.COMPLETED), HangUp()),
        (result(LegStatus.NO_ANSWER), Speak(Message.NOT_ANSWERED, "ja")),
        (result(LegStatus.BUSY, status=LegStatus.COMPLETED), HangUp()),
        (result(LegStatus.BUSY, direction=Direction.OUTBOUND), Speak(Message.NOT_CONNECTED, "ja")),
        (result(LegStatus.FAILED, status=LegStatus.UNKNOWN), Speak(Message.NOT_ANSWERED, "ja")),
    ],
)
def test_after_the_ringing_comes_a_sentence_unless_people_talked_or_nobody_listens(
    desk: Desk, event: CallEvent, expected: Reply
) -> None:
    receive(desk, incoming())
    assert receive(desk, event) == expected
    assert desk.bridge.calls.replies.without_memory(event) == expected, "with or without the database"


def test_without_the_database_the_line_rings_as_last_known(desk: Desk) -> None:
    improvise = desk.bridge.calls.replies.without_memory
    reply = improvise(incoming())
    assert isinstance(reply, Ring)
    assert [agent.name for agent in reply.agents] == ["佐藤", "鈴木"]
    assert improvise(incoming(line_number="+81399999999")) == Speak(Message.APOLOGY, "ja")
    assert isinstance(improvise(outgoing(desk)), Connect)
    assert improvise(replace(incoming(), kind=EventKind.STATUS)) == Noted()
    with desk.bridge.database.transaction() as connection:
        directory.change_agent(connection, desk.sato.id, away=True)
        directory.change_agent(connection, desk.suzuki.id, phone=None)
    desk.bridge.directory.refresh()
    assert improvise(incoming()) == Speak(Message.APOLOGY, "ja"), "nobody is left who can ring"
    assert improvise(incoming(line_number=ENGLISH_LINE)) == Speak(Message.APOLOGY, "en")


# ── each event once ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_repetition_is_answered_as_the_first_time_and_changes_nothing(desk: Desk) -> None:
    first = desk.bridge.calls.receive(incoming(), {}, lambda reply: "the first answer")
    before = record_of(desk)
    for again in (incoming(), incoming(token="token"), incoming(token="token")):
        assert desk.bridge.calls.receive(again, {}, lambda reply: "another answer") == first
    desk.answer("CA1")
    assert record_of(desk).call.legs.keys() - before.call.legs.keys() == {f"CA1-{desk.sato.id}"}
    with desk.bridge.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(calls.call_events)).scalar_one() == 2


def test_a_retry_is_known_by_its_token_even_under_another_key(desk: Desk) -> None:
    desk.bridge.calls.receive(incoming(token="one"), {}, lambda reply: "first")
    again = incoming(token="one", key="CA1:incoming:differently")
    assert desk.bridge.calls.receive(again, {}, lambda reply: "second") == "first"


def test_all_events_of_a_new_call_that_come_at_once_are_taken(desk: Desk) -> None:
    events = [
        incoming(),
        *(
            CallEvent(f"leg {n}", EventKind.STATUS, "CA1", f"leg {n}", NOW, LegStatus.RINGING, LegRole.AGENT)
            for n in range(5)
        ),
    ]
    start = threading.Barrier(len(events))
    problems: list[BaseException] = []

    def take(event: CallEvent) -> None:
        start.wait(5)
        try:
            desk.bridge.calls.receive(event, {}, lambda reply: "")
        except BaseException as problem:  # noqa: BLE001  (the thread's problem is the test's)
            problems.append(problem)

    threads = [threading.Thread(target=take, args=(event,)) for event in events]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert problems == []
    assert set(record_of(desk).call.legs) == {event.leg_id for event in events}


def test_an_event_that_cannot_be_stored_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(calls, "save", gone)
        with pytest.raises(StoreUnavailable):
            receive(desk, incoming())
    with desk.bridge.database.reading() as connection:
        assert calls.get(connection, "CA1") is None
        assert calls.rung_agents(connection, "CA1") == []
    assert isinstance(receive(desk, incoming()), Ring), "and its repetition is taken as new"


# ── the log follows ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_of_a_talk_waits_for_the_wrap_up_and_no_other_does(desk: Desk) -> None:
    desk.bridge.outbox.stop()
    desk.answer(desk.call_in())
    assert due(desk, "CA-1") is None, "not while people talk"
    desk.hang_up("CA-1")
    waits = due(desk, "CA-1")
    assert waits is not None
    assert timedelta(minutes=9) < waits <= timedelta(minutes=10)
    desk.hang_up(desk.call_in())
    waits = due(desk, "CA-2")
    assert waits is not None
    assert waits < timedelta(seconds=5)


def test_what_an_agent_changes_after_the_log_was_written_is_owed_again(desk: Desk) -> None:
    desk.bridge.outbox.stop()
    desk.crm.add("c1", "山田 太郎", TARO)
    call = desk.hang_up(desk.answer(desk.call_in()))
    use = desk.bridge.calls
    changes: tuple[Callable[[], object], ...] = (
        lambda: use.choose(desk.sato, call, "c1"),
        lambda: use.unchoose(desk.sato, call),
        lambda: use.save_draft(desk.sato, call, "メモ", None),
        lambda: use.complete(desk.sato, call, "メモ", "resolved"),
        lambda: use.save_draft(desk.sato, call, "訂正", None),
    )
    for change in changes:
        with desk.bridge.database.transaction() as connection:
            connection.execute(outbox.outbox.update().values(state="delivered"))
        change()
        with desk.bridge.database.reading() as connection:
            entry = outbox.entry_of(connection, call, "call_log")
        assert entry is not None
        assert entry.state is outbox.OutboxState.PENDING
    assert (due(desk, call) or timedelta(1)) <= timedelta(0), "a completed call's log does not wait any more"


def test_a_choice_while_it_rings_owes_no_log_yet(desk: Desk) -> None:
    desk.crm.add("c1", "山田 太郎", TARO)
    call = desk.call_in()
    desk.bridge.calls.choose(desk.sato, call, "c1")
    assert due(desk, call) is None


# ── looking up ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lookup_whose_process_died_is_begun_again_by_a_later_event(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(desk.bridge.lookups, "start", lambda call_id, number: started.append(number))
    receive(desk, incoming(at=NOW - timedelta(minutes=3)))
    assert started == [TARO]
    assert record_of(desk).lookup.state is LookupState.WAITING
    desk.answer("CA1")
    assert started == [TARO, TARO]
    receive(desk, incoming("CA2", at=datetime.now(UTC)))  # NOW is when the tests began, minutes ago
    desk.answer("CA2", desk.suzuki)
    assert started == [TARO] * 3, "a young lookup is waited for"


def test_a_caller_who_is_told_only_later_is_looked_up_then(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(desk.bridge.lookups, "start", lambda call_id, number: started.append(number))
    leg = CallEvent("leg", EventKind.STATUS, "CA1", "CA-leg", NOW, LegStatus.RINGING, LegRole.AGENT)
    desk.bridge.calls.receive(leg, {}, lambda reply: "")
    assert (record_of(desk).lookup.state, started) == (LookupState.SKIPPED, [])
    receive(desk, incoming())
    assert (record_of(desk).lookup.state, started) == (LookupState.WAITING, [TARO])


# ── what agents do ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wording_that_cannot_be_is_refused(desk: Desk) -> None:
    call = desk.hang_up(desk.answer(desk.call_in()))
    for note, disposition in (("x" * (calls_module.LONGEST_NOTE + 1), None), ("x", "made up")):
        for save in (desk.bridge.calls.save_draft, desk.bridge.calls.complete):
            with pytest.raises(BadRequest):
                save(desk.sato, call, note, disposition)


def test_a_contact_without_a_name_or_a_caller_without_a_number_is_refused(desk: Desk) -> None:
    call, withheld = desk.call_in(), desk.call_in(party="anonymous")
    create, add = desk.bridge.calls.create_contact, desk.bridge.calls.add_number
    with pytest.raises(BadRequest, match="name_missing"):
        create(desk.sato, call, name=" ", reading="", company="")
    with pytest.raises(BadRequest, match="no_number_to_add"):
        create(desk.sato, withheld, name="山田", reading="", company="")
    with pytest.raises(BadRequest, match="no_number_to_add"):
        add(desk.sato, withheld, "c1")
    with pytest.raises(NotFound, match="contact_not_found"):
        add(desk.sato, call, "gone")


def test_a_withheld_caller_can_be_given_to_a_contact_for_this_call_only(desk: Desk) -> None:
    desk.crm.add("c1", "山田 太郎")
    call = desk.answer(desk.call_in(party="anonymous"))
    assert desk.bridge.calls.choose(desk.sato, call, "c1").contact_id == "c1"
    assert desk.bridge.calls.unchoose(desk.sato, call).contact_id is None


def test_completing_twice_keeps_the_first_moment_and_the_last_words(desk: Desk) -> None:
    call = desk.hang_up(desk.answer(desk.call_in()))
    first = desk.bridge.calls.complete(desk.sato, call, "一", None)
    second = desk.bridge.calls.complete(desk.sato, call, "二", "resolved")
    assert (second.completed_at, second.note) == (first.completed_at, "二")


def test_nobody_completes_what_still_rings_or_is_a_colleagues(desk: Desk) -> None:
    call = desk.call_in()
    with pytest.raises(Conflict):
        desk.bridge.calls.complete(desk.sato, call, "", None)
    desk.answer(call, desk.suzuki)
    with pytest.raises(NotAllowed):
        desk.bridge.calls.complete(desk.sato, call, "", None)
    with pytest.raises(NotFound):
        desk.bridge.calls.record_for(desk.sato, "CA-unheard-of")


def test_a_missed_caller_is_struck_off_when_we_have_spoken(desk: Desk) -> None:
    desk.hang_up(desk.call_in())
    desk.answer(desk.call_in())
    assert record_of(desk, "CA-1").dealt_with_at is not None


def test_an_answered_call_is_kept_though_the_list_of_missed_calls_cannot_be_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise StoreUnavailable

    desk.hang_up(desk.call_in())
    monkeypatch.setattr(missed, "deal_with", gone)
    desk.answer(desk.call_in())
    assert record_of(desk, "CA-2").call.answered
    assert record_of(desk, "CA-1").dealt_with_at is None
