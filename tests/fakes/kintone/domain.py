"""A whole kintone domain on loopback: its users, apps and limits, what was asked of it, and the switches of a test.

    with FakeDomain() as domain:
        customers = domain.app("顧客", {"会社名": "SINGLE_LINE_TEXT", "tel": {"type": "LINK", "protocol": "CALL"}})
        token = customers.token("view", "add")
        customers.add(会社名="山田商事", tel="03-1234-5678")
        ...                                   # ask domain.url with the header X-Cybozu-API-Token: token
        assert len(domain.requests(customers)) == 1

It refuses what kintone refuses. What the REST API does is in the modules beside this one; HTTP is in ``server.py``.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self
from zoneinfo import ZoneInfo

from .app import RIGHTS, FakeApp, Right, Settings, settings_for
from .auth import Asker, User, identify
from .fields import unknown_entity
from .query import DEFAULT_LIMIT, MOST_RECORDS, quoted
from .routes import handler_for
from .server import Server
from .trouble import Gate, Kind, Trouble, Where
from .wire import Answer, Json, Refused, Request, app_not_found, missing, not_allowed

__all__ = ["DEFAULT_LIMIT", "MOST_RECORDS", "FakeDomain", "quoted"]


class FakeDomain:
    """The domain. Attributes that a test may set at any time:

    ``concurrency_limit`` (100), ``longest_url`` (8,192 bytes; a longer request line is answered with an HTML 414),
    ``most_matches`` (100,000: with a condition that more records fulfil, the rest is left out and a warning header
    says so), ``deploy_polls`` (how often a deployment is PROCESSING before it is done), ``deploy_result``,
    ``clock`` (a moment to stop the time at), ``basic`` (a pair for Basic authentication).
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.zone = ZoneInfo("Asia/Tokyo")
        self.clock: datetime | None = None
        self.concurrency_limit = 100
        self.longest_url = 8192
        self.most_matches = 100_000
        self.deploy_polls = 1
        self.deploy_result = "SUCCESS"
        self.basic: tuple[str, str] | None = None
        self.administrator = User("Administrator", "Administrator", password=secrets.token_urlsafe(9))
        self.users = {"Administrator": self.administrator}
        self.bearers: dict[str, User] = {}
        self.apps: dict[int, FakeApp] = {}
        self.cursors: dict[str, Json] = {}
        self.most_running = 0
        self.running = 0
        self.connections = 0
        self._groups: dict[str, dict[str, Json]] = {"ORGANIZATION_SELECT": {}, "GROUP_SELECT": {}}
        self.failures: list[str] = []
        self._history: list[Request] = []
        self._troubles: list[Trouble] = []
        self._gates: list[Gate] = []
        self._search_lag = False
        self._watch = threading.Condition()
        self._server = Server(self)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, kind: object, *_exc: object) -> None:
        self.close()
        assert kind is not None or not self.failures, f"the fake kintone itself failed:\n{self.failures[0]}"

    @property
    def url(self) -> str:
        """``http://127.0.0.1:49152``."""
        return self._server.url

    def close(self) -> None:
        """Let everybody go who waits, and stop."""
        for trouble in self._troubles:
            trouble.end()
        for gate in self._gates:
            gate.open()
        self._server.close()

    # What there is

    def app(
        self,
        name: str,
        fields: Mapping[str, str | Json] | None = None,
        *,
        guest_space: int | None = None,
        states: Iterable[str] = (),
    ) -> FakeApp:
        """A deployed app. A field is a type (``"NUMBER"``) or the properties of ``form/fields.json``; an option list
        may be plain (``{"type": "DROP_DOWN", "options": ["受注", "失注"]}``). ``states`` switches the status on."""
        made = self.new_app(settings_for(name, fields or {}, states), guest_space)
        made.update()
        return made

    def new_app(self, settings: Settings, guest_space: int | None) -> FakeApp:
        """An app that was never deployed."""
        with self.lock:
            made = FakeApp(self, max(self.apps, default=0) + 1, settings, guest_space)
            self.apps[made.id] = made
            return made

    def user(
        self, code: str, name: str = "", *, email: str = "", password: str = "", rights: Iterable[Right] = RIGHTS
    ) -> User:
        """A user whom USER_SELECT fields accept; one with a password can sign in."""
        made = User(code, name or code, email, password, frozenset(rights))
        self.users[code] = made
        return made

    def bearer(self, user: User) -> str:
        """An OAuth access token of a user."""
        token = secrets.token_urlsafe(24)
        self.bearers[token] = user
        return token

    def organization(self, code: str, name: str = "") -> None:
        """An organisation (組織)."""
        self._groups["ORGANIZATION_SELECT"][code] = {"code": code, "name": name or code}

    def group(self, code: str, name: str = "") -> None:
        """A group."""
        self._groups["GROUP_SELECT"][code] = {"code": code, "name": name or code}

    def entity(self, kind: str, code: str) -> Json:
        """``{"code", "name"}`` of somebody for a field's type. Raises ``Refused`` for nobody."""
        if kind == "USER_SELECT" and code in self.users:
            return self.users[code].entity()
        if code in self._groups.get(kind, {}):
            return dict(self._groups[kind][code])
        raise unknown_entity(kind, code)

    def now(self) -> datetime:
        """The domain's time, aware."""
        return self.clock or datetime.now(UTC)

    # The search index

    @property
    def search_lag(self) -> bool:
        """While True, ``like`` does not see what is written; ``catch_up()`` or False lets the index follow."""
        return self._search_lag

    @search_lag.setter
    def search_lag(self, lagging: bool) -> None:
        self._search_lag = lagging
        if not lagging:
            self.catch_up()

    def catch_up(self) -> None:
        """Let the search index see everything that is written by now."""
        with self.lock:
            for app in self.apps.values():
                app.indexed = dict(app.rows)

    # What goes wrong

    def trouble(
        self,
        kind: Kind,
        *,
        times: int | None = None,
        method: str | None = None,
        path: str | None = None,
        app: FakeApp | None = None,
        retry_after: str | None = None,
    ) -> Trouble:
        """Trouble for the next ``times`` requests, or until it is ended (``with domain.trouble("maintenance"):``)."""
        made = Trouble(kind, Where(method, path, app.id if app else None), times, retry_after)
        self._troubles.append(made)
        return made

    def gate(self, *, method: str | None = None, path: str | None = None, app: FakeApp | None = None) -> Gate:
        """A gate that holds requests until it is opened."""
        made = Gate(Where(method, path, app.id if app else None))
        self._gates.append(made)
        return made

    # What was asked

    def requests(
        self, app: FakeApp | None = None, *, method: str | None = None, api: str | None = None
    ) -> list[Request]:
        """The answered requests, oldest first: all, or those of one app, method or API (``records.json``)."""
        with self._watch:
            return [
                each
                for each in self._history
                if (app is None or str(app.id) in each.apps)
                and (method is None or each.method == method)
                and (api is None or each.api == api)
            ]

    def wait_for_requests(self, number: int, patience: float = 10.0, **which: str) -> None:
        """Wait until this many such requests were answered."""
        with self._watch:
            came = self._watch.wait_for(lambda: len(self.requests(None, **which)) >= number, patience)
        assert came, f"waited {patience:.0f} s for {number} requests {which}; {len(self.requests(None, **which))} came"

    def forget(self) -> None:
        """Begin the history and the greatest concurrency anew."""
        with self._watch:
            self._history.clear()
            self.most_running = self.running

    # For the server and the API

    @contextmanager
    def counted(self) -> Iterator[int]:
        """Count a request as under way; gives how many there are with it."""
        with self._watch:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            now = self.running
        try:
            yield now
        finally:
            with self._watch:
                self.running -= 1

    def remember(self, request: Request, status: int, code: str) -> None:
        """Keep a request in the history."""
        with self._watch:
            self._history.append(replace(request, status=status, code=code))
            self._watch.notify_all()

    def trouble_for(self, request: Request) -> Trouble | None:
        """The first trouble that this request meets."""
        return next((trouble for trouble in list(self._troubles) if trouble.strikes(request)), None)

    def wait_at_gates(self, request: Request) -> None:
        """Wait as long as a gate holds this request."""
        for gate in list(self._gates):
            gate.pass_through(request)

    def answer(self, request: Request) -> Answer:
        """Do what a request asks. Raises ``Refused``."""
        handler = handler_for(request)
        asker = identify(self, request)
        with self.lock:
            answered = handler(self, request, asker)
        return answered if isinstance(answered, Answer) else Answer(body=answered)

    def app_of(self, request: Request, asker: Asker, *rights: Right, name: str = "app") -> FakeApp:
        """The live app that a request names, if the asker has these rights there and the path is right for it."""
        app = self.find(request, request.params.get(name), name)
        if app.live is None:
            raise app_not_found(app.id)
        asker.must(app, *rights)
        return app

    def find(self, request: Request, app_id: object, name: str = "app") -> FakeApp:
        """An app, live or not, in the guest space of the path."""
        if app_id in (None, ""):
            raise missing(name)
        app = self.apps.get(int(str(app_id))) if str(app_id).isdigit() else None
        if app is None:
            raise app_not_found(app_id)
        self.check_space(request, app)
        return app

    def check_space(self, request: Request, app: FakeApp) -> None:
        """Refuse an app that is not in the guest space of the path: GAIA_IL23 without one, CB_NO02 in a wrong one."""
        if app.guest_space is not None and request.guest_space is None:
            raise Refused(
                400,
                "GAIA_IL23",
                (
                    "ゲストスペース内のアプリを操作する場合は、ゲストスペースのID を追加してください。",
                    "To operate an app in a guest space, add the ID of the guest space.",
                ),
            )
        if request.guest_space is not None and request.guest_space != str(app.guest_space):
            raise not_allowed()

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Take back every change to records when something is refused within."""
        before = {app: (dict(app.rows), dict(app.indexed), app.next_id) for app in self.apps.values()}
        try:
            yield
        except Refused:
            for app, (rows, indexed, next_id) in before.items():
                app.rows, app.indexed, app.next_id = rows, indexed, next_id
            raise
