"""Twilio's REST API, the parts in use: calls, numbers, TwiML Apps, the account, recordings. It refuses as Twilio does.

Sources: https://www.twilio.com/docs/voice/api/call-resource,
https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource,
https://www.twilio.com/docs/usage/api/applications, https://www.twilio.com/docs/api/errors.
Stricter than Twilio: numbers must be E.164 (Twilio would guess at US numbers), a wrong StatusCallbackEvent is refused
(Twilio creates the call and warns), URLs must be on this machine. Unsure: that ending a call which is over, and
canceling one in progress, are 21220; the code 20001 for an unknown Status, 21218 for a number's unknown application.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request
from werkzeug.datastructures import MultiDict

from . import wire
from .media import MEDIA, recording_routes
from .model import E164, EVENTS, Application, Callback, Leg, NotPossible, OwnNumber, Source
from .request import RefusedUrl, check_url

if TYPE_CHECKING:
    from .simulator import Simulator

_ADDRESS = re.compile(r"client:\S{1,256}|sip:\S+")
_NUMBER_FIELDS = {
    "VoiceUrl": "voice_url",
    "VoiceFallbackUrl": "voice_fallback_url",
    "StatusCallback": "status_callback",
    "VoiceMethod": "voice_method",
    "VoiceFallbackMethod": "voice_fallback_method",
    "StatusCallbackMethod": "status_callback_method",
    "FriendlyName": "friendly_name",
}
_ONLY_NUMBERS = {"VoiceApplicationSid": "voice_application_sid"}
Fields = MultiDict[str, str]


class Refusal(Exception):
    """Twilio says no: its `code`, its words, the HTTP `status`."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def rest_blueprint(simulator: Simulator) -> Blueprint:
    """The API under /2010-04-01/Accounts/{AccountSid}."""
    blueprint = Blueprint("twilio", __name__, url_prefix=f"/{wire.API_VERSION}/Accounts")
    _guard(blueprint, simulator)
    _account(blueprint, simulator)
    _calls(blueprint, simulator)
    _numbers(blueprint, simulator)
    _applications(blueprint, simulator)
    recording_routes(blueprint, simulator, _not_found)

    @blueprint.route("/<path:_rest>", methods=["GET", "POST", "DELETE", "PUT"])
    def anything_else(_rest: str) -> Response:
        raise _not_found(request.path)

    return blueprint


def _guard(blueprint: Blueprint, simulator: Simulator) -> None:
    @blueprint.before_request
    def check() -> None:
        view = request.view_args or {}
        media = (request.endpoint or "").endswith(MEDIA) and not simulator.protects_media
        if not media and not _may(simulator, str(view.get("account", ""))):
            raise Refusal(20003, "Authenticate", 401)
        if refusal := simulator.take_refusal():
            raise refusal

    @blueprint.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        answer = jsonify(
            code=refusal.code,
            message=refusal.message,
            more_info=f"https://www.twilio.com/docs/errors/{refusal.code}",
            status=refusal.status,
        )
        answer.status_code = refusal.status
        if refusal.status == 401:
            answer.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
        return answer


def _account(blueprint: Blueprint, simulator: Simulator) -> None:
    network = simulator.network

    @blueprint.get("/<account>.json")
    def account(account: str) -> Response:
        uri = f"/{wire.API_VERSION}/Accounts/{account}"
        return jsonify(
            sid=account,
            friendly_name="Simulated account",
            status="active",
            type="Full",
            auth_token=simulator.auth_token,
            owner_account_sid=account,
            date_created=wire.rfc2822(network.created_at),
            date_updated=wire.rfc2822(network.created_at),
            uri=uri + ".json",
            subresource_uris={
                "calls": uri + "/Calls.json",
                "incoming_phone_numbers": uri + "/IncomingPhoneNumbers.json",
                "recordings": uri + "/Recordings.json",
            },
        )


def _calls(blueprint: Blueprint, simulator: Simulator) -> None:
    network = simulator.network

    @blueprint.post("/<account>/Calls.json")
    def create_call(account: str) -> tuple[Response, int]:
        return jsonify(_create_call(simulator, account, request.form)), 201

    @blueprint.get("/<account>/Calls.json")
    def list_calls(account: str) -> Response:
        wanted = {
            name: request.args[name] for name in ("To", "From", "Status", "ParentCallSid") if name in request.args
        }
        with network.lock:
            resources = [wire.call_resource(leg, account) for leg in reversed(network.legs())]
        keys = {"To": "to", "From": "from", "Status": "status", "ParentCallSid": "parent_call_sid"}
        found = [one for one in resources if all(one[keys[name]] == value for name, value in wanted.items())]
        return jsonify(_page("calls", found, request.path))

    @blueprint.get("/<account>/Calls/<sid>.json")
    def fetch_call(account: str, sid: str) -> Response:
        with network.lock:
            return jsonify(wire.call_resource(_leg(simulator, sid), account))

    @blueprint.post("/<account>/Calls/<sid>.json")
    def update_call(account: str, sid: str) -> Response:
        leg = _leg(simulator, sid)
        _update_call(simulator, leg, request.form)
        with network.lock:
            return jsonify(wire.call_resource(leg, account))


def _numbers(blueprint: Blueprint, simulator: Simulator) -> None:
    network = simulator.network

    @blueprint.get("/<account>/IncomingPhoneNumbers.json")
    def list_numbers(account: str) -> Response:
        part = request.args.get("PhoneNumber", "")
        with network.lock:
            found = [
                wire.number_resource(number, account, network.created_at)
                for number in network.numbers.values()
                if part in number.phone_number
            ]
        return jsonify(_page("incoming_phone_numbers", found, request.path))

    @blueprint.post("/<account>/IncomingPhoneNumbers.json")
    def create_number(account: str) -> tuple[Response, int]:
        text = request.form.get("PhoneNumber", "")
        if not E164.fullmatch(text):
            raise Refusal(21421, f"PhoneNumber is invalid: {text!r}")
        fields = _number_fields(request.form) | _application_of(simulator, request.form)
        with network.lock:
            if text in network.numbers:
                raise Refusal(21422, f"{text} is not available")
            number = OwnNumber(text, **fields)
            network.numbers[text] = number
            network.touch()
        return jsonify(wire.number_resource(number, account, network.created_at)), 201

    @blueprint.route("/<account>/IncomingPhoneNumbers/<sid>.json", methods=["GET", "POST"])
    def number(account: str, sid: str) -> Response:
        with network.lock:
            found = next((one for one in network.numbers.values() if one.sid == sid), None)
            if found is None:
                raise _not_found(request.path)
            if request.method == "POST":
                for name, value in (_number_fields(request.form) | _application_of(simulator, request.form)).items():
                    setattr(found, name, value)
                network.touch()
            return jsonify(wire.number_resource(found, account, network.created_at))


def _applications(blueprint: Blueprint, simulator: Simulator) -> None:
    network = simulator.network

    @blueprint.get("/<account>/Applications.json")
    def list_applications(account: str) -> Response:
        name = request.args.get("FriendlyName")
        with network.lock:
            found = [
                wire.application_resource(one, account, network.created_at)
                for one in simulator.applications.values()
                if name in (None, one.friendly_name)
            ]
        return jsonify(_page("applications", found, request.path))

    @blueprint.post("/<account>/Applications.json")
    def create_application(account: str) -> tuple[Response, int]:
        made = Application(**_number_fields(request.form))
        with network.lock:
            simulator.applications[made.sid] = made
        return jsonify(wire.application_resource(made, account, network.created_at)), 201

    @blueprint.route("/<account>/Applications/<sid>.json", methods=["GET", "POST"])
    def application(account: str, sid: str) -> Response:
        with network.lock:
            found = simulator.applications.get(sid)
            if found is None:
                raise _not_found(request.path)
            if request.method == "POST":
                for name, value in _number_fields(request.form).items():
                    setattr(found, name, value)
            return jsonify(wire.application_resource(found, account, network.created_at))


def _may(simulator: Simulator, account: str) -> bool:
    given = request.authorization
    if given is None or given.type != "basic":
        return False
    pairs = [(simulator.account_sid, simulator.auth_token)]
    if simulator.api_key:
        pairs.append((simulator.api_key, simulator.api_secret))
    name, secret = str(given.username or ""), str(given.password or "")
    known = any(
        hmac.compare_digest(name.encode(), user.encode()) and hmac.compare_digest(secret.encode(), word.encode())
        for user, word in pairs
    )
    return known and account in ("", simulator.account_sid)


def _not_found(path: str) -> Refusal:
    return Refusal(20404, f"The requested resource {path} was not found", 404)


def _leg(simulator: Simulator, sid: str) -> Leg:
    try:
        return simulator.network.find(sid)
    except KeyError:
        raise _not_found(request.path) from None


def _page(name: str, found: list[dict[str, Any]], path: str) -> dict[str, Any]:
    size = request.args.get("PageSize", 50, type=int)
    page = request.args.get("Page", 0, type=int)
    if not 1 <= size <= 1000 or page < 0:
        raise Refusal(20006, "PageSize must be between 1 and 1000")
    start = page * size

    def uri(number: int) -> str:
        kept = {key: value for key, value in request.args.items() if key not in ("Page", "PageSize")}
        return f"{path}?{urlencode({**kept, 'PageSize': size, 'Page': number})}"

    return {
        name: found[start : start + size],
        "page": page,
        "page_size": size,
        "start": start,
        "end": min(len(found), start + size) - 1 if found else 0,
        "uri": uri(page),
        "first_page_uri": uri(0),
        "next_page_uri": uri(page + 1) if start + size < len(found) else None,
        "previous_page_uri": uri(page - 1) if page else None,
    }


def _url(fields: Mapping[str, str], name: str, code: int) -> str:
    text = fields.get(name, "")
    if text:
        try:
            check_url(text)
        except RefusedUrl as error:
            raise Refusal(code, f"{name} is not valid: {error}") from error
    return text


def _method(fields: Mapping[str, str], name: str, code: int = 21209) -> str:
    text = fields.get(name, "POST").upper()
    if text not in ("GET", "POST"):
        raise Refusal(code, f"{name} {text!r} is neither GET nor POST")
    return text


def _whole(fields: Mapping[str, str], name: str, default: int, most: int, code: int) -> int:
    text = fields.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) > most:
        raise Refusal(code, f"{name} {text!r} is not a whole number up to {most}")
    return int(text)


def _flag(fields: Mapping[str, str], name: str) -> bool:
    text = fields.get(name, "false").lower()
    if text not in ("true", "false"):
        raise Refusal(20001, f"{name} {text!r} is neither true nor false")
    return text == "true"


def _callback(fields: Fields, prefix: str, events: tuple[str, ...], code: int) -> Callback | None:
    url = _url(fields, prefix, code)
    asked = fields.getlist(f"{prefix}Event") or ["completed"]
    wrong = [event for event in asked if event not in events]
    if wrong:
        raise Refusal(
            21626,
            f"{prefix}Event {wrong[0]!r} is none of {', '.join(events)}; repeat the parameter for several",
        )
    method = _method(fields, f"{prefix}Method")
    return Callback(url, method, frozenset(asked)) if url else None


def _source(simulator: Simulator, fields: Mapping[str, str]) -> Source | None:
    """Where the TwiML comes from: Twiml, else Url, else the application's. None when none is given."""
    fallback = _url(fields, "FallbackUrl", 21205)
    fallback_method = _method(fields, "FallbackMethod")
    method = _method(fields, "Method")
    if "Twiml" in fields:
        if len(fields["Twiml"]) > 4000:
            raise Refusal(32018, "Twiml has more than 4000 characters")
        return Source(
            twiml=fields["Twiml"], kind="outgoing", fallback_url=fallback, fallback_method=fallback_method
        )  # fmt: skip
    if fields.get("Url"):
        url = _url(fields, "Url", 21205)
    elif "ApplicationSid" in fields:
        known = simulator.applications.get(fields["ApplicationSid"])
        url = known.voice_url if known else ""
        if not url:
            raise Refusal(21218, f"ApplicationSid {fields['ApplicationSid']!r} is not valid")
    else:
        return None
    return Source(url, method, "outgoing", fallback_url=fallback, fallback_method=fallback_method)


def _create_call(simulator: Simulator, account: str, fields: Fields) -> dict[str, Any]:
    network = simulator.network
    to, from_ = fields.get("To", ""), fields.get("From", "")
    if not to:
        raise Refusal(21201, "No 'To' number is specified")
    if not from_:
        raise Refusal(21213, "No 'From' number is specified")
    if not E164.fullmatch(to) and not _ADDRESS.fullmatch(to):
        raise Refusal(21211, f"The phone number you are attempting to call, {to}, is not valid.")
    with network.lock:
        ours = from_ in network.numbers or from_ in network.verified
    if not ours and not (_ADDRESS.fullmatch(from_) and _ADDRESS.fullmatch(to)):
        raise Refusal(
            21210,
            f"The source phone number provided, {from_}, is not yet verified for your account. "
            "You may only make calls from phone numbers that you've verified or purchased from Twilio.",
        )
    source = _source(simulator, fields)
    if source is None:
        raise Refusal(21205, "Url parameter is required.")
    callback = _callback(fields, "StatusCallback", EVENTS, 21609)
    recorded = _callback(fields, "RecordingStatusCallback", ("in-progress", "completed", "absent"), 21609)
    timeout = _whole(fields, "Timeout", 60, 600, 21208)
    if not re.fullmatch(r"[0-9*#wW]*", fields.get("SendDigits", "")):
        raise Refusal(21206, "SendDigits has other characters than 0-9, *, # and w")
    record = _flag(fields, "Record")
    with network.lock:
        leg = network.add_leg(from_, to, "outbound-api", "queued")
        leg.number = network.numbers.get(from_)
        leg.callback = callback
        leg.timeout = timeout
        leg.record = (recorded or True) if record else False
        resource = wire.call_resource(leg, account)
    simulator.stage.place(leg, source)
    return resource


def _update_call(simulator: Simulator, leg: Leg, fields: Fields) -> None:
    network = simulator.network
    if "Status" in fields:
        _end_call(simulator, leg, fields["Status"])
        return
    source = _source(simulator, fields)
    if source is None:
        raise Refusal(20001, "Status, Url or Twiml is required")
    try:
        network.divert(leg, source)
    except NotPossible:
        raise Refusal(21220, "Call is not in-progress. Cannot redirect.") from None


def _end_call(simulator: Simulator, leg: Leg, status: str) -> None:
    network = simulator.network
    if status not in ("completed", "canceled"):
        raise Refusal(20001, f"Status {status!r} is neither completed nor canceled")
    with network.lock:
        if leg.ended or (status == "canceled" and leg.status == "in-progress"):
            raise Refusal(21220, f"Call is {leg.status}. Cannot be {status}.")
        network.end(leg, "completed" if leg.status == "in-progress" else "canceled")


def _application_of(simulator: Simulator, fields: Fields) -> dict[str, str]:
    """A number's TwiML App, which takes the place of its own URLs; an empty text takes it away."""
    given = {name: fields[key] for key, name in _ONLY_NUMBERS.items() if key in fields}
    sid = given.get("voice_application_sid")
    if sid and sid not in simulator.applications:
        raise Refusal(21218, f"VoiceApplicationSid {sid!r} is not valid")
    return given


def _number_fields(fields: Fields) -> dict[str, str]:
    checks: dict[str, Callable[[str], str]] = {}
    for name in _NUMBER_FIELDS:
        if name.endswith("Method"):
            checks[name] = lambda key: _method(fields, key, 21403)
        elif name == "FriendlyName":
            checks[name] = lambda key: fields[key]
        else:
            checks[name] = lambda key: _url(fields, key, 21402)
    return {_NUMBER_FIELDS[name]: check(name) for name, check in checks.items() if name in fields}
