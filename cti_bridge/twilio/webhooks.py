"""Twilio's doors: verify, read, hand to the use case, answer. A caller is never left in silence.

What is answered, and why, stands at each return: 403 "not you", 200 TwiML "do this", 204 "noted", 503 "try again".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from cti_bridge.calls import Calls
from cti_bridge.clock import Clock, utc_now
from cti_bridge.metrics import Metrics
from cti_bridge.model import CallEvent, EventKind, Language
from cti_bridge.twilio.events import read_event
from cti_bridge.twilio.signature import Signatures
from cti_bridge.twilio.twiml import CALL_PROCESSING, Doors, apology, render

log = structlog.get_logger(__name__)

LARGEST_BODY = 64 * 1024
IDEMPOTENCY_TOKEN = "I-Twilio-Idempotency-Token"  # noqa: S105  (the name of a header)

ROUTES = {
    "/voice/incoming": EventKind.INCOMING,
    "/voice/outgoing": EventKind.OUTGOING,
    "/voice/result": EventKind.RESULT,
    "/voice/status": EventKind.STATUS,
    "/recording": EventKind.RECORDING,
}


class LineHealth:
    """Whether Twilio reaches us: for the widget's first dot."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accepted = self._refused = 0

    def note(self, *, accepted: bool) -> bool:
        """Returns whether the health changed."""
        with self._lock:
            before = self.state
            self._accepted += accepted
            self._refused = 0 if accepted else self._refused + 1
            return self.state != before

    @property
    def state(self) -> str:
        """``quiet`` before the first webhook; ``failing`` after three refusals in a row; else ``ok``."""
        if self._refused >= 3:
            return "failing"
        return "ok" if self._accepted else "quiet"


def blueprint(
    calls: Calls,
    signatures: Signatures,
    doors: Callable[[], Doors],
    metrics: Metrics,
    health: LineHealth,
    *,
    language: Language,
    clock: Clock = utc_now,
) -> Blueprint:
    """The routes of DESIGN §6 under ``/twilio``. ``doors`` gives the public addresses, prefix included."""
    routes = Blueprint("twilio", __name__, url_prefix="/twilio")

    def take(kind: EventKind) -> Response:
        began = time.perf_counter()
        outcome, response = _answer(kind)
        metrics.webhooks.labels(kind.value, outcome).inc()
        metrics.webhook_seconds.labels(kind.value).observe(time.perf_counter() - began)
        return response

    def _answer(kind: EventKind) -> tuple[str, Response]:
        request.max_content_length = LARGEST_BODY
        request.max_form_memory_size = LARGEST_BODY
        if not signatures.verify(request):
            health.note(accepted=False)
            log.warning("signature_refused", kind=kind.value, mend="compare CTI_PUBLIC_URL and TWILIO_AUTH_TOKEN")
            return "refused", Response(status=403)  # not Twilio: no hint why
        event: CallEvent | None = None
        try:
            form = request.form if request.method == "POST" else request.args
            event = read_event(
                kind,
                request.args,
                form,
                token=request.headers.get(IDEMPOTENCY_TOKEN),
                received_at=clock(),
            )
            raw = {name: values if len(values) > 1 else values[0] for name, values in form.lists()}
            answer = calls.receive(event, raw, lambda reply: render(reply, doors()))
        except Exception as problem:
            health.note(accepted=False)
            return _recover(kind, event, problem)
        health.note(accepted=True)
        return "taken", _twiml(answer)

    def _recover(kind: EventKind, event: CallEvent | None, problem: Exception) -> tuple[str, Response]:
        call = event.call_id if event else None
        log.error("webhook_not_taken", kind=kind.value, call=call, problem=type(problem).__name__, exc_info=problem)
        if kind not in CALL_PROCESSING:
            if event is None:
                return "unreadable", Response(status=204)  # a repetition would be as unreadable
            return "put_off", Response(status=503, headers={"Retry-After": "2"})  # nothing was kept: please repeat
        if isinstance(problem, HTTPException) or event is None:
            return "apologised", _twiml(apology(language))  # a caller waits: never an error page
        log.error("event_lost", kind=kind.value, call=call)
        try:
            answer = render(calls.without_memory(event), doors())
        except Exception:
            log.exception("fallback_broke", call=call)
            answer = apology(language)
        return "improvised", _twiml(answer)

    for path, kind in ROUTES.items():
        routes.add_url_rule(
            path, kind.value, lambda kind=kind: take(kind), methods=["GET", "POST"], provide_automatic_options=False
        )
    return routes


def _twiml(answer: str) -> Response:
    if not answer:
        return Response(status=204)
    return Response(answer, mimetype="text/xml")
