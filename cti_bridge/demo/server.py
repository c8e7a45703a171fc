"""The demo's HTTP server on loopback: the page, the stand-in CRM and its weather, beside the simulated network's APIs.

All of it is one origin; the bridge is another, as at a customer's. Routes are added to the simulator's own app, which
admits this machine's names and pages only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from cti_bridge.demo.crm import ChangeWatch, StandInCrm
from cti_bridge.demo.customers import INTERESTING_CALLERS
from cti_bridge.demo.office import AGENTS, PASSWORD
from cti_bridge.demo.weather import SLOWEST, Weather, WeatherStation
from cti_bridge.phone import PhoneNumber
from cti_bridge.simulator import Simulator
from cti_bridge.simulator.control import state
from cti_bridge.store import Database
from cti_bridge.store.directory import read_directory

LOOK = 0.2
"""Seconds between looks at the database for what the bridge wrote."""

HEARTBEAT = 15.0
LINK_NUMBERS = ".phone"


class DemoPages:
    """The blueprint's views. ``bridge_url`` is where the widget comes from."""

    def __init__(self, simulator: Simulator, database: Database, weather: WeatherStation, bridge_url: str) -> None:
        self._simulator = simulator
        self._database = database
        self._weather = weather
        self._bridge_url = bridge_url
        self._crm = StandInCrm(database)

    def blueprint(self) -> Blueprint:
        here = Path(__file__).parent
        routes = Blueprint(
            "demo",
            __name__,
            static_folder=here / "static",
            static_url_path="/page",
            template_folder=here / "static",
        )
        routes.add_url_rule("/", view_func=self.page)
        routes.add_url_rule("/scene", view_func=self.scene)
        routes.add_url_rule("/events", view_func=self.events)
        routes.add_url_rule("/crm/customers", view_func=self.customers)
        routes.add_url_rule("/crm/customers/<record_id>", view_func=self.record)
        routes.add_url_rule("/crm/calls", view_func=self.calls)
        routes.add_url_rule("/crm-weather", view_func=self.weather)
        routes.add_url_rule("/crm-weather", view_func=self.set_weather, methods=["PUT"])
        routes.add_url_rule("/crm-weather/gate", view_func=self.gate)
        routes.after_request(self._harden)
        return routes

    def page(self) -> ResponseReturnValue:
        """The demo page, in the language of ``?lang=``, else of the last choice, else of the browser."""
        wished = request.args.get("lang") or request.cookies.get("demo-language")
        language = wished if wished in ("ja", "en") else request.accept_languages.best_match(["ja", "en"]) or "ja"
        text = render_template("page.html", language=language, bridge_url=self._bridge_url, link_numbers=LINK_NUMBERS)
        response = Response(text, mimetype="text/html")
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Content-Security-Policy"] = (
            f"default-src 'self'; script-src 'self' {self._bridge_url}; frame-src {self._bridge_url}; "
            "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        response.set_cookie("demo-language", language, samesite="Lax", httponly=True)
        return response

    def scene(self) -> ResponseReturnValue:
        """Who plays: our lines and agents with their telephones, the callers worth trying, how to sign in."""
        with self._database.reading() as connection:
            directory = read_directory(connection)
        shown = {agent.email for agent in AGENTS}
        return jsonify(
            lines=[
                {"number": line.number, "name": line.name, "display": _display(line.number)}
                for line in directory.lines.values()
            ],
            agents=[
                {
                    "name": agent.name,
                    "email": agent.email,
                    "phone": agent.phone,
                    "display": _display(agent.phone) if agent.phone else "",
                    "language": agent.language,
                    "password": PASSWORD if agent.email in shown else None,
                }
                for agent in directory.agents.values()
            ],
            callers=[
                {
                    "number": caller.number,
                    "display": _display(caller.number),
                    "ja": caller.label("ja"),
                    "en": caller.label("en"),
                }
                for caller in INTERESTING_CALLERS
            ],
        )

    def customers(self) -> ResponseReturnValue:
        """The customers that ``?q=`` finds, or all."""
        return jsonify(customers=self._crm.customers(request.args.get("q", "")))

    def record(self, record_id: str) -> ResponseReturnValue:
        """One customer, whole."""
        found = self._crm.record(record_id, request.args.get("lang", "ja"))
        return (jsonify(error="there is no such record"), 404) if found is None else jsonify(found)

    def calls(self) -> ResponseReturnValue:
        """The call logs, newest first."""
        return jsonify(calls=self._crm.calls())

    def weather(self) -> ResponseReturnValue:
        return jsonify(asdict(self._weather.now))

    def set_weather(self) -> ResponseReturnValue:
        """``{"delay_ms": 3000, "down": false}``."""
        match request.get_json():
            case {"delay_ms": int(delay), "down": bool(down)} if type(delay) is int and 0 <= delay <= SLOWEST:
                self._weather.set(Weather(delay, down))
            case _:
                return jsonify(error=f'send {{"delay_ms": 0 to {SLOWEST}, "down": true or false}}'), 400
        with self._simulator.network.lock:
            self._simulator.network.touch()  # so that every page hears of it
        return self.weather()

    def gate(self) -> ResponseReturnValue:
        """What the bridge's connector asks first: 204 when the CRM answers, as late as it does; 503 when it is down."""
        return ("", 204) if self._weather.pass_gate() else ("The CRM is down.", 503)

    def events(self) -> ResponseReturnValue:
        """Server-sent events: ``world`` (the simulator's state), ``weather``, and ``crm`` when its data changed."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return Response(self._stream(), mimetype="text/event-stream", headers=headers)

    def _stream(self) -> Iterator[str]:
        watch = ChangeWatch(self._database)
        seen: tuple[int, int, Weather | None] = (-1, watch.version(), None)
        quiet = 0.0
        try:
            while not self._simulator.network.closed:
                world, crm, weather = now = (self._version(seen[0]), watch.version(), self._weather.now)
                if world != seen[0]:
                    shown = state(self._simulator)
                    now = (shown["version"], crm, weather)
                    yield _event("world", shown)
                if weather != seen[2]:
                    yield _event("weather", asdict(weather))
                if crm != seen[1]:
                    yield _event("crm", crm)
                quiet = 0.0 if now != seen else quiet + LOOK
                seen = now
                if quiet > HEARTBEAT:
                    quiet = 0.0
                    yield ": still here\n\n"
        finally:
            watch.close()

    def _version(self, seen: int) -> int:
        """The world's version, waited for a moment when it is the one that was seen."""
        network = self._simulator.network
        with network.lock:
            if network.version == seen:
                network.changed.wait(LOOK)
            return network.version

    @staticmethod
    def _harden(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _display(number: str) -> str:
    return PhoneNumber(number).display()


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
