"""One person's data: everything is found, everything goes, and what must stay is nobody's any more."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cti_bridge.model import CallerKind, Outcome
from cti_bridge.phone import PhoneNumber
from cti_bridge.privacy import CannotErase, NotTheirRecord, OurOwnNumber, Privacy
from cti_bridge.store import Database, calls
from cti_bridge.store.audit import COMMAND_LINE, audit
from cti_bridge.store.calls import call_events
from cti_bridge.store.outbox import OutboxState
from cti_bridge.store.personal.columns import REGISTRY, customer_columns
from cti_bridge.store.personal.erasing import Obstacle
from cti_bridge.store.personal.rows import Wanted
from cti_bridge.store.records.contacts import RecordId
from tests.callers import (
    JIRO,
    MAIN_LINE,
    NAME,
    NOTE,
    NOW,
    READING,
    RECORDING,
    TARO,
    TAROS_DESK,
    TITLE,
    a_call,
    all_about_taro,
    dumped,
    office,
    traces,
)


def privacy(database: Database) -> Privacy:
    return Privacy(
        database, lambda text: f"{hash(text):032x}"[-32:].replace("-", "0"), connector="local", clock=lambda: NOW
    )


def erase(database: Database, *records: str) -> None:
    answers = privacy(database)
    chosen = [record for text in records if (record := RecordId.read(text))]
    answers.erase(answers.plan(TARO, chosen), COMMAND_LINE)


# ── everything ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_export_of_a_number_holds_everything_of_it_and_of_nobody_else(database: Database) -> None:
    scene = all_about_taro(database)
    told = privacy(database).export(Wanted(TARO), COMMAND_LINE)
    rows = told["rows"]

    assert [call["id"] for call in rows["calls"]] == ["CA1"]
    assert rows["calls"][0]["note"] == NOTE
    assert len(rows["call_events"]) == 3, "the raw webhooks"
    assert all(event["parameters"]["From"] == TARO.e164 for event in rows["call_events"])
    assert {entry["call_id"] for entry in rows["outbox"]} == {"CA1"}
    assert rows["picks"][0]["choice"]["contact"]["name"] == NAME
    assert {row["number"] for row in rows["number_index"]} == {TARO.e164}
    assert [person["name"] for person in rows["crm_contacts"]] == [NAME]
    assert len(rows["crm_numbers"]) == 2
    assert {activity["source_id"] for activity in rows["crm_activities"]} == {"CA1", "V-1"}
    assert (len(rows["crm_orders"]), len(rows["crm_cases"])) == (1, 1)
    assert told["held_by_others"]["recordings_at_twilio"] == [RECORDING]
    assert told["held_by_others"]["contacts"] == [{"id": scene.taro, "url": f"https://crm.example/{scene.taro}"}]
    assert told["held_by_others"]["call_logs"] == ["https://crm.example/log/CA1"]
    json.dumps(told)


def test_others_rows_that_mention_the_number_are_told_in_excerpts_only(database: Database) -> None:
    all_about_taro(database)
    mentioned = privacy(database).export(Wanted(TARO), COMMAND_LINE)["mentioned_elsewhere"]

    assert {"calls", "crm_activities", "crm_contacts", "number_index", "outbox", "picks"} == set(mentioned)
    [call] = [mention for mention in mentioned["calls"] if mention["column"] == "note"]
    assert (call["row"], call["excerpts"]) == (["CA2"], ["妻は０９０－１２３４－５６７８"])
    assert "080-9999-8888" not in json.dumps(mentioned, ensure_ascii=False)


def test_the_export_of_a_contact_leaves_out_who_shares_the_number(database: Database) -> None:
    scene = all_about_taro(database)
    told = privacy(database).export(Wanted(None, [scene.taro]), COMMAND_LINE)

    assert {call["id"] for call in told["rows"]["calls"]} == {"CA1", "CA3"}, "from whichever number"
    assert [person["name"] for person in told["rows"]["crm_contacts"]] == [NAME]
    assert "次郎" not in json.dumps(told, ensure_ascii=False)


def test_an_export_is_told_to_the_audit_log_without_the_number(database: Database) -> None:
    all_about_taro(database)
    answers = privacy(database)
    answers.export(Wanted(TARO), COMMAND_LINE)
    with database.reading() as connection:
        [row] = connection.execute(select(audit)).all()
    assert (row.action, row.subject) == ("personal_data_exported", answers.subject(TARO))
    assert not [trace for trace in traces(database) if trace.startswith("audit")]
    again = answers.export(Wanted(TARO), COMMAND_LINE)
    assert [noted["action"] for noted in again["rows"]["audit"]] == ["personal_data_exported"], "they may know of it"


def test_an_agents_own_number_is_told_without_the_password(database: Database) -> None:
    all_about_taro(database)
    told = privacy(database).export(Wanted(PhoneNumber("+818000000001")), COMMAND_LINE)
    assert [agent["name"] for agent in told["rows"]["agents"]] == ["佐藤"]
    assert "password_hash" not in json.dumps(told)


# ── erasing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_table_with_something_of_customers_is_filled_in_these_tests(database: Database) -> None:
    all_about_taro(database)
    filled = {name for name, rows in dumped(database).items() if rows}
    missing = {name for name in REGISTRY if customer_columns(name)} - filled
    assert not missing, f"tests/callers.py tells nothing of Taro in {sorted(missing)}, so that nobody sees it erased"


def test_no_spelling_of_an_erased_number_is_left_in_any_table(database: Database) -> None:
    all_about_taro(database)
    assert len(traces(database)) > 10
    erase(database)
    assert traces(database) == []


def test_name_and_note_go_with_the_numbers_own_rows(database: Database) -> None:
    all_about_taro(database)
    erase(database)
    left = [trace for trace in traces(database, NAME, NOTE, TITLE, RECORDING) if "CA1" in trace]
    assert left == [], "calls, webhooks, outbox entries and the embedded CRM's log of this number"


def test_with_the_whole_record_nothing_is_left_of_the_person(database: Database) -> None:
    scene = all_about_taro(database)
    erase(database, scene.taro)
    assert traces(database, NAME, "山田", READING, "やまだ", NOTE, TITLE, "taro@example.com", RECORDING) == []
    with database.reading() as connection:
        assert calls.get(connection, "CA3") is not None
    assert len(dumped(database)["crm_contacts"]) == 1, "Jiro's"
    assert [row for row in dumped(database)["crm_orders"] if "O-1" in row], "the books keep the order, without a name"


def test_what_statistics_need_stays(database: Database) -> None:
    sato = all_about_taro(database).sato
    with database.reading() as connection:
        before = calls.get(connection, "CA1")
    erase(database)
    with database.reading() as connection:
        after = calls.get(connection, "CA1")
        events = connection.execute(select(func.count()).select_from(call_events)).scalar_one()
    assert before is not None
    assert after is not None
    assert (after.call.outcome, after.call.agent_id, after.disposition) == (Outcome.ANSWERED, sato, "resolved")
    assert after.call.talk_time == before.call.talk_time == timedelta(minutes=2, seconds=55)
    assert (after.caller.kind, after.caller.raw, after.choice) == (CallerKind.WITHHELD, "", None)
    assert after.version > before.version, "screens that show the call draw it anew"
    assert events == 9, "a repeated webhook is still recognised"


def test_other_peoples_data_stays_but_for_the_number(database: Database) -> None:
    all_about_taro(database)
    erase(database)
    with database.reading() as connection:
        jiro = calls.get(connection, "CA2")
        desk = calls.get(connection, "CA3")
    assert jiro is not None
    assert (jiro.note, jiro.caller.number, jiro.contact_name) == ("妻は***", JIRO, "鈴木 次郎")
    assert desk is not None
    assert (desk.note, desk.caller.number, desk.contact_name) == ("机から", TAROS_DESK, NAME)
    contacts = dumped(database)["crm_contacts"]
    assert any("夫は ***" in row for row in contacts)
    assert any(NAME in row for row in contacts), "the record only loses the number"
    assert any('"03-1234-5678"' in row for row in dumped(database)["crm_numbers"])


def test_an_erasure_is_told_to_the_audit_log_by_a_hash(database: Database) -> None:
    all_about_taro(database)
    erase(database)
    with database.reading() as connection:
        [row] = connection.execute(select(audit)).all()
    assert (row.action, row.subject) == ("personal_data_erased", privacy(database).subject(TARO))
    assert row.details["calls"] == 1


def test_the_plan_counts_what_then_goes(database: Database) -> None:
    all_about_taro(database)
    answers = privacy(database)
    plan = answers.plan(TARO)
    before = dumped(database)
    assert plan.tally.deleted == {"number_index": 2, "picks": 1, "crm_numbers": 1}
    assert plan.tally.blanked == {"calls": 1, "call_events": 3, "outbox": 1, "crm_activities": 1}
    assert plan.tally.struck_out == {"calls": 2, "outbox": 1, "picks": 1, "crm_contacts": 2, "crm_activities": 1}
    assert dumped(database) == before, "a plan changes nothing"
    done = answers.erase(plan, COMMAND_LINE)
    assert (done.deleted, done.blanked, done.struck_out) == (
        plan.tally.deleted,
        plan.tally.blanked,
        plan.tally.struck_out,
    )


@pytest.mark.parametrize(
    ("ago", "ended", "log", "why"),
    [
        (timedelta(minutes=5), False, None, Obstacle.GOING_ON),
        (timedelta(minutes=5), True, OutboxState.DELIVERED, Obstacle.JUST_ENDED),
        (timedelta(days=1), True, OutboxState.PENDING, Obstacle.LOG_PENDING),
        (timedelta(days=1), True, OutboxState.PARKED, Obstacle.LOG_PARKED),
    ],
)
def test_what_is_not_over_or_not_in_the_crm_hinders_and_nothing_is_erased(
    database: Database, ago: timedelta, ended: bool, log: OutboxState | None, why: Obstacle
) -> None:
    sato = all_about_taro(database).sato
    with database.transaction() as connection:
        a_call(connection, "CA9", TARO.e164, sato, at=NOW - ago, ended=ended, log=log)
    answers = privacy(database)
    plan = answers.plan(TARO)
    assert [(one.call_id, one.why) for one in plan.hindrances] == [("CA9", why)]
    before = dumped(database)
    with pytest.raises(CannotErase):
        answers.erase(plan, COMMAND_LINE)
    assert dumped(database) == before


def test_a_call_whose_end_was_never_told_hinders_nobody_for_ever(database: Database) -> None:
    with database.transaction() as connection:
        a_call(connection, "CA9", TARO.e164, office(connection), at=NOW - timedelta(days=1), ended=False, log=None)
    erase(database)
    assert traces(database) == []


def test_a_call_that_comes_after_the_plan_stops_the_erasure(database: Database) -> None:
    sato = all_about_taro(database).sato
    answers = privacy(database)
    plan = answers.plan(TARO)
    with database.transaction() as connection:
        a_call(connection, "CA9", TARO.e164, sato, at=NOW - timedelta(minutes=1), ended=False, log=None)
    before = dumped(database)
    with pytest.raises(CannotErase) as stopped:
        answers.erase(plan, COMMAND_LINE)
    assert [one.why for one in stopped.value.hindrances] == [Obstacle.GOING_ON]
    assert dumped(database) == before


@pytest.mark.parametrize("number", [MAIN_LINE, "+818000000001"])
def test_our_own_numbers_are_not_a_customers(database: Database, number: str) -> None:
    all_about_taro(database)
    with pytest.raises(OurOwnNumber):
        privacy(database).plan(PhoneNumber(number))


def test_a_record_that_does_not_hold_the_number_is_not_erased_with_it(database: Database) -> None:
    scene = all_about_taro(database)
    jiro = RecordId.read(scene.jiro)
    assert jiro is not None
    with pytest.raises(NotTheirRecord):
        privacy(database).plan(TARO, [jiro])


def test_a_number_that_nobody_knows_has_an_empty_plan(database: Database) -> None:
    all_about_taro(database)
    plan = privacy(database).plan(PhoneNumber("+81455550100"))
    assert plan.found.nothing
    assert plan.tally.rows == 0
