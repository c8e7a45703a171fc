"""The mapped apps, ready to ask: one client each, with its form as it was when last looked at, held against the mapping."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from cti_bridge.connectors.kintone.client import KintoneApp
from cti_bridge.connectors.kintone.domain import Domain
from cti_bridge.connectors.kintone.form import Form, faults, wanted
from cti_bridge.connectors.kintone.mapping import App, KintoneMapping
from cti_bridge.connectors.kintone.problems import KintoneRefused, KintoneUnavailable
from cti_bridge.logbook import get_logger

log = get_logger(__name__)

LOOK_AGAIN_AFTER = 3600.0
"""Seconds that a form is believed: an administrator may rename a field any day, and kintone would drop it silently."""

A = TypeVar("A")
T = TypeVar("T")


class Apps:
    """Clients and forms of a mapping's apps."""

    def __init__(self, mapping: KintoneMapping, domain: Domain, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.mapping = mapping
        self.domain = domain
        self._clock = clock
        self._clients = {
            app.app: KintoneApp(domain, app.app, app.token, guest_space=app.guest_space) for app in mapping.apps()
        }
        self._forms: dict[int, tuple[float, Form]] = {}
        self._locks = {number: threading.Lock() for number in self._clients}
        self._pool: ThreadPoolExecutor | None = None
        self._pool_of = 0
        self._pool_lock = threading.Lock()

    def client(self, app: App) -> KintoneApp:
        return self._clients[app.app]

    def ready(self, app: App) -> KintoneApp:
        """The app's client, once the mapping is known to fit its form.

        Raises ConnectorRefused that names each field which does not fit.
        """
        self.form(app)
        return self._clients[app.app]

    def form(self, app: App) -> Form:
        """The app's form, which the mapping fits. Asks kintone at most once an hour."""
        known = self._forms.get(app.app)
        if known is not None and self._clock() - known[0] < LOOK_AGAIN_AFTER:
            return known[1]
        with self._locks[app.app]:
            known = self._forms.get(app.app)
            if known is not None and self._clock() - known[0] < LOOK_AGAIN_AFTER:
                return known[1]
            try:
                form = self.look(app)
            except KintoneUnavailable:
                if known is None:
                    raise
                return known[1]
            if wrong := faults(form, wanted(app, self.mapping)):
                raise KintoneRefused("。".join(map(str, wrong)), code="MAPPING")
            self._forms[app.app] = (self._clock(), form)
            return form

    def look(self, app: App) -> Form:
        """The app's form as it stands now, fitting or not."""
        return Form.read(app.app, self._clients[app.app].form())

    def known_forms(self) -> list[Form]:
        """The forms seen so far, in the mapping's order."""
        return [self._forms[number][1] for number in self._clients if number in self._forms]

    @contextmanager
    def asking(self, app: App) -> Iterator[None]:
        """While a query runs: when kintone knows a field no more, its form is looked at again before the next."""
        try:
            yield
        except KintoneRefused as problem:
            if problem.code.startswith("GAIA_IQ") or problem.code == "CB_VA01":
                self._forms.pop(app.app, None)
            raise

    def each(self, ask: Callable[[A], T], apps: Sequence[A]) -> list[T]:
        """Ask several apps at the same time; the answers in their order. Raises what the first to fail raised."""
        if not apps:
            return []
        first, *others = apps
        asked = [self._workers().submit(ask, app) for app in others]
        try:
            answers = [ask(first)]
        except BaseException:
            for future in asked:
                future.cancel()
            raise
        return [*answers, *(future.result() for future in asked)]

    def warm_up(self, apps: Iterable[App]) -> None:
        """Look at the forms, so that the first ring need not wait for them. Raises what the last that failed raised."""
        trouble: Exception | None = None
        for app in apps:
            try:
                self.form(app)
            except (KintoneRefused, KintoneUnavailable) as problem:
                log.warning("kintone_app_not_ready", app=app.app, problem=problem)
                trouble = problem
        if trouble is not None:
            raise trouble

    def _workers(self) -> ThreadPoolExecutor:
        with self._pool_lock:
            if self._pool is None or self._pool_of != os.getpid():  # threads do not survive a fork
                self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="kintone")
                self._pool_of = os.getpid()
            return self._pool
