"""The outside world of the drills: callers whose webhooks are sent until somebody takes them, agents who write notes."""

from __future__ import annotations

import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlencode

import requests
from twilio.request_validator import RequestValidator

from tests.drills.house import ACCOUNT, TOKEN
from tests.running import MAIN_LINE, PASSWORD

PATIENCE = 300.0
"""Seconds until a request must have been taken, however many processes are killed meanwhile."""


@dataclass
class Caller:
    """One call: who calls, and the notes that an agent writes about it one after the other."""

    number: str
    notes: tuple[str, ...]
    call_id: str = field(default_factory=lambda: "CA" + secrets.token_hex(16))

    @property
    def form(self) -> dict[str, str]:
        return {
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "CallSid": self.call_id,
            "CallStatus": "ringing",
            "Direction": "inbound",
            "From": self.number,
            "To": MAIN_LINE,
        }


def callers(count: int) -> list[Caller]:
    """Every third call's note is written once more a little later: the newest must stand in the CRM."""
    return [
        Caller(
            f"+8190{20_000_000 + number}",
            (f"用件{number}",) if number % 3 else (f"用件{number}（途中）", f"用件{number}（訂正済み）"),
        )
        for number in range(count)
    ]


class Refused(AssertionError):
    """The bridge said no: a repetition is of no use."""


class World:
    """Sends everything to one address; what is not answered, or answered with 5xx, is sent again.

    ``resent`` counts those, ``answers`` the bodies that callers got.
    """

    def __init__(self, url: str, email: str) -> None:
        self.url = url
        self.resent = 0
        self.answers: list[str] = []
        self._email = email
        self._validator = RequestValidator(TOKEN)
        self._token = ""
        self._lock = threading.Lock()

    def play(self, calls: list[Caller], *, at_once: int = 4) -> None:
        """All these calls, several at a time; returns when every step of each has been acknowledged."""
        self.sign_in()
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(self.call, calls))

    def sign_in(self) -> str:
        answer = self._until_taken("POST", "/api/session", json={"email": self._email, "password": PASSWORD})
        self._token = answer.json()["token"]
        return self._token

    def call(self, caller: Caller) -> None:
        """It rings, the caller gives up, an agent writes what it was about."""
        self.answers.append(self.ring(caller))
        self.hang_up(caller)
        for note in caller.notes:
            self.note(caller.call_id, note)

    def note(self, call_id: str, note: str) -> None:
        self._until_taken(
            "POST",
            f"/api/calls/{call_id}/completion",
            json={"note": note, "disposition": "resolved"},
            headers={"Authorization": f"Bearer {self._token}"},
        )

    def ring(self, caller: Caller, *, at: str = "") -> str:
        """The first webhook of a call, sent to the process at this address; what the caller gets to hear."""
        return self.tell("/twilio/voice/incoming", caller.form, at=at)

    def hang_up(self, caller: Caller, *, at: str = "") -> None:
        ended = {"CallStatus": "completed", "CallDuration": "1", "SequenceNumber": "1"}
        self.tell("/twilio/voice/status", {**caller.form, **ended}, at=at)

    def tell(self, path: str, form: dict[str, str], *, at: str = "") -> str:
        """One signed webhook; what it was answered."""
        signature = self._validator.compute_signature(f"{self.url}{path}", form)
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        return self._until_taken("POST", path, at=at, data=urlencode(form), headers=headers).text

    def _until_taken(self, method: str, path: str, *, at: str = "", **request: object) -> requests.Response:
        deadline, pause = time.monotonic() + PATIENCE, threading.Event()
        told: object = None
        headers = {"Connection": "close", **request.pop("headers", {})}  # type: ignore[dict-item]
        while time.monotonic() < deadline:
            try:
                answer = requests.request(method, f"{at or self.url}{path}", timeout=8, headers=headers, **request)  # type: ignore[arg-type]
            except requests.RequestException as problem:
                told = type(problem).__name__
            else:
                if answer.status_code < 300:
                    return answer
                told = f"{answer.status_code} {answer.text[:200]}"
                if answer.status_code < 500:
                    raise Refused(f"{path} was refused: {told}")
            with self._lock:
                self.resent += 1
            pause.wait(0.1)
        raise AssertionError(f"{path} was not taken for {PATIENCE:.0f} s; last: {told}")
