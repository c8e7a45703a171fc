"""What the simulator does wrong when told to."""

from __future__ import annotations

import pytest
from twilio.request_validator import RequestValidator

from cti_bridge.simulator import ManualClock, Simulator

from .conftest import LINE, TARO, TOKEN, Bridge, agent, ring

HELLO = "<Response><Say>hello</Say></Response>"


def tokens(bridge: Bridge, path: str = "/incoming") -> list[str | None]:
    return [got.headers.get("i-twilio-idempotency-token") for got in bridge.at(path)]


def test_a_webhook_can_come_twice_without_a_token(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = HELLO
    twilio.misbehave("incoming", "twice")
    call = twilio.call_in(TARO, LINE).wait_until_over()
    assert tokens(bridge) == [None, None]
    assert call.said == ["hello"]


def test_a_webhook_can_come_twice_with_the_same_token(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = HELLO
    twilio.misbehave("any", "twice_with_token")
    twilio.call_in(TARO, LINE).wait_until_over()
    first, second = tokens(bridge)
    assert first is not None
    assert first == second


def test_an_answer_can_get_lost_and_the_retry_carries_a_token(twilio: Simulator, bridge: Bridge) -> None:
    answers = iter(["<Response><Say>lost</Say></Response>"])
    bridge.replies["/incoming"] = lambda _: next(answers, HELLO)
    twilio.misbehave("incoming", "lost_answer")
    call = twilio.call_in(TARO, LINE).wait_until_over()
    first, second = tokens(bridge)
    assert first is None
    assert second is not None
    assert call.said == ["hello"]


def test_a_signature_can_be_wrong(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = HELLO
    twilio.misbehave("incoming", "bad_signature")
    twilio.call_in(TARO, LINE).wait_until_over()
    (got,) = bridge.at("/incoming")
    signature = got.headers["x-twilio-signature"]
    assert not RequestValidator(TOKEN).validate(bridge.url + got.target, got.form, signature)


def test_a_callback_can_be_dropped(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"))
    twilio.misbehave("status", "drop")
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to("client:agent_3")
    call.hang_up()
    call.wait_until_over()
    assert bridge.statuses(leg.sid) == ["ringing", "canceled"]
    assert twilio.deliveries("status")[0].error == "dropped on purpose"


def test_a_dropped_call_processing_webhook_ends_in_the_apology(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = HELLO
    twilio.misbehave("incoming", "drop")
    call = twilio.call_in(TARO, LINE).wait_until_over()
    assert [heard.what for heard in call.heard] == ["error"]
    assert bridge.at("/incoming") == []


def test_a_late_callback_is_overtaken(twilio: Simulator, bridge: Bridge, clock: ManualClock) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"))
    twilio.misbehave("status", "late", seconds=3)
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to("client:agent_3")
    bridge.wait_for("/status")
    assert bridge.statuses(leg.sid) == ["ringing"]
    assert not twilio.courier.idle()
    clock.advance(3)
    twilio.wait_until_delivered()
    assert bridge.statuses(leg.sid) == ["ringing", "initiated"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("reverse", ["completed", "in-progress", "ringing", "initiated"]),
        ("given", ["initiated", "ringing", "in-progress", "completed"]),
    ],
)
def test_callbacks_can_be_held_and_released_in_any_order(
    twilio: Simulator, bridge: Bridge, order: str, expected: list[str]
) -> None:
    bridge.replies["/incoming"] = ring(agent("agent_3"))
    rule = twilio.misbehave("status", "hold", times=None)
    call = twilio.call_in(TARO, LINE)
    leg = call.leg_to("client:agent_3")
    twilio.answer(leg)
    call.hang_up()
    call.wait_until_over()
    assert bridge.at("/status") == []
    twilio.forgive(rule.id)
    assert twilio.release(order) == 4  # type: ignore[arg-type]
    twilio.wait_until_delivered()
    assert bridge.statuses(leg.sid) == expected


def test_a_slow_network_delays_and_a_very_slow_one_loses(twilio: Simulator, bridge: Bridge, clock: ManualClock) -> None:
    bridge.replies["/incoming"] = HELLO
    twilio.misbehave("incoming", "slow", seconds=16)
    assert twilio.call_in(TARO, LINE).wait_until_over().said == []
    twilio.misbehave("incoming", "slow", seconds=3)
    call = twilio.call_in(TARO, LINE)
    clock.wait_for_timer()
    assert bridge.at("/incoming") == []
    clock.advance(3)
    assert call.wait_until_over().said == ["hello"]


def test_a_rule_counts_down_and_can_be_narrowed_to_one_leg(twilio: Simulator, bridge: Bridge) -> None:
    bridge.replies["/incoming"] = HELLO
    twilio.misbehave("incoming", "twice", times=2)
    twilio.misbehave("incoming", "twice", call_sid="CA-of-nobody")
    for _ in range(3):
        twilio.call_in(TARO, LINE).wait_until_over()
    assert len(bridge.at("/incoming")) == 5
    assert len(twilio.courier.rules()) == 1


@pytest.mark.parametrize(
    ("kind", "what", "options"),
    [
        ("nonsense", "twice", {}), ("status", "nonsense", {}), ("incoming", "hold", {}), ("any", "hold", {}),
        ("status", "late", {"seconds": -1}), ("status", "drop", {"times": 0}),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(
    twilio: Simulator, kind: str, what: str, options: dict[str, int]
) -> None:
    with pytest.raises(ValueError, match=r"none of|held|between|less than"):
        twilio.misbehave(kind, what, **options)  # type: ignore[arg-type]


def test_first_attempts_can_carry_tokens_too(bridge: Bridge) -> None:
    bridge.replies["/incoming"] = HELLO
    with Simulator({LINE: bridge.url + "/incoming"}, tokens_always=True) as twilio:
        twilio.call_in(TARO, LINE).wait_until_over()
    assert tokens(bridge) != [None]
