"""The people who take calls, and the lines on which they do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal

Language = Literal["ja", "en"]


class Presence(StrEnum):
    """What an agent is doing. Only ``available`` agents ring."""

    AVAILABLE = "available"
    ON_CALL = "on_call"
    WRAPPING_UP = "wrapping_up"
    AWAY = "away"


class Role(StrEnum):
    """What an agent is to the company. What each role may see and do: ``permissions``."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


class Engagement(StrEnum):
    """What a call keeps an agent busy with."""

    TALKING = "talking"
    WRAPPING_UP = "wrapping_up"


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
    """A person who takes calls. ``phone`` is their own telephone (E.164); ``softphone`` says that the browser rings.

    ``second_factor`` is whether they have proved that they own a device which makes one-time codes.
    """

    id: int
    name: str
    email: str
    language: Language
    phone: str | None = None
    softphone: bool = False
    away: bool = False
    role: Role = Role.AGENT
    second_factor: bool = False

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
