"""The courier: sends webhooks in order per leg, from its own threads, and misbehaves when told to. No call logic.

A misbehaviour is a rule for webhooks of one kind (or of any): what is done to the next one, or to all.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from .clock import Clock
from .model import KINDS, Delivery, Kind
from .request import Answer, Attempt, FailedRequest, RefusedUrl, Webhook, overrides, send

What = Literal["twice", "twice_with_token", "late", "slow", "hold", "drop", "bad_signature", "lost_answer"]
WHATS: frozenset[str] = frozenset(
    {"twice", "twice_with_token", "late", "slow", "hold", "drop", "bad_signature", "lost_answer"}
)
_PATIENCE_AT_END = 5.0
_log = logging.getLogger(__name__)
_ids = itertools.count(1)


@dataclass
class Misbehaviour:
    """What to do to webhooks of `kind` ("any" for all), `times` times (None: until forgiven).

    - `twice`: sent twice, without a token. `twice_with_token`: sent twice, both with the same idempotency token.
    - `late`: sent `seconds` later; others may overtake it. `slow`: the network takes `seconds` each way in; nobody
      overtakes, and a call-processing request that would take more than 15 s is not delivered at all.
    - `hold`: kept until `release`. Only for status and recording callbacks. `drop`: never sent.
    - `bad_signature`: signed with a wrong token. `lost_answer`: delivered, the answer is taken for timed out, and it
      is delivered again with the token.

    `call_sid` narrows to one leg.
    """

    kind: str
    what: What
    seconds: float = 0.0
    times: int | None = 1
    call_sid: str = ""
    id: int = field(default_factory=lambda: next(_ids))

    def __post_init__(self) -> None:
        if self.kind not in KINDS | {"any"}:
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(sorted(KINDS))}, any")
        if self.what not in WHATS:
            raise ValueError(f"what {self.what!r} is none of {', '.join(sorted(WHATS))}")
        if not 0 <= self.seconds <= 3600:
            raise ValueError(f"seconds {self.seconds!r} is not between 0 and 3600")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times {self.times!r} is less than 1")
        if self.what == "hold" and self.kind not in ("status", "recording"):
            raise ValueError("only status and recording callbacks can be held: a call waits for the other answers")


class Diary(Protocol):
    """Where the courier tells what it did. The network is one."""

    def delivered(self, delivery: Delivery) -> None: ...
    def settled(self) -> None: ...
    def problem(self, code: int, message: str, *, call_sid: str, url: str, warning: bool = False) -> None: ...


@dataclass(frozen=True)
class _Parcel:
    kind: Kind
    call_sid: str
    url: str
    method: str
    params: dict[str, str]


class Courier:
    """Delivers. `fetch` waits for the answer (call processing); `post` does not (callbacks)."""

    def __init__(self, clock: Clock, diary: Diary, auth_token: str, *, tokens_always: bool, workers: int = 24) -> None:
        self._clock = clock
        self._diary = diary
        self._auth_token = auth_token
        self._tokens_always = tokens_always
        self._lock = threading.RLock()
        self._rules: list[Misbehaviour] = []
        self._held: list[_Parcel] = []
        self._lanes: dict[str, deque[tuple[str, Callable[[], None]]]] = {}
        self._ready: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._workers = workers
        self._open: Counter[str] = Counter()
        self._closed = threading.Event()

    # -- misbehaving -----------------------------------------------------------------------------------------------

    def misbehave(self, rule: Misbehaviour) -> Misbehaviour:
        """Add a rule; the oldest that fits a webhook is the one applied to it."""
        with self._lock:
            self._rules.append(rule)
        return rule

    def forgive(self, rule_id: int | None = None) -> None:
        """Take back one rule, or all. What is held stays held."""
        with self._lock:
            self._rules = [] if rule_id is None else [rule for rule in self._rules if rule.id != rule_id]

    def rules(self) -> list[Misbehaviour]:
        """The rules that still stand."""
        with self._lock:
            return list(self._rules)

    def held(self) -> list[dict[str, Any]]:
        """What is held, in the order it would have gone: kind, call_sid, url, params."""
        with self._lock:
            return [
                {
                    "kind": parcel.kind,
                    "call_sid": parcel.call_sid,
                    "url": parcel.url,
                    "params": dict(parcel.params),
                }
                for parcel in self._held
            ]

    def release(self, order: Literal["given", "reverse"] = "reverse", call_sid: str = "") -> int:
        """Send what is held (of one leg, or all), one after the other, in this order. How many there were."""
        if order not in ("given", "reverse"):
            raise ValueError(f"order {order!r} is neither given nor reverse")
        with self._lock:
            chosen = [parcel for parcel in self._held if not call_sid or parcel.call_sid == call_sid]
            self._held = [parcel for parcel in self._held if parcel not in chosen]
            lane = f"released {next(_ids)}"
            for parcel in reversed(chosen) if order == "reverse" else chosen:
                self._submit(lane, parcel.call_sid, lambda parcel=parcel: self._tell(parcel, None))  # type: ignore[misc]
        return len(chosen)

    def _rule_for(self, kind: str, call_sid: str) -> Misbehaviour | None:
        with self._lock:
            for rule in self._rules:
                if rule.kind in (kind, "any") and rule.call_sid in ("", call_sid):
                    if rule.what == "hold" and kind not in ("status", "recording"):
                        continue
                    if rule.times is not None:
                        rule.times -= 1
                        if rule.times == 0:
                            self._rules.remove(rule)
                    return rule
        return None

    # -- sending ---------------------------------------------------------------------------------------------------

    def fetch(self, kind: Kind, call_sid: str, url: str, method: str, params: dict[str, str]) -> Answer:
        """Send and wait for the answer, at most 15 seconds in all.

        Raises:
            FailedRequest: no usable answer, with Twilio's code.
        """
        parcel = _Parcel(kind, call_sid, url, method, params)
        rule = self._rule_for(kind, call_sid)
        try:
            return self._send(parcel, rule, call_processing=True)
        except RefusedUrl as error:
            raise FailedRequest(11100, str(error)) from error

    def post(self, lane: str, kind: Kind, call_sid: str, url: str, method: str, params: dict[str, str]) -> None:
        """Send from the courier's threads; webhooks of one lane go one after the other. Never blocks, never raises."""
        parcel = _Parcel(kind, call_sid, url, method, params)
        rule = self._rule_for(kind, call_sid)
        with self._lock:
            if rule is not None and rule.what == "hold":
                self._held.append(parcel)
                return
        if rule is not None and rule.what == "late":
            self._open_one(call_sid)
            lane = f"late {next(_ids)}"
            self._clock.after(rule.seconds, lambda: self._late(lane, parcel, rule))
            return
        self._submit(lane, parcel.call_sid, lambda: self._tell(parcel, rule))

    def _late(self, lane: str, parcel: _Parcel, rule: Misbehaviour) -> None:
        self._submit(lane, parcel.call_sid, lambda: self._tell(parcel, rule))
        self._close_one(parcel.call_sid)

    def _tell(self, parcel: _Parcel, rule: Misbehaviour | None) -> None:
        try:
            answer = self._send(parcel, rule, call_processing=False)
        except (FailedRequest, RefusedUrl) as error:
            code = getattr(error, "code", 11100)
            # https://www.twilio.com/docs/api/errors/15003: the callback answered with an error status
            self._complain(parcel, 15003 if code == 11200 else code, str(error), warning=code == 11200)
            return
        xml = answer.content_type.split(";")[0].strip().lower() in ("text/xml", "application/xml")
        if answer.status != 204 and not xml:
            why = f"answer a callback with 204, or 200 and text/xml, not {answer.status} and {answer.content_type!r}"
            self._complain(parcel, 12300, why, warning=True)

    def _send(self, parcel: _Parcel, rule: Misbehaviour | None, *, call_processing: bool) -> Answer:
        what = rule.what if rule is not None else ""
        seconds = rule.seconds if rule is not None else 0.0
        if what == "drop" or (what == "slow" and call_processing and seconds > 15):
            why = "dropped on purpose" if what == "drop" else "timed out on purpose"
            self._note(parcel, Attempt(parcel.url, None, why, "", 0.0), what)
            if call_processing:
                raise FailedRequest(11205, f"{parcel.url} was not reached: {why}")
            return Answer(204, "", b"", parcel.url)
        if what == "slow" or (what == "late" and call_processing):
            self._wait(seconds)
        for complaint in overrides(parcel.url).complaints:
            self._complain(parcel, 11100, f"connection override {complaint}", warning=True)
        token = str(uuid.uuid4()) if what == "twice_with_token" or self._tokens_always else ""
        webhook = Webhook(
            url=parcel.url,
            method=parcel.method,
            params=parcel.params,
            auth_token=self._auth_token if what != "bad_signature" else "not the auth token",
            token=token,
            lose_first_answer=what == "lost_answer",
        )
        answer = send(webhook, lambda attempt: self._note(parcel, attempt, what))
        if what in ("twice", "twice_with_token"):
            send(webhook, lambda attempt: self._note(parcel, attempt, what))
        return answer

    def _note(self, parcel: _Parcel, attempt: Attempt, what: str) -> None:
        self._diary.delivered(
            Delivery(
                kind=parcel.kind,
                call_sid=parcel.call_sid,
                method=parcel.method,
                url=attempt.url,
                params=parcel.params,
                at=self._clock.now(),
                status=attempt.status,
                error=attempt.error,
                token=attempt.token,
                misbehaviour=what,
                seconds=attempt.seconds,
            )
        )

    def _complain(self, parcel: _Parcel, code: int, message: str, *, warning: bool) -> None:
        self._diary.problem(code, message, call_sid=parcel.call_sid, url=parcel.url, warning=warning)

    def _wait(self, seconds: float) -> None:
        over = threading.Event()
        self._clock.after(seconds, over.set)
        while not over.wait(0.5):
            if self._closed.is_set():
                return

    # -- lanes -----------------------------------------------------------------------------------------------------

    def _submit(self, lane: str, call_sid: str, job: Callable[[], None]) -> None:
        with self._lock:
            if self._closed.is_set():
                return
            self._open_one(call_sid)
            jobs = self._lanes.get(lane)
            if jobs is not None:
                jobs.append((call_sid, job))
                return
            self._lanes[lane] = deque([(call_sid, job)])
            if len(self._threads) < min(self._workers, len(self._lanes)):
                thread = threading.Thread(target=self._work, name="simulator-courier", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._ready.put(lane)

    def _work(self) -> None:
        while (lane := self._ready.get()) is not None:
            with self._lock:
                call_sid, job = self._lanes[lane][0]
            try:
                job()
            except Exception as error:  # noqa: BLE001 (a bug of ours must be seen, not end the network)
                _log.exception("a bug of the simulator")
                self._diary.problem(0, f"a bug of the simulator: {error!r}", call_sid=call_sid, url="")
            with self._lock:
                jobs = self._lanes[lane]
                jobs.popleft()
                if jobs:
                    self._ready.put(lane)
                else:
                    del self._lanes[lane]
            self._close_one(call_sid)

    def _open_one(self, call_sid: str) -> None:
        with self._lock:
            self._open[call_sid] += 1

    def _close_one(self, call_sid: str) -> None:
        with self._lock:
            self._open[call_sid] -= 1
            if not self._open[call_sid]:
                del self._open[call_sid]
        self._diary.settled()

    def idle(self, call_sids: Iterable[str] | None = None) -> bool:
        """Whether no callback (about these legs, or any) is on its way. Held ones do not count."""
        with self._lock:
            return not (self._open if call_sids is None else any(sid in self._open for sid in call_sids))

    def close(self) -> None:
        """Send nothing more and stop the threads."""
        with self._lock:
            self._closed.set()
            for jobs in self._lanes.values():
                while len(jobs) > 1:
                    jobs.pop()
            threads = list(self._threads)
        for _ in threads:
            self._ready.put(None)
        deadline = time.monotonic() + _PATIENCE_AT_END
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
