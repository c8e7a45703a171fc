"""Asking records: which operators a field's type allows, what a comparison means, and in which order records come.

A query (``query.py``) becomes a test for one record. Records are handed in; nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from . import times, words
from .fields import CHOICES, ENTITIES, MULTIPLE_CHOICES, Directory, normal_number, searchable_text
from .query import Both, Condition, Function, Query, Test, Text, syntax_error
from .wire import Json, Refused

_ORDERED = frozenset({"=", "!=", ">", "<", ">=", "<="})
_LISTED = frozenset({"in", "not in"})
_SEARCHED = frozenset({"like", "not like"})
_EMPTY = frozenset({"is empty", "is not empty"})
_TEXT = frozenset({"=", "!="}) | _LISTED | _SEARCHED
OPERATORS: dict[str, frozenset[str]] = {
    "__ID__": _ORDERED | _LISTED,
    "RECORD_NUMBER": _ORDERED | _LISTED,
    "NUMBER": _ORDERED | _LISTED,
    "CALC": _ORDERED | _LISTED,
    "SINGLE_LINE_TEXT": _TEXT,
    "LINK": _TEXT,
    "MULTI_LINE_TEXT": _SEARCHED | _EMPTY,
    "RICH_TEXT": _SEARCHED | _EMPTY,
    "FILE": _SEARCHED | _EMPTY,
    "STATUS": frozenset({"=", "!="}) | _LISTED,
    **dict.fromkeys(["DATE", "TIME", "DATETIME", "CREATED_TIME", "UPDATED_TIME"], _ORDERED),
    **dict.fromkeys([*CHOICES, *MULTIPLE_CHOICES, *ENTITIES, "CREATOR", "MODIFIER", "STATUS_ASSIGNEE"], _LISTED),
}
"""https://cybozu.dev/ja/kintone/docs/overview/query/#fields-operators-functions"""

_UNSORTABLE = frozenset({"MULTI_LINE_TEXT", "RICH_TEXT", "FILE", "SUBTABLE", "CATEGORY", "STATUS_ASSIGNEE"})
_MOMENTS = frozenset({"DATETIME", "CREATED_TIME", "UPDATED_TIME"})
_NUMBERS = frozenset({"NUMBER", "CALC", "RECORD_NUMBER", "__ID__"})

Values = Mapping[str, Any]
"""A record's values by field code, with ``$id``."""
Decide = Callable[[Values, Values], bool]
"""Takes a record as it is, and as the search index knows it."""


@dataclass(frozen=True)
class Asking:
    """What a query may need beside the records: the fields, who asks, and what time it is for them."""

    properties: Mapping[str, Json]
    directory: Directory
    asker: str
    now: datetime
    zone: ZoneInfo

    def spec(self, code: str) -> Json:
        """The field of a code, one inside a table included (then it knows its ``table``). Raises GAIA_IQ11."""
        if code == "$id":
            return {"type": "__ID__", "code": "$id"}
        table, _, inner = code.rpartition(".")
        if not table and (spec := self.properties.get(code)) and spec.get("enabled", True):
            return spec
        for each in self.properties.values():
            if each["type"] == "SUBTABLE" and inner in each["fields"] and table in ("", each["code"]):
                return {**each["fields"][inner], "table": each["code"]}
        raise Refused(
            400,
            "GAIA_IQ11",
            (f"指定されたフィールド（{code}）が見つかりません。", f"Specified field ({code}) not found."),
        )


def decide(condition: Condition | None, asking: Asking) -> Decide:
    """The test for one record. Raises ``Refused`` for what kintone refuses before it looks at any record."""
    if condition is None:
        return lambda _values, _indexed: True
    if isinstance(condition, Test):
        return _decide_one(condition, asking)
    left, right = decide(condition.left, asking), decide(condition.right, asking)
    if isinstance(condition, Both):
        return lambda values, indexed: left(values, indexed) and right(values, indexed)
    return lambda values, indexed: left(values, indexed) or right(values, indexed)


def sort(records: list[Values], query: Query, asking: Asking) -> list[Values]:
    """The records in the query's order; newest id first where it says nothing."""
    ordered = sorted(records, key=lambda values: int(values["$id"]), reverse=True)
    for code, downwards in reversed(query.order):
        spec = asking.spec(code)
        if spec["type"] in _UNSORTABLE | MULTIPLE_CHOICES | ENTITIES or "table" in spec:
            raise _wrong_operator(spec, "order by")
        ordered.sort(key=lambda values, spec=spec: _sort_key(spec, values), reverse=downwards)  # type: ignore[misc]
    return ordered


def _sort_key(spec: Json, values: Values) -> tuple[bool, Any]:
    value = values.get(spec["code"])
    if isinstance(value, dict):
        value = value["code"]
    if value in (None, ""):
        return False, Decimal(0) if spec["type"] in _NUMBERS else ""
    return True, Decimal(value) if spec["type"] in _NUMBERS else value


def _decide_one(test: Test, asking: Asking) -> Decide:
    spec = asking.spec(test.code)
    _check_operator(spec, test.operator)
    negative = test.operator in {"!=", "not in", "not like", "is not empty"}
    if test.operator in _SEARCHED:
        keywords = words.keywords_of(_literal(test.values[0]))
        return lambda _values, indexed: (
            any(words.found(keywords, _text(spec, value)) for value in _held(spec, indexed)) is not negative
        )
    holds = _holder(spec, test, asking)
    return lambda values, _indexed: any(holds(value) for value in _held(spec, values)) is not negative


def _holder(spec: Json, test: Test, asking: Asking) -> Callable[[Any], bool]:
    """Whether one value fulfils the comparison, negations aside."""
    kind, operator = spec["type"], test.operator
    if operator in _EMPTY:
        return lambda value: not searchable_text(spec, value).strip()
    if operator in _LISTED | {"=", "!="} and kind not in _TIMES:
        wanted = {_wanted(spec, value, asking) for value in test.values}
        return lambda value: not wanted.isdisjoint(_parts(spec, value))
    value = test.values[0]
    if kind in _NUMBERS:
        bound = Decimal(_wanted(spec, value, asking) or "0")
        return lambda held: held not in (None, "") and _COMPARE[operator](Decimal(held), bound)
    return _in_time(spec, operator, value, asking)


def _in_time(spec: Json, operator: str, value: Text | Function, asking: Asking) -> Callable[[Any], bool]:
    """A comparison of days or moments: with a function it is one with a stretch of time."""
    kind = spec["type"]
    if isinstance(value, Text) and value.value == "":
        return lambda held: held in (None, "")
    if kind in _MOMENTS:
        begins, ends = (times.minute(each) for each in _moments(value, asking))
    elif kind == "DATE":
        begins, ends = _days(value, asking)
    else:
        time = times.read_time(_literal(value))
        if time is None:
            raise syntax_error()
        begins = ends = time
    point = begins == ends

    def holds(held: Any) -> bool:
        if held in (None, ""):
            return False
        if operator in {"=", "!="}:
            return bool(held == begins if point else begins <= held < ends)
        if operator == ">":
            return bool(held > begins if point else held >= ends)
        if operator == "<=":
            return bool(held <= begins if point else held < ends)
        return bool(held >= begins if operator == ">=" else held < begins)

    return holds


def _moments(value: Text | Function, asking: Asking) -> tuple[datetime, datetime]:
    if isinstance(value, Function):
        begins, ends = times.stretch(value, asking.now, asking.zone)
        return (begins, begins) if value.name == "NOW" else (begins, ends)
    moment = times.read_moment(value.value)
    if moment is None:
        raise syntax_error()
    return moment, moment


def _days(value: Text | Function, asking: Asking) -> tuple[str, str]:
    if isinstance(value, Function):
        if value.name == "NOW":
            raise syntax_error()
        begins, ends = times.stretch(value, asking.now, asking.zone)
        return begins.astimezone(asking.zone).date().isoformat(), ends.astimezone(asking.zone).date().isoformat()
    day = times.read_day(value.value)
    if day is None:
        raise syntax_error()
    return day.isoformat(), day.isoformat()


def _wanted(spec: Json, value: Text | Function, asking: Asking) -> str:
    """A literal in the form in which values are compared. Raises for one that the field cannot hold."""
    kind = spec["type"]
    if kind in ENTITIES | {"CREATOR", "MODIFIER", "STATUS_ASSIGNEE"}:
        if isinstance(value, Function):
            if value.name != "LOGINUSER" or value.arguments:
                raise syntax_error()
            return asking.asker
        if value.value:
            asking.directory.entity(kind if kind in ENTITIES else "USER_SELECT", value.value)
        return value.value
    text = _literal(value)
    if kind in _NUMBERS and text:
        bare = text.rpartition("-")[2] if kind == "RECORD_NUMBER" else text
        normal = normal_number(bare)
        if normal is None:
            raise syntax_error()
        return normal
    if kind in CHOICES | MULTIPLE_CHOICES and text and text not in spec.get("options", {}):
        raise Refused(
            400,
            "GAIA_IQ10",
            (
                f"フィールド「{spec['code']}」の選択肢に「{text}」はありません。",
                f'"{text}" is not an option of the field "{spec["code"]}".',
            ),
        )
    return text


def _literal(value: Text | Function) -> str:
    if isinstance(value, Function):
        raise syntax_error()
    return value.value


def _held(spec: Json, values: Values) -> list[Any]:
    """The values to look at: one, or one for each row of the table that the field stands in."""
    if "table" in spec:
        return [row["value"].get(spec["code"], {}).get("value") for row in values.get(spec["table"], [])]
    return [values.get(spec["code"])]


def _parts(spec: Json, value: Any) -> set[str]:
    """What ``=`` and ``in`` look at: the text itself, the chosen options or the codes. ``""`` stands for nothing."""
    if isinstance(value, list):
        return {str(each["code"]) if isinstance(each, dict) else str(each) for each in value} or {""}
    if isinstance(value, dict):
        return {str(value["code"])}
    return {"" if value is None else str(value)}


def _text(spec: Json, value: Any) -> str:
    text = searchable_text(spec, value)
    return words.plain(text) if spec["type"] == "RICH_TEXT" else text


def _check_operator(spec: Json, operator: str) -> None:
    if "table" in spec and operator in {"=", "!="}:
        raise Refused(
            400,
            "GAIA_IQ07",
            (
                (
                    f"テーブルに設定している場合、{spec['code']}フィールドのフィールドタイプには、"
                    f"演算子{operator}を使用できません。"
                ),
                f"The operator {operator} cannot be used with the field type of {spec['code']} in a table.",
            ),
        )
    if operator not in OPERATORS.get(spec["type"], frozenset()):
        raise _wrong_operator(spec, operator)


def _wrong_operator(spec: Json, operator: str) -> Refused:
    return Refused(
        400,
        "GAIA_IQ03",
        (
            f"{spec['code']}フィールドのフィールドタイプには演算子{operator}を使用できません。",
            f"The operator {operator} cannot be used with the field type of {spec['code']}.",
        ),
    )


_TIMES = frozenset({"DATE", "TIME"}) | _MOMENTS

_COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">": lambda held, bound: held > bound,
    "<": lambda held, bound: held < bound,
    ">=": lambda held, bound: held >= bound,
    "<=": lambda held, bound: held <= bound,
}
