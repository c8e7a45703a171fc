"""What failed sign-ins cost: a growing wait. Who may knock how often at all: ``limits``.

Two counts, both kept in the database for all processes, and alike for e-mail addresses that exist and that do not:

- of one account *from one source*: the fifth failure costs a wait of 30 seconds, each further one twice as much, at
  most 15 minutes;
- of one account *from everywhere*: the same from the twentieth on. A source from which this agent has signed in during
  the last 30 days neither asks nor feeds this count.

So guessing is slow however many machines take part, and a stranger who guesses cannot keep an agent out at their usual
desk. Neither wait is ever longer than 15 minutes, failures are forgotten after 12 hours, and an administrator ends both
at once (``cti-bridge agents unlock``). A try is counted before the password is looked at, so that a hundred at once get
no more guesses than a hundred in a row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from cti_bridge.auth.addresses import source
from cti_bridge.errors import TooMany
from cti_bridge.store import tries
from cti_bridge.store.tries import Tries

FROM_ONE_SOURCE = 5
FROM_EVERYWHERE = 20
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=12)
KNOWN_FOR = timedelta(days=30)


class Lockout:
    """Charges each try, and gives back what it cost when the try was good. ``keyed`` hashes what must not be kept."""

    def __init__(self, keyed: Callable[[str], str]) -> None:
        self._keyed = keyed

    def charge(self, connection: Connection, email: str, address: str, now: datetime) -> timedelta | None:
        """Count a try before it is made. Raises TooMany while there is a wait.

        How long the next one must wait if this one fails: a lock-out that begins with this try.
        """
        counts = self._counts(connection, email, address, now)
        waits: list[timedelta] = [
            one.locked_until - now for one, _ in counts if one.locked_until and one.locked_until > now
        ]
        if waits:
            raise TooMany("locked_out", retry_after=math.ceil(max(waits).total_seconds()))
        cost = max(_charged(connection, one, limit, now) for one, limit in counts)
        return cost or None

    def refund(self, connection: Connection, email: str, address: str, now: datetime) -> None:
        """The try was neither good nor bad: the password was right, and a one-time code is still to come."""
        for one, _ in self._counts(connection, email, address, now):
            tries.keep(connection, replace(one, failures=max(0, one.failures - 1), locked_until=None), now)

    def welcome(self, connection: Connection, email: str, address: str, now: datetime) -> None:
        """The try was good: forget this source's failures, and remember the source."""
        self.refund(connection, email, address, now)
        here = self._here(connection, email, address, now)
        tries.keep(connection, replace(here, failures=0, locked_until=None, welcomed_at=now), now)
        tries.forget(connection, touched_before=now - KNOWN_FOR)

    def unlock(self, connection: Connection, email: str) -> None:
        """Forget everybody's failures at this account."""
        tries.remove(connection, self._account(email))

    def _counts(self, connection: Connection, email: str, address: str, now: datetime) -> list[tuple[Tries, int]]:
        """The counts that a try from there asks and feeds, with their limits; always locked in the same order."""
        here = self._here(connection, email, address, now)
        if here.welcomed_at is not None and now - here.welcomed_at < KNOWN_FOR:
            return [(here, FROM_ONE_SOURCE)]
        account = self._account(email)
        everywhere = _aged(tries.hold(connection, account, account=account, at=now), now)
        return [(here, FROM_ONE_SOURCE), (everywhere, FROM_EVERYWHERE)]

    def _here(self, connection: Connection, email: str, address: str, now: datetime) -> Tries:
        account = self._account(email)
        key = self._keyed(f"{account}|{source(address)}")
        return _aged(tries.hold(connection, key, account=account, at=now), now)

    def _account(self, email: str) -> str:
        return self._keyed(email.strip().lower())


def wait_after(failures: int, limit: int) -> timedelta:
    """``wait_after(4, 5)`` is none, ``wait_after(5, 5)`` 30 seconds, ``wait_after(6, 5)`` a minute; at most 15 minutes."""
    if failures < limit:
        return timedelta()
    longer: int = 2 ** min(failures - limit, 10)
    return min(FIRST_WAIT * longer, LONGEST_WAIT)


def _aged(known: Tries, now: datetime) -> Tries:
    return replace(known, failures=0) if now - known.touched_at > FORGOTTEN_AFTER else known


def _charged(connection: Connection, known: Tries, limit: int, now: datetime) -> timedelta:
    failures = known.failures + 1
    wait = wait_after(failures, limit)
    tries.keep(connection, replace(known, failures=failures, locked_until=now + wait if wait else None), now)
    return wait
