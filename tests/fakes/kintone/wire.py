"""What goes over the wire: requests, answers, and the refusals with kintone's codes in Japanese and English.

No state and no rule lives here. Codes and messages are those that people saw on the real kintone (its own clients'
tests, and notes of a public emulator that was run against the real one); where a code is only our guess, the place
that raises it says so.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]
Message = tuple[str, str]
"""The same sentence in Japanese and in English."""

_PATH = re.compile(r"/k(?:/guest/(?P<guest>\d+))?/v1/(?P<api>.+)")
_ELEMENT = re.compile(r"(?P<name>\w+)\[(?P<index>\d*)\]")

REQUIRED: Message = ("必須です。", "Required.")
REQUIRED_PARAMETER: Message = ("必須です。", "Required field.")


@dataclass(frozen=True)
class Request:
    """One request as it came, and what was answered. Kept by the domain for a test to look at.

    ``method`` is what was meant (after ``X-HTTP-Method-Override``), ``sent_as`` what stood in the request line;
    ``params`` is the JSON body or the decoded query string; ``api`` is the path behind ``/k/v1/``, such as
    ``records.json``; ``connection`` numbers the TCP connections of the domain from 1.
    """

    method: str
    sent_as: str
    path: str
    headers: Mapping[str, str]
    params: Json
    connection: int
    problem: str = ""
    status: int = 0
    code: str = ""

    @property
    def api(self) -> str:
        """``records.json``; empty for a page that is no API."""
        match = _PATH.fullmatch(self.path)
        return match["api"] if match else ""

    @property
    def guest_space(self) -> str | None:
        """The guest space in the path, as text, or None."""
        match = _PATH.fullmatch(self.path)
        return match["guest"] if match else None

    @property
    def apps(self) -> tuple[str, ...]:
        """The ids of the apps that the request names, each once: ``("7",)``."""
        inner = [each.get("payload", {}) for each in _objects(self.params.get("requests"))]
        listed = [each.get("app") if isinstance(each, dict) else each for each in self._list("apps")]
        named = [self.params.get("app"), *(p.get("app") for p in inner if isinstance(p, dict)), *listed]
        if self.api == "app.json":
            named.append(self.params.get("id"))
        return tuple(dict.fromkeys(str(app) for app in named if app is not None))

    def header(self, name: str) -> str:
        """A header's value, whatever the case of its name; empty if it was not sent."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    @property
    def japanese(self) -> bool:
        """Whether the answer's messages are in Japanese; English when no language was asked for."""
        return self.header("Accept-Language").strip().lower().startswith("ja")

    def _list(self, name: str) -> list[Any]:
        value = self.params.get(name)
        return value if isinstance(value, list) else []


@dataclass
class Answer:
    """An answer before it is written: JSON when ``body`` is a dict, a page of HTML when it is text."""

    status: int = 200
    body: Json | str = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The body's bytes."""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)
        return text.encode("utf-8")


class Refused(Exception):
    """A refusal with kintone's code. ``errors`` tells, per parameter, what is wrong with it."""

    def __init__(
        self, status: int, code: str, message: Message, errors: Mapping[str, Iterable[Message]] | None = None
    ) -> None:
        super().__init__(code, message[1])
        self.status = status
        self.code = code
        self.message = message
        self.errors = {key: list(messages) for key, messages in (errors or {}).items()}

    def body(self, japanese: bool) -> Json:
        """The JSON that kintone answers with."""
        spoken = 0 if japanese else 1
        body: Json = {"code": self.code, "id": secrets.token_urlsafe(15)[:20], "message": self.message[spoken]}
        if self.errors:
            body["errors"] = {
                key: {"messages": [each[spoken] for each in messages]} for key, messages in self.errors.items()
            }
        return body


class RefusedInPart(Refused):
    """A bulk request that was refused: the status is that of the part that failed, the body has one result a part."""

    def __init__(self, part: Refused, body: Json) -> None:
        super().__init__(part.status, part.code, part.message)
        self._results = body

    def body(self, japanese: bool) -> Json:
        """``{"results": [{}, {"code": …}, {}]}``."""
        return self._results


def invalid(errors: Mapping[str, Iterable[Message]]) -> Refused:
    """``CB_VA01``: the input is wrong, and here is what of it."""
    return Refused(400, "CB_VA01", ("入力内容が正しくありません。", "Missing or invalid input."), errors)


def missing(*names: str) -> Refused:
    """``CB_VA01`` for parameters that must be there."""
    return invalid({name: [REQUIRED_PARAMETER] for name in names})


def bad_json() -> Refused:
    """``CB_IJ01``: the body is no JSON, or not of the documented shape."""
    return Refused(400, "CB_IJ01", ("不正なJSON文字列です。", "Invalid JSON string."))


def bad_request() -> Refused:
    """``CB_IL02``."""
    return Refused(400, "CB_IL02", ("不正なリクエストです。", "Illegal request."))


def app_not_found(app_id: object) -> Refused:
    """``GAIA_AP01``."""
    return Refused(
        404,
        "GAIA_AP01",
        (
            f"指定したアプリ（id: {app_id}）が見つかりません。削除されている可能性があります。",
            f"The app (ID: {app_id}) not found. The app may have been deleted.",
        ),
    )


def record_not_found(record_id: object) -> Refused:
    """``GAIA_RE01``."""
    return Refused(
        404,
        "GAIA_RE01",
        (
            f"指定したレコード（id: {record_id}）が見つかりません。",
            f"The specified record (ID: {record_id}) is not found.",
        ),
    )


def not_allowed() -> Refused:
    """``CB_NO02``: this user may not, or the guest space is not the app's."""
    return Refused(403, "CB_NO02", ("権限がありません。", "No privilege to proceed."))


def wrong_token() -> Refused:
    """``GAIA_IA02``: no token of the app among those sent, or one that waits for "Update App"."""
    return Refused(
        400,
        "GAIA_IA02",
        (
            "指定されたAPIトークンは、アプリで生成されたAPIトークンと一致しません。",
            "The specified API token does not match the API token generated via an app.",
        ),
    )


def token_may_not() -> Refused:
    """``GAIA_NO01``: the token has not this right, or the API takes no token at all."""
    return Refused(
        403,
        "GAIA_NO01",
        (
            "このAPIトークンでは、指定したAPIを実行できません。",
            "Using this API token, you cannot run the specified API.",
        ),
    )


def revision_conflict() -> Refused:
    """``GAIA_CO02``: somebody changed it since."""
    return Refused(
        409,
        "GAIA_CO02",
        (
            "指定したrevisionは最新ではありません。ほかのユーザーがレコードを更新した可能性があります。",
            "The revision is not the latest. Someone may update a record.",
        ),
    )


def field_not_found(code: str) -> Refused:
    """``GAIA_FC01``: a form or a view names a field that is not there."""
    return Refused(
        404,
        "GAIA_FC01",
        (f"指定されたフィールド（code: {code}）が見つかりません。", f"The field (code: {code}) not found."),
    )


def from_query_string(text: str) -> Json:
    """The parameters of a query string; ``fields[0]=a&fields[1]=b`` makes a list ``fields``."""
    found: Json = {}
    lists: dict[str, list[tuple[int, str]]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if element := _ELEMENT.fullmatch(name):
            held = lists.setdefault(element["name"], [])
            held.append((int(element["index"] or len(held)), value))
        else:
            found[name] = value
    return found | {name: [value for _, value in sorted(held)] for name, held in lists.items()}


def truth(value: object) -> bool:
    """A boolean parameter: ``true`` or ``"true"``."""
    return value is True or value == "true"


def number(params: Json, name: str, default: int | None = None) -> int:
    """A whole number that may come as text: ``7`` or ``"7"``."""
    value = params.get(name, default)
    if value is None or value == "":
        raise missing(name)
    try:
        return int(str(value))
    except ValueError:
        raise invalid({name: [("整数で指定します。", "Only integers are allowed.")]}) from None


def objects(params: Json, name: str) -> list[Json]:
    """A list of JSON objects."""
    value = params.get(name)
    if value is None:
        raise missing(name)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise bad_json()
    return value


def _objects(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
