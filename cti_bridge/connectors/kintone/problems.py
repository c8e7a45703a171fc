"""kintone's errors, by table, as the port's: which may be tried again, which never, and what an administrator can do.

Told apart by status and code, never by the message, which comes in whatever language. Codes and their meaning:
https://cybozu.dev/ja/kintone/docs/rest-api/overview/error and what was seen of kintone itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from requests import Response

from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable

WARNING = "X-Cybozu-Warning"
"""The header of an answer that kintone gave up on half way, with status 200."""


NOT_ALLOWED = frozenset({"CB_NO02", "GAIA_NO01"})
NO_SUCH_USER = "GAIA_IL26"


class KintoneUnavailable(ConnectorUnavailable):
    """kintone cannot be reached, or asks us to come back later.

    ``status`` is the HTTP status, 0 when there was no answer; ``code`` is kintone's.
    """

    def __init__(
        self, message: str | None = None, *, status: int = 0, code: str = "", retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.status = status
        self.code = code


class TooManyRequests(KintoneUnavailable):
    """The domain has more requests at once than kintone allows."""


class KintoneRefused(ConnectorRefused):
    """kintone refused the request, and would again.

    ``status`` is the HTTP status; ``errors`` are kintone's, by place: ``{"record.tel.value": {"messages": ["…"]}}``;
    ``results`` are those of a bulk request: ``[{}, {"code": "GAIA_RE01", …}]``.
    """

    def __init__(
        self, message: str | None = None, *, status: int = 0, code: str = "", body: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.status = status
        told = body or {}
        errors, results = told.get("errors"), told.get("results")
        self.errors: dict[str, Any] = errors if isinstance(errors, dict) else {}
        self.results: list[dict[str, Any]] = results if isinstance(results, list) else []

    @property
    def missing(self) -> bool:
        """There is no such record."""
        return self.status == 404 and self.code.startswith("GAIA_RE")

    @property
    def not_allowed(self) -> bool:
        """The token lacks a right."""
        return self.status == 403 or self.code in NOT_ALLOWED

    def faults(self, field: str) -> bool:
        """Whether this field's value is what was wrong. Of a field without duplicates it says: there already."""
        return any(f".{field}." in place for place in self.errors)


_AGAIN = {"GAIA_DA02", "GAIA_RE18", "GAIA_TM12"}
"""A locked row, a database busy, cursors used up: refused with 4xx or 5xx, and gone in a moment."""

_MENDS = {
    "CB_VA01": (
        "値がkintoneのフィールドの設定に合いません。アプリのフォームを確かめてください",
        "a value does not fit the field's settings; look at the app's form",
    ),
    "GAIA_IQ11": (
        "対応表のフィールドコードがアプリにありません。cti-bridge connector check で確かめてください",
        "a field code of the mapping is not in the app; see cti-bridge connector check",
    ),
    "GAIA_IQ03": (
        "対応表のフィールドの種類では検索できません。cti-bridge connector check で確かめてください",
        "a field of the mapping has a type that cannot be searched; see cti-bridge connector check",
    ),
    "GAIA_AP01": (
        "アプリがありません。対応表の app の番号と、ゲストスペースの設定を確かめてください",
        "there is no such app; check its number in the mapping, and the guest space",
    ),
    "GAIA_RE01": ("レコードが削除されたようです", "the record seems to have been deleted"),
    "CB_AU01": ("APIトークンが送られていません", "no API token was sent"),
    "CB_WA01": ("認証情報が正しくありません", "the credentials are wrong"),
    "GAIA_IA02": (
        "APIトークンがこのアプリのものではないか、まだ「アプリを更新」されていません",
        "the API token is not this app's, or the app was not updated after the token was made",
    ),
    "GAIA_NO01": (
        "APIトークンに権限がありません。アプリの設定 → APIトークン で付けてください",
        "the API token lacks a right; give it in the app's settings under API Token",
    ),
    "CB_NO02": (
        "権限がありません。APIトークンの権限と、ゲストスペースの設定を確かめてください",
        "not allowed; check the API token's rights, and the guest space",
    ),
    "GAIA_IL23": (
        "ゲストスペースのアプリです。KINTONE_GUEST_SPACE か対応表の guest_space を設定してください",
        "the app is in a guest space; set KINTONE_GUEST_SPACE, or guest_space in the mapping",
    ),
    NO_SUCH_USER: (
        "対応表の [call_log.agents] のログイン名を確かめてください",
        "check the login names under [call_log.agents] in the mapping",
    ),
    "GAIA_QU01": ("一度に取れる件数を超えました", "more records were asked for than kintone gives at once"),
}


def raise_for_kintone(response: Response, wait: timedelta | None = None) -> None:
    """Nothing for a whole, good answer; else KintoneUnavailable, TooManyRequests or KintoneRefused.

    Works on what gateways and maintenance pages send (HTML), and on answers cut short. ``wait`` is how long our side
    will leave the domain alone after a 429.
    """
    status = response.status_code
    body = _body(response)
    if 200 <= status < 300:
        if warning := response.headers.get(WARNING):
            raise KintoneRefused(
                f"検索結果が多すぎて、kintoneが途中で打ち切りました。対応表の検索フィールドを減らすか、正規化フィールドを使ってください"
                f" / kintone cut the answer short because too much was found; map fewer fields to search, or normalised "
                f"ones ({WARNING}: {warning[:120]})",
                status=status,
                code="SEARCH_ABORTED",
            )
        if body is None:
            raise KintoneUnavailable(
                "kintoneの応答を読めません（メンテナンス中かもしれません） / kintone's answer is not JSON; "
                "perhaps it is being maintained",
                status=status,
            )
        return
    code = str((body or {}).get("code", ""))
    if status == 429:
        raise TooManyRequests(
            _words(status, code, body, "同時アクセスが多すぎます", "too many requests at once"),
            status=status,
            code=code,
            retry_after=wait,
        )
    if status >= 500 or code in _AGAIN or code.startswith("GAIA_CO") or status == 409:
        raise KintoneUnavailable(
            _words(status, code, body, "しばらくしてからもう一度", "try again later"), status=status, code=code
        )
    ja, en = _MENDS.get(code, ("", "") if body else _PAGE_MENDS.get(status, _PAGE))
    raise KintoneRefused(_words(status, code, body, ja, en), status=status, code=code, body=body)


_PAGE = (
    "kintoneではない応答です。KINTONE_BASE_URL を確かめてください",
    "this is not kintone's answer; check KINTONE_BASE_URL",
)
_PAGE_MENDS = {
    401: (
        "Basic認証かクライアント証明書を求められました。KINTONE_BASIC_AUTH を設定してください",
        "the domain asks for Basic authentication or a certificate; set KINTONE_BASIC_AUTH",
    ),
    403: (
        "IPアドレス制限で断られたようです。ブリッジのIPアドレスをcybozu.com共通管理で許可してください",
        "probably the domain's IP address restriction; allow the bridge's address in the domain's administration",
    ),
}


def _words(status: int, code: str, body: Mapping[str, Any] | None, ja: str, en: str) -> str:
    """kintone's own words, all of them, and the mend in both languages."""
    said = [str((body or {}).get("message", ""))]
    errors = (body or {}).get("errors")
    if isinstance(errors, dict):
        for place, what in errors.items():
            messages = what.get("messages", []) if isinstance(what, dict) else []
            said.append(f"{place}: {' '.join(map(str, messages))}")
    own = " ".join(part for part in said if part)[:600]
    mend = f"{ja} / {en}" if ja else ""
    tag = f"kintone {status} {code}".strip()
    return f"{' — '.join(part for part in (own, mend) if part)} ({tag})".strip()


def _body(response: Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
