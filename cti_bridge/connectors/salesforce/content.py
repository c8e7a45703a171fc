"""What a call's Task says, and where it hangs. How it is saved: ``tasks``. Asks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cti_bridge.connectors.salesforce.activity import TAIL
from cti_bridge.connectors.salesforce.schema import Column, Described, Table
from cti_bridge.connectors.salesforce.settings import SalesforceSettings
from cti_bridge.connectors.salesforce.soql import fit, record_id
from cti_bridge.model import CallLog, Direction, Language, Outcome

REFERENCES = ("WhoId", "WhatId", "OwnerId")
"""The fields of a Task that name another record."""

_NUMBERS = ("int", "double", "currency", "percent")
_TEXTS = ("string", "textarea", "combobox", "phone", "url", "picklist", "multipicklist")

OUTCOMES: Mapping[Outcome, tuple[str, str]] = {
    Outcome.ANSWERED: ("応答", "Answered"),
    Outcome.MISSED: ("不在着信", "Missed"),
    Outcome.BUSY: ("話し中", "Busy"),
    Outcome.NO_ANSWER: ("応答なし", "No answer"),
    Outcome.FAILED: ("接続できず", "Failed"),
    Outcome.CANCELED: ("取り消し", "Canceled"),
}
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "ja": {
        "recording": "録音",
        "call": "通話ID",
        "related": "関連レコード",
        "dropped": "関連付けできなかったレコード",
    },
    "en": {"recording": "Recording", "call": "Call", "related": "Related record", "dropped": "Could not be related to"},
}


def closed_status(described: Described, settings: SalesforceSettings) -> str | None:
    """The status of a call's Task: the one set, ``Completed``, or the first that the org counts as closed."""
    task = described.tables.get("Task")
    column = task.columns.get("Status") if task else None
    offered = tuple(column.picklist) if column else ()
    if settings.task_status:
        found = [
            value for value in offered if settings.task_status in (value, column.picklist[value] if column else "")
        ]
        return found[0] if found else None
    closed = [status for status in described.closed_statuses if not offered or status in offered]
    return "Completed" if "Completed" in closed else next(iter(closed), None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a Task hangs: ``who`` a person, ``what`` anything else, ``told`` what only its text can say."""

    who: str | None = None
    what: str | None = None
    owner: str | None = None
    told: tuple[str, ...] = ()

    def without(self, fields: tuple[str, ...]) -> Place:
        """The place with these references given up, and said in the text instead; an owner is not missed there."""
        lost = [value for name, value in (("WhoId", self.who), ("WhatId", self.what)) if name in fields and value]
        return Place(
            who=None if "WhoId" in fields else self.who,
            what=None if "WhatId" in fields else self.what,
            owner=None if "OwnerId" in fields else self.owner,
            told=(*self.told, *lost),
        )


@dataclass(frozen=True, slots=True)
class Content:
    """Words a call for one description of the org. ``task`` is its Task object, ``language`` that of what we add."""

    described: Described
    task: Table
    settings: SalesforceSettings
    language: Language

    def place(self, call: CallLog, person: str | None) -> Place:
        """People into WhoId, everything else into WhatId; a Lead may have no related record, so that one is told.
        ``person`` is the contact behind a person account."""
        related = record_id(call.related.id) if call.related else None
        contact = record_id(call.contact.id) if call.contact else None
        table = self.described.table_of(contact) if contact else None
        if contact is None or table is None:
            return Place(what=related)
        if table.name == "Lead":
            return Place(who=contact, told=(related,) if related else ())
        if table.name == "Contact" or person:
            return Place(who=person or contact, what=related)
        what = self.task.columns.get("WhatId")
        if what is not None and table.name not in what.references:
            return Place(what=related, told=(contact,))  # an object without activities
        return Place(what=related or contact, told=(contact,) if related and table.name != "Account" else ())

    def values(self, call: CallLog, place: Place, zone: ZoneInfo) -> dict[str, object]:
        """The fields of this call's Task, as far as the org has them and lets us write them. ``zone`` decides its day."""
        task = self.task
        facts = self._facts(call)
        wanted: dict[str, object] = {
            "Subject": call.subject,
            "WhoId": place.who,
            "WhatId": place.what,
            "ActivityDate": call.started_at.astimezone(zone).date().isoformat(),
            "Status": closed_status(self.described, self.settings),
            "Priority": task.columns["Priority"].default or "Normal" if "Priority" in task.columns else None,
            "TaskSubtype": "Call",
            "CallType": "Inbound" if call.direction is Direction.INBOUND else "Outbound",
            "CallDurationInSeconds": facts["talk_seconds"],
            "CallDisposition": facts["disposition"] or facts["outcome"],
            "CallObject": call.call_id,
            **({"OwnerId": place.owner} if place.owner else {}),
            **{field: facts[fact] for fact, field in self._mapped().items()},
        }
        columns = task.columns
        stored = {name: _stored(columns[name], value, zone) for name, value in wanted.items() if name in columns}
        kept = {name: value for name, value in stored.items() if _may_write(task.columns[name], value)}
        if "Description" in task.columns and task.columns["Description"].createable:
            kept["Description"] = fit(call.body, task.columns["Description"].length, self._tail(call, place))
        return kept

    def _mapped(self) -> dict[str, str]:
        """The fact for each field of SALESFORCE_TASK_FIELDS that the org has and that can hold it."""
        columns, mapping = self.task.columns, self.settings.task_mapping
        return {fact: name for fact, name in mapping.items() if name in columns and can_hold(columns[name], fact)}

    def _tail(self, call: CallLog, place: Place) -> str:
        words = _WORDS[self.language]
        records = [f"{self.settings.lightning_origin}/{told}" for told in place.told]
        related = call.related.title if call.related and record_id(call.related.id) in place.told else ""
        lines = [
            *([f"{words['recording']}: {call.recording_url}"] if call.recording_url else []),
            *([f"{words['related']}: {related}"] if related else []),
            *([f"{words['dropped']}: {' '.join(records)}"] if records else []),
            f"{words['call']}: {call.call_id}",
        ]
        return "\n".join([TAIL, *lines])

    def _facts(self, call: CallLog) -> dict[str, object]:
        """The members of ``settings.CALL_FACTS``."""
        return {
            "agent": call.agent_name,
            "call_id": call.call_id,
            "direction": call.direction.value,
            "disposition": call.disposition,
            "ended_at": call.ended_at,
            "line": call.line_name,
            "note": call.note,
            "outcome": OUTCOMES[call.outcome][self.language == "en"],
            "party": call.party,
            "recording": call.recording_url or "",
            "recording_id": call.recording_id or "",
            "started_at": call.started_at,
            "talk_seconds": int(call.talk_time.total_seconds()),
        }


def can_hold(column: Column, fact: str) -> bool:
    """Whether a field of this type can hold a call's fact at all: ``talk_seconds`` in a number, ``note`` in a text."""
    if column.type in _NUMBERS:
        return fact == "talk_seconds"
    if column.type in ("date", "datetime"):
        return fact in ("started_at", "ended_at")
    return column.type in _TEXTS


def _stored(column: Column, value: object, zone: ZoneInfo) -> object:
    """A value as its field takes it: text cut to length, moments in UTC, days where the agent is, numbers as numbers."""
    if isinstance(value, datetime):
        if column.type == "date":
            return value.astimezone(zone).date().isoformat()
        value = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, int) and column.type in _NUMBERS:
        return value
    if value is None or column.type in ("reference", "date", "datetime", "picklist", "multipicklist"):
        return value
    return fit(str(value), column.length) if column.length else str(value)


def _may_write(column: Column, value: object) -> bool:
    """Whether the field takes this value: the org's picklists are asked, not guessed."""
    if not column.createable:
        return False
    return column.type not in ("picklist", "multipicklist") or not column.picklist or value in column.picklist
