"""Whether the call-log app will take every log: rights, required fields, choices, users. The rest is ``checkup``'s.

Each question yields what is wrong, and nothing when all is well; none leaves anything in the app.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cti_bridge.connectors.kintone.calllog import WORDS
from cti_bridge.connectors.kintone.client import KintoneApp
from cti_bridge.connectors.kintone.form import DROP_DOWN, RADIO, USERS, Form
from cti_bridge.connectors.kintone.mapping import CallLogApp
from cti_bridge.connectors.kintone.problems import NO_SUCH_USER, NOT_ALLOWED, KintoneRefused
from cti_bridge.model import Direction, Finding, Outcome, Severity

MOST_USERS = 50
"""Agents whose login names are tried."""


def rights(client: KintoneApp, app: CallLogApp) -> Iterator[Finding]:
    """Whether records can be added and edited, as far as a rehearsal tells."""
    place, code = _rehearse(client, app, {})
    if code not in NOT_ALLOWED:
        return
    ja, en = ("追加", "add") if place == 0 else ("編集", "edit")
    yield Finding(
        Severity.ERROR,
        f"app {app.app}",
        f"通話履歴アプリ{app.app}のAPIトークンに「レコード{ja}」の権限がありません。アプリの設定 → APIトークン で付け、"
        "「アプリを更新」を押してください。",
        f"The API token of the call-log app {app.app} may not {en} records. Allow it under API Token in the app's "
        "settings, then press Update App.",
    )


def _rehearse(client: KintoneApp, app: CallLogApp, values: Mapping[str, Any]) -> tuple[int, str]:
    """Add a record and edit another, in a bulk request that is bound to fail and so leaves nothing: the record to edit
    does not exist, and when one part fails kintone takes back all. Which part failed first, and kintone's code for it."""
    key, probe = app.fields.call_id, "cti-bridge-check"
    api = f"{client.domain.root(app.guest_space)}/record.json".removeprefix(client.domain.base_url)
    record = {key: {"value": probe}} | {code: {"value": value} for code, value in values.items()}
    other = {"app": app.app, "updateKey": {"field": key, "value": f"{probe}-none"}, "record": {}}
    parts = [
        {"method": "POST", "api": api, "payload": {"app": app.app, "record": record}},
        {"method": "PUT", "api": api, "payload": other},
    ]
    try:
        client.call("POST", "bulkRequest.json", {"requests": parts})
    except KintoneRefused as problem:
        codes = [str(result.get("code", "")) for result in problem.results]
        return next(((place, code) for place, code in enumerate(codes) if code), (0, problem.code))
    return (0, "")


def required(app: CallLogApp, form: Form) -> Iterator[Finding]:
    mapped = set(app.fields.mapped().values())
    empty = [field for field in form.fields.values() if field.required and not field.filled and not field.table]
    for field in empty:
        if field.code not in mapped:
            yield Finding(
                Severity.ERROR,
                f"app {app.app}",
                f"通話履歴アプリ{app.app}の「{field.label}」は必須ですが、対応表にありません。通話履歴を書き込めないので、"
                "必須を外すか初期値を入れてください。",
                f"“{field.label}” of the call-log app {app.app} is required and not in the mapping, so logs cannot be "
                "written. Make it optional or give it a default.",
            )
        elif field.code != app.fields.call_id:
            yield Finding(
                Severity.WARNING,
                f"app {app.app}",
                f"通話履歴アプリ{app.app}の「{field.label}」は必須です。空になる通話（担当者や顧客が決まらない場合など）は"
                "書き込めないので、必須を外してください。",
                f"“{field.label}” of the call-log app {app.app} is required; calls that leave it empty (nobody took it, no "
                "customer) cannot be written. Make it optional.",
            )


def choices(app: CallLogApp, form: Form) -> Iterator[Finding]:
    kinds: dict[str, type[Direction | Outcome]] = {app.fields.direction: Direction, app.fields.outcome: Outcome}
    for code, kind in kinds.items():
        field = form.fields.get(code)
        if field is None or field.type not in (DROP_DOWN, RADIO):
            continue
        lacking = [
            app.word(value) or WORDS[value]["ja"]
            for value in kind
            if not {app.word(value), *WORDS[value].values(), value.value} & set(field.options)
        ]
        if lacking:
            yield Finding(
                Severity.WARNING,
                f"app {app.app}",
                f"通話履歴アプリ{app.app}の「{field.label}」に選択肢「{'、'.join(lacking)}」がありません。足すか、対応表の "
                "[call_log.words] で言い換えてください。それまで空のまま書き込みます。",
                f"“{field.label}” of the call-log app {app.app} does not offer {', '.join(lacking)}. Add them, or name "
                "yours under [call_log.words] in the mapping; until then the field stays empty.",
            )


def users(client: KintoneApp, app: CallLogApp, form: Form) -> Iterator[Finding]:
    if form.type_of(app.fields.agent) != USERS:
        return
    logins = list(dict.fromkeys(app.agents.values()))
    if not logins:
        yield Finding(
            Severity.WARNING,
            f"app {app.app}",
            "担当者はユーザー選択フィールドですが、対応表に [call_log.agents]（メールアドレス = ログイン名）がありません。"
            "担当者は空のまま書き込みます。",
            "The agent's field is a user selection, but the mapping has no [call_log.agents] (e-mail = login name); the "
            "field stays empty.",
        )
        return
    asked = logins[:MOST_USERS]
    if not _unknown(client, app, asked):
        return
    names = [login for login in asked if _unknown(client, app, [login])]
    yield Finding(
        Severity.ERROR,
        f"app {app.app}",
        f"[call_log.agents] のログイン名「{'、'.join(names)}」はkintoneにありません。この担当者の通話履歴は書き込めません。",
        f"[call_log.agents] names users that kintone does not have: {', '.join(names)}. Their calls' logs cannot be "
        "written.",
    )


def _unknown(client: KintoneApp, app: CallLogApp, logins: list[str]) -> bool:
    """Whether kintone lacks one of these users. Only the domain's administrators may ask for users outright."""
    users = [{"code": login} for login in logins]
    return _rehearse(client, app, {app.fields.agent: users})[1] == NO_SUCH_USER
