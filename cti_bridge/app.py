"""The composition root: the only place that knows everyone. Also the Flask extension and the stand-alone app."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from importlib.metadata import entry_points
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from cti_bridge import headers, logbook, widgets
from cti_bridge.api import Api, Entrance
from cti_bridge.auth import Addresses, Auth, Limits
from cti_bridge.backlog import Backlog
from cti_bridge.calllogs import CallLogs
from cti_bridge.calls import Calls
from cti_bridge.connector import Connector, Resources
from cti_bridge.dialling import Dialling
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable, SettingsError, StoreUnavailable
from cti_bridge.live import routes as live_routes
from cti_bridge.live import topics
from cti_bridge.live.delivery import Delivery
from cti_bridge.live.hub import Hub, PostgresHub
from cti_bridge.logbook import get_logger
from cti_bridge.lookups import Lookups
from cti_bridge.metrics import Metrics
from cti_bridge.outbox import Outbox
from cti_bridge.places import places
from cti_bridge.pops import Pops
from cti_bridge.recordings import Recordings
from cti_bridge.retention import Keep, Tidying
from cti_bridge.settings import Settings
from cti_bridge.sightings import Sightings
from cti_bridge.store import Database, migrate
from cti_bridge.store.directory import KnownDirectory
from cti_bridge.store.records import Records
from cti_bridge.store.tallies import Tallies
from cti_bridge.twilio.rest import PhoneNetwork
from cti_bridge.twilio.signature import Signatures
from cti_bridge.twilio.twiml import Doors
from cti_bridge.twilio.webhooks import Webhooks

log = get_logger(__name__)

ENTRY_POINTS = "cti_bridge.connectors"


class Bridge:
    """One bridge with all its parts, put together but not yet started.

    ``connector`` replaces the configured one; ``environment`` is what connectors read their own settings from.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        url_prefix: str = "",
        connector: Connector | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.settings = settings
        self.url_prefix = url_prefix.rstrip("/")
        self.database = Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool)
        self.directory = KnownDirectory(self.database)
        self.connector = connector or open_connector(settings, self.database, environment)
        self.metrics = Metrics(self.connector.name, self.connector.usage)
        self.hub = Hub() if self.database.is_sqlite else PostgresHub(self.database.url)
        self.lookups = Lookups(
            self.connector,
            self.database,
            self.hub,
            region=settings.region,
            deadline=timedelta(seconds=settings.lookup_deadline_seconds),
            freshness=settings.index_freshness,
            told=self.metrics.note_lookup,
        )
        self.logs = CallLogs(
            settings,
            self.database,
            self.directory,
            self.connector,
            self.lookups,
            recordings=f"{settings.public_url}{self.url_prefix}/widgets/recording",
            nudge=partial(self.hub.wake, topics.OUTBOX),
        )
        self.outbox = Outbox(
            self.database,
            self.hub,
            lambda entry, ready: self.logs.write(entry.call_id, entry.correction, ready),
            self.lookups.circuit,
        )
        self.backlog = Backlog(self.database, self.hub)
        self.metrics.watch_logs(self.backlog.figures)
        self.calls = Calls(settings, self.database, self.directory, self.connector, self.lookups, self.outbox, self.hub)
        self.doors = Doors(f"{settings.public_url}{self.url_prefix}/twilio")
        self.network = PhoneNetwork(settings)
        self.dialling = Dialling(settings, self.database, self.directory, self.calls, self.network, lambda: self.doors)
        self.addresses = Addresses(settings)
        self.auth = Auth(
            settings.secret_key.get_secret_value(),
            self.database,
            embed_secret=settings.embed_secret.get_secret_value(),
            demand=settings.require_totp,
            addresses=self.addresses,
            wake=self.hub.wake,
        )
        self.hub.listen(self.auth.sessions.notice)
        self.limits = Limits(self.database, self.auth.keyed)
        self.sightings = Sightings(self.database, self.connector.name)
        self.pops = Pops(settings, self.connector, shown=self.sightings.note)
        self.tidying = Tidying(self.database, Keep.read(settings))
        self.recordings = Recordings(self.database, self.directory, self.network)
        signatures = Signatures(
            settings.public_url,
            [token.get_secret_value() for token in settings.twilio_auth_tokens],
            [key.get_secret_value() for key in settings.twilio_shared_keys],
        )
        self.webhooks = Webhooks(self.calls, signatures, lambda: self.doors, self.metrics, self.hub, settings=settings)
        self.delivery = Delivery(
            settings=settings,
            database=self.database,
            directory=self.directory,
            connector=self.connector,
            pops=self.pops,
            hub=self.hub,
            metrics=self.metrics,
            phone_health=lambda: self.webhooks.health.state,
            crm_health=lambda: self.lookups.circuit.health,
        )
        self._made_in = os.getpid()
        self._started_in: int | None = None
        self._stopped_in: int | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the threads of this process, once. After a fork, call it in the child; requests do so by themselves."""
        pid = os.getpid()
        if self._started_in == pid:
            return
        with self._lock:
            if pid in (self._started_in, self._stopped_in):
                return
            if pid != self._made_in:
                self.database.after_fork()
            self.hub.start()
            self.lookups.open()
            self.delivery.start()
            if self.settings.outbox_in_web:
                self.outbox.start()
            self.sightings.start()
            self.tidying.start()
            self.lookups.submit(self._warm_up)
            self._started_in = pid
            atexit.register(self.stop)

    def stop(self) -> None:
        """Say goodbye to the widgets, finish the delivery under way, stop the threads.

        For good: webhooks that come while the process ends are answered and kept, and start nothing again.
        """
        with self._lock:
            if self._started_in != os.getpid():
                return
            self._started_in, self._stopped_in = None, os.getpid()
        self.delivery.stop()
        self.tidying.stop()
        self.outbox.stop()
        self.sightings.stop()
        self.lookups.close()
        self.hub.stop()
        self.database.close()

    def blueprint(self) -> Blueprint:
        """Everything that the bridge answers, under its URL prefix."""
        settings = self.settings
        whole = Blueprint("cti_bridge", __name__, url_prefix=self.url_prefix or None)
        whole.before_request(self.start)
        whole.after_request(headers.harden(https=settings.public_url.startswith("https:")))
        api = Api(
            database=self.database,
            known=self.directory,
            use_cases=self.calls,
            dialling=self.dialling,
            connector=self.connector,
            pops=self.pops,
            recordings=self.recordings,
            hub=self.hub,
            entrance=Entrance(
                database=self.database,
                known=self.directory,
                auth=self.auth,
                addresses=self.addresses,
                limits=self.limits,
                connector=self.connector,
                delivery=self.delivery,
            ),
        )
        live_origin = settings.public_origin.replace("http", "ws", 1)
        whole.register_blueprint(self.webhooks.blueprint())
        whole.register_blueprint(api.blueprint())
        whole.register_blueprint(
            widgets.blueprint(
                embed_origins=settings.embed_origins, live_origin=live_origin, screen=self.connector.screen
            )
        )
        whole.register_blueprint(
            live_routes.blueprint(
                self.auth,
                self.delivery,
                self.directory,
                origins=frozenset({settings.public_origin}),
                most=settings.max_sockets,
                addresses=self.addresses,
                limits=self.limits,
            )
        )
        whole.register_error_handler(Exception, _explain_bug)
        whole.add_url_rule("/healthz", "healthz", self._healthz)
        whole.add_url_rule("/readyz", "readyz", self._readyz)
        whole.add_url_rule("/metrics", "metrics", self._metrics_page)
        return whole

    def _healthz(self) -> ResponseReturnValue:
        return jsonify(status="ok")

    def _readyz(self) -> ResponseReturnValue:
        try:
            behind = migrate.behind(self.database)
        except StoreUnavailable as problem:
            log.error("not_ready", problem=problem)
            return jsonify(status="database unavailable"), 503
        if behind:
            return jsonify(status="migrations missing", mend="cti-bridge migrate"), 503
        return jsonify(status="ok")

    def _metrics_page(self) -> ResponseReturnValue:
        return Response(self.metrics.text(), mimetype="text/plain")

    def _warm_up(self) -> None:
        """Make the first call and the first click as quick as the second."""
        try:
            self.directory.refresh()
            places(self.settings.region)
            self.network.warm_up()
        except StoreUnavailable as problem:
            log.error("database_unavailable_at_start", problem=problem)
        try:
            self.connector.warm_up()
        except (ConnectorUnavailable, ConnectorRefused) as problem:
            log.error("crm_not_ready_at_start", connector=self.connector.name, problem=problem)


def _explain_bug(problem: Exception) -> Response | HTTPException:
    """A bug in a page of ours: told to our log, which masks it. Flask's own tells the message and the address, in the
    clear. What Flask answers by itself (404 …) stays."""
    if isinstance(problem, HTTPException):
        return problem
    log.error("page_broke", endpoint=request.endpoint, exc_info=problem)
    return Response("Something unexpected went wrong.", status=500, mimetype="text/plain")


class CTIBridge:
    """The Flask extension: mounts the bridge into an app under ``url_prefix``, and leaves everything else alone.

    ::

        app = Flask(__name__)
        app.config.update(CTI_PUBLIC_URL="https://www.example.co.jp", CTI_SECRET_KEY=…, …)
        cti = CTIBridge(app, url_prefix="/phone")

    Settings come from ``app.config``, then the environment. Raises SettingsError naming the setting and the mend.
    """

    def __init__(self, app: Flask | None = None, *, url_prefix: str = "", connector: Connector | None = None) -> None:
        self._url_prefix = url_prefix
        self._connector = connector
        self.bridge: Bridge | None = None
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Mount the bridge into this app."""
        settings = Settings.read(app.config)
        texts = {name: value for name, value in app.config.items() if isinstance(value, str)}
        self.bridge = Bridge(
            settings,
            url_prefix=self._url_prefix,
            connector=self._connector,
            environment={**os.environ, **texts},
        )
        app.register_blueprint(self.bridge.blueprint())
        app.extensions["cti_bridge"] = self.bridge


def create_app(config: dict[str, Any] | None = None) -> Flask:
    """The stand-alone app, with settings from the environment: ``gunicorn 'cti_bridge.app:create_app()'``."""
    logbook.configure()
    app = Flask("cti_bridge", static_folder=None)
    app.config.update(config or {})
    CTIBridge(app)

    @app.get("/")
    def index() -> ResponseReturnValue:
        return redirect("widgets/panel")

    return app


def bridge_of(app: Flask) -> Bridge:
    """The bridge that is mounted in this app."""
    bridge: Bridge = app.extensions["cti_bridge"]
    return bridge


def open_connector(settings: Settings, database: Database, environment: Mapping[str, str] = os.environ) -> Connector:
    """The connector that CTI_CONNECTOR names, found by entry point. Raises SettingsError with the names that exist."""
    found = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if settings.connector not in found:
        names = ", ".join(sorted(found)) or "none, because the project itself is not installed (pip install .)"
        raise SettingsError(f"CTI_CONNECTOR: there is no connector “{settings.connector}”. Installed: {names}.")
    try:
        kind: type[Connector] = found[settings.connector].load()
    except ImportError as problem:
        raise SettingsError(
            f"CTI_CONNECTOR: {settings.connector} needs a library that is not installed ({problem.name}). "
            f"Install it: pip install 'cti-bridge[{settings.connector}]'"
        ) from problem
    return kind.open(
        Resources(
            environment=environment,
            region=settings.region,
            language=settings.language,
            timezone=settings.timezone,
            tally=Tallies(database),
            records=Records(database, settings.region),
        )
    )
