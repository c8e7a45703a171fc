"""A call, its legs and the events that tell of them: what it is to be ended, answered, missed.

A Call is the join of everything that was ever told about it. Each fact can only grow (a status only moves forward, the
earliest time wins, the longest duration wins), so events may arrive in any order and any number of times: the same Call
comes out. Everything else about a call (has it ended, who took it, was it missed) is derived from those facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import reduce
from typing import TypeVar


class Direction(StrEnum):
    """Who called whom, seen from us."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class CallerKind(StrEnum):
    """Whether there is a number to go by."""

    NUMBER = "number"
    WITHHELD = "withheld"
    UNREADABLE = "unreadable"


class Outcome(StrEnum):
    """How a call ended. An inbound call that nobody took is ``missed``, whatever the network called it."""

    ANSWERED = "answered"
    MISSED = "missed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELED = "canceled"


class LegStatus(StrEnum):
    """Where one leg stands. ``rank`` only ever grows; among ends the one that says most wins."""

    UNKNOWN = "unknown"
    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    FAILED = "failed"
    CANCELED = "canceled"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    COMPLETED = "completed"

    @property
    def rank(self) -> int:
        return _LEG_RANKS[self]

    @property
    def final(self) -> bool:
        return self.rank >= _LEG_RANKS[LegStatus.FAILED]


_LEG_RANKS = {status: rank for rank, status in enumerate(LegStatus)}


class EventKind(StrEnum):
    """Which door a webhook came through."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"
    RESULT = "result"
    STATUS = "status"
    RECORDING = "recording"


class LegRole(StrEnum):
    """Whose leg it is. UNKNOWN until an event says so."""

    UNKNOWN = "unknown"
    PARTY = "party"
    AGENT = "agent"


_ROLES = list(LegRole)


@dataclass(frozen=True, slots=True)
class Caller:
    """What stands on the line: a number (E.164), withheld, or unreadable. Not a person. ``raw`` is what Twilio sent."""

    kind: CallerKind
    number: str | None
    raw: str


@dataclass(frozen=True, slots=True)
class CallEvent:
    """A fact told by one webhook about one leg, with Twilio's words already translated.

    ``key`` names the fact, so that a repetition is recognised: ``"CA1…:status:CA2…:3"``. ``token`` is Twilio's
    idempotency token, which only retries carry. ``at`` is the moment that the event itself names, else when it arrived.
    ``rung`` and ``turned_away`` are what we did about it: rang these agents, or spoke a sentence and hung up.
    """

    key: str
    kind: EventKind
    call_id: str
    leg_id: str
    at: datetime
    status: LegStatus = LegStatus.UNKNOWN
    role: LegRole = LegRole.UNKNOWN
    token: str | None = None
    direction: Direction | None = None
    line_number: str | None = None
    party: str | None = None
    agent_id: int | None = None
    duration: timedelta | None = None
    dial_status: LegStatus = LegStatus.UNKNOWN
    dialled_leg_id: str | None = None
    recording_id: str | None = None
    rung: frozenset[int] = frozenset()
    turned_away: bool = False


@dataclass(frozen=True, slots=True)
class Leg:
    """One Twilio call resource, as far as its events told."""

    id: str
    role: LegRole = LegRole.UNKNOWN
    agent_id: int | None = None
    status: LegStatus = LegStatus.UNKNOWN
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    duration: timedelta | None = None

    @property
    def was_answered(self) -> bool:
        """Somebody picked up. A leg may end ``completed`` without an answered event having reached us."""
        return self.answered_at is not None or self.status is LegStatus.COMPLETED

    def apply(self, event: CallEvent) -> Leg:
        return replace(
            self,
            role=max(self.role, event.role, key=_ROLES.index),
            agent_id=_larger(self.agent_id, event.agent_id),
            status=max(self.status, event.status, key=lambda status: status.rank),
            answered_at=_earlier(self.answered_at, event.at if event.status is LegStatus.IN_PROGRESS else None),
            ended_at=_earlier(self.ended_at, event.at if event.status.final else None),
            duration=_larger(self.duration, None if event.kind is EventKind.RESULT else event.duration),
        )


@dataclass(frozen=True, slots=True)
class Call:
    """One conversation with an outside party, whatever happens to it. ``id`` is the root leg's CallSid."""

    id: str
    direction: Direction | None = None
    line_number: str | None = None
    party: str | None = None
    placed_by: int | None = None
    rung: frozenset[int] = frozenset()
    started_at: datetime | None = None
    dial_status: LegStatus = LegStatus.UNKNOWN
    dialled_leg_id: str | None = None
    dial_ended_at: datetime | None = None
    dial_duration: timedelta | None = None
    turned_away_at: datetime | None = None
    recording_id: str | None = None
    legs: Mapping[str, Leg] = field(default_factory=dict)

    def apply(self, event: CallEvent) -> Call:
        """The call with this event known too; order-free and repeatable. ValueError when it is another call's event."""
        if event.call_id != self.id:
            raise ValueError(f"Event {event.key} is about call {event.call_id}, not {self.id}.")
        leg = self.legs.get(event.leg_id) or Leg(event.leg_id)
        is_result = event.kind is EventKind.RESULT
        return replace(
            self,
            direction=_larger(self.direction, event.direction),
            line_number=_larger(self.line_number, event.line_number),
            party=_larger(self.party, event.party),
            placed_by=_larger(self.placed_by, event.agent_id if event.direction is Direction.OUTBOUND else None),
            rung=self.rung | event.rung,
            started_at=_earlier(self.started_at, event.at),
            dial_status=max(self.dial_status, event.dial_status, key=lambda status: status.rank),
            dialled_leg_id=_larger(self.dialled_leg_id, event.dialled_leg_id),
            dial_ended_at=_earlier(self.dial_ended_at, event.at if is_result else None),
            dial_duration=_larger(self.dial_duration, event.duration if is_result else None),
            turned_away_at=_earlier(self.turned_away_at, event.at if event.turned_away else None),
            recording_id=_larger(self.recording_id, event.recording_id),
            legs={**self.legs, event.leg_id: leg.apply(event)},
        )

    @classmethod
    def of(cls, call_id: str, events: Iterable[CallEvent]) -> Call:
        return reduce(Call.apply, events, cls(call_id))

    @property
    def root(self) -> Leg:
        return self.legs.get(self.id) or Leg(self.id)

    @property
    def far_legs(self) -> tuple[Leg, ...]:
        """The legs on the other side of the dial: agents of an inbound call, the outside party of an outbound one."""
        return tuple(leg for leg in self.legs.values() if leg.id != self.id)

    @property
    def answering_leg(self) -> Leg | None:
        """The far leg that was picked up. The dial's own result decides; else who picked up first."""
        named = self.legs.get(self.dialled_leg_id or "")
        if named is not None and named.id != self.id and self._dial_connected:
            return named
        answered = [leg for leg in self.far_legs if leg.was_answered]
        return min(answered, key=lambda leg: (leg.answered_at or leg.ended_at or _END_OF_TIME, leg.id), default=None)

    @property
    def answered(self) -> bool:
        return self._dial_connected or self.answering_leg is not None

    @property
    def answered_at(self) -> datetime | None:
        """When the two sides could first hear each other."""
        leg = self.answering_leg
        if leg is not None and leg.answered_at is not None:
            return leg.answered_at
        ended_at = self.dial_ended_at or (leg.ended_at if leg else None)
        duration = self.dial_duration if self.dial_ended_at else (leg.duration if leg else None)
        return ended_at - (duration or timedelta(0)) if self.answered and ended_at else None

    @property
    def agent_id(self) -> int | None:
        """Who took the call, or dialled it."""
        if self.direction is Direction.OUTBOUND:
            return self.placed_by
        return self.answering_leg.agent_id if self.answering_leg else None

    @property
    def ended(self) -> bool:
        return self.ended_at is not None

    @property
    def ended_at(self) -> datetime | None:
        """When the line dropped: the root leg's end; the dial's, or our turning the caller away, for we then hang up;
        else the last of all the telephones that we rang, for a network that tells us no more than that."""
        told = _earlier(_earlier(self.root.ended_at, self.dial_ended_at), self.turned_away_at)
        if told is not None:
            return told
        ends = [leg.ended_at for leg in self.far_legs if leg.role is LegRole.AGENT]
        if self.rung and len(ends) >= len(self.rung) and all(ends):
            return max(end for end in ends if end)
        return None

    @property
    def outcome(self) -> Outcome | None:
        """None until the line has dropped."""
        if not self.ended:
            return None
        if self.answered:
            return Outcome.ANSWERED
        if self.direction is not Direction.OUTBOUND:
            return Outcome.MISSED
        far = max((leg.status for leg in self.far_legs), key=lambda status: status.rank, default=LegStatus.UNKNOWN)
        return _OUTCOMES.get(max(far, self.dial_status, key=lambda status: status.rank), Outcome.CANCELED)

    @property
    def talk_time(self) -> timedelta:
        """From answer to end; zero while nobody has answered or the call goes on."""
        if self.answered_at is None or self.ended_at is None:
            return timedelta(0)
        return max(self.ended_at - self.answered_at, timedelta(0))

    @property
    def told(self) -> tuple[object, ...]:
        """What a call log says of these facts: when it changes, the log must be written again."""
        return (self.outcome, self.agent_id, self.party, self.answered_at, self.ended_at, self.recording_id)

    @property
    def _dial_connected(self) -> bool:
        return self.dial_status is LegStatus.COMPLETED


_OUTCOMES = {
    LegStatus.BUSY: Outcome.BUSY,
    LegStatus.NO_ANSWER: Outcome.NO_ANSWER,
    LegStatus.FAILED: Outcome.FAILED,
    LegStatus.CANCELED: Outcome.CANCELED,
}

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


def _earlier(a: datetime | None, b: datetime | None) -> datetime | None:
    return min((at for at in (a, b) if at is not None), default=None)


T = TypeVar("T", Direction, int, str, timedelta)


def _larger(a: T | None, b: T | None) -> T | None:
    """The join of two sayings of one fact. They should not differ; if they do, the larger wins in any order."""
    return max((value for value in (a, b) if value is not None), default=None)
