"""Serves the built widgets (``widgets/`` at the top of the repository) with the headers that embedding needs."""

from __future__ import annotations

from html import escape
from pathlib import Path

from flask import Blueprint, Response, abort, send_from_directory
from flask.typing import ResponseReturnValue

DIST = Path(__file__).parent / "dist"
PLACEHOLDER = "__CTI_EMBED_ORIGINS__"

NOT_BUILT = (
    "The widgets have not been built, so there is nothing to show here.\n"
    "Build them with: make widgets   (or: cd widgets && npm ci && npm run build)\n"
)


def blueprint(*, embed_origins: tuple[str, ...], live_origin: str) -> Blueprint:
    """``embed_origins`` may show the panel in a frame; ``live_origin`` is where the panel's socket goes (``wss://…``)."""
    routes = Blueprint("widgets", __name__, url_prefix="/widgets")
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"connect-src 'self' {live_origin}",
            "img-src 'self' data:",
            "media-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            " ".join(("frame-ancestors 'self'", *embed_origins)),
        )
    )

    @routes.get("/panel")
    def panel() -> ResponseReturnValue:
        """The agent's panel, in a CRM's frame or in a window of its own."""
        page = DIST / "panel.html"
        if not page.exists():
            return Response(NOT_BUILT, status=503, mimetype="text/plain")
        text = page.read_text("utf-8").replace(PLACEHOLDER, escape(" ".join(embed_origins), quote=True))
        response = Response(text, mimetype="text/html")
        response.headers["Content-Security-Policy"] = policy
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Permissions-Policy"] = "camera=(), geolocation=()"
        return response

    @routes.get("/<path:name>")
    def asset(name: str) -> ResponseReturnValue:
        """A built file. embed.js is loaded by foreign pages; the rest by our own panel."""
        if name.endswith(".html"):
            abort(404)
        response = send_from_directory(DIST, name, max_age=300)
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    @routes.after_request
    def harden(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return routes
