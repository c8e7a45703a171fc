"""The HTTP side of the domain: real sockets, HTTP/1.1 with kept connections, limits, headers and broken answers.

What is answered is decided elsewhere; here it is read and written, or not written, as the trouble of the hour will.
"""

from __future__ import annotations

import json
import socket
import threading
import traceback
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .auth import passes_the_gateway
from .pages import page
from .trouble import AFTERWARDS, Trouble, too_many_requests
from .wire import Answer, Json, Refused, Request, bad_json, bad_request, from_query_string

if TYPE_CHECKING:
    from .domain import FakeDomain

MOST_PATIENCE = 60.0
"""Seconds after which even a hanging answer gives up, so that a test that forgot it does not hang for ever."""


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, domain: FakeDomain) -> None:
        self.domain = domain
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a client went away; a mistake of ours is seen in the client's missing answer."""


class _Cut(Exception):
    """Close the connection without a word."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Http

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)
        with self.server.domain.lock:
            self.server.domain.connections += 1
            self.number = self.server.domain.connections

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing: the domain keeps its own history."""

    def _serve(self) -> None:
        domain = self.server.domain
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if len(self.requestline) > domain.longest_url:
            self._write(Answer(414, "<html><head><title>414 Request-URI Too Large</title></head></html>"))
            return
        request = self._request(body)
        if not request.api:
            answer = page(domain, request)
            domain.remember(request, answer.status, "")
            self._write(answer)
            return
        with domain.counted() as running:
            try:
                answer, code = self._answer(request, running)
            except _Cut:
                domain.remember(request, 0, "")
                self.close_connection = True
                return
            answer.headers["X-ConcurrencyLimit-Limit"] = str(domain.concurrency_limit)
            answer.headers["X-ConcurrencyLimit-Running"] = str(running)
            domain.remember(request, answer.status, code)
            half = code == "half"
        self._write(answer, half=half)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 (the base class's names)

    def _request(self, body: bytes) -> Request:
        split = urlsplit(self.path)
        headers = dict(self.headers.items())
        override = self.headers.get("X-HTTP-Method-Override", "").upper()
        method = override if override and self.command == "POST" else self.command
        params: Json = from_query_string(split.query)
        problem = ""
        if body or self.command != "GET":
            problem, sent = _read_json(self.headers.get("Content-Type", ""), body)
            params |= sent
        elif "json" in self.headers.get("Content-Type", ""):
            problem = "CB_IL02"  # the well-known trap: a GET that announces JSON and brings none
        return Request(method, self.command, split.path, headers, params, self.number, problem)

    def _answer(self, request: Request, running: int) -> tuple[Answer, str]:
        domain = self.server.domain
        try:
            return self._decide(request, running)
        except _Cut:
            raise
        except Refused as refusal:
            headers = {"X-Cybozu-Error": refusal.code}
            return Answer(refusal.status, refusal.body(request.japanese), headers), refusal.code
        except Exception:  # noqa: BLE001 (told at the domain's end; a client must not take it for kintone)
            domain.failures.append(traceback.format_exc())
            return Answer(500, "<html><head><title>the fake kintone failed</title></head></html>"), ""

    def _decide(self, request: Request, running: int) -> tuple[Answer, str]:
        domain = self.server.domain
        if not passes_the_gateway(domain, request):
            challenge = {"WWW-Authenticate": 'Basic realm="cybozu.com"'}
            return Answer(401, "<html><head><title>401 Unauthorized</title></head></html>", challenge), ""
        if running > domain.concurrency_limit:
            raise too_many_requests(domain.concurrency_limit)
        domain.wait_at_gates(request)
        trouble = domain.trouble_for(request)
        return self._with_trouble(request, trouble) if trouble else (self._obey(request), "")

    def _obey(self, request: Request) -> Answer:
        if request.problem == "CB_IL02":
            raise bad_request()
        if request.problem:
            raise bad_json()
        return self.server.domain.answer(request)

    def _with_trouble(self, request: Request, trouble: Trouble) -> tuple[Answer, str]:
        if trouble.kind == "too many requests":
            raise too_many_requests(self.server.domain.concurrency_limit)
        instead = trouble.instead()
        if isinstance(instead, Refused):
            raise instead
        if instead is not None:
            return instead, ""
        if trouble.kind in {"hang", "slow"}:
            trouble.over.wait(MOST_PATIENCE)
        if trouble.kind in {"cut", "hang"}:
            raise _Cut
        try:
            answer, code = self._obey(request), ""
        except Refused as refusal:
            if trouble.kind not in AFTERWARDS:
                raise
            answer, code = Answer(refusal.status, refusal.body(request.japanese)), refusal.code
        return self._spoilt(answer, code, trouble)

    def _spoilt(self, answer: Answer, code: str, trouble: Trouble) -> tuple[Answer, str]:
        if trouble.kind == "hang after commit":
            trouble.over.wait(MOST_PATIENCE)
        if trouble.kind in {"hang after commit", "cut after commit"}:
            raise _Cut
        if trouble.kind == "half a body":
            return answer, "half"
        if trouble.kind == "empty body":
            return Answer(answer.status, "", answer.headers), code
        if trouble.kind == "no id" and isinstance(answer.body, dict):
            answer.body = {key: value for key, value in answer.body.items() if key not in {"id", "ids", "records"}}
        if trouble.kind == "incomplete":
            answer.headers["X-Cybozu-Warning"] = "Filter aborted because of too many search results"
        return answer, code

    def _write(self, answer: Answer, half: bool = False) -> None:
        body = answer.encoded()
        html = isinstance(answer.body, str)
        head = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
            f"Content-Type: {'text/html' if html else 'application/json'};charset=utf-8",
            f"Content-Length: {len(body)}",
            f"Date: {formatdate(usegmt=True)}",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        sent = body[: len(body) // 2] if half else body
        with suppress(OSError):
            self.wfile.write("\r\n".join([*head, "", ""]).encode("ascii") + sent)
            self.wfile.flush()
        self.close_connection = self.close_connection or half


class Server:
    """The listening socket and its thread."""

    def __init__(self, domain: FakeDomain) -> None:
        self._http = _Http(domain)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(
            target=lambda: self._http.serve_forever(poll_interval=0.02), name="fake-kintone", daemon=True
        )

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening and close every kept connection."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join(timeout=5)
        self._http.server_close()
        for connection in list(self._http.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _read_json(content_type: str, body: bytes) -> tuple[str, Json]:
    """The problem with a body, if any, and what it holds."""
    if "json" not in content_type:
        return "CB_IL02", {}
    try:
        sent = json.loads(body)
    except ValueError:
        return "CB_IJ01", {}
    return ("", sent) if isinstance(sent, dict) else ("CB_IJ01", {})
