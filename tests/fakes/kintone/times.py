"""Moments and days as kintone writes them, and the date functions of its query language. Pure: now is handed in.

A day is a day of the asker's time zone; a function such as ``TODAY()`` is a stretch of time with a begin and an end.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from .query import Function, syntax_error
from .wire import Refused

Stretch = tuple[datetime, datetime]
"""From (inclusive) to (exclusive), both aware."""

_WEEKDAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")


def minute(moment: datetime) -> str:
    """``2026-11-22T01:02:00Z``: kintone keeps minutes, and always says UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00Z")


def read_moment(text: str) -> datetime | None:
    """``2026-11-22T01:02:03Z`` or with an offset; None if it is neither."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and "T" in text else None


def read_day(text: str) -> date | None:
    """``2026-11-22``; None if it is not a day."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def read_time(text: str) -> str | None:
    """``09:05`` from ``9:05`` or ``09:05:30``; None if it is no time of day."""
    try:
        hours, minutes, *_ = (int(part) for part in text.split(":"))
        return time(hours, minutes).strftime("%H:%M")
    except ValueError:
        return None


def stretch(function: Function, now: datetime, zone: ZoneInfo) -> Stretch:
    """What a date function means now. Raises ``Refused`` for a function or an argument that kintone does not know."""
    if function.name == "NOW":
        _arguments(function, 0)
        begins = now.astimezone(UTC).replace(second=0, microsecond=0)
        return begins, begins + timedelta(minutes=1)
    if function.name not in _DAYS:
        raise syntax_error()
    first, last = _DAYS[function.name](function, now.astimezone(zone).date())
    return _midnight(first, zone), _midnight(last, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _arguments(function: Function, *allowed: int) -> None:
    if len(function.arguments) not in allowed:
        raise Refused(400, "GAIA_IL08", ("クエリの指定が不正です。", "The query is invalid."))


def _day(shift: int) -> Callable[[Function, date], tuple[date, date]]:
    def days(function: Function, today: date) -> tuple[date, date]:
        _arguments(function, 0)
        begins = today + timedelta(days=shift)
        return begins, begins + timedelta(days=1)

    return days


def _from_today(function: Function, today: date) -> tuple[date, date]:
    _arguments(function, 2)
    many, unit = function.arguments
    try:
        amount = int(many)
    except ValueError:
        raise syntax_error() from None
    if unit == "DAYS":
        begins = today + timedelta(days=amount)
    elif unit == "WEEKS":
        begins = today + timedelta(weeks=amount)
    elif unit in {"MONTHS", "YEARS"}:
        begins = _months_later(today, amount * (12 if unit == "YEARS" else 1))
    else:
        raise Refused(
            400,
            "GAIA_IQ25",
            (
                "FROM_TODAY()の第2引数には、「DAYS」「WEEKS」「MONTHS」「YEARS」のいずれかを指定します。",
                'Specify "DAYS", "WEEKS", "MONTHS" or "YEARS" for the second argument of FROM_TODAY().',
            ),
        )
    return begins, begins + timedelta(days=1)


def _week(shift: int) -> Callable[[Function, date], tuple[date, date]]:
    def days(function: Function, today: date) -> tuple[date, date]:
        _arguments(function, 0, 1)
        sunday = today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=shift)
        if not function.arguments:
            return sunday, sunday + timedelta(weeks=1)
        if function.arguments[0] not in _WEEKDAYS:
            raise syntax_error()
        day = sunday + timedelta(days=_WEEKDAYS.index(function.arguments[0]))
        return day, day + timedelta(days=1)

    return days


def _month(shift: int) -> Callable[[Function, date], tuple[date, date]]:
    def days(function: Function, today: date) -> tuple[date, date]:
        _arguments(function, 0, 1)
        first = _months_later(today.replace(day=1), shift)
        following = _months_later(first, 1)
        if not function.arguments:
            return first, following
        if function.arguments[0] == "LAST":
            return following - timedelta(days=1), following
        which = function.arguments[0]
        if not which.isdigit() or not 1 <= int(which) <= 31:
            raise Refused(
                400,
                "GAIA_IQ23",
                (
                    f"指定した日にち（{which}）は無効です。1から31までの整数で指定します。",
                    f"The day ({which}) is invalid. Specify an integer from 1 to 31.",
                ),
            )
        day = min(first + timedelta(days=int(which) - 1), following)
        return day, day + timedelta(days=1)

    return days


def _year(shift: int) -> Callable[[Function, date], tuple[date, date]]:
    def days(function: Function, today: date) -> tuple[date, date]:
        _arguments(function, 0)
        return date(today.year + shift, 1, 1), date(today.year + shift + 1, 1, 1)

    return days


def _months_later(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


_DAYS: dict[str, Callable[[Function, date], tuple[date, date]]] = {
    "TODAY": _day(0),
    "YESTERDAY": _day(-1),
    "TOMORROW": _day(1),
    "FROM_TODAY": _from_today,
    "THIS_WEEK": _week(0),
    "LAST_WEEK": _week(-1),
    "NEXT_WEEK": _week(1),
    "THIS_MONTH": _month(0),
    "LAST_MONTH": _month(-1),
    "NEXT_MONTH": _month(1),
    "THIS_YEAR": _year(0),
    "LAST_YEAR": _year(-1),
    "NEXT_YEAR": _year(1),
}
