"""One signed-in connection to an org: simple-salesforce with its known gaps closed. What is asked stands elsewhere.

Closed, each with a test: a sign-in per construction (ours waits for the first request); logins without end while every
answer is 401; a login per thread when a token expires; headers lost on the second try; ``KeyError`` on errors that are
objects; no time-out on search, writes and sign-in; addresses kept when the instance moves; records' names for any
mistyped attribute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote_plus, urlsplit

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from cti_bridge.connectors.salesforce.budget import Budget
from cti_bridge.connectors.salesforce.problems import (
    BUSY,
    TIMED_OUT,
    UNREADABLE,
    AnswerLost,
    SalesforceUnavailable,
    sign_in_refused,
    translate,
    unreachable,
)
from cti_bridge.connectors.salesforce.settings import SalesforceSettings
from cti_bridge.connectors.salesforce.wire import connections

Row = dict[str, Any]

NEW_TOKEN_SECONDS = 30.0
"""A token that was never accepted is not replaced before it is so old: a fresh one would fare no better."""

QUERIES_AT_ONCE = 5
"""How many queries one composite request may hold
(https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite_post.htm)."""


class Org(Salesforce):
    """The org. Everything raises ConnectorUnavailable or SalesforceRefused, nothing else. Threads may share it."""

    _built = False

    def __init__(self, settings: SalesforceSettings) -> None:
        self.budget = Budget()
        self.clock_skew: timedelta | None = None
        self._host = urlsplit(settings.origin).netloc
        self._lock = threading.Lock()
        self._sign_ins = 0
        self._signed_in_at = 0.0
        self._accepted = False
        self._trouble: SalesforceUnavailable | None = None
        super().__init__(
            **_credentials(settings),
            session=connections(settings),
            version=settings.api_version,
            object_pairs_hook=dict,
        )
        self.session.hooks["response"].append(self._note)
        self._built = True

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def rows(self, *queries: str) -> list[list[Row]]:
        """The records of each query, in one request for five: the queries go in its body, so they may be long."""
        answers: list[list[Row]] = []
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            answers += self._composite(queries[start : start + QUERIES_AT_ONCE])
        return answers

    def write(self, method: str, path: str, values: Mapping[str, object]) -> Row:
        """Create (POST) or update (PATCH) a record under ``sobjects/``; what Salesforce answers, ``{}`` if nothing."""
        return self.restful(f"sobjects/{path}", method=method, json=dict(values)) or {}

    def versions(self) -> list[str]:
        """The versions of its interface that the org speaks, oldest first: ``["31.0", … "68.0"]``."""
        answer = self._call_salesforce("GET", f"https://{self.sf_instance}/services/data/", name="versions")
        return [str(version["version"]) for version in self.parse_result_to_json(answer)]

    def speak(self, version: str) -> None:
        """Use this version from now on."""
        self.sf_version = version
        self._move(self.sf_instance)

    # ── what the library calls ──────────────────────────────────────────────────────────────────────────────────────

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{type(self).__name__} has no {name}; ask with rows(), write() or restful().")

    def _refresh_session(self) -> None:
        """The library signs in while it is constructed; we do when somebody asks something."""
        if self._built:
            self._sign_in(self.session_id)
        else:
            self.session_id, self.sf_instance = "", self._host
            self._generate_headers()

    def _call_salesforce(
        self,
        method: str,
        url: str,
        name: str = "",  # noqa: ARG002  (the library's own; it goes into messages that we do not use)
        retries: int = 0,
        max_retries: int = 1,
        **kwargs: Any,
    ) -> requests.Response:
        """One request; with an expired token, one sign-in and the request again, headers and all."""
        extra = kwargs.pop("headers", None) or {}
        token = self.session_id or self._sign_in("")
        while True:
            try:
                answer = self.session.request(
                    method, url, headers={"Authorization": f"Bearer {token}", **extra}, **kwargs
                )
            except requests.Timeout:
                raise AnswerLost(TIMED_OUT) from None
            except requests.RequestException as problem:
                raise AnswerLost(unreachable(problem)) from problem
            if answer.status_code != 401:
                self._accepted = self._accepted or token == self.session_id
                break
            if retries >= max_retries:
                break
            retries += 1
            token = self._sign_in(token)
        if answer.status_code >= 300:
            raise translate(answer.status_code, _body(answer), answer.headers.get("Retry-After"))
        return answer

    def parse_result_to_json(self, result: requests.Response) -> Any:
        try:
            return result.json()
        except ValueError:
            raise SalesforceUnavailable(UNREADABLE) from None

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _composite(self, queries: Sequence[str]) -> list[list[Row]]:
        body = {
            "allOrNone": False,
            "compositeRequest": [
                {"method": "GET", "referenceId": f"query{number}", "url": self._query_path(query)}
                for number, query in enumerate(queries)
            ],
        }
        try:
            answer = self.restful("composite", method="POST", json=body)
        except AnswerLost as problem:
            if not isinstance(problem.__cause__, requests.ConnectionError):
                raise
            answer = self.restful("composite", method="POST", json=body)  # a kept connection was cut; this only reads
        parts = answer["compositeResponse"] if answer else []
        if len(parts) != len(queries):
            raise SalesforceUnavailable(UNREADABLE)
        return [list(self._records(part)) for part in parts]

    def _records(self, part: Row) -> Iterable[Row]:
        """The records of one answer; what did not fit in is fetched."""
        if part["httpStatusCode"] >= 300:
            raise translate(part["httpStatusCode"], part["body"])
        body = part["body"]
        yield from body["records"]
        while not body.get("done", True) and body.get("nextRecordsUrl"):
            body = self.query_more(body["nextRecordsUrl"], identifier_is_url=True)
            yield from body["records"]

    def _query_path(self, query: str) -> str:
        asked = quote_plus(query, safe="'(),=:/!*")
        return f"/services/data/v{self.sf_version}/query/?q={asked}"

    def _sign_in(self, stale: str) -> str:
        """A token other than the stale one: one thread signs in, the others wait for it and share its fate."""
        before = self._sign_ins
        with self._lock:
            if self.session_id and self.session_id != stale:
                return self.session_id
            if self._trouble and self._sign_ins != before:
                raise self._trouble.again(self._trouble.retry_after)
            if stale and not self._accepted and time.monotonic() - self._signed_in_at < NEW_TOKEN_SECONDS:
                raise translate(401, [{"errorCode": "INVALID_SESSION_ID"}])
            try:
                token, instance = self._fetch_token()
            except SalesforceUnavailable as trouble:
                self._trouble = trouble
                raise
            finally:
                self._sign_ins += 1  # when it is over: whoever came while it went on counts as having waited for it
            self._trouble, self._accepted, self._signed_in_at = None, False, time.monotonic()
            self._move(instance)
            self.session_id = token
            self._generate_headers()
            return token

    def _fetch_token(self) -> tuple[str, str]:
        try:
            token, instance = self._salesforce_login_partial()  # type: ignore[misc]
        except SalesforceAuthenticationFailed as problem:
            if isinstance(problem.code, int):  # an answer that is no JSON: a proxy's or a maintenance page
                raise translate(max(problem.code, 500), None) from None
            raise sign_in_refused(str(problem.code), problem.auth_message) from None
        except requests.RequestException as problem:
            raise SalesforceUnavailable(unreachable(problem)) from None
        except (AttributeError, KeyError, TypeError, ValueError, UserWarning) as problem:
            # the library stumbles over an answer without the usual members, and warns of an app that nobody approved
            said = "user hasn't approved this consumer" if isinstance(problem, UserWarning) else "unreadable answer"
            raise sign_in_refused("invalid_grant", said) from None
        if not token:
            raise sign_in_refused("invalid_grant", "no access token in the answer")
        return str(token), str(instance).rstrip("/")

    def _move(self, instance: str) -> None:
        self.sf_instance = instance
        self.base_url = f"https://{instance}/services/data/v{self.sf_version}/"

    def _note(self, answer: requests.Response, *_args: Any, **_kwargs: Any) -> None:
        """Whatever was answered, learn the budget and the time."""
        self.budget.read(answer.headers.get("Sforce-Limit-Info", ""))
        if answer.status_code == 403 and "REQUEST_LIMIT_EXCEEDED" in answer.text and BUSY not in answer.text:
            self.budget.exhausted()
        try:
            self.clock_skew = parsedate_to_datetime(answer.headers["Date"]) - datetime.now(UTC)
        except (KeyError, ValueError, TypeError):
            return


def _credentials(settings: SalesforceSettings) -> dict[str, Any]:
    """What the library needs for the flow; in its words, ``domain`` and ``instance_url`` are pieces of host names."""
    host = f"{settings.my_domain}.my"
    key = settings.consumer_key.get_secret_value()
    if not settings.signs_in_by_jwt and settings.consumer_secret:
        return {"consumer_key": key, "consumer_secret": settings.consumer_secret.get_secret_value(), "domain": host}
    return {
        "username": settings.username,
        "consumer_key": key,
        "privatekey": settings.private_key.get_secret_value() if settings.private_key else None,
        "privatekey_file": None if settings.private_key else settings.private_key_file,
        "instance_url": host,
        "domain": "test" if settings.sandbox else "login",
    }


def _body(answer: requests.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None
