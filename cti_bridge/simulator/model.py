"""The nouns of the simulated network: legs, numbers, parties, recordings, problems. Data only; nothing moves here."""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Status = Literal[
    "queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"
]
Direction = Literal["inbound", "outbound-api", "outbound-dial"]
Behaviour = Literal["manual", "answer", "busy", "no-answer", "unreachable"]
Kind = Literal["incoming", "outgoing", "result", "whisper", "status", "recording"]

TERMINAL: frozenset[str] = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
BEHAVIOURS: frozenset[str] = frozenset({"manual", "answer", "busy", "no-answer", "unreachable"})
KINDS: frozenset[str] = frozenset({"incoming", "outgoing", "result", "whisper", "status", "recording"})
EVENTS: tuple[str, ...] = ("initiated", "ringing", "answered", "completed")
# SipResponseCode of a terminal callback: https://www.twilio.com/docs/voice/api/call-resource#statuscallback
SIP_CODES: dict[str, str] = {
    "completed": "200",
    "busy": "486",
    "no-answer": "487",
    "canceled": "487",
    "failed": "404",
}
WITHHELD = "+266696687"  # ANONYMOUS on a keypad: how Twilio writes many withheld callers
E164 = re.compile(r"\+[1-9]\d{6,14}")
APOLOGY = "We are sorry, an application error has occurred. Goodbye."


def new_sid(prefix: str) -> str:
    """A fresh Twilio-shaped identifier: two letters and 32 hexadecimal digits, e.g. `CA0f3c…`."""
    return prefix + secrets.token_hex(16)


class NotPossible(Exception):
    """What was asked does not fit the state, e.g. answering a leg that does not ring. Nothing was changed."""


@dataclass(frozen=True)
class Callback:
    """Where events are told: `url` (may carry connection overrides in its #fragment), `method`, `events` asked for."""

    url: str
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(frozen=True)
class Source:
    """Where the next TwiML comes from: a URL to fetch, or `twiml` as it stands (given over REST)."""

    url: str = ""
    method: str = "POST"
    kind: Kind = "result"
    params: dict[str, str] = field(default_factory=dict)
    twiml: str | None = None
    fallback_url: str = ""
    fallback_method: str = "POST"


@dataclass
class OwnNumber:
    """A phone number bought from Twilio, as the IncomingPhoneNumber resource has it."""

    phone_number: str
    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    voice_fallback_method: str = "POST"
    status_callback: str = ""
    status_callback_method: str = "POST"
    friendly_name: str = ""
    voice_application_sid: str = ""
    trunk_sid: str = ""
    sid: str = field(default_factory=lambda: new_sid("PN"))


@dataclass
class Application:
    """A TwiML App: where browsers' calls, and numbers that name it, ask what to do."""

    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    voice_fallback_method: str = "POST"
    status_callback: str = ""
    status_callback_method: str = "POST"
    friendly_name: str = ""
    sid: str = field(default_factory=lambda: new_sid("AP"))


@dataclass(frozen=True)
class Party:
    """How somebody outside reacts to ringing. `after` and `hang_up_after` are seconds."""

    behaviour: Behaviour = "manual"
    after: float = 0.0
    hang_up_after: float | None = None


@dataclass(frozen=True)
class Heard:
    """Something the person on a leg heard: `what` is say, play, error (Twilio's apology) or hold (ringing tone)."""

    what: str
    text: str
    language: str
    voice: str
    at: datetime


@dataclass(frozen=True)
class Problem:
    """One entry of the debugger: Twilio's `code` (https://www.twilio.com/docs/api/errors), plain words, where."""

    code: int
    message: str
    level: Literal["error", "warning"]
    call_sid: str
    url: str
    at: datetime


@dataclass
class Delivery:
    """One webhook request that was really sent (or dropped): what, where, and what came back.

    `status` is the HTTP status, or None with the reason in `error`; `misbehaviour` names what we did on purpose.
    """

    kind: Kind
    call_sid: str
    method: str
    url: str
    params: dict[str, str]
    at: datetime
    status: int | None = None
    error: str = ""
    token: str = ""
    misbehaviour: str = ""
    seconds: float = 0.0


@dataclass
class Recording:
    """A recording, in progress until `duration` (whole seconds) is known."""

    sid: str
    call_sid: str
    source: str
    channels: int
    started_at: datetime
    url: str
    callback: Callback | None
    duration: int | None = None


class Leg:
    """One Twilio call resource. Its lock is the network's; `changed` is notified whenever it or a child changes."""

    def __init__(
        self,
        *,
        lock: threading.RLock,
        from_: str,
        to: str,
        direction: Direction,
        status: Status,
        created_at: datetime,
        parent: Leg | None = None,
    ) -> None:
        self.sid = new_sid("CA")
        self.from_ = from_
        self.to = to
        self.direction: Direction = direction
        self.status: str = status
        self.created_at = created_at
        self.updated_at = created_at
        self.started_at: datetime | None = created_at if direction == "inbound" else None
        self.answered_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.parent = parent
        self.children: list[Leg] = []
        self.callback: Callback | None = None
        self.sequence = 0
        self.extra: dict[str, str] = {}  # ForwardedFrom, CallToken …: sent with every webhook of the leg
        self.custom: dict[str, str] = {}  # <Parameter>s of a <Client>: for the softphone, never in a webhook
        self.number: OwnNumber | None = None
        self.heard: list[Heard] = []
        self.keys = ""  # pressed and not yet read by a <Gather> or <Record>
        self.speech: str | None = None
        self.finished_recording: tuple[float, str] | None = None
        self.dialing: Dialing | None = None  # as a parent
        self.rung_by: Dialing | None = None  # as a child
        self.whisper: Source | None = None
        self.timeout = 60.0
        self.diversion: Source | None = None
        self.scripted = False
        self.failing_status: Status | None = None  # how an unanswered call ends when its document is over
        self.record: Callback | bool = False
        self.recording: Recording | None = None
        self.queue_ms = 0
        self.changed = threading.Condition(lock)

    @property
    def ended(self) -> bool:
        """Whether the leg reached one of the five terminal states."""
        return self.status in TERMINAL

    @property
    def root(self) -> Leg:
        """The leg that the call began with."""
        return self if self.parent is None else self.parent.root

    @property
    def who(self) -> str:
        """The outside party on this leg: the caller of an inbound leg, else the called number or `client:` identity."""
        return self.from_ if self.direction == "inbound" else self.to

    def seconds(self) -> int:
        """Length of the conversation in whole seconds, 0 when there was none."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return round((self.ended_at - self.answered_at).total_seconds())

    def __repr__(self) -> str:
        return f"<Leg {self.sid} {self.direction} {self.from_} -> {self.to} {self.status}>"


@dataclass
class Dialing:
    """A `<Dial>` under way: its children, and which of them was connected."""

    parent: Leg
    children: list[Leg] = field(default_factory=list)
    winner: Leg | None = None
    bridged_at: datetime | None = None
    left: bool = False  # the winner was taken out of the bridge by REST
    time_limit: float = 14400.0
    recording_options: dict[str, Any] | None = None
    recording: Recording | None = None

    @property
    def over(self) -> bool:
        """Whether there is nothing more to wait for."""
        if self.winner is not None:
            return self.left or self.winner.ended
        return all(child.ended for child in self.children)
