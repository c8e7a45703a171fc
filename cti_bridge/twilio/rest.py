"""What we ask of Twilio over REST: place a call, hear a recording, look at our numbers and set where they ask.

Time-outs on everything, errors in our words.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import requests

from cti_bridge.errors import PhoneNetworkError, RecordingMissing
from cti_bridge.logbook import get_logger
from cti_bridge.settings import Settings

if TYPE_CHECKING:
    from twilio.rest import Client

log = get_logger(__name__)

T = TypeVar("T")

TIMEOUT = 8.0
"""Seconds for one request: an agent who clicked waits for it."""

TOO_MANY_REQUESTS = 429
NOT_FOUND = 404

CHUNK = 64 * 1024
"""Bytes of a recording that are held at a time: sixteen seconds of sound."""

_API = "https://api.twilio.com"
_UNFINISHED = frozenset({"in-progress", "paused", "stopped", "processing", "completed"})
"""A recording's states in which its sound may still come; ``completed`` may run ahead of the file. The others are
``absent`` (too short, or silent) and ``deleted`` (https://www.twilio.com/docs/voice/api/recording)."""


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """The call that Twilio has begun: ``sid`` is its root leg's."""

    sid: str


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording's sound (MP3) on its way from Twilio. Read ``chunks`` once; ``close`` it, read or not.

    ``status`` is 200, 206 (the part that was asked for) or 416 (there is no such part). ``headers`` are those that
    describe the bytes: Content-Length, Content-Range, Accept-Ranges, ETag, Last-Modified. ``chunks`` raises
    PhoneNetworkError when Twilio breaks off.
    """

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Wiring:
    """Whom Twilio asks when a number, or a TwiML App, is called; whom when that fails; whom it tells of the end."""

    voice_url: str = ""
    voice_method: str = "POST"
    fallback_url: str = ""
    status_url: str = ""
    status_method: str = "POST"


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """One of the account's numbers. An ``application_sid`` or ``trunk_sid`` takes the place of its own ``wiring``."""

    sid: str
    number: str
    wiring: Wiring
    application_sid: str = ""
    trunk_sid: str = ""
    takes_calls: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """``status`` is ``active``, ``suspended`` or ``closed``; a ``trial`` account rings verified numbers only."""

    status: str
    trial: bool


_SILENT = logging.Logger("twilio", logging.CRITICAL + 1)  # noqa: LOG001  (it hangs in no tree, and nobody turns it up)
"""For Twilio's library, which would tell a host app's log every request's address and parameters, numbers and all."""


class PhoneNetwork:
    """Twilio's REST interface. The client is heavy (26 MB) and made on first use; ``warm_up`` makes it ahead of need."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None

    def warm_up(self) -> None:
        """Load the client and its products, so that the first click-to-dial is as quick as the second."""
        _ = self._get_client().calls

    def place_call(self, *, to: str, from_: str, url: str, status_callback: str, timeout: int = 30) -> PlacedCall:
        """Ring ``to`` (E.164), showing ``from_``; when it is answered Twilio asks ``url`` what to do.

        Raises PhoneNetworkError with Twilio's code. A 429 was never processed, so it is tried once more; a time-out
        may have begun the call and is not (https://www.twilio.com/docs/usage/rate-limits).
        """
        arguments: dict[str, Any] = {
            "to": to,
            "from_": from_,
            "url": url,
            "method": "POST",
            "status_callback": status_callback,
            "status_callback_method": "POST",
            "status_callback_event": ["initiated", "ringing", "answered", "completed"],
            "timeout": timeout,
        }
        try:
            return PlacedCall(self._create(arguments))
        except PhoneNetworkError as problem:
            if problem.code != TOO_MANY_REQUESTS:
                raise
        time.sleep(1.0)  # Twilio counts per second; the agent waits no longer than for a slow answer
        return PlacedCall(self._create(arguments))

    def open_recording(self, recording_id: str, wanted: Mapping[str, str]) -> Sound:
        """The sound of this recording (``RE…``). ``wanted`` may hold Range and If-Range, and is passed on.

        Raises RecordingMissing, or PhoneNetworkError with the HTTP status or 0. Twilio answers 404 for what is not
        ready as for what was deleted; the recording's own description tells which.
        """
        answer = self._fetch(f"{recording_id}.mp3", {"Accept-Encoding": "identity", **wanted})
        is_sound = answer.headers.get("Content-Type", "").startswith("audio/")
        if answer.status_code == 416 or (answer.status_code in (200, 206) and is_sound):
            headers = {name: answer.headers[name] for name in _DESCRIBING if name in answer.headers}
            if "Content-Encoding" in answer.headers:  # the length is that of something else
                headers.pop("Content-Length", None)
            return Sound(answer.status_code, headers, _chunks(answer), answer.close)
        answer.close()
        if answer.status_code == NOT_FOUND:
            raise RecordingMissing(comes_later=self._is_unfinished(recording_id))
        raise PhoneNetworkError(f"Twilio answered {answer.status_code}.", code=answer.status_code)

    def account(self, token: str) -> Account:
        """The account, asked with this auth token: webhooks are signed with it, so a wrong one refuses them all.

        Raises PhoneNetworkError, with code 20003 when the token is not this account's.
        """
        settings = self._settings
        url = f"{settings.twilio_api_url or _API}/2010-04-01/Accounts/{settings.twilio_account_sid}.json"
        try:
            answer = requests.get(url, auth=(settings.twilio_account_sid, token), timeout=TIMEOUT)
            told = answer.json()
        except requests.RequestException as problem:  # also JSON that is none
            raise PhoneNetworkError(f"Twilio did not answer ({type(problem).__name__}).") from problem
        if answer.status_code != 200 or not isinstance(told, dict):
            code = told.get("code") if isinstance(told, dict) else None
            words = told.get("message") if isinstance(told, dict) else None
            raise PhoneNetworkError(str(words or f"Twilio answered {answer.status_code}."), code=int(code or 0))
        return Account(str(told.get("status", "")), told.get("type") == "Trial")

    def own_numbers(self) -> list[OwnNumber]:
        """All numbers of the account, a thousand in one request. Raises PhoneNetworkError with Twilio's code."""
        found = self._asked(lambda: self._get_client().incoming_phone_numbers.list(page_size=1000))
        return [_own_number(resource) for resource in found]

    def connect_number(self, sid: str, wiring: Wiring) -> OwnNumber:
        """Have this number (``PN…``) ask there, and no TwiML App; as Twilio says that it stands afterwards."""
        changed = self._asked(
            lambda: (
                self._get_client()
                .incoming_phone_numbers(sid)
                .update(
                    voice_url=wiring.voice_url,
                    voice_method=wiring.voice_method,
                    voice_fallback_url=wiring.fallback_url,
                    status_callback=wiring.status_url,
                    status_callback_method=wiring.status_method,
                    voice_application_sid="",
                )
            )
        )
        return _own_number(changed)

    def application(self, sid: str) -> Wiring:
        """Where this TwiML App (``AP…``) asks. Raises PhoneNetworkError, with code 20404 when there is none."""
        return _wiring(self._asked(lambda: self._get_client().applications(sid).fetch()))

    def _is_unfinished(self, recording_id: str) -> bool:
        with self._fetch(f"{recording_id}.json", {}) as answer:
            if answer.status_code == NOT_FOUND:
                return False
            try:
                return answer.json()["status"] in _UNFINISHED
            except (requests.RequestException, ValueError, KeyError, TypeError) as problem:
                raise PhoneNetworkError(f"Twilio answered {answer.status_code}.", code=answer.status_code) from problem

    def _fetch(self, name: str, headers: Mapping[str, str]) -> requests.Response:
        """Not with Twilio's library: it would hold a whole recording in memory. A redirect to another host (recordings
        kept in the customer's own storage) takes no credentials along; requests sees to that."""
        settings = self._settings
        api = settings.twilio_api_url or _API
        url = f"{api}/2010-04-01/Accounts/{settings.twilio_account_sid}/Recordings/{name}"
        try:
            return requests.get(url, auth=_credentials(settings), headers=headers, stream=True, timeout=TIMEOUT)
        except requests.RequestException as problem:
            raise PhoneNetworkError(f"Twilio did not answer ({type(problem).__name__}).") from problem

    def _create(self, arguments: dict[str, Any]) -> str:
        return str(self._asked(lambda: self._get_client().calls.create(**arguments)).sid)

    def _asked(self, ask: Callable[[], T]) -> T:
        from twilio.base.exceptions import TwilioException, TwilioRestException  # noqa: PLC0415  (loads the client)

        try:
            return ask()
        except TwilioRestException as problem:
            code = TOO_MANY_REQUESTS if problem.status == TOO_MANY_REQUESTS else int(problem.code or 0)
            raise PhoneNetworkError(str(problem.msg), code=code) from problem
        except TwilioException as problem:
            raise _page_refused(problem) from problem
        except requests.RequestException as problem:
            raise PhoneNetworkError(f"Twilio did not answer ({type(problem).__name__}).") from problem

    def _get_client(self) -> Client:
        if self._client is None:
            self._client = _make_client(self._settings)
        return self._client


def _page_refused(problem: Exception) -> PhoneNetworkError:
    """A list that Twilio refused comes as a plain exception that holds the response, unlike everything else."""
    response = next((part for part in problem.args if hasattr(part, "status_code")), None)
    try:
        told = json.loads(response.text) if response is not None else {}
        return PhoneNetworkError(str(told["message"]), code=int(told["code"]))
    except (ValueError, KeyError, TypeError):
        return PhoneNetworkError(f"Twilio did not answer ({type(problem).__name__}).")


def _own_number(resource: Any) -> OwnNumber:
    return OwnNumber(
        sid=resource.sid,
        number=resource.phone_number,
        wiring=_wiring(resource),
        application_sid=resource.voice_application_sid or "",
        trunk_sid=resource.trunk_sid or "",
        takes_calls=bool((resource.capabilities or {}).get("voice", True)),
    )


def _wiring(resource: Any) -> Wiring:
    return Wiring(
        voice_url=resource.voice_url or "",
        voice_method=resource.voice_method or "POST",
        fallback_url=resource.voice_fallback_url or "",
        status_url=resource.status_callback or "",
        status_method=resource.status_callback_method or "POST",
    )


_DESCRIBING = ("Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified")


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    try:
        yield from answer.iter_content(CHUNK)
    except requests.RequestException as problem:
        raise PhoneNetworkError(f"Twilio broke off a recording ({type(problem).__name__}).") from problem


def _credentials(settings: Settings) -> tuple[str, str]:
    if settings.twilio_api_key and settings.twilio_api_secret:
        return settings.twilio_api_key, settings.twilio_api_secret.get_secret_value()
    return settings.twilio_account_sid, settings.twilio_auth_tokens[0].get_secret_value()


def _make_client(settings: Settings) -> Client:
    from twilio.http.http_client import TwilioHttpClient  # noqa: PLC0415  (98 ms and 19 MB; not for who never dials)
    from twilio.rest import Client  # noqa: PLC0415

    class LoopbackHttpClient(TwilioHttpClient):  # type: ignore[misc]  # the library has no types
        """Sends to the simulator what was meant for Twilio."""

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            return super().request(method, url.replace(_API, settings.twilio_api_url or _API, 1), *args, **kwargs)

    http_client = (LoopbackHttpClient if settings.twilio_api_url else TwilioHttpClient)(timeout=TIMEOUT, logger=_SILENT)
    username, password = _credentials(settings)
    # A non-empty environment keeps the library from reading TWILIO_REGION and TWILIO_EDGE, which redirect every request.
    return Client(username, password, settings.twilio_account_sid, http_client=http_client, environment={"_": ""})
