"""The card that one agent sees for one call: built whole each time from the call's row, in the agent's language.

The shape is ``$defs/call`` of ``live/frames.schema.json``. Nothing here asks a CRM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from cti_bridge.connector import Connector
from cti_bridge.model import (
    Agent,
    Call,
    Caller,
    CallerKind,
    Choice,
    Contact,
    Language,
    Line,
    Match,
    Outcome,
    Presence,
)
from cti_bridge.phone import PhoneNumber
from cti_bridge.settings import Settings
from cti_bridge.store import calls, outbox
from cti_bridge.store.calls import CallRecord, Lookup, LookupState
from cti_bridge.store.codec import dump
from cti_bridge.store.directory import Directory
from cti_bridge.store.missed import MissedCall
from cti_bridge.store.outbox import Entry, OutboxState

Json = dict[str, Any]

TROUBLES: dict[str, dict[Language, str]] = {
    "late": {
        "ja": "CRMの応答に時間がかかっています。届きしだい表示します。",
        "en": "The CRM is taking long. Its answer will be shown when it comes.",
    },
    "unavailable": {
        "ja": "CRMに接続できません。通話履歴はここに保存され、復旧後に登録されます。",
        "en": "The CRM cannot be reached. Your log is kept here and written when it is back.",
    },
    "down": {
        "ja": "CRMが停止しているようです。通話履歴はここに保存され、復旧後に登録されます。",
        "en": "The CRM seems to be down. Your log is kept here and written when it is back.",
    },
    "refused": {
        "ja": "CRMが検索を受け付けませんでした。管理者に連絡してください。",
        "en": "The CRM refused the search. Please tell your administrator.",
    },
    "spared": {
        "ja": "CRMへの問い合わせが上限に近いため、以前の検索結果を表示しています。通話履歴は登録されます。",
        "en": "The CRM's request limit is near, so this is what it said earlier. Your log is still written.",
    },
    "crowded": {
        "ja": "着信が集中しているため、CRMの検索を省きました。",
        "en": "Too many calls at once: the CRM was not asked this time.",
    },
    "bug": {
        "ja": "検索中に問題が起きました。管理者に連絡してください。",
        "en": "Something broke during the search. Please tell your administrator.",
    },
}


@dataclass(frozen=True, slots=True)
class Background:
    """What a card shows that does not stand in its call's row: the conversation before, and how the log fares."""

    last_answered: CallRecord | None
    log: Entry | None


class Pops:
    """Builds cards. One instance for a process. ``shown`` is told which agent is being shown whose call, and must not
    wait: the call's id, the agent's, the contacts'."""

    def __init__(
        self,
        settings: Settings,
        connector: Connector,
        *,
        shown: Callable[[str, int, Iterable[str]], None] = lambda _call, _agent, _contacts: None,
    ) -> None:
        self._shown = shown
        self._region = settings.region
        self._dispositions = settings.disposition_list
        self._field_label = connector.field_label

    def build(self, connection: Connection, record: CallRecord, agent: Agent, directory: Directory) -> Json:
        """The card of this call for this agent."""
        return self.card(record, self.background(connection, record), agent, directory)

    def background(self, connection: Connection, record: CallRecord) -> Background:
        """What this call's cards show beside its row; the same for every agent."""
        number, began = record.caller.number, record.call.started_at
        return Background(
            calls.last_answered(connection, number, began, besides=record.id) if number and began else None,
            outbox.entry_of(connection, record.id, "call_log") if _may_have_log(record) else None,
        )

    def card(self, record: CallRecord, background: Background, agent: Agent, directory: Directory) -> Json:
        """The card, when the background is at hand."""
        call, lookup = record.call, record.lookup
        taker = directory.agents.get(call.agent_id or 0)
        line = directory.line_of(call.line_number)
        choice = record.choice
        offered = [match.contact.id for match in lookup.matches]
        if offered or choice:
            self._shown(record.id, agent.id, [*([choice.contact.id] if choice else []), *offered])
        return {
            "id": record.id,
            "version": record.version,
            "direction": call.direction or "inbound",
            "phase": phase(record, agent),
            "stage": _stage(lookup),
            "line": self.line(line) if line else None,
            "caller": self.caller(record.caller, agent.language),
            "agent": {"id": taker.id, "name": taker.name} if taker else None,
            "started_at": _iso(call.started_at),
            "answered_at": _iso(call.answered_at),
            "ended_at": _iso(call.ended_at),
            "outcome": call.outcome,
            "last_spoken": self._last_spoken(background.last_answered, directory, agent.language),
            "lookup": {
                "state": lookup.state,
                "source": lookup.source,
                "stale": lookup.stale,
                "fetched_at": _iso(lookup.fetched_at),
                "message": TROUBLES[lookup.trouble][agent.language] if lookup.trouble else None,
            },
            "matches": [self._match(match, agent.language) for match in lookup.matches],
            "choice": self._choice(choice, agent.language) if choice else None,
            "related": dump(record.related) if record.related else None,
            "activity": _activity(lookup, choice),
            "draft": {
                "note": record.note,
                "disposition": record.disposition,
                "saved_at": _iso(record.draft_saved_at),
            },
            "log": _log(call, background.log),
        }

    def recorded(self, record: CallRecord, agent: Agent, directory: Directory) -> Json:
        """What the page that plays a recording says of its call; nothing that the agent who took it wrote."""
        call = record.call
        taker = directory.agents.get(call.agent_id or 0)
        line = directory.line_of(call.line_number)
        return {
            "id": record.id,
            "direction": call.direction or "inbound",
            "caller": self.caller(record.caller, agent.language),
            "contact_name": record.contact_name,
            "line": {"name": line.name, "display": PhoneNumber(line.number).display(self._region)} if line else None,
            "agent": taker.name if taker else None,
            "started_at": _iso(call.started_at),
            "talk_seconds": int(call.talk_time.total_seconds()),
            "language": agent.language,
        }

    def line(self, line: Line) -> Json:
        return {
            "id": line.id,
            "name": line.name,
            "number": line.number,
            "display": PhoneNumber(line.number).display(self._region),
            "greeting": line.greeting,
            "language": line.language,
        }

    def caller(self, caller: Caller, language: Language) -> Json:
        number = PhoneNumber(caller.number) if caller.number else None
        shown = caller.raw if caller.kind is CallerKind.UNREADABLE else ""
        return {
            "kind": caller.kind,
            "number": caller.number,
            "display": number.display(self._region) if number else shown[:60],
            "region": number.place(language, self._region) if number else "",
        }

    def missed(self, missed: Iterable[MissedCall], directory: Directory, language: Language) -> list[Json]:
        """Missed calls gathered by caller, the latest caller first. ``missed`` are newest first."""
        groups: dict[str, list[MissedCall]] = {}
        for call in missed:
            groups.setdefault(call.caller.number or call.caller.kind, []).append(call)
        return [
            {
                "key": key,
                "caller": self.caller(group[0].caller, language),
                "count": len(group),
                "last_at": _iso(group[0].started_at),
                "line": self.line(line) if (line := directory.line_of(group[0].line_number)) else None,
                "contact_name": group[0].contact_name,
                "call_id": group[0].id,
            }
            for key, group in groups.items()
        ]

    def contact(self, contact: Contact, language: Language) -> Json:
        """A contact as ``$defs/contact``, its fields named in the reader's language."""
        data: Json = dump(contact)
        data.pop("touched_at")
        data.pop("open_cases")
        data.pop("activity")
        for number in data["numbers"]:
            number["label"] = self._field_label(number["label"], language)
        return data

    def _match(self, match: Match, language: Language) -> Json:
        named = self._field_label(match.field, language)
        return {**dump(match), "field": named, "contact": self.contact(match.contact, language)}

    def _choice(self, choice: Choice, language: Language) -> Json:
        contact = self.contact(choice.contact, language)
        return {"contact": contact, "how": choice.how, "by": choice.by, "at": _iso(choice.at)}

    def _last_spoken(self, last: CallRecord | None, directory: Directory, language: Language) -> Json | None:
        if last is None:
            return None
        agent = directory.agents.get(last.call.agent_id or 0)
        labels = {disposition.code: disposition.label(language) for disposition in self._dispositions}
        return {
            "at": _iso(last.call.started_at),
            "agent": agent.name if agent else None,
            "disposition": labels.get(last.disposition or "", last.disposition),
            "note": last.note[:500],
            "contact_name": last.contact_name,
        }


def phase(record: CallRecord, agent: Agent) -> str:
    """Where the call stands, as this agent sees it."""
    call = record.call
    if call.agent_id == agent.id:
        if record.completed_at is not None:
            return "completed"
        if call.ended:
            return "wrapping_up"
        return "talking" if call.answered else "ringing"
    if call.agent_id is not None:
        return "elsewhere"
    if call.ended:
        return "missed" if call.outcome is Outcome.MISSED else "elsewhere"
    return "ringing"


def agent_json(agent: Agent, presence: Presence) -> Json:
    return {
        "id": agent.id,
        "name": agent.name,
        "presence": presence,
        "language": agent.language,
        "can_dial": agent.phone is not None,
        "role": agent.role,
    }


def _stage(lookup: Lookup) -> int:
    if lookup.state is LookupState.WAITING:
        return 1
    return 3 if lookup.story.state is LookupState.DONE else 2


def _activity(lookup: Lookup, choice: Choice | None) -> Json | None:
    """The chosen contact's story; that of another contact, or of nobody, is not shown."""
    if choice is None:
        return None
    if lookup.story.of != choice.contact.id:
        state = "failed" if lookup.state is LookupState.FAILED else "waiting"
        return {"state": state, "history": [], "open": [], "upcoming": []}
    return {"state": lookup.story.state, **dump(lookup.story.activity)}


def _may_have_log(record: CallRecord) -> bool:
    return record.call.ended or record.completed_at is not None


def _log(call: Call, entry: Entry | None) -> Json:
    if entry is None:
        return {"state": "saved" if call.ended else "none", "url": None, "message": None}
    if entry.state is OutboxState.PENDING:
        state = "retrying" if entry.failures else "saved"
    else:
        state = "delivered" if entry.state is OutboxState.DELIVERED else "parked"
    message = entry.reason or entry.last_error if state in ("retrying", "parked") else None
    return {"state": state, "url": entry.record_url, "message": message}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
