"""What guessing costs: growing waits, alike for everybody, across processes, and never for good."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_bridge.auth import Auth, Caller, Warden, lockout
from cti_bridge.errors import NotSignedIn, TooMany
from cti_bridge.model import Agent
from cti_bridge.store import tries
from cti_bridge.store.audit import COMMAND_LINE
from tests.auth.conftest import PASSWORD, House

HOME = Caller("203.0.113.7", "Firefox")
AWAY = Caller("198.51.100.9", "a script")


def fail(auth: Auth, email: str, caller: Caller = AWAY, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(NotSignedIn) as refused:
            auth.sign_in(email, "guessed", caller=caller)
        assert refused.value.code == "wrong_password"


def locked_out(auth: Auth, email: str, caller: Caller = AWAY, password: str = PASSWORD) -> int:
    """Check that even the right password must wait; for how many seconds."""
    with pytest.raises(TooMany) as refused:
        auth.sign_in(email, password, caller=caller)
    assert refused.value.code == "locked_out"
    return int(str(refused.value.values["retry_after"]))


def test_the_fifth_failure_costs_half_a_minute_and_each_further_one_twice_as_much(
    house: House, auth: Auth, sato: Agent
) -> None:
    fail(auth, sato.email, times=5)
    for wait in (30, 60, 120, 240, 480, 900, 900):
        assert locked_out(auth, sato.email) == wait
        house.watch.wait(seconds=wait - 1)
        assert locked_out(auth, sato.email) == 1, "asking meanwhile makes it no longer"
        house.watch.wait(seconds=1)
        fail(auth, sato.email)


def test_an_address_that_nobody_has_is_locked_out_just_the_same(house: House, auth: Auth, sato: Agent) -> None:
    for email in (sato.email, "nobody@example.co.jp"):
        fail(auth, email, times=5)
        assert locked_out(auth, email) == 30
    subjects = [about[:6] for what, about, _ in house.told() if what == "locked_out"]
    assert subjects == ["agent:", "email:"]


def test_the_right_password_after_the_wait_opens_and_forgets_the_failures(
    house: House, auth: Auth, sato: Agent
) -> None:
    fail(auth, sato.email, times=5)
    house.watch.wait(seconds=30)
    auth.sign_in(sato.email, PASSWORD, caller=AWAY)
    fail(auth, sato.email, times=4)
    auth.sign_in(sato.email, PASSWORD, caller=AWAY)


def test_a_colleague_behind_the_same_address_is_not_locked_out(house: House, auth: Auth, sato: Agent) -> None:
    suzuki = house.add("suzuki@example.co.jp")
    fail(auth, sato.email, HOME, times=5)
    locked_out(auth, sato.email, HOME)
    auth.sign_in(suzuki.email, PASSWORD, caller=HOME)


def test_guessing_from_everywhere_is_slowed_too(auth: Auth, sato: Agent) -> None:
    for machine in range(20):
        fail(auth, sato.email, Caller(f"198.51.100.{machine}"))
    assert locked_out(auth, sato.email, Caller("198.51.100.99")) == 30


def test_whoever_guesses_cannot_keep_the_agent_from_their_own_desk(house: House, auth: Auth, sato: Agent) -> None:
    auth.sign_in(sato.email, PASSWORD, caller=HOME)
    for machine in range(200):
        house.watch.wait(minutes=16)
        fail(auth, sato.email, Caller(f"2001:db8:{machine:x}::1"))
    auth.sign_in(sato.email, PASSWORD, caller=HOME)
    locked_out(auth, sato.email, Caller("198.51.100.1"))


def test_no_wait_is_longer_than_a_quarter_of_an_hour_whatever_happened(house: House, auth: Auth, sato: Agent) -> None:
    for _ in range(40):
        fail(auth, sato.email)
        house.watch.wait(minutes=15)
    auth.sign_in(sato.email, PASSWORD, caller=AWAY)


def test_failures_are_forgotten_overnight(house: House, auth: Auth, sato: Agent) -> None:
    fail(auth, sato.email, times=4)
    house.watch.wait(hours=12, seconds=1)
    fail(auth, sato.email, times=4)
    auth.sign_in(sato.email, PASSWORD, caller=AWAY)


def test_an_administrator_ends_it_at_once(house: House, auth: Auth, sato: Agent) -> None:
    fail(auth, sato.email, times=5)
    Warden(auth, house.database).unlock(sato, COMMAND_LINE)
    auth.sign_in(sato.email, PASSWORD, caller=AWAY)


def test_two_processes_count_together(house: House, sato: Agent) -> None:
    first, second = house.auth(), house.auth()
    fail(first, sato.email, times=3)
    fail(second, sato.email, times=2)
    assert locked_out(first, sato.email) == 30
    assert locked_out(second, sato.email) == 30


def test_many_guesses_at_once_are_no_more_than_in_a_row(house: House, auth: Auth, sato: Agent) -> None:
    guessed: list[str] = []
    start = threading.Barrier(12)

    def guess() -> None:
        start.wait(10)
        try:
            auth.sign_in(sato.email, "guessed", caller=AWAY)
        except (NotSignedIn, TooMany) as refusal:
            guessed.append(refusal.code)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(guessed) == ["locked_out"] * 7 + ["wrong_password"] * 5


def test_one_subscriber_of_ipv6_is_one_source(auth: Auth, sato: Agent) -> None:
    for host in range(5):
        fail(auth, sato.email, Caller(f"2001:db8:1:2::{host + 1:x}"))
    assert locked_out(auth, sato.email, Caller("2001:db8:1:2:ffff::1")) == 30


def test_what_is_kept_names_nobody(house: House, auth: Auth, sato: Agent) -> None:
    fail(auth, sato.email, HOME)
    with house.database.reading() as connection:
        rows = repr(connection.execute(tries.tries.select()).all())
    assert "sato" not in rows.lower()
    assert "203.0.113" not in rows


@given(failures=st.integers(0, 10_000), limit=st.integers(1, 50))
def test_waits_grow_and_stay_bounded(failures: int, limit: int) -> None:
    wait, next_wait = lockout.wait_after(failures, limit), lockout.wait_after(failures + 1, limit)
    assert timedelta() <= wait <= next_wait <= lockout.LONGEST_WAIT
    assert bool(wait) == (failures >= limit)
