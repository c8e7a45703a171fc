"""How long what is kept, and tidying away the rest: once a day, by one process for all, a little at a time.

What is old of each kind, and that a log which has not reached the CRM is never old: ``store.retention``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cti_bridge.clock import Clock, utc_now
from cti_bridge.errors import StoreUnavailable
from cti_bridge.logbook import get_logger
from cti_bridge.settings import Settings
from cti_bridge.store import Database, audit, chores
from cti_bridge.store import retention as old
from cti_bridge.store.audit import Who
from cti_bridge.store.retention import Kind

log = get_logger(__name__)

CHORE = "tidy"
EVERY = timedelta(hours=23)
"""A little less than a day, so that it does not wander through the day into the busy hours."""

LOOK = 600.0
"""Seconds between looks whether it is due; the first comes so long after the start."""

LEASE = timedelta(minutes=5)
BREATH = 0.05
"""Seconds between two batches: webhooks, which wait for the same lock on SQLite, go first."""

OURSELVES = Who(None, "bridge")


@dataclass(frozen=True, slots=True)
class Keep:
    """How long each kind is kept; None is for ever. A webhook is never kept longer than its call."""

    calls: timedelta | None
    webhooks: timedelta | None
    index: timedelta | None
    audit: timedelta | None

    @classmethod
    def read(cls, settings: Settings) -> Keep:
        def days(count: int) -> timedelta | None:
            return timedelta(days=count) if count else None

        calls, webhooks = days(settings.keep_calls_days), days(settings.keep_webhooks_days)
        shorter = min((kept for kept in (calls, webhooks) if kept is not None), default=None)
        return cls(calls, shorter, days(settings.keep_index_days), days(settings.keep_audit_days))

    def kinds(self) -> Iterator[tuple[str, Kind, timedelta]]:
        """What has an end: its name, how it is found, how long it is kept. Webhooks before their calls."""
        every = (
            ("webhooks", old.WEBHOOKS, self.webhooks),
            ("calls", old.CALLS, self.calls),
            ("picks", old.PICKS, self.calls),
            ("index", old.INDEX, self.index),
            ("audit", old.AUDIT, self.audit),
        )
        yield from ((name, kind, kept) for name, kind, kept in every if kept is not None)


@dataclass
class Tidied:
    """How many rows of each kind were, or would be, deleted; ``owed`` calls are old but their logs not delivered."""

    rows: dict[str, int] = field(default_factory=dict)
    owed: int = 0


class Tidying:
    """Tidies now, or once a day in a thread of its own."""

    def __init__(self, database: Database, keep: Keep, *, clock: Clock = utc_now, look: float = LOOK) -> None:
        self._database = database
        self._keep = keep
        self._clock = clock
        self._look = look
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look every now and then whether it is due."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="tidying", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Stop after the batch under way; what is left is tidied another time."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def due(self) -> Tidied:
        """What would be deleted now. Changes nothing. Raises StoreUnavailable."""
        found, now = Tidied(), self._clock()
        with self._database.reading() as connection:
            for name, kind, kept in self._keep.kinds():
                found.rows[name] = kind.count(connection, now - kept)
            found.owed = old.owed_since(connection, now - self._keep.calls) if self._keep.calls else 0
        return found

    def tidy(self, *, every: timedelta = EVERY) -> Tidied | None:
        """Delete what is old; None when it is not due yet, or another process is at it. Raises StoreUnavailable."""
        with self._database.transaction() as connection:
            held = chores.claim(connection, CHORE, now=self._clock(), lease=LEASE, every=every)
        if held is None:
            return None
        done = Tidied()
        complete = False
        try:
            for name, kind, kept in self._keep.kinds():
                held = self._tidy_kind(name, kind, self._clock() - kept, done, held)
                if held is None:
                    log.warning("tidying_left_to_another")
                    return done
            complete = not self._stopping.is_set()
        finally:
            if held is not None:
                with self._database.transaction() as connection:
                    chores.finish(connection, CHORE, held, self._clock() if complete else None)
        if self._keep.calls:
            with self._database.reading() as connection:
                done.owed = old.owed_since(connection, self._clock() - self._keep.calls)
        log.info("tidied", owed=done.owed, **done.rows)
        return done

    def _tidy_kind(self, name: str, kind: Kind, before: datetime, done: Tidied, held: datetime) -> datetime | None:
        """Batch by batch; until when the lease holds then, None when it was lost."""
        done.rows[name] = 0
        for count in old.batches(self._database, kind, before):
            done.rows[name] += count
            if self._stopping.wait(BREATH):
                break
            now = self._clock()
            if held - now < LEASE / 2:
                with self._database.transaction() as connection:
                    if not chores.renew(connection, CHORE, held, now + LEASE):
                        return None
                held = now + LEASE
        if name == "audit" and done.rows[name]:
            with self._database.transaction() as connection:
                details = {"entries": done.rows[name], "before": before.isoformat()}
                audit.note(connection, OURSELVES, "audit_tidied", "audit", self._clock(), **details)
        return held

    def _run(self) -> None:
        while not self._stopping.wait(self._look):
            try:
                self.tidy()
            except StoreUnavailable as problem:
                log.error("tidying_waits_for_database", problem=problem)
            except Exception:
                log.exception("tidying_broke")
