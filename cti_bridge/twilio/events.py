"""Twilio's webhook parameters to our CallEvent: by table, unknown words kept as unknown, never an exception over one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from cti_bridge.model import CallEvent, Direction, EventKind, LegRole, LegStatus

STATUSES = {
    "queued": LegStatus.QUEUED,
    "initiated": LegStatus.INITIATED,
    "ringing": LegStatus.RINGING,
    "in-progress": LegStatus.IN_PROGRESS,
    "answered": LegStatus.IN_PROGRESS,  # the event's name; its CallStatus is documented as in-progress
    "completed": LegStatus.COMPLETED,
    "busy": LegStatus.BUSY,
    "no-answer": LegStatus.NO_ANSWER,
    "failed": LegStatus.FAILED,
    "canceled": LegStatus.CANCELED,
}

DIAL_STATUSES = {**STATUSES, "answered": LegStatus.COMPLETED}
"""After a conference a finished dial says ``answered`` (https://www.twilio.com/docs/voice/twiml/dial)."""

DIRECTIONS = {"inbound": Direction.INBOUND, "outbound-api": Direction.OUTBOUND}
"""Of the root leg. A child's ``outbound-dial`` says nothing about the call."""

LONGEST_NUMBER = 20
LONGEST_TOKEN = 64
LONGEST_SID = 40
BELIEVABLE = timedelta(days=1)
"""How far Twilio's clock and ours may differ before a Timestamp is taken for nonsense."""


def read_event(
    kind: EventKind,
    query: Mapping[str, str],
    form: Mapping[str, str],
    *,
    token: str | None,
    received_at: datetime,
) -> CallEvent:
    """One verified webhook as an event.

    ``query`` holds what we put into the URL ourselves (it is signed): ``call``, ``agent``, ``number``, ``step``; ``form``
    what Twilio sent. Raises ValueError when there is no CallSid, for then it is about no call at all.
    """
    leg_id = form.get("CallSid", "")
    if not leg_id or len(leg_id) > LONGEST_SID:
        raise ValueError("the webhook has no CallSid")
    call_id = query.get("call") or leg_id
    is_root = leg_id == call_id
    direction = DIRECTIONS.get(form.get("Direction", "")) if is_root else None
    if query.get("number"):
        direction = Direction.OUTBOUND
    outbound = direction is Direction.OUTBOUND
    status = STATUSES.get(form.get("CallStatus", ""), LegStatus.UNKNOWN)
    dial_status = DIAL_STATUSES.get(form.get("DialCallStatus", ""), LegStatus.UNKNOWN)
    agent = query.get("agent", "")
    is_result = kind is EventKind.RESULT
    return CallEvent(
        key=_key(kind, call_id, leg_id, query, form),
        kind=kind,
        call_id=call_id,
        leg_id=leg_id,
        at=_moment(form.get("Timestamp"), received_at),
        status=status,
        role=_role(is_root=is_root, outbound=outbound, has_agent=bool(agent)),
        token=token[:LONGEST_TOKEN] if token else None,
        direction=direction,
        line_number=_line_number(form.get("From") if outbound else form.get("To")) if is_root else None,
        party=query.get("number") or (form.get("From") if is_root and not outbound else None),
        agent_id=int(agent) if agent.isdecimal() and len(agent) < 10 else None,
        duration=_seconds(form.get("DialCallDuration" if is_result else "CallDuration")),
        dial_status=dial_status if is_result else LegStatus.UNKNOWN,
        dialled_leg_id=form.get("DialCallSid") if is_result else None,
        recording_id=_recording(form),
    )


def _key(kind: EventKind, call_id: str, leg_id: str, query: Mapping[str, str], form: Mapping[str, str]) -> str:
    """What makes this fact different from every other of the call; Twilio's retries repeat all of it."""
    if kind is EventKind.STATUS:
        which = form.get("SequenceNumber") or form.get("CallStatus", "")
    elif kind is EventKind.RECORDING:
        which = f"{form.get('RecordingSid', '')}:{form.get('RecordingStatus', '')}"
    else:
        which = query.get("step", "")
    return f"{call_id}:{kind.value}:{leg_id}:{which}"[:200]


def _role(*, is_root: bool, outbound: bool, has_agent: bool) -> LegRole:
    if is_root:
        return LegRole.AGENT if outbound else LegRole.PARTY
    return LegRole.AGENT if has_agent else LegRole.PARTY


def _line_number(text: str | None) -> str | None:
    """One of our numbers; a SIP address that was called (``sip:desk@example.sip.twilio.com``) is no line's."""
    return text if text and len(text) <= LONGEST_NUMBER else None


def _recording(form: Mapping[str, str]) -> str | None:
    """The recording that can be heard from now on, if this webhook tells of one."""
    sid = form.get("RecordingSid") if form.get("RecordingStatus", "completed") == "completed" else None
    return sid if sid and len(sid) <= LONGEST_SID else None


def _moment(timestamp: str | None, received_at: datetime) -> datetime:
    """Twilio's RFC 2822 Timestamp; else, or when it is nonsense, when the webhook came."""
    if not timestamp:
        return received_at
    try:
        moment = parsedate_to_datetime(timestamp)
    except (ValueError, IndexError, TypeError, OverflowError):
        return received_at
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware if abs(aware - received_at) < BELIEVABLE else received_at


def _seconds(text: str | None) -> timedelta | None:
    return timedelta(seconds=int(text)) if text and text.isdecimal() and len(text) < 8 else None
