"""WHERE against one record: types of values, comparisons, LIKE. SOQL and SOSL share it.

Text counts no case; ``=`` and ``IN`` compare the text as stored, a telephone number's punctuation included.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from .errors import Refused
from .ids import read_id
from .lexer import refused_at
from .moments import Days, read_days
from .schema import Field, Row
from .soql import Comparison, Condition, Junction, Not, Path, Query, Value

Test = Callable[[Row], bool]
NUMBERS = frozenset({"int", "double", "currency"})


@dataclass(frozen=True)
class Reach:
    """A path resolved: the field at its end, and how to get its value from a row."""

    field: Field
    value: Callable[[Row], Any]


@dataclass(frozen=True)
class Compiler:
    """Turns a condition into a test of rows, refusing what Salesforce refuses before any row is looked at."""

    text: str
    resolve: Callable[[Path], Reach]
    run: Callable[[Query], list[Any]]
    today: date
    zone: ZoneInfo

    def compile(self, condition: Condition) -> Test:
        if isinstance(condition, Not):
            inner = self.compile(condition.part)
            return lambda row: not inner(row)
        if isinstance(condition, Junction):
            parts = [self.compile(part) for part in condition.parts]
            combine = all if condition.word == "AND" else any
            return lambda row: combine(part(row) for part in parts)
        return self._comparison(condition)

    def _comparison(self, one: Comparison) -> Test:
        reach = self.resolve(one.path)
        if not reach.field.filterable:
            raise self._refused(one.path.at, f"field '{reach.field.name}' can not be filtered in a query call")
        if one.subquery is not None:
            return _one_of(reach, self.run(one.subquery), self.zone, negated=one.operator == "NOT IN")
        if one.operator in {"IN", "NOT IN"}:
            wanted = [self._read(reach.field, value) for value in one.values]
            return _one_of(reach, wanted, self.zone, negated=one.operator == "NOT IN")
        if one.operator == "LIKE":
            return self._like(reach, one.values[0])
        return _compared(reach, one.operator, self._read(reach.field, one.values[0]), self.zone)

    def _like(self, reach: Reach, value: Value) -> Test:
        if not reach.field.is_text or value.kind != "string":
            message = f"invalid operator on {reach.field.type} field"
            raise refused_at(self.text, value.at, "INVALID_QUERY_FILTER_OPERATOR", message)
        wild = {"%": ".*", "_": ".", "\\%": "%", "\\_": "_"}
        pattern = "".join(wild.get(letter, re.escape(letter)) for letter in value.like)
        shape = re.compile(pattern, re.IGNORECASE | re.DOTALL)
        return lambda row: shape.fullmatch(reach.value(row) or "") is not None

    def _read(self, field: Field, value: Value) -> Any:
        if value.kind == "null":
            return None
        if field.type in {"id", "reference"}:
            return self._read_id(value)
        expected = "string" if field.is_text else "dateTime" if field.type == "datetime" else field.type
        allowed = {"string": {"string"}, "boolean": {"boolean"}, "date": {"date"}, "dateTime": {"datetime"}}
        if value.kind == "word" and field.type in {"date", "datetime"}:
            days = read_days(value.text, self.today)
            if days is not None:
                return days
            raise refused_at(self.text, value.at, "MALFORMED_QUERY", f"unexpected token: '{value.text}'")
        if value.kind == "word":
            raise refused_at(
                self.text, value.at, "MALFORMED_QUERY", f"Bind variables only allowed in Apex code: {value.text}"
            )
        if value.kind not in (allowed.get(expected) or {"number"}):
            quotes = "should be enclosed in quotes" if expected == "string" else "should not be enclosed in quotes"
            message = f"value of filter criterion for field '{field.name}' must be of type {expected} and {quotes}"
            raise self._refused(value.at, message)
        return self._plain(field, value)

    def _plain(self, field: Field, value: Value) -> Any:
        try:
            if field.is_text:
                if any(len(letter) > 1 for letter in value.like):
                    message = "Illegal character sequence in string literal: \\% and \\_ are for LIKE only."
                    raise refused_at(self.text, value.at, "MALFORMED_QUERY", message)
                return value.text
            if field.type == "boolean":
                return value.text == "TRUE"
            if field.type in NUMBERS:
                return float(value.text)
            if field.type == "date":
                return date.fromisoformat(value.text)
            return datetime.fromisoformat(value.text).astimezone(UTC)
        except ValueError:
            raise refused_at(self.text, value.at, "MALFORMED_QUERY", f"Invalid date: {value.text}") from None

    def _read_id(self, value: Value) -> str:
        found = read_id(value.text) if value.kind == "string" else None
        if found is None:
            message = f"invalid ID field: {value.text}"
            raise refused_at(self.text, value.at, "INVALID_QUERY_FILTER_OPERATOR", message)
        return found

    def _refused(self, at: int, message: str) -> Refused:
        return refused_at(self.text, at, "INVALID_FIELD", message)


def folded(value: Any) -> Any:
    """How two values are compared: text without case."""
    return value.casefold() if isinstance(value, str) else value


def _key(reach: Reach) -> Callable[[Any], Any]:
    exact = reach.field.case_sensitive or reach.field.type in {"id", "reference"}
    return (lambda value: value) if exact else folded


def _one_of(reach: Reach, wanted: list[Any], zone: ZoneInfo, *, negated: bool) -> Test:
    key = _key(reach)
    spans = [_compared(reach, "=", one, zone) for one in wanted if isinstance(one, Days)]
    values = {key(one) for one in wanted if not isinstance(one, Days)}
    return lambda row: (key(reach.value(row)) in values or any(span(row) for span in spans)) != negated


def _compared(reach: Reach, operator: str, wanted: Any, zone: ZoneInfo) -> Test:
    if isinstance(wanted, Days):
        return _spanned(reach, operator, wanted, zone)
    key = _key(reach)
    target = key(wanted)
    if operator in {"=", "!="}:
        return lambda row: (key(reach.value(row)) == target) == (operator == "=")

    def ordered(row: Row) -> bool:
        value = key(reach.value(row))
        if value is None or target is None:
            return False
        return bool({"<": value < target, "<=": value <= target, ">": value > target, ">=": value >= target}[operator])

    return ordered


def _spanned(reach: Reach, operator: str, days: Days, zone: ZoneInfo) -> Test:
    begin, end = days.moments(zone)

    def spanned(row: Row) -> bool:
        value = reach.value(row)
        if value is None:
            return operator == "!="
        if isinstance(value, datetime):
            before, after = value < begin, value >= end
        else:
            before, after = value < days.first, value > days.last
        inside = not before and not after
        outcome = {"=": inside, "!=": not inside, "<": before, "<=": not after, ">": after, ">=": not before}
        return outcome[operator]

    return spanned
