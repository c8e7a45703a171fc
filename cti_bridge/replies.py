"""What a webhook is answered: whom to ring, whom to connect, or which sentence to say. What follows from it: ``calls``."""

from __future__ import annotations

from sqlalchemy import Connection

from cti_bridge.clock import Clock, utc_now
from cti_bridge.logbook import get_logger
from cti_bridge.model import (
    Call,
    CallEvent,
    Connect,
    Direction,
    EventKind,
    HangUp,
    LegStatus,
    Line,
    Message,
    Noted,
    Reply,
    Ring,
    Speak,
)
from cti_bridge.settings import Settings
from cti_bridge.store import availability
from cti_bridge.store.directory import KnownDirectory

log = get_logger(__name__)

MOST_RUNG = 10
"""Twilio rings at most ten telephones at once (https://www.twilio.com/docs/voice/twiml/dial)."""


class Replies:
    """Decides. Changes nothing."""

    def __init__(self, settings: Settings, directory: KnownDirectory, *, clock: Clock = utc_now) -> None:
        self._settings = settings
        self._directory = directory
        self._clock = clock

    def to(self, connection: Connection, event: CallEvent, call: Call) -> Reply:
        """The answer to this event of this call. Raises StoreUnavailable."""
        line = self._directory.current().line_of(call.line_number)
        match event.kind:
            case EventKind.INCOMING:
                return self._ring(connection, call.id, line)
            case EventKind.OUTGOING:
                return self._connect(event, line)
            case EventKind.RESULT:
                return self._after_dial(event, line)
            case _:
                return Noted()

    def without_memory(self, event: CallEvent) -> Reply:
        """What to answer when the database cannot be asked: ring the line's agents as last known, or say sorry.

        Touches nothing that can fail.
        """
        directory = self._directory.last
        line = directory.line_of(event.line_number)
        language = line.language if line else self._settings.language
        match event.kind:
            case EventKind.INCOMING if line is not None:
                agents = tuple(agent for agent in directory.agents_of(line) if agent.reachable and not agent.away)
                return Ring(event.call_id, line, agents[:MOST_RUNG]) if agents else Speak(Message.APOLOGY, language)
            case EventKind.OUTGOING:
                return self._connect(event, line)
            case EventKind.RESULT:
                return self._after_dial(event, line)
            case EventKind.INCOMING:
                return Speak(Message.APOLOGY, language)
            case _:
                return Noted()

    def _ring(self, connection: Connection, call_id: str, line: Line | None) -> Reply:
        if line is None:
            log.error("number_is_no_line", call=call_id, mend="add it with: cti-bridge lines add")
            return Speak(Message.APOLOGY, self._settings.language)
        available = set(availability.available_agents(connection, line.id, self._clock(), self._settings.wrap_up_limit))
        agents = [
            agent for agent in self._directory.current().agents_of(line) if agent.id in available and agent.reachable
        ]
        return Ring(call_id, line, tuple(agents[:MOST_RUNG])) if agents else Speak(Message.NOBODY_FREE, line.language)

    def _connect(self, event: CallEvent, line: Line | None) -> Reply:
        if event.party is None or event.agent_id is None or event.line_number is None:
            return Speak(Message.APOLOGY, self._settings.language)
        return Connect(event.call_id, event.party, event.agent_id, event.line_number, line)

    def _after_dial(self, event: CallEvent, line: Line | None) -> Reply:
        """Nothing when people talked or the caller is gone, else a sentence."""
        if event.dial_status is LegStatus.COMPLETED or event.status.final:
            return HangUp()
        outbound = event.direction is Direction.OUTBOUND
        language = line.language if line else self._settings.language
        return Speak(Message.NOT_CONNECTED if outbound else Message.NOT_ANSWERED, language)
