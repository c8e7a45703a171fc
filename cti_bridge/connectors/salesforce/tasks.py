"""The call's log: one Task per call, written in place however often. What there is: ``schema``, ``users``."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

from cti_bridge.connectors.salesforce.content import REFERENCES, Content, Place
from cti_bridge.connectors.salesforce.lookup import Lookup
from cti_bridge.connectors.salesforce.problems import SEVERAL, AnswerLost, SalesforceRefused
from cti_bridge.connectors.salesforce.schema import Column, Described, Table
from cti_bridge.connectors.salesforce.session import Org
from cti_bridge.connectors.salesforce.settings import SalesforceSettings
from cti_bridge.connectors.salesforce.soql import quoted, record_id, select
from cti_bridge.logbook import get_logger
from cti_bridge.model import CallLog, Language, RecordLink

log = get_logger(__name__)

EXTERNAL_ID_NAMES = ("cti_call_sid__c", "cti_call_id__c", "call_sid__c", "callsid__c")
WRITTEN_REMEMBERED = 4096
CALLS_AT_ONCE = 64

CALL_ID_LENGTH = 34
"""Twilio's CallSid: CA and 32 characters. A shorter field cannot hold it."""

STILL_AT_WORK = timedelta(minutes=1)
"""How long Salesforce may go on with a request after we stopped waiting. Who looks sooner may not see its Task yet."""

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


def external_id_column(task: Table, settings: SalesforceSettings) -> Column | None:
    """The field of Task that finds a call again in one request: the one set, else one named like ours; None: CallObject."""
    wanted = (settings.external_id_field or "").lower()
    if wanted == "none":
        return None
    usable = {
        column.name.lower(): column
        for column in task.columns.values()
        if column.external_id and column.type == "string" and column.createable and column.length >= CALL_ID_LENGTH
    }
    return next((usable[name] for name in ([wanted] if wanted else EXTERNAL_ID_NAMES) if name in usable), None)


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
        content = Content(described, task, self._settings, self._language)
        user = self._users.find(call.agent_email) if call.agent_email else None
        zone = user.zone if user and user.zone else self._lookup.timezone
        place = replace(content.place(call, self._person(described, call)), owner=user.id if user else None)
        for _ in range(len(REFERENCES) + 1):
            try:
                return self._save(task, call.call_id, content.values(call, place, zone))
            except SalesforceRefused as problem:
                lost = self._lost(place, problem) if problem.code in DEAD_REFERENCE else ()
                poorer = place.without(lost)
                if poorer == place:
                    raise
                log.warning("salesforce_reference_dropped", call=call.call_id, code=problem.code, fields=list(lost))
                place = poorer
        raise AssertionError  # pragma: no cover  (each round gives up at least one of three references)

    def _person(self, described: Described, call: CallLog) -> str | None:
        """The contact behind a person account, on whom its calls are logged."""
        whole = record_id(call.contact.id) if call.contact else None
        table = described.table_of(whole) if whole else None
        known = whole and table and "PersonContactId" in table.columns
        return self._users.person_contact(whole) if whole and known else None

    def _lost(self, place: Place, problem: SalesforceRefused) -> tuple[str, ...]:
        """Which references Salesforce means: those it names; else those whose records we cannot see; else all of them."""
        if problem.fields:
            return tuple(name for name in problem.fields if name in REFERENCES)
        held = {"WhoId": place.who, "WhatId": place.what, "OwnerId": place.owner}
        named = {field: (record, self._lookup.schema.object_of(record)) for field, record in held.items() if record}
        seen = {field: one for field, one in named.items() if one[1] and self._lookup.schema.table(one[1])}
        queries = [
            select(["Id"], str(table), f"Id = {quoted(record)}{' AND IsActive = true' * (table == 'User')}")
            for record, table in seen.values()
        ]
        alive = {field for field, rows in zip(seen, self._org.rows(*queries), strict=True) if rows}
        return tuple(field for field in named if field not in alive) or REFERENCES

    # ── saving ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _save(self, task: Table, call_id: str, values: dict[str, object]) -> str:
        column = external_id_column(task, self._settings)
        return self._upsert(task, column, call_id, values) if column else self._find_and_save(task, call_id, values)

    def _upsert(self, task: Table, column: Column, call_id: str, values: dict[str, object]) -> str:
        """One request. A Task's subtype may be said only while it is created, which an upsert does not tell beforehand."""
        path = f"Task/{column.name}/{quote(call_id, safe='')}"
        fresh = call_id not in self._written
        try:
            answer = self._org.write("PATCH", path, values if fresh else _for_update(task, values))
        except SalesforceRefused as problem:
            if problem.code == SEVERAL and problem.ids:  # the field is not unique, and somebody has copied a Task
                return self._update(task, min(problem.ids), values)
            if not fresh or problem.code != "INVALID_FIELD_FOR_INSERT_UPDATE":
                raise
            answer = self._org.write("PATCH", path, _for_update(task, values))
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
            try:
                return self._update(task, str(rows[0]["Id"]), values)
            except SalesforceRefused as problem:
                if problem.code not in ("ENTITY_IS_DELETED", "NOT_FOUND"):  # it was deleted a moment ago
                    raise
        try:
            return str(self._org.write("POST", "Task", values)["id"])
        except AnswerLost as problem:
            raise problem.again(STILL_AT_WORK) from None

    def _update(self, task: Table, task_id: str, values: dict[str, object]) -> str:
        self._org.write("PATCH", f"Task/{task_id}", _for_update(task, values))
        return task_id

    def _remember(self, call_id: str) -> None:
        self._written[call_id] = None
        while len(self._written) > WRITTEN_REMEMBERED:
            self._written.popitem(last=False)


def _for_update(task: Table, values: dict[str, object]) -> dict[str, object]:
    """Without what may be said only of a new Task: its subtype, and whatever the org closes to changes."""
    return {name: value for name, value in values.items() if name != "TaskSubtype" and task.columns[name].updateable}
