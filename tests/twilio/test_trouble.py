"""Whatever breaks behind a valid signature: the caller hears something sensible, and the failure is loud."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from io import StringIO
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event

from cti_bridge.errors import StoreUnavailable
from cti_bridge.model import CallEvent, Message, Outcome
from cti_bridge.simulator import Misbehaviour
from cti_bridge.simulator.twiml import parse
from cti_bridge.store import Database, calls, database
from cti_bridge.store.directory import EMPTY
from cti_bridge.twilio.twiml import SENTENCES
from tests.running import ENGLISH_LINE, MAIN_LINE, SATO_PHONE, SUZUKI_PHONE, logging_to
from tests.twilio.conftest import CALL, TARO, House

BOTH = {SATO_PHONE, SUZUKI_PHONE}
SQLITE_ONLY = pytest.mark.parametrize("standing", ["sqlite"], indirect=True, scope="module")
GONE = {"sqlite": "sqlite:////nowhere/at/all.db", "postgresql": "postgresql://postgres@127.0.0.1:1/gone"}


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """The log as an installation writes it."""
    stream = StringIO()
    with logging_to(stream):
        yield stream


def lines(logged: StringIO, name: str) -> list[dict[str, Any]]:
    written = [json.loads(line) for line in logged.getvalue().splitlines()]
    return [line for line in written if line["event"] == name]


@pytest.fixture
def gone(live: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """The database cannot be opened: the file's folder is gone, or PostgreSQL refuses connections."""
    take_away(live, monkeypatch)
    return live


def take_away(live: House, monkeypatch: pytest.MonkeyPatch) -> None:
    swap(live, monkeypatch, Database(GONE[live.bridge.database.url.get_backend_name()]))


def swap(live: House, monkeypatch: pytest.MonkeyPatch, other: Database) -> None:
    """Hand the bridge another database's connections; not its lock, which a thread may hold just now."""
    for name, value in vars(other).items():
        if name != "_write_lock":
            monkeypatch.setattr(live.bridge.database, name, value)


@contextmanager
def reopened(live: House, monkeypatch: pytest.MonkeyPatch, *on_connect: Any) -> Iterator[None]:
    """The database opened anew, its writers impatient, so that what is done to connections reaches all of them."""
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(database, "WRITE_WAIT", 0.05)
        fresh = Database(live.bridge.database.url.render_as_string(hide_password=False))
        for prepare in on_connect:
            event.listen(fresh.engine, "connect", prepare)
        swap(live, meanwhile, fresh)
        yield
    pool: Any = fresh.engine.pool
    live.running.eventually(lambda: pool.checkedout() == 0, "nobody to use the database any more")
    fresh.close()


@contextmanager
def locked(live: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another process writes and does not finish."""
    url = live.bridge.database.url
    with reopened(live, monkeypatch):
        if live.bridge.database.is_sqlite:
            with closing(sqlite3.connect(str(url.database), isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                yield
                other.execute("ROLLBACK")
        else:
            plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
            with psycopg.connect(plain) as other:
                other.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
                yield
                other.rollback()


@pytest.fixture
def bug(live: House, monkeypatch: pytest.MonkeyPatch) -> House:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError(f"a bug, met by 山田 on {TARO}.")

    monkeypatch.setattr(live.bridge.calls.replies, "to", stumble)
    return live


# ── the caller hears something sensible ──────────────────────────────────────────────────────────────────────────────


def rings(live: House, *, to: str = MAIN_LINE) -> set[str]:
    """Whose telephones the answer to an incoming call rings; it is TwiML that Twilio has nothing to say against."""
    answer = live.post("voice/incoming", {"To": to})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    document = parse(answer.content)
    assert document.warnings == []
    return {leg.text for verb in document.verbs for leg in verb.children}


def hears(live: House, door: str = "voice/incoming", **form: str) -> list[str]:
    answer = live.post(door, form)
    assert answer.status_code == 200
    return [verb.text for verb in parse(answer.content).verbs if verb.name == "Say"]


def test_with_the_database_gone_the_agents_last_known_ring(gone: House) -> None:
    assert rings(gone) == BOTH
    assert rings(gone, to=ENGLISH_LINE) == {SATO_PHONE}


def test_with_the_database_gone_an_agent_last_known_as_away_does_not_ring(
    live: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.change(live.sato.id, away=True)
    take_away(live, monkeypatch)
    assert rings(live) == {SUZUKI_PHONE}
    assert hears(live, To=ENGLISH_LINE) == [SENTENCES[Message.APOLOGY]["en"]]


def test_with_the_database_gone_since_the_start_the_caller_hears_an_apology(gone: House) -> None:
    gone.bridge.directory.last = EMPTY
    assert hears(gone) == [SENTENCES[Message.APOLOGY]["ja"]]


def test_with_the_database_gone_a_number_that_is_no_line_apologises(gone: House) -> None:
    assert hears(gone, To="+815099999999") == [SENTENCES[Message.APOLOGY]["ja"]]


def test_with_the_database_gone_who_was_not_answered_still_hears_so(gone: House) -> None:
    told = {"DialCallStatus": "no-answer", "CallStatus": "in-progress"}
    assert hears(gone, "voice/result", **told) == [SENTENCES[Message.NOT_ANSWERED]["ja"]]
    assert hears(gone, "voice/result", To=ENGLISH_LINE, **told) == [SENTENCES[Message.NOT_ANSWERED]["en"]]
    assert hears(gone, "voice/result", DialCallStatus="completed", CallStatus="in-progress") == []


def test_with_the_database_gone_an_agent_who_dialled_is_still_connected(gone: House) -> None:
    form = {"Direction": "outbound-api", "From": MAIN_LINE, "To": SATO_PHONE, "CallStatus": "in-progress"}
    answer = gone.post("voice/outgoing", form, query=f"?agent={gone.sato.id}&number=%2B819012345678")
    [dial] = parse(answer.content).verbs
    assert [leg.text for leg in dial.children] == [TARO]
    assert hears(gone, "voice/outgoing", **form) == [SENTENCES[Message.APOLOGY]["ja"]]


def test_with_the_database_locked_the_agents_ring(live: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with locked(live, monkeypatch):
        assert rings(live) == BOTH
    assert live.events(CALL) == []


@SQLITE_ONLY  # which alone has one writer in a process
def test_with_this_process_s_writer_stuck_the_agents_ring(live: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WRITE_WAIT", 0.05)
    with live.bridge.database.transaction():
        assert rings(live) == BOTH
    assert live.record(CALL) is None


@SQLITE_ONLY  # PostgreSQL's disk cannot be filled from here
def test_with_the_disk_full_the_agents_ring(live: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(str(live.bridge.database.url.database), isolation_level=None)) as tidy:
        tidy.execute("VACUUM")

    def no_page_more(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=1")  # SQLite takes the present size, as it cannot be less

    with reopened(live, monkeypatch, no_page_more):
        answer = live.post("voice/incoming", {"CallerName": "x" * 50_000})
        assert {leg.text for verb in parse(answer.content).verbs for leg in verb.children} == BOTH
        assert live.post("voice/status", {"CallerName": "x" * 50_000}).status_code == 503
    assert live.record(CALL) is None


def test_a_bug_rings_the_agents_all_the_same(bug: House) -> None:
    assert rings(bug) == BOTH
    assert bug.record(CALL) is None, "half a call is worse than none: Twilio's retry starts afresh"


def test_a_bug_in_the_fallback_too_ends_in_an_apology(
    bug: House, monkeypatch: pytest.MonkeyPatch, logged: StringIO
) -> None:
    monkeypatch.setattr(bug.bridge.calls.replies, "without_memory", None)
    assert hears(bug) == [SENTENCES[Message.APOLOGY]["ja"]]
    assert len(lines(logged, "fallback_broke")) == 1


def test_a_caller_without_a_call_hears_an_apology_and_a_callback_without_one_is_not_repeated(live: House) -> None:
    before = live.counted("incoming", "apologised"), live.counted("status", "unreadable")
    assert hears(live, CallSid="") == [SENTENCES[Message.APOLOGY]["ja"]]
    assert live.post("voice/status", {"CallSid": ""}).status_code == 204
    assert (live.counted("incoming", "apologised"), live.counted("status", "unreadable")) == (
        before[0] + 1,
        before[1] + 1,
    )


@pytest.mark.parametrize("trouble", [RuntimeError("boom"), StoreUnavailable(), TimeoutError()])
def test_an_exploding_crm_does_not_touch_the_call(live: House, trouble: Exception) -> None:
    live.crm.trouble = trouble
    call = live.twilio.call_in(TARO, MAIN_LINE)
    assert live.rung(call) == BOTH
    live.twilio.answer(call.leg_to(SATO_PHONE))
    call.wait_for_status("in-progress").hang_up()
    call.wait_until_over()
    assert live.until(call.sid, ended=True).call.outcome is Outcome.ANSWERED
    assert (
        live.counted("incoming", "improvised") == live.counted("result", "improvised") == 0
        or live.twilio.problems == []
    )


def test_a_whole_call_without_a_database_is_a_call(gone: House) -> None:
    call = gone.twilio.call_in(TARO, MAIN_LINE)
    assert gone.rung(call) == BOTH
    for leg in call.legs:
        gone.twilio.busy(leg)
    call.wait_until_over()
    assert call.said == [SENTENCES[Message.NOT_ANSWERED]["ja"]]
    assert call.status == "completed"


# ── what was not taken comes again ───────────────────────────────────────────────────────────────────────────────────


def test_a_status_that_could_not_be_stored_is_asked_for_again_and_stored_then(
    live: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = live.twilio.call_in(TARO, MAIN_LINE)
    live.rung(call)
    live.twilio.wait_until_delivered()
    before, refused = live.counted("status", "put_off"), iter([True, True])
    take_in = live.bridge.calls._take_in

    def flaky(*arguments: Any, **options: Any) -> Any:
        if next(refused, False):
            raise StoreUnavailable
        return take_in(*arguments, **options)

    monkeypatch.setattr(live.bridge.calls, "_take_in", flaky)
    leg = call.leg_to(SATO_PHONE)
    live.twilio.fail(leg)
    live.twilio.wait_until_delivered()
    told = [delivery.status for delivery in live.twilio.deliveries("status", leg.sid)]
    assert told[-3:] == [503, 503, 204]
    assert live.counted("status", "put_off") == before + 2
    record = live.until(call.sid)
    assert record.call.legs[leg.sid].status == "failed"
    assert live.twilio.problems == []


def test_a_status_that_cannot_be_stored_is_answered_503_and_says_when(gone: House) -> None:
    answer = gone.post("voice/status", {"CallStatus": "completed"})
    assert (answer.status_code, answer.headers["Retry-After"], answer.content) == (503, "2", b"")


# ── loud ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_improvised_answer_is_counted_and_the_lost_event_is_logged_without_a_number(
    gone: House, logged: StringIO
) -> None:
    before = gone.counted("incoming", "improvised")
    rings(gone)
    assert gone.counted("incoming", "improvised") == before + 1
    [lost] = lines(logged, "event_lost")
    assert (lost["level"], lost["kind"], lost["call"]) == ("error", "incoming", CALL)
    [told] = lines(logged, "webhook_not_taken")
    assert (told["level"], told["problem"]) == ("error", "StoreUnavailable")
    assert TARO.lstrip("+") not in logged.getvalue()
    assert b'cti_webhooks_total{kind="incoming",outcome="improvised"}' in gone.bridge.metrics.text()


def test_three_failures_in_a_row_show_as_a_failing_phone_line_until_one_is_taken(
    live: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = live.bridge.webhooks.health
    live.post("voice/status", {"CallStatus": "queued"})
    assert health.state == "ok"
    with monkeypatch.context() as broken:
        broken.setattr(live.bridge.calls, "_take_in", None)
        for _ in range(3):
            live.post("voice/status", {"CallStatus": "ringing"})
    assert health.state == "failing"
    live.post("voice/status", {"CallStatus": "ringing"})
    assert health.state == "ok"


# ── and discreet ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_log_line_of_any_flow_tells_a_number_a_name_or_a_secret(
    live: House, monkeypatch: pytest.MonkeyPatch, logged: StringIO
) -> None:
    live.crm.add("c1", "山田 太郎", "090-1234-5678")
    for what in ("twice", "lost_answer", "bad_signature"):
        live.twilio.courier.misbehave(Misbehaviour("status", what))
    call = live.twilio.call_in(TARO, MAIN_LINE, caller_name="YAMADA TARO")
    live.twilio.answer(call.leg_to(SATO_PHONE))
    live.until(call.sid, answered=True)
    call.hang_up()
    call.wait_until_over()
    live.bridge.calls.complete(live.sato, call.sid, "佐藤より折返し", "resolved")
    live.running.eventually(lambda: live.crm.logs, "the log")
    live.post("voice/incoming", {"To": "+815099999999", "CallSid": "CA" + "2" * 32})
    live.post("voice/incoming", {"CallSid": ""})
    with monkeypatch.context() as broken:
        take_away(live, broken)
        live.post("voice/incoming", {"CallSid": "CA" + "3" * 32, "CallerName": "YAMADA TARO"})
        live.post("voice/status")
    with monkeypatch.context() as broken:
        broken.setattr(live.bridge.calls.replies, "to", bad_reply)
        live.post("voice/incoming", {"CallSid": "CA" + "4" * 32})
    with monkeypatch.context() as broken:
        broken.setattr(calls, "add_event", add_without_a_key)
        live.post("voice/incoming", {"CallSid": "CA" + "5" * 32, "CallerName": "YAMADA TARO"})

    written = logged.getvalue()
    assert len(written.splitlines()) > 6
    secrets = [live.twilio.auth_token, live.app.config["CTI_SECRET_KEY"]]
    numbers = [TARO, TARO[3:], "09012345678", "090-1234-5678", MAIN_LINE[3:], SATO_PHONE[3:], "5099999999"]
    names = ["山田", "太郎", "佐藤", "鈴木", "YAMADA", "sato@example.co.jp", "折返し"]
    assert [told for told in (*secrets, *numbers, *names) if told in written] == []


def bad_reply(*_: object) -> None:
    raise ValueError(f"cannot ring {TARO}.")


def add_without_a_key(connection: Connection, told: CallEvent, parameters: Any, answer: str, now: datetime) -> None:
    """A statement that the database refuses; its error knows the parameters."""
    values = {
        "call_id": told.call_id,
        "kind": told.kind,
        "received_at": now,
        "parameters": parameters,
        "answer": answer,
    }
    connection.execute(calls.call_events.insert().values(key=None, **values))
