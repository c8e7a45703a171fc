"""What every answer tells browsers to be strict about, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cti_bridge import headers, widgets
from cti_bridge.store import Database
from tests.conftest import empty
from tests.desk import CONFIG, Desk, at_desk

NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
FRAMES = f"frame-ancestors 'self' {CONFIG['CTI_EMBED_ORIGINS']}"
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' wss://cti.example.co.jp; "
    "img-src 'self' data:; media-src 'self'; base-uri 'none'; form-action 'none'; " + FRAMES
)


@pytest.fixture
def desk(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for page in ("panel", "recording"):
        (tmp_path / f"{page}.html").write_text("<!doctype html>", "utf-8")
    (tmp_path / "embed.js").write_text("//", "utf-8")
    monkeypatch.setattr(widgets, "DIST", tmp_path)
    empty(sqlite_database)
    with at_desk(sqlite_database) as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/widgets/panel", PAGE),
        ("/widgets/recording", PAGE.replace("media-src 'self'", "media-src 'self' blob:")),
        ("/widgets/embed.js", NOTHING),
        ("/api/openapi.json", NOTHING),
        ("/api/calls", NOTHING),
        ("/twilio/voice/incoming", NOTHING),
        ("/healthz", NOTHING),
        ("/metrics", NOTHING),
    ],
)
def test_each_answer_has_exactly_its_content_security_policy(desk: Desk, path: str, policy: str) -> None:
    answer = desk.client.get(path)
    assert answer.headers.getlist("Content-Security-Policy") == [policy]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    answer.close()


def test_pages_may_ring_and_talk_and_use_nothing_else_of_the_device(desk: Desk) -> None:
    for page in ("panel", "recording"):
        policy = desk.client.get(f"/widgets/{page}").headers["Permissions-Policy"]
        said = dict(part.split("=", 1) for part in policy.split(", "))
        assert {feature for feature, where in said.items() if where != "()"} == {"autoplay", "microphone"}
        assert {"camera", "geolocation", "usb", "payment"} <= said.keys()


def test_scripts_for_foreign_pages_can_be_loaded_there_and_answers_cannot(desk: Desk) -> None:
    script = desk.client.get("/widgets/embed.js")
    assert script.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    script.close()
    assert desk.client.get("/healthz").headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_plain_http_on_this_machine_is_not_told_to_be_https(sqlite_database: Database) -> None:
    empty(sqlite_database)
    with at_desk(sqlite_database, CTI_PUBLIC_URL="http://127.0.0.1:8000") as desk:
        assert "Strict-Transport-Security" not in desk.client.get("/healthz").headers


def test_the_host_apps_own_pages_are_left_alone(desk: Desk) -> None:
    desk.app._got_first_request = False
    desk.app.add_url_rule("/own", "own", lambda: "the company's own page")
    told = desk.client.get("/own").headers
    assert not set(headers.ON_EVERYTHING) & set(told.keys())
