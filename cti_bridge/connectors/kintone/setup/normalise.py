"""Filling the normalised fields of the records that are there: +81312345678 beside what somebody typed.

Reads an app once from its first record to its last and writes only what is missing or wrong, so it may be broken off and
begun again at any time. A field that holds anything but such a number is probably not ours, and left. One request at a
time: the domain is everybody's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cti_bridge.connectors.kintone.client import KintoneApp, Record
from cti_bridge.connectors.kintone.contacts import text_of
from cti_bridge.connectors.kintone.mapping import RECORD_ID, CustomerApp
from cti_bridge.connectors.kintone.problems import KintoneRefused, KintoneUnavailable
from cti_bridge.connectors.kintone.query import MOST_RECORDS
from cti_bridge.connectors.kintone.setup.patience import Patience, is_conflict
from cti_bridge.phone import PhoneNumber

MOST_WRITES = 100
"""Records that one request may change (https://cybozu.dev/ja/kintone/docs/rest-api/records/update-records/)."""

REVISION = "$revision"

OURS = re.compile(r"(\+[0-9]{7,15})?", re.ASCII)
"""What stands in a normalised field: a number in E.164, or nothing."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A telephone field in which no number can be read: record ``"345"``, field code, the text as typed."""

    record: str
    code: str
    typed: str


@dataclass(frozen=True, slots=True)
class Change:
    """What one record gets: ``Change("345", "7", {"電話番号_正規化": "+81312345678"}, ("03-1234-5678",))``."""

    record: str
    revision: str
    values: Mapping[str, str]
    typed: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """What was found and done in one app. ``busy`` and ``refused`` name records that were left as they are, ``foreign``
    those with another text in a normalised field."""

    records: int = 0
    numbers: int = 0
    right: int = 0
    to_change: int = 0
    changed: int = 0
    unreadable: int = 0
    requests: int = 0
    last: int = 0
    busy: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


class Normalising:
    """Goes through one customer app; with ``write``, changes it."""

    def __init__(
        self,
        client: KintoneApp,
        app: CustomerApp,
        region: str,
        *,
        write: bool,
        patience: Patience | None = None,
        progress: Callable[[int, int], object] = lambda *_: None,
        unreadable: Callable[[Unreadable], object] = lambda _: None,
        example: Callable[[Change], object] = lambda _: None,
    ) -> None:
        self._client = client
        self._pairs = tuple(zip(app.phones, app.normalised, strict=False))
        self._fields = [RECORD_ID, REVISION, *(code for pair in self._pairs for code in pair)]
        self._region = region
        self._write = write
        self._patience = patience or Patience()
        self._progress = progress
        self._unreadable = unreadable
        self._example = example
        self.report = Report()

    def run(self, after: int = 0) -> Report:
        """From the record behind ``after`` to the last. Raises ConnectorError; ``report`` then tells how far it got."""
        self.report.last = after
        waiting: list[Change] = []
        for records, total in self._pages(after):
            for record in records:
                change = self._examine(record)
                if change is not None:
                    self.report.to_change += 1
                    self._example(change)
                    waiting.append(change)
                if self._write and len(waiting) == MOST_WRITES:
                    self._put(waiting)
                    waiting = []
                    self.report.last = int(record[RECORD_ID]["value"])
            self.report.records += len(records)
            self._progress(self.report.records, total)
        if self._write and waiting:
            self._put(waiting)
        return self.report

    def _pages(self, after: int) -> Iterator[tuple[list[Record], int]]:
        """Records by number, 500 at a time, and how many there are from here on. No offset: kintone stops at 10,000."""
        last, total = after, 0
        while True:
            records, left = self._page(last)
            total = total or left
            yield records, total
            if len(records) < MOST_RECORDS:
                return
            last = int(records[-1][RECORD_ID]["value"])

    def _page(self, last: int) -> tuple[list[Record], int]:
        self._spare()
        query = f"{RECORD_ID} > {last} order by {RECORD_ID} asc limit {MOST_RECORDS}"
        self.report.requests += 1
        found = self._patience.ask(lambda: self._client.select(query, self._fields))
        return found.records, int(found.total_count)

    def _examine(self, record: Record) -> Change | None:
        """Count what the record holds; what must be changed, if anything."""
        for phone, _ in self._pairs:
            typed = text_of(record, phone)
            self.report.numbers += bool(typed)
            if typed and PhoneNumber.find(typed, self._region) is None:
                self.report.unreadable += 1
                self._unreadable(Unreadable(text_of(record, RECORD_ID), phone, typed))
        change = self._change(record)
        if any(not OURS.fullmatch(text_of(record, normalised)) for _, normalised in self._pairs):
            self.report.foreign.append(text_of(record, RECORD_ID))
        elif change is None:
            self.report.right += 1
        return change

    def _change(self, record: Record) -> Change | None:
        values: dict[str, str] = {}
        typed: list[str] = []
        for phone, normalised in self._pairs:
            text = text_of(record, phone)
            number = PhoneNumber.find(text, self._region) if text else None
            wanted = number.e164 if number else ""
            held = text_of(record, normalised)
            if held != wanted and OURS.fullmatch(held):
                values[normalised] = wanted
                typed.append(text)
        if not values:
            return None
        return Change(text_of(record, RECORD_ID), text_of(record, REVISION), values, tuple(typed))

    def _put(self, changes: Sequence[Change], *, again: bool = True) -> None:
        """Write these records, all or none; when kintone refuses because of one, halve until that one stands alone."""
        records = [
            {
                "id": change.record,
                "revision": change.revision,
                "record": {code: {"value": value} for code, value in change.values.items()},
            }
            for change in changes
        ]
        body = {"app": self._client.number, "records": records}
        self._spare()
        self.report.requests += 1
        try:
            self._patience.ask(lambda: self._client.call("PUT", "records.json", body))
        except KintoneUnavailable as problem:
            if not is_conflict(problem):
                raise
            self._after_conflict(changes, again=again)
        except KintoneRefused as problem:
            if problem.code != "CB_VA01" and not problem.missing:
                raise
            if len(changes) > 1:
                half = len(changes) // 2
                self._put(changes[:half], again=again)
                self._put(changes[half:], again=again)
            elif not problem.missing:  # else deleted meanwhile: nothing to do
                self.report.refused.append((changes[0].record, problem.code))
        else:
            self.report.changed += len(changes)

    def _spare(self) -> None:
        """Leave the rest of the day's requests to calls. Raises KintoneUnavailable."""
        budget = self._client.domain.budget
        if budget.nearly_used_up(self._client.number):
            raise KintoneUnavailable(
                "今日のリクエスト数が上限に近づいたので、残りは通話のために残します。日本時間9時を過ぎてから続けてください"
                " / today's requests are nearly used up, and the rest is for calls; go on after 09:00 in Japan",
                retry_after=budget.until_renewed(),
            )

    def _after_conflict(self, changes: Sequence[Change], *, again: bool) -> None:
        """Somebody edited one of these records, or an answer was lost: look again, and write what is still wrong."""
        if not again:
            if len(changes) == 1:
                self.report.busy.append(changes[0].record)
                return
            half = len(changes) // 2
            self._put(changes[:half], again=False)
            self._put(changes[half:], again=False)
            return
        numbers = ", ".join(f'"{change.record}"' for change in changes)
        query = f"{RECORD_ID} in ({numbers}) limit {MOST_RECORDS}"
        self.report.requests += 1
        records = self._patience.ask(lambda: self._client.find(query, self._fields))
        still = [change for record in records if (change := self._change(record)) is not None]
        self.report.changed += len(records) - len(still)
        if still:
            self._put(still, again=False)
