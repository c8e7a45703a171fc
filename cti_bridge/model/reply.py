"""What the network is told to do with a call: ring, connect, speak, hang up. How that is written: ``twilio.twiml``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cti_bridge.model.people import Agent, Language, Line


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
