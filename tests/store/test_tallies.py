"""Counts that all processes share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from sqlalchemy import select

from cti_bridge.store import Database
from cti_bridge.store.tallies import Tallies, tallies

TODAY = date(2026, 11, 22)


def test_a_count_adds_up_for_each_name_and_day(database: Database) -> None:
    counts = Tallies(database)
    assert [counts.add("app 12", TODAY) for _ in range(3)] == [1, 2, 3]
    assert counts.add("app 12", TODAY, 10) == 13
    assert counts.add("app 15", TODAY) == 1
    assert counts.add("app 12", TODAY + timedelta(days=1)) == 1


def test_no_count_is_lost_between_threads(database: Database) -> None:
    counts = Tallies(database)
    with ThreadPoolExecutor(4) as pool:
        totals = list(pool.map(lambda _: counts.add("app 12", TODAY), range(40)))
    assert sorted(totals) == list(range(1, 41))


def test_old_days_are_forgotten(database: Database) -> None:
    counts = Tallies(database)
    for age in (90, 31, 29, 0):
        counts.add("app 12", TODAY - timedelta(days=age))
    with database.reading() as connection:
        days = connection.execute(select(tallies.c.day).order_by(tallies.c.day)).scalars().all()
    assert days == [TODAY - timedelta(days=29), TODAY]
