"""Salesforce's errors in the bridge's words: which can help themselves by waiting, which never will, and the mend.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Self

from cti_bridge.errors import ConnectorError, ConnectorRefused, ConnectorUnavailable


class Both(NamedTuple):
    """One sentence in the two languages of those who read it."""

    ja: str
    en: str


LATER: Mapping[str, timedelta | None] = {
    "INVALID_SESSION_ID": timedelta(minutes=5),
    "QUERY_TIMEOUT": None,
    "REQUEST_LIMIT_EXCEEDED": timedelta(minutes=30),
    "REQUEST_RUNNING_TOO_LONG": None,
    "SERVER_UNAVAILABLE": None,
    "TOO_MANY_REQUESTS": None,
    "UNABLE_TO_LOCK_ROW": None,
    "UNKNOWN_EXCEPTION": None,
}
"""Codes that come and go, whatever their status, and how long to wait at least. The daily budget (403) is a rolling
window of 24 hours: asking again soon only uses it up further."""

BUSY = "Concurrent"
"""How the message of the other limit with the code REQUEST_LIMIT_EXCEEDED begins: 25 slow requests at once."""

_BUDGET = Both(
    "SalesforceのAPIリクエスト数が1日の上限に達しました。しばらくすると自動的に再試行します。",
    "Salesforce's daily request limit is used up; this will be tried again by itself.",
)

_BUSY = Both(
    "Salesforceが混み合っています（時間のかかる要求が重なりました）。", "Salesforce is busy with our own slow requests."
)
_TROUBLE = Both("Salesforceが一時的に応答できません。", "Salesforce cannot answer just now.")

_UNAVAILABLE: Mapping[str, Both] = {
    "REQUEST_LIMIT_EXCEEDED": _BUDGET,
    "INVALID_SESSION_ID": Both(
        "Salesforceがサインイン直後のアクセストークンを受け付けません。実行ユーザーのセッション設定（高保証セッションなど）と"
        "「API の有効化」権限を確認してください。",
        "Salesforce does not accept the token that it has just given. Check the run-as user's session settings (high "
        "assurance) and the permission API Enabled.",
    ),
}

_MENDS: Mapping[str, Both] = {
    "API_DISABLED_FOR_ORG": Both(
        "この組織またはユーザーではAPIが使えません。「API の有効化」権限を付けてください。",
        "The interface is closed to this org or user; give the permission API Enabled.",
    ),
    "DUPLICATES_DETECTED": Both(
        "Salesforceの重複ルールにより登録されませんでした。既存のレコードをお使いください。",
        "Salesforce's duplicate rules kept this record out; use the one that is there.",
    ),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Both(
        "Salesforceの入力規則により保存されませんでした。",
        "A validation rule in Salesforce kept this out.",
    ),
    "INSUFFICIENT_ACCESS": Both(
        "権限が足りません。CTI Bridge用ユーザーの権限セットを確認してください。",
        "Not permitted; check the permission set of the bridge's user.",
    ),
    "INVALID_FIELD": Both(
        "項目がないか、参照権限がありません。",
        "A field does not exist, or the bridge's user may not see it.",
    ),
    "INVALID_TYPE": Both(
        "オブジェクトがないか、参照権限がありません。",
        "An object does not exist, or the bridge's user may not see it.",
    ),
    "REQUIRED_FIELD_MISSING": Both(
        "必須項目が足りません。SALESFORCE_TASK_FIELDS で割り当てるか、必須を外してください。",
        "A required field is missing; map it with SALESFORCE_TASK_FIELDS, or make it optional.",
    ),
}
_NO_SIGN_IN = Both("Salesforceがサインインを拒否しました。", "Salesforce refuses the sign-in.")
_MENDS_OF_SIGN_IN: Mapping[str, Both] = {
    "invalid_client_id": Both(
        "SALESFORCE_CONSUMER_KEY が正しくありません（作成直後のアプリは使えるまで10分ほどかかります）。",
        "SALESFORCE_CONSUMER_KEY is wrong, or the app is younger than ten minutes.",
    ),
    "invalid_client": Both(
        "SALESFORCE_CONSUMER_KEY か SALESFORCE_CONSUMER_SECRET が正しくありません。",
        "SALESFORCE_CONSUMER_KEY or SALESFORCE_CONSUMER_SECRET is wrong.",
    ),
    "invalid_grant": Both(
        "外部クライアントアプリケーションの設定（フローの有効化、実行ユーザー、事前承認、証明書）と、"
        "SALESFORCE_USERNAME、SALESFORCE_MY_DOMAIN、このマシンの時計を確認してください。",
        "Check the External Client App (flow switched on, run-as user, pre-authorisation, certificate), "
        "SALESFORCE_USERNAME, SALESFORCE_MY_DOMAIN and this machine's clock.",
    ),
    "unsupported_grant_type": Both(
        "外部クライアントアプリケーションでこのフローを有効にしてください。",
        "Switch this flow on in the External Client App.",
    ),
}


SEVERAL = "MULTIPLE_CHOICES"


class SalesforceUnavailable(ConnectorUnavailable):
    """Salesforce cannot do it just now. ``words`` say so to an administrator, each in one language."""

    loggable = True  # never quotes Salesforce on a customer, see ``translate``

    def __init__(self, words: Both, said: str = "", *, retry_after: timedelta | None = None) -> None:
        self.words = Both(*(f"{one} {said}".strip() for one in words))
        super().__init__(f"{' / '.join(words)} {said}".strip(), retry_after=retry_after)

    def again(self, retry_after: timedelta | None) -> Self:
        """The same for somebody else, or later."""
        return type(self)(self.words, retry_after=retry_after)


class AnswerLost(SalesforceUnavailable):
    """Salesforce may have done it, or may still be doing it: nobody knows."""


TIMED_OUT = Both("Salesforceから時間内に応答がありません。", "Salesforce did not answer in time.")
UNREADABLE = Both("Salesforceの応答を読み取れません。", "Salesforce's answer cannot be read.")


def unreachable(problem: Exception) -> Both:
    """For a connection that did not come about, or broke."""
    kind = type(problem).__name__
    return Both(f"Salesforceに接続できません（{kind}）。", f"Salesforce cannot be reached ({kind}).")


class SalesforceRefused(ConnectorRefused):
    """Salesforce refused this, and would refuse it again.

    ``fields`` are the fields that it names, ``ids`` the records that it says are there already, ``words`` the message in
    one language each, where there is a mend.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        fields: tuple[str, ...] = (),
        ids: tuple[str, ...] = (),
        words: Both | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.words = words or Both(message, message)
        self.fields = fields
        self.ids = ids


def translate(status: int, body: object, retry_after: str | None = None) -> ConnectorError:
    """The bridge's error for an answer of Salesforce: ``translate(503, [{"errorCode": "SERVER_UNAVAILABLE", …}])``.

    A ConnectorUnavailable never quotes Salesforce, whose words may hold a customer's data: it is logged. A refusal
    does, for whoever must mend it.
    """
    error = _first_error(body)
    code = str(error.get("errorCode") or error.get("error") or "")
    if status in (401, 408, 429) or status >= 500 or code in LATER:
        if str(error.get("message")).startswith(BUSY):
            return SalesforceUnavailable(_BUSY, retry_after=timedelta(seconds=20))
        what = _UNAVAILABLE.get(code if status != 401 else "INVALID_SESSION_ID")
        said = "" if what else f"({f'{status} {code}'.strip()})"
        return SalesforceUnavailable(what or _TROUBLE, said, retry_after=_seconds(retry_after) or LATER.get(code))
    if status == 300:  # an external id that is not unique: a list of addresses
        found = tuple(str(url).rpartition("/")[2] for url in body) if isinstance(body, list) else ()
        return SalesforceRefused("Salesforce: more than one record has this external id (300)", code=SEVERAL, ids=found)
    said = str(error.get("message") or error.get("error_description") or "").strip() or f"HTTP {status}"
    mend = next((words for known, words in _MENDS.items() if code.startswith(known)), None)
    ids = _duplicates(error)
    quoted = f"Salesforce: {said} ({code or status})"
    names = error.get("fields")
    fields = tuple(map(str, names)) if isinstance(names, list) else ()
    message = f"{' / '.join(mend)} {quoted}" if mend else quoted
    words = Both(f"{mend.ja} {quoted}", f"{mend.en} {quoted}") if mend else None
    return SalesforceRefused(message, code=code or str(status), fields=fields, ids=ids, words=words)


def sign_in_refused(code: str, said: str) -> SalesforceUnavailable:
    """Why nobody is signed in: ``sign_in_refused("invalid_grant", "user hasn't approved this consumer")``.

    It may be tried again: an administrator mends the app, and the call logs that wait are then delivered.
    """
    mend = _MENDS_OF_SIGN_IN.get(code, _NO_SIGN_IN)
    return SalesforceUnavailable(mend, f"Salesforce: {said[:200] or '-'} ({code})", retry_after=timedelta(minutes=5))


def _first_error(body: object) -> Mapping[str, Any]:
    """Salesforce's errors are a list of objects, its OAuth errors one object; a proxy's are neither."""
    first = body[0] if isinstance(body, list) and body else body
    return first if isinstance(first, Mapping) else {}


def _duplicates(error: Mapping[str, Any]) -> tuple[str, ...]:
    result = error.get("duplicateResult") or error.get("duplicateResut")  # REST spells it so
    if not isinstance(result, Mapping):
        return ()
    records = [record for match in result.get("matchResults") or () for record in match.get("matchRecords") or ()]
    return tuple(str(found["record"]["Id"]) for found in records if (found.get("record") or {}).get("Id"))


def _seconds(retry_after: str | None) -> timedelta | None:
    """Retry-After in seconds or as a date."""
    if not retry_after:
        return None
    try:
        return timedelta(seconds=max(float(retry_after), 0))
    except (ValueError, OverflowError):
        pass
    try:
        return max(parsedate_to_datetime(retry_after) - datetime.now(UTC), timedelta(0))
    except (ValueError, TypeError):
        return None
