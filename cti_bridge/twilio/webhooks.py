"""Twilio's doors: verify, read, hand to the use case, answer. A caller is never left in silence.

What is answered, and why, stands at each return: 403 "not you", 200 TwiML "do this", 204 "noted", 503 "try again".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, jsonify, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from cti_bridge.calls import Calls
from cti_bridge.clock import Clock, utc_now
from cti_bridge.live import topics
from cti_bridge.live.hub import Hub
from cti_bridge.logbook import get_logger
from cti_bridge.metrics import Metrics
from cti_bridge.model import CallEvent, EventKind
from cti_bridge.settings import Settings
from cti_bridge.twilio.events import read_event
from cti_bridge.twilio.signature import Signatures
from cti_bridge.twilio.twiml import CALL_PROCESSING, Doors, apology, render

log = get_logger(__name__)

LARGEST_BODY = 64 * 1024
IDEMPOTENCY_TOKEN = "I-Twilio-Idempotency-Token"  # noqa: S105  (the name of a header)

REFUSALS_TOLD_EVERY = 5.0
"""Seconds between two lines in the log about wrong signatures; each says how many there were since the last."""

ROUTES = {
    "/voice/incoming": EventKind.INCOMING,
    "/voice/outgoing": EventKind.OUTGOING,
    "/voice/result": EventKind.RESULT,
    "/voice/status": EventKind.STATUS,
    "/recording": EventKind.RECORDING,
}


class LineHealth:
    """Whether Twilio reaches us: for the widget's first dot. ``changed`` is called when that changes."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._accepted = self._refused = 0

    def note(self, *, accepted: bool) -> None:
        with self._lock:
            before = self.state
            self._accepted += accepted
            self._refused = 0 if accepted else self._refused + 1
            now = self.state
        if now != before:
            self._changed()

    @property
    def state(self) -> str:
        """``quiet`` before the first webhook; ``failing`` after three refusals in a row; else ``ok``."""
        if self._refused >= 3:
            return "failing"
        return "ok" if self._accepted else "quiet"


class Webhooks:
    """Answers Twilio. ``doors`` gives our public addresses, URL prefix included."""

    def __init__(
        self,
        calls: Calls,
        signatures: Signatures,
        doors: Callable[[], Doors],
        metrics: Metrics,
        hub: Hub,
        *,
        settings: Settings,
        clock: Clock = utc_now,
    ) -> None:
        self.health = LineHealth(partial(hub.wake, topics.HEALTH))
        self._calls = calls
        self._signatures = signatures
        self._doors = doors
        self._metrics = metrics
        self._language = settings.language
        self._account_sid = settings.twilio_account_sid
        self._clock = clock
        self._untold, self._told_at = 0, float("-inf")

    def blueprint(self) -> Blueprint:
        """The routes under ``/twilio``."""
        routes = Blueprint("twilio", __name__, url_prefix="/twilio")
        for path, kind in ROUTES.items():
            routes.add_url_rule(path, kind.value, partial(self.take, kind), methods=["GET", "POST"])
        routes.add_url_rule("/check", "check", self.check, methods=["POST"])
        return routes

    def take(self, kind: EventKind) -> Response:
        """Answer the present request, and count it."""
        began = time.perf_counter()
        outcome, response = self._answer(kind)
        self._metrics.webhooks.labels(kind.value, outcome).inc()
        self._metrics.webhook_seconds.labels(kind.value).observe(time.perf_counter() - began)
        return response

    def check(self) -> Response:
        """For ``cti-bridge doctor``: is a request signed as Twilio signs it still whole when it gets here? Does nothing.

        Answers what was in ``challenge``, so that nobody else's page can pass for us.
        """
        request.max_content_length = LARGEST_BODY
        if not self._signatures.verify(request):
            return Response(status=403)  # no hint why, as at the other doors
        return jsonify(challenge=request.form.get("challenge", ""))

    def _answer(self, kind: EventKind) -> tuple[str, Response]:
        request.max_content_length = LARGEST_BODY
        request.max_form_memory_size = LARGEST_BODY
        if not self._signatures.verify(request):
            if self._names_our_account():
                self.health.note(accepted=False)
            self._tell_refusal(kind)
            return "refused", Response(status=403)  # not Twilio: no hint why
        event: CallEvent | None = None
        try:
            form = _storable(request.form if request.method == "POST" else request.args)
            token = request.headers.get(IDEMPOTENCY_TOKEN)
            event = read_event(kind, request.args, form, token=token, received_at=self._clock())
            raw = {name: values if len(values) > 1 else values[0] for name, values in form.lists()}
            answer = self._calls.receive(event, raw, lambda reply: render(reply, self._doors()))
        except Exception as problem:  # noqa: BLE001  (a caller is waiting, whatever broke)
            self.health.note(accepted=False)
            return self._recover(kind, event, problem)
        self.health.note(accepted=True)
        return "taken", _twiml(answer)

    def _tell_refusal(self, kind: EventKind) -> None:
        """A stranger may knock as often as they like and is answered each time; the log is not for them to fill."""
        self._untold += 1
        now = time.monotonic()
        if now - self._told_at >= REFUSALS_TOLD_EVERY:
            told, self._untold, self._told_at = self._untold, 0, now
            mend = "compare CTI_PUBLIC_URL and TWILIO_AUTH_TOKEN"
            log.warning("signature_refused", kind=kind.value, times=told, mend=mend)

    def _names_our_account(self) -> bool:
        """Twilio with a wrong secret does; a stranger's noise, which must not worry the agents, does not."""
        try:
            return request.values.get("AccountSid") == self._account_sid
        except HTTPException:
            return False

    def _recover(self, kind: EventKind, event: CallEvent | None, problem: Exception) -> tuple[str, Response]:
        call = event.call_id if event else None
        log.error("webhook_not_taken", kind=kind.value, call=call, problem=type(problem).__name__, exc_info=problem)
        if kind not in CALL_PROCESSING:
            if event is None:
                return "unreadable", Response(status=204)  # a repetition would be as unreadable
            return "put_off", Response(status=503, headers={"Retry-After": "2"})  # nothing was kept: please repeat
        if event is None:
            return "apologised", _twiml(apology(self._language))  # a caller waits: never an error page
        log.error("event_lost", kind=kind.value, call=call)
        try:
            answer = render(self._calls.replies.without_memory(event), self._doors())
        except Exception:
            log.exception("fallback_broke", call=call)
            answer = apology(self._language)
        return "improvised", _twiml(answer)


def _storable(form: MultiDict[str, str]) -> MultiDict[str, str]:
    """The form without NUL, which PostgreSQL's texts cannot hold; a caller's SIP name may carry one."""
    return MultiDict((name.replace("\0", ""), value.replace("\0", "")) for name, value in form.items(multi=True))


def _twiml(answer: str) -> Response:
    if not answer:
        return Response(status=204)
    return Response(answer, mimetype="text/xml")
