"""One signed webhook over HTTP, byte for byte as asked: overrides, retries, redirects. It knows no calls.

`http.client` is used directly, because the usual clients rewrite percent-escapes in the URL, and then the signature
(which Twilio makes over the URL as it requests it) would not be over what was sent.

Sources: https://www.twilio.com/docs/usage/webhooks/webhooks-security,
https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides.
"""

from __future__ import annotations

import gzip
import http.client
import ipaddress
import socket
import time
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from twilio.request_validator import RequestValidator

CALL_PROCESSING_SECONDS = 15.0
MAX_REDIRECTS = 10
_MAX_BODY = 1_000_000
_RETRIABLE = frozenset({"4xx", "5xx", "ct", "rt", "all"})


class RefusedUrl(ValueError):
    """The URL cannot be used as a webhook here. The message says why, for people."""


class FailedRequest(Exception):
    """No usable answer came. `code` is Twilio's error code, `message` says what happened."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Overrides:
    """Connection overrides of a URL's fragment, in seconds. `complaints` name values outside the documented ranges."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0
    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What the webhook said: `url` is the one that finally answered, without fragment."""

    status: int
    content_type: str
    body: bytes
    url: str


@dataclass(frozen=True)
class Attempt:
    """One request that left: for the history. Exactly one of `status` and `error` tells."""

    url: str
    status: int | None
    error: str
    token: str
    seconds: float


@dataclass(frozen=True)
class Webhook:
    """What to send. `token`: send this idempotency token with every attempt, not only with retries."""

    url: str
    method: str
    params: Mapping[str, str]
    auth_token: str
    token: str = ""
    lose_first_answer: bool = False
    patience: float = CALL_PROCESSING_SECONDS
    headers: Mapping[str, str] = field(default_factory=dict)


def check_url(url: str) -> str:
    """The URL itself, when it can be called here.

    Raises:
        RefusedUrl: not an absolute http URL, a host Twilio refuses (with `_`), or a host that is not this machine.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise RefusedUrl(f"{url!r} is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise RefusedUrl(f"{url!r} is not an absolute http(s) URL")
    if "_" in host:
        raise RefusedUrl(f"{url!r}: Twilio refuses host names with an underscore")
    if not is_loopback(host):
        raise RefusedUrl(f"{url!r} is not on this machine: the simulator only ever calls 127.0.0.1, ::1 and localhost")
    if parts.scheme == "https":
        raise RefusedUrl(f"{url!r}: the simulator speaks plain http only")
    return url


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def overrides(url: str) -> Overrides:
    """Read the `#ct=…&rc=…` fragment. Values out of range are complained of, and the default stays."""
    complaints: list[str] = []
    got = dict(parse_qsl(urlsplit(url).fragment, keep_blank_values=True))

    def number(key: str, low: int, high: int, default: int) -> int:
        text = got.get(key)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            complaints.append(f"{key}={text} is not between {low} and {high}")
            return default
        return int(text)

    retry_on = frozenset(got["rp"].split(",")) if "rp" in got else frozenset({"ct"})
    if retry_on - _RETRIABLE:
        complaints.append(f"rp={got['rp']} has other values than {', '.join(sorted(_RETRIABLE))}")
        retry_on = frozenset({"ct"})
    return Overrides(
        connect=number("ct", 100, 10000, 5000) / 1000,
        read=number("rt", 100, 15000, 15000) / 1000,
        total=number("tt", 100, 15000, 15000) / 1000,
        retries=number("rc", 0, 5, 1),
        retry_on=retry_on,
        complaints=tuple(complaints),
    )


def sign(auth_token: str, url: str, params: Mapping[str, str]) -> str:
    """`X-Twilio-Signature` for a request to `url` (without fragment) with these form fields ({} for GET)."""
    return str(RequestValidator(auth_token).compute_signature(url, dict(params)))


def bare(url: str) -> str:
    """The URL as it is requested and signed: no fragment, no userinfo, what is not ASCII percent-encoded."""
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    path, query = (quote(text, safe="/%:@!$&'()*+,;=~?-._") for text in (parts.path or "/", parts.query))
    return urlunsplit((parts.scheme, netloc, path, query, ""))


def send(webhook: Webhook, told: Callable[[Attempt], None]) -> Answer:
    """Send, retrying as the URL's overrides say, and follow redirects.

    Every attempt that left is told to `told`. A retry carries `I-Twilio-Idempotency-Token`.

    Raises:
        RefusedUrl: the URL (or the place it redirects to) is not on this machine.
        FailedRequest: 11205 no connection or no answer in time, 11200 an HTTP error status, 11215 too many redirects.
    """
    rules = overrides(check_url(webhook.url))
    deadline = time.monotonic() + min(rules.total, webhook.patience)
    token = webhook.token or str(uuid.uuid4())
    failure = FailedRequest(11205, f"{webhook.url} was not requested")
    lost = webhook.lose_first_answer
    for attempt in range(max(rules.retries, 1 if lost else 0) + 1):
        carried = token if attempt or webhook.token else ""
        try:
            answer = _follow(webhook, rules, deadline, carried, told, forget=lost and attempt == 0)
        except _Unreached as unreached:
            failure = FailedRequest(11205, str(unreached))
            again = unreached.reason in rules.retry_on or "all" in rules.retry_on or (lost and attempt == 0)
        else:
            if answer.status < 400:
                return answer
            failure = FailedRequest(11200, f"{answer.url} answered {answer.status}")
            again = f"{answer.status // 100}xx" in rules.retry_on or "all" in rules.retry_on
        if not again or time.monotonic() >= deadline:
            break
    raise failure


class _Unreached(Exception):
    """No answer: `reason` is ct (not connected) or rt (connected, not answered)."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def _follow(
    webhook: Webhook,
    rules: Overrides,
    deadline: float,
    token: str,
    told: Callable[[Attempt], None],
    *,
    forget: bool,
) -> Answer:
    url, method, params = webhook.url, webhook.method, dict(webhook.params)
    for _ in range(MAX_REDIRECTS + 1):
        started = time.monotonic()
        try:
            status, headers, body, requested = _once(webhook, url, method, params, rules, deadline, token)
        except _Unreached as unreached:
            told(Attempt(bare(url), None, str(unreached), token, time.monotonic() - started))
            raise
        told(Attempt(requested, status, "", token, time.monotonic() - started))
        if forget:
            raise _Unreached("rt", f"the answer of {requested} was lost on its way, on purpose")
        location = headers.get("Location")
        if status not in (301, 302, 303, 307, 308) or not location:
            return Answer(status, headers.get("Content-Type", ""), body, requested)
        url = check_url(urljoin(requested, location))
        if status in (301, 302, 303):
            method, params = "GET", {}
    raise FailedRequest(11215, f"{webhook.url} redirected more than {MAX_REDIRECTS} times")


def _once(
    webhook: Webhook,
    url: str,
    method: str,
    params: dict[str, str],
    rules: Overrides,
    deadline: float,
    token: str,
) -> tuple[int, http.client.HTTPMessage, bytes, str]:
    requested = bare(url)
    if method == "GET" and params:
        requested += ("&" if urlsplit(requested).query else "?") + urlencode(params)
    body = urlencode(params).encode() if method == "POST" else b""
    parts = urlsplit(requested)
    headers = {
        "x-twilio-signature": sign(webhook.auth_token, requested, params if method == "POST" else {}),
        "user-agent": "TwilioProxy/1.1",
        "accept": "*/*",
        "accept-encoding": "gzip",
        "x-home-region": "us1",
        **webhook.headers,
    }
    if method == "POST":
        headers |= {
            "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
            "content-length": str(len(body)),
        }
    if token:
        headers["i-twilio-idempotency-token"] = token
    left = deadline - time.monotonic()
    if left <= 0:
        raise _Unreached("ct", f"no time was left to request {requested}")
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=min(rules.connect, left))
    try:
        try:
            connection.connect()
        except (TimeoutError, OSError) as error:
            raise _Unreached("ct", f"cannot connect to {parts.netloc}: {error}") from error
        if connection.sock is not None:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sock.settimeout(max(0.01, min(rules.read, deadline - time.monotonic())))
        target = parts.path + (f"?{parts.query}" if "?" in requested else "")
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in {"host": parts.netloc, **headers}.items():
                connection.putheader(name, value)
            connection.endheaders(body or None)
            response = connection.getresponse()
            content = response.read(_MAX_BODY)
        except (TimeoutError, OSError, http.client.HTTPException) as error:
            raise _Unreached("rt", f"{requested} did not answer: {error!r}") from error
        content = _unpacked(content, response.headers, requested)
        return response.status, response.headers, content, requested
    finally:
        connection.close()


def _unpacked(content: bytes, headers: http.client.HTTPMessage, url: str) -> bytes:
    if headers.get("Content-Encoding", "").lower() != "gzip":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise _Unreached("rt", f"{url} sent broken gzip: {error}") from error
