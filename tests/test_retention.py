"""What is old goes, a little at a time and by one process for all; what is owed to the CRM never does."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from cti_bridge import retention
from cti_bridge.model import Choice, ChoiceHow
from cti_bridge.retention import Keep, Tidied, Tidying
from cti_bridge.settings import Settings
from cti_bridge.store import Database, audit, calls, chores, numbers
from cti_bridge.store import retention as old
from cti_bridge.store.audit import COMMAND_LINE
from cti_bridge.store.calls import call_events, rings
from cti_bridge.store.outbox import OutboxState, outbox
from tests.callers import NOW, TARO, a_call, dumped, office, taro
from tests.desk import CONFIG

DAY = timedelta(days=1)
KEEP = Keep(calls=400 * DAY, webhooks=30 * DAY, index=90 * DAY, audit=1095 * DAY)


@pytest.fixture(autouse=True)
def breathless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BREATH", 0.0)


def tidying(database: Database, keep: Keep = KEEP, now: datetime = NOW) -> Tidying:
    return Tidying(database, keep, clock=lambda: now)


def tidied(database: Database, keep: Keep = KEEP) -> Tidied:
    done = tidying(database, keep).tidy(every=timedelta(0))
    assert done is not None
    return done


def count(database: Database, table: str) -> int:
    return len(dumped(database)[table])


def add_call(
    database: Database,
    call_id: str,
    age: timedelta,
    log: OutboxState | None = OutboxState.DELIVERED,
    party: str = TARO.e164,
    *,
    ended: bool = True,
) -> None:
    with database.transaction() as connection:
        known = connection.execute(select(rings.c.agent_id)).scalars().first()
        agent_id = known or office(connection)
        a_call(connection, call_id, party, agent_id, at=NOW - age, log=log, contact=taro("contact:1"), ended=ended)


def test_a_call_goes_with_all_that_belongs_to_it_when_it_is_old(database: Database) -> None:
    add_call(database, "CA-old", 401 * DAY)
    add_call(database, "CA-new", 399 * DAY)

    done = tidied(database)
    assert done.rows == {"webhooks": 6, "calls": 1, "picks": 0, "index": 0, "audit": 0}
    with database.reading() as connection:
        for of in (calls.calls.c.id, rings.c.call_id, outbox.c.call_id):
            assert list(connection.execute(select(of)).scalars()) == ["CA-new"], of


@pytest.mark.parametrize("state", [OutboxState.PENDING, OutboxState.PARKED])
def test_a_call_whose_log_is_not_in_the_crm_is_never_old(database: Database, state: OutboxState) -> None:
    add_call(database, "CA-owed", 3000 * DAY, state)
    add_call(database, "CA-old", 401 * DAY)

    done = tidied(database)
    assert (done.rows["calls"], done.owed) == (1, 1)
    with database.reading() as connection:
        record = calls.get(connection, "CA-owed")
        assert record is not None
        assert connection.execute(select(outbox.c.state)).scalars().all() == [state]


def test_a_log_that_somebody_gave_up_and_a_call_without_an_end_go_with_their_age(database: Database) -> None:
    add_call(database, "CA-given-up", 401 * DAY, OutboxState.GIVEN_UP)
    add_call(database, "CA-no-end", 401 * DAY, None, ended=False)
    assert tidied(database).rows["calls"] == 2


def test_a_note_that_is_corrected_meanwhile_keeps_its_call(database: Database) -> None:
    add_call(database, "CA-old", 401 * DAY)
    [keys] = list(old.CALLS.find(database, NOW - 400 * DAY))
    with database.transaction() as connection:
        connection.execute(outbox.update().values(state=OutboxState.PENDING))
        assert old.CALLS.delete(connection, keys, NOW - 400 * DAY) == 0
    assert count(database, "calls") == 1


def test_webhooks_go_before_their_call_and_never_after_it(database: Database) -> None:
    add_call(database, "CA-1", 31 * DAY)
    add_call(database, "CA-2", 29 * DAY)
    assert tidied(database).rows["webhooks"] == 3
    with database.reading() as connection:
        assert set(connection.execute(select(call_events.c.call_id)).scalars()) == {"CA-2"}
        assert calls.get(connection, "CA-1") is not None


def test_more_than_one_read_of_webhooks_goes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old, "SOME", 4)
    monkeypatch.setattr(old, "BATCH", 3)
    for number in range(5):
        add_call(database, f"CA-{number}", 401 * DAY)
    done = tidied(database)
    assert (done.rows["webhooks"], done.rows["calls"]) == (15, 5)
    assert count(database, "call_events") == 0


def test_what_the_crm_said_goes_when_the_number_has_not_called_again(database: Database) -> None:
    with database.transaction() as connection:
        numbers.remember(connection, "local", "+81311111111", (), NOW - 91 * DAY)
        numbers.remember(connection, "local", "+81322222222", (), NOW - 89 * DAY)
    assert tidied(database).rows["index"] == 1
    assert "+81322222222" in dumped(database)["number_index"][0]


def test_a_choice_is_kept_as_long_as_a_call_of_its_number(database: Database) -> None:
    add_call(database, "CA-1", 10 * DAY, party="+81311111111")
    with database.transaction() as connection:
        long_ago = Choice(taro("contact:1"), ChoiceHow.PICKED, "佐藤", NOW - 500 * DAY)
        lately = Choice(taro("contact:1"), ChoiceHow.PICKED, "佐藤", NOW - 5 * DAY)
        for number, choice in (("+81311111111", long_ago), ("+81322222222", long_ago), ("+81333333333", lately)):
            numbers.learn(connection, "local", number, choice)
    assert tidied(database).rows["picks"] == 1
    assert "+81322222222" not in "".join(dumped(database)["picks"])


def test_old_entries_of_the_audit_log_go_and_that_is_told(database: Database) -> None:
    with database.transaction() as connection:
        for age in (1096, 1094):
            audit.note(connection, COMMAND_LINE, "signed_in", "agent:1", NOW - age * DAY)
    assert tidied(database).rows["audit"] == 1
    with database.reading() as connection:
        rows = connection.execute(select(audit.audit).order_by(audit.audit.c.id)).all()
    assert [row.action for row in rows] == ["signed_in", "audit_tidied"]
    assert rows[1].details["entries"] == 1


def test_zero_days_are_for_ever(database: Database) -> None:
    add_call(database, "CA-old", 9000 * DAY)
    settings = Settings.read(
        {**CONFIG, **{f"CTI_KEEP_{kind}_DAYS": "0" for kind in ("CALLS", "WEBHOOKS", "INDEX", "AUDIT")}}
    )
    before = dumped(database)
    assert tidied(database, Keep.read(settings)).rows == {}
    before.pop("chores")
    assert {name: rows for name, rows in dumped(database).items() if name != "chores"} == before


@pytest.mark.parametrize(
    ("calls_days", "webhooks_days", "kept"), [(10, 30, 10), (400, 30, 30), (10, 0, 10), (0, 0, None)]
)
def test_a_webhook_is_not_kept_longer_than_its_call(calls_days: int, webhooks_days: int, kept: int | None) -> None:
    days = {"CTI_KEEP_CALLS_DAYS": str(calls_days), "CTI_KEEP_WEBHOOKS_DAYS": str(webhooks_days)}
    assert Keep.read(Settings.read({**CONFIG, **days})).webhooks == (kept * DAY if kept else None)


def test_what_would_go_is_counted_and_stays(database: Database) -> None:
    add_call(database, "CA-old", 401 * DAY)
    add_call(database, "CA-owed", 401 * DAY, OutboxState.PARKED)
    before = dumped(database)
    due = tidying(database).due()
    assert (due.rows["calls"], due.rows["webhooks"], due.owed) == (1, 6, 1)
    assert dumped(database) == before
    assert tidied(database).rows == due.rows


# ── one process for all ──────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_done_once_a_day_by_whoever_looks_first(database: Database) -> None:
    assert tidying(database).tidy() is not None
    assert tidying(database, now=NOW + timedelta(hours=22)).tidy() is None
    assert tidying(database, now=NOW + timedelta(hours=23)).tidy() is not None


def test_while_one_is_at_it_no_other_begins(database: Database) -> None:
    with database.transaction() as connection:
        held = chores.claim(connection, "tidy", now=NOW, lease=timedelta(minutes=5), every=DAY)
    assert held == NOW + timedelta(minutes=5)
    assert tidying(database).tidy(every=timedelta(0)) is None
    assert tidying(database, now=NOW + timedelta(minutes=6)).tidy() is not None, "it was killed: its lease has run out"


def test_whoever_lost_the_lease_leaves_the_rest_alone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old, "BATCH", 1)
    for number in range(3):
        add_call(database, f"CA-{number}", 401 * DAY)
    moments = iter([NOW + timedelta(minutes=6 * step) for step in range(200)])
    slow = Tidying(database, KEEP, clock=lambda: next(moments))
    renew = chores.renew

    def lost(connection: object, name: str, held: datetime, until: datetime) -> bool:
        return renew(connection, name, held + DAY, until)  # type: ignore[arg-type]

    monkeypatch.setattr(chores, "renew", lost)
    done = slow.tidy()
    assert done is not None
    assert sum(done.rows.values()) == 1
    with database.reading() as connection:
        assert connection.execute(select(chores.chores.c.done_at)).scalar_one() is None, "somebody else finishes it"


def test_a_process_that_ends_stops_between_two_batches_and_leaves_it_due(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old, "BATCH", 1)
    for number in range(3):
        add_call(database, f"CA-{number}", 401 * DAY)
    ending = tidying(database)
    ending._stopping.set()
    assert ending.tidy() is not None
    assert 0 < count(database, "call_events") < 9
    assert tidying(database).tidy() is not None, "the next process goes on at once"
    assert count(database, "calls") == 0


def test_several_at_once_do_it_once(database: Database) -> None:
    for number in range(5):
        add_call(database, f"CA-{number}", 401 * DAY)
    barrier, results = threading.Barrier(4), []

    def go() -> None:
        barrier.wait(5)
        results.append(tidying(database).tidy())

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    done = [result for result in results if result is not None]
    assert [result.rows["calls"] for result in done] == [5]


def test_the_thread_does_it_by_itself_and_survives_trouble(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    add_call(database, "CA-old", 401 * DAY)
    gone, first = threading.Event(), threading.Event()
    tidy = Tidying.tidy

    def once_broken(self: Tidying) -> Tidied | None:
        if not first.is_set():
            first.set()
            raise RuntimeError("a bug")
        done = tidy(self)
        gone.set()
        return done

    monkeypatch.setattr(Tidying, "tidy", once_broken)
    running = Tidying(database, KEEP, clock=lambda: NOW, look=0.01)
    running.start()
    assert gone.wait(10), "the thread never tidied"
    running.stop()
    assert count(database, "calls") == 0


def test_webhooks_are_taken_while_it_goes_on(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.conftest import empty

    empty(sqlite_database)
    monkeypatch.setattr(old, "BATCH", 1)
    for number in range(10):
        add_call(sqlite_database, f"CA-{number}", 401 * DAY)
    between: list[int] = []
    for _ in old.batches(sqlite_database, old.WEBHOOKS, NOW - 30 * DAY):
        with sqlite_database.transaction() as connection:  # a webhook's; it would wait if one transaction did it all
            between.append(connection.execute(select(func.count()).select_from(call_events)).scalar_one())
    assert between == list(range(29, -1, -1))
