"""A small bridge: a real HTTP server that answers the simulator's webhooks and remembers them."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import pytest
from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.serving import make_server

from cti_bridge.simulator import ManualClock, Simulator

LINE = "+815031234567"
SECOND_LINE = "+815039876543"
TARO = "+819011112222"
HANAKO = "+819033334444"
TOKEN = "an auth token for tests"
EVENTS = "initiated ringing answered completed"


@dataclass(frozen=True)
class Received:
    """One webhook as it came in."""

    path: str
    target: str
    method: str
    form: MultiDict[str, str]
    query: MultiDict[str, str]
    headers: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return (self.form if self.method == "POST" else self.query)[name]

    def get(self, name: str) -> str | None:
        return (self.form if self.method == "POST" else self.query).get(name)


class Bridge:
    """Answers by path: `replies[path]` is TwiML, a Flask answer, or a function of what came that gives either."""

    def __init__(self) -> None:
        self.replies: dict[str, ResponseReturnValue | Callable[[Received], ResponseReturnValue]] = {
            "/status": ("", 204)
        }
        self.received: list[Received] = []
        self.changed = threading.Condition()
        app = Flask("bridge")
        app.add_url_rule("/", "any", self._any, defaults={"path": ""}, methods=["GET", "POST"])
        app.add_url_rule("/<path:path>", "any", self._any, methods=["GET", "POST"])
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.02), daemon=True)
        self._thread.start()

    def _any(self, path: str) -> ResponseReturnValue:
        got = Received(
            path="/" + path,
            target=request.environ["REQUEST_URI"],
            method=request.method,
            form=request.form,
            query=request.args,
            headers={name.lower(): value for name, value in request.headers.items()},
        )
        with self.changed:
            self.received.append(got)
            self.changed.notify_all()
        reply = self.replies.get(got.path, ("nothing here", 404))
        answer = cast("ResponseReturnValue", reply(got) if inspect.isfunction(reply) else reply)
        return (answer, 200, {"Content-Type": "text/xml"}) if isinstance(answer, str | bytes) else answer

    def at(self, path: str) -> list[Received]:
        """What came to a path, so far."""
        with self.changed:
            return [one for one in self.received if one.path == path]

    def wait_for(self, path: str, count: int = 1, timeout: float = 5.0) -> list[Received]:
        """Wait until that many came to a path."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while len(found := [one for one in self.received if one.path == path]) < count:
                left = deadline - time.monotonic()
                assert left > 0, f"only {len(found)} of {count} requests came to {path}: {self.received}"
                self.changed.wait(left)
            return found

    def statuses(self, sid: str, path: str = "/status") -> list[str]:
        """CallStatus of the callbacks about a leg, in the order they came."""
        return [one["CallStatus"] for one in self.at(path) if one["CallSid"] == sid]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    bridge.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def twilio(bridge: Bridge, clock: ManualClock) -> Iterator[Simulator]:
    """A simulator with a standing clock, whose line asks the bridge at /incoming."""
    with Simulator({LINE: bridge.url + "/incoming"}, auth_token=TOKEN, clock=clock) as simulator:
        yield simulator


def ring(*nouns: str, **attributes: str) -> str:
    """TwiML that dials nouns; attributes are Dial's."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<Response><Dial{written}>{''.join(nouns)}</Dial></Response>"


def agent(identity: str, events: str = EVENTS, **attributes: str) -> str:
    """A `<Client>` with callbacks to /status."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return (
        f'<Client statusCallback="/status" statusCallbackEvent="{events}"{written}>'
        f"<Identity>{identity}</Identity></Client>"
    )


def phone(number: str, events: str = EVENTS, **attributes: str) -> str:
    """A `<Number>` with callbacks to /status."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<Number statusCallback="/status" statusCallbackEvent="{events}"{written}>{number}</Number>'
