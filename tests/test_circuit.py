"""A CRM that keeps failing is left alone for a while, then asked once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cti_bridge.circuit import SLOW, Circuit


class Seconds:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def circuit(seconds: Seconds) -> Circuit:
    return Circuit(threshold=3, pause=timedelta(seconds=15), monotonic=seconds)


def test_it_stays_closed_while_failures_are_few(circuit: Circuit) -> None:
    assert circuit.health == "ok"
    assert [circuit.failed(), circuit.failed()] == [True, False], "only the first changes what is shown"
    assert (circuit.admits(), circuit.health) == (True, "slow")


def test_failures_that_are_not_in_a_row_do_not_open_it(circuit: Circuit) -> None:
    for _ in range(5):
        circuit.failed()
        circuit.failed()
        assert circuit.succeeded(0.1) is True
    assert circuit.health == "ok"


def test_it_opens_after_three_failures_and_admits_one_probe_after_each_pause(
    circuit: Circuit, seconds: Seconds
) -> None:
    assert [circuit.failed() for _ in range(3)] == [True, False, True]
    assert (circuit.health, circuit.admits()) == ("down", False)
    seconds.now += 14.9
    assert not circuit.admits()
    seconds.now += 0.1
    assert [circuit.admits() for _ in range(3)] == [True, False, False], "one probe, not a crowd"
    seconds.now += 15
    assert circuit.admits(), "a probe that never came back does not keep it open"
    circuit.failed()
    assert not circuit.admits()


def test_a_probe_that_succeeds_closes_it(circuit: Circuit, seconds: Seconds) -> None:
    for _ in range(3):
        circuit.failed()
    seconds.now += 15
    assert circuit.admits()
    assert circuit.succeeded(0.1) is True
    assert [circuit.admits() for _ in range(3)] == [True] * 3
    assert circuit.health == "ok"


def test_a_crm_that_says_when_to_come_back_is_left_alone_until_then(circuit: Circuit, seconds: Seconds) -> None:
    for _ in range(3):
        circuit.failed(timedelta(minutes=5))
    seconds.now += 299
    assert not circuit.admits()
    seconds.now += 1
    assert circuit.admits()


def test_a_slow_answer_is_shown_as_slow_until_a_quick_one(circuit: Circuit) -> None:
    assert circuit.succeeded(SLOW + 0.1) is True
    assert circuit.health == "slow"
    assert circuit.succeeded(SLOW + 0.1) is False
    assert circuit.succeeded(0.1) is True
    assert circuit.health == "ok"
