"""The call's log: one Task per call, written in place however often. What there is: ``schema``, ``users``."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from cti_bridge.connectors.salesforce.activity import TAIL
from cti_bridge.connectors.salesforce.lookup import Lookup
from cti_bridge.connectors.salesforce.problems import SEVERAL, SalesforceRefused
from cti_bridge.connectors.salesforce.schema import Column, Described, Table
from cti_bridge.connectors.salesforce.session import Org
from cti_bridge.connectors.salesforce.settings import SalesforceSettings
from cti_bridge.connectors.salesforce.soql import fit, quoted, record_id, select
from cti_bridge.logbook import get_logger
from cti_bridge.model import CallLog, Direction, Language, Outcome, RecordLink

log = get_logger(__name__)

EXTERNAL_ID_NAMES = ("cti_call_sid__c", "cti_call_id__c", "call_sid__c", "callsid__c")
WRITTEN_REMEMBERED = 4096
CALLS_AT_ONCE = 64

REFERENCES = ("WhoId", "WhatId", "OwnerId")
DEAD_REFERENCE = (
    "CANNOT_UPDATE_CONVERTED_LEAD",
    "ENTITY_IS_DELETED",
    "FIELD_INTEGRITY_EXCEPTION",
    "INACTIVE_OWNER_OR_USER",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
    "INVALID_CROSS_REFERENCE_KEY",
    "INVALID_OPERATION_WITH_INACTIVE_USER",
    "MALFORMED_ID",
    "OPERATION_WITH_INACTIVE_USER_NOT_ALLOWED",
)
"""What Salesforce says of a contact, record or user that is gone, merged, hidden from us, or may not have this Task."""

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


def external_id_column(task: Table, settings: SalesforceSettings) -> Column | None:
    """The field of Task that finds a call again in one request: the one set, else one named like ours; None: CallObject."""
    wanted = (settings.external_id_field or "").lower()
    if wanted == "none":
        return None
    usable = {
        column.name.lower(): column
        for column in task.columns.values()
        if column.external_id and column.type == "string" and column.createable
    }
    return next((usable[name] for name in ([wanted] if wanted else EXTERNAL_ID_NAMES) if name in usable), None)


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


class Tasks:
    """Writes call logs. Raises ConnectorUnavailable and SalesforceRefused."""

    def __init__(self, lookup: Lookup, language: Language) -> None:
        self._lookup = lookup
        self._org: Org = lookup.org
        self._settings: SalesforceSettings = lookup.settings
        self._users = lookup.users
        self._language: Language = language
        self._locks = [threading.Lock() for _ in range(CALLS_AT_ONCE)]
        self._written: OrderedDict[str, None] = OrderedDict()

    def write(self, call: CallLog) -> RecordLink:
        """Create or update the Task of this call. One write at a time per call: between looking and creating there is a
        gap in which a second one would not see the first."""
        with self._locks[hash(call.call_id) % CALLS_AT_ONCE]:
            task_id = self._lookup.ask(lambda described: self._write(described, call))
        return RecordLink(task_id, self._lookup.url("Task", task_id))

    def _write(self, described: Described, call: CallLog) -> str:
        task = described.tables.get("Task")
        if task is None:
            raise SalesforceRefused(
                "CTI Bridge用ユーザーにToDo（Task）の権限がありません。 / The bridge's user has no right to Tasks.",
                code="INVALID_TYPE",
            )
        user = self._users.find(call.agent_email) if call.agent_email else None
        zone = user.zone if user and user.zone else self._lookup.timezone
        place = replace(self._place(described, task, call), owner=user.id if user else None)
        for _ in range(len(REFERENCES) + 1):
            values = self._values(described, task, call, place, zone)
            try:
                return self._save(task, call.call_id, values)
            except SalesforceRefused as problem:
                named = tuple(name for name in problem.fields if name in REFERENCES) or REFERENCES
                poorer = place.without(named)
                elsewhere = bool(problem.fields) and not set(problem.fields) & set(REFERENCES)
                if problem.code not in DEAD_REFERENCE or elsewhere or poorer == place:
                    raise
                log.warning("salesforce_reference_dropped", call=call.call_id, code=problem.code, fields=list(named))
                place = poorer
        raise AssertionError  # pragma: no cover  (each round gives up at least one of three references)

    # ── saving ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _save(self, task: Table, call_id: str, values: dict[str, object]) -> str:
        column = external_id_column(task, self._settings)
        return self._upsert(column, call_id, values) if column else self._find_and_save(task, call_id, values)

    def _upsert(self, column: Column, call_id: str, values: dict[str, object]) -> str:
        """One request. A Task's subtype may be said only while it is created, which an upsert does not tell beforehand."""
        path = f"Task/{column.name}/{quote(call_id, safe='')}"
        fresh = call_id not in self._written
        try:
            answer = self._org.write("PATCH", path, values if fresh else _for_update(values))
        except SalesforceRefused as problem:
            if problem.code == SEVERAL and problem.ids:  # the field is not unique, and somebody has copied a Task
                return self._update(min(problem.ids), values)
            if not fresh or problem.code != "INVALID_FIELD_FOR_INSERT_UPDATE":
                raise
            answer = self._org.write("PATCH", path, _for_update(values))
        self._remember(call_id)
        if "id" in answer:
            return str(answer["id"])
        [rows] = self._org.rows(select(["Id"], "Task", f"{column.name} = {quoted(call_id)}", limit=1))
        return str(rows[0]["Id"])

    def _find_and_save(self, task: Table, call_id: str, values: dict[str, object]) -> str:
        """Two requests, the first always: whatever an earlier try did before its answer was lost, it is seen."""
        column = task.columns.get("CallObject")
        if column is None or not column.filterable:
            raise SalesforceRefused(
                "ToDoの「コールオブジェクト識別子」（CallObject）項目の権限がないため、通話を記録できません。 / "
                "Calls cannot be logged without the right to Task's field Call Object Identifier (CallObject).",
                code="INVALID_FIELD",
            )
        [rows] = self._org.rows(select(["Id"], "Task", f"CallObject = {quoted(call_id)}", "CreatedDate", 1))
        if rows:
            return self._update(str(rows[0]["Id"]), values)
        return str(self._org.write("POST", "Task", values)["id"])

    def _update(self, task_id: str, values: dict[str, object]) -> str:
        self._org.write("PATCH", f"Task/{task_id}", _for_update(values))
        return task_id

    def _remember(self, call_id: str) -> None:
        self._written[call_id] = None
        while len(self._written) > WRITTEN_REMEMBERED:
            self._written.popitem(last=False)

    # ── what is written ─────────────────────────────────────────────────────────────────────────────────────────────

    def _place(self, described: Described, task: Table, call: CallLog) -> Place:
        """People into WhoId, everything else into WhatId; a Lead may have no related record, so that one is told."""
        related = record_id(call.related.id) if call.related else None
        contact = record_id(call.contact.id) if call.contact else None
        table = described.table_of(contact) if contact else None
        if contact is None or table is None:
            return Place(what=related)
        if table.name == "Lead":
            return Place(who=contact, told=(related,) if related else ())
        if table.name == "Contact":
            return Place(who=contact, what=related)
        if "PersonContactId" in table.columns and (person := self._users.person_contact(contact)):
            return Place(who=person, what=related)
        what = task.columns.get("WhatId")
        if what is not None and table.name not in what.references:
            return Place(what=related, told=(contact,))  # an object without activities
        return Place(what=related or contact, told=(contact,) if related and table.name != "Account" else ())

    def _values(
        self, described: Described, task: Table, call: CallLog, place: Place, zone: ZoneInfo
    ) -> dict[str, object]:
        facts = self._facts(call)
        wanted: dict[str, object] = {
            "Subject": call.subject,
            "WhoId": place.who,
            "WhatId": place.what,
            "ActivityDate": call.started_at.astimezone(zone).date().isoformat(),
            "Status": closed_status(described, self._settings),
            "Priority": task.columns["Priority"].default or "Normal" if "Priority" in task.columns else None,
            "TaskSubtype": "Call",
            "CallType": "Inbound" if call.direction is Direction.INBOUND else "Outbound",
            "CallDurationInSeconds": facts["talk_seconds"],
            "CallDisposition": facts["disposition"] or facts["outcome"],
            "CallObject": call.call_id,
            **({"OwnerId": place.owner} if place.owner else {}),
            **{field: facts[fact] for fact, field in self._settings.task_mapping.items()},
        }
        stored = {name: _stored(task.columns[name], value) for name, value in wanted.items() if name in task.columns}
        kept = {name: value for name, value in stored.items() if _may_write(task.columns[name], value)}
        if "Description" in task.columns and task.columns["Description"].createable:
            kept["Description"] = fit(call.body, task.columns["Description"].length, self._tail(call, place))
        return kept

    def _tail(self, call: CallLog, place: Place) -> str:
        words = _WORDS[self._language]
        records = [self._record_url(told) for told in place.told]
        related = call.related.title if call.related and record_id(call.related.id) in place.told else ""
        lines = [
            *([f"{words['recording']}: {call.recording_url}"] if call.recording_url else []),
            *([f"{words['related']}: {related}"] if related else []),
            *([f"{words['dropped']}: {' '.join(records)}"] if records else []),
            f"{words['call']}: {call.call_id}",
        ]
        return "\n".join([TAIL, *lines])

    def _record_url(self, told: str) -> str:
        return f"{self._settings.lightning_origin}/{told}"

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
            "outcome": OUTCOMES[call.outcome][self._language == "en"],
            "party": call.party,
            "recording": call.recording_url or "",
            "recording_id": call.recording_id or "",
            "started_at": call.started_at,
            "talk_seconds": int(call.talk_time.total_seconds()),
        }


def _stored(column: Column, value: object) -> object:
    """A value as its field takes it: text cut to length, moments in UTC, numbers as numbers."""
    if isinstance(value, datetime):
        if column.type == "date":
            return value.astimezone(UTC).date().isoformat()
        value = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, int) and column.type in ("int", "double", "currency", "percent"):
        return value
    if value is None or column.type in ("reference", "date", "datetime", "picklist", "multipicklist"):
        return value
    return fit(str(value), column.length) if column.length else str(value)


def _may_write(column: Column, value: object) -> bool:
    """Whether the field takes this value: the org's picklists are asked, not guessed."""
    if not column.createable:
        return False
    return column.type != "picklist" or not column.picklist or value in column.picklist


def _for_update(values: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name != "TaskSubtype"}
