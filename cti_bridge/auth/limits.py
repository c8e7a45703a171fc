"""How often one source may knock at a door that needs no sign-in. Not what failed sign-ins cost: that is ``lockout``.

All processes count together, and rarely ask the database: each takes a handful of knocks at once from what is left of
the minute, and once nothing is left says no by itself until the next. In no minute do all of them together let through
more than the limit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cti_bridge.auth.addresses import source
from cti_bridge.clock import Clock, utc_now
from cti_bridge.errors import StoreUnavailable, TooMany
from cti_bridge.logbook import get_logger
from cti_bridge.store import Database, rates

log = get_logger(__name__)

MINUTE = 60


class Door(StrEnum):
    """What can be asked of us without being signed in, or costs us something before we know who it is."""

    SIGN_IN = "sign_in"
    VOUCH = "vouch"
    REDEEM = "redeem"
    OPENAPI = "openapi"
    LIVE = "live"
    """Sockets whose first frame had no good ticket; those with one are not counted."""


LIMITS: dict[Door, int] = {
    Door.SIGN_IN: 120,  # an office of hundreds behind one address begins its day
    Door.VOUCH: 600,  # a CRM's servers ask for all of its users
    Door.REDEEM: 300,
    Door.OPENAPI: 60,
    Door.LIVE: 60,
}
"""Knocks a minute from one source."""


@dataclass(slots=True)
class _Left:
    """What this process may still let through in this minute; ``over`` when nobody may let through any more."""

    minute: int
    knocks: int = 0
    over: bool = False


class Limits:
    """The limits of one process's doors, shared with the others through the database."""

    MOST_REMEMBERED = 10_000

    def __init__(self, database: Database, keyed: Callable[[str], str], *, clock: Clock = utc_now) -> None:
        self._database = database
        self._keyed = keyed
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[Door, str], _Left] = {}

    def knock(self, door: Door, address: str) -> None:
        """Count this knock. Raises TooMany when there were too many from there in this minute."""
        now = int(self._clock().timestamp())
        minute, key = now // MINUTE, (door, source(address))
        with self._lock:
            left = self._remembered(key, minute)
            if not left.knocks and not left.over:
                self._fetch(door, key[1], left)
            if left.knocks:
                left.knocks -= 1
                return
        raise TooMany("too_many_requests", retry_after=(minute + 1) * MINUTE - now)

    def look(self, door: Door, address: str) -> None:
        """Like ``knock`` without counting: as far as this process knows. Raises TooMany."""
        now = int(self._clock().timestamp())
        minute = now // MINUTE
        with self._lock:
            left = self._known.get((door, source(address)))
            shut = left is not None and left.minute == minute and left.over and not left.knocks
        if shut:
            raise TooMany("too_many_requests", retry_after=(minute + 1) * MINUTE - now)

    def _remembered(self, key: tuple[Door, str], minute: int) -> _Left:
        left = self._known.get(key)
        if left is None or left.minute != minute:
            if len(self._known) >= self.MOST_REMEMBERED:
                self._known = {known: of for known, of in self._known.items() if of.minute == minute}
            left = self._known[key] = _Left(minute)
        return left

    def _fetch(self, door: Door, where: str, left: _Left) -> None:
        """Take a handful from what is left of the minute."""
        most = LIMITS[door]
        wanted = max(1, most // 20)
        try:
            with self._database.transaction() as connection:
                total = rates.add(connection, door, self._keyed(where), minute=left.minute, amount=wanted)
        except StoreUnavailable:
            left.knocks = 1  # what lies behind the door needs the database too, and says so
            return
        left.knocks = max(0, min(wanted, most - (total - wanted)))
        left.over = total >= most
        if left.over and total - wanted < most:
            log.warning("door_limited", door=door)
