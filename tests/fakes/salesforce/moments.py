"""Date words of SOQL as spans of time in the user's zone: TODAY, LAST_N_DAYS:7.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Days:
    """Whole days, the last one included."""

    first: date
    last: date

    def moments(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Their beginning, and the moment at which they are over."""
        begin = datetime.combine(self.first, time(), zone)
        end = datetime.combine(self.last + timedelta(days=1), time(), zone)
        return begin.astimezone(UTC), end.astimezone(UTC)


def read_days(word: str, today: date) -> Days | None:
    """The days that a word means, or None when SOQL does not know it."""
    name, _, number = word.upper().partition(":")
    if number:
        return _numbered(name, int(number), today)
    month = today.replace(day=1)
    next_month = (month + timedelta(days=31)).replace(day=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    week = today - timedelta(days=(today.weekday() + 1) % 7)  # weeks begin on Sunday in a Japanese or American org
    known = {
        "YESTERDAY": (today - timedelta(days=1), today - timedelta(days=1)),
        "TODAY": (today, today),
        "TOMORROW": (today + timedelta(days=1), today + timedelta(days=1)),
        "LAST_WEEK": (week - timedelta(days=7), week - timedelta(days=1)),
        "THIS_WEEK": (week, week + timedelta(days=6)),
        "NEXT_WEEK": (week + timedelta(days=7), week + timedelta(days=13)),
        "LAST_MONTH": (last_month, month - timedelta(days=1)),
        "THIS_MONTH": (month, next_month - timedelta(days=1)),
        "NEXT_MONTH": (next_month, (next_month + timedelta(days=31)).replace(day=1) - timedelta(days=1)),
        "LAST_90_DAYS": (today - timedelta(days=90), today),
        "NEXT_90_DAYS": (today + timedelta(days=1), today + timedelta(days=90)),
        "THIS_YEAR": (date(today.year, 1, 1), date(today.year, 12, 31)),
        "LAST_YEAR": (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
        "NEXT_YEAR": (date(today.year + 1, 1, 1), date(today.year + 1, 12, 31)),
    }
    return Days(*known[name]) if name in known else None


def _numbered(name: str, number: int, today: date) -> Days | None:
    before, after = today - timedelta(days=number), today + timedelta(days=number)
    known = {
        "LAST_N_DAYS": (before, today),
        "NEXT_N_DAYS": (today + timedelta(days=1), after),
        "N_DAYS_AGO": (before, before),
    }
    return Days(*known[name]) if name in known else None
