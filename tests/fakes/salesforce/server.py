"""The HTTP server on loopback: connections, lengths, trouble on the line. What requests mean stands elsewhere."""

from __future__ import annotations

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast

from .trouble import Kind, Trouble
from .wire import Answer, Request

if TYPE_CHECKING:
    from .org import FakeOrg

LONGEST_HEAD = 16_384
"""Bytes of URI, and of URI and headers together (https://help.salesforce.com/s/articleView?id=000386264)."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one piece
    server: Server

    def setup(self) -> None:
        super().setup()
        self.number = self.server.opened(cast("socket.socket", self.connection))

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            pass  # the line was cut, by us or by the client
        finally:
            self.server.gone(cast("socket.socket", self.connection))

    def answer(self) -> None:
        """Any method."""
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self.rfile.read(length), self.number)
        org = self.server.org
        org.record(request)
        trouble = org.troubles.meet(request)
        if trouble is not None and trouble.kind is Kind.HOLD:
            trouble.hold()
        if trouble is not None and trouble.kind is Kind.CUT:
            self._cut()
            return
        answer = self._too_long(request) or self._troubled(trouble, request) or org.answer(request)
        if trouble is not None and trouble.kind is Kind.HOLD_AFTER:
            trouble.hold()
        if trouble is not None and trouble.kind is Kind.CUT_AFTER:
            self._cut()
            return
        self._send(answer, pretty=headers.get("x-prettyprint") == "1")

    def _too_long(self, request: Request) -> Answer | None:
        if len(request.target) > LONGEST_HEAD:
            return Answer(414, "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>", {}, "text/html")
        if len(request.target) + len(str(self.headers)) > LONGEST_HEAD:
            text = "<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>"
            return Answer(431, text, {}, "text/html")
        return None

    def _troubled(self, trouble: Trouble | None, request: Request) -> Answer | None:
        if trouble is None or trouble.kind in {Kind.HOLD, Kind.HOLD_AFTER, Kind.CUT_AFTER}:
            return None
        answer = trouble.answer()
        return answer if answer.content_type == "text/html" else self.server.org.with_usage(request, answer)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, answer: Answer, *, pretty: bool) -> None:
        body = answer.encoded(pretty=pretty)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header tells the org's clock, so that a test can set it wrong."""
        return super().date_time_string(self.server.org.now().timestamp() if timestamp is None else timestamp)

    def log_message(self, *args: object) -> None:
        """Say nothing: the org keeps its own record."""


for _method in ("GET", "POST", "PATCH", "DELETE", "PUT", "HEAD"):
    setattr(Handler, f"do_{_method}", Handler.answer)


class Server(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, org: FakeOrg, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.org = org
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self.connections = 0
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=lambda: self.serve_forever(0.02), name="fake-salesforce", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def opened(self, connection: socket.socket) -> int:
        with self._lock:
            self.connections += 1
            self._connections.add(connection)
            return self.connections

    def gone(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def drop_connections(self) -> None:
        """Close every open line, as a far side does with idle ones."""
        with self._lock:
            held = list(self._connections)
        for connection in held:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was faster

    def close(self) -> None:
        self.shutdown()
        self._thread.join(timeout=5)
        self.drop_connections()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news; anything else is a mistake of the fake's and told at its end."""
        self.org.note_failure()
