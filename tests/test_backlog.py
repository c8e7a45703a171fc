"""What an administrator sees of the outbox and does about it: figures, list, try again, give up, correct."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cti_bridge.backlog import DELIVERED, SINCE_EVER, Backlog
from cti_bridge.circuit import Circuit
from cti_bridge.errors import ConnectorRefused, StoreUnavailable
from cti_bridge.live.hub import Hub
from cti_bridge.metrics import Metrics
from cti_bridge.model import Correction, Omission, RecordLink
from cti_bridge.outbox import LEASE, Outbox
from cti_bridge.store import Database, calls
from cti_bridge.store import outbox as entries
from cti_bridge.store.outbox import Entry, OutboxState, Standing
from cti_bridge.store.tallies import Tallies
from tests.desk import Desk, at_desk
from tests.outboxes import CALL, NOON, HandClock, a_worker, claim, enqueue, entry_of

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def backlog(database: Database, clock: HandClock) -> Backlog:
    return Backlog(database, Hub(), clock=clock)


def put_one_of_each(database: Database, clock: HandClock) -> dict[Standing, int]:
    """An entry of each standing; their ids."""
    worker = a_worker(database, RecordLink, clock)
    waits = {Standing.WAITING: MINUTE, Standing.WRITING: -9 * MINUTE, Standing.DUE: -MINUTE}
    for standing in Standing:
        enqueue(database, worker, f"CA-{standing}", run_at=NOON + waits.get(standing, -MINUTE))
    made = {standing: entry_of(database, f"CA-{standing}") for standing in Standing}
    with database.transaction() as connection:
        changes: dict[Standing, dict[str, object]] = {
            Standing.WRITING: {"leased": True, "run_at": NOON + LEASE, "attempts": 1},
            Standing.RETRYING: {"failures": 2, "run_at": NOON + 5 * MINUTE},
            Standing.PARKED: {"state": "parked"},
            Standing.GIVEN_UP: {"state": "given_up", "reason": "a test call"},
            Standing.DELIVERED: {"state": "delivered"},
        }
        for standing, change in changes.items():
            connection.execute(entries.outbox.update().where(entries.outbox.c.id == made[standing].id).values(**change))
    return {standing: entry.id for standing, entry in made.items()}


# ── seeing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_the_figures_and_the_entry_itself_agree_on_how_it_stands(
    database: Database, backlog: Backlog, clock: HandClock
) -> None:
    ids = put_one_of_each(database, clock)
    for standing, entry_id in ids.items():
        assert [entry.id for entry in backlog.listed([standing])] == [entry_id], standing
        found = backlog.find(entry_id)
        assert found is not None
        assert found.standing(clock()) is standing
    figures = backlog.figures()
    assert figures.standing == dict.fromkeys(set(Standing) - {Standing.DELIVERED}, 1)
    assert figures.late == 9 * MINUTE


def test_a_long_list_comes_in_pages(database: Database, backlog: Backlog, clock: HandClock) -> None:
    worker = a_worker(database, RecordLink, clock)
    for number in range(5):
        enqueue(database, worker, f"CA-{number}")
    first = backlog.listed([Standing.DUE], limit=3)
    rest = backlog.listed([Standing.DUE], limit=3, after=first[-1].id)
    assert [entry.call_id for entry in (*first, *rest)] == [f"CA-{number}" for number in range(5)]


def test_the_metrics_tell_the_figures_of_all_processes(database: Database, backlog: Backlog, clock: HandClock) -> None:
    put_one_of_each(database, clock)
    Tallies(database).add(DELIVERED, SINCE_EVER, 41)
    Tallies(database).add(DELIVERED, SINCE_EVER, 1)
    metrics = Metrics("local", lambda: ())
    metrics.watch_logs(backlog.figures)
    told = {
        (sample.name, sample.labels.get("standing")): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }
    assert {standing: told["cti_call_logs", standing] for standing in ("due", "retrying", "parked", "given_up")} == {
        "due": 1,
        "retrying": 1,
        "parked": 1,
        "given_up": 1,
    }
    assert told["cti_call_logs_late_seconds", None] == 540
    assert told["cti_call_logs_delivered_total", None] == 42


def test_the_metrics_are_there_though_the_database_is_not() -> None:
    def gone() -> None:
        raise StoreUnavailable("gone")

    metrics = Metrics("local", lambda: ())
    metrics.watch_logs(gone)  # type: ignore[arg-type]
    assert b"cti_sockets" in metrics.text()


# ── trying again and giving up ───────────────────────────────────────────────────────────────────────────────────────


def test_what_was_given_up_stays_so_whatever_happens_to_the_call_until_somebody_wants_it(
    database: Database, backlog: Backlog, clock: HandClock
) -> None:
    worker = a_worker(database, _refuse, clock)
    enqueue(database, worker)
    worker.work()
    entry = entry_of(database)
    assert backlog.give_up(entry.id, "出張中の試験通話")
    enqueue(database, worker)
    given_up = entry_of(database)
    assert (given_up.state, given_up.reason, given_up.last_error) == (
        OutboxState.GIVEN_UP,
        "出張中の試験通話",
        "No.",
    )
    assert backlog.retry() == 0, "all that are parked are tried again, not what was given up"
    assert backlog.retry(entry.id) == 1
    revived = entry_of(database)
    assert (revived.state, revived.reason, revived.run_at) == (OutboxState.PENDING, None, NOON)


def test_a_log_that_is_being_written_or_is_in_the_crm_cannot_be_given_up(
    database: Database, backlog: Backlog, clock: HandClock
) -> None:
    ids = put_one_of_each(database, clock)
    refused = {standing for standing, entry_id in ids.items() if not backlog.give_up(entry_id, "no more")}
    assert refused == {Standing.WRITING, Standing.DELIVERED, Standing.GIVEN_UP}
    assert not backlog.give_up(max(ids.values()) + 1, "there is none")


def test_an_administrator_need_not_wait_for_the_next_try(
    database: Database, backlog: Backlog, clock: HandClock
) -> None:
    ids = put_one_of_each(database, clock)
    assert backlog.retry(ids[Standing.RETRYING]) == 1
    assert backlog.retry(ids[Standing.WRITING]) == 0
    assert backlog.retry(ids[Standing.DELIVERED]) == 0
    found = backlog.find(ids[Standing.RETRYING])
    assert found is not None
    assert found.standing(clock()) is Standing.DUE


def _refuse(_call_id: str) -> RecordLink:
    raise ConnectorRefused("No.")


# ── correcting ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    with at_desk(database) as opened:
        yield opened


def refused(desk: Desk, note: str = "絵文字😀入り") -> Entry:
    """A call whose log the CRM has refused."""
    desk.crm.add("c1", "山田 太郎", "+819012345678")
    call_id = desk.hang_up(desk.answer(desk.call_in()))
    desk.bridge.outbox.stop()
    desk.ask("POST", f"/calls/{call_id}/completion", {"note": note, "disposition": "callback"})
    desk.crm.trouble = ConnectorRefused("結果の値が選択肢にありません。")
    worker(desk).work()
    desk.crm.trouble = None
    with desk.bridge.database.reading() as connection:
        entry = entries.entry_of(connection, call_id, "call_log")
    assert entry is not None
    assert entry.state is OutboxState.PARKED, entry
    return entry


def worker(desk: Desk) -> Outbox:
    bridge = desk.bridge
    return Outbox(
        bridge.database,
        bridge.hub,
        lambda entry, ready: bridge.logs.write(entry.call_id, entry.correction, ready),
        Circuit(),
    )


def test_a_refused_log_is_corrected_and_written(desk: Desk) -> None:
    entry = refused(desk)
    composed = desk.bridge.logs.correct(entry.id, Correction(disposition="その他", note="絵文字なし"))
    assert worker(desk).work()
    log = desk.crm.logs[entry.call_id]
    assert log == composed
    assert (log.disposition, log.note) == ("その他", "絵文字なし")
    assert "結果: その他" in log.body
    assert "絵文字😀入り" not in log.body
    assert desk.bridge.backlog.listed([Standing.DELIVERED])[-1].id == entry.id


def test_corrections_add_up(desk: Desk) -> None:
    entry = refused(desk)
    correct = desk.bridge.logs.correct
    correct(entry.id, Correction(subject="電話"))
    correct(entry.id, Correction(note="短く", without=frozenset({Omission.CONTACT})))
    correct(entry.id, Correction(without=frozenset({Omission.AGENT})))
    assert worker(desk).work()
    log = desk.crm.logs[entry.call_id]
    assert (log.subject, log.note, log.contact, log.agent_name, log.agent_email) == ("電話", "短く", None, "", "")
    assert "担当: -" in log.body


def test_what_the_agent_says_after_the_correction_counts(desk: Desk) -> None:
    entry = refused(desk)
    desk.bridge.logs.correct(entry.id, Correction(note="絵文字なし", disposition="その他"))
    with desk.bridge.database.transaction() as connection:
        record = calls.get(connection, entry.call_id, for_update=True)
        assert record is not None
        calls.save(connection, replace(record, note="折り返し済み"), record.call.ended_at or NOON)
    assert worker(desk).work()
    log = desk.crm.logs[entry.call_id]
    assert (log.note, log.disposition) == ("折り返し済み", "その他"), "the disposition was not said anew"


def test_a_recording_and_what_the_call_was_about_can_be_left_out(desk: Desk) -> None:
    entry = refused(desk)
    with desk.bridge.database.transaction() as connection:
        record = calls.get(connection, entry.call_id, for_update=True)
        assert record is not None
        recorded = replace(record, call=replace(record.call, recording_id="RE1"))
        calls.save(connection, recorded, NOON)
    logs = desk.bridge.logs
    whole = logs.preview(entry.call_id)
    assert whole is not None
    assert whole.recording_id == "RE1"
    bare = logs.preview(entry.call_id, Correction(without=frozenset({Omission.RECORDING, Omission.RELATED})))
    assert bare is not None
    assert (bare.recording_id, bare.recording_url, bare.related) == (None, None, None)


def test_a_correction_while_the_log_is_being_written_is_written_after_it(database: Database, clock: HandClock) -> None:
    outbox = a_worker(database, RecordLink, clock)
    enqueue(database, outbox)
    writing = claim(database, clock)
    with database.transaction() as connection:
        assert entries.correct(connection, writing, Correction(note="new"), clock())
        assert entries.entry_of(connection, CALL, "call_log") is not None
        entries.deliver(connection, writing, record_id="1", record_url=None, now=clock())
    after = entry_of(database)
    assert (after.state, after.correction) == (OutboxState.PENDING, Correction(note="new"))


def test_correcting_what_is_not_there_says_so(desk: Desk) -> None:
    assert desk.bridge.logs.correct(4711, Correction(note="x")) is None
    assert desk.bridge.logs.preview("CA-nowhere") is None


def test_a_correction_is_told_to_the_log_without_its_words(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    entry = refused(desk)
    with caplog.at_level("INFO"):
        desk.bridge.logs.correct(entry.id, Correction(note="秘密の内容"))
        worker(desk).work()
    told = [line.getMessage() for line in caplog.records if "log_correct" in line.getMessage()]
    assert len(told) == 2, "told when it is kept, and when it is written"
    assert all('"note"' in line and "秘密" not in line for line in told)
