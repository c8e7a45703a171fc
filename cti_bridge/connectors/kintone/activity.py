"""A customer's story out of kintone: past calls from the call-log app, the rest from related apps; and what a record of
kintone's screen stands for. Who the customer is, is ``lookup``'s."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cti_bridge.connectors.kintone.apps import Apps
from cti_bridge.connectors.kintone.client import Record
from cti_bridge.connectors.kintone.contacts import moment_of, split_id, text_of
from cti_bridge.connectors.kintone.form import DATE
from cti_bridge.connectors.kintone.lookup import Lookup
from cti_bridge.connectors.kintone.mapping import RECORD_ID, CallLogApp, RelatedApp
from cti_bridge.connectors.kintone.query import may_equal, one_of
from cti_bridge.errors import ConnectorUnavailable
from cti_bridge.model import Activity, ActivityItem, ActivityKind, Contact, Placement, RelatedRecord

MOST = 10


@dataclass(frozen=True, slots=True)
class _Chapter:
    """What one app tells: ``section`` is where on the card it stands."""

    section: str
    items: list[ActivityItem]


class Stories:
    """What happened with a customer, what waits, what is to come."""

    def __init__(self, apps: Apps, lookup: Lookup, zone: ZoneInfo) -> None:
        self._apps = apps
        self._lookup = lookup
        self._zone = zone

    def of(self, contact: Contact) -> Activity:
        """The contact's story: one request to the call-log app and one for each related app, all at the same time."""
        mapping = self._apps.mapping
        parts = split_id(contact.id)
        app = mapping.customer_app(parts[0]) if parts else None
        if app is None:
            return Activity()
        related = mapping.related_to(app)
        self._spare([mapping.call_log.app, *(each.app for each in related)])
        needed = any(each.join.customer != RECORD_ID for each in related)
        keys = (self._lookup.keys_of(contact) if needed else {}) | {RECORD_ID: parts[1] if parts else ""}

        def ask(source: CallLogApp | RelatedApp) -> _Chapter:
            if isinstance(source, CallLogApp):
                return _Chapter("history", self._calls(source, contact))
            return self._chapter(source, keys.get(source.join.customer, ""))

        sources: list[CallLogApp | RelatedApp] = [mapping.call_log, *related]
        told = self._apps.each(ask, sources)
        past = [item for chapter in told if chapter.section == "history" for item in chapter.items]
        waiting = [item for chapter in told if chapter.section == "open" for item in chapter.items]
        coming = [item for chapter in told if chapter.section == "upcoming" for item in chapter.items]
        return Activity(
            history=tuple(sorted(past, key=_at, reverse=True)[:MOST]),
            open=tuple(sorted(waiting, key=_at, reverse=True)[:MOST]),
            upcoming=tuple(sorted(coming, key=_at)[:MOST]),
        )

    def locate(self, record_id: str) -> Placement | None:
        """Whose record of kintone's screen this is: a customer's, one of a related app, or a call log's."""
        parts = split_id(record_id)
        if parts is None:
            return None
        mapping = self._apps.mapping
        app, record = parts
        if mapping.customer_app(app):
            contact = self._lookup.by_id(record_id)
            return Placement(contact) if contact else None
        if app == mapping.call_log.app and (code := mapping.call_log.fields.customer_id):
            found = self._apps.ready(mapping.call_log).fetch(record)
            return Placement(self._lookup.by_id(text_of(found, code))) if found else None
        related = next((each for each in mapping.related if each.app == app), None)
        found = self._apps.ready(related).fetch(record) if related else None
        if related is None or found is None:
            return None
        key = text_of(found, related.join.field)
        owner = self._lookup.by_key(mapping.joined_app(related), related.join.customer, key) if key else None
        title = text_of(found, related.title, self._zone) or record_id
        return Placement(owner, RelatedRecord(record_id, title, self._url(related, found)))

    def _calls(self, app: CallLogApp, contact: Contact) -> list[ActivityItem]:
        fields = app.fields
        if not fields.customer_id:
            return []
        order = fields.started_at or RECORD_ID
        wanted = [RECORD_ID, *filter(None, (fields.subject, fields.body, fields.note, fields.started_at))]
        query = f"{one_of(fields.customer_id, [contact.id])} order by {order} desc limit {MOST}"
        with self._apps.asking(app):
            records = self._apps.ready(app).find(query, wanted)
        return [
            ActivityItem(
                ActivityKind.CALL,
                text_of(record, fields.subject) or text_of(record, RECORD_ID),
                text_of(record, fields.note) or text_of(record, fields.body),
                moment_of(record, fields.started_at, self._zone),
                self._url(app, record),
            )
            for record in records
        ]

    def _chapter(self, app: RelatedApp, key: str) -> _Chapter:
        is_coming = app.kind == "appointment"
        section = "upcoming" if is_coming else "open" if app.open else "history"
        client, form = self._apps.ready(app), self._apps.form(app)
        if not may_equal(form.type_of(app.join.field), key):
            return _Chapter(section, [])
        conditions = [one_of(app.join.field, [key]), *([f"({app.open})"] if app.open else [])]
        if is_coming:
            conditions.append(f"{app.at} >= {'TODAY()' if form.type_of(app.at) == DATE else 'NOW()'}")
        order = f"{app.at or RECORD_ID} {'asc' if is_coming else 'desc'}"
        wanted = [RECORD_ID, *filter(None, (app.title, *app.detail, app.at))]
        with self._apps.asking(app):
            records = client.find(f"{' and '.join(conditions)} order by {order} limit {MOST}", wanted)
        return _Chapter(section, [self._item(app, record) for record in records])

    def _item(self, app: RelatedApp, record: Record) -> ActivityItem:
        details = (text_of(record, code, self._zone) for code in app.detail)
        return ActivityItem(
            ActivityKind(app.kind),
            text_of(record, app.title, self._zone) or text_of(record, RECORD_ID),
            " / ".join(filter(None, details)),
            moment_of(record, app.at, self._zone) if app.at else None,
            self._url(app, record),
        )

    def _url(self, app: CallLogApp | RelatedApp, record: Record) -> str:
        return self._apps.domain.record_url(app.app, text_of(record, RECORD_ID), app.guest_space)

    def _spare(self, apps: list[int]) -> None:
        budget = self._apps.domain.budget
        if any(budget.nearly_used_up(app) for app in apps):
            raise ConnectorUnavailable(
                "kintoneの1日のリクエスト数が上限に近いため、履歴の表示を控えています"
                " / kintone's daily requests are nearly used up; histories are not asked for",
                retry_after=budget.until_renewed(),
            )


def _at(item: ActivityItem) -> datetime:
    return item.at or datetime.min.replace(tzinfo=UTC)
