"""How often strangers may knock, counted by all processes together, and how rarely the database is asked for it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from sqlalchemy import event

from cti_bridge.auth import Door, Limits, limits
from cti_bridge.errors import StoreUnavailable, TooMany
from cti_bridge.store import Database, rates
from tests.auth.conftest import House


def limits_of(house: House) -> Limits:
    """One process's."""
    return Limits(Database(house.database.url.render_as_string(hide_password=False)), str.upper, clock=house.watch)


def knocks(of: Limits, times: int, address: str = "203.0.113.7", door: Door = Door.OPENAPI) -> int:
    """How many of these were let through."""
    let_in = 0
    for _ in range(times):
        with suppress(TooMany):
            of.knock(door, address)
            let_in += 1
    return let_in


def test_two_processes_share_one_limit(house: House) -> None:
    first, second = limits_of(house), limits_of(house)
    try:
        let_in = sum(knocks(of, 10) for _ in range(10) for of in (first, second))
        assert let_in == limits.LIMITS[Door.OPENAPI]
    finally:
        first._database.close()
        second._database.close()


def test_a_new_minute_begins_anew_and_the_refusal_says_when(house: House) -> None:
    of = limits_of(house)
    house.watch.wait(seconds=20)
    assert knocks(of, 100) == 60
    with pytest.raises(TooMany) as refused:
        of.knock(Door.OPENAPI, "203.0.113.7")
    assert (refused.value.code, refused.value.values) == ("too_many_requests", {"retry_after": 40})
    house.watch.wait(seconds=40)
    assert knocks(of, 100) == 60
    of._database.close()


def test_other_sources_and_other_doors_are_not_concerned(house: House) -> None:
    of = limits_of(house)
    assert knocks(of, 100) == 60
    assert knocks(of, 10, address="203.0.113.8") == 10
    assert knocks(of, 10, door=Door.SIGN_IN) == 10
    assert knocks(of, 100, address="2001:db8::1") == 60
    assert knocks(of, 10, address="2001:db8::ffff") == 0, "the same subscriber"
    of._database.close()


def test_a_flood_asks_the_database_a_few_times_only(house: House) -> None:
    of = limits_of(house)
    asked: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement.split(maxsplit=1)[0])

    event.listen(of._database.engine, "before_cursor_execute", count)
    assert knocks(of, 5000) == 60
    assert asked.count("INSERT") == 20, "a handful of knocks each"
    of._database.close()


def test_looking_tells_without_counting(house: House) -> None:
    of = limits_of(house)
    for _ in range(200):
        of.look(Door.LIVE, "203.0.113.7")
    assert knocks(of, 100, door=Door.LIVE) == 60
    with pytest.raises(TooMany):
        of.look(Door.LIVE, "203.0.113.7")
    of.look(Door.LIVE, "203.0.113.8")
    of._database.close()


def test_old_minutes_are_forgotten_here_and_in_the_database(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Limits, "MOST_REMEMBERED", 50)
    of = limits_of(house)
    for host in range(60):
        knocks(of, 1, address=f"203.0.113.{host}")
    house.watch.wait(minutes=5)
    knocks(of, 1)
    with house.database.reading() as connection:
        assert len(connection.execute(rates.rates.select()).all()) == 1
    assert len(of._known) <= 61
    of._database.close()


def test_without_its_database_a_door_stays_open_for_what_lies_behind_it_to_say_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = limits_of(house)

    def gone() -> None:
        raise StoreUnavailable

    monkeypatch.setattr(of._database, "transaction", gone)
    assert knocks(of, 100) == 100
    of._database.close()
