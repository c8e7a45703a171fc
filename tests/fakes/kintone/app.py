"""An app: its form and settings (live and being edited), its tokens and its records, and what a test may ask of it.

What the REST API makes of them is in ``records.py``, ``apps.py`` and ``forms.py``.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .fields import MADE_BY_KINTONE, SYSTEM_FIELDS, described
from .wire import Json

if TYPE_CHECKING:
    from .domain import FakeDomain

Right = Literal["view", "add", "edit", "delete", "manage"]
RIGHTS: frozenset[Right] = frozenset({"view", "add", "edit", "delete", "manage"})


@dataclass
class Settings:
    """What an administrator sets: the form, its layout, the views. An app has them twice, live and in preview."""

    name: str
    properties: dict[str, Json]
    layout: list[Json] = field(default_factory=list)
    views: dict[str, Json] = field(default_factory=dict)
    general: Json = field(default_factory=dict)
    states: tuple[str, ...] = ()
    revision: int = 1

    def enabled(self) -> dict[str, Json]:
        """The fields that records have: a switched-off status is no field."""
        return {code: spec for code, spec in self.properties.items() if spec.get("enabled", True)}


@dataclass(frozen=True)
class Row:
    """A record. Never changed: an update puts a new one in its place, so a search index may keep the old one."""

    values: Mapping[str, Any]
    comments: tuple[Json, ...] = ()

    @property
    def id(self) -> int:
        """The record's number."""
        return int(self.values["$id"])


@dataclass
class Token:
    """An API token's rights. ``inert`` until somebody clicks "Update App"."""

    rights: frozenset[Right]
    inert: bool = False


class FakeApp:
    """One kintone app. Made by ``FakeDomain.app``."""

    def __init__(self, domain: FakeDomain, app_id: int, settings: Settings, guest_space: int | None = None) -> None:
        self.domain = domain
        self.id = app_id
        self.guest_space = guest_space
        self.live: Settings | None = None
        self.preview = settings
        self.tokens: dict[str, Token] = {}
        self.rows: dict[int, Row] = {}
        self.indexed: dict[int, Row] = {}
        self.next_id = 1
        self.next_row_id = 1
        self.created_at = domain.now()
        self.deploy_status = "SUCCESS"
        self.polls_left = 0

    @property
    def settings(self) -> Settings:
        """The live settings, or those of an app that was never deployed."""
        return self.live or self.preview

    def token(self, *rights: Right, updated: bool = True) -> str:
        """A new API token with these rights. With ``updated=False`` it is inert until the app is updated."""
        made = secrets.token_urlsafe(30)[:40]
        self.tokens[made] = Token(frozenset(rights), inert=not updated)
        return made

    def update(self) -> None:
        """Click "Update App": what was edited goes live and new tokens begin to work."""
        with self.domain.lock:
            self.live = copy.deepcopy(self.preview)
            for token in self.tokens.values():
                token.inert = False

    def set_field(self, code: str, spec: str | Json) -> None:
        """Add or change a field, at once and live: ``app.set_field("tel", {"type": "LINK", "protocol": "CALL"})``."""
        with self.domain.lock:
            for settings in {id(each): each for each in (self.preview, self.settings)}.values():
                settings.properties[code] = described(code, spec)
                settings.revision += 1

    def remove_field(self, code: str) -> None:
        """Take a field away, at once and live."""
        with self.domain.lock:
            for settings in (self.preview, self.settings):
                settings.properties.pop(code, None)

    def add(self, **values: Any) -> str:
        """Add a record as the administrator would, with kintone's checks: ``app.add(会社名="山田商事")`` → ``"1"``.

        Raises ``wire.Refused`` for what kintone would refuse.
        """
        return self.add_many([values])[0]

    def add_many(self, records: Iterable[Mapping[str, Any]]) -> list[str]:
        """Add many records in one go; their ids."""
        from .records import insert_many

        wire = [{code: {"value": value} for code, value in record.items()} for record in records]
        with self.domain.lock:
            return [str(row.id) for row in insert_many(self.domain, self, self.domain.administrator, wire)]

    def change(self, record_id: str | int, **values: Any) -> None:
        """Change a record as another user would meanwhile: its revision goes up."""
        from .records import update_one

        wire = {code: {"value": value} for code, value in values.items()}
        with self.domain.lock:
            update_one(self.domain, self, self.domain.administrator, self.rows[int(record_id)], wire)

    def delete(self, *record_ids: str | int) -> None:
        """Delete records."""
        with self.domain.lock:
            for record_id in record_ids:
                del self.rows[int(record_id)]
                self.indexed.pop(int(record_id), None)

    def records(self) -> list[Json]:
        """All records, oldest first, as plain values by field code: ``{"$id": "1", "会社名": "山田商事", …}``."""
        with self.domain.lock:
            return [copy.deepcopy(dict(row.values)) for row in self.rows.values()]

    def record(self, record_id: str | int) -> Json:
        """One record as plain values. Raises ``KeyError`` if it is gone."""
        with self.domain.lock:
            return copy.deepcopy(dict(self.rows[int(record_id)].values))

    def comments(self, record_id: str | int) -> list[str]:
        """The texts of a record's comments, oldest first."""
        with self.domain.lock:
            return [each["text"] for each in self.rows[int(record_id)].comments]

    def put(self, row: Row) -> None:
        """Keep a record, and tell the search index of it unless that lags behind."""
        self.rows[row.id] = row
        if not self.domain.search_lag:
            self.indexed[row.id] = row


def settings_for(name: str, fields: Mapping[str, str | Json], states: Iterable[str] = ()) -> Settings:
    """The settings of a new app: system fields, and one row of the layout for each field."""
    named = tuple(states)
    properties = {code: dict(spec) for code, spec in SYSTEM_FIELDS.items()}
    if named:
        properties["ステータス"]["enabled"] = properties["作業者"]["enabled"] = True
    properties |= {code: described(code, spec) for code, spec in fields.items()}
    settings = Settings(name, properties, states=named)
    settings.layout = [layout_row(spec) for code, spec in properties.items() if spec["type"] not in MADE_BY_KINTONE]
    return settings


def layout_row(spec: Json) -> Json:
    """A field in a row of its own, as ``form/layout.json`` shows it."""
    if spec["type"] == "SUBTABLE":
        inner = [{"type": each["type"], "code": code, "size": {}} for code, each in spec["fields"].items()]
        return {"type": "SUBTABLE", "code": spec["code"], "fields": inner}
    return {"type": "ROW", "fields": [{"type": spec["type"], "code": spec["code"], "size": {"width": "193"}}]}
