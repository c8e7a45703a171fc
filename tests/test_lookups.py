"""Who is calling: from memory at once, from the CRM when it answers, and in plain words when it does not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cti_bridge import lookups as lookups_module
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable, LookupSpared, StoreUnavailable
from cti_bridge.live.hub import Hub
from cti_bridge.lookups import Lookups
from cti_bridge.model import (
    Activity,
    ActivityItem,
    ActivityKind,
    Call,
    CallerKind,
    Capabilities,
    Choice,
    ChoiceHow,
    Contact,
    ContactKind,
    ContactNumber,
    Direction,
    LegRole,
    LegStatus,
)
from cti_bridge.model import Caller as Number
from cti_bridge.phone import PhoneNumber
from cti_bridge.store import Database, calls, numbers
from cti_bridge.store.calls import CallRecord, LookupState
from tests.fakes.memory import MemoryConnector

NOON = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
TARO = "+819012345678"
PATIENCE = 10.0


class Office:
    """Lookups on a database with a CRM in memory and a clock that stands still."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.crm = MemoryConnector()
        self.now = NOON
        self.woken: list[str] = []
        self.told: list[str] = []
        self._news = threading.Condition()
        hub = Hub()
        hub.listen(self._hear)
        self.lookups = Lookups(
            self.crm,
            database,
            hub,
            region="JP",
            deadline=timedelta(seconds=30),
            freshness=timedelta(hours=24),
            clock=lambda: self.now,
            told=lambda outcome, seconds: self.told.append(outcome),
        )

    def _hear(self, topic: str) -> None:
        with self._news:
            self.woken.append(topic)
            self._news.notify_all()

    def ring(self, call_id: str = "CA1", number: str = TARO, **more: object) -> None:
        call = Call(call_id, Direction.INBOUND, party=number, started_at=self.now)
        record = CallRecord(call, Number(CallerKind.NUMBER, number, number))
        with self.database.transaction() as connection:
            calls.save(connection, replace(record, **more), self.now)  # type: ignore[arg-type]

    def look_up(self, call_id: str = "CA1", number: str = TARO) -> CallRecord:
        """Ring and look up to the end; the call's row afterwards."""
        self.ring(call_id, number)
        self.lookups.start(call_id, number)
        return self.when(lambda record: call_id not in self.lookups._waiting, call_id)

    def when(self, test: Callable[[CallRecord], bool], call_id: str = "CA1") -> CallRecord:
        """The call's row as soon as it is like this."""
        for _ in range(1000):
            record = self.record(call_id)
            if test(record):
                return self.record(call_id)
            with self._news:
                self._news.wait(PATIENCE / 1000)
        raise AssertionError(f"never so: {self.record(call_id)}")

    def record(self, call_id: str = "CA1") -> CallRecord:
        with self.database.reading() as connection:
            record = calls.get(connection, call_id)
        assert record is not None
        return record


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    opened = Office(database)
    opened.lookups.open()
    yield opened
    opened.crm.gate.set()
    opened.lookups.close()


def names(record: CallRecord) -> list[str]:
    return [match.contact.name for match in record.lookup.matches]


# ── the CRM's answer ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lookup_brings_matches_then_the_contacts_activity(office: Office) -> None:
    office.crm.add("c1", "山田 太郎", "090-1234-5678")
    story = Activity(history=(ActivityItem(ActivityKind.NOTE, "見積もり"),))
    office.crm.activities["c1"] = story
    record = office.look_up()
    assert (record.lookup.state, record.lookup.source, record.lookup.fetched_at) == (LookupState.DONE, "crm", NOON)
    assert (names(record), record.contact_id, record.contact_name) == (["山田 太郎"], "c1", "山田 太郎")
    assert (record.lookup.story.of, record.lookup.story.activity) == ("c1", story)
    assert office.crm.asked == ["find_contacts", "recent_activity"]


def test_a_story_that_came_with_the_contact_is_shown_at_once_and_not_asked_for_again(office: Office) -> None:
    office.crm.add("c1", "山田 太郎", "090-1234-5678")
    office.crm.told_at_once["c1"] = story = Activity(open=(ActivityItem(ActivityKind.CASE, "修理"),))
    record = office.look_up()
    assert (record.lookup.story.state, record.lookup.story.activity) == (LookupState.DONE, story)
    assert office.crm.asked == ["find_contacts"]
    with office.database.reading() as connection:
        remembered = numbers.recall(connection, "memory", TARO)
    assert remembered is not None
    assert [contact.activity for contact in remembered.contacts] == [None], "a story grows old; the index keeps none"


def test_a_lookup_that_the_connector_spares_pops_what_is_remembered_and_harms_nothing(office: Office) -> None:
    office.crm.add("c1", "山田 太郎", "090-1234-5678")
    office.look_up()
    office.crm.trouble = LookupSpared()
    for attempt in range(10):
        record = office.look_up(f"CA-{attempt}")
        assert (record.lookup.state, record.lookup.trouble, names(record)) == (
            LookupState.FAILED,
            "spared",
            ["山田 太郎"],
        )
    assert office.lookups.circuit.health == "ok", "a spared request says nothing about the CRM"


def test_nobody_is_an_answer_too_and_is_remembered(office: Office) -> None:
    record = office.look_up()
    assert (record.lookup.state, names(record), record.contact_id) == (LookupState.DONE, [], None)
    with office.database.reading() as connection:
        remembered = numbers.recall(connection, "memory", TARO)
    assert remembered is not None
    assert remembered.contacts == ()


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (None, "found"),
        (ConnectorUnavailable("gone"), "unavailable"),
        (ConnectorRefused("no"), "refused"),
        (LookupSpared(), "spared"),
        (ZeroDivisionError(), "bug"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_became_of_a_lookup_is_told_once(office: Office, trouble: Exception | None, outcome: str) -> None:
    office.crm.add("c:1", "山田", TARO)
    office.crm.trouble = trouble
    office.look_up()
    assert office.told == [outcome]


def test_that_nobody_was_found_is_told(office: Office) -> None:
    office.look_up()
    assert office.told == ["nobody"]


def test_only_true_equals_are_kept_of_what_the_crm_found(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(name: str, *texts: str) -> Contact:
        spelled = tuple(ContactNumber(f"電話{n}", text) for n, text in enumerate(texts, 1))
        return Contact(name, ContactKind.PERSON, name, numbers=spelled)

    found = [
        held("full width", "０９０ー１２３４ー５６７８"),
        held("one digit off", "090-1234-5679"),
        held("extension and a remark", "03-1111-2222", "+81 90 1234 5678（携帯）"),
        held("longer", "090-1234-56789"),
        held("no number", "電話なし"),
        held("nothing"),
    ]
    monkeypatch.setattr(office.crm, "find_contacts", lambda number: found)
    record = office.look_up()
    assert {(m.contact.name, m.field, m.as_typed) for m in record.lookup.matches} == {
        ("full width", "電話1", "０９０ー１２３４ー５６７８"),
        ("extension and a remark", "電話2", "+81 90 1234 5678（携帯）"),
    }


def test_a_contact_that_holds_the_number_twice_is_one_match(office: Office) -> None:
    office.crm.add("c1", "山田 太郎", "090-1234-5678", "09012345678")
    assert names(office.look_up()) == ["山田 太郎"]


def test_several_matches_are_ranked_by_what_was_learned_and_who_was_spoken_with(office: Office) -> None:
    for contact_id, name in (("c1", "受付"), ("c2", "山田"), ("c3", "鈴木")):
        office.crm.add(contact_id, name, TARO)
    assert names(office.look_up()) == ["受付", "山田", "鈴木"]
    ended = Call("CA-before", Direction.INBOUND, party=TARO, started_at=NOON - timedelta(days=3))
    spoken = _answered(ended)
    with office.database.transaction() as connection:
        calls.save(connection, CallRecord(spoken, Number(CallerKind.NUMBER, TARO, TARO), contact_id="c3"), NOON)
    assert names(office.look_up("CA2")) == ["鈴木", "受付", "山田"]
    with office.database.transaction() as connection:
        picked = Choice(office.crm.contacts["c2"], ChoiceHow.PICKED, "佐藤", NOON)
        numbers.learn(connection, "memory", TARO, picked)
    record = office.look_up("CA3")
    assert names(record) == ["山田", "鈴木", "受付"]
    assert (record.lookup.learned, record.contact_id) == (picked, "c2")
    office.now = NOON + timedelta(days=40)
    assert names(office.look_up("CA4")) == ["山田", "受付", "鈴木"], "who was spoken with long ago counts no more"


def _answered(call: Call) -> Call:
    from cti_bridge.model import CallEvent, EventKind

    for leg, status in (("CA-leg", LegStatus.IN_PROGRESS), (call.id, LegStatus.COMPLETED)):
        at = call.started_at or NOON
        call = call.apply(CallEvent(leg, EventKind.STATUS, call.id, leg, at, status, LegRole.UNKNOWN))
    return call


def test_a_crm_without_activities_is_not_asked_for_them(office: Office) -> None:
    office.crm.capabilities = Capabilities(activity=False)
    contact = office.crm.add("c1", "山田 太郎", TARO)
    office.look_up()
    office.lookups.look_at("CA1", contact)
    assert office.crm.asked == ["find_contacts"]


@pytest.mark.parametrize("trouble", [ConnectorUnavailable(), ConnectorRefused("No."), RuntimeError("a bug")])
def test_activity_that_does_not_come_leaves_the_match_as_it_is(
    office: Office, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def fail(contact: object) -> None:
        raise trouble

    office.crm.add("c1", "山田 太郎", TARO)
    monkeypatch.setattr(office.crm, "recent_activity", fail)
    record = office.look_up()
    assert (names(record), record.lookup.state) == (["山田 太郎"], LookupState.DONE)
    assert (record.lookup.story.of, record.lookup.story.state) == ("c1", LookupState.FAILED)


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fresh_answer_pops_while_the_crm_is_asked_again_behind_it(office: Office) -> None:
    office.crm.add("c1", "山田 太郎", TARO)
    office.look_up()
    office.crm.gate.clear()
    office.now += timedelta(hours=23)
    office.ring("CA2")
    office.lookups.start("CA2", TARO)
    record = office.when(lambda record: record.lookup.source == "index", "CA2")
    assert (names(record), record.lookup.stale, record.lookup.fetched_at) == (["山田 太郎"], False, NOON)
    office.crm.add("c1", "山田 太郎（退職）", TARO)
    office.crm.gate.set()
    record = office.when(lambda record: record.lookup.source == "crm", "CA2")
    assert names(record) == ["山田 太郎（退職）"]


def test_an_old_answer_does_not_pop_before_the_crm_was_asked(office: Office) -> None:
    office.crm.add("c1", "山田 太郎", TARO)
    office.look_up()
    office.now += timedelta(hours=25)
    office.crm.gate.clear()
    office.ring("CA2")
    office.lookups.start("CA2", TARO)
    office.when(lambda _: len(office.crm.asked) > 2, "CA2")
    assert office.record("CA2").lookup.state is LookupState.WAITING


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (ConnectorUnavailable("down"), "unavailable"),
        (ConnectorRefused("no right"), "refused"),
        (RuntimeError("a bug"), "bug"),
    ],
)
def test_when_the_crm_does_not_answer_what_it_said_before_is_shown_as_stale(
    office: Office, trouble: Exception, told: str
) -> None:
    office.crm.add("c1", "山田 太郎", TARO)
    office.look_up()
    office.now += timedelta(days=90)
    office.crm.trouble = trouble
    lookup = office.look_up("CA2").lookup
    assert (lookup.state, lookup.source, lookup.stale, lookup.trouble) == (LookupState.FAILED, "index", True, told)
    assert (lookup.fetched_at, lookup.matches[0].contact.name) == (NOON, "山田 太郎")
    nobody = office.look_up("CA3", "+819099998888").lookup
    assert (nobody.state, nobody.source, nobody.stale, nobody.matches) == (LookupState.FAILED, None, False, ())


def test_memory_of_a_number_that_is_not_the_contacts_any_more_matches_nobody(office: Office) -> None:
    elsewhere = Contact("c1", ContactKind.PERSON, "山田", numbers=(ContactNumber("携帯", "090-0000-0000"),))
    with office.database.transaction() as connection:
        numbers.remember(connection, "memory", TARO, (elsewhere,), NOON)
    office.crm.trouble = ConnectorUnavailable()
    assert office.look_up().lookup.matches == ()


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_the_deadline_the_card_says_so_and_the_answer_still_comes(office: Office) -> None:
    office.lookups._deadline = 0.02
    office.crm.add("c1", "山田 太郎", TARO)
    office.crm.gate.clear()
    office.ring()
    office.lookups.start("CA1", TARO)
    record = office.when(lambda record: record.lookup.state is LookupState.FAILED)
    assert record.lookup.trouble == "late"
    office.crm.gate.set()
    record = office.when(lambda record: record.lookup.state is LookupState.DONE)
    assert (names(record), record.lookup.trouble) == (["山田 太郎"], None)


def test_an_answer_that_came_in_time_is_not_called_late(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    late: list[str] = []
    monkeypatch.setattr(office.lookups, "_say_late", late.append)
    office.lookups._deadline = 5.0
    office.look_up("CA-quick")
    office.lookups._deadline = 0.05
    office.crm.gate.clear()
    office.ring("CA-slow")
    office.lookups.start("CA-slow", TARO)
    office.when(lambda _: bool(late), "CA-slow")
    assert late == ["CA-slow"]


def test_a_deadline_that_strikes_at_the_very_moment_of_the_answer_takes_nothing_back(office: Office) -> None:
    office.crm.add("c1", "山田 太郎", TARO)
    answered = office.look_up()
    office.lookups._say_late("CA1")
    assert office.record() == answered


def test_a_lookup_is_not_started_twice_at_once(office: Office) -> None:
    office.crm.gate.clear()
    office.ring()
    for _ in range(3):
        office.lookups.start("CA1", TARO)
    office.crm.gate.set()
    office.when(lambda record: "CA1" not in office.lookups._waiting)
    assert office.crm.asked == ["find_contacts"]


def test_in_a_crowd_the_crm_is_spared(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups_module, "MOST_WAITING", 1)
    office.crm.gate.clear()
    office.ring()
    office.lookups.start("CA1", TARO)
    office.ring("CA2")
    office.lookups.start("CA2", TARO)
    record = office.when(lambda record: record.lookup.state is LookupState.FAILED, "CA2")
    assert record.lookup.trouble == "crowded"
    assert office.crm.asked == ["find_contacts"]


def test_a_crm_that_keeps_failing_is_left_alone(office: Office) -> None:
    office.crm.trouble = ConnectorUnavailable("down")
    for n in range(3):
        assert office.look_up(f"CA{n}").lookup.trouble == "unavailable"
    assert office.look_up("CA-next").lookup.trouble == "down"
    assert len(office.crm.asked) == 3
    assert office.lookups.circuit.health == "down"
    assert office.woken.count("health") == 2, "once slow, once down"


def test_a_refusal_shows_that_the_crm_is_there(office: Office) -> None:
    office.lookups.circuit.failed()
    office.crm.trouble = ConnectorRefused("no right")
    office.look_up()
    assert office.lookups.circuit.health == "ok"


# ── when something else is wrong ─────────────────────────────────────────────────────────────────────────────────────


def test_a_call_that_is_not_there_is_no_trouble(office: Office) -> None:
    office.crm.add("c1", "山田 太郎", TARO)
    assert office.lookups.ask("CA-gone", PhoneNumber(TARO)) is None


def test_the_same_answer_again_changes_nothing(office: Office) -> None:
    office.crm.add("c1", "山田 太郎", TARO)
    before = office.look_up()
    office.lookups.ask("CA1", PhoneNumber(TARO))
    assert office.record().version == before.version


@pytest.mark.parametrize("where", ["recall", "remember"])
def test_a_lost_database_ends_the_lookup_and_nothing_else(
    office: Office, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def gone(*_: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(numbers, where, gone)
        office.ring()
        office.lookups.start("CA1", TARO)
        office.when(lambda record: "CA1" not in office.lookups._waiting)
    assert office.look_up("CA2").lookup.state is LookupState.DONE


def test_lookups_that_were_never_opened_say_so(database: Database) -> None:
    closed = Office(database).lookups
    with pytest.raises(RuntimeError, match="not open"):
        closed.start("CA1", TARO)
    with pytest.raises(RuntimeError, match="not open"):
        closed.submit(lambda: None)
    closed.close()


def test_after_closing_nothing_is_begun(office: Office) -> None:
    office.ring()
    office.lookups.close()
    office.lookups.start("CA1", TARO)
    office.lookups.submit(lambda: office.crm.asked.append("too late"))
    assert office.crm.asked == []
