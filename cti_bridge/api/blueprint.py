"""The API's routes. Each reads its body, calls one use case and shows the result; rules live in the use cases."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, NoReturn

from flask import Blueprint, Response, g, jsonify, request
from spectree import Response as Answers
from spectree import SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from cti_bridge.api import schema
from cti_bridge.api.entrance import Entrance
from cti_bridge.api.problem import explain, problem
from cti_bridge.api.route import Route
from cti_bridge.api.sound import sound_answer, wanted_part
from cti_bridge.auth import Door
from cti_bridge.calls import Calls
from cti_bridge.connector import Connector
from cti_bridge.dialling import Dialling
from cti_bridge.errors import BadRequest, BridgeError, NotFound
from cti_bridge.live.hub import Hub
from cti_bridge.live.topics import agent_topic
from cti_bridge.logbook import get_logger
from cti_bridge.model import Agent, Permission
from cti_bridge.pops import Json, Pops
from cti_bridge.recordings import Recordings
from cti_bridge.store import Database, calls, directory
from cti_bridge.store.calls import CallRecord
from cti_bridge.store.directory import KnownDirectory

log = get_logger(__name__)

LARGEST_BODY = 256 * 1024
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


class Api:
    """The API over one bridge's use cases."""

    def __init__(
        self,
        *,
        database: Database,
        known: KnownDirectory,
        use_cases: Calls,
        dialling: Dialling,
        connector: Connector,
        pops: Pops,
        recordings: Recordings,
        hub: Hub,
        entrance: Entrance,
    ) -> None:
        self._database = database
        self._known = known
        self._entrance = entrance
        self._calls = use_cases
        self._dialling = dialling
        self._connector = connector
        self._pops = pops
        self._recordings = recordings
        self._hub = hub
        self._needs: dict[str, Permission | Door] = {"openapi": Door.OPENAPI}
        self._spec = SpecTree(
            "flask",
            mode="strict",
            title="CTI Bridge",
            version="1",
            before=_refuse_invalid,
            annotations=True,
            naming_strategy=lambda model: model.__name__,
            nested_naming_strategy=lambda _parent, child: child,
            security_schemes=[
                SecurityScheme(name="bearer", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer"))
            ],
            security={"bearer": []},
        )

    def blueprint(self) -> Blueprint:
        """The routes under ``/api``."""
        routes = Blueprint("api", __name__, url_prefix="/api")
        routes.before_request(self._admit)
        routes.register_error_handler(BridgeError, explain)
        routes.register_error_handler(HTTPException, _explain_http)
        routes.register_error_handler(Exception, _explain_bug)
        routes.add_url_rule("/openapi.json", "openapi", self.openapi)
        served: dict[str, set[str]] = {}
        for method, path, needs, view, answers in [*self._entrance.routes(), *self._table()]:
            checked = self._spec.validate(resp=answers, skip_validation=False)(view)
            if view == self.play:  # spectree looks at answers by reading them whole
                checked = wraps(checked)(partial(view))
            routes.add_url_rule(path, view.__name__, checked, methods=[method])
            self._needs[view.__name__] = needs
            served.setdefault(path, set()).add(method)
        # What is not there must be a problem of ours too, and never the host app's own error page.
        for path, methods in served.items():
            rest = sorted(METHODS - methods)
            routes.add_url_rule(path, f"{path}_otherwise".replace(".", ""), _not_so(methods), methods=rest)
        for path in ("", "/", "/<path:rest>"):
            routes.add_url_rule(path, f"{len(path)}_otherwise", _nowhere, methods=sorted(METHODS))
        return routes

    def _table(self) -> list[Route]:
        """Every route beside those of the entrance, and what it takes to be answered."""
        work = Permission.TAKE_CALLS
        anything, created, done = Answers(HTTP_200=schema.Json), Answers(HTTP_201=schema.Json), Answers("HTTP_204")
        sound = Answers("HTTP_200", "HTTP_206")
        return [
            Route("PUT", "/presence", work, self.set_presence, anything),
            Route("PUT", "/language", work, self.set_language, anything),
            Route("POST", "/calls", work, self.dial, created),
            Route("GET", "/calls", work, self.recent_calls, anything),
            Route("GET", "/calls/<call_id>", work, self.get_call, anything),
            Route("PUT", "/calls/<call_id>/choice", work, self.choose, anything),
            Route("DELETE", "/calls/<call_id>/choice", work, self.unchoose, anything),
            Route("PUT", "/calls/<call_id>/record", work, self.relate, anything),
            Route("DELETE", "/calls/<call_id>/record", work, self.unrelate, anything),
            Route("PUT", "/calls/<call_id>/draft", work, self.save_draft, anything),
            Route("POST", "/calls/<call_id>/completion", work, self.complete, anything),
            Route("POST", "/calls/<call_id>/contact", work, self.create_contact, created),
            Route("POST", "/calls/<call_id>/number", work, self.add_number, anything),
            Route("GET", "/recordings/<recording_id>", work, self.play, sound),
            Route("GET", "/recordings/<recording_id>/call", work, self.recorded_call, anything),
            Route("GET", "/contacts", work, self.search, anything),
            Route("POST", "/missed/<key>/dealt-with", work, self.deal_with, done),
        ]

    # ── the agent ───────────────────────────────────────────────────────────────────────────────────────────────────

    def set_presence(self, json: schema.SetPresence) -> Json:
        """Take calls, or be away."""
        return self._change_agent(away=json.presence == "away")

    def set_language(self, json: schema.SetLanguage) -> Json:
        """Choose the language of the agent's screen."""
        return self._change_agent(language=json.language)

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def dial(self, json: schema.Dial) -> tuple[Json, int]:
        """Ring the agent's telephone, then the number."""
        call_id = self._dialling.dial(g.cti_agent, json.number, line_id=json.line_id, record_id=json.record_id)
        return {"call_id": call_id}, 201

    def recent_calls(self) -> Json:
        """The agent's own last calls, newest first."""
        agent: Agent = g.cti_agent
        with self._database.reading() as connection:
            known = self._known.current()
            records = calls.recent_calls(connection, agent.id)
            return {"calls": [self._pops.build(connection, record, agent, known) for record in records]}

    def get_call(self, call_id: str) -> Json:
        """One call's card."""
        return self._card(self._calls.record_for(g.cti_agent, call_id))

    def choose(self, call_id: str, json: schema.Choose) -> Json:
        """Say whose call it is."""
        return self._card(self._calls.choose(g.cti_agent, call_id, json.contact_id))

    def unchoose(self, call_id: str) -> Json:
        """Take the choice back, and forget what was learned from it."""
        return self._card(self._calls.unchoose(g.cti_agent, call_id))

    def relate(self, call_id: str, json: schema.Relate) -> Json:
        """Say that the call belongs to a record of the CRM's screen: a contact, case, deal, order."""
        return self._card(self._calls.relate(g.cti_agent, call_id, json.record_id))

    def unrelate(self, call_id: str) -> Json:
        """Take back what the call is about; whose it is stays."""
        return self._card(self._calls.unrelate(g.cti_agent, call_id))

    def save_draft(self, call_id: str, json: schema.Draft) -> Json:
        """Keep the note and disposition typed so far."""
        return self._card(self._calls.save_draft(g.cti_agent, call_id, json.note, json.disposition))

    def complete(self, call_id: str, json: schema.Draft) -> Json:
        """Finish the wrap-up; the log goes to the CRM."""
        return self._card(self._calls.complete(g.cti_agent, call_id, json.note, json.disposition))

    def create_contact(self, call_id: str, json: schema.NewContact) -> tuple[Json, int]:
        """Put the caller into the CRM as somebody new."""
        record = self._calls.create_contact(
            g.cti_agent, call_id, name=json.name, reading=json.reading, company=json.company
        )
        return self._card(record), 201

    def add_number(self, call_id: str, json: schema.Choose) -> Json:
        """Add the caller's number to a contact of the CRM."""
        return self._card(self._calls.add_number(g.cti_agent, call_id, json.contact_id))

    def play(self, recording_id: str) -> Response:
        """A recording's sound (audio/mpeg), whole or the range of bytes that is asked for."""
        sound = self._recordings.listen(g.cti_agent, recording_id, wanted_part(request))
        return sound_answer(sound, name=f"{recording_id}.mp3", body=request.method != "HEAD")

    def recorded_call(self, recording_id: str) -> Json:
        """Which call this is the recording of: who, when, line, agent."""
        record = self._recordings.call_of(g.cti_agent, recording_id)
        return self._pops.recorded(record, g.cti_agent, self._known.current())

    # ── customers ───────────────────────────────────────────────────────────────────────────────────────────────────

    def search(self, query: schema.Search) -> Json:
        """Find contacts by name, furigana, company or customer number."""
        found = self._connector.search(query.q)
        return {"contacts": [self._pops.contact(contact, g.cti_agent.language) for contact in found]}

    def deal_with(self, key: str) -> tuple[str, int]:
        """Strike a caller off the list of missed calls."""
        self._calls.deal_with(g.cti_agent, key)
        return "", 204

    def openapi(self) -> Response:
        """This description, for programs."""
        return jsonify(self._spec.spec)

    # ── how ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _admit(self) -> None:
        """Only JSON (which no cross-site form can send), only so much of it, only from who may."""
        request.max_content_length = LARGEST_BODY
        self._entrance.admit(self._needs.get((request.endpoint or "").rpartition(".")[2], Permission.OWN_SIGN_IN))
        if any("\0" in str(value) for value in (request.view_args or {}).values()):
            raise NotFound  # no id has it, and PostgreSQL will not even be asked
        if request.method in ("POST", "PUT") and request.get_data() and not isinstance(_parsed(), dict):
            raise BadRequest("bad_json")

    def _card(self, record: CallRecord) -> Json:
        with self._database.reading() as connection:
            return self._pops.build(connection, record, g.cti_agent, self._known.current())

    def _change_agent(self, **values: object) -> Json:
        agent: Agent = g.cti_agent
        with self._database.transaction() as connection:
            directory.change_agent(connection, agent.id, **values)
        changed = self._known.refresh().agents[agent.id]
        self._hub.wake(agent_topic(agent.id))
        return self._entrance.agent_json(changed)


def _parsed() -> object:
    try:
        return request.json
    except RecursionError:
        raise BadRequest("bad_json") from None


def _not_so(methods: set[str]) -> Callable[..., NoReturn]:
    def refuse(**_: str) -> NoReturn:
        raise MethodNotAllowed(valid_methods=sorted(methods))

    return refuse


def _nowhere(**_: str) -> NoReturn:
    raise NotFound


def _refuse_invalid(_request: Any, _response: Any, error: Any, _instance: Any, _adapter: Any) -> None:
    """spectree's hook: its validation errors become ours."""
    if error is not None:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadRequest("bad_request", detail=f"{field}: {first['msg']}")


def _explain_http(error: HTTPException) -> Response:
    codes = {400: "bad_json", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "bad_json"}
    status = error.code or 500
    answer = problem(status, codes.get(status, "server_error"))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(error.valid_methods)
    return answer


def _explain_bug(error: Exception) -> Response:
    log.error("api_broke", endpoint=request.endpoint, exc_info=error)
    return problem(500, "server_error")
