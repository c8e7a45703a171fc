"""Who is calling? Asks the CRM in a bounded pool, with a deadline, and keeps its answer. Never in a webhook's thread.

A call's card fills in stages: what we remember of the number (the index) at once, the CRM's matches when they come, the
chosen contact's activity after that. Each stage is written to the call's row and told to the hub.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from sqlalchemy import Connection

from cti_bridge.circuit import Circuit
from cti_bridge.clock import Clock, utc_now
from cti_bridge.connector import Connector
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable, LookupSpared, StoreUnavailable
from cti_bridge.live import topics
from cti_bridge.live.hub import Hub
from cti_bridge.logbook import get_logger
from cti_bridge.model import Activity, Contact, Match, rank
from cti_bridge.phone import PhoneNumber
from cti_bridge.store import Database, calls, numbers
from cti_bridge.store.calls import CallRecord, Lookup, LookupState, Story

log = get_logger(__name__)

LAST_WAIT = 2.0
"""Seconds that a closing bridge waits for answers under way."""

NOT_OPEN = "Lookups are not open: the bridge was not started in this process."

RECENTLY = timedelta(days=30)
MOST_WAITING = 64
"""Lookups that may wait for a free thread; beyond that a card pops from memory alone."""


class Lookups:
    """Looks callers up. ``start()`` returns at once; the answer is found in the call's row.

    ``told`` hears what became of each look-up (``"found"``, ``"nobody"``, or a trouble of ``pops.TROUBLES``) and how many
    seconds it took.
    """

    def __init__(
        self,
        connector: Connector,
        database: Database,
        hub: Hub,
        *,
        region: str,
        deadline: timedelta,
        freshness: timedelta,
        threads: int = 8,
        clock: Clock = utc_now,
        told: Callable[[str, float], object] = lambda _outcome, _seconds: None,
    ) -> None:
        self.circuit = Circuit()
        self._connector = connector
        self._database = database
        self._hub = hub
        self._region = region
        self._deadline = deadline.total_seconds()
        self._freshness = freshness
        self._threads = threads
        self._clock = clock
        self._told = told
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: dict[str, float] = {}
        self._deadlines: deque[tuple[float, str]] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._busy = 0

    def open(self) -> None:
        """Begin to work. Call after a fork, not before."""
        self._stopping = False
        self._waiting.clear()
        self._deadlines.clear()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="lookup")
        threading.Thread(target=self._watch_deadlines, name="lookup-deadlines", daemon=True).start()

    def close(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, LAST_WAIT)

    def start(self, call_id: str, number: str) -> None:
        """Look this call's caller up, E.164. A second start while the first runs does nothing."""
        if self._pool is None:
            raise RuntimeError(NOT_OPEN)
        with self._changed:
            if call_id in self._waiting or self._stopping:
                return
            crowded = len(self._waiting) >= MOST_WAITING
            due = time.monotonic() + self._deadline
            self._waiting[call_id] = due
            self._deadlines.append((due, call_id))
            self._changed.notify_all()
        self.submit(lambda: self._guarded(call_id, PhoneNumber(number), crowded))

    def look_at(self, call_id: str, contact: Contact) -> None:
        """Fetch the activity of the contact that was just chosen for this call."""
        if self._connector.capabilities.activity:
            self.submit(lambda: self._fetch_activity(call_id, contact))

    def submit(self, task: Callable[[], None]) -> None:
        """Have something done that asks the CRM, in the same bounded pool."""
        if self._pool is None:
            raise RuntimeError(NOT_OPEN)
        with suppress(RuntimeError):  # the pool was closed a moment ago; nobody will see the answer
            self._pool.submit(self._counted, task)

    def match(self, number: PhoneNumber, contacts: Iterable[Contact]) -> tuple[Match, ...]:
        """Keep the contacts that truly hold this number, with the field and what stands in it."""
        matches = []
        for contact in contacts:
            for held in contact.numbers:
                if PhoneNumber.find(held.text, self._region) == number:
                    matches.append(Match(contact, held.label, held.text))
                    break
        return tuple(matches)

    def ranked(self, connection: Connection, call_id: str, number: PhoneNumber, lookup: Lookup) -> Lookup:
        """The lookup with its matches in order, by what we know of this number from other calls."""
        learned = numbers.learned(connection, self._connector.name, number.e164)
        recent = calls.contacts_called(connection, number.e164, self._clock() - RECENTLY, besides=call_id)
        matches = rank(lookup.matches, chosen_before=learned.contact.id if learned else None, called_recently=recent)
        return replace(lookup, matches=matches, learned=learned)

    def ask(self, call_id: str, number: PhoneNumber) -> CallRecord | None:
        """Ask the CRM now, in this thread, and keep the answer. Raises what the connector raises."""
        began = time.monotonic()
        try:
            told = tuple(self._connector.find_contacts(number))
        except ConnectorRefused:
            self._answered(time.monotonic() - began)  # a refusal is an answer: the CRM is there
            raise
        self._answered(time.monotonic() - began)
        stories = {contact.id: contact.activity for contact in told if contact.activity is not None}
        contacts = tuple(replace(contact, activity=None) for contact in told)
        now = self._clock()
        with self._database.transaction() as connection:
            numbers.remember(connection, self._connector.name, number.e164, contacts, now)
        found = Lookup(LookupState.DONE, "crm", fetched_at=now, matches=self.match(number, contacts))
        return self._keep(call_id, number, lambda old: replace(found, story=old.story), stories)

    def _answered(self, took: float) -> None:
        if self.circuit.succeeded(took):
            self._hub.wake(topics.HEALTH)

    # ── in the pool ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _counted(self, task: Callable[[], None]) -> None:
        with self._changed:
            self._busy += 1
        try:
            task()
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _guarded(self, call_id: str, number: PhoneNumber, crowded: bool) -> None:
        began = time.monotonic()
        outcome = "bug"
        try:
            outcome = self._look_up(call_id, number, crowded)
        except StoreUnavailable:
            outcome = "not_kept"
            log.error("lookup_not_kept", call=call_id)
        except Exception:
            log.exception("lookup_broke", call=call_id)
            self._fail(call_id, number, "bug")
        finally:
            self._told(outcome, time.monotonic() - began)
            with self._changed:
                self._waiting.pop(call_id, None)

    def _look_up(self, call_id: str, number: PhoneNumber, crowded: bool) -> str:
        """What became of it, in a word."""
        self._pop_from_memory(call_id, number)
        if crowded or not self.circuit.admits():
            return self._fail(call_id, number, "crowded" if crowded else "down")
        try:
            record = self.ask(call_id, number)
        except ConnectorUnavailable as problem:
            if self.circuit.failed(problem.retry_after):
                self._hub.wake(topics.HEALTH)
            log.warning("lookup_unavailable", call=call_id, connector=self._connector.name, problem=problem)
            return self._fail(call_id, number, "unavailable")
        except LookupSpared:
            log.warning("lookup_spared", call=call_id, connector=self._connector.name)
            return self._fail(call_id, number, "spared")
        except ConnectorRefused as problem:
            log.error("lookup_refused", call=call_id, connector=self._connector.name, problem=problem)
            return self._fail(call_id, number, "refused")
        outcome = "found" if record is not None and record.lookup.matches else "nobody"
        chosen = record.choice if record else None
        if record is None or chosen is None or not self._connector.capabilities.activity:
            return outcome
        story = record.lookup.story
        if (story.of, story.state) != (chosen.contact.id, LookupState.DONE):  # it did not come with the contact
            self._fetch_activity(call_id, chosen.contact)
        return outcome

    def _pop_from_memory(self, call_id: str, number: PhoneNumber) -> None:
        with self._database.reading() as connection:
            known = numbers.recall(connection, self._connector.name, number.e164)
        if known is None or not known.contacts or self._clock() - known.fetched_at > self._freshness:
            return
        matches = self.match(number, known.contacts)
        found = Lookup(LookupState.DONE, "index", fetched_at=known.fetched_at, matches=matches)
        self._keep(call_id, number, lambda old: found if old.source != "crm" else old)

    def _fail(self, call_id: str, number: PhoneNumber, trouble: str) -> str:
        """Say that the CRM did not answer, and show what it said earlier, marked stale; a real answer stays."""
        with self._database.reading() as connection:
            known = numbers.recall(connection, self._connector.name, number.e164)
        if known is not None and known.contacts:
            matches = self.match(number, known.contacts)
            failed = Lookup(LookupState.FAILED, "index", True, known.fetched_at, trouble, matches)
        else:
            failed = Lookup(LookupState.FAILED, None, trouble=trouble)
        self._keep(call_id, number, lambda old: old if old.source == "crm" else replace(failed, story=old.story))
        return trouble

    def _fetch_activity(self, call_id: str, contact: Contact) -> None:
        try:
            story = Story(contact.id, LookupState.DONE, self._connector.recent_activity(contact))
        except (ConnectorUnavailable, ConnectorRefused) as problem:
            log.warning("activity_unavailable", call=call_id, connector=self._connector.name, problem=problem)
            story = Story(contact.id, LookupState.FAILED)
        except Exception:
            log.exception("activity_broke", call=call_id)
            story = Story(contact.id, LookupState.FAILED)
        try:
            self._keep(call_id, None, lambda old: replace(old, story=story))
        except StoreUnavailable:
            log.error("activity_not_kept", call=call_id)

    def _keep(
        self,
        call_id: str,
        number: PhoneNumber | None,
        change: Callable[[Lookup], Lookup],
        stories: Mapping[str, Activity] = MappingProxyType({}),
    ) -> CallRecord | None:
        """Write the lookup's new state into the call's row and tell the hub; None when the call is not there.

        ``stories`` are the activities that came with the contacts, by contact id: the chosen one's goes onto the card.
        """
        now = self._clock()
        with self._database.transaction() as connection:
            record = calls.get(connection, call_id, for_update=True)
            if record is None:
                return None
            lookup = change(record.lookup)
            if lookup == record.lookup:
                return record
            if number is not None:
                lookup = self.ranked(connection, call_id, number, lookup)
            record = settled(replace(record, lookup=lookup))
            if (told := stories.get(record.contact_id or "")) is not None:
                record = replace(record, lookup=replace(lookup, story=Story(record.contact_id, LookupState.DONE, told)))
            calls.save(connection, record, now)
        self._hub.wake(topics.call_topic(call_id))
        return record

    def _watch_deadlines(self) -> None:
        """When a lookup has not ended by its deadline, say so on the card; the answer may still come later."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._deadlines or self._stopping)
                if self._stopping:
                    return
                due, call_id = self._deadlines[0]
                if (left := due - time.monotonic()) > 0 and self._waiting.get(call_id) == due:
                    self._changed.wait(left)
                    continue
                self._deadlines.popleft()
                late = self._waiting.get(call_id) == due
            if late:
                self._say_late(call_id)

    def _say_late(self, call_id: str) -> None:
        if self.circuit.failed():
            self._hub.wake(topics.HEALTH)
        log.warning("lookup_late", call=call_id, connector=self._connector.name, seconds=self._deadline)
        try:
            with self._database.reading() as connection:
                record = calls.get(connection, call_id)
            if record is not None and record.caller.number:
                self._fail(call_id, PhoneNumber(record.caller.number), "late")
        except StoreUnavailable:
            log.error("lookup_not_kept", call=call_id)


def settled(record: CallRecord) -> CallRecord:
    """The record with the contact that it belongs to by now, for later look-ups by contact."""
    contact = record.choice.contact if record.choice else None
    return replace(record, contact_id=contact.id if contact else None, contact_name=contact.name if contact else None)
