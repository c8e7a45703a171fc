"""The form API: an app's fields and their layout, live to read and in preview to change.

https://cybozu.dev/ja/kintone/docs/rest-api/apps/form
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from . import fields
from .app import FakeApp, Settings, layout_row
from .auth import Asker
from .wire import (
    REQUIRED_PARAMETER,
    Json,
    Message,
    Refused,
    Request,
    app_not_found,
    bad_json,
    field_not_found,
    invalid,
    missing,
    revision_conflict,
)

if TYPE_CHECKING:
    from .domain import FakeDomain

_CODE = re.compile(r"[^\W\d_０-９][\w･・＄$￥¥€£]*|[_＿･・＄$￥¥€£０-９][\w･・＄$￥¥€£]*")
_LONGEST_CODE = 128
_LONGEST_OPTION = 128
_WITH_OPTIONS = fields.CHOICES | fields.MULTIPLE_CHOICES
_TAKEN: Message = ("フィールドコードが重複しています。", "The field code is already used.")
_BAD_CODE: Message = (
    "先頭に数字が使用されているか、使用できない記号、またはスペースが含まれているため保存できません。",
    "The code begins with a number, or contains a symbol or a space that cannot be used.",
)
_BAD_TYPE: Message = ("Enum値のいずれかでなければなりません。", "must be one of the enum value")


def get_fields(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``GET app/form/fields.json`` and its preview."""
    settings = settings_to_show(domain, request, asker)
    return {"properties": copy.deepcopy(settings.properties), "revision": str(settings.revision)}


def add_fields(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``POST preview/app/form/fields.json``."""
    settings = settings_to_change(domain, request, asker)
    sent = _properties(request)
    mistakes: dict[str, list[Message]] = {}
    for code, spec in sent.items():
        _check_new(code, spec, settings, mistakes)
    if mistakes:
        raise invalid(mistakes)
    for code, spec in sent.items():
        settings.properties[code] = fields.described(code, spec)
        settings.layout.append(layout_row(settings.properties[code]))
    return changed(settings)


def change_fields(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``PUT preview/app/form/fields.json``: what is sent of a field is changed, the rest stays."""
    settings = settings_to_change(domain, request, asker)
    sent = _properties(request)
    for code, spec in sent.items():
        if code not in settings.properties:
            raise field_not_found(code)
        held = settings.properties[code]
        if spec.get("type", held["type"]) != held["type"]:
            raise invalid({f"properties[{code}].type": [("フィールドの種類は変更できません。", "Cannot be changed.")]})
        if spec.get("code", code) != code:
            raise NotImplementedError("this fake does not rename fields")
    for code, spec in sent.items():
        settings.properties[code] = fields.described(code, {**settings.properties[code], **spec})
    return changed(settings)


def delete_fields(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``DELETE preview/app/form/fields.json``."""
    settings = settings_to_change(domain, request, asker)
    codes = request.params.get("fields")
    if not isinstance(codes, list) or not codes:
        raise missing("fields")
    for code in codes:
        if code not in settings.properties or settings.properties[code]["type"] in fields.MADE_BY_KINTONE:
            raise field_not_found(code)
    for code in codes:
        del settings.properties[code]
    settings.layout = [row for row in settings.layout if not set(_codes_in([row])) & set(codes)]
    return changed(settings)


def get_layout(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``GET app/form/layout.json`` and its preview."""
    settings = settings_to_show(domain, request, asker)
    return {"layout": copy.deepcopy(settings.layout), "revision": str(settings.revision)}


def put_layout(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``PUT preview/app/form/layout.json``: every field must stand in it."""
    settings = settings_to_change(domain, request, asker)
    layout = request.params.get("layout")
    if not isinstance(layout, list):
        raise missing("layout")
    placed = list(_codes_in(layout))
    for code in placed:
        if code not in settings.properties:
            raise field_not_found(code)
    own = {code for code, spec in settings.properties.items() if spec["type"] not in fields.MADE_BY_KINTONE}
    if not own.issubset(placed) or len(placed) != len(set(placed)):
        raise invalid(
            {"layout": [("すべてのフィールドを1回ずつ指定します。", "Specify every field of the form exactly once.")]}
        )
    settings.layout = copy.deepcopy(layout)
    return changed(settings)


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


def settings_to_change(domain: FakeDomain, request: Request, asker: Asker) -> Settings:
    """The preview that a changing request means; refused while a deployment runs (the code for that is a guess)."""
    app = domain.find(request, request.params.get("app"))
    asker.must(app, "manage")
    if app.deploy_status == "PROCESSING":
        raise Refused(
            409,
            "GAIA_CO03",
            ("アプリの設定を運用環境に反映中のため、操作できません。", "The app settings are being deployed."),
        )
    if str(request.params.get("revision", -1)) not in ("-1", str(app.preview.revision)):
        raise revision_conflict()
    return app.preview


def changed(settings: Settings, **more: Any) -> Json:
    """Count a change; the answer to it."""
    settings.revision += 1
    return {**more, "revision": str(settings.revision)}


def _properties(request: Request) -> dict[str, Json]:
    sent = request.params.get("properties")
    if sent is None or sent == {}:
        raise missing("properties")
    if not isinstance(sent, dict) or not all(isinstance(spec, dict) for spec in sent.values()):
        raise bad_json()
    return sent


def _check_new(code: str, spec: Json, settings: Settings, mistakes: dict[str, list[Message]]) -> None:
    key = f"properties[{code}]"
    for name in ("type", "code", "label"):
        if not spec.get(name):
            mistakes.setdefault(f"{key}.{name}", []).append(REQUIRED_PARAMETER)
    if spec.get("type") and spec["type"] not in fields.ADDABLE:
        mistakes.setdefault(f"{key}.type", []).append(_BAD_TYPE)
    if not _CODE.fullmatch(code) or len(code) > _LONGEST_CODE or spec.get("code", code) != code:
        mistakes.setdefault(f"{key}.code", []).append(_BAD_CODE)
    inner = {each for held in settings.properties.values() for each in held.get("fields", {})}
    if code in settings.properties or code in inner:
        mistakes.setdefault(f"{key}.code", []).append(_TAKEN)
    if spec.get("type") == "LINK" and spec.get("protocol", "WEB") not in {"WEB", "CALL", "MAIL"}:
        mistakes.setdefault(f"{key}.protocol", []).append(_BAD_TYPE)
    if spec.get("type") in _WITH_OPTIONS:
        _check_options(key, spec.get("options"), mistakes)
    for name, part in spec.get("fields", {}).items() if spec.get("type") == "SUBTABLE" else ():
        _check_new(name, part, settings, mistakes)


def _check_options(key: str, options: Any, mistakes: dict[str, list[Message]]) -> None:
    if not isinstance(options, dict) or not options:
        mistakes.setdefault(f"{key}.options", []).append(REQUIRED_PARAMETER)
        return
    for name, option in options.items():
        if not isinstance(option, dict) or not {"label", "index"} <= option.keys() or len(name) > _LONGEST_OPTION:
            mistakes.setdefault(f"{key}.options[{name}]", []).append(REQUIRED_PARAMETER)


def _codes_in(layout: list[Any]) -> list[str]:
    """The codes of the fields in a layout, groups and tables included; labels and lines have none."""
    codes = []
    for row in layout:
        if not isinstance(row, dict):
            raise bad_json()
        if row.get("type") == "SUBTABLE":
            codes.append(str(row.get("code")))
        elif row.get("type") == "GROUP":
            codes += [str(row.get("code")), *_codes_in(row.get("layout", []))]
        else:
            codes += [str(each["code"]) for each in row.get("fields", []) if "code" in each]
    return codes
