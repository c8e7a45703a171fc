"""Playing TwiML on a leg: fetch, check, verb after verb, on the leg's own thread. `<Dial>` is in dial.py.

Unsure (not confirmed by documentation; see the functions): how an unanswered inbound call ends when its document is
over, and what <Reject> leaves as status.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urljoin, urlsplit, urlunsplit

from . import twiml, wire
from .dial import dial
from .model import APOLOGY, Callback, Leg, Source, Status
from .network import CallOver, Diverted, Network
from .request import FailedRequest
from .twiml import Document, TwimlError, Verb
from .webhooks import Courier

_PATIENCE_AT_END = 5.0
_log = logging.getLogger(__name__)


class Over(Exception):
    """The document says that the call ends now (Hangup, Reject)."""


class Script:
    """What plays TwiML on one leg. `url` is where the current document came from: relative URLs start there."""

    def __init__(self, network: Network, courier: Courier, leg: Leg, *, strict: bool, say_seconds: float) -> None:
        self.network = network
        self.courier = courier
        self.leg = leg
        self.strict = strict
        self.say_seconds = say_seconds
        self.whispering = False
        self.source = Source()
        self.url = ""

    def run(self, source: Source) -> None:
        """Play until the call or the document is over; then hang up (or, for a whisper, connect the two)."""
        following: Source | None = source
        try:
            while following is not None:
                try:
                    following = self._perform(following)
                except Diverted:
                    following, self.leg.diversion = self.leg.diversion, None
                    self.whispering = False
            self._document_over()
        except CallOver:
            pass
        except Over:
            self._hang_up()

    def _perform(self, source: Source) -> Source | None:
        self.source, self.url = source, source.url
        try:
            document = self.load(source)
            for verb in document.verbs:
                self.network.check(self.leg)
                following = _PLAY[verb.name](self, verb)
                if following is not None:
                    return following
        except (TwimlError, FailedRequest) as error:
            self._report(error)
            return self._instead(source, error)
        return None

    # -- documents ---------------------------------------------------------------------------------------------------

    def load(self, source: Source) -> Document:
        """The checked document of a source.

        Raises:
            FailedRequest: the webhook gave no usable answer. TwimlError: it gave something that cannot be played.
            CallOver: the caller hung up meanwhile.
        """
        if source.twiml is not None:
            document = twiml.parse(source.twiml, absolute_urls=True)
        else:
            with self.network.lock:
                params = wire.call_parameters(self.leg, self.network.account_sid) | source.params
            answer = self.courier.fetch(source.kind, self.leg.sid, source.url, source.method, params)
            self.network.check(self.leg)
            self.url = answer.url
            document = twiml.read(answer.body, answer.content_type)
        for code, message in document.warnings:
            if self.strict:
                raise TwimlError(code, message)
            self.network.problem(code, message, call_sid=self.leg.sid, url=self.url, warning=True)
        for verb in document.verbs:
            if reason := twiml.unplayable(verb):
                raise TwimlError(0, reason)
            if self.whispering and verb.name in ("Dial", "Record", "Reject"):
                raise TwimlError(13201, f"<{verb.name}> is not allowed before a called party is connected")
        return document

    def _report(self, error: TwimlError | FailedRequest) -> None:
        self.network.problem(error.code, error.message, call_sid=self.leg.sid, url=self.url or self.source.url)

    def _instead(self, source: Source, error: TwimlError | FailedRequest) -> Source | None:
        """The fallback URL with ErrorCode and ErrorUrl; where there is none (left), Twilio's apology and the end."""
        self.network.check(self.leg)
        if source.fallback_url:
            params = {"ErrorCode": str(error.code), "ErrorUrl": source.url}
            url, method = source.fallback_url, source.fallback_method
            return replace(source, url=url, method=method, params=params, fallback_url="", twiml=None)
        self.network.answer_inbound(self.leg)
        self.network.heard(self.leg, "error", APOLOGY, "en-US")
        raise Over

    def resolve(self, url: str) -> str:
        """An absolute URL, keeping a fragment with connection overrides."""
        parts = urlsplit(self.url)
        return urljoin(urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, "")), url)

    def follow(self, verb: Verb, params: dict[str, str]) -> Source:
        """The source of a verb's `action`, or of the current document again when it has none."""
        if "action" not in verb.attributes:
            return replace(self.source, url=self.url, params=params)
        url = self.resolve(verb.get("action"))
        return replace(
            self.source, url=url, method=verb.get("method", "POST"), kind="result", params=params, twiml=None
        )

    def callback(self, verb: Verb, prefix: str) -> Callback | None:
        """`statusCallback…` or `recordingStatusCallback…` of a verb or noun; events not known are left out."""
        url = verb.get(prefix)
        if not url:
            return None
        events = verb.get(prefix + "Event", "completed").split(" ")
        return Callback(self.resolve(url), verb.get(prefix + "Method", "POST"), frozenset(events))

    # -- endings -----------------------------------------------------------------------------------------------------

    def _document_over(self) -> None:
        if not self.whispering:
            self._hang_up()
            return
        with self.network.lock:
            self.leg.scripted = False
            self.network.bridge(self.leg)

    def _hang_up(self) -> None:
        """End the call. Unsure: an inbound call that was never answered, because its answerOnBridge <Dial> reached
        nobody, ends as that <Dial> did (busy, no-answer, failed); any other is answered and completed, as
        https://www.twilio.com/docs/voice/twiml/hangup says of a <Hangup> that stands first."""
        with self.network.lock:
            if self.leg.status == "ringing" and self.leg.failing_status is not None:
                self.network.end(self.leg, self.leg.failing_status)
            else:
                self.network.answer_inbound(self.leg)
                self.network.end(self.leg, "completed")

    # -- verbs -------------------------------------------------------------------------------------------------------

    def say(self, verb: Verb) -> None:
        self.network.answer_inbound(self.leg)
        if verb.text:
            self.network.heard(self.leg, "say", verb.text, verb.get("language", "en-US"), verb.get("voice"))
        if self.say_seconds:
            self.network.wait(self.leg, lambda: False, self.say_seconds)

    def play(self, verb: Verb) -> None:
        self.network.answer_inbound(self.leg)
        self.network.heard(self.leg, "play", verb.get("digits") or verb.text)

    def pause(self, verb: Verb) -> None:
        self.network.wait(self.leg, lambda: False, verb.whole("length", 1))

    def hangup(self, _verb: Verb) -> None:
        raise Over

    def redirect(self, verb: Verb) -> Source:
        method = verb.get("method", "POST")
        return replace(self.source, url=self.resolve(verb.text), method=method, kind="result", params={}, twiml=None)

    def reject(self, verb: Verb) -> None:
        """Unsure: `rejected` leaves no-answer (documented is only what the caller hears)."""
        if self.leg.direction != "inbound" or self.leg.status != "ringing":
            raise TwimlError(12200, "<Reject> only works before an incoming call is answered")
        status: Status = "busy" if verb.get("reason") == "busy" else "no-answer"
        self.network.end(self.leg, status)
        raise CallOver

    def gather(self, verb: Verb) -> Source | None:
        """Input comes from `press` and `speak`. Without any the next verb runs, unless actionOnEmptyResult."""
        self.network.answer_inbound(self.leg)
        for child in verb.children:
            _PLAY[child.name](self, child)
        listens = verb.get("input", "dtmf").split()
        params = self._keys(verb) if "dtmf" in listens else {}
        if not params and "speech" in listens:
            params = self._speech(verb)
        if params or verb.says("actionOnEmptyResult"):
            return self.follow(verb, params or {"Digits": ""})
        return None

    def _keys(self, verb: Verb) -> dict[str, str]:
        finish, most = verb.get("finishOnKey", "#"), verb.whole("numDigits", 0)
        leg = self.leg

        def complete() -> int | None:
            ends = [leg.keys.index(key) for key in finish if key in leg.keys]
            if ends:
                return min(ends)
            return most if most and len(leg.keys) >= most else None

        speaks = "speech" in verb.get("input")
        while True:
            seen = leg.keys
            more = self.network.wait(
                leg,
                lambda seen=seen: complete() is not None or leg.keys != seen or (speaks and leg.speech),  # type: ignore[misc]
                verb.whole("timeout", 5),
            )
            with self.network.lock:
                end = complete()
                if end is None and more and not (speaks and leg.speech):
                    continue
                end = len(leg.keys) if end is None else end
                digits, key = leg.keys[:end], leg.keys[end : end + 1]
                stopped = key if key and key in finish else ""
                leg.keys = leg.keys[end + len(stopped) :]
            return {"Digits": digits, "FinishedOnKey": stopped, "msg": "Gather End"} if digits or stopped else {}

    def _speech(self, verb: Verb) -> dict[str, str]:
        seconds = None if self.leg.speech else verb.whole("timeout", 5)
        self.network.wait(self.leg, lambda: self.leg.speech, seconds)
        with self.network.lock:
            text, self.leg.speech = self.leg.speech, None
        return {"SpeechResult": text, "Confidence": "0.9"} if text else {}

    def record(self, verb: Verb) -> Source | None:
        """Ends by `finish_recording`, by the caller hanging up (`Digits=hangup`), or after maxLength seconds."""
        network, leg = self.network, self.leg
        network.answer_inbound(leg)
        recording = network.start_recording(leg, "RecordVerb", 1, self.callback(verb, "recordingStatusCallback"))
        seconds, key = None, ""
        gone: CallOver | None = None
        try:
            done = network.wait(leg, lambda: leg.finished_recording, verb.whole("maxLength", 3600))
            leg.finished_recording = None
            if done is not None:
                seconds, key = done
        except CallOver as over:
            gone, key = over, "hangup"
        network.stop_recording(recording, seconds)
        params = {
            "RecordingUrl": recording.url,
            "RecordingSid": recording.sid,
            "RecordingDuration": str(recording.duration),
            "Digits": key,
        }
        if gone is not None:
            if "action" in verb.attributes:
                self.tell(self.follow(verb, params))
            raise gone
        return self.follow(verb, params)

    def tell(self, source: Source) -> None:
        """Request a source although the call is over: its answer is not played, only its failure is noted."""
        with self.network.lock:
            if self.network.closed:
                return
            params = wire.call_parameters(self.leg, self.network.account_sid) | source.params
        try:
            self.courier.fetch(source.kind, self.leg.sid, source.url, source.method, params)
        except FailedRequest as error:
            self._report(error)


_PLAY: dict[str, Callable[[Script, Verb], Source | None]] = {
    "Say": Script.say,
    "Play": Script.play,
    "Pause": Script.pause,
    "Hangup": Script.hangup,
    "Redirect": Script.redirect,
    "Reject": Script.reject,
    "Gather": Script.gather,
    "Record": Script.record,
    "Dial": dial,
}


class Stage:
    """Starts scripts, each on its own daemonic thread, and can wait for them all."""

    def __init__(
        self,
        network: Network,
        courier: Courier,
        *,
        strict: bool,
        say_seconds: float,
        calls_per_second: float | None,
    ) -> None:
        self._network = network
        self._courier = courier
        self._strict = strict
        self._say_seconds = say_seconds
        self._interval = 1 / calls_per_second if calls_per_second else 0.0
        self._next_turn = 0.0
        self._threads: set[threading.Thread] = set()
        network.start_script = self.start

    def start(self, leg: Leg, source: Source, whisper: bool = False) -> None:
        """Play `source` on the leg."""
        leg.scripted = True
        self._spawn(leg, lambda script: script.run(source), whisper)

    def place(self, leg: Leg, source: Source) -> None:
        """Dial a leg created over REST when its turn has come (calls per second), and play `source` when answered."""
        with self._network.lock:
            now = self._network.clock.now().timestamp()
            wait = max(0.0, self._next_turn - now)
            self._next_turn = now + wait + self._interval
            leg.queue_ms = round(wait * 1000)
            leg.scripted = True

        def play(script: Script) -> None:
            try:
                if wait:
                    self._network.wait(leg, lambda: False, wait)
                self._network.ring(leg)
                self._network.wait(leg, lambda: leg.status == "in-progress")
            except CallOver:
                return
            script.run(source)

        self._spawn(leg, play, whisper=False)

    def _spawn(self, leg: Leg, play: Callable[[Script], None], whisper: bool) -> None:
        script = Script(self._network, self._courier, leg, strict=self._strict, say_seconds=self._say_seconds)
        script.whispering = whisper

        def run() -> None:
            try:
                play(script)
            except Exception as error:  # noqa: BLE001 (a bug of ours must be seen, not end the network)
                _log.exception("a bug of the simulator")
                self._network.problem(0, f"a bug of the simulator: {error!r}", call_sid=leg.sid)
                self._network.end(leg, "failed")
            finally:
                with self._network.lock:
                    leg.scripted = False
                    self._threads.discard(thread)
                    self._network.touch(leg)

        thread = threading.Thread(target=run, name=f"simulator-{leg.sid[:8]}", daemon=True)
        with self._network.lock:
            if self._network.closed:
                return
            self._threads.add(thread)
            thread.start()

    def close(self) -> None:
        """Wait for the scripts; the network must have been closed before."""
        with self._network.lock:
            threads = list(self._threads)
        deadline = time.monotonic() + _PATIENCE_AT_END
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
