"""A call is the same call in whatever order, and however often, its events come; nobody is guessed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_bridge.model import (
    Agent,
    Call,
    CallEvent,
    Choice,
    ChoiceHow,
    Contact,
    ContactKind,
    Direction,
    Disposition,
    Engagement,
    EventKind,
    Leg,
    LegRole,
    LegStatus,
    Match,
    Outcome,
    Presence,
    Reason,
    presence,
    rank,
    settle,
)

NOON = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
LINE = "+815031234567"
TARO = "+819012345678"
ROOT = "CA-root"
SATO, SUZUKI, TANAKA, WATANABE = 1, 2, 3, 4


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


# ── the events of believable calls ───────────────────────────────────────────────────────────────────────────────────


def told(
    kind: EventKind, leg_id: str, seconds: float, status: LegStatus = LegStatus.UNKNOWN, **more: object
) -> CallEvent:
    key = f"{ROOT}:{kind}:{leg_id}:{status}"
    return replace(CallEvent(key, kind, ROOT, leg_id, at(seconds), status), **more)  # type: ignore[arg-type]


def incoming(*rung: int) -> CallEvent:
    return told(
        EventKind.INCOMING,
        ROOT,
        0,
        LegStatus.RINGING,
        role=LegRole.PARTY,
        direction=Direction.INBOUND,
        line_number=LINE,
        party=TARO,
        rung=frozenset(rung),
    )


def outgoing(agent: int = SATO) -> CallEvent:
    return told(
        EventKind.OUTGOING,
        ROOT,
        0,
        LegStatus.QUEUED,
        role=LegRole.AGENT,
        direction=Direction.OUTBOUND,
        line_number=LINE,
        party=TARO,
        agent_id=agent,
    )


def agents_leg(agent: int, seconds: float, status: LegStatus, duration: float | None = None) -> CallEvent:
    length = None if duration is None else timedelta(seconds=duration)
    return told(
        EventKind.STATUS,
        f"CA-agent-{agent}",
        seconds,
        status,
        role=LegRole.AGENT,
        agent_id=agent,
        duration=length,
    )


def partys_leg(seconds: float, status: LegStatus, duration: float | None = None) -> CallEvent:
    length = None if duration is None else timedelta(seconds=duration)
    return told(EventKind.STATUS, "CA-party", seconds, status, role=LegRole.PARTY, duration=length)


def root(seconds: float, status: LegStatus) -> CallEvent:
    return told(EventKind.STATUS, ROOT, seconds, status)


def result(
    seconds: float, dial_status: LegStatus, leg: str | None = None, duration: float | None = None, **more: object
) -> CallEvent:
    length = None if duration is None else timedelta(seconds=duration)
    event = told(EventKind.RESULT, ROOT, seconds, LegStatus.IN_PROGRESS, dial_status=dial_status, dialled_leg_id=leg)
    return replace(event, duration=length, **more)  # type: ignore[arg-type]


def recording(seconds: float) -> CallEvent:
    return told(EventKind.RECORDING, ROOT, seconds, recording_id="RE1")


@dataclass
class Story:
    """A call as it really went, and all that was told about it."""

    outcome: Outcome
    agent: int | None
    answered_at: datetime | None
    ended_at: datetime
    events: list[CallEvent] = field(default_factory=list)


@st.composite
def inbound(draw: st.DrawFn) -> Story:
    agents = draw(st.lists(st.sampled_from([SATO, SUZUKI, TANAKA, WATANABE]), min_size=1, max_size=4, unique=True))
    events = [incoming(*agents)]
    for agent in agents:
        events += [agents_leg(agent, 1, LegStatus.INITIATED), agents_leg(agent, 2, LegStatus.RINGING)]
    ring = draw(st.integers(3, 25))
    talk = draw(st.integers(0, 7200))
    end = ring + talk
    match draw(st.sampled_from(["answered", "rung out", "busy", "hung up early"])):
        case "answered":
            taker, *others = agents
            events += [agents_leg(taker, ring, LegStatus.IN_PROGRESS)]
            events += [agents_leg(agent, ring, LegStatus.CANCELED) for agent in others]
            events += [agents_leg(taker, end, LegStatus.COMPLETED, talk)]
            events += [result(end, LegStatus.COMPLETED, f"CA-agent-{taker}", talk), root(end, LegStatus.COMPLETED)]
            if draw(st.booleans()):
                events += [recording(end + 5)]
            return Story(Outcome.ANSWERED, taker, at(ring), at(end), events)
        case "rung out":
            events += [agents_leg(agent, ring, LegStatus.NO_ANSWER, 0) for agent in agents]
            events += [result(ring, LegStatus.NO_ANSWER), root(ring + 8, LegStatus.COMPLETED)]
        case "busy":
            events += [agents_leg(agent, ring, LegStatus.BUSY, 0) for agent in agents]
            events += [result(ring, LegStatus.BUSY), root(ring + 8, LegStatus.COMPLETED)]
        case _:
            events += [agents_leg(agent, ring, LegStatus.CANCELED, 0) for agent in agents]
            events += [root(ring, LegStatus.CANCELED)]
    return Story(Outcome.MISSED, None, None, at(ring), events)


@st.composite
def outbound(draw: st.DrawFn) -> Story:
    picked_up, ring, talk = draw(st.integers(2, 10)), draw(st.integers(12, 40)), draw(st.integers(0, 7200))
    events = [outgoing(), root(1, LegStatus.INITIATED), root(2, LegStatus.RINGING)]
    outcome = draw(
        st.sampled_from([Outcome.ANSWERED, Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED, Outcome.CANCELED])
    )
    if outcome is Outcome.CANCELED:
        return Story(outcome, SATO, None, at(30), [*events, root(30, draw(st.sampled_from(_AGENT_DID_NOT)))])
    events += [root(picked_up, LegStatus.IN_PROGRESS), partys_leg(11, LegStatus.INITIATED)]
    if outcome is Outcome.ANSWERED:
        end = ring + talk
        events += [partys_leg(ring, LegStatus.IN_PROGRESS), partys_leg(end, LegStatus.COMPLETED, talk)]
        events += [result(end, LegStatus.COMPLETED, "CA-party", talk, direction=Direction.OUTBOUND, agent_id=SATO)]
        return Story(outcome, SATO, at(ring), at(end), [*events, root(end, LegStatus.COMPLETED)])
    status = LegStatus(outcome.value)
    events += [partys_leg(ring, status, 0), result(ring, status, direction=Direction.OUTBOUND, agent_id=SATO)]
    return Story(outcome, SATO, None, at(ring), [*events, root(ring + 2, LegStatus.COMPLETED)])


_AGENT_DID_NOT = [LegStatus.NO_ANSWER, LegStatus.BUSY, LegStatus.CANCELED]

stories = inbound() | outbound()

adversarial = st.lists(
    st.builds(
        CallEvent,
        key=st.text(max_size=3),
        kind=st.sampled_from(EventKind),
        call_id=st.just(ROOT),
        leg_id=st.sampled_from([ROOT, "CA-1", "CA-2", "CA-3"]),
        at=st.integers(0, 9).map(at),
        status=st.sampled_from(LegStatus),
        role=st.sampled_from(LegRole),
        direction=st.sampled_from([None, *Direction]),
        line_number=st.sampled_from([None, LINE, "+81312345678"]),
        party=st.sampled_from([None, TARO, "anonymous"]),
        agent_id=st.sampled_from([None, SATO, SUZUKI]),
        duration=st.none() | st.integers(0, 9).map(lambda seconds: timedelta(seconds=seconds)),
        dial_status=st.sampled_from(LegStatus),
        dialled_leg_id=st.sampled_from([None, ROOT, "CA-1", "CA-2", "CA-9"]),
        recording_id=st.sampled_from([None, "RE1", "RE2"]),
        rung=st.frozensets(st.sampled_from([SATO, SUZUKI])),
    ),
    max_size=8,
)


def derived(call: Call) -> tuple[object, ...]:
    return call.ended, call.ended_at, call.outcome, call.agent_id, call.answered_at, call.answered, call.talk_time


def shuffled(events: Sequence[CallEvent], seed: int) -> list[CallEvent]:
    """Every event at least once, some again, in any order."""
    chance = random.Random(seed)
    doubled = [*events, *(event for event in events if chance.random() < 0.5)]
    chance.shuffle(doubled)
    return doubled


# ── order, repetition, loss ──────────────────────────────────────────────────────────────────────────────────────────


@given(stories.map(lambda story: story.events) | adversarial, st.integers(0, 10**9))
def test_any_order_and_any_repetition_of_its_events_ends_in_the_same_call(events: list[CallEvent], seed: int) -> None:
    told_in_order = Call.of(ROOT, events)
    told_in_disorder = Call.of(ROOT, shuffled(events, seed))
    assert told_in_disorder == told_in_order
    assert derived(told_in_disorder) == derived(told_in_order)


@given(stories)
def test_what_really_happened_is_what_the_call_says(story: Story) -> None:
    call = Call.of(ROOT, story.events)
    assert (call.outcome, call.agent_id, call.answered_at) == (story.outcome, story.agent, story.answered_at)
    assert call.ended_at == story.ended_at
    assert call.talk_time == (story.ended_at - story.answered_at if story.answered_at else timedelta(0))
    assert (call.party, call.line_number, call.started_at) == (TARO, LINE, NOON)


@given(stories, st.integers(0, 10**9))
def test_an_ended_call_stays_ended_and_a_legs_end_stays_its_end(story: Story, seed: int) -> None:
    call = Call(ROOT)
    for event in shuffled(story.events, seed):
        after = call.apply(event)
        assert after.ended or not call.ended
        for leg in call.legs.values():
            assert after.legs[leg.id].status.rank >= leg.status.rank
            assert after.legs[leg.id].status.final or not leg.status.final
        call = after


@given(stories, st.integers(0, 10**9))
def test_what_is_told_after_everything_was_told_changes_nothing(story: Story, seed: int) -> None:
    call = Call.of(ROOT, story.events)
    for event in shuffled(story.events, seed):
        assert call.apply(event) == call


@given(inbound())
def test_the_answered_event_may_be_lost(story: Story) -> None:
    kept = [e for e in story.events if not (e.kind is EventKind.STATUS and e.status is LegStatus.IN_PROGRESS)]
    call = Call.of(ROOT, kept)
    assert (call.outcome, call.agent_id, call.answered_at) == (story.outcome, story.agent, story.answered_at)


@given(stories)
def test_the_dials_result_may_be_lost(story: Story) -> None:
    call = Call.of(ROOT, [e for e in story.events if e.kind is not EventKind.RESULT])
    assert (call.outcome, call.agent_id, call.answered_at) == (story.outcome, story.agent, story.answered_at)


@given(inbound())
def test_the_roots_own_status_may_never_have_been_configured(story: Story) -> None:
    call = Call.of(ROOT, [e for e in story.events if not (e.kind is EventKind.STATUS and e.leg_id == ROOT)])
    assert (call.outcome, call.agent_id, call.ended_at) == (story.outcome, story.agent, story.ended_at)


@given(inbound())
def test_the_telephones_that_rang_tell_the_end_when_nothing_else_does(story: Story) -> None:
    legs_only = [e for e in story.events if e.leg_id != ROOT or e.kind is EventKind.INCOMING]
    call = Call.of(ROOT, legs_only)
    assert (call.outcome, call.agent_id, call.ended_at) == (story.outcome, story.agent, story.ended_at)


def test_a_call_goes_on_while_one_of_the_telephones_still_rings() -> None:
    call = Call.of(ROOT, [incoming(SATO, SUZUKI), agents_leg(SATO, 5, LegStatus.BUSY)])
    assert not call.ended
    assert call.outcome is None
    assert call.talk_time == timedelta(0)
    assert call.apply(agents_leg(SUZUKI, 9, LegStatus.NO_ANSWER)).outcome is Outcome.MISSED


def test_without_any_time_of_an_answer_the_talk_began_its_duration_before_its_end() -> None:
    call = Call.of(ROOT, [incoming(SATO), result(90, LegStatus.COMPLETED, duration=60)])
    assert (call.answered, call.answered_at, call.talk_time) == (True, at(30), timedelta(seconds=60))
    assert call.agent_id is None, "nobody told who answered, so nobody is guessed"


def test_an_answered_call_without_any_duration_was_short() -> None:
    call = Call.of(ROOT, [incoming(SATO), agents_leg(SATO, 40, LegStatus.COMPLETED)])
    assert (call.answered_at, call.talk_time) == (at(40), timedelta(0))


def test_a_talk_is_never_shorter_than_nothing() -> None:
    late_answer = agents_leg(SATO, 50, LegStatus.IN_PROGRESS)
    call = Call.of(ROOT, [incoming(SATO), late_answer, root(40, LegStatus.COMPLETED)])
    assert call.talk_time == timedelta(0)


def test_the_dials_result_says_whose_telephone_was_connected_when_two_picked_up() -> None:
    both = [agents_leg(SATO, 5, LegStatus.IN_PROGRESS), agents_leg(SUZUKI, 6, LegStatus.IN_PROGRESS)]
    call = Call.of(ROOT, [incoming(SATO, SUZUKI), *both])
    assert call.agent_id == SATO, "until the result is known, who picked up first"
    assert call.apply(result(60, LegStatus.COMPLETED, f"CA-agent-{SUZUKI}")).agent_id == SUZUKI


def test_a_result_that_names_the_root_or_an_unknown_leg_is_not_believed() -> None:
    events = [incoming(SATO), agents_leg(SATO, 5, LegStatus.IN_PROGRESS)]
    for named in (ROOT, "CA-unheard-of", None):
        assert Call.of(ROOT, [*events, result(60, LegStatus.COMPLETED, named)]).agent_id == SATO


def test_an_unanswered_outgoing_call_says_what_the_network_said() -> None:
    call = Call.of(ROOT, [outgoing(), root(3, LegStatus.IN_PROGRESS), result(20, LegStatus.FAILED)])
    assert (call.outcome, call.agent_id, call.placed_by) == (Outcome.FAILED, SATO, SATO)


def test_an_event_of_another_call_is_refused() -> None:
    with pytest.raises(ValueError, match="CA-other"):
        Call("CA-other").apply(incoming())


def test_a_leg_that_nothing_told_about_was_not_answered() -> None:
    assert Call(ROOT).root == Leg(ROOT)
    assert not Leg(ROOT).was_answered


# ── who is it ────────────────────────────────────────────────────────────────────────────────────────────────────────


def contact(name: str, *, touched: int | None = None, cases: int = 0) -> Contact:
    return Contact(name, ContactKind.PERSON, name, touched_at=at(touched) if touched else None, open_cases=cases)


def matches(*contacts: Contact) -> tuple[Match, ...]:
    return tuple(Match(one, "携帯", "090-1234-5678") for one in contacts)


def ranked(*contacts: Contact, chosen: str | None = None, called: Sequence[str] = ()) -> list[str]:
    found = rank(matches(*contacts), chosen_before=chosen, called_recently=frozenset(called))
    return [match.contact.id for match in found]


def test_the_contact_chosen_before_stands_first_then_called_then_open_case_then_latest() -> None:
    family = [
        contact("haruko", touched=1),
        contact("ichiro", touched=500),
        contact("jiro", touched=2, cases=1),
        contact("kazuo", touched=3),
        contact("mika"),
    ]
    assert ranked(*family, chosen="mika", called=["kazuo"]) == ["mika", "kazuo", "jiro", "ichiro", "haruko"]


def test_every_match_is_told_why_it_stands_where_it_stands() -> None:
    found = rank(
        matches(contact("haruko", touched=5, cases=2), contact("ichiro")),
        chosen_before="ichiro",
        called_recently=frozenset({"ichiro"}),
    )
    assert {match.contact.id: match.reasons for match in found} == {
        "ichiro": (Reason.SAME_NUMBER, Reason.CHOSEN_BEFORE, Reason.CALLED_RECENTLY),
        "haruko": (Reason.SAME_NUMBER, Reason.OPEN_CASE, Reason.LATEST_CONTACT),
    }


def test_the_only_contact_is_not_praised_for_being_the_latest() -> None:
    [only] = rank(matches(contact("haruko", touched=5)), chosen_before=None, called_recently=frozenset())
    assert only.reasons == (Reason.SAME_NUMBER,)


contacts = st.lists(
    st.builds(
        contact,
        st.sampled_from([f"c{n}" for n in range(9)]),
        touched=st.sampled_from([None, 1, 2, 3]),
        cases=st.integers(0, 1),
    ),
    max_size=6,
    unique_by=lambda one: one.id,
)


@given(contacts, st.randoms(use_true_random=False), st.sampled_from([None, "c1", "c2"]), st.frozensets(st.just("c3")))
def test_the_order_of_matches_depends_on_nothing_but_the_matches(
    found: list[Contact], chance: random.Random, chosen: str | None, called: frozenset[str]
) -> None:
    mixed = list(found)
    chance.shuffle(mixed)
    once = rank(matches(*found), chosen_before=chosen, called_recently=called)
    again = rank(
        reversed(rank(matches(*mixed), chosen_before=None, called_recently=frozenset())),
        chosen_before=chosen,
        called_recently=called,
    )
    assert once == again
    assert {match.contact.id for match in once} == {one.id for one in found}


HARUKO, ICHIRO = contact("haruko"), contact("ichiro")
PICKED = Choice(HARUKO, ChoiceHow.PICKED, "佐藤", NOON)


def test_what_an_agent_picked_for_this_call_settles_it() -> None:
    learned = Choice(ICHIRO, ChoiceHow.PICKED, "鈴木", NOON)
    assert settle(matches(ICHIRO), PICKED, learned) == PICKED


def test_the_only_match_settles_it() -> None:
    assert settle(matches(ICHIRO), None, PICKED) == Choice(ICHIRO, ChoiceHow.ONLY_MATCH)


def test_what_was_learned_settles_it_and_says_who_taught_it() -> None:
    as_it_is_now = replace(HARUKO, company="山田商事")
    choice = settle(matches(ICHIRO, as_it_is_now), None, PICKED)
    assert choice == Choice(as_it_is_now, ChoiceHow.LEARNED, "佐藤", NOON)


@pytest.mark.parametrize("learned", [None, Choice(contact("moved away"), ChoiceHow.PICKED)])
def test_several_matches_and_nothing_learned_of_them_are_nobodys_call(learned: Choice | None) -> None:
    assert settle(matches(HARUKO, ICHIRO), None, learned) is None
    assert settle((), None, learned) is None


# ── agents and words ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("away", "engagement", "expected"),
    [
        (False, None, Presence.AVAILABLE),
        (True, None, Presence.AWAY),
        (False, Engagement.TALKING, Presence.ON_CALL),
        (True, Engagement.TALKING, Presence.ON_CALL),
        (False, Engagement.WRAPPING_UP, Presence.WRAPPING_UP),
        (True, Engagement.WRAPPING_UP, Presence.AWAY),
    ],
)
def test_presence_follows_from_calls_and_what_the_agent_set(
    away: bool, engagement: Engagement | None, expected: Presence
) -> None:
    assert presence(Agent(1, "佐藤", "sato@example.co.jp", "ja", away=away), engagement) is expected


def test_an_agent_is_reachable_by_either_telephone_and_anonymous_in_the_network() -> None:
    sato = Agent(7, "佐藤", "sato@example.co.jp", "ja")
    assert not sato.reachable
    assert replace(sato, phone=TARO).reachable
    assert replace(sato, softphone=True).reachable
    assert sato.identity == "agent_7"


def test_a_disposition_is_called_what_the_reader_calls_it() -> None:
    callback = Disposition("callback", "再コール", "Call back")
    assert (callback.label("ja"), callback.label("en")) == ("再コール", "Call back")
