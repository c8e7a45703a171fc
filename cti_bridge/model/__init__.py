"""The vocabulary: what a call, a caller, a contact and a log are, and the rules that need nothing but them.

Frozen dataclasses, enums and pure functions on the standard library, in five chapters: ``people`` (agents and lines),
``call`` (what happens on the line), ``reply`` (what we have done about it), ``customer`` (whose number it is) and ``crm``
(what is told to the CRM). Import from here. What does not live here: numbers' spelling (``phone``), how a CRM keeps its
records (``connectors``), what Twilio calls things (``twilio``), tables (``store``).
"""

from cti_bridge.model.call import (
    Call,
    Caller,
    CallerKind,
    CallEvent,
    Direction,
    EventKind,
    Leg,
    LegRole,
    LegStatus,
    Outcome,
)
from cti_bridge.model.crm import CallLog, Capabilities, Disposition, Finding, RecordLink, Severity, Survey, Usage
from cti_bridge.model.customer import (
    Activity,
    ActivityItem,
    ActivityKind,
    Choice,
    ChoiceHow,
    Contact,
    ContactDraft,
    ContactKind,
    ContactNumber,
    Match,
    Placement,
    Reason,
    RelatedRecord,
    rank,
    settle,
)
from cti_bridge.model.people import Agent, Engagement, Language, Line, Presence, presence
from cti_bridge.model.reply import Connect, HangUp, Message, Noted, Reply, Ring, Speak

__all__ = [
    "Activity",
    "ActivityItem",
    "ActivityKind",
    "Agent",
    "Call",
    "CallEvent",
    "CallLog",
    "Caller",
    "CallerKind",
    "Capabilities",
    "Choice",
    "ChoiceHow",
    "Connect",
    "Contact",
    "ContactDraft",
    "ContactKind",
    "ContactNumber",
    "Direction",
    "Disposition",
    "Engagement",
    "EventKind",
    "Finding",
    "HangUp",
    "Language",
    "Leg",
    "LegRole",
    "LegStatus",
    "Line",
    "Match",
    "Message",
    "Noted",
    "Outcome",
    "Placement",
    "Presence",
    "Reason",
    "RecordLink",
    "RelatedRecord",
    "Reply",
    "Ring",
    "Severity",
    "Speak",
    "Survey",
    "Usage",
    "presence",
    "rank",
    "settle",
]
