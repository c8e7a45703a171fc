"""The demonstration's customers are believable, belong to nobody, and load again and again."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_bridge.demo.customers import CUSTOMERS, INTERESTING_CALLERS, InterestingCaller, load
from cti_bridge.phone import PhoneNumber
from cti_bridge.store.database import Database
from cti_bridge.store.records import Records

NOW = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
NOBODYS = ("+81320000", "+1415555014", "+1415555010", "+44207946", "+61255500", "+331990", "+493023125")


@pytest.fixture
def records(database: Database) -> Records:
    records = Records(database)
    load(records, NOW)
    return records


def test_there_are_about_sixty_customers_with_furigana_and_companies(records: Records) -> None:
    people = [customer for customer in records.customers() if customer.name]

    assert 55 <= len(people) <= 70
    assert all(customer.reading for customer in people)
    assert len({customer.company for customer in people}) > 25


def test_loading_again_doubles_nothing_and_keeps_what_was_added(records: Records) -> None:
    before = list(records.customers())
    sakura = records.search("D-0022", NOW)[0]
    records.add_number(sakura.id, PhoneNumber("+818012349999"), NOW)
    story = records.activity(sakura.id, NOW)

    load(records, NOW)

    assert records.activity(sakura.id, NOW) == story
    assert len(records.find("+818012349999", NOW)) == 1
    assert len(list(records.customers())) == len(before)


def test_dates_stand_around_the_moment_of_loading(records: Records) -> None:
    later = NOW + timedelta(days=400)
    load(records, later)

    misaki = records.search("D-0002", later)[0]

    assert misaki.touched_at is not None
    assert later - timedelta(days=7) < misaki.touched_at < later


@given(st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_appointments_are_to_come_and_everything_else_has_been(now: datetime) -> None:
    from cti_bridge.demo.customers import STORIES, _entries

    with STORIES.open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))

    for entry in _entries(told, dict.fromkeys((row["customer_number"] for row in told), "contact:1"), now):
        assert (entry.at > now) == (entry.kind == "appointment")
        assert entry.closed_at is None or entry.closed_at <= now


@pytest.mark.parametrize("caller", INTERESTING_CALLERS, ids=lambda caller: caller.en)
def test_an_interesting_caller_finds_as_many_records_as_promised(records: Records, caller: InterestingCaller) -> None:
    assert len(records.find(caller.number, NOW)) == caller.matches
    assert caller.label("ja") == caller.ja
    assert caller.label("en") == caller.en


def test_only_the_one_number_that_is_a_digit_short_cannot_be_read(records: Records) -> None:
    health = records.health()

    assert health.unreadable == 1
    assert health.shared >= 8


def test_every_number_is_an_example() -> None:
    with CUSTOMERS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    typed = [
        text for row in rows for field in ("電話", "携帯", "自宅", "FAX", "代表電話") for text in row[field].split("\n")
    ]

    for number in filter(None, map(PhoneNumber.find, typed)):
        national = number.national_digits
        exchange = number.e164.startswith("+81") and "000" in (national[2:5], national[3:6], national[4:7])
        sample = national.startswith("0801234")
        assert number.e164.startswith(NOBODYS) or exchange or sample or national[4:6] == "00", number
