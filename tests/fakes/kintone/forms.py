"""The form API: the fields of an app, live and in preview. Views and the layout are in ``apps.py``."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from .app import FakeApp, Settings
from .auth import Asker
from .wire import Json, Request, app_not_found

if TYPE_CHECKING:
    from .domain import FakeDomain


def get_fields(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``GET app/form/fields.json`` and its preview."""
    settings = settings_to_show(domain, request, asker)
    return {"properties": copy.deepcopy(settings.properties), "revision": str(settings.revision)}


def settings_to_show(domain: FakeDomain, request: Request, asker: Asker) -> Settings:
    """The settings that a reading request means: live for who may view or add, preview for who manages."""
    app: FakeApp = domain.find(request, request.params.get("app"))
    if request.api.startswith("preview/"):
        asker.must(app, "manage")
        return app.preview
    if app.live is None:
        raise app_not_found(app.id)
    asker.must_one_of(app, "view", "add")
    return app.live
