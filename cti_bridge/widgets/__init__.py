"""Serves the built widgets (``widgets/`` at the top of the repository) with the headers that embedding needs."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from flask import Blueprint, Response, abort, send_from_directory
from flask.typing import ResponseReturnValue

from cti_bridge.connector import Screen
from cti_bridge.headers import PERMISSIONS

DIST = Path(__file__).parent / "dist"
ORIGINS = "__CTI_EMBED_ORIGINS__"
FACTS = "__CTI_FACTS__"

NOT_BUILT = (
    "The widgets have not been built, so there is nothing to show here.\n"
    "Build them with: make widgets   (or: cd widgets && npm ci && npm run build)\n"
)


def blueprint(*, embed_origins: tuple[str, ...], live_origin: str, screen: Screen) -> Blueprint:
    """``embed_origins`` may show the panel in a frame, and so may the CRM's own screen; ``live_origin`` is where the
    panel's socket goes (``wss://…``)."""
    routes = Blueprint("widgets", __name__, url_prefix="/widgets")
    framing = tuple(dict.fromkeys((*embed_origins, *screen.origins)))

    @routes.get("/panel")
    def panel() -> ResponseReturnValue:
        """The agent's panel, in a CRM's frame or in a window of its own."""
        return page("panel", scripts=())

    @routes.get("/recording")
    def recording() -> ResponseReturnValue:
        """Plays one call's recording; the link in its call log leads here."""
        return page("recording", scripts=(), media=("blob:",))  # it has fetched the sound, with the agent's token

    if screen.page:

        @routes.get(f"/{screen.page}")
        def crm_page() -> ResponseReturnValue:
            """The panel as this CRM's own screen holds it."""
            return page(screen.page, scripts=screen.scripts)

    def page(name: str, *, scripts: tuple[str, ...], media: tuple[str, ...] = ()) -> ResponseReturnValue:
        built = DIST / f"{name}.html"
        if not built.exists():
            return Response(NOT_BUILT, status=503, mimetype="text/plain")
        facts = json.dumps(dict(screen.facts), ensure_ascii=False)
        text = built.read_text("utf-8").replace(ORIGINS, escape(" ".join(framing), quote=True))
        response = Response(text.replace(FACTS, escape(facts, quote=True)), mimetype="text/html")
        response.headers["Content-Security-Policy"] = "; ".join(
            (
                "default-src 'none'",
                " ".join(("script-src 'self'", *scripts)),
                "style-src 'self'",
                f"connect-src 'self' {live_origin}",
                "img-src 'self' data:",
                " ".join(("media-src 'self'", *media)),
                "base-uri 'none'",
                "form-action 'none'",
                " ".join(("frame-ancestors 'self'", *framing)),
            )
        )
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Permissions-Policy"] = PERMISSIONS
        return response

    @routes.get("/<path:name>")
    def asset(name: str) -> ResponseReturnValue:
        """A built file. embed.js is loaded by foreign pages; the rest by our own panel."""
        if name.endswith(".html"):
            abort(404)
        response = send_from_directory(DIST, name, max_age=300)
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    return routes
