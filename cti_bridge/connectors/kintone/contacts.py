"""A kintone record as a Contact, and its fields as texts. Where records come from is ``lookup``'s."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from cti_bridge.connectors.kintone.client import Record
from cti_bridge.connectors.kintone.form import CREATED, DATE, DATETIME, UPDATED, Form
from cti_bridge.connectors.kintone.mapping import RECORD_ID, CustomerApp
from cti_bridge.model import Contact, ContactNumber

_ID = re.compile(r"([1-9][0-9]{0,8}):([1-9][0-9]{0,8})", re.ASCII)


def contact_id(app: int, record_id: str) -> str:
    """How we name a record: ``"12:345"``."""
    return f"{app}:{record_id}"


def split_id(text: str) -> tuple[int, str] | None:
    """App and record of such a name; None when it is none, whatever a page sent."""
    found = _ID.fullmatch(text)
    return (int(found[1]), found[2]) if found else None


def text_of(record: Record, code: str, zone: ZoneInfo | None = None) -> str:
    """A field as people read it: names of users, choices with 、 between, moments in ``zone``. ``""`` if there is none."""
    field = record.get(code) or {}
    value = field.get("value")
    if zone is not None and field.get("type") in (DATETIME, UPDATED, CREATED) and value:
        moment = moment_of(record, code, zone)
        return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M") if moment else ""
    return _plain(value)


def moment_of(record: Record, code: str, zone: ZoneInfo) -> datetime | None:
    """A date or moment of a record, aware, UTC; a date is its midnight in ``zone``. None when empty."""
    value = (record.get(code) or {}).get("value")
    if not isinstance(value, str) or not value:
        return None
    try:
        if (record.get(code) or {}).get("type") == DATE or len(value) == 10:
            return datetime.combine(date.fromisoformat(value), time(), zone).astimezone(UTC)
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def fields_of(app: CustomerApp, keys: Iterable[str]) -> list[str]:
    """The fields of a customer that we read."""
    codes = [*app.name, *app.reading, *app.phones, *app.show, app.company, app.touched, *keys]
    return list(dict.fromkeys([RECORD_ID, "$revision", *(code for code in codes if code)]))


def as_contact(app: CustomerApp, record: Record, form: Form, url: str, zone: ZoneInfo) -> Contact:
    """The contact that a customer record stands for."""
    shown = ((form.label_of(code), text_of(record, code, zone)) for code in app.show)
    numbers = ((code, text_of(record, code)) for code in app.phones)
    return Contact(
        id=contact_id(app.app, text_of(record, RECORD_ID)),
        kind=app.kind,
        name=" ".join(filter(None, (text_of(record, code) for code in app.name))),
        reading=" ".join(filter(None, (text_of(record, code) for code in app.reading))),
        company=text_of(record, app.company),
        title=" / ".join(f"{label}: {text}" for label, text in shown if text),
        url=url,
        numbers=tuple(ContactNumber(code, text) for code, text in numbers if text),
        touched_at=moment_of(record, app.touched, zone) if app.touched else None,
    )


class KnownKeys:
    """What other apps know a contact by, from records that passed by: saves asking for the record again."""

    def __init__(self, most: int = 2_000) -> None:
        self._most = most
        self._lock = Lock()
        self._keys: OrderedDict[str, dict[str, str]] = OrderedDict()

    def keep(self, contact: str, record: Record, codes: Iterable[str]) -> dict[str, str]:
        keys = {code: text_of(record, code) for code in codes}
        with self._lock:
            self._keys[contact] = keys
            self._keys.move_to_end(contact)
            while len(self._keys) > self._most:
                self._keys.popitem(last=False)
        return keys

    def get(self, contact: str) -> dict[str, str] | None:
        with self._lock:
            return self._keys.get(contact)


def _plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value.strip()
        case list():
            return "、".join(filter(None, map(_plain, value)))
        case Mapping():
            return str(value.get("name") or value.get("code") or "")
        case _:
            return str(value)
