"""The fake org as a test sees it: one object that serves, holds the records, and can be set, broken and asked.

with FakeOrg() as org:
    org.connected_app("key", secret="secret", username="bridge@acme.example")
    taro = org.insert("Contact", LastName="山田", FirstName="太郎", Phone="03-1234-5678")
    with org.trouble(Kind.DOWN, path="/query"):
        ...
    assert org.rows("Task")[0]["WhoId"] == taro
"""

from __future__ import annotations

import ssl
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import escape
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from .certificate import loopback_context
from .customised import Customised
from .errors import Json, NotPlayed, Refused
from .ids import read_id
from .oauth import App, SignIn, SignInRefused
from .queries import Queries
from .rest import Rest
from .rights import Rights
from .rows import Rows
from .schema import Row, SObject
from .searches import Searches
from .server import Server
from .standard import add_person_accounts, standard_schema
from .trouble import Kind, Trouble, Troubles
from .values import read_value, show_value
from .wire import Answer, Request
from .writes import Writes

INTEGRATION_USER = "bridge@acme.example"


class FakeOrg(Customised):
    """A Salesforce org on loopback. ``org.url`` is its address, ``"http://127.0.0.1:40123"``.

    ``versions``: API versions it knows. ``batch_size``: records per page, None for Salesforce's own 2,000.
    ``api_limit``: calls a day; ``api_calls`` counts them. ``clock_skew``: how wrong the org's clock goes.
    ``locale`` orders names: "ja_JP" puts the family name first.
    """

    def __init__(
        self,
        *,
        person_accounts: bool = False,
        language: str = "ja",
        locale: str = "ja_JP",
        timezone: str = "Asia/Tokyo",
        joins_phone_digits: bool = False,
        tls: bool = False,
    ) -> None:
        self.lock = threading.RLock()
        self.versions: Sequence[int] = range(31, 69)
        self.batch_size: int | None = None
        self.api_limit = 15_000
        self.api_calls = 0
        self.api_enabled = True
        self.reads_accept_language = False
        self.clock_skew = timedelta()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.zone = ZoneInfo(timezone)
        self.rights = Rights()
        self.requests: list[Request] = []
        self.failures: list[str] = []
        self.store = Rows(self.now)
        self.store.locale = locale
        self.store.schema = standard_schema(self.store)
        if person_accounts:
            add_person_accounts(self.store.schema)
        self.writes = Writes(self.store, lambda: self.rights)
        self.queries = Queries(self.store, self)
        self.searches = Searches(self.store, self, joins_phone_digits=joins_phone_digits)
        self.sign_in = SignIn(self.store, self.now, lambda: self.url)
        self.troubles = Troubles(self.lock)
        self._rest = Rest(self)
        self._people = {"LanguageLocaleKey": language, "LocaleSidKey": locale, "TimeZoneSidKey": timezone}
        self._fill(language, locale, timezone)
        self.ca_file: Path | None = None
        context: ssl.SSLContext | None = None
        if tls:
            self.ca_file, context = loopback_context()
        self._server = Server(self, context)
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None and self.failures:
            raise AssertionError("the fake org met what it does not play:\n" + "\n".join(self.failures))

    def close(self) -> None:
        self.troubles.end_all()
        self._server.close()
        if self.ca_file:
            self.ca_file.unlink(missing_ok=True)

    # ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def insert(self, sobject: str, **values: object) -> str:
        """Put a record in, as an administrator's import: read-only fields too, no rights or duplicate rules asked."""
        with self.lock:
            kind = self.store.schema[sobject]
            return str(self.store.insert(kind, self._read(kind, values), self.admin)["Id"])

    def update(self, record_id: str, **values: object) -> None:
        with self.lock:
            kind, row = self._find(record_id)
            self.store.update(kind, row, self._read(kind, values), self.admin)

    def delete(self, record_id: str) -> None:
        with self.lock:
            self.store.delete(self._find(record_id)[1])

    def rows(self, sobject: str) -> list[Json]:
        """All live records with all fields, as the API would show them, in the order they were made."""
        with self.lock:
            kind = self.store.schema[sobject]
            return [
                {name: show_value(self.store.value(kind, row, name)) for name in kind.fields}
                for row in self.store.live(kind.name)
            ]

    def row(self, record_id: str) -> Json:
        """One record by its id."""
        with self.lock:
            kind, row = self._find(record_id)
            return {name: show_value(self.store.value(kind, row, name)) for name in kind.fields}

    def user(self, username: str, **values: object) -> str:
        """An active user, in the org's language and time zone unless told otherwise."""
        known = {"LastName": username.partition("@")[0], "Email": username, "IsActive": True}
        return self.insert("User", **{**self._people, **known, "Username": username, **values})

    # ── signing in ───────────────────────────────────────────────────────────────────────────────────────────────────

    def connected_app(
        self,
        consumer_key: str,
        secret: str | None = None,
        public_key: str | None = None,
        username: str | None = INTEGRATION_USER,
    ) -> App:
        """Register an app. The user, made if there is none, is approved for JWT and runs client credentials."""
        app = self.sign_in.apps[consumer_key] = App(consumer_key, secret, public_key, username)
        if username and not any(row["Username"] == username for row in self.store.live("User")):
            self.user(username)
        return app

    def token(self, username: str = INTEGRATION_USER) -> str:
        """A token without a sign-in, for tests that speak HTTP themselves."""
        with self.lock:
            user = next((row for row in self.store.live("User") if row["Username"] == username), None)
            if user is None:
                user = self._find(self.user(username))[1]
            return self.sign_in.issue(user)

    def expire_tokens(self) -> None:
        """Every token is void from now on."""
        with self.lock:
            self.sign_in.expire_tokens()

    @property
    def logins(self) -> int:
        """Sign-ins that succeeded."""
        return self.sign_in.logins

    @property
    def new_login_voids_old(self) -> bool:
        """Does a sign-in void the tokens before it? Salesforce documents neither; False by default."""
        return self.sign_in.new_login_voids_old

    @new_login_voids_old.setter
    def new_login_voids_old(self, value: bool) -> None:
        self.sign_in.new_login_voids_old = value

    # ── trouble, and what was asked ──────────────────────────────────────────────────────────────────────────────────

    def trouble(
        self,
        kind: Kind,
        *,
        times: int | None = None,
        method: str | None = None,
        path: str | None = None,
        inside: bool = False,
        retry_after: int | None = None,
    ) -> Trouble:
        """Make the next request fail, the next ``times``, or with ``with`` and no ``times`` all of a block's.

        ``method`` and ``path`` choose, the path as a regular expression on the address as sent; ``inside`` means the
        subrequests of composites instead (their paths begin after the version: ``"/query"``).
        """
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return self.troubles.start(kind, times=times, method=method, path=path, inside=inside, headers=headers)

    def count(self, path: str, method: str | None = None) -> int:
        """How many requests had this in their path."""
        with self.lock:
            return sum(path in one.path and method in {None, one.method} for one in self.requests)

    @property
    def connections(self) -> int:
        """TCP connections opened so far."""
        return self._server.connections

    def drop_connections(self) -> None:
        """Close every idle connection, as the real one does after a while."""
        self._server.drop_connections()

    @property
    def search_lag(self) -> bool:
        """While True, what is written is not found by SOSL; setting it False lets the index catch up."""
        return self.searches.lagging

    @search_lag.setter
    def search_lag(self, value: bool) -> None:
        with self.lock:
            self.searches.lagging = value

    def now(self) -> datetime:
        """The org's clock."""
        return self.clock() + self.clock_skew

    @property
    def today(self) -> date:
        return self.now().astimezone(self.zone).date()

    # ── answering ────────────────────────────────────────────────────────────────────────────────────────────────────

    def record(self, request: Request) -> None:
        with self.lock:
            self.requests.append(request)

    def answer(self, request: Request) -> Answer:
        """Answer one request; a mistake of the fake's own is a 500 and remembered."""
        with self.lock:
            try:
                return self.with_usage(request, self._route(request))
            except Refused as refused:
                return self.with_usage(request, Answer(refused.status, refused.body()))
            except SignInRefused as refused:
                return Answer(400, refused.body)
            except NotPlayed as missing:
                self.failures.append(f"{request.method} {request.path}: {missing}")
                return Answer(501, [{"errorCode": "NOT_PLAYED", "message": f"The fake does not play {missing}."}])
            except Exception as error:  # noqa: BLE001 - a mistake must reach the test, not hang the client
                self.note_failure()
                return Answer(500, [{"errorCode": "UNKNOWN_EXCEPTION", "message": f"mistake in the fake: {error!r}"}])

    def with_usage(self, request: Request, answer: Answer) -> Answer:
        """Adds Sforce-Limit-Info to what REST answers."""
        if not request.path.startswith("/services/data"):
            return answer
        return replace(
            answer, headers={**answer.headers, "Sforce-Limit-Info": f"api-usage={self.api_calls}/{self.api_limit}"}
        )

    def note_failure(self) -> None:
        """Remember the exception being handled, unless a client merely hung up."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | ssl.SSLError | TimeoutError):
            self.failures.append(traceback.format_exc())

    def _route(self, request: Request) -> Answer:
        match request.parts:
            case ["services", "oauth2", "token"] if request.method == "POST":
                host = request.headers.get("host", "").partition(":")[0]
                return Answer(200, self.sign_in.token(request.form, request.headers.get("authorization"), host))
            case ["services", "oauth2", "userinfo"]:
                return Answer(200, self.sign_in.userinfo(self._user(request)))
            case ["services", "data"]:
                return self._rest.versions()
            case ["services", "data", _, *_]:
                return self._answer_rest(request)
            case ["lightning", *rest]:
                return self._page(rest)
        raise Refused(404, "NOT_FOUND", "The requested resource does not exist")

    def _answer_rest(self, request: Request) -> Answer:
        user = self._user(request)
        if not self.api_enabled:
            message = "The REST API is not enabled for this Organization."
            raise Refused(403, "API_DISABLED_FOR_ORG", message)
        if self.api_calls >= self.api_limit:
            raise Refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self.api_calls += 1
        return self._rest.answer(request, user)

    def _user(self, request: Request) -> Row:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        user = self.sign_in.user_of(token) if scheme.lower() in {"bearer", "oauth"} else None
        if user is None:
            raise Refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        return user

    def _page(self, rest: list[str]) -> Answer:
        """A record page as small as can be: the name in title and heading."""
        record_id = (
            rest[2] if rest[:1] == ["r"] and len(rest) > 2 else rest[1] if rest[:1] == ["r"] and len(rest) > 1 else ""
        )
        row = self.store.row(read_id(record_id))
        kind = self.store.schema.by_prefix(record_id) if row else None
        named = kind.name_field if kind else None
        shown = str(self.store.value(kind, row, named.name)) if kind and row and named else "Lightning Experience"
        label = escape(f"{shown} | {kind.label_ja if kind else 'Salesforce'}")
        return Answer(
            200,
            f'<!doctype html><meta charset="utf-8"><title>{label}</title><h1 data-record-id="{escape(record_id)}">'
            f"{escape(shown)}</h1>",
            {},
            "text/html;charset=UTF-8",
        )

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def admin(self) -> str:
        """The administrator's user id."""
        return str(next(self.store.all("User"))["Id"])

    def _find(self, record_id: str) -> tuple[SObject, Row]:
        row = self.store.row(read_id(record_id))
        kind = self.store.schema.by_prefix(record_id)
        if row is None or kind is None:
            raise KeyError(f"This org has no record {record_id}.")
        return kind, row

    def _read(self, kind: SObject, values: dict[str, object]) -> Row:
        unknown = [name for name in values if name not in kind.fields]
        if unknown:
            raise KeyError(f"{kind.name} has no field {', '.join(unknown)}; add it with org.add_field().")
        return {name: read_value(kind.fields[name], value) for name, value in values.items()}

    def _fill(self, language: str, locale: str, timezone: str) -> None:
        settings = {"TimeZoneSidKey": timezone, "LanguageLocaleKey": language, "DefaultLocaleSidKey": locale}
        known = {"Name": "Acme", "InstanceName": "JPN1", "OrganizationType": "Enterprise Edition", "IsSandbox": False}
        self.store.insert(self.store.schema["Organization"], {**settings, **known}, None)
        admin = {"Username": "admin@acme.example", "LastName": "Admin", "Email": "admin@acme.example", "IsActive": True}
        self.store.insert(self.store.schema["User"], {**self._people, **admin}, None)
        self.set_task_statuses(
            ("Not Started", False), ("In Progress", False), ("Completed", True), ("Waiting on someone else", False)
        )
