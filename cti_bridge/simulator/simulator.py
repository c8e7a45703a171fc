"""The simulator as one object: what tests, the demo and the bench hold in their hand. Wiring only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from .clock import Clock, SystemClock
from .execute import Stage
from .model import (
    E164,
    WITHHELD,
    Application,
    Behaviour,
    Callback,
    Delivery,
    Heard,
    Leg,
    NotPossible,
    OwnNumber,
    Problem,
    Source,
    new_sid,
)
from .network import Network
from .request import check_url
from .rest import Refusal
from .server import Server
from .webhooks import Courier, Misbehaviour, What

T = TypeVar("T")
NumberSettings = str | Mapping[str, str]


class SimulatedCall:
    """A call as somebody outside sees it: the root leg and what came of it. Attributes are read live."""

    def __init__(self, simulator: Simulator, leg: Leg) -> None:
        self._simulator = simulator
        self.leg = leg
        self.sid = leg.sid

    @property
    def status(self) -> str:
        """Twilio's status of the root leg."""
        return self.leg.status

    @property
    def legs(self) -> list[Leg]:
        """The legs that `<Dial>` made, oldest first."""
        with self._simulator.network.lock:
            return list(self.leg.children)

    @property
    def heard(self) -> list[Heard]:
        """What the person on the root leg heard."""
        with self._simulator.network.lock:
            return list(self.leg.heard)

    @property
    def said(self) -> list[str]:
        """The texts of every <Say> the person on the root leg heard."""
        return [heard.text for heard in self.heard if heard.what == "say"]

    def leg_to(self, who: str, timeout: float = 5.0) -> Leg:
        """The newest leg to this number or `client:identity`, waited for until it rings (or is past that)."""

        def found() -> Leg | None:
            return next((leg for leg in reversed(self.leg.children) if leg.to == who and leg.status != "queued"), None)

        return self._simulator.wait_for(found, timeout, f"a leg to {who}")

    def hang_up(self) -> None:
        """The person on the root leg hangs up. Raises NotPossible when the call is over."""
        self._simulator.hang_up(self.leg)

    def wait_for_status(self, status: str, timeout: float = 5.0) -> SimulatedCall:
        """Wait until the root leg is in this status. Raises TimeoutError."""
        self._simulator.wait_for(lambda: self.leg.status == status, timeout, f"{self.sid} to be {status}")
        return self

    def wait_until_over(self, timeout: float = 5.0) -> SimulatedCall:
        """Wait until every leg ended, its script is done and no callback of theirs is on its way. Raises TimeoutError."""

        def over() -> bool:
            legs = (self.leg, *self.leg.children)
            return all(leg.ended and not leg.scripted for leg in legs) and self._simulator.courier.idle(
                leg.sid for leg in legs
            )

        self._simulator.wait_for(over, timeout, f"{self.sid} to be over")
        return self


class Simulator:
    """Twilio on this machine: `with Simulator({"+815031234567": voice_url}) as twilio: …`.

    Args:
        numbers: our own numbers; the value is a voice URL, or a mapping of OwnNumber's fields (`voice_url`,
            `voice_method`, `voice_fallback_url`, `status_callback` …).
        account_sid, auth_token: made up when not given. The token signs the webhooks.
        api_key, api_secret: a second pair that REST accepts (SK…).
        applications: TwiML Apps, sid (AP…) to voice URL.
        verified: outside numbers that may be used as caller ID.
        clock: `SystemClock` unless given; the simulator closes it.
        host, port: where to listen; port 0 takes a free one. Only loopback hosts.
        strict: TwiML that Twilio would only warn about (12200 …) ends the call, so that it cannot be overlooked. False
            is what Twilio does: a warning in `problems`, and on with it.
        say_seconds: how long every <Say> lasts.
        calls_per_second: how fast calls created over REST are dialled (Twilio: 1); None is at once.
        tokens_always: send `I-Twilio-Idempotency-Token` with first attempts also, not only with retries.
        history: how many calls (and problems) are remembered.
        protects_media: recordings' sound asks for the account's credentials (Twilio's setting; off by default).

    Raises:
        ValueError: a number that is not E.164, a URL that is not on this machine, a host that is not loopback.
    """

    def __init__(
        self,
        numbers: Mapping[str, NumberSettings] | None = None,
        *,
        account_sid: str | None = None,
        auth_token: str | None = None,
        api_key: str = "",
        api_secret: str = "",
        applications: Mapping[str, str] | None = None,
        verified: Iterable[str] = (),
        clock: Clock | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        strict: bool = True,
        say_seconds: float = 0.0,
        calls_per_second: float | None = None,
        tokens_always: bool = False,
        history: int = 1000,
        protects_media: bool = False,
    ) -> None:
        self.account_sid = account_sid or new_sid("AC")
        self.auth_token = auth_token or new_sid("")
        self.api_key = api_key
        self.api_secret = api_secret
        self.protects_media = protects_media
        self.applications = {sid: Application(url, sid=sid) for sid, url in (applications or {}).items()}
        self.clock = clock or SystemClock()
        self.network = Network(self.clock, self.account_sid, history=history)
        self.courier = Courier(self.clock, self.network, self.auth_token, tokens_always=tokens_always)
        self.network.courier = self.courier
        self.stage = Stage(
            self.network,
            self.courier,
            strict=strict,
            say_seconds=say_seconds,
            calls_per_second=calls_per_second,
        )
        self.network.verified.update(verified)
        for phone_number, settings in (numbers or {}).items():
            self.set_number(phone_number, **({"voice_url": settings} if isinstance(settings, str) else settings))
        for application in self.applications.values():
            check_url(application.voice_url)
        self._refusals: list[Refusal] = []
        self._server = Server(self, host, port)
        self.app = self._server.app
        self.network.base_url = self.url = self._server.url

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> Self:
        """Begin to serve, in a daemonic thread."""
        self._server.start()
        return self

    def close(self) -> None:
        """Stop: calls are left as they are, nothing more is sent, all threads end."""
        self.network.close()
        self.courier.close()
        self.stage.close()
        self.clock.close()
        self._server.close()

    # -- the account -------------------------------------------------------------------------------------------------

    def set_number(self, phone_number: str, **settings: str) -> OwnNumber:
        """Buy a number, or change its settings (OwnNumber's fields)."""
        if not E164.fullmatch(phone_number):
            raise ValueError(f"{phone_number!r} is not a number in E.164 form")
        for name in ("voice_url", "voice_fallback_url", "status_callback"):
            if settings.get(name):
                check_url(settings[name])
        with self.network.lock:
            number = self.network.numbers.get(phone_number) or OwnNumber(phone_number)
            for name, value in settings.items():
                if name not in vars(number) or name in ("sid", "phone_number"):
                    raise ValueError(f"a number has no setting {name!r}")
                setattr(number, name, value)
            self.network.numbers[phone_number] = number
            self.network.touch()
        return number

    def behave(self, who: str, behaviour: Behaviour, after: float = 0.0, hang_up_after: float | None = None) -> None:
        """How `who` (a number or `client:identity`) reacts when it rings.

        `manual` waits for `answer`, `busy` …; `answer` picks up after `after` seconds (and hangs up `hang_up_after`
        seconds later, if given); `busy` declines after `after`; `no-answer` rings out (after `after`, if not 0);
        `unreachable` fails with SipResponseCode 404.
        """
        self.network.behave(who, behaviour, after, hang_up_after)

    # -- calling -----------------------------------------------------------------------------------------------------

    def call_in(
        self,
        from_: str,
        to: str,
        *,
        withheld: bool | Literal["keypad", "anonymous"] = False,
        forwarded_from: str = "",
        caller_name: str = "",
        extra: Mapping[str, str] | None = None,
    ) -> SimulatedCall:
        """Somebody outside calls one of our numbers. Returns at once; the webhook goes out from another thread.

        `withheld` hides the caller: True and "keypad" as `+266696687` (FromCountry=LS), "anonymous" as `anonymous`.

        Raises:
            NotPossible: `to` is not our number, or has no voice URL.
        """
        shown = {False: from_, True: WITHHELD, "keypad": WITHHELD, "anonymous": "anonymous"}[withheld]
        with self.network.lock:
            number = self.network.numbers.get(to)
            if number is None:
                raise NotPossible(f"{to} is not one of our numbers")
            if number.trunk_sid:
                raise NotPossible(f"{to} belongs to a SIP trunk, which the simulator does not play")
            asked = self.applications[number.voice_application_sid] if number.voice_application_sid else number
            if not asked.voice_url:
                raise NotPossible(f"{to} has no voice URL")
            leg = self.network.add_leg(shown, to, "inbound", "ringing")
            leg.number = number
            leg.extra = {"CallToken": "%7B%22parentCallInfoToken%22%3A%22eyJhbGciOiJFUzI1NiJ9.e30.x%22%7D"}
            leg.extra |= {"ForwardedFrom": forwarded_from} if forwarded_from else {}
            leg.extra |= {"CallerName": caller_name} if caller_name else {}
            leg.extra |= dict(extra or {})
            if asked.status_callback:
                leg.callback = Callback(asked.status_callback, asked.status_callback_method)
            self.stage.start(leg, _source_of(asked))
        return SimulatedCall(self, leg)

    def call_from_client(
        self, identity: str, application_sid: str, params: Mapping[str, str] | None = None
    ) -> SimulatedCall:
        """A browser softphone connects through a TwiML App; `params` come to the webhook as fields (`To` included).

        Raises:
            NotPossible: there is no such application.
        """
        application = self.applications.get(application_sid)
        if application is None:
            raise NotPossible(f"there is no application {application_sid}")
        given = dict(params or {})
        leg = self.network.add_leg(f"client:{identity}", given.get("To", ""), "inbound", "ringing")
        leg.extra = {"ApplicationSid": application_sid, **given}
        with self.network.lock:
            self.stage.start(leg, _source_of(application))
        return SimulatedCall(self, leg)

    # -- what people do ------------------------------------------------------------------------------------------------

    def leg(self, leg: Leg | str) -> Leg:
        """A leg by itself or by its sid. Raises NotPossible when it is not known."""
        if isinstance(leg, Leg):
            return leg
        try:
            return self.network.find(leg)
        except KeyError:
            raise NotPossible(f"there is no leg {leg}") from None

    def answer(self, leg: Leg | str) -> None:
        """The called party picks up. Raises NotPossible when the leg does not ring."""
        self.network.answer(self.leg(leg))

    def hang_up(self, leg: Leg | str) -> None:
        """The outside party hangs up (declines, when it rings at a called party). Raises NotPossible."""
        self.network.hang_up(self.leg(leg))

    def busy(self, leg: Leg | str) -> None:
        """The called party is busy, or declines. Raises NotPossible when the leg does not ring."""
        self.network.end_as(self.leg(leg), "busy")

    def ring_out(self, leg: Leg | str) -> None:
        """Nobody picks up: the ringing ends now, not at its timeout. Raises NotPossible when the leg does not ring."""
        self.network.end_as(self.leg(leg), "no-answer")

    def fail(self, leg: Leg | str) -> None:
        """The called party cannot be reached. Raises NotPossible when the leg does not ring."""
        self.network.end_as(self.leg(leg), "failed")

    def press(self, leg: Leg | str, digits: str) -> None:
        """The person on the leg presses keys. Raises NotPossible without a talk, ValueError for what is no key."""
        self.network.press(self.leg(leg), digits)

    def speak(self, leg: Leg | str, text: str) -> None:
        """The person on the leg says something that a <Gather> recognises. Raises NotPossible without a talk."""
        self.network.speak(self.leg(leg), text)

    def finish_recording(self, leg: Leg | str, seconds: float = 5.0, key: str = "#") -> None:
        """The person on the leg has spoken into a <Record>. Raises NotPossible without a talk."""
        self.network.finish_recording(self.leg(leg), seconds, key)

    # -- misbehaving ---------------------------------------------------------------------------------------------------

    def misbehave(
        self, kind: str, what: What, *, seconds: float = 0.0, times: int | None = 1, call_sid: str = ""
    ) -> Misbehaviour:
        """Treat the next webhook(s) of a kind badly; see `Misbehaviour`. Raises ValueError."""
        return self.courier.misbehave(Misbehaviour(kind, what, seconds, times, call_sid))

    def forgive(self, rule_id: int | None = None) -> None:
        """Take back one misbehaviour, or all of them (REST refusals also)."""
        self.courier.forgive(rule_id)
        if rule_id is None:
            with self.network.lock:
                self._refusals.clear()

    def release(self, order: Literal["given", "reverse"] = "reverse", call_sid: str = "") -> int:
        """Send the held callbacks, by default the last one first. How many there were."""
        return self.courier.release(order, call_sid)

    def refuse(self, code: int = 20429, message: str = "Too Many Requests", status: int = 429, times: int = 1) -> None:
        """Refuse the next REST requests with this error of Twilio's."""
        with self.network.lock:
            self._refusals.extend(Refusal(code, message, status) for _ in range(times))

    def take_refusal(self) -> Refusal | None:
        """The next ordered REST refusal, once."""
        with self.network.lock:
            return self._refusals.pop(0) if self._refusals else None

    # -- looking -------------------------------------------------------------------------------------------------------

    def legs(self, **wanted: Any) -> list[Leg]:
        """Legs whose attributes equal `wanted`, e.g. `legs(status="ringing", to="client:agent_3")`."""
        return self.network.legs(**wanted)

    def call(self, sid: str) -> SimulatedCall:
        """The call of this (root) leg, e.g. one created over REST. Raises NotPossible."""
        return SimulatedCall(self, self.leg(sid).root)

    @property
    def problems(self) -> list[Problem]:
        """The debugger, oldest first: everything Twilio would have complained about."""
        with self.network.lock:
            return list(self.network.problems)

    def deliveries(self, kind: str | None = None, call_sid: str | None = None) -> list[Delivery]:
        """Webhooks that were sent, in the order of their answers."""
        with self.network.lock:
            return [
                delivery
                for delivery in self.network.deliveries
                if kind in (None, delivery.kind) and call_sid in (None, delivery.call_sid)
            ]

    def wait_for(self, predicate: Callable[[], T | None], timeout: float = 5.0, what: str = "") -> T:
        """Wait until the predicate is true; it is asked, under the network's lock, after every change.

        Raises:
            TimeoutError: with the legs and problems there are.
        """
        deadline = time.monotonic() + timeout
        with self.network.lock:
            while True:
                value = predicate()
                if value:
                    return value
                left = deadline - time.monotonic()
                if left <= 0:
                    legs, problems = self.network.legs()[-8:], list(self.network.problems)[-5:]
                    raise TimeoutError(f"waited {timeout} s for {what or 'it'}; legs {legs}; problems {problems}")
                self.network.changed.wait(left)

    def wait_until_delivered(self, timeout: float = 5.0) -> None:
        """Wait until no callback is on its way. Raises TimeoutError."""
        self.wait_for(self.courier.idle, timeout, "all callbacks to be delivered")


def _source_of(asked: OwnNumber | Application) -> Source:
    """Where the first TwiML comes from; a TwiML App's URLs replace those of a number that names it
    (https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource)."""
    return Source(
        asked.voice_url,
        asked.voice_method,
        "incoming",
        fallback_url=asked.voice_fallback_url,
        fallback_method=asked.voice_fallback_method,
    )
