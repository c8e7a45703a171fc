"""The telephone network: numbers, parties and legs as state machines behind one lock. No HTTP and no TwiML here.

Every move of a leg goes through `_move`, which also sends the status callbacks that were asked for. What people do
(answer, hang up, press keys) comes in through the methods named after it; TwiML scripts wait on the legs.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

from . import wire
from .clock import Clock
from .model import (
    BEHAVIOURS,
    TERMINAL,
    Behaviour,
    Callback,
    Delivery,
    Dialing,
    Direction,
    Heard,
    Leg,
    NotPossible,
    OwnNumber,
    Party,
    Problem,
    Recording,
    Source,
    Status,
    new_sid,
)
from .webhooks import Courier

T = TypeVar("T")
_EVENT_OF = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
MANUAL = Party()


class CallOver(Exception):
    """The leg a script plays for has ended (or the simulator is closing)."""


class Diverted(Exception):
    """The leg was given other TwiML over REST; it is in `leg.diversion`."""


class Network:
    """All state of one simulated account. Thread-safe; `changed` is notified at every change."""

    def __init__(self, clock: Clock, account_sid: str, *, history: int = 1000) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.clock = clock
        self.account_sid = account_sid
        self.created_at = clock.now()
        self.courier: Courier  # set by whoever puts the two together
        self.start_script: Callable[[Leg, Source, bool], None]
        self.base_url = ""
        self.version = 0
        self.closed = False
        self.numbers: dict[str, OwnNumber] = {}
        self.verified: set[str] = set()
        self.parties: dict[str, Party] = {}
        self.roots: deque[Leg] = deque()
        self.by_sid: dict[str, Leg] = {}
        self.problems: deque[Problem] = deque(maxlen=history)
        self.deliveries: deque[Delivery] = deque(maxlen=history * 10)
        self.recordings: dict[str, Recording] = {}
        self._history = history

    # -- telling ---------------------------------------------------------------------------------------------------

    def touch(self, leg: Leg | None = None) -> None:
        """Something changed: wake whoever waits for the leg, its parent, or anything at all."""
        with self.lock:
            self.version += 1
            for one in (leg, leg.parent if leg is not None else None):
                if one is not None:
                    one.changed.notify_all()
            self.changed.notify_all()

    def problem(self, code: int, message: str, *, call_sid: str, url: str = "", warning: bool = False) -> None:
        """Write into the debugger."""
        level: Literal["error", "warning"] = "warning" if warning else "error"
        with self.lock:
            self.problems.append(Problem(code, message, level, call_sid, url, self.clock.now()))
            self.touch()

    def delivered(self, delivery: Delivery) -> None:
        """A webhook went out; remember it."""
        with self.lock:
            self.deliveries.append(delivery)
            self.touch()

    def settled(self) -> None:
        """A webhook is done with."""
        self.touch()

    def heard(self, leg: Leg, what: str, text: str, language: str = "", voice: str = "") -> None:
        """The person on the leg heard something."""
        with self.lock:
            leg.heard.append(Heard(what, text, language, voice, self.clock.now()))
            self.touch(leg)

    def find(self, sid: str) -> Leg:
        """The leg with this sid. Raises KeyError when there is none."""
        with self.lock:
            return self.by_sid[sid]

    def party(self, who: str) -> Party:
        """How `who` (a number or `client:identity`) reacts."""
        return self.parties.get(who, MANUAL)

    def behave(self, who: str, behaviour: Behaviour, after: float, hang_up_after: float | None) -> None:
        """From now on `who` reacts like this to ringing."""
        if behaviour not in BEHAVIOURS:
            raise ValueError(f"behaviour {behaviour!r} is none of {', '.join(sorted(BEHAVIOURS))}")
        with self.lock:
            self.parties[who] = Party(behaviour, after, hang_up_after)
            self.touch()

    # -- waiting ---------------------------------------------------------------------------------------------------

    def wait(self, leg: Leg, until: Callable[[], T], seconds: float | None = None) -> T | None:
        """Wait, for the script of `leg`, until `until()` (called under the lock) is true; None when time is up.

        Raises:
            CallOver: the leg ended. Diverted: it was given other TwiML.
        """
        expired: list[bool] = []

        def expire() -> None:
            with self.lock:
                expired.append(True)
                leg.changed.notify_all()

        if seconds is not None:
            self.clock.after(seconds, expire)
        with self.lock:
            while True:
                self.check(leg)
                value = until()
                if value:
                    return value
                if expired:
                    return None
                leg.changed.wait()

    def check(self, leg: Leg) -> None:
        """Raise CallOver or Diverted if the script of `leg` has to stop."""
        if leg.ended or self.closed:
            raise CallOver
        if leg.diversion is not None:
            raise Diverted

    # -- legs ------------------------------------------------------------------------------------------------------

    def add_leg(self, from_: str, to: str, direction: Direction, status: Status, *, parent: Leg | None = None) -> Leg:
        """A new leg, in the state it begins with; nothing is sent."""
        with self.lock:
            leg = Leg(
                lock=self.lock,
                from_=from_,
                to=to,
                direction=direction,
                status=status,
                created_at=self.clock.now(),
                parent=parent,
            )
            self.by_sid[leg.sid] = leg
            if parent is None:
                self.roots.append(leg)
                self._forget_old()
            else:
                parent.children.append(leg)
            self.touch(leg)
            return leg

    def _forget_old(self) -> None:
        while len(self.roots) > self._history and self.roots[0].ended:
            old = self.roots.popleft()
            for leg in (old, *old.children):
                self.by_sid.pop(leg.sid, None)

    def _move(self, leg: Leg, status: Status) -> None:
        """Put the leg into a state and tell whoever asked to be told. Terminal states are never left."""
        if leg.ended or leg.status == status:
            return
        now = self.clock.now()
        silent = leg.status == "queued" and status == "canceled"  # documented: no callback at all
        leg.status, leg.updated_at = status, now
        if status == "initiated":
            leg.started_at = now
        if status == "in-progress":
            leg.answered_at = now
        if status in TERMINAL:
            leg.ended_at = now
            if leg.record and leg.recording is not None:
                self.stop_recording(leg.recording)
        callback = leg.callback
        if callback is not None and not silent and _EVENT_OF.get(status, "completed") in callback.events:
            # the callback of a phone number tells only the end, and has no documented SequenceNumber
            sequence = None if leg.direction == "inbound" else leg.sequence
            params = wire.progress_parameters(leg, self.account_sid, now, sequence=sequence)
            leg.sequence += 1
            self.courier.post(leg.sid, "status", leg.sid, callback.url, callback.method, params)
        if status == "in-progress" and leg.record:
            options = leg.record if isinstance(leg.record, Callback) else None
            leg.recording = self.start_recording(leg, "OutboundAPI", 1, options)
        self.touch(leg)

    def answer_inbound(self, leg: Leg) -> None:
        """Twilio answers a caller, because a verb needs it."""
        with self.lock:
            if leg.status == "ringing" and leg.direction == "inbound":
                self._move(leg, "in-progress")

    def ring(self, leg: Leg) -> None:
        """Dial a leg out: initiated, then ringing (or failed), with its party's behaviour set going."""
        with self.lock:
            if leg.ended:
                return
            party = self.party(leg.to)
            self._move(leg, "initiated")
            if party.behaviour == "unreachable":
                self.clock.after(party.after, lambda: self.end(leg, "failed"))
                return
            self._move(leg, "ringing")
            self.clock.after(leg.timeout, lambda: self.ring_out(leg))
            if party.behaviour == "answer":
                self.clock.after(party.after, lambda: self._try_answer(leg))
            elif party.behaviour == "busy":
                self.clock.after(party.after, lambda: self.end_ringing(leg, "busy"))
            elif party.behaviour == "no-answer" and party.after:
                self.clock.after(party.after, lambda: self.ring_out(leg))

    def _try_answer(self, leg: Leg) -> None:
        with self.lock:
            if leg.status in ("initiated", "ringing"):
                self.answer(leg)

    def ring_out(self, leg: Leg) -> None:
        """Nobody answered in time."""
        self.end_ringing(leg, "no-answer")

    def end_ringing(self, leg: Leg, status: Status) -> None:
        """End a leg that was dialled out and not answered yet; nothing if it is past that."""
        with self.lock:
            if leg.direction != "inbound" and leg.status in ("queued", "initiated", "ringing"):
                self.end(leg, status)

    def end(self, leg: Leg, status: Status) -> None:
        """End a leg, and with it the children of a `<Dial>` it plays."""
        with self.lock:
            if leg.ended:
                return
            self._move(leg, status)
            if leg.dialing is not None:
                self.drop_children(leg.dialing)
            if leg.rung_by is not None and leg.rung_by.recording is not None and leg.rung_by.winner is leg:
                self.stop_recording(leg.rung_by.recording)

    def drop_children(self, dialing: Dialing) -> None:
        """End what still lives of a `<Dial>`: ringing legs are canceled, talking ones completed."""
        with self.lock:
            for child in dialing.children:
                if not (child is dialing.winner and dialing.left):
                    self.end(child, "completed" if child.status == "in-progress" else "canceled")
            if dialing.recording is not None:
                self.stop_recording(dialing.recording)

    # -- what people do ----------------------------------------------------------------------------------------------

    def answer(self, leg: Leg) -> None:
        """The called party picks up. The first one of a `<Dial>` gets the call; the others stop ringing.

        Raises:
            NotPossible: the leg does not ring at a called party.
        """
        with self.lock:
            if leg.direction == "inbound" or leg.status not in ("initiated", "ringing"):
                raise NotPossible(f"leg {leg.sid} cannot be answered: it is {leg.direction} and {leg.status}")
            self._move(leg, "in-progress")
            party = self.party(leg.to)
            if party.hang_up_after is not None:
                self.clock.after(party.hang_up_after, lambda: self.end(leg, "completed"))
            if leg.rung_by is not None:
                if leg.whisper is not None:
                    self.start_script(leg, leg.whisper, True)
                else:
                    self.bridge(leg)

    def bridge(self, child: Leg) -> None:
        """Connect an answered child with its parent; the first wins."""
        with self.lock:
            dialing = child.rung_by
            if dialing is None or child.ended:
                return
            parent = dialing.parent
            if dialing.winner is not None or parent.ended:
                self.end(child, "completed")
                return
            dialing.winner, dialing.bridged_at = child, self.clock.now()
            self.answer_inbound(parent)
            for other in dialing.children:
                if other is not child:
                    self.end(other, "completed" if other.status == "in-progress" else "canceled")
            options = dialing.recording_options
            if options is not None and dialing.recording is None:
                dialing.recording = self.start_recording(parent, **options)
            self.clock.after(dialing.time_limit, lambda: self.end(child, "completed"))
            self.touch(child)

    def hang_up(self, leg: Leg) -> None:
        """The outside party of this leg hangs up: a talk completes; a caller who gives up makes it no-answer; a
        called phone that declines is busy.

        Raises:
            NotPossible: the leg is over, or has not begun to ring.
        """
        with self.lock:
            if leg.status == "in-progress":
                self.end(leg, "completed")
            elif leg.direction == "inbound" and leg.status == "ringing":
                self.end(leg, "no-answer")
            elif leg.status in ("initiated", "ringing"):
                self.end(leg, "busy")
            else:
                raise NotPossible(f"leg {leg.sid} cannot hang up: it is {leg.status}")

    def end_as(self, leg: Leg, status: Status) -> None:
        """A ringing called party turns out busy, unreachable or absent. Raises NotPossible when it does not ring."""
        with self.lock:
            if leg.direction == "inbound" or leg.status not in ("queued", "initiated", "ringing"):
                raise NotPossible(f"leg {leg.sid} cannot be {status}: it is {leg.direction} and {leg.status}")
            self.end(leg, status)

    def press(self, leg: Leg, digits: str) -> None:
        """The person on the leg presses keys. Raises NotPossible without a talk, ValueError for what is no key."""
        if not digits or set(digits) - set("0123456789*#"):
            raise ValueError(f"{digits!r} has other keys than 0-9, * and #")
        with self.lock:
            self._talking(leg)
            leg.keys += digits
            self.touch(leg)

    def speak(self, leg: Leg, text: str) -> None:
        """The person on the leg says something a `<Gather>` may recognise."""
        with self.lock:
            self._talking(leg)
            leg.speech = text
            self.touch(leg)

    def finish_recording(self, leg: Leg, seconds: float, key: str) -> None:
        """The person on the leg has spoken `seconds` into a `<Record>` and pressed `key` (or fell silent: "")."""
        with self.lock:
            self._talking(leg)
            leg.finished_recording = (seconds, key)
            self.touch(leg)

    @staticmethod
    def _talking(leg: Leg) -> None:
        if leg.status != "in-progress":
            raise NotPossible(f"leg {leg.sid} is not in a talk: it is {leg.status}")

    def divert(self, leg: Leg, source: Source) -> None:
        """Give a talking leg other TwiML: its script (or its bridge) is left at once.

        Raises:
            NotPossible: the leg is not in progress (Twilio's 21220).
        """
        with self.lock:
            self._talking(leg)
            if leg.scripted:
                leg.diversion = source
                self.touch(leg)
                return
            if leg.rung_by is not None and leg.rung_by.winner is leg:
                leg.rung_by.left = True
                if leg.rung_by.recording is not None:
                    self.stop_recording(leg.rung_by.recording)
            self.start_script(leg, source, False)
            self.touch(leg)

    # -- recordings ------------------------------------------------------------------------------------------------

    def start_recording(self, leg: Leg, source: str, channels: int, callback: Callback | None) -> Recording:
        """Begin to record; tells `in-progress` if asked."""
        with self.lock:
            sid = new_sid("RE")
            recording = Recording(
                sid=sid,
                call_sid=leg.sid,
                source=source,
                channels=channels,
                started_at=self.clock.now(),
                url=f"{self.base_url}/{wire.API_VERSION}/Accounts/{self.account_sid}/Recordings/{sid}",
                callback=callback,
            )
            self.recordings[sid] = recording
            self._tell_recording(recording, "in-progress")
            return recording

    def stop_recording(self, recording: Recording, seconds: float | None = None) -> None:
        """Stop; `seconds` when a person said how long it was. Lengths are whole seconds, at least one."""
        with self.lock:
            if recording.duration is not None:
                return
            length = (self.clock.now() - recording.started_at).total_seconds() if seconds is None else seconds
            recording.duration = max(1, round(length))
            self._tell_recording(recording, "completed")
            self.touch()

    def _tell_recording(self, recording: Recording, status: str) -> None:
        callback = recording.callback
        if callback is not None and status in callback.events:
            params = wire.recording_parameters(recording, self.account_sid, status)
            self.courier.post(recording.sid, "recording", recording.call_sid, callback.url, callback.method, params)

    # -- looking ---------------------------------------------------------------------------------------------------

    def legs(self, **wanted: Any) -> list[Leg]:
        """Legs whose attributes equal `wanted` (`from_`, `to`, `status` …): oldest call first, parents first."""
        with self.lock:
            return [leg for leg in self._all() if all(getattr(leg, name) == value for name, value in wanted.items())]

    def _all(self) -> Iterable[Leg]:
        for root in self.roots:
            yield root
            yield from root.children

    def close(self) -> None:
        """Wake everybody up and let the scripts end."""
        with self.lock:
            self.closed = True
            for leg in list(self._all()):
                leg.changed.notify_all()
            self.changed.notify_all()
