"""The bridge in somebody's own Flask app: it takes its prefix and leaves everything else alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from html import unescape
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from flask import Blueprint, Flask, abort
from twilio.request_validator import RequestValidator

import cti_bridge
from cti_bridge import CTIBridge, create_app
from cti_bridge import app as app_module
from cti_bridge import widgets as widgets_module
from cti_bridge.app import bridge_of
from cti_bridge.connector import Screen
from cti_bridge.errors import ConnectorUnavailable, SettingsError
from cti_bridge.metrics import Metrics
from cti_bridge.model import Usage
from cti_bridge.store import Database
from tests.conftest import empty
from tests.desk import CONFIG, PASSWORD, PUBLIC, TARO, Desk, at_desk
from tests.fakes.memory import MemoryConnector
from tests.running import MAIN_LINE, impatience, running, stop


def their_app() -> Flask:
    """Somebody's app: its own pages, error pages, a blueprint named api, hooks, and settings."""
    app = Flask("theirs", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=10, JSON_SORT_KEYS=False, MY_OWN="kept")
    app.seen = []  # type: ignore[attr-defined]
    api = Blueprint("api", __name__, url_prefix="/api")

    @app.before_request
    def see() -> None:
        app.seen.append(1)  # type: ignore[attr-defined]

    @app.get("/")
    def home() -> str:
        return "their home"

    @api.get("/session")
    def session() -> str:
        return "their session"

    @api.get("/broken")
    def broken() -> str:
        abort(409)

    @app.errorhandler(404)
    def not_found(_: Exception) -> tuple[str, int]:
        return "their 404 page", 404

    @app.errorhandler(Exception)
    def anything(error: Exception) -> tuple[str, int]:
        return f"their page about {type(error).__name__}", 500

    app.register_blueprint(api)
    return app


@pytest.fixture
def desk(sqlite_database: Database) -> Iterator[Desk]:
    """Their app with a bridge under /phone."""
    empty(sqlite_database)
    with at_desk(sqlite_database, prefix="/phone", app=their_app()) as opened:
        yield opened


def test_their_pages_answers_errors_and_settings_are_as_before(desk: Desk) -> None:
    get = desk.client.get
    assert get("/").text == "their home"
    assert get("/api/session").text == "their session"
    assert (get("/nowhere").text, get("/nowhere").status_code) == ("their 404 page", 404)
    assert (get("/api/nothing").text, get("/phonebook").text) == ("their 404 page", "their 404 page")
    assert get("/api/broken").text == "their page about Conflict"
    untouched = {"MAX_CONTENT_LENGTH": 10, "JSON_SORT_KEYS": False, "MY_OWN": "kept"}
    assert {name: desk.app.config[name] for name in untouched} == untouched
    assert "SOCK_SERVER_OPTIONS" not in desk.app.config


def test_everything_of_ours_is_under_the_prefix_with_our_errors(desk: Desk) -> None:
    ours = {rule.rule for rule in desk.app.url_map.iter_rules() if rule.endpoint.startswith("cti_bridge.")}
    assert ours
    assert all(rule.startswith("/phone/") or rule == "/phone/api" for rule in ours)
    assert desk.client.get("/phone/healthz").get_json() == {"status": "ok"}
    assert desk.client.get("/phone/readyz").get_json() == {"status": "ok"}
    assert desk.client.get("/phone/api/calls").get_json()["code"] == "not_signed_in"
    assert desk.ask("GET", "/calls/unheard-of").get_json()["code"] == "call_not_found"
    assert desk.ask("GET", "/nothing").get_json()["code"] == "not_found"
    body = {"email": desk.sato.email, "password": PASSWORD}
    assert len(json.dumps(body)) > 10, "their limit of ten bytes is not ours"
    assert desk.client.post("/phone/api/session", json=body).status_code == 200
    assert b"cti_webhooks" in desk.client.get("/phone/metrics").data


def test_their_hooks_see_our_requests_too_and_ours_see_none_of_theirs(desk: Desk) -> None:
    seen: list[int] = desk.app.seen  # type: ignore[attr-defined]
    before = len(seen)
    desk.client.get("/phone/healthz")
    desk.client.get("/")
    assert len(seen) == before + 2


def test_signatures_are_checked_with_the_prefix_in_the_address(desk: Desk) -> None:
    form = {"CallSid": "CA" + "1" * 32, "From": TARO, "To": MAIN_LINE, "Direction": "inbound", "CallStatus": "ringing"}
    sign = RequestValidator(CONFIG["TWILIO_AUTH_TOKEN"]).compute_signature
    path = "/phone/twilio/voice/incoming"
    answers = {
        signed: desk.client.post(path, data=form, headers={"X-Twilio-Signature": sign(PUBLIC + signed, form)})
        for signed in (path, "/twilio/voice/incoming")
    }
    assert answers[path].status_code == 200
    assert f"{PUBLIC}/phone/twilio/voice/result" in answers[path].text, "and Twilio is told the whole address"
    assert answers["/twilio/voice/incoming"].status_code == 403


def test_a_call_goes_all_the_way_under_a_prefix_in_their_app(sqlite_database: Database) -> None:
    empty(sqlite_database)
    with running(sqlite_database, prefix="/phone", app=their_app()) as live:
        screen = live.screen()
        call = live.twilio.call_in(TARO, MAIN_LINE)
        screen.card(call.sid, phase="ringing", stage=2)
        call.hang_up()
        live.eventually(lambda: call.sid in live.crm.logs, "the log")
        assert live.twilio.problems == []


def test_two_apps_in_one_process_have_a_bridge_each(tmp_path: Path, sqlite_database: Database) -> None:
    empty(sqlite_database)
    from cti_bridge.store import migrate

    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    migrate.upgrade(other)
    with at_desk(sqlite_database, prefix="/a") as first, at_desk(other, prefix="/b") as second:
        call = first.call_in()
        assert first.ask("GET", f"/calls/{call}").status_code == 200
        assert second.ask("GET", f"/calls/{call}").status_code == 404
        assert second.client.get("/a/healthz").status_code == 404
    other.close()


def test_a_second_bridge_in_one_app_is_refused_and_the_first_stays(desk: Desk) -> None:
    app = their_app()
    app.config.update(desk.app.config)
    with impatience():
        first = CTIBridge(app, url_prefix="/one", connector=MemoryConnector())
        with pytest.raises(ValueError, match="cti_bridge"):
            CTIBridge(app, url_prefix="/two", connector=MemoryConnector())
    assert bridge_of(app) is first.bridge
    assert first.bridge is not None
    first.bridge.database.close()


def test_init_app_mounts_later(sqlite_database: Database) -> None:
    cti = CTIBridge(url_prefix="/later/", connector=MemoryConnector())
    app = Flask("theirs")
    app.config.update(CONFIG, DATABASE_URL=sqlite_database.url.render_as_string())
    with impatience():
        cti.init_app(app)
    assert bridge_of(app) is cti.bridge
    assert app.test_client().get("/later/healthz").status_code == 200
    assert cti.bridge is not None
    stop(cti.bridge)


def test_the_stand_alone_app_shows_the_panel_at_its_address(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti_bridge.logbook.configure", lambda: None)
    with impatience():
        app = create_app({**CONFIG, "DATABASE_URL": sqlite_database.url.render_as_string()})
    answer = app.test_client().get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "widgets/panel")
    assert bridge_of(app).connector.name == "local"
    stop(bridge_of(app))


def test_wrong_settings_stop_the_mounting_with_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CONFIG:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError) as wrong:
        CTIBridge(Flask("theirs"))
    for name in ("CTI_PUBLIC_URL", "CTI_SECRET_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        assert name in str(wrong.value)
    app = Flask("theirs")
    app.config.update({**CONFIG, "CTI_PUBLIC_URL": "http://cti.example.co.jp", "CTI_SECRET_KEY": "too short"})
    with pytest.raises(SettingsError, match=r"(?s)2 settings.*https.*32 random") as wrong:
        CTIBridge(app)
    assert "too short" not in str(wrong.value), "a secret is never shown, not even a wrong one"


# ── connectors ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_third_partys_connector_is_found_by_its_entry_point(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("memory", "tests.fakes.memory:MemoryConnector", app_module.ENTRY_POINTS)
    monkeypatch.setattr(app_module, "entry_points", lambda group: [point])
    app = Flask("theirs")
    app.config.update(CONFIG, DATABASE_URL=sqlite_database.url.render_as_string(), CTI_CONNECTOR="memory")
    with impatience():
        bridge = CTIBridge(app).bridge
    assert bridge is not None
    assert isinstance(bridge.connector, MemoryConnector)
    bridge.database.close()


@pytest.mark.parametrize(("installed", "told"), [(["local", "acme"], "Installed: acme, local"), ([], "pip install")])
def test_an_unknown_connector_is_refused_with_the_names_there_are(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, installed: list[str], told: str
) -> None:
    points = [EntryPoint(name, "x:y", app_module.ENTRY_POINTS) for name in installed]
    monkeypatch.setattr(app_module, "entry_points", lambda group: points)
    app = Flask("theirs")
    app.config.update(CONFIG, DATABASE_URL=sqlite_database.url.render_as_string(), CTI_CONNECTOR="salseforce")
    with impatience(), pytest.raises(SettingsError) as refused:
        CTIBridge(app)
    assert "CTI_CONNECTOR" in str(refused.value)
    assert "salseforce" in str(refused.value)
    assert told in str(refused.value)


def test_the_package_names_only_what_it_promises() -> None:
    assert sorted(cti_bridge.__all__) == ["CTIBridge", "__version__", "create_app"]
    assert all(getattr(cti_bridge, name) for name in cti_bridge.__all__)
    with pytest.raises(AttributeError, match="Bridges"):
        _ = cti_bridge.Bridges


# ── health ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_database_that_is_behind_or_gone_is_not_ready_but_the_process_is_up(tmp_path: Path) -> None:
    app = Flask("theirs")
    app.config.update(CONFIG, DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}")
    with impatience():
        bridge = CTIBridge(app, connector=MemoryConnector()).bridge
    assert bridge is not None
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["mend"]) == (503, "cti-bridge migrate")
    stop(bridge)
    app = Flask("theirs")
    app.config.update(CONFIG, DATABASE_URL=f"sqlite:///{tmp_path / 'no such folder' / 'new.db'}")
    with impatience():
        bridge = CTIBridge(app, connector=MemoryConnector()).bridge
    assert bridge is not None
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    assert (client.get("/readyz").status_code, client.get("/readyz").get_json()["status"]) == (
        503,
        "database unavailable",
    )
    stop(bridge)


def test_a_bridge_that_was_stopped_answers_and_starts_nothing_again(desk: Desk) -> None:
    stop(desk.bridge)
    call = desk.call_in()
    assert desk.ask("GET", f"/calls/{call}").status_code == 200
    desk.bridge.start()
    assert desk.bridge._started_in is None
    desk.bridge.database.close()


# ── widgets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built widget of three files."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "panel.html").write_text('<meta content="__CTI_EMBED_ORIGINS__"><p>山田</p>', "utf-8")
    (tmp_path / "embed.js").write_text("embed()", "utf-8")
    (tmp_path / "assets" / "panel-1.js").write_text("panel()", "utf-8")
    monkeypatch.setattr(widgets_module, "DIST", tmp_path)
    return tmp_path


def test_the_panel_may_be_framed_by_exactly_the_configured_origins(desk: Desk, built: Path) -> None:
    answer = desk.client.get("/phone/widgets/panel")
    assert answer.status_code == 200
    rules = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert rules["frame-ancestors"] == "'self' https://acme.cybozu.com https://acme.lightning.force.com"
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self' wss://cti.example.co.jp"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert 'content="https://acme.cybozu.com https://acme.lightning.force.com"' in answer.text
    assert "X-Frame-Options" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_crm_with_a_screen_of_its_own_gets_a_page_that_loads_its_script(
    sqlite_database: Database, built: Path
) -> None:
    empty(sqlite_database)
    crm = MemoryConnector()
    crm.screen = Screen(
        origins=("https://acme.lightning.force.com", "https://acme.my.salesforce.com"),
        page="salesforce",
        scripts=("https://acme.my.salesforce.com",),
        facts={"org": "https://acme.my.salesforce.com", "quoted": '">'},
    )
    (built / "salesforce.html").write_text('<meta name="cti-facts" content="__CTI_FACTS__">', "utf-8")
    with at_desk(sqlite_database, crm=crm) as desk:
        answer = desk.client.get("/widgets/salesforce")
        panel = desk.client.get("/widgets/panel").headers["Content-Security-Policy"]
    rules = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert rules["script-src"] == "'self' https://acme.my.salesforce.com"
    framing = "'self' https://acme.cybozu.com https://acme.lightning.force.com https://acme.my.salesforce.com"
    assert rules["frame-ancestors"] == framing, "each origin once"
    assert json.loads(unescape(answer.text.split('content="')[1].split('"')[0]))["quoted"] == '">'
    assert "script-src 'self';" in panel, "the plain panel loads nobody's script"
    assert panel.endswith(f"frame-ancestors {framing}")


def test_the_page_of_a_recording_may_play_what_it_has_fetched_and_be_framed_like_the_panel(
    desk: Desk, built: Path
) -> None:
    (built / "recording.html").write_text("<cti-recording></cti-recording>", "utf-8")
    rules = [
        dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
        for answer in (desk.client.get("/phone/widgets/recording?id=RE1"), desk.client.get("/phone/widgets/panel"))
    ]
    page, panel = rules
    assert page.pop("media-src") == "'self' blob:"
    assert panel.pop("media-src") == "'self'", "the panel needs no more"
    assert page == panel


def test_a_crm_without_a_screen_of_its_own_has_no_such_page(desk: Desk, built: Path) -> None:
    assert desk.client.get("/phone/widgets/salesforce").status_code == 404


def test_the_crms_request_budget_is_among_the_metrics(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = Metrics("memory", lambda: [Usage("api_requests", 1200, 15000), Usage("running", 3)])
    lines = metrics.text().decode().splitlines()
    assert 'cti_crm_usage{connector="memory",resource="api_requests"} 1200.0' in lines
    assert 'cti_crm_usage_limit{connector="memory",resource="api_requests"} 15000.0' in lines
    assert 'cti_crm_usage{connector="memory",resource="running"} 3.0' in lines
    assert "cti_crm_usage" in desk.client.get("/phone/metrics").text


def test_a_crm_that_cannot_be_warmed_up_does_not_keep_the_bridge_from_starting(sqlite_database: Database) -> None:
    empty(sqlite_database)
    crm = MemoryConnector()
    warmed = threading.Event()

    def warm_up() -> None:
        warmed.set()
        raise ConnectorUnavailable

    crm.warm_up = warm_up  # type: ignore[method-assign]
    with at_desk(sqlite_database, crm=crm) as desk:
        assert warmed.wait(10), "the connector was never asked to warm up"
        assert desk.client.get("/readyz").status_code == 200


def test_without_origins_nobody_else_may_frame_it(sqlite_database: Database, built: Path) -> None:
    empty(sqlite_database)
    with at_desk(sqlite_database, CTI_EMBED_ORIGINS="") as desk:
        policy = desk.client.get("/widgets/panel").headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors 'self'")


def test_built_files_are_served_to_foreign_pages_and_nothing_else_is(desk: Desk, built: Path) -> None:
    answer = desk.client.get("/phone/widgets/embed.js")
    assert (answer.status_code, answer.text) == (200, "embed()")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    answer.close()
    with desk.client.get("/phone/widgets/assets/panel-1.js") as asset:
        assert asset.status_code == 200
    for path in ("panel.html", "../app.py", "%2e%2e/app.py", "assets/../../app.py", "nothing.js", "//etc/passwd"):
        assert desk.client.get(f"/phone/widgets/{path}", follow_redirects=True).status_code == 404, path


def test_a_panel_that_was_not_built_says_how_to_build_it(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(widgets_module, "DIST", tmp_path / "nothing here")
    answer = desk.client.get("/phone/widgets/panel")
    assert (answer.status_code, answer.mimetype) == (503, "text/plain")
    assert "make widgets" in answer.text
