"""Whether requests arrive as Twilio signs them: through a real proxy, with the mistakes that real proxies make."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pytest
import requests

from cti_bridge.doctor import address
from cti_bridge.model import Finding, Severity
from cti_bridge.store import Database
from tests.conftest import empty
from tests.doctor.conftest import Practice
from tests.running import running

Rewrite = Callable[[str], str]


@contextmanager
def proxy(target: str, rewrite: Rewrite = lambda path: path, location: str = "", status: int = 0) -> Iterator[str]:
    """A proxy before the bridge that rewrites request targets; or redirects; or answers something itself. Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if location or status:
                self.send_response(status or 301)
                self.send_header("Location", location + self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            answer = requests.request(
                self.command, target + rewrite(self.path), data=body, headers=headers, timeout=10, allow_redirects=False
            )
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_POST = do_GET  # noqa: N815  (the library asks for these names)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def only(base: str, practice: Practice, token: str = "") -> Finding:
    [found] = address.findings(base, token or practice.running.twilio.auth_token, simulated=True)
    return found


def believing(practice: Practice, url: str) -> None:
    """The running bridge has this in CTI_PUBLIC_URL."""
    practice.running.bridge.webhooks._signatures._public_url = url


def test_an_address_that_brings_requests_as_they_were_signed_is_well(practice: Practice) -> None:
    found = only(practice.running.base, practice)
    assert found.severity is Severity.OK
    with proxy(practice.running.url) as base:
        believing(practice, base)
        assert only(base, practice).severity is Severity.OK


def test_the_check_leaves_no_trace(practice: Practice) -> None:
    only(practice.running.base, practice)
    [told] = practice.about("last webhook")
    assert "nothing has come" in told.en


def test_nobody_else_can_use_the_check(practice: Practice) -> None:
    answer = requests.post(f"{practice.running.base}/twilio/check", data={"challenge": "x"}, timeout=5)
    assert (answer.status_code, answer.content) == (403, b"")


def test_a_bridge_that_thinks_of_another_scheme_is_told_which(practice: Practice) -> None:
    other = practice.running.base.replace("http:", "https:")
    believing(practice, other)
    found = only(practice.running.base, practice)
    assert "begins with https://; make it http://" in found.en


def test_a_proxy_that_takes_the_folder_off_is_told(practice: Practice) -> None:
    with proxy(practice.running.url, rewrite=lambda path: path.removeprefix("/phone")) as base:
        believing(practice, base)
        assert "takes /phone off" in only(f"{base}/phone", practice).en


def test_a_folder_that_counts_twice_is_told() -> None:
    with pytest.MonkeyPatch.context() as patched:
        asked: list[str] = []

        def ask(url: str, token: str, *, over: str) -> int:
            asked.append(over)
            return 200 if over.endswith("/phone/phone/twilio/check") else 403

        patched.setattr(address, "_ask", ask)
        found = address._signed("https://a.example/phone", "token")
    assert "counts twice" in found.en
    assert len(asked) <= 8, "a few tries, not a siege"


def test_a_proxy_that_rewrites_what_was_signed_is_told(practice: Practice) -> None:
    with proxy(practice.running.url, rewrite=lambda path: unquote(path, errors="strict").replace("山田", "x")) as base:
        believing(practice, base)
        assert "rewrites what follows" in only(base, practice).en


def test_another_token_is_told(practice: Practice) -> None:
    found = only(practice.running.base, practice, token="f" * 32)
    assert "another TWILIO_AUTH_TOKEN" in found.en
    assert "f" * 32 not in found.en + found.ja


def test_a_redirect_is_told_with_where_it_leads(practice: Practice) -> None:
    with proxy("", location="https://www.example.co.jp") as base:
        assert "redirects to https://www.example.co.jp" in only(base, practice).en


def test_somebody_else_at_the_address_is_told(practice: Practice) -> None:
    with proxy("", status=404) as base:
        assert "something else is there" in only(base, practice).en
    with proxy(practice.running.url, rewrite=lambda path: path if "healthz" in path else "/nowhere") as base:
        assert "older version" in only(base, practice).en


def test_nobody_at_the_address_is_told(practice: Practice) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert "cannot be reached" in only(f"http://127.0.0.1:{taken.getsockname()[1]}", practice).en


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (requests.exceptions.SSLError("certificate verify failed"), "certificate"),
        (requests.Timeout("slow"), "in time"),
        (requests.ConnectionError("NameResolutionError: no such host"), "no host"),
    ],
)
def test_how_it_fails_is_told_in_plain_words(monkeypatch: pytest.MonkeyPatch, trouble: Exception, words: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise trouble

    monkeypatch.setattr(requests, "get", fail)
    [found] = address.findings("https://cti.example.co.jp", "token")
    assert found.severity is Severity.ERROR
    assert words in found.en
    assert "cti.example.co.jp" in found.ja


def test_an_address_of_this_machine_is_no_address_for_twilio(practice: Practice) -> None:
    token = practice.running.twilio.auth_token
    first, second = address.findings(practice.running.base, token)
    assert (first.severity, second.severity) == (Severity.WARNING, Severity.OK)


def test_an_extension_s_prefix_is_part_of_the_address(sqlite_database: Database) -> None:
    empty(sqlite_database)
    with running(sqlite_database, prefix="/phone") as mounted:
        token = mounted.twilio.auth_token
        [found] = address.findings(mounted.base, token, simulated=True)
        assert found.severity is Severity.OK
        [wrong] = address.findings(mounted.url, token, simulated=True)
        assert "--prefix" in wrong.en
