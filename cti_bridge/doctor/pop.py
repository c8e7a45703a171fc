"""One test card on one agent's screen, by the way that every card takes: a row, a wake-up, the bridge's own delivery.

The card says in its caller's place that it is a test. It is a call's row without a call: ended after a while, so that the
screen drops it, and then deleted, so that no list, log or report ever tells of it. On PostgreSQL the wake-up reaches the
running bridge at once; on SQLite nothing wakes another process, and the bridge's sweep finds the row within three seconds.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta

from cti_bridge.clock import Clock, utc_now
from cti_bridge.live import topics
from cti_bridge.live.hub import Hub
from cti_bridge.model import Agent, Call, Caller, CallerKind, Direction, Language
from cti_bridge.store import Database, calls, rehearsals
from cti_bridge.store.calls import CallRecord, Lookup, LookupState
from cti_bridge.store.directory import Directory

SHOWN = timedelta(seconds=15)
GONE_AFTER = timedelta(minutes=2)
"""A card whose maker was killed stays on open screens until they reload; from then on no screen shows it."""

SWEPT = timedelta(seconds=4)
"""Longer than a sweep of the bridge takes to come round: then every screen has been told of the end."""

CALLER: dict[Language, str] = {
    "ja": "テスト表示（着信ではありません）",
    "en": "TEST - this is not a call",
}


class Rehearsal:
    """Shows test cards. All may raise StoreUnavailable."""

    def __init__(self, database: Database, hub: Hub, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._hub = hub
        self._clock = clock

    def show(self, agent: Agent, known: Directory) -> str:
        """Put the card on this agent's screen, with the greeting of a line that rings them. Its id."""
        now = self._clock()
        line = next(iter(known.lines_ringing(agent)), None)
        call = Call(
            f"{rehearsals.PREFIX}{secrets.token_hex(16)}",
            direction=Direction.INBOUND,
            line_number=line.number if line else None,
            rung=frozenset({agent.id}),
            started_at=now,
        )
        caller = Caller(CallerKind.UNREADABLE, None, CALLER[agent.language])
        with self._database.transaction() as connection:
            rehearsals.strike_all(connection, before=now - GONE_AFTER)
            calls.save(connection, CallRecord(call, caller, lookup=Lookup(LookupState.SKIPPED)), now)
            calls.add_rings(connection, call.id, [agent.id], now - calls.LONGEST_CALL + GONE_AFTER)
        self._hub.wake(topics.call_topic(call.id))
        return call.id

    def end(self, call_id: str) -> None:
        """Have every screen drop the card. The row stays until it is ``forget``-ed, for screens learn from it."""
        now = self._clock()
        with self._database.transaction() as connection:
            record = calls.get(connection, call_id, for_update=True)
            if record is None:
                return
            ended = replace(record, call=replace(record.call, turned_away_at=now), dealt_with_at=now)
            calls.save(connection, ended, now)
        self._hub.wake(topics.call_topic(call_id))

    def forget(self, call_id: str) -> None:
        """Delete what is left of it: not before ``SWEPT`` after its end."""
        with self._database.transaction() as connection:
            rehearsals.strike(connection, call_id)
