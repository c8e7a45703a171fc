"""Twilio's side of the load: signed webhooks from a process of its own, over connections that stay open."""

from __future__ import annotations

import multiprocessing
import queue
import secrets
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Self
from urllib.parse import urlencode, urlsplit

from twilio.request_validator import RequestValidator

from cti_bridge.bench.scene import ACCOUNT, LINE, TOKEN

INCOMING = "/twilio/voice/incoming"
STATUS = "/twilio/voice/status"
TIMEOUT = 15.0
"""Seconds that Twilio waits for an answer."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request: ``at`` is when to send it, in seconds from the beginning of its batch."""

    path: str
    form: dict[str, str]
    at: float = 0.0

    @property
    def call_id(self) -> str:
        return self.form["CallSid"]


@dataclass(frozen=True, slots=True)
class Sent:
    """``began`` is on the machine's monotonic clock, which all its processes share. ``status`` is 0 for no answer."""

    webhook: Webhook
    began: float
    seconds: float
    status: int


def rings(numbers: Iterable[str], *, rate: float | None = None, after: float = 0.0) -> list[Webhook]:
    """One new call from each number to the bench's line, ``rate`` a second."""
    return [
        Webhook(INCOMING, _form("CA" + secrets.token_hex(16), number, "ringing"), after + n / rate if rate else 0.0)
        for n, number in enumerate(numbers)
    ]


def hang_ups(calls: Iterable[Webhook], *, after: float = 0.0) -> list[Webhook]:
    """The caller gives up: the end of each of these calls, ``after`` seconds later."""
    return [
        Webhook(
            STATUS,
            {**call.form, "CallStatus": "completed", "CallDuration": "1", "SequenceNumber": "1"},
            call.at + after,
        )
        for call in calls
    ]


def customers(count: int, *, first: int = 0) -> list[str]:
    """So many different mobile numbers: ``"+819010000000"`` and the next ones."""
    return [f"+8190{10_000_000 + first + n}" for n in range(count)]


class Twilio:
    """The sending process. Batches are signed before the first of them is sent."""

    def __init__(self) -> None:
        self._process = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        self._process.shutdown()

    def send(self, url: str, webhooks: Sequence[Webhook], *, connections: int = 1) -> list[Sent]:
        """Send each when it is due, or one after the other when all are due at once; returns when all are answered.

        Raises NotMeasured when the bridge did not accept one.
        """
        return self.begin(url, webhooks, connections=connections).result()

    def begin(self, url: str, webhooks: Sequence[Webhook], *, connections: int = 1) -> Future[list[Sent]]:
        """The same in the background."""
        return self._process.submit(_send, url, sorted(webhooks, key=lambda webhook: webhook.at), connections)


def _form(call_id: str, number: str, status: str) -> dict[str, str]:
    """What Twilio sends about a call, as far as it is the same every time (facts as of API 2010-04-01)."""
    return {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallSid": call_id,
        "CallStatus": status,
        "CallToken": "%7B%22parentCallInfoToken%22%3A%22" + "x" * 200 + "%22%7D",
        "Called": LINE,
        "CalledCountry": "JP",
        "Caller": number,
        "CallerCountry": "JP",
        "Direction": "inbound",
        "From": number,
        "FromCountry": "JP",
        "To": LINE,
        "ToCountry": "JP",
    }


def _send(url: str, webhooks: Sequence[Webhook], connections: int) -> list[Sent]:
    validator = RequestValidator(TOKEN)
    waiting: queue.SimpleQueue[tuple[Webhook, bytes, dict[str, str]] | None] = queue.SimpleQueue()
    for webhook in webhooks:
        signature = validator.compute_signature(url + webhook.path, webhook.form)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
        waiting.put((webhook, urlencode(webhook.form).encode(), headers))
    for _ in range(connections):
        waiting.put(None)
    done: list[Sent] = []
    began = time.perf_counter()

    def work() -> None:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
        for webhook, body, headers in iter(waiting.get, None):
            time.sleep(max(0.0, began + webhook.at - time.perf_counter()))
            sent_at = time.perf_counter()
            try:
                connection.request("POST", webhook.path, body, headers)
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, HTTPException):
                status = 0
                connection.close()
            done.append(Sent(webhook, sent_at, time.perf_counter() - sent_at, status))
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(connections)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return done
