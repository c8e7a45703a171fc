"""Click-to-dial through the agent's own telephone: may they, which line shows, ring the agent, then the customer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cti_bridge.calls import Calls
from cti_bridge.clock import Clock, utc_now
from cti_bridge.errors import BadRequest, Conflict, NotAllowed, NotFound, NumberUnreadable
from cti_bridge.logbook import get_logger
from cti_bridge.model import Agent, CallEvent, Direction, Engagement, EventKind, LegRole, LegStatus, Line
from cti_bridge.phone import PhoneNumber
from cti_bridge.settings import Settings
from cti_bridge.store import Database, availability
from cti_bridge.store.directory import KnownDirectory
from cti_bridge.twilio.rest import PhoneNetwork
from cti_bridge.twilio.twiml import Doors

log = get_logger(__name__)


class Dialling:
    """Places calls for agents."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        directory: KnownDirectory,
        use_cases: Calls,
        network: PhoneNetwork,
        doors: Callable[[], Doors],
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._settings = settings
        self._database = database
        self._directory = directory
        self._calls = use_cases
        self._network = network
        self._doors = doors
        self._clock = clock
        self._lock = threading.Lock()
        self._dialling: set[int] = set()

    def dial(self, agent: Agent, number: str, *, line_id: int | None, record_id: str | None) -> str:
        """Ring the agent's telephone and, when they answer, the number, showing the line's. Returns the call's id.

        ``record_id`` is the record of the CRM's screen that the agent dials from, if any: the call is related to it.

        Raises BadRequest (``number_unreadable``), NotAllowed (``dial_not_allowed``, ``no_phone``), NotFound
        (``line_not_found``), Conflict (``already_on_call``), PhoneNetworkError in Twilio's words.
        """
        to = self._diallable(number)
        line = self._line(agent, line_id)
        if agent.phone is None:
            raise NotAllowed("no_phone")
        with self._one_at_a_time(agent):
            call_id = self._place(agent, agent.phone, to, line)
        if record_id is not None:
            self._calls.relate_soon(agent, call_id, record_id)
        return call_id

    def _place(self, agent: Agent, agent_phone: str, to: PhoneNumber, line: Line) -> str:
        told = {"agent": agent.id, "number": to.e164}
        placed = self._network.place_call(
            to=agent_phone,
            from_=line.number,
            url=self._doors().outgoing(**told),
            status_callback=self._doors().status(**told),
        )
        event = CallEvent(
            key=f"{placed.sid}:placed",
            kind=EventKind.OUTGOING,
            call_id=placed.sid,
            leg_id=placed.sid,
            at=self._clock(),
            status=LegStatus.QUEUED,
            role=LegRole.AGENT,
            direction=Direction.OUTBOUND,
            line_number=line.number,
            party=to.e164,
            agent_id=agent.id,
        )
        log.info("call_placed", call=placed.sid, agent=agent.id, line=line.id)
        self._calls.receive(event, {}, lambda _reply: "")  # its webhooks may have been here already
        return placed.sid

    def _diallable(self, text: str) -> PhoneNumber:
        try:
            number = PhoneNumber.parse(text, self._settings.region)
        except NumberUnreadable:
            raise BadRequest("number_unreadable") from None
        if number.country not in self._settings.diallable_countries or number.dearly_charged:
            raise NotAllowed("dial_not_allowed", countries=" ".join(sorted(self._settings.diallable_countries)))
        return number

    def _line(self, agent: Agent, line_id: int | None) -> Line:
        lines = self._directory.current().lines_ringing(agent)
        mine = [line for line in lines if line_id in (None, line.id)]
        if not mine:
            raise NotFound("line_not_found")
        return mine[0]

    @contextmanager
    def _one_at_a_time(self, agent: Agent) -> Iterator[None]:
        """An agent who is on a call, or clicked twice, does not dial a second time."""
        with self._lock:
            if agent.id in self._dialling:
                raise Conflict("already_on_call")
            self._dialling.add(agent.id)
        try:
            # Asked only now: the first click's call may have been written down a moment ago.
            with self._database.reading() as connection:
                engaged = availability.engagements(connection, self._clock(), self._settings.wrap_up_limit, agent.id)
            if engaged.get(agent.id) is Engagement.TALKING:
                raise Conflict("already_on_call")
            yield
        finally:
            with self._lock:
                self._dialling.discard(agent.id)
