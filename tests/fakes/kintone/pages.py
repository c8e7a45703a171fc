"""The few pages of kintone that a browser may open here. Nothing of them is kintone's but their addresses."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from .wire import Answer, Request

if TYPE_CHECKING:
    from .domain import FakeDomain

_PAGE = re.compile(r"/k/(?:guest/\d+/)?(?P<app>\d+)/(?P<page>show|edit|)")


def page(domain: FakeDomain, request: Request) -> Answer:
    """``/k/{app}/show``, ``/k/{app}/`` and ``/k/{app}/edit``; the record stands behind the ``#`` and is not sent."""
    match = _PAGE.fullmatch(request.path)
    app = domain.apps.get(int(match["app"])) if match else None
    if match is None or app is None:
        return Answer(404, "<!DOCTYPE html><title>404</title><h1>404 Not Found</h1>")
    name = escape(app.settings.name)
    shown = match["page"] or "index"
    return Answer(
        body=f"<!DOCTYPE html><html lang=ja><head><meta charset=utf-8><title>{name}</title></head>"
        f"<body data-app={app.id} data-page={shown}><h1>{name}</h1></body></html>"
    )
