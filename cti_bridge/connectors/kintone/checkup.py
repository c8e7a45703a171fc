"""What an administrator should know about the kintone behind the bridge, in plain words. It changes nothing there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cti_bridge.connectors.kintone import call_log_health
from cti_bridge.connectors.kintone.apps import Apps
from cti_bridge.connectors.kintone.client import KintoneApp
from cti_bridge.connectors.kintone.contacts import text_of
from cti_bridge.connectors.kintone.form import Form, faults, wanted
from cti_bridge.connectors.kintone.mapping import RECORD_ID, App, CallLogApp, CustomerApp
from cti_bridge.connectors.kintone.problems import KintoneRefused
from cti_bridge.connectors.kintone.spellings import spellings
from cti_bridge.errors import ConnectorError
from cti_bridge.logbook import get_logger
from cti_bridge.model import Finding, Severity
from cti_bridge.phone import PhoneNumber

log = get_logger(__name__)

SAMPLE = 500
MANY_FIELDS = 3
"""Telephone fields of one app beyond which kintone's search may give up half way."""


def check_up(apps: Apps, region: str) -> list[Finding]:
    """Reachability and course, rights, fields, users, quota, the telephone fields' health. Never raises."""
    found: list[Finding] = []
    answered = False
    for app in apps.mapping.apps():
        try:
            form = apps.look(app)
        except ConnectorError as problem:
            found.append(_unreachable(app, problem))
            continue
        except Exception as problem:  # noqa: BLE001  (a check-up reports whatever is wrong, also our own mistakes)
            found.append(_broken(app, problem))
            continue
        answered = True
        found += _of_app(apps, app, form, region)
    if answered:
        found.insert(0, _reachable(apps))
        found += _quota(apps)
    return found


def _of_app(apps: Apps, app: App, form: Form, region: str) -> list[Finding]:
    """Each question by itself, so that one that cannot be answered hides no other."""
    wrong = [
        Finding(Severity.ERROR, f"app {app.app}", f"{fault.ja}。", f"{fault.en[0].upper()}{fault.en[1:]}.")
        for fault in faults(form, wanted(app, apps.mapping))
    ]
    client = apps.client(app)
    questions: list[Callable[[], Iterator[Finding]]] = [lambda: _view(client)]
    if not wrong and isinstance(app, CustomerApp):
        questions = [lambda: _search(app, region), lambda: _numbers(client, app, form, region)]
    if not wrong:
        questions += [lambda: _conditions(apps, client, app)]
    if not wrong and isinstance(app, CallLogApp):
        questions += [
            lambda: call_log_health.rights(client, app),
            lambda: call_log_health.required(app, form),
            lambda: call_log_health.choices(app, form),
            lambda: call_log_health.users(client, app, form),
        ]
    found = list(wrong)
    for question in questions:
        try:
            found += question()
        except ConnectorError as problem:
            refused = isinstance(problem, KintoneRefused) and problem.not_allowed
            found.append(_may_not_view(app) if refused else _unreachable(app, problem))
        except Exception as problem:  # noqa: BLE001
            found.append(_broken(app, problem))
    if not wrong:
        found.insert(
            0,
            Finding(
                Severity.OK,
                f"app {app.app}",
                f"アプリ{app.app}：対応表のフィールドコードと種類はすべて合っています。",
                f"App {app.app}: all field codes and types of the mapping fit.",
            ),
        )
    return found


def _reachable(apps: Apps) -> Finding:
    return Finding(
        Severity.OK,
        "kintone",
        f"{apps.domain.base_url} に接続できました。REST APIを使えるコース（スタンダード以上）です。",
        f"{apps.domain.base_url} answers. Its course has the REST API (Standard or above).",
    )


def _unreachable(app: App, problem: ConnectorError) -> Finding:
    hint_ja, hint_en = "", ""
    if isinstance(problem, KintoneRefused) and problem.status in (0, 400, 401, 403, 404, 520):
        hint_ja = " なお、ライトコースではREST APIを使えません（スタンダードコース以上が必要です）。"
        hint_en = " Note that the Light course has no REST API; the Standard course or above is needed."
    return Finding(
        Severity.ERROR,
        f"app {app.app}",
        f"アプリ{app.app}を調べられません：{problem}{hint_ja}",
        f"App {app.app} cannot be examined: {problem}{hint_en}",
    )


def _broken(app: App, problem: Exception) -> Finding:
    log.error("kintone_check_broke", app=app.app, exc_info=problem)
    return Finding(
        Severity.ERROR,
        f"app {app.app}",
        f"アプリ{app.app}の検査が途中で止まりました（{type(problem).__name__}）。ログを確かめてください。",
        f"The check of app {app.app} stopped half way ({type(problem).__name__}); see the log.",
    )


def _view(client: KintoneApp) -> Iterator[Finding]:
    """Nothing to say when records can be read."""
    client.find(f"order by {RECORD_ID} desc limit 1", [RECORD_ID])
    return iter(())


def _conditions(apps: Apps, client: KintoneApp, app: App) -> Iterator[Finding]:
    """Whether kintone takes the conditions of related apps: their field codes are the only ones that no form tells."""
    for related in apps.mapping.related:
        if related.app != app.app or not related.open:
            continue
        try:
            client.find(f"({related.open}) limit 1", [RECORD_ID])
        except KintoneRefused as problem:
            if problem.not_allowed:
                raise
            yield Finding(
                Severity.ERROR,
                f"app {app.app}",
                f"アプリ{app.app}の related.open の条件を、kintoneが受け付けません。"
                f"フィールドコードと書き方を確かめてください：{problem}",
                f"kintone does not take the condition related.open of app {app.app}; check its field codes and how it is "
                f"written: {problem}",
            )


def _may_not_view(app: App) -> Finding:
    return Finding(
        Severity.ERROR,
        f"app {app.app}",
        f"アプリ{app.app}のAPIトークンに「レコード閲覧」の権限がありません。アプリの設定 → APIトークン で付け、"
        "「アプリを更新」を押してください。",
        f"The API token of app {app.app} may not view records. Allow it under API Token in the app's settings, then press "
        "Update App.",
    )


def _search(app: CustomerApp, region: str) -> Iterator[Finding]:
    many = len(app.phones)
    if app.normalised_only or many < MANY_FIELDS:
        return
    texts = len(spellings(PhoneNumber("+81312345678"), region))
    yield Finding(
        Severity.WARNING,
        f"app {app.app}",
        f"アプリ{app.app}では電話番号フィールド{many}個を、それぞれ約{texts}通りの書き方で探します。件数が多いとkintoneが検索を"
        "途中で打ち切ることがあります。正規化フィールドを作り、cti-bridge kintone normalise のあと normalised_only = true に"
        "してください。",
        f"App {app.app} is searched in {many} telephone fields, each in about {texts} spellings; with many records kintone "
        "may cut the search short. Make normalised fields, run cti-bridge kintone normalise, then set normalised_only = "
        "true.",
    )


def _numbers(client: KintoneApp, app: CustomerApp, form: Form, region: str) -> Iterator[Finding]:
    """How many of the latest records' numbers can be read. Numbers themselves are not shown: this goes to logs too."""
    records = client.find(f"order by {RECORD_ID} desc limit {SAMPLE}", [RECORD_ID, *app.phones, *app.normalised])
    typed = unreadable = stale = 0
    examples: list[str] = []
    for record in records:
        for place, code in enumerate(app.phones):
            text = text_of(record, code)
            number = PhoneNumber.find(text, region) if text else None
            typed += bool(text)
            if text and number is None:
                unreadable += 1
                examples.append(text_of(record, RECORD_ID))
            if place < len(app.normalised) and text_of(record, app.normalised[place]) != (
                number.e164 if number else ""
            ):
                stale += 1
    labels = list(map(form.label_of, app.phones))
    yield Finding(
        Severity.OK,
        f"app {app.app}",
        f"アプリ{app.app}の新しい{len(records):,}件に、電話番号が{typed:,}件あります（{'、'.join(labels)}）。",
        f"The latest {len(records):,} records of app {app.app} hold {typed:,} telephone numbers ({', '.join(labels)}).",
    )
    if unreadable:
        ids = ", ".join(dict.fromkeys(examples[:5]))
        yield Finding(
            Severity.WARNING,
            f"app {app.app}",
            f"そのうち{unreadable:,}件は電話番号として読めず、着信しても顧客が見つかりません。例：レコード番号 {ids}。"
            "市外局番から（03-1234-5678）書き直してください。",
            f"{unreadable:,} of them cannot be read, so that their callers are not found. Examples: records {ids}. Write "
            "them with the area code (03-1234-5678).",
        )
    if stale:
        severity = Severity.ERROR if app.normalised_only else Severity.WARNING
        yield Finding(
            severity,
            f"app {app.app}",
            f"正規化フィールドが電話番号と合っていないものが{stale:,}件あります。"
            "cti-bridge kintone normalise で埋めてください。",
            f"{stale:,} normalised fields do not hold their telephone number; fill them with cti-bridge kintone normalise.",
        )


def _quota(apps: Apps) -> Iterator[Finding]:
    budget = apps.domain.budget
    near = [app.app for app in apps.mapping.apps() if budget.nearly_used_up(app.app)]
    most = max((budget.used(app.app) for app in apps.mapping.apps()), default=0)
    if near:
        numbers = list(map(str, near))
        yield Finding(
            Severity.WARNING,
            "quota",
            f"アプリ{'、'.join(numbers)}の今日のリクエスト数が上限（{budget.limit:,}）に近づいたため、顧客の検索を控えています。"
            "日本時間9時に数え直されます。",
            f"Today's requests of app {', '.join(numbers)} are near the limit ({budget.limit:,}), so customers are not "
            "asked for. The count starts again at 09:00 in Japan.",
        )
    else:
        yield Finding(
            Severity.OK,
            "quota",
            f"今日のリクエスト数は、もっとも多いアプリで{most:,}（上限{budget.limit:,}）です。",
            f"Requests today: {most:,} in the busiest app (limit {budget.limit:,}).",
        )
