"""One field's value: from JSON to what is stored, and back. Whether it may be written is asked elsewhere."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

from .errors import Refused
from .ids import read_id
from .schema import Field

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def read_value(field: Field, raw: object) -> Any:
    """What Salesforce keeps of a JSON value; a text of nothing is null."""
    if raw is None or raw == "":
        return False if field.type == "boolean" else None
    if field.is_text:
        return _read_text(field, raw)
    if field.type in {"id", "reference"}:
        found = read_id(raw) if isinstance(raw, str) else None
        if found is None:
            label = field.label.removesuffix(" ID")
            raise Refused(400, "MALFORMED_ID", f"{label} ID: id value of incorrect type: {raw}", fields=[field.name])
        return found
    if field.type == "boolean":
        return _read_boolean(raw)
    if field.type == "int":
        return _read_int(field, raw)
    if field.type in {"double", "currency"}:
        if isinstance(raw, bool) or not _NUMBER.fullmatch(str(raw)):
            raise unreadable("double", raw)
        return float(str(raw))
    return _read_moment(field, raw)


def unreadable(kind: str, raw: object) -> Refused:
    token = "VALUE_STRING" if isinstance(raw, str) else "START_OBJECT" if isinstance(raw, dict) else "VALUE"
    shown = raw if isinstance(raw, str) else json.dumps(raw)
    return Refused(
        400,
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {kind} from {token} value {shown} or request may be missing a required field "
        "at [line:1, column:2]",
    )


def _read_text(field: Field, raw: object) -> str | None:
    if isinstance(raw, dict | list):
        raise unreadable("string", raw)
    text = str(raw).lower() if isinstance(raw, bool) else str(raw)
    text = text.rstrip() if field.type == "textarea" else text.strip()
    if not text:
        return None
    # Salesforce does not say whether an emoji counts once or, as in Java, twice; so the larger count must fit.
    if field.length and len(text.encode("utf-16-le")) // 2 > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise Refused(400, "STRING_TOO_LONG", message, fields=[field.name])
    if field.type == "email" and not _EMAIL.fullmatch(text):
        message = f"{field.label}: invalid email address: {text}"
        raise Refused(400, "INVALID_EMAIL_ADDRESS", message, fields=[field.name])
    if field.restricted and text not in field.picklist:
        message = f"{field.label}: bad value for restricted picklist field: {text}"
        raise Refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=[field.name])
    return text


def _read_boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in {"true", "false"}:
        return raw.lower() == "true"
    raise unreadable("boolean", raw)


def _read_int(field: Field, raw: object) -> int:
    if isinstance(raw, bool) or not re.fullmatch(r"-?\d+(\.0+)?", str(raw)):
        raise unreadable("int", raw)
    number = int(float(str(raw)))
    if field.digits and abs(number) >= 10**field.digits:
        message = f"{field.label}: value outside of valid range on numeric field: {number}"
        raise Refused(400, "NUMBER_OUTSIDE_VALID_RANGE", message, fields=[field.name])
    return number


def _read_moment(field: Field, raw: object) -> date | datetime:
    try:
        if field.type == "date":
            return raw if isinstance(raw, date) else date.fromisoformat(str(raw)[:10])
        moment = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw))
    except ValueError:
        raise unreadable(field.type, raw) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def show_value(value: object) -> object:
    """A stored value as JSON: ``"2026-11-22"``, ``"2026-11-22T01:02:03.000+0000"``."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}+0000"
    if isinstance(value, date):
        return value.isoformat()
    return value
