"""The customers of "Minato Air", a firm that sells and maintains air conditioners: invented, for demonstration and tests.

All persons and companies are invented. Their telephone numbers are examples: of the blocks 000 and 03-2000, which are
not assigned in Japan, of 080-1234, which its forms show as the sample of a mobile, and of the ranges kept free for
fiction in the United States (555-01xx), Britain (020 7946 0xxx), Australia (5550 xxxx), France (01 99 00) and Germany
(030 23125). They are spelt as badly as people spell them, on purpose; one is a digit short.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cti_bridge.model import ActivityKind, Language
from cti_bridge.store.records import Entry, Records
from cti_bridge.store.records.csv_files import import_customers

TOKYO = ZoneInfo("Asia/Tokyo")
CUSTOMERS = Path(__file__).with_name("customers.csv")
STORIES = Path(__file__).with_name("stories.csv")


@dataclass(frozen=True, slots=True)
class InterestingCaller:
    """Somebody whose call shows something: ``number`` is E.164, ``matches`` how many records hold it."""

    number: str
    matches: int
    ja: str
    en: str

    def label(self, language: Language) -> str:
        return self.ja if language == "ja" else self.en


INTERESTING_CALLERS = (
    InterestingCaller("+818012341101", 1, "青木ことの様（一人に確定）", "Kotono Aoki (a sure match)"),
    InterestingCaller(
        "+81320000110", 5, "はやぶさ製作所の代表電話（会社と4名が共用）", "A switchboard (a company and four people)"
    ),
    InterestingCaller("+81450000210", 2, "山本様ご夫妻の自宅（家族で共用）", "A couple's home (shared by a household)"),
    InterestingCaller("+818012349999", 0, "登録のない番号", "A number nobody knows"),
    InterestingCaller("+14155550142", 1, "海外から（アメリカ）", "From abroad (United States)"),
    InterestingCaller(
        "+818012341389",
        1,
        "表記の乱れた番号（８１-８０-１２３４-１３８９）",
        "A messy spelling (８１-８０-１２３４-１３８９)",
    ),
    InterestingCaller(
        "+818012341267", 2, "二重登録の顧客（小林恵子様・けい子様）", "One person in two records (Keiko Kobayashi)"
    ),
    InterestingCaller(
        "+818012341145", 1, "英語のお客様（エミリー・カーター様）", "An English-speaking customer (Emily Carter)"
    ),
)
"""For the panel that plays the outside world. A withheld number is not a number: the panel offers it by itself."""


def load(records: Records, now: datetime) -> None:
    """Put the demonstration's customers and their stories into the embedded CRM, dated around ``now``.

    Doing it again renews the dates and doubles nothing; what was added meanwhile (numbers, call logs) stays.
    """
    import_customers(CUSTOMERS, records)
    with STORIES.open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    ids = records.numbered({row["customer_number"] for row in told})
    records.keep(_entries(told, ids, now.astimezone(TOKYO)))


def _entries(told: list[dict[str, str]], ids: dict[str, str], now: datetime) -> Iterator[Entry]:
    for row in told:
        known = f"demo:{row['customer_number']}:{row['kind']}:{row['days']}:{row['time']}"
        yield Entry(
            key=row["number"] or known,
            kind=ActivityKind(row["kind"]),
            contact_id=ids[row["customer_number"]],
            title=row["title"],
            detail=row["detail"],
            at=_at(now, row["days"], row["time"]),
            closed_at=_at(now, row["closed_days"], "17:00") if row["closed_days"] else None,
        )


def _at(now: datetime, days: str, clock: str) -> datetime:
    """The moment that many days from now, at that time of day in Tokyo."""
    day = now.date() + timedelta(days=int(days))
    return datetime.combine(day, time.fromisoformat(clock), TOKYO).astimezone(UTC)
