"""The outbox as an administrator sees it: how many logs stand how, which they are; try again, give up. How they are
written is ``outbox``'s business, what they say and how that is corrected is ``calllogs``'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from cti_bridge.clock import Clock, utc_now
from cti_bridge.live import topics
from cti_bridge.live.hub import Hub
from cti_bridge.logbook import get_logger
from cti_bridge.store import Database, calls
from cti_bridge.store import outbox as entries
from cti_bridge.store.outbox import Entry, Standing
from cti_bridge.store.tallies import Tallies

log = get_logger(__name__)

DELIVERED = "call logs delivered"
SINCE_EVER = date(1970, 1, 1)
"""The name and the day of the tally of all deliveries of all processes."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Logs by how they stand, without the delivered ones; since when the latest one is due; deliveries since ever."""

    standing: Mapping[Standing, int]
    late: timedelta
    delivered: int


class Backlog:
    """What is in the outbox. Any process may ask and change it. Raises StoreUnavailable."""

    def __init__(self, database: Database, hub: Hub, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._hub = hub
        self._clock = clock

    def figures(self) -> Figures:
        now = self._clock()
        with self._database.reading() as connection:
            standing = entries.counts(connection, now)
            oldest = entries.oldest_due(connection, now)
        delivered = Tallies(self._database).count(DELIVERED, SINCE_EVER)
        return Figures(standing, now - oldest if oldest else timedelta(0), delivered)

    def listed(self, standings: Iterable[Standing], *, limit: int = 100, after: int = 0) -> list[Entry]:
        """Entries that stand so, oldest first; ``after`` is the id of the last one on the page before."""
        with self._database.reading() as connection:
            return entries.standing_in(connection, tuple(standings), self._clock(), limit=limit, after=after)

    def find(self, entry_id: int) -> Entry | None:
        with self._database.reading() as connection:
            return entries.get(connection, entry_id)

    def retry(self, entry_id: int | None = None) -> int:
        """Make one entry that is parked, given up or waits for its next try due now, or all parked; returns how many."""
        with self._database.transaction() as connection:
            call_id = self._show(connection, entry_id)
            count = entries.retry(connection, self._clock(), entry_id)
        log.info("logs_retried_by_hand", entry=entry_id, count=count)
        self._hub.wake(topics.OUTBOX, topics.HEALTH, *([topics.call_topic(call_id)] if call_id else []))
        return count

    def give_up(self, entry_id: int, reason: str) -> bool:
        """Write this log no more; it stays in the list with the reason. False when there is no such entry, the CRM has
        it, or it is being written just now."""
        with self._database.transaction() as connection:
            call_id = self._show(connection, entry_id)
            done = entries.give_up(connection, entry_id, reason, self._clock())
        if done and call_id:
            log.warning("log_given_up", call=call_id, entry=entry_id)
            self._hub.wake(topics.call_topic(call_id), topics.HEALTH)
        return done

    def _show(self, connection: Connection, entry_id: int | None) -> str | None:
        """Lock the entry's call, first as everywhere, and have its card drawn anew; the id of the call."""
        entry = entries.get(connection, entry_id) if entry_id is not None else None
        if entry is None:
            return None
        calls.touch(connection, entry.call_id, self._clock())
        return entry.call_id
