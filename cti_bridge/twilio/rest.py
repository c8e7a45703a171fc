"""What we ask of Twilio over REST: place a call. Time-outs on everything, errors in our words."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from cti_bridge.errors import PhoneNetworkError
from cti_bridge.logbook import get_logger
from cti_bridge.settings import Settings

if TYPE_CHECKING:
    from twilio.rest import Client

log = get_logger(__name__)

TIMEOUT = 8.0
"""Seconds for one request: an agent who clicked waits for it."""

TOO_MANY_REQUESTS = 429
_API = "https://api.twilio.com"


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """The call that Twilio has begun: ``sid`` is its root leg's."""

    sid: str


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

    def _create(self, arguments: dict[str, Any]) -> str:
        from twilio.base.exceptions import TwilioException, TwilioRestException  # noqa: PLC0415  (loads the client)

        try:
            return str(self._get_client().calls.create(**arguments).sid)
        except TwilioRestException as problem:
            code = TOO_MANY_REQUESTS if problem.status == TOO_MANY_REQUESTS else int(problem.code or 0)
            raise PhoneNetworkError(str(problem.msg), code=code) from problem
        except (TwilioException, requests.RequestException) as problem:
            raise PhoneNetworkError(f"Twilio did not answer ({type(problem).__name__}).") from problem

    def _get_client(self) -> Client:
        if self._client is None:
            self._client = _make_client(self._settings)
        return self._client


def _make_client(settings: Settings) -> Client:
    from twilio.http.http_client import TwilioHttpClient  # noqa: PLC0415  (98 ms and 19 MB; not for who never dials)
    from twilio.rest import Client  # noqa: PLC0415

    class LoopbackHttpClient(TwilioHttpClient):  # type: ignore[misc]  # the library has no types
        """Sends to the simulator what was meant for Twilio."""

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            return super().request(method, url.replace(_API, settings.twilio_api_url or _API, 1), *args, **kwargs)

    http_client = (LoopbackHttpClient if settings.twilio_api_url else TwilioHttpClient)(timeout=TIMEOUT)
    if settings.twilio_api_key and settings.twilio_api_secret:
        username, password = settings.twilio_api_key, settings.twilio_api_secret.get_secret_value()
    else:
        username, password = settings.twilio_account_sid, settings.twilio_auth_tokens[0].get_secret_value()
    # A non-empty environment keeps the library from reading TWILIO_REGION and TWILIO_EDGE, which redirect every request.
    return Client(username, password, settings.twilio_account_sid, http_client=http_client, environment={"_": ""})
