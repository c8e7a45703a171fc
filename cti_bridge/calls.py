"""The use cases of a call: receive what the network tells, choose whose call it is, take notes, finish it.

Reads like the picture in the design: one transaction for the event, its answer and the log that must follow; after the
commit a wake-up for the screens and a lookup in the background. What the network calls things is ``twilio``'s business,
what an agent's screen looks like is ``pops``'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from cti_bridge.clock import Clock, utc_now
from cti_bridge.connector import Connector
from cti_bridge.errors import BadRequest, BridgeError, Conflict, NotAllowed, NotFound, StoreUnavailable
from cti_bridge.live import topics
from cti_bridge.live.hub import Hub
from cti_bridge.logbook import get_logger
from cti_bridge.lookups import Lookups, settled
from cti_bridge.model import (
    Agent,
    Call,
    CallerKind,
    CallEvent,
    Choice,
    ChoiceHow,
    Contact,
    ContactDraft,
    Direction,
    EventKind,
    LegRole,
    Outcome,
    Reply,
    Ring,
    Speak,
)
from cti_bridge.outbox import Outbox
from cti_bridge.phone import PhoneNumber, read_caller
from cti_bridge.replies import Replies
from cti_bridge.settings import Settings
from cti_bridge.store import Database, calls, missed, numbers
from cti_bridge.store.calls import CallRecord, Lookup, LookupState, Story
from cti_bridge.store.directory import KnownDirectory

log = get_logger(__name__)

SETTLING = timedelta(seconds=5)
"""How long a log waits for late events and the lookup's answer when no agent is going to finish the call."""

LOOKUP_DIED_AFTER = timedelta(minutes=2)
"""Longer than any lookup deadline that can be set."""

LONGEST_NOTE = 20_000

Render = Callable[[Reply], str]


@dataclass(frozen=True, slots=True)
class _Taken:
    """What became of an event: its answer, and the call's record if the event changed it."""

    answer: str
    record: CallRecord | None = None
    caller_is_news: bool = False
    got_through: bool = False


class Calls:
    """All that can happen to a call. What agents do raises kinds of RequestError; all may raise StoreUnavailable."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        directory: KnownDirectory,
        connector: Connector,
        lookups: Lookups,
        outbox: Outbox,
        hub: Hub,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self.replies = Replies(settings, directory, clock=clock)
        self._settings = settings
        self._database = database
        self._directory = directory
        self._connector = connector
        self._lookups = lookups
        self._outbox = outbox
        self._hub = hub
        self._clock = clock

    # ── what the network tells ──────────────────────────────────────────────────────────────────────────────────────

    def receive(self, event: CallEvent, parameters: Mapping[str, Any], render: Render) -> str:
        """Take in one event and return what it is answered, rendered; a repetition gets the first answer again.

        ``parameters`` is the raw webhook, kept as it came. Raises StoreUnavailable, with nothing changed.
        """
        try:  # an incoming call is almost always news, and not asking for it spares the caller a query
            taken = self._take_in(event, parameters, render, is_news=event.kind is EventKind.INCOMING)
        except IntegrityError:  # another event of the same call was faster; now the call is there
            taken = self._take_in(event, parameters, render)
        if taken.record is not None:
            if taken.got_through and taken.record.caller.number:
                self._strike_off(taken.record.caller.number)
            self._tell(taken.record)
            if taken.caller_is_news or self._lookup_has_died(taken.record):
                self._look_up(taken.record)
        return taken.answer

    def _take_in(
        self, event: CallEvent, parameters: Mapping[str, Any], render: Render, *, is_news: bool = False
    ) -> _Taken:
        now = self._clock()
        with self._database.transaction() as connection:
            before = None if is_news else calls.get(connection, event.call_id, for_update=True)
            if before is not None and (given := calls.answer_given(connection, event)) is not None:
                return _Taken(given)
            call = (before.call if before else Call(event.call_id)).apply(event)
            reply = self.replies.to(connection, event, call)
            answer = render(reply)
            if not calls.add_event(connection, event, parameters, answer, now):
                return _Taken(calls.answer_given(connection, event) or answer)
            call = call.apply(_with_reply(event, reply))
            calls.add_rings(connection, call.id, _ringing(event, reply), now)
            if before is not None and call == before.call:
                return _Taken(answer)
            record = self._with_facts(before, call)
            calls.save(connection, record, now)
            tells_more = before is None or call.told != before.call.told
            if call.ended and tells_more:
                self._owe_log(connection, record)
        return _Taken(
            answer,
            replace(record, version=record.version + 1),
            caller_is_news=before is None or before.caller != record.caller,
            got_through=tells_more and call.answered,
        )

    def _with_facts(self, before: CallRecord | None, call: Call) -> CallRecord:
        caller = read_caller(call.party, self._settings.region)
        if before is not None and before.caller == caller:
            return replace(before, call=call)
        known = LookupState.WAITING if caller.number else LookupState.SKIPPED
        if before is None:
            return CallRecord(call, caller, lookup=Lookup(known))
        return replace(before, call=call, caller=caller, lookup=Lookup(known))

    def _tell(self, record: CallRecord) -> None:
        woken = [topics.call_topic(record.id)]
        if record.call.outcome is Outcome.MISSED or record.call.answered:
            woken.append(topics.MISSED)
        self._hub.wake(*woken)

    def _strike_off(self, number: str) -> None:
        """We have spoken with this caller: what they called for in vain is dealt with. In a transaction of its own,
        for it locks other calls' rows."""
        try:
            with self._database.transaction() as connection:
                missed.deal_with(connection, CallerKind.NUMBER, number, self._clock())
        except StoreUnavailable as problem:  # the event itself is safe; the list keeps the caller until somebody looks
            log.warning("missed_caller_not_struck_off", problem=problem)

    def _look_up(self, record: CallRecord) -> None:
        if record.caller.number and not record.call.ended:
            self._lookups.start(record.id, record.caller.number)

    def _lookup_has_died(self, record: CallRecord) -> bool:
        """Its process was killed: the card still waits, long after the deadline."""
        began_at = record.call.started_at or self._clock()
        return record.lookup == Lookup() and self._clock() - began_at > LOOKUP_DIED_AFTER

    def _owe_log(self, connection: Connection, record: CallRecord) -> None:
        """The log is due when the agent has finished the wrap-up, or has had the time; without an agent, soon."""
        now = self._clock()
        if record.completed_at is not None:
            wait = timedelta(0)
        elif record.call.outcome is Outcome.ANSWERED or record.call.direction is Direction.OUTBOUND:
            wait = self._settings.wrap_up_limit
        else:
            wait = SETTLING
        self._outbox.enqueue(connection, record.id, run_at=now + wait)

    # ── what the agent says ─────────────────────────────────────────────────────────────────────────────────────────

    def choose(self, agent: Agent, call_id: str, contact_id: str) -> CallRecord:
        """This call is that contact's, says the agent; remembered for the number's next call.

        Raises NotFound when the CRM has no such contact.
        """
        record = self.record_for(agent, call_id)
        return self._pick(agent, call_id, self.contact_of(record, contact_id))

    def relate(self, agent: Agent, call_id: str, record_id: str, *, dialled: bool = False) -> CallRecord:
        """This call belongs to that record of the CRM's screen, says the agent: a contact, or a case, deal or order,
        together with its contact while nobody is known to be on the line.

        ``dialled``: the agent has only dialled from there. Raises NotFound when the CRM has no such record.
        """
        known = self.record_for(agent, call_id)
        placement = self._connector.locate(record_id)
        if placement is None:
            raise NotFound("record_not_found")
        whose = placement.contact
        if placement.related is not None and whose is not None:
            # People call about a colleague's case or their company's deal, and are dialled from there.
            stranger = dialled and not self._holds(whose, known)
            whose = None if known.choice is not None or stranger else whose
        record = self._pick(agent, call_id, whose) if whose else None
        if placement.related is None and record is not None:
            return record
        return self._change(agent, call_id, lambda _, before: replace(before, related=placement.related))

    def _holds(self, contact: Contact, record: CallRecord) -> bool:
        number = record.caller.number
        return number is not None and bool(self._lookups.match(PhoneNumber(number), [contact]))

    def relate_soon(self, agent: Agent, call_id: str, record_id: str) -> None:
        """Like ``relate``, but in the background: the agent dialled from this record, and must not wait for the CRM."""

        def relate() -> None:
            try:
                self.relate(agent, call_id, record_id, dialled=True)
            except BridgeError as problem:
                log.warning("dialled_record_unknown", call=call_id, problem=type(problem).__name__)

        self._lookups.submit(relate)

    def unrelate(self, agent: Agent, call_id: str) -> CallRecord:
        """It is not about that case, deal or order; whose call it is stays."""
        return self._change(agent, call_id, lambda _, before: replace(before, related=None))

    def unchoose(self, agent: Agent, call_id: str) -> CallRecord:
        """It is not this contact: what was learned is forgotten, and the only match does not come back by itself."""

        def take_back(connection: Connection, before: CallRecord) -> CallRecord:
            lookup = replace(before.lookup, learned=None)
            if before.caller.number:
                numbers.unlearn(connection, self._connector.name, before.caller.number)
                lookup = self._lookups.ranked(connection, call_id, PhoneNumber(before.caller.number), lookup)
            record = replace(before, picked=None, disowned=False, lookup=lookup)
            same = record.choice and before.choice and record.choice.contact.id == before.choice.contact.id
            return settled(replace(record, disowned=before.disowned or bool(same)))

        record = self._change(agent, call_id, take_back)
        if record.choice is not None and record.lookup.story.of != record.choice.contact.id:
            self._lookups.look_at(call_id, record.choice.contact)
        return record

    def save_draft(self, agent: Agent, call_id: str, note: str, disposition: str | None) -> CallRecord:
        """Keep what the agent has typed so far."""
        self._check_wording(note, disposition)
        now = self._clock()

        def keep(_connection: Connection, record: CallRecord) -> CallRecord:
            return replace(record, note=note, disposition=disposition, draft_saved_at=now)

        return self._change(agent, call_id, keep)

    def complete(self, agent: Agent, call_id: str, note: str, disposition: str | None) -> CallRecord:
        """The wrap-up is done: the agent rings again and the log goes to the CRM now."""
        self._check_wording(note, disposition)
        now = self._clock()

        def finish(_connection: Connection, record: CallRecord) -> CallRecord:
            if not (record.call.ended or record.call.answered or record.call.placed_by):
                raise Conflict("call_still_ringing")
            done_at = record.completed_at or now
            return replace(record, note=note, disposition=disposition, draft_saved_at=now, completed_at=done_at)

        record = self._change(agent, call_id, finish)
        self._outbox.nudge()
        self._hub.wake(topics.agent_topic(agent.id))
        return record

    def create_contact(self, agent: Agent, call_id: str, *, name: str, reading: str, company: str) -> CallRecord:
        """Put the caller into the CRM as somebody new. Raises ConnectorRefused in the CRM's words."""
        record = self.record_for(agent, call_id)
        if not record.caller.number:
            raise BadRequest("no_number_to_add")
        draft = ContactDraft(name.strip(), record.caller.number, reading.strip(), company.strip())
        if not draft.name:
            raise BadRequest("name_missing")
        return self._pick(agent, call_id, self._connector.create_contact(draft), number_is_new=True)

    def add_number(self, agent: Agent, call_id: str, contact_id: str) -> CallRecord:
        """Add the caller's number to a contact of the CRM. Raises ConnectorRefused when it has no free field."""
        record = self.record_for(agent, call_id)
        if not record.caller.number:
            raise BadRequest("no_number_to_add")
        contact = self.contact_of(record, contact_id)
        changed = self._connector.add_number(contact, PhoneNumber(record.caller.number))
        return self._pick(agent, call_id, changed, number_is_new=True)

    def record_for(self, agent: Agent, call_id: str) -> CallRecord:
        """The call, if it concerns this agent. Raises NotFound or NotAllowed."""
        with self._database.reading() as connection:
            return self._concerning(connection, agent, calls.get(connection, call_id))

    def deal_with(self, agent: Agent, key: str) -> None:
        """The agent has dealt with this caller's missed calls of the lines that ring them.

        ``key`` is the number, ``withheld`` or ``unreadable``. Raises NotFound when there are none.
        """
        lines = self._directory.current().numbers_ringing(agent)
        kind = CallerKind(key) if key in (CallerKind.WITHHELD, CallerKind.UNREADABLE) else CallerKind.NUMBER
        with self._database.transaction() as connection:
            number = key if kind is CallerKind.NUMBER else None
            if not missed.deal_with(connection, kind, number, self._clock(), lines):
                raise NotFound("missed_call_not_found")
        self._hub.wake(topics.MISSED)

    # ── how ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def contact_of(self, record: CallRecord | None, contact_id: str) -> Contact:
        """The contact with this id: one of the call's matches, else as the CRM has it. Raises NotFound."""
        matches = record.lookup.matches if record else ()
        for match in matches:
            if match.contact.id == contact_id:
                return match.contact
        contact = self._connector.get_contact(contact_id)
        if contact is None:
            raise NotFound("contact_not_found")
        return contact

    def _pick(self, agent: Agent, call_id: str, contact: Contact, *, number_is_new: bool = False) -> CallRecord:
        choice = Choice(contact, ChoiceHow.PICKED, agent.name, self._clock())

        def pick(connection: Connection, record: CallRecord) -> CallRecord:
            number = record.caller.number
            lookup = record.lookup
            if number is not None:
                numbers.learn(connection, self._connector.name, number, choice)
                if number_is_new:
                    numbers.forget(connection, self._connector.name, number)
                    matches = self._lookups.match(PhoneNumber(number), [contact])
                    others = (match for match in lookup.matches if match.contact.id != contact.id)
                    lookup = replace(lookup, matches=(*matches, *others))
            if lookup.story.of != contact.id:
                lookup = replace(lookup, story=Story(contact.id))
            return settled(replace(record, picked=choice, disowned=False, lookup=lookup))

        record = self._change(agent, call_id, pick)
        self._lookups.look_at(call_id, contact)
        return record

    def _change(self, agent: Agent, call_id: str, change: Callable[[Connection, CallRecord], CallRecord]) -> CallRecord:
        """Save what the agent changed; the log of a call that is over, or completed, must tell it too."""
        with self._database.transaction() as connection:
            before = self._concerning(connection, agent, calls.get(connection, call_id, for_update=True))
            record = change(connection, before)
            calls.save(connection, record, self._clock())
            if record.call.ended or record.completed_at is not None:
                self._owe_log(connection, record)
        self._hub.wake(topics.call_topic(call_id))
        return replace(record, version=record.version + 1)

    def _concerning(self, connection: Connection, agent: Agent, record: CallRecord | None) -> CallRecord:
        if record is None:
            raise NotFound("call_not_found")
        if record.call.agent_id not in (None, agent.id):
            raise NotAllowed("call_of_another_agent")
        if record.call.agent_id is None and agent.id not in calls.rung_agents(connection, record.id):
            raise NotAllowed("call_of_another_agent")
        return record

    def _check_wording(self, note: str, disposition: str | None) -> None:
        if len(note) > LONGEST_NOTE:
            raise BadRequest("note_too_long", longest=LONGEST_NOTE)
        if disposition is not None and disposition not in {d.code for d in self._settings.disposition_list}:
            raise BadRequest("disposition_unknown")


def _with_reply(event: CallEvent, reply: Reply) -> CallEvent:
    """The event, and what we did about it."""
    if isinstance(reply, Ring):
        return replace(event, rung=frozenset(agent.id for agent in reply.agents))
    return replace(event, turned_away=isinstance(reply, Speak) and event.kind is EventKind.INCOMING)


def _ringing(event: CallEvent, reply: Reply) -> list[int]:
    """The agents whose telephones this event makes ring, or tells of: the webhook that made them ring may be lost."""
    if isinstance(reply, Ring):
        return [agent.id for agent in reply.agents]
    told = event.kind is EventKind.STATUS and event.role is LegRole.AGENT and event.direction is None
    return [event.agent_id] if told and event.agent_id is not None else []
