"""The HTTP server that plays api.twilio.com and carries the control API. Loopback only; no telephony here."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from werkzeug.serving import WSGIRequestHandler, make_server

from .control import control_blueprint
from .request import is_loopback
from .rest import rest_blueprint

if TYPE_CHECKING:
    from .simulator import Simulator


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the simulator keeps its own history."""


def make_app(simulator: Simulator) -> Flask:
    """The WSGI application: REST under /2010-04-01, the control API under /simulator."""
    app = Flask("cti_bridge.simulator")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.register_blueprint(rest_blueprint(simulator))
    app.register_blueprint(control_blueprint(simulator))

    @app.before_request
    def only_this_machine() -> Response | None:
        """Other web sites must not reach us through the browser: neither by a rebound name nor from their pages."""
        if not is_loopback(urlsplit(f"//{request.host}").hostname or ""):
            abort(403, "the simulator answers to loopback names only")
        origin = request.headers.get("Origin")
        if origin is not None and not is_loopback(urlsplit(origin).hostname or ""):
            abort(403, "the simulator answers to pages of this machine only")
        return Response(status=204) if request.method == "OPTIONS" else None

    @app.after_request
    def allow_pages_of_this_machine(response: Response) -> Response:
        origin = request.headers.get("Origin")
        if origin is not None and is_loopback(urlsplit(origin).hostname or ""):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Headers"] = "Content-Type"
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
            response.headers["Vary"] = "Origin"
        return response

    return app


class Server:
    """A threaded HTTP server on its own daemonic thread."""

    def __init__(self, simulator: Simulator, host: str, port: int) -> None:
        if not is_loopback(host):
            raise ValueError(f"host {host!r} is not loopback: the simulator is for one machine")
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self.app = make_app(simulator)
        self._server = make_server(host, port, self.app, threaded=True, request_handler=_Quiet)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_port}"
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to serve."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=lambda: self._server.serve_forever(poll_interval=0.02),
                name="simulator-http",
                daemon=True,
            )
            self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(timeout=5)
            self._thread = None
        self._server.server_close()
