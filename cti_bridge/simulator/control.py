"""The control API under /simulator: the JSON door through which the demo page plays the outside world.

Errors are `{"error": words}` with 400 (wrong request), 404 (no such leg or number) or 409 (does not fit the state).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from .model import BEHAVIOURS, TERMINAL, Delivery, Leg, NotPossible

if TYPE_CHECKING:
    from .simulator import Simulator

_LONGEST_POLL = 30.0
_HEARTBEAT = 15.0
_BREATH = 0.03  # changes that come together are shown together
_SHOWN_CALLS = 50
_SHOWN_PARAMETERS = frozenset(
    {"CallStatus", "SequenceNumber", "DialCallStatus", "RecordingStatus", "Digits", "ErrorCode"}
)


class _BadRequest(Exception):
    """The request's JSON is not what it has to be; the message says how."""


def control_blueprint(simulator: Simulator) -> Blueprint:
    """The routes; see the docstring of each, and `state` for the shape of everything."""
    blueprint = Blueprint("simulator", __name__, url_prefix="/simulator")
    _errors(blueprint)
    _looking(blueprint, simulator)
    _people(blueprint, simulator)
    _settings(blueprint, simulator)
    _trouble(blueprint, simulator)
    return blueprint


def _errors(blueprint: Blueprint) -> None:
    @blueprint.errorhandler(_BadRequest)
    @blueprint.errorhandler(ValueError)
    def wrong(error: Exception) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    @blueprint.errorhandler(NotPossible)
    def unfit(error: NotPossible) -> tuple[Response, int]:
        return jsonify(error=str(error)), 404 if "there is no" in str(error) else 409


def _looking(blueprint: Blueprint, simulator: Simulator) -> None:
    @blueprint.get("/state")
    def state_now() -> Response:
        """The whole state; with `?after=VERSION[&wait=SECONDS]` as soon as there is a newer one (long poll)."""
        after = request.args.get("after", type=int)
        wait = min(request.args.get("wait", 25.0, type=float), _LONGEST_POLL)
        if after is not None:
            _wait_for_newer(simulator, after, wait)
        return jsonify(state(simulator))

    @blueprint.get("/calls/<sid>")
    def one_call(sid: str) -> Response:
        """One call as in the state, its webhooks with every parameter."""
        with simulator.network.lock:
            return jsonify(_calls(simulator, [simulator.leg(sid).root], None)[0])

    @blueprint.get("/events")
    def events() -> Response:
        """Server-sent events: `event: state`, `id: VERSION`, `data:` the whole state, after every change."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return Response(_stream(simulator), mimetype="text/event-stream", headers=headers)


def _people(blueprint: Blueprint, simulator: Simulator) -> None:
    network = simulator.network

    @blueprint.post("/calls")
    def call_in() -> tuple[Response, int]:
        """Call in: {"from", "to", "withheld"?: true|"keypad"|"anonymous", "forwarded_from"?}."""
        body = _body()
        withheld = body.get("withheld", False)
        if withheld not in (True, False, "keypad", "anonymous"):
            raise _BadRequest("withheld must be true, false, keypad or anonymous")
        call = simulator.call_in(
            _text(body, "from", "" if withheld else None),
            _text(body, "to"),
            withheld=withheld,
            forwarded_from=_text(body, "forwarded_from", ""),
        )
        with network.lock:
            return jsonify(_calls(simulator, [call.leg], None)[0]), 201

    @blueprint.post("/legs/<sid>/<action>")
    def act(sid: str, action: str) -> Response:
        """answer, hangup, busy, no-answer, unreachable; press {"digits"}, speak {"text"}, record {"seconds", "key"}."""
        leg = simulator.leg(sid)
        body = _body() if request.content_length else {}
        actions: dict[str, Callable[[], None]] = {
            "answer": lambda: simulator.answer(leg),
            "hangup": lambda: simulator.hang_up(leg),
            "busy": lambda: simulator.busy(leg),
            "no-answer": lambda: simulator.ring_out(leg),
            "unreachable": lambda: simulator.fail(leg),
            "press": lambda: simulator.press(leg, _text(body, "digits")),
            "speak": lambda: simulator.speak(leg, _text(body, "text")),
            "record": lambda: simulator.finish_recording(leg, _number(body, "seconds", 5), _text(body, "key", "#")),
        }
        if action not in actions:
            raise _BadRequest(f"{action!r} is none of {', '.join(actions)}")
        actions[action]()
        with network.lock:
            return jsonify(_leg(leg))


def _settings(blueprint: Blueprint, simulator: Simulator) -> None:
    @blueprint.post("/parties")
    def behave() -> Response:
        """How somebody reacts: {"who", "behaviour", "after"?, "hang_up_after"?}."""
        body = _body()
        behaviour = _text(body, "behaviour")
        if behaviour not in BEHAVIOURS:
            raise _BadRequest(f"behaviour must be one of {', '.join(sorted(BEHAVIOURS))}")
        until = _number(body, "hang_up_after", -1)
        simulator.behave(
            _text(body, "who"), behaviour, _number(body, "after", 0), None if until < 0 else until  # type: ignore[arg-type]
        )  # fmt: skip
        return jsonify(state(simulator)["parties"])

    @blueprint.post("/numbers")
    def set_number() -> Response:
        """Buy a number or change it: {"phone_number", "voice_url", "voice_fallback_url"?, "status_callback"? …}."""
        body = _body()
        settings = {name: _text(body, name) for name in body if name != "phone_number"}
        return jsonify(asdict(simulator.set_number(_text(body, "phone_number"), **settings)))


def _trouble(blueprint: Blueprint, simulator: Simulator) -> None:
    network = simulator.network

    @blueprint.post("/misbehave")
    def misbehave() -> tuple[Response, int]:
        """Add a rule: {"kind", "what", "seconds"?, "times"?: n|null, "call_sid"?}; null times is until forgiven."""
        body = _body()
        times = body.get("times", 1)
        if times is not None and (not isinstance(times, int) or isinstance(times, bool)):
            raise _BadRequest("times must be a whole number or null")
        rule = simulator.misbehave(
            _text(body, "kind"),
            _text(body, "what"),  # type: ignore[arg-type]
            seconds=_number(body, "seconds", 0),
            times=times,
            call_sid=_text(body, "call_sid", ""),
        )
        network.touch()
        return jsonify(asdict(rule)), 201

    @blueprint.delete("/misbehave", defaults={"rule_id": None})
    @blueprint.delete("/misbehave/<int:rule_id>")
    def forgive(rule_id: int | None) -> Response:
        """Take back one rule, or all."""
        simulator.forgive(rule_id)
        network.touch()
        return jsonify(rules=[asdict(rule) for rule in simulator.courier.rules()])

    @blueprint.post("/release")
    def release() -> Response:
        """Send the held callbacks: {"order"?: "reverse"|"given", "call_sid"?}. Answers {"released": n}."""
        body = _body() if request.content_length else {}
        count = simulator.release(_text(body, "order", "reverse"), _text(body, "call_sid", ""))  # type: ignore[arg-type]
        network.touch()
        return jsonify(released=count)

    @blueprint.post("/refuse")
    def refuse() -> Response:
        """Refuse the next REST requests: {"code"?: 20429, "message"?, "status"?: 429, "times"?: 1}."""
        body = _body() if request.content_length else {}
        simulator.refuse(
            int(_number(body, "code", 20429)),
            _text(body, "message", "Too Many Requests"),
            int(_number(body, "status", 429)),
            int(_number(body, "times", 1)),
        )
        return jsonify(refused=True)


def state(simulator: Simulator) -> dict[str, Any]:
    """Everything the page shows. Calls: newest first, at most 50. Moments are ISO 8601 in UTC.

    Webhooks show only their telling parameters; `GET /simulator/calls/{sid}` has all.
    """
    network = simulator.network
    with network.lock:
        shown = list(islice(reversed(network.roots), _SHOWN_CALLS))
        calls = _calls(simulator, shown, _SHOWN_PARAMETERS)
        return {
            "version": network.version,
            "account_sid": simulator.account_sid,
            "numbers": [asdict(number) for number in network.numbers.values()],
            "parties": [{"who": who, **asdict(party)} for who, party in network.parties.items()],
            "ringing": [_leg(leg) for leg in network.legs(status="ringing") if leg.direction != "inbound"],
            "calls": calls,
            "problems": [{**asdict(problem), "at": _iso(problem.at)} for problem in network.problems],
            "rules": [asdict(rule) for rule in simulator.courier.rules()],
            "held": simulator.courier.held(),
        }


def _calls(simulator: Simulator, roots: Iterable[Leg], parameters: frozenset[str] | None) -> list[dict[str, Any]]:
    """Calls with their legs and webhooks, in the order of the answers; of the webhooks' parameters all, or some."""
    root_of = {leg.sid: root.sid for root in roots for leg in (root, *root.children)}
    told: dict[str, list[dict[str, Any]]] = {root.sid: [] for root in roots}
    for delivery in simulator.network.deliveries:
        if delivery.call_sid in root_of:
            told[root_of[delivery.call_sid]].append(_delivery(delivery, parameters))
    return [
        {**_leg(root), "legs": [_leg(child) for child in root.children], "webhooks": told[root.sid]} for root in roots
    ]


def _leg(leg: Leg) -> dict[str, Any]:
    return {
        "sid": leg.sid,
        "parent_sid": leg.parent.sid if leg.parent else None,
        "from": leg.from_,
        "to": leg.to,
        "who": leg.who,
        "direction": leg.direction,
        "status": leg.status,
        "ended": leg.ended,
        "created_at": _iso(leg.created_at),
        "answered_at": _iso(leg.answered_at),
        "ended_at": _iso(leg.ended_at),
        "seconds": leg.seconds(),
        "connected_to": _peer(leg),
        "heard": [{**asdict(heard), "at": _iso(heard.at)} for heard in leg.heard],
        "custom": leg.custom,
        "can": _can(leg),
    }


def _peer(leg: Leg) -> str | None:
    if leg.ended:
        return None
    if leg.dialing is not None and leg.dialing.winner is not None:
        return leg.dialing.winner.who
    if leg.rung_by is not None and leg.rung_by.winner is leg:
        return leg.rung_by.parent.who
    return None


def _can(leg: Leg) -> list[str]:
    """The actions of `/legs/{sid}/{action}` that fit the leg's state: the page draws only these."""
    if leg.status in TERMINAL or leg.status == "queued":
        return []
    if leg.status == "in-progress":
        return ["hangup", "press", "speak", "record"]
    return ["hangup"] if leg.direction == "inbound" else ["answer", "hangup", "busy", "no-answer", "unreachable"]


def _delivery(delivery: Delivery, parameters: frozenset[str] | None) -> dict[str, Any]:
    shown = {name: text for name, text in delivery.params.items() if parameters is None or name in parameters}
    return {**vars(delivery), "params": shown, "at": _iso(delivery.at)}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _wait_for_newer(simulator: Simulator, version: int, seconds: float) -> bool:
    network = simulator.network
    deadline = time.monotonic() + seconds
    with network.lock:
        while network.version <= version and not network.closed:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            network.changed.wait(left)
        return True


def _stream(simulator: Simulator) -> Iterator[str]:
    version = -1
    while not simulator.network.closed:
        if _wait_for_newer(simulator, version, _HEARTBEAT):
            now = state(simulator)
            version = now["version"]
            yield f"event: state\nid: {version}\ndata: {json.dumps(now, ensure_ascii=False)}\n\n"
            time.sleep(_BREATH)
        else:
            yield ": still here\n\n"


def _body() -> dict[str, Any]:
    if not request.is_json:
        raise _BadRequest("send JSON, with Content-Type: application/json")
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise _BadRequest("the body must be a JSON object")
    return body


def _text(body: dict[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise _BadRequest(f"{name} must be a text")
    return value


def _number(body: dict[str, Any], name: str, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _BadRequest(f"{name} must be a number")
    return float(value)
