"""The app API: what apps there are, making one, its views and general settings, and bringing changes to life.

https://cybozu.dev/ja/kintone/docs/rest-api/apps — making an app takes no API token; a deployment is PROCESSING for as
many questions as ``FakeDomain.deploy_polls`` says, and only then are the changes live.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from . import query
from .app import FakeApp, Settings, settings_for
from .auth import Asker
from .forms import changed, settings_to_change, settings_to_show
from .wire import (
    REQUIRED_PARAMETER,
    Json,
    Message,
    Request,
    app_not_found,
    bad_json,
    field_not_found,
    invalid,
    missing,
    not_allowed,
    number,
    objects,
    revision_conflict,
    truth,
)

if TYPE_CHECKING:
    from .domain import FakeDomain

_LONGEST_NAME = 64
_MOST_APPS = 100
_VIEW_TYPES = frozenset({"LIST", "CALENDAR", "CUSTOM"})
_VIEW_DEFAULTS: Json = {"filterCond": "", "sort": "レコード番号 desc"}


def get_app(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``GET app.json``."""
    app = domain.find(request, request.params.get("id"), "id")
    if app.live is None:
        raise app_not_found(app.id)
    asker.must_one_of(app, "view", "add")
    return _told(app)


def get_apps(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``GET apps.json``; takes no token."""
    asker.must_be_a_user()
    limit, offset = number(request.params, "limit", _MOST_APPS), number(request.params, "offset", 0)
    if not 1 <= limit <= _MOST_APPS:
        raise invalid({"limit": [("1から100までの整数で指定します。", "must be between 1 and 100")]})
    ids = {str(each) for each in request.params.get("ids") or []}
    name = str(request.params.get("name") or "").casefold()
    found = [
        app
        for app in domain.apps.values()
        if app.live is not None
        and (not ids or str(app.id) in ids)
        and name in app.live.name.casefold()
        and str(app.guest_space) == str(request.guest_space)
    ]
    return {"apps": [_told(app) for app in found[offset : offset + limit]]}


def get_space(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``GET space.json``; takes no token. Every space has one thread, whose number is the space's and 100.

    https://cybozu.dev/ja/kintone/docs/rest-api/spaces/get-space/
    """
    asker.must_be_a_user()
    space = number(request.params, "id")
    if request.guest_space != str(space):
        raise not_allowed()
    return {"id": str(space), "name": f"space {space}", "defaultThread": str(space + 100), "isGuest": True}


def create_app(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``POST preview/app.json``: refused with a token (GAIA_NO01)."""
    if not asker.must_be_a_user().may_create_apps:
        raise not_allowed()
    name = str(request.params.get("name") or "")
    if not name:
        raise missing("name")
    if len(name) > _LONGEST_NAME:
        raise invalid({"name": [("65文字より短くなければなりません。", "Enter less than 65 characters.")]})
    space = int(request.guest_space) if request.guest_space else None
    if space is not None and {number(request.params, "space"), number(request.params, "thread") - 100} != {space}:
        raise invalid({"space": [("スペースが見つかりません。", "The space is not found.")]})
    app = domain.new_app(settings_for(name, {}), space)
    return {"app": str(app.id), "revision": str(app.preview.revision)}


def get_settings(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``GET app/settings.json`` and its preview."""
    settings = settings_to_show(domain, request, asker)
    standard = {"description": "", "icon": {"type": "PRESET", "key": "APP72"}, "theme": "WHITE"}
    return {"name": settings.name, **standard, **settings.general, "revision": str(settings.revision)}


def put_settings(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``PUT preview/app/settings.json``."""
    settings = settings_to_change(domain, request, asker)
    sent = {key: value for key, value in request.params.items() if key not in {"app", "revision"}}
    settings.name = str(sent.pop("name", settings.name))
    settings.general |= sent
    return changed(settings)


def get_views(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``GET app/views.json`` and its preview."""
    settings = settings_to_show(domain, request, asker)
    return {"views": copy.deepcopy(settings.views), "revision": str(settings.revision)}


def put_views(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``PUT preview/app/views.json``: the views that are not named are deleted."""
    settings = settings_to_change(domain, request, asker)
    sent = request.params.get("views")
    if not isinstance(sent, dict) or not all(isinstance(view, dict) for view in sent.values()):
        raise missing("views") if sent is None else bad_json()
    mistakes: dict[str, list[Message]] = {}
    for name, view in sent.items():
        _check_view(name, view, settings, mistakes)
    if mistakes:
        raise invalid(mistakes)
    last = max((int(view["id"]) for view in settings.views.values()), default=5_520_000)
    views = {}
    for name, view in sent.items():
        held = settings.views.get(name)
        if held is None:
            last += 1
        own = {"id": str(last), "name": name, **_VIEW_DEFAULTS} if held is None else held
        views[name] = {**own, **view, "id": own["id"], "index": str(view["index"])}
    settings.views = {view["name"]: view for view in views.values()}
    return changed(settings, views={name: {"id": view["id"]} for name, view in settings.views.items()})


def deploy(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``POST preview/app/deploy.json``; with ``revert`` the changes are thrown away instead."""
    asked = objects(request.params, "apps")
    apps = [domain.find(request, each.get("app"), "apps[0].app") for each in asked]
    for app, each in zip(apps, asked, strict=True):
        asker.must(app, "manage")
        if str(each.get("revision", -1)) not in ("-1", str(app.preview.revision)):
            raise revision_conflict()
    for app in apps:
        if truth(request.params.get("revert")) and app.live is not None:
            app.preview = copy.deepcopy(app.live)
        app.deploy_status, app.polls_left = "PROCESSING", domain.deploy_polls
    return {}


def get_deployment(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``GET preview/app/deploy.json``: PROCESSING for a while, then SUCCESS, FAIL or CANCEL."""
    ids = request.params.get("apps")
    if not isinstance(ids, list) or not ids:
        raise missing("apps")
    apps = [domain.find(request, each, "apps") for each in ids]
    for app in apps:
        asker.must(app, "manage")
    return {"apps": [{"app": str(app.id), "status": _proceed(domain, app)} for app in apps]}


def _proceed(domain: FakeDomain, app: FakeApp) -> str:
    if app.deploy_status == "PROCESSING":
        app.polls_left -= 1
        if app.polls_left < 0:
            app.deploy_status = "FAIL" if _breaks_records(app) else domain.deploy_result
            if app.deploy_status == "SUCCESS":
                app.update()
    return app.deploy_status


def _breaks_records(app: FakeApp) -> bool:
    """Whether a field is to become unique that holds a value twice: then kintone fails the deployment."""
    for code, spec in app.preview.properties.items():
        held = [row.values.get(code) for row in app.rows.values() if row.values.get(code) not in ("", None)]
        if spec.get("unique") and len(held) != len(set(held)):
            return True
    return False


def _check_view(name: str, view: Json, settings: Settings, mistakes: dict[str, list[Message]]) -> None:
    key = f"views[{name}]"
    if view.get("index") is None:
        mistakes.setdefault(f"{key}.index", []).append(REQUIRED_PARAMETER)
    if view.get("type") not in _VIEW_TYPES:
        wrong = ("Enum値のいずれかでなければなりません。", "must be one of the enum value")
        mistakes.setdefault(f"{key}.type", []).append(wrong)
    for code in view.get("fields", []):
        if code not in settings.properties:
            raise field_not_found(code)
    condition = query.parse(str(view.get("filterCond") or ""))
    sorting = query.parse(f"order by {view['sort']}" if view.get("sort") else "")
    for code in [*_codes(condition.condition), *(code for code, _ in sorting.order)]:
        if code not in settings.properties and code != "$id":
            raise field_not_found(code)


def _codes(condition: query.Condition | None) -> list[str]:
    if condition is None:
        return []
    if isinstance(condition, query.Test):
        return [condition.code]
    return [*_codes(condition.left), *_codes(condition.right)]


def _told(app: FakeApp) -> Json:
    settings: Settings = app.settings
    made: dict[str, Any] = {
        "appId": str(app.id),
        "code": "",
        "name": settings.name,
        "description": settings.general.get("description", ""),
        "spaceId": None if app.guest_space is None else str(app.guest_space),
        "threadId": None if app.guest_space is None else str(app.guest_space),
    }
    moment = app.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    by = app.domain.administrator.entity()
    return made | {"createdAt": moment, "creator": by, "modifiedAt": moment, "modifier": by}
