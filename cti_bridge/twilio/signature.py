"""Is this webhook Twilio's? Verifies signatures over the public address and the raw request target; refuses on any doubt.

Never ``request.url``: it decodes what was signed encoded (a caller's 山田 in a query) and raises on hostile Host headers.
(https://www.twilio.com/docs/usage/webhooks/webhooks-security)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from flask import Request
from twilio.request_validator import RequestValidator, get_signature_algorithm

from cti_bridge.logbook import get_logger

log = get_logger(__name__)

SIGNATURE = "X-Twilio-Signature"
SETTINGS = "X-Twilio-Webhooks-Signature-Settings"


def raw_target(environ: Mapping[str, Any]) -> str:
    """The request target byte for byte as it was sent: ``/twilio/voice/status?call=CA1&q=%E5%B1%B1``.

    gunicorn gives RAW_URI, waitress REQUEST_URI, Werkzeug both; elsewhere it is put together again, which cannot restore
    an encoded slash.
    """
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if target:
        return str(target) if target.startswith("/") else "/" + str(target).split("://", 1)[-1].partition("/")[2]
    path = quote(environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"], encoding="latin-1")
    query = environ.get("QUERY_STRING")
    return f"{path}?{query}" if query else path


class Signatures:
    """Verifies with every auth token, or every shared key, that is configured: there are two while one is rotated."""

    def __init__(self, public_url: str, tokens: Iterable[str], shared_keys: Iterable[str] = ()) -> None:
        self._public_url = public_url
        self._by_token = [RequestValidator(token) for token in tokens]
        self._by_key = [RequestValidator(key) for key in shared_keys]

    def verify(self, request: Request) -> bool:
        """Whether Twilio signed exactly this request. False, and never an exception, for anything else."""
        try:
            return self._verify(request)
        except Exception as problem:  # noqa: BLE001  (whatever a hostile request breaks, it is refused)
            log.warning("signature_check_failed", problem=type(problem).__name__)
            return False

    def _verify(self, request: Request) -> bool:
        signature = request.headers.get(SIGNATURE)
        if not signature or not signature.isascii():
            return False
        url = self._public_url + raw_target(request.environ)
        signed = _signed_part(request)
        settings = request.headers.get(SETTINGS)
        if settings:
            algorithm = get_signature_algorithm(settings)
            return any(key.validate(url, signed, signature, algorithm=algorithm) for key in self._by_key)
        return any(token.validate(url, signed, signature) for token in self._by_token)


def _signed_part(request: Request) -> Any:
    """What the signature covers beside the URL: the form, or a JSON body by the hash that stands in the query."""
    if request.method == "GET":
        return {}
    if request.mimetype == "application/json":
        if "bodySHA256" not in request.args:
            raise ValueError("a JSON body without its hash in the query is not signed")
        return request.get_data(as_text=True)
    return request.form
