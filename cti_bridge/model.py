"""The vocabulary: what a call, a caller, a contact and a log are, and the rules that need nothing but them.

Frozen dataclasses, enums and pure functions on the standard library. What does not live here: numbers' spelling
(``phone``), how a CRM keeps its records (``connectors``), what Twilio calls things (``twilio``), tables (``store``).

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
from typing import Literal, TypeVar

Language = Literal["ja", "en"]


class Direction(StrEnum):
    """Who called whom, seen from us."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Presence(StrEnum):
    """What an agent is doing. Only ``available`` agents ring."""

    AVAILABLE = "available"
    ON_CALL = "on_call"
    WRAPPING_UP = "wrapping_up"
    AWAY = "away"


class Engagement(StrEnum):
    """What a call keeps an agent busy with."""

    TALKING = "talking"
    WRAPPING_UP = "wrapping_up"


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
class Line:
    """One of our own numbers: ``Line(1, "+81365550100", "代表", "お電話ありがとうございます。…", "ja")``."""

    id: int
    number: str
    name: str
    greeting: str
    language: Language
    ring_timeout: timedelta = timedelta(seconds=25)
    record: bool = False


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who takes calls. ``phone`` is their own telephone (E.164); ``softphone`` says that the browser rings."""

    id: int
    name: str
    email: str
    language: Language
    phone: str | None = None
    softphone: bool = False
    away: bool = False

    @property
    def reachable(self) -> bool:
        """Has anything that can ring."""
        return self.softphone or self.phone is not None

    @property
    def identity(self) -> str:
        """The agent's name in the telephone network: letters, digits and _ only, nothing personal."""
        return f"agent_{self.id}"


def presence(agent: Agent, engagement: Engagement | None) -> Presence:
    """What the agent is doing: derived from their calls and what they set, so that it cannot go stale."""
    if engagement is Engagement.TALKING:
        return Presence.ON_CALL
    if agent.away:
        return Presence.AWAY
    return Presence.WRAPPING_UP if engagement else Presence.AVAILABLE


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


# ── what a caller hears ──────────────────────────────────────────────────────────────────────────────────────────────


class Message(StrEnum):
    """What we say to a caller when nobody else does; ``twilio.twiml`` has the words."""

    NOBODY_FREE = "nobody_free"
    NOT_ANSWERED = "not_answered"
    APOLOGY = "apology"
    NOT_CONNECTED = "not_connected"


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring these agents, all at once; the first to answer has the call."""

    call_id: str
    line: Line
    agents: tuple[Agent, ...]


@dataclass(frozen=True, slots=True)
class Connect:
    """The agent has picked up their own phone: now call the outside party, showing the line's number."""

    call_id: str
    number: str
    agent_id: int
    caller_id: str
    line: Line | None


@dataclass(frozen=True, slots=True)
class Speak:
    """Say this and hang up."""

    message: Message
    language: Language


@dataclass(frozen=True, slots=True)
class HangUp:
    """The conversation is over."""


@dataclass(frozen=True, slots=True)
class Noted:
    """Nothing to do: the webhook told, and nobody listens on that leg."""


Reply = Ring | Connect | Speak | HangUp | Noted


# ── customers ────────────────────────────────────────────────────────────────────────────────────────────────────────


class ContactKind(StrEnum):
    """A person, or a company whose switchboard this is."""

    PERSON = "person"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class ContactNumber:
    """One telephone field of a record: ``ContactNumber("携帯", "０９０ー１２３４ー５６７８")``, as typed."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A record in the CRM, person or company, with a link to it.

    ``id`` is the connector's own (``"contact:12"``, ``"003…"``); the bridge never looks into it.
    ``touched_at`` is when the CRM last saw activity with this contact, ``open_cases`` how many wait; both for ranking.
    """

    id: str
    kind: ContactKind
    name: str
    reading: str = ""
    company: str = ""
    title: str = ""
    url: str | None = None
    numbers: tuple[ContactNumber, ...] = ()
    touched_at: datetime | None = None
    open_cases: int = 0


@dataclass(frozen=True, slots=True)
class ContactDraft:
    """What is known of somebody who is not in the CRM yet. ``number`` is E.164."""

    name: str
    number: str
    reading: str = ""
    company: str = ""


class ActivityKind(StrEnum):
    """What happened, waits, or will happen."""

    CALL = "call"
    NOTE = "note"
    EMAIL = "email"
    VISIT = "visit"
    CASE = "case"
    DEAL = "deal"
    ORDER = "order"
    APPOINTMENT = "appointment"


@dataclass(frozen=True, slots=True)
class ActivityItem:
    """One line of a customer's story. ``at`` is aware, UTC."""

    kind: ActivityKind
    title: str
    detail: str = ""
    at: datetime | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """What a card shows of a contact: the past (newest first), what is open, what is to come (soonest first)."""

    history: tuple[ActivityItem, ...] = ()
    open: tuple[ActivityItem, ...] = ()
    upcoming: tuple[ActivityItem, ...] = ()


class Reason(StrEnum):
    """Why a contact is offered, and why at this place."""

    SAME_NUMBER = "same_number"
    CHOSEN_BEFORE = "chosen_before"
    CALLED_RECENTLY = "called_recently"
    OPEN_CASE = "open_case"
    LATEST_CONTACT = "latest_contact"


@dataclass(frozen=True, slots=True)
class Match:
    """A contact and why: ``field`` is the record's field that holds the number, ``as_typed`` what stands there."""

    contact: Contact
    field: str
    as_typed: str
    reasons: tuple[Reason, ...] = (Reason.SAME_NUMBER,)


def rank(matches: Iterable[Match], *, chosen_before: str | None, called_recently: frozenset[str]) -> tuple[Match, ...]:
    """Order the matches of one number, best first, each told why it stands there.

    Chosen before for this number; talked to by us recently; has an open case; latest contact. ``chosen_before`` is a
    contact id, ``called_recently`` are contact ids. The order is total: equal contacts stand in the order of their ids.
    """
    found = sorted(matches, key=lambda match: match.contact.id)
    latest = max((m.contact.touched_at for m in found if m.contact.touched_at), default=None)

    def reasons(match: Match) -> tuple[Reason, ...]:
        contact = match.contact
        tests = {
            Reason.CHOSEN_BEFORE: contact.id == chosen_before,
            Reason.CALLED_RECENTLY: contact.id in called_recently,
            Reason.OPEN_CASE: contact.open_cases > 0,
            Reason.LATEST_CONTACT: len(found) > 1 and latest is not None and contact.touched_at == latest,
        }
        return (Reason.SAME_NUMBER, *(reason for reason, holds in tests.items() if holds))

    def place(match: Match) -> tuple[bool, bool, bool, float]:
        touched = match.contact.touched_at
        held = match.reasons
        return (
            Reason.CHOSEN_BEFORE not in held,
            Reason.CALLED_RECENTLY not in held,
            Reason.OPEN_CASE not in held,
            -touched.timestamp() if touched else 0.0,
        )

    return tuple(sorted((replace(match, reasons=reasons(match)) for match in found), key=place))


class ChoiceHow(StrEnum):
    """How it was settled whose call this is."""

    ONLY_MATCH = "only_match"
    PICKED = "picked"
    LEARNED = "learned"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which contact this call belongs to, and who says so. ``by`` is the name of the agent who picked."""

    contact: Contact
    how: ChoiceHow
    by: str | None = None
    at: datetime | None = None


def settle(
    matches: tuple[Match, ...], picked: Choice | None, learned: Choice | None, *, disowned: bool = False
) -> Choice | None:
    """Whose call is it? What an agent picked for this call; the only match; what was learned, if it still matches.

    Several matches and nothing learned, or ``disowned`` ("not this contact", said an agent): nobody's, until an agent
    picks. Never a guess.
    """
    if picked is not None or disowned:
        return picked
    if len(matches) == 1:
        return Choice(matches[0].contact, ChoiceHow.ONLY_MATCH)
    for match in matches:
        if learned is not None and match.contact.id == learned.contact.id:
            return replace(learned, contact=match.contact, how=ChoiceHow.LEARNED)
    return None


# ── what the CRM gets, and what it says ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Disposition:
    """A result that an agent can choose: ``Disposition("callback", "再コール", "Call back")``."""

    code: str
    ja: str
    en: str

    def label(self, language: Language) -> str:
        return self.ja if language == "ja" else self.en


@dataclass(frozen=True, slots=True)
class CallLog:
    """What the CRM gets for one call: one record, found again by ``call_id`` and updated in place.

    ``subject`` and ``body`` are ready to show, in the line's language; the other members are for CRMs with fields.
    ``contact`` is None when nobody settled whose call it was.
    """

    call_id: str
    direction: Direction
    outcome: Outcome
    subject: str
    body: str
    party: str
    line_name: str
    contact: Contact | None
    agent_name: str
    agent_email: str
    started_at: datetime
    ended_at: datetime
    talk_time: timedelta
    note: str = ""
    disposition: str = ""
    recording_id: str | None = None


@dataclass(frozen=True, slots=True)
class RecordLink:
    """Where a record stands in the CRM. ``url`` is None for a CRM without screens."""

    id: str
    url: str | None = None


class Severity(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check-up in plain words, both languages, with the mend: what an administrator reads."""

    severity: Severity
    subject: str
    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a CRM can do; the widget draws only that."""

    search: bool = True
    create_contact: bool = True
    add_number: bool = True
    activity: bool = True


# ── joining facts ────────────────────────────────────────────────────────────────────────────────────────────────────

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


def _earlier(a: datetime | None, b: datetime | None) -> datetime | None:
    return min((at for at in (a, b) if at is not None), default=None)


T = TypeVar("T", Direction, int, str, timedelta)


def _larger(a: T | None, b: T | None) -> T | None:
    """The join of two sayings of one fact. They should not differ; if they do, the larger wins in any order."""
    return max((value for value in (a, b) if value is not None), default=None)
