"""pykintone with its gaps closed: one kintone app, through the domain's session. What is asked is not here.

``KintoneApp`` is pykintone's ``Application``; record formats, select, create and update stay the library's. Closed:

- its requests go through ``Domain`` (pooled connections, time-outs, our share of the domain, honest errors) and lose the
  library's ``Host: ….cybozu.com`` and broken Basic authentication;
- any host, kintone.com and .cn, guest spaces, several tokens;
- a record's fields may be called ``id`` or ``revision``;
- ``str()`` does not print tokens;
- upsert, update by a unique field, forms and everything else that the library cannot do: ``upsert``, ``call`` …
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

from pydantic import SecretStr
from requests import Response

from cti_bridge.connectors.kintone.domain import Domain
from cti_bridge.connectors.kintone.problems import KintoneRefused, KintoneUnavailable
from cti_bridge.environment import administrators_language
from cti_bridge.errors import SettingsError

_BAD_TIME_ZONE = {
    "ja": "kintone用の部品（pykintone）が、環境変数 TZ を読めませんでした。"
    "TZ=Asia/Tokyo のような地域名にするか、TZを消してください。",
    "en": "The kintone library (pykintone) cannot read the environment variable TZ. "
    "Set it to a name such as TZ=Asia/Tokyo, or remove it.",
}
_NOT_INSTALLED = {
    "ja": "kintone用の部品が入っていません。pip install 'cti-bridge[kintone]' で入れてください。",
    "en": "The kintone library is not installed: pip install 'cti-bridge[kintone]'.",
}

try:
    from pykintone.account import Account
    from pykintone.application import Application
except ImportError as missing:
    raise SettingsError(_NOT_INSTALLED[administrators_language()]) from missing
except Exception as unreadable:  # it asks for the local time zone on import, and stumbles over TZ=JST-9
    raise SettingsError(_BAD_TIME_ZONE[administrators_language()]) from unreadable

Record: TypeAlias = dict[str, dict[str, Any]]
"""A record as kintone writes it: ``{"$id": {"type": "__ID__", "value": "3"}, "氏名": {"type": …, "value": "山本"}}``."""


_PROMISED = {
    ("GET", "records.json"): "records",
    ("GET", "record.json"): "record",
    ("POST", "record.json"): "id",
    ("PUT", "record.json"): "revision",
    ("PUT", "records.json"): "records",
    ("GET", "app/form/fields.json"): "properties",
}
"""What an answer must hold. The library takes an answer without records for one that found none."""


class KintoneApp(Application):  # type: ignore[misc]  # the library has no types
    """One app of the domain."""

    def __init__(
        self, domain: Domain, app: int, tokens: Iterable[SecretStr] = (), *, guest_space: int | None = None
    ) -> None:
        super().__init__(Account(""), app, ",".join(token.get_secret_value() for token in tokens))
        self.number = app
        self.domain = domain
        self.guest_space = guest_space
        self.API_ROOT = domain.root(guest_space).replace("{", "{{").replace("}", "}}") + "/{1}"

    # ── records, the library's way ──────────────────────────────────────────────────────────────────────────────────

    def find(self, query: str, fields: Collection[str] = ()) -> list[Record]:
        """The records that a query finds; sent by POST, so that it may be long."""
        found: list[Record] = self.select(query, list(fields)).records
        return found

    def fetch(self, record_id: str) -> Record | None:
        """The record with this id, None when there is none."""
        try:
            record: Record = self.get(record_id).record
        except KintoneRefused as problem:
            if problem.missing:
                return None
            raise
        return record

    def add(self, values: Mapping[str, Any]) -> str:
        """A new record with these values; its id."""
        return str(self.create(_as_record(values)).record_id)

    def change(self, record_id: str, values: Mapping[str, Any], revision: str | None = None) -> None:
        """Give a record other values; with ``revision``, only if nobody changed it since (else KintoneUnavailable)."""
        keys = {"$id": {"value": int(record_id)}, "$revision": {"value": int(revision) if revision else -1}}
        self.update(_as_record(values) | keys)

    # ── what the library cannot do ──────────────────────────────────────────────────────────────────────────────────

    def upsert(self, field: str, value: str, values: Mapping[str, Any]) -> str:
        """Update the record whose unique field has this value, or make it, in one request; its id. Fires no webhooks."""
        one = {"updateKey": {"field": field, "value": value}, "record": _as_record(values)}
        answer = self.call("PUT", "records.json", {"app": self.number, "upsert": True, "records": [one]})
        return str(answer["records"][0]["id"])

    def form(self) -> dict[str, dict[str, Any]]:
        """The app's fields by code, as kintone describes them."""
        properties: dict[str, dict[str, Any]] = self.call("GET", "app/form/fields.json", {"app": self.number})[
            "properties"
        ]
        return properties

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Any other request of the interface: ``app.call("POST", "record/comment.json", {…})``. ``body`` as JSON; of GET,
        the query string."""
        answer = self._request(method, f"{self.domain.root(self.guest_space)}/{path}", body or {}).json()
        return dict(answer)

    # ── the one seam ────────────────────────────────────────────────────────────────────────────────────────────────

    def _request(
        self,
        method: str,
        url: str,
        params_or_data: Any,
        headers: Mapping[str, str] | None = None,
        use_api_token: bool = True,
    ) -> Response:
        """Every request of the library passes here."""
        override = {name: value for name, value in (headers or {}).items() if name == "X-HTTP-Method-Override"}
        token = {"X-Cybozu-API-Token": self.api_token} if use_api_token and self.api_token else {}
        is_get = method.upper() == "GET"
        response = self.domain.send(
            method.upper(),
            url,
            app=self.number,
            headers={**token, **override},
            params=params_or_data if is_get else None,
            body=None if is_get else params_or_data,
        )
        meant = (override.get("X-HTTP-Method-Override", method).upper(), url.rpartition("/v1/")[2])
        if (member := _PROMISED.get(meant)) and member not in response.json():
            raise KintoneUnavailable(
                f"kintoneの応答が欠けています / kintone's answer is not whole (no “{member}”)",
                status=response.status_code,
            )
        return response

    # The library takes fields that are called "id" or "revision" for the record's own; these are its private names.
    def _Application__is_record_id(self, field_name: str) -> bool:  # noqa: N802
        return field_name == "$id"

    def _Application__is_revision(self, field_name: str) -> bool:  # noqa: N802
        return field_name == "$revision"

    def __str__(self) -> str:
        return f"kintone app {self.number}"

    __repr__ = __str__


def _as_record(values: Mapping[str, Any]) -> Record:
    return {code: {"value": value} for code, value in values.items()}
