"""Gathering what is wrong with the numbers of all contacts, one contact at a time, in memory that does not grow with them.

Counts by fault are a dozen integers. How many records share a number is counted in a table of at most ``MOST_COUNTED``
numbers, an integer each (E.164 has 15 digits at most), some 40 MB when full; a CRM with more distinct numbers than that
gets lower bounds, and is told so.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from cti_bridge.model import Contact, ContactNumber
from cti_bridge.phone import PhoneNumber
from cti_bridge.phone_audit.judging import NEVER_MATCHES, Fault, judge

MOST_COUNTED = 250_000
MOST_SHARED_TOLD = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One telephone field that wants an eye: ``number`` is what it reads as, if it can be read."""

    contact: Contact
    held: ContactNumber
    fault: Fault
    number: PhoneNumber | None


@dataclass(slots=True)
class Report:
    """What was found so far. ``shared`` are the numbers that most records hold, with how many: ``("+8131…", 12)``.

    ``shared_count`` is how many numbers more than one record holds; both are lower bounds unless ``shared_exactly``.
    """

    contacts: int = 0
    numbers: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    shared: list[tuple[str, int]] = field(default_factory=list)
    shared_count: int = 0
    shared_exactly: bool = True

    @property
    def never(self) -> int:
        """Fields whose callers will be strangers."""
        return sum(count for fault, count in self.faults.items() if fault in NEVER_MATCHES)

    @property
    def matching(self) -> int:
        return self.numbers - self.never


class Audit:
    """Takes contacts in, one by one. ``problem`` is told of each field that wants an eye, and keeps it or not.

    ``finds`` says whether the CRM, asked for this number, comes upon a field typed like this (``Connector.finds``).
    """

    def __init__(
        self,
        region: str,
        *,
        finds: Callable[[PhoneNumber, ContactNumber], bool] = lambda _number, _held: True,
        problem: Callable[[Problem], object] = lambda _problem: None,
        most_counted: int = MOST_COUNTED,
    ) -> None:
        self._region = region
        self._finds = finds
        self._problem = problem
        self._sharing = Sharing(most_counted)
        self._report = Report()

    def take(self, contact: Contact) -> None:
        """Look at all the numbers of one contact."""
        self._report.contacts += 1
        owned: set[PhoneNumber] = set()
        for held in contact.numbers:
            self._report.numbers += 1
            judgement = judge(held.text, self._region)
            number, fault = judgement.number, judgement.fault
            if number is not None:
                owned.add(number)
                if fault not in NEVER_MATCHES and not self._finds(number, held):
                    fault = Fault.SPELLING
            if fault is not None:
                self._report.faults[fault] += 1
                self._problem(Problem(contact, held, fault, number))
        for number in owned:
            self._sharing.add(number)

    def report(self) -> Report:
        """What was found so far."""
        report = self._report
        report.shared = self._sharing.top(MOST_SHARED_TOLD)
        report.shared_count, report.shared_exactly = self._sharing.shared, self._sharing.exact
        return report


class Sharing:
    """How many records hold each number, of at most ``most`` numbers at a time.

    When there are more, those seen least are forgotten until half of the room is free (lossy counting: Manku and
    Motwani, "Approximate Frequency Counts over Data Streams", 2002): what many records share stays, counts are then
    lower bounds, and ``exact`` is False.
    """

    def __init__(self, most: int = MOST_COUNTED) -> None:
        self._most = most
        self._counts: dict[int, int] = {}
        self.exact = True

    def add(self, number: PhoneNumber) -> None:
        """One record more holds this number."""
        key = int(number.e164[1:])
        self._counts[key] = self._counts.get(key, 0) + 1
        if len(self._counts) > self._most:
            self._forget()

    @property
    def shared(self) -> int:
        """How many numbers more than one record holds."""
        return sum(count > 1 for count in self._counts.values())

    def top(self, most: int) -> list[tuple[str, int]]:
        """The numbers that most records hold, more than one: ``[("+81312345678", 12), …]``."""
        best = heapq.nsmallest(most, ((-count, key) for key, count in self._counts.items() if count > 1))
        return [(f"+{key}", -count) for count, key in best]

    def _forget(self) -> None:
        self.exact = False
        floor = 1
        while len(self._counts) > self._most // 2:
            self._counts = {key: count for key, count in self._counts.items() if count > floor}
            floor += 1
