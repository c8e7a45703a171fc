"""Field types: what a form may say of a field, which values a field takes and in what shape it gives them back.

No record is read or written here. https://cybozu.dev/ja/kintone/docs/overview/field-types
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from . import times
from .wire import REQUIRED, Json, Message, Refused, bad_json

UNIQUE_TYPES = frozenset({"SINGLE_LINE_TEXT", "NUMBER", "LINK", "DATE", "DATETIME"})
"""The types that can prohibit duplicates; any other drops ``unique`` without a word."""
LONGEST_UNIQUE = 64
CHOICES = frozenset({"RADIO_BUTTON", "DROP_DOWN"})
MULTIPLE_CHOICES = frozenset({"CHECK_BOX", "MULTI_SELECT"})
ENTITIES = frozenset({"USER_SELECT", "ORGANIZATION_SELECT", "GROUP_SELECT"})
TEXTS = frozenset({"SINGLE_LINE_TEXT", "MULTI_LINE_TEXT", "RICH_TEXT", "LINK"})
LISTS = MULTIPLE_CHOICES | ENTITIES | {"FILE", "SUBTABLE"}
NULL_WHEN_EMPTY = frozenset({"DATE", "TIME", "DROP_DOWN"})
MADE_BY_KINTONE = frozenset(
    {"RECORD_NUMBER", "CREATOR", "CREATED_TIME", "MODIFIER", "UPDATED_TIME", "STATUS", "STATUS_ASSIGNEE", "CATEGORY"}
)
NEVER_WRITTEN = MADE_BY_KINTONE | {"CALC", "REFERENCE_TABLE"}
ADDABLE = TEXTS | CHOICES | MULTIPLE_CHOICES | ENTITIES | {"NUMBER", "CALC", "DATE", "TIME", "DATETIME", "FILE"}
ADDABLE |= {"SUBTABLE", "REFERENCE_TABLE", "GROUP"}

SYSTEM_FIELDS: dict[str, Json] = {
    "レコード番号": {"type": "RECORD_NUMBER", "code": "レコード番号", "label": "レコード番号", "noLabel": False},
    "作成者": {"type": "CREATOR", "code": "作成者", "label": "作成者", "noLabel": False},
    "作成日時": {"type": "CREATED_TIME", "code": "作成日時", "label": "作成日時", "noLabel": False},
    "更新者": {"type": "MODIFIER", "code": "更新者", "label": "更新者", "noLabel": False},
    "更新日時": {"type": "UPDATED_TIME", "code": "更新日時", "label": "更新日時", "noLabel": False},
    "カテゴリー": {"type": "CATEGORY", "code": "カテゴリー", "label": "カテゴリー", "enabled": False},
    "ステータス": {"type": "STATUS", "code": "ステータス", "label": "ステータス", "enabled": False},
    "作業者": {"type": "STATUS_ASSIGNEE", "code": "作業者", "label": "作業者", "enabled": False},
}
"""What every app has; the codes are those of a Japanese domain and cannot be taken by another field."""

# Which signs kintone takes in a link is written nowhere that we found. Half-width only is the stricter reading: a test
# that wants a full-width number stores it in a SINGLE_LINE_TEXT, as people do.
_CALL = re.compile(r"[0-9A-Za-z+\-*#().,; ]+")
_MAIL = re.compile(r"[!-~]+@[!-~]+")
_WEB = re.compile(r"(?:https?|ftp)://\S+", re.IGNORECASE)
_LINK_MISTAKE: dict[str, Message] = {
    "CALL": ("電話番号の形式が正しくありません。", "The phone number is invalid."),
    "MAIL": ("メールアドレスの形式が正しくありません。", "The email address is invalid."),
    "WEB": (
        "URL の形式が正しくありません。http、https、またはftpで始まるURLを入力してください。",
        "The URL is invalid. Enter a URL that begins with http, https or ftp.",
    ),
}
_LINK_FORM = {"CALL": _CALL, "MAIL": _MAIL, "WEB": _WEB}


class Directory(Protocol):
    """Who exists in the domain."""

    def entity(self, kind: str, code: str) -> Json:
        """``{"code", "name"}`` of a user, organisation or group. Raises ``Refused`` when there is none."""


@dataclass
class Mistakes:
    """What is wrong with one record, under kintone's own keys (``record.tel.value``)."""

    prefix: str = "record"
    found: dict[str, list[Message]] = field(default_factory=dict)

    def add(self, key: str, message: Message) -> None:
        """Note a mistake at ``<prefix>.<key>``, or ``<prefix><key>`` when the key begins with a bracket."""
        full = f"{self.prefix}{key}" if key.startswith("[") else f"{self.prefix}.{key}"
        self.found.setdefault(full, []).append(message)


def described(code: str, given: str | Json) -> Json:
    """A field as ``form/fields.json`` shows it, from a type's name or from the properties that were sent."""
    own: Json = {"type": given} if isinstance(given, str) else dict(given)
    kind = str(own.get("type", ""))
    complete: Json = {"type": kind, "code": code, "label": own.get("label", code), "noLabel": False}
    complete |= _properties(kind)
    complete |= own | {"code": code}
    if isinstance(options := complete.get("options"), (list, tuple)):
        complete["options"] = {each: {"label": each, "index": str(at)} for at, each in enumerate(options)}
    if kind == "SUBTABLE":
        complete["fields"] = {inner: described(inner, spec) for inner, spec in complete.get("fields", {}).items()}
    if kind not in UNIQUE_TYPES:
        complete.pop("unique", None)
    if kind == "SINGLE_LINE_TEXT" and complete["unique"]:
        complete["maxLength"] = str(min(LONGEST_UNIQUE, int(complete["maxLength"] or LONGEST_UNIQUE)))
    return complete


def _properties(kind: str) -> Json:
    """What else a form says of a field of this type when nobody set it."""
    found: Json = {}
    if kind in ADDABLE - {"CALC", "SUBTABLE", "REFERENCE_TABLE", "GROUP"}:
        found |= {"required": False, "defaultValue": [] if kind in LISTS else ""}
    if kind in UNIQUE_TYPES:
        found["unique"] = False
    if kind in {"SINGLE_LINE_TEXT", "LINK"}:
        found |= {"minLength": "", "maxLength": ""}
    if kind in {"DATE", "TIME", "DATETIME"}:
        found["defaultNowValue"] = False
    if kind in ENTITIES:
        found["entities"] = []
    if kind == "NUMBER":
        found |= {"minValue": "", "maxValue": "", "digit": False, "unit": "", "unitPosition": "BEFORE"}
    return found | ({"protocol": "WEB"} if kind == "LINK" else {})


def writable(properties: Mapping[str, Json]) -> dict[str, Json]:
    """The fields that a record may be given a value for."""
    return {code: each for code, each in properties.items() if each["type"] not in NEVER_WRITTEN | {"GROUP"}}


def empty(spec: Json) -> Any:
    """A field's value when it has none, as it is answered."""
    if spec["type"] in LISTS:
        return []
    return None if spec["type"] in NULL_WHEN_EMPTY else ""


def initial(spec: Json, now: str) -> Any:
    """What a new record gets when the field is not sent. ``now`` is ``2026-11-22T01:02:00Z``."""
    kind = spec["type"]
    if spec.get("defaultNowValue"):
        return {"DATE": now[:10], "TIME": now[11:16], "DATETIME": now}[kind]
    if kind == "RADIO_BUTTON" and not spec.get("defaultValue"):
        return next(iter(spec.get("options", {"": 0})))
    return spec.get("defaultValue") or empty(spec)


def given(sent: Any) -> Any:
    """The value in ``{"value": …}``. Anything else is no record."""
    if not isinstance(sent, dict) or "value" not in sent:
        raise bad_json()
    return sent["value"]


def stored(spec: Json, value: Any, directory: Directory, mistakes: Mistakes) -> Any:
    """The value to keep for what was sent, with every mistake noted. Raises ``Refused`` for an unknown user."""
    kind, code = spec["type"], spec["code"]
    if kind in LISTS and kind != "SUBTABLE":
        return _list(spec, value, directory, mistakes)
    if kind not in LISTS and isinstance(value, (list, dict)):
        raise bad_json()
    text = "" if value is None else str(value)
    if kind in TEXTS:
        _check_text(spec, text, mistakes)
        return text
    if not text.strip():
        return initial(spec, "") if kind == "RADIO_BUTTON" else empty(spec)
    if kind in CHOICES:
        if text not in spec.get("options", {}):
            mistakes.add(f"{code}.value", _not_an_option(text))
        return text
    read = _READ[kind](text)
    if read is None:
        mistakes.add(f"[{code}].value", _UNREADABLE[kind])
        return empty(spec)
    if kind == "NUMBER":
        _check_range(spec, read, mistakes)
    return read


def check_required(spec: Json, value: Any, mistakes: Mistakes) -> None:
    """A required field must not be empty once everything is in place."""
    if spec.get("required") and value in ("", None, []):
        kind = spec["type"]
        ending = "values.value" if kind in ENTITIES else "values" if kind in LISTS else "value"
        mistakes.add(f"{spec['code']}.{ending}", REQUIRED)


def normal_number(text: str) -> str | None:
    """A number as kintone keeps it: ``"0312345678"`` becomes ``"312345678"``, ``"1.5e1"`` becomes ``"15"``."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not value.is_finite():
        return None
    shown = format(value, "f")
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown) if value else "0"


def _check_text(spec: Json, text: str, mistakes: Mistakes) -> None:
    key = f"{spec['code']}.value"
    most, least = spec.get("maxLength"), spec.get("minLength")
    if most and len(text) > int(most):
        beyond = int(most) + 1
        mistakes.add(key, (f"{beyond}文字より短くなければなりません。", f"Enter less than {beyond} characters."))
    if least and len(text) < int(least):
        below = int(least) - 1
        mistakes.add(key, (f"{below}文字より長くなければなりません。", f"Enter more than {below} characters."))
    if spec["type"] == "SINGLE_LINE_TEXT" and ("\n" in text or "\r" in text):
        mistakes.add(key, ("改行を含めることはできません。", "Line breaks cannot be used."))
    if spec["type"] == "LINK" and text:
        protocol = spec["protocol"]
        if not _LINK_FORM[protocol].fullmatch(text):
            mistakes.add(key, _LINK_MISTAKE[protocol])


def _check_range(spec: Json, value: str, mistakes: Mistakes) -> None:
    key = f"{spec['code']}.value"
    most, least = spec.get("maxValue"), spec.get("minValue")
    if most and Decimal(value) > Decimal(most):
        mistakes.add(key, (f"{most}以下である必要があります。", f"The value must be {most} or less."))
    if least and Decimal(value) < Decimal(least):
        mistakes.add(key, (f"{least}以上である必要があります。", f"The value must be {least} or more."))


def _list(spec: Json, value: Any, directory: Directory, mistakes: Mistakes) -> list[Any]:
    kind, code = spec["type"], spec["code"]
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise bad_json()
    if kind in MULTIPLE_CHOICES:
        for at, each in enumerate(value):
            if each not in spec.get("options", {}):
                mistakes.add(f"{code}.values[{at}].value", _not_an_option(str(each)))
        return list(value)
    if kind in ENTITIES:
        return [directory.entity(kind, _entity_code(each)) for each in value]
    return list(value)


def _entity_code(each: Any) -> str:
    if not isinstance(each, dict) or not isinstance(each.get("code"), str):
        raise bad_json()
    return str(each["code"])


def _not_an_option(value: str) -> Message:
    return f'"{value}"は選択肢にありません。', f'The value, "{value}", is not in options.'


def _read_day(text: str) -> str | None:
    day = times.read_day(text)
    return day.isoformat() if day else None


def _read_moment(text: str) -> str | None:
    moment = times.read_moment(text)
    return times.minute(moment.astimezone(UTC)) if moment else None


_READ = {"NUMBER": normal_number, "DATE": _read_day, "TIME": times.read_time, "DATETIME": _read_moment}
_UNREADABLE: dict[str, Message] = {
    "NUMBER": ("数字でなければなりません。", "Only numbers are allowed."),
    "DATE": ("日付の形式が正しくありません。", "The date is invalid."),
    "TIME": ("時刻の形式が正しくありません。", "The time is invalid."),
    "DATETIME": ("日時の形式が正しくありません。", "The date and time is invalid."),
}


def unknown_entity(kind: str, code: str) -> Refused:
    """``GAIA_IL26`` for a user, ``GAIA_IL28`` for an organisation; a group's code is our guess."""
    number, name, english = {
        "USER_SELECT": ("GAIA_IL26", "ユーザー", "user"),
        "ORGANIZATION_SELECT": ("GAIA_IL28", "組織", "department"),
        "GROUP_SELECT": ("GAIA_IL27", "グループ", "group"),
    }[kind]
    return Refused(
        400,
        number,
        (f"指定した{name}(code:{code})が見つかりません。", f"The {english} (code: {code}) not found."),
    )


def searchable_text(spec: Json, value: Any) -> str:
    """The text of a value, for a search: a list's parts one after the other."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return " ".join(str(each.get("name", "")) if isinstance(each, dict) else str(each) for each in value)
    return "" if value is None else str(value)
