"""A call's log as a record of the call-log app, written once however often it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cti_bridge.connectors.kintone.apps import Apps
from cti_bridge.connectors.kintone.client import KintoneApp
from cti_bridge.connectors.kintone.contacts import split_id
from cti_bridge.connectors.kintone.form import DATE, DROP_DOWN, LINES, LINK, NUMBER, RADIO, USERS, Field, Form
from cti_bridge.connectors.kintone.lookup import Lookup
from cti_bridge.connectors.kintone.mapping import RECORD_ID
from cti_bridge.connectors.kintone.problems import KintoneRefused, KintoneUnavailable
from cti_bridge.connectors.kintone.query import one_of, storable
from cti_bridge.logbook import get_logger
from cti_bridge.model import CallLog, Direction, Language, Outcome, RecordLink

log = get_logger(__name__)

LONGEST_UNIQUE = 64
"""Characters of a field without duplicates
(https://get.kintone.help/k/ja/user/app_settings/form/form_parts/field_restriction.html)."""

LONGEST = {LINES: 50_000}
LONGEST_LINE = 1_000
"""kintone documents no other limits than the form's own; nobody reads more than this in a record."""

WORDS: dict[str, dict[Language, str]] = {
    Direction.INBOUND: {"ja": "着信", "en": "Inbound"},
    Direction.OUTBOUND: {"ja": "発信", "en": "Outbound"},
    Outcome.ANSWERED: {"ja": "応答", "en": "Answered"},
    Outcome.MISSED: {"ja": "不在着信", "en": "Missed"},
    Outcome.BUSY: {"ja": "話し中", "en": "Busy"},
    Outcome.NO_ANSWER: {"ja": "応答なし", "en": "No answer"},
    Outcome.FAILED: {"ja": "接続できず", "en": "Failed"},
    Outcome.CANCELED: {"ja": "取り消し", "en": "Canceled"},
}
"""What direction and outcome are called in the record. ``cti-bridge kintone setup`` makes drop-downs of these."""


class CallLogs:
    """Writes the call-log app."""

    def __init__(
        self, apps: Apps, lookup: Lookup, *, language: Language, zone: ZoneInfo, one_by_one: bool = False
    ) -> None:
        self._apps = apps
        self._lookup = lookup
        self._language = language
        self._zone = zone
        self._one_by_one = one_by_one
        self._app = apps.mapping.call_log

    def write(self, call: CallLog) -> RecordLink:
        """Create or update the record of this call. Raises ConnectorUnavailable or ConnectorRefused."""
        client = self._apps.ready(self._app)
        key, call_id = self._app.fields.call_id, storable(call.call_id)[:LONGEST_UNIQUE]
        values = dict(self.values(call, self._apps.form(self._app)))
        if self._one_by_one:
            record_id = self._write_one(client, key, call_id, values)
        else:
            record_id = self._upsert(client, key, call_id, values)
        return RecordLink(record_id, self._apps.domain.record_url(self._app.app, record_id, self._app.guest_space))

    def values(self, call: CallLog, form: Form) -> Iterator[tuple[str, Any]]:
        """What stands in the record, by field code, fit for the fields of this form; without the call's id."""
        for key, code in self._app.fields.mapped().items():
            field = form.fields.get(code)
            if key != "call_id" and field is not None:
                value = self._fit(field, self._said(key, call))
                if value is not None:
                    yield code, value

    def _upsert(self, client: KintoneApp, key: str, call_id: str, values: dict[str, Any]) -> str:
        try:
            return client.upsert(key, call_id, values)
        except KintoneRefused as problem:
            if problem.code == "CB_VA01" and problem.faults(key):  # another process made it this very moment
                raise KintoneUnavailable(str(problem), status=problem.status, code=problem.code) from problem
            raise

    def _write_one(self, client: KintoneApp, key: str, call_id: str, values: dict[str, Any]) -> str:
        """As single requests, which alone fire the app's webhooks: make it; if it is there already, update it."""
        try:
            return client.add({key: call_id, **values})
        except KintoneRefused as problem:
            if problem.code != "CB_VA01" or not problem.faults(key):
                raise
        there = client.find(f"{one_of(key, [call_id])} limit 1", [RECORD_ID])
        if not there:
            raise KintoneUnavailable(
                "kintoneに通話履歴があるはずですが、まだ読めません"
                " / kintone says that the call is logged, and does not show it yet"
            )
        client.call("PUT", "record.json", _update(client, key, call_id, values))
        return str(there[0][RECORD_ID]["value"])

    def _said(self, key: str, call: CallLog) -> Any:
        """What the call says for a key of ``[call_log.fields]``."""
        contact, related = call.contact, call.related
        app, record = (split_id(contact.id) if contact else None) or ("", "")
        said: dict[str, Callable[[], Any]] = {
            "agent": lambda: (call.agent_email, call.agent_name),
            "line": lambda: call.line_name,
            "talk_seconds": lambda: str(int(call.talk_time.total_seconds())),
            "customer_id": lambda: contact.id if contact else "",
            "customer_app": lambda: str(app),
            "customer_record": lambda: record,
            "customer_number": lambda: self._customer_number(call),
            "customer_name": lambda: contact.name if contact else "",
            "customer_url": lambda: contact.url if contact else "",
            "related_id": lambda: related.id if related else "",
            "related_url": lambda: related.url if related else "",
        }
        return said[key]() if key in said else getattr(call, key)

    def _customer_number(self, call: CallLog) -> str:
        parts = split_id(call.contact.id) if call.contact else None
        app = self._apps.mapping.customer_app(parts[0]) if parts else None
        if call.contact is None or app is None or not app.customer_number:
            return ""
        return self._lookup.keys_of(call.contact).get(app.customer_number, "")

    def _fit(self, field: Field, value: Any) -> Any:
        """The value as this field takes it; None to leave the field as it is."""
        match value:
            case Direction() | Outcome():
                return self._choice(field, _words(value, self._app.word(value), self._language))
            case datetime():
                return _moment(field, value, self._zone)
            case (str() as email, str()) if field.type == USERS:
                login = self._app.login_of(email)
                if email and login is None:
                    log.warning("kintone_agent_not_mapped", field=field.code)  # the body names the agent all the same
                return [{"code": login}] if login else []
            case (str(), str() as name):
                return cut(field, name)
            case _ if field.type in (DROP_DOWN, RADIO):
                return self._choice(field, [str(value or "")])
            case _ if (
                field.type == LINK and field.protocol == "CALL" and not re.fullmatch(r"[\d+() -]*", str(value or ""))
            ):
                return ""  # a withheld number is no telephone number to kintone
            case _ if field.type == NUMBER:
                return _number(str(value or ""))
            case _:
                return cut(field, str(value or ""))

    def _choice(self, field: Field, words: list[str]) -> str | None:
        """The first of these that the field offers; a choice that it does not have would make kintone refuse the log."""
        if field.type not in (DROP_DOWN, RADIO):
            return cut(field, words[0])
        chosen = next((word for word in words if word in field.options), None)
        if chosen is None and words[0]:
            log.warning("kintone_choice_not_offered", field=field.code, wanted=words[0])
        if chosen is None and field.type == DROP_DOWN:
            return ""
        return chosen


def cut(field: Field, text: str) -> str:
    """The text as the field can keep it: one line where it is one, cut to its length with a mark.

    kintone counts as JavaScript does: an emoji is two.
    """
    kept = storable(text).replace("\r\n", "\n").replace("\r", "\n")
    if field.type != LINES:
        kept = " ".join(kept.split())
    longest = LONGEST_UNIQUE if field.unique else field.longest or LONGEST.get(field.type, LONGEST_LINE)
    if field.type == LINK and len(kept) > longest:
        return ""  # half an address leads nowhere
    units = kept.encode("utf-16-le")
    if len(units) // 2 <= longest:
        return kept
    return units[: 2 * (longest - 1)].decode("utf-16-le", "ignore") + "…"


def _words(value: Direction | Outcome, own: str | None, language: Language) -> list[str]:
    """What it may be called, this company's word first."""
    known = WORDS[value]
    return [word for word in (own, known[language], *known.values(), value.value) if word]


def _moment(field: Field, moment: datetime, zone: ZoneInfo) -> str:
    if field.type == DATE:
        return moment.astimezone(zone).date().isoformat()
    return moment.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(text: str) -> str:
    """Digits, for a number field; a customer number with letters in it has no place there."""
    return text if text.isascii() and text.isdigit() else ""


def _update(client: KintoneApp, key: str, value: str, values: dict[str, Any]) -> dict[str, Any]:
    record = {code: {"value": each} for code, each in values.items()}
    return {"app": client.number, "updateKey": {"field": key, "value": value}, "record": record}
