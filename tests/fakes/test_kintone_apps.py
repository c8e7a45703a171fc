"""The fake kintone's doors and settings: who may ask, and how an app is made, changed and deployed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pykintone.account import Account
from pykintone.application import Application

from tests.fakes.kintone import FakeApp, FakeDomain, User
from tests.fakes.kintone.asking import ask

CALL_SID: dict[str, Any] = {"type": "SINGLE_LINE_TEXT", "code": "call_sid", "label": "通話ID", "unique": True}


@pytest.fixture
def domain() -> Iterator[FakeDomain]:
    with FakeDomain() as started:
        yield started


@pytest.fixture
def app(domain: FakeDomain) -> FakeApp:
    made = domain.app("顧客", {"会社名": "SINGLE_LINE_TEXT"})
    made.add(会社名="山田商事")
    return made


@pytest.fixture
def admin(domain: FakeDomain) -> User:
    return domain.administrator


def code_of(answer: requests.Response) -> tuple[int, str]:
    """An answer's status and kintone's code."""
    return answer.status_code, answer.json().get("code", "")


def test_without_a_key_nobody_enters_and_with_a_wrong_one_neither(domain: FakeDomain, app: FakeApp) -> None:
    target = {"app": app.id, "id": 1}
    domain.user("hanako", password="secret")
    stranger = User("hanako", "花子", password="wrong")
    assert code_of(ask(domain, "GET", "record.json", target)) == (401, "CB_AU01")
    assert code_of(ask(domain, "GET", "record.json", target, user=stranger)) == (401, "CB_WA01")
    assert code_of(ask(domain, "GET", "record.json", target, token="made-up")) == (400, "GAIA_IA02")
    other = domain.app("他").token("view")
    assert code_of(ask(domain, "GET", "record.json", target, token=other)) == (400, "GAIA_IA02")
    assert ask(domain, "GET", "record.json", target, user=domain.users["hanako"]).ok
    bearer = {"Authorization": f"Bearer {domain.bearer(domain.users['hanako'])}"}
    assert ask(domain, "GET", "record.json", target, headers=bearer).ok


def test_a_token_opens_what_it_is_for_and_several_go_together(domain: FakeDomain, app: FakeApp) -> None:
    target, view, add = {"app": app.id, "id": 1}, app.token("view"), app.token("add")
    assert code_of(ask(domain, "GET", "record.json", target, token=add)) == (403, "GAIA_NO01")
    assert code_of(ask(domain, "POST", "record.json", {"app": app.id}, token=view)) == (403, "GAIA_NO01")
    assert code_of(ask(domain, "DELETE", "records.json", {"app": app.id, "ids": [1]}, token=view)) == (403, "GAIA_NO01")
    assert ask(domain, "POST", "record.json", {"app": app.id}, token=f"{view},{add}").ok
    others = [domain.app(str(n)).token("view") for n in range(9)]
    assert ask(domain, "GET", "record.json", target, token=",".join([view, *others[:8]])).ok
    assert code_of(ask(domain, "GET", "record.json", target, token=",".join([view, *others]))) == (400, "CB_IL02")


def test_a_new_token_is_inert_until_the_app_is_updated(domain: FakeDomain, app: FakeApp) -> None:
    token = app.token("view", updated=False)
    assert code_of(ask(domain, "GET", "record.json", {"app": app.id, "id": 1}, token=token)) == (400, "GAIA_IA02")
    app.update()
    assert ask(domain, "GET", "record.json", {"app": app.id, "id": 1}, token=token).ok


def test_a_user_without_the_right_is_told_so(domain: FakeDomain, app: FakeApp) -> None:
    reader = domain.user("taro", password="secret", rights=["view"])
    assert code_of(ask(domain, "POST", "record.json", {"app": app.id}, user=reader)) == (403, "CB_NO02")


def test_a_password_counts_before_a_token(domain: FakeDomain, app: FakeApp) -> None:
    reader = domain.user("taro", password="secret", rights=["view"])
    answer = ask(domain, "POST", "record.json", {"app": app.id}, user=reader, token=app.token("add"))
    assert code_of(answer) == (403, "CB_NO02")


def test_basic_authentication_stands_before_everything(domain: FakeDomain, app: FakeApp) -> None:
    domain.basic = ("gate", "keeper")
    token = app.token("view")
    answer = ask(domain, "GET", "record.json", {"app": app.id, "id": 1}, token=token)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "text/html;charset=utf-8")
    header = {"Authorization": "Basic Z2F0ZTprZWVwZXI="}
    assert ask(domain, "GET", "record.json", {"app": app.id, "id": 1}, token=token, headers=header).ok
    library: Any = Application(Account("example", basic_id="gate", basic_password="keeper"), app.id, token)
    library.API_ROOT = domain.url + "/k/v1/{1}"
    with pytest.raises(requests.exceptions.JSONDecodeError):
        library.get(1)  # the library sends b'…' as the secret


def test_what_is_not_there_is_not_found(domain: FakeDomain, app: FakeApp) -> None:
    token = app.token("view")
    assert code_of(ask(domain, "GET", "record.json", {"app": 99, "id": 1}, token=token)) == (404, "GAIA_AP01")
    assert code_of(ask(domain, "GET", "record.json", {"app": app.id, "id": 9}, token=token)) == (404, "GAIA_RE01")
    missing = ask(domain, "GET", "record.json", {"app": app.id}, token=token)
    assert missing.json()["errors"] == {"id": {"messages": ["必須です。"]}}


def test_a_guest_space_has_its_own_path(domain: FakeDomain, app: FakeApp) -> None:
    guest = domain.app("ゲスト", {"会社名": "SINGLE_LINE_TEXT"}, guest_space=5)
    guest.add(会社名="山田")
    token, target = guest.token("view"), {"app": guest.id, "id": 1}
    assert ask(domain, "GET", "record.json", target, token=token, guest_space=5).ok
    assert code_of(ask(domain, "GET", "record.json", target, token=token, guest_space=6)) == (403, "CB_NO02")
    assert code_of(ask(domain, "GET", "record.json", target, token=token)) == (400, "GAIA_IL23")
    here = ask(domain, "GET", "record.json", {"app": app.id, "id": 1}, token=app.token("view"), guest_space=5)
    assert code_of(here) == (403, "CB_NO02")


def test_a_get_that_announces_json_and_brings_none_is_refused(domain: FakeDomain, app: FakeApp) -> None:
    headers = {"Content-Type": "application/json"}
    answer = ask(domain, "GET", "record.json", {"app": app.id, "id": 1}, token=app.token("view"), headers=headers)
    assert code_of(answer) == (400, "CB_IL02")
    url, header = f"{domain.url}/k/v1/records.json", {"X-Cybozu-API-Token": app.token("view"), **headers}
    assert code_of(requests.post(url, data="{", headers=header, timeout=9)) == (400, "CB_IJ01")


def test_an_address_that_is_too_long_gets_a_page_and_the_override_does_not(domain: FakeDomain, app: FakeApp) -> None:
    query = f"会社名 in ({', '.join(f'{n:040d}' for n in range(300))})"
    asked = {"app": app.id, "query": query}
    answer = ask(domain, "GET", "records.json", asked, token=app.token("view"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (414, "text/html;charset=utf-8")
    assert ask(domain, "GET", "records.json", asked, token=app.token("view"), override=True).ok


def test_fields_are_described_as_kintone_does(domain: FakeDomain) -> None:
    spec = {"type": "DROP_DOWN", "options": ["A", "B"]}
    app = domain.app("顧客", {"tel": {"type": "LINK", "protocol": "CALL", "label": "電話番号"}, "rank": spec})
    shown = ask(domain, "GET", "app/form/fields.json", {"app": app.id}, token=app.token("add")).json()
    tel = shown["properties"]["tel"]
    assert (tel["type"], tel["protocol"], tel["label"], tel["unique"]) == ("LINK", "CALL", "電話番号", False)
    assert shown["properties"]["rank"]["options"]["B"] == {"label": "B", "index": "1"}
    assert shown["properties"]["ステータス"] == {
        "type": "STATUS",
        "code": "ステータス",
        "label": "ステータス",
        "enabled": False,
    }
    assert shown["revision"] == "1"


def test_an_app_is_made_filled_deployed_and_used(domain: FakeDomain, admin: User) -> None:
    domain.deploy_polls = 2
    made = ask(domain, "POST", "preview/app.json", {"name": "通話履歴"}, user=admin).json()
    target = {"app": made["app"]}
    memo = {"type": "MULTI_LINE_TEXT", "code": "メモ", "label": "メモ", "unique": True}
    properties = {"call_sid": CALL_SID, "メモ": memo}
    added = ask(domain, "POST", "preview/app/form/fields.json", {**target, "properties": properties}, user=admin)
    assert added.json() == {"revision": "2"}
    view = {"type": "LIST", "index": 0, "name": "一覧", "fields": ["call_sid", "メモ"], "sort": "作成日時 desc"}
    views = ask(domain, "PUT", "preview/app/views.json", {**target, "views": {"一覧": view}}, user=admin).json()
    assert views["revision"] == "3"
    assert code_of(ask(domain, "GET", "app/form/fields.json", target, user=admin)) == (404, "GAIA_AP01")
    asked = {"apps": [{"app": made["app"], "revision": 3}]}
    assert ask(domain, "POST", "preview/app/deploy.json", asked, user=admin).json() == {}
    busy = ask(domain, "POST", "preview/app/form/fields.json", {**target, "properties": properties}, user=admin)
    assert busy.status_code == 409, "nothing is changed while a deployment runs"
    polled = [
        ask(domain, "GET", "preview/app/deploy.json", {"apps": [made["app"]]}, user=admin).json()["apps"][0]["status"]
        for _ in range(3)
    ]
    assert polled == ["PROCESSING", "PROCESSING", "SUCCESS"]
    fields = ask(domain, "GET", "app/form/fields.json", target, user=admin).json()["properties"]
    assert fields["call_sid"]["unique"] is True
    assert "unique" not in fields["メモ"], "a type that cannot be unique drops the flag without a word"
    shown = ask(domain, "GET", "app/views.json", target, user=admin).json()["views"]["一覧"]
    assert (shown["fields"], shown["id"]) == (["call_sid", "メモ"], views["views"]["一覧"]["id"])
    assert ask(domain, "GET", "app.json", {"id": made["app"]}, user=admin).json()["name"] == "通話履歴"
    assert ask(domain, "POST", "record.json", {**target, "record": {"call_sid": {"value": "CA1"}}}, user=admin).ok


@pytest.mark.parametrize("end", ["FAIL", "CANCEL"])
def test_a_deployment_that_fails_changes_nothing(domain: FakeDomain, app: FakeApp, admin: User, end: str) -> None:
    domain.deploy_polls, domain.deploy_result = 0, end
    body = {"app": app.id, "properties": {"call_sid": CALL_SID}}
    assert ask(domain, "POST", "preview/app/form/fields.json", body, user=admin).ok
    ask(domain, "POST", "preview/app/deploy.json", {"apps": [{"app": app.id}]}, user=admin)
    polled = ask(domain, "GET", "preview/app/deploy.json", {"apps": [app.id]}, user=admin, override=True)
    assert polled.json() == {"apps": [{"app": str(app.id), "status": end}]}
    fields = ask(domain, "GET", "app/form/fields.json", {"app": app.id}, user=admin).json()["properties"]
    assert "call_sid" not in fields


def test_a_field_cannot_become_unique_over_double_values(domain: FakeDomain, app: FakeApp, admin: User) -> None:
    app.add(会社名="山田商事")
    domain.deploy_polls = 0
    change = {"app": app.id, "properties": {"会社名": {"type": "SINGLE_LINE_TEXT", "unique": True}}}
    assert ask(domain, "PUT", "preview/app/form/fields.json", change, user=admin).ok
    ask(domain, "POST", "preview/app/deploy.json", {"apps": [{"app": app.id}]}, user=admin)
    polled = ask(domain, "GET", "preview/app/deploy.json", {"apps": [app.id]}, user=admin).json()
    assert polled["apps"][0]["status"] == "FAIL"


def test_changes_can_be_thrown_away(domain: FakeDomain, app: FakeApp, admin: User) -> None:
    domain.deploy_polls = 0
    ask(domain, "DELETE", "preview/app/form/fields.json", {"app": app.id, "fields": ["会社名"]}, user=admin)
    ask(domain, "POST", "preview/app/deploy.json", {"apps": [{"app": app.id}], "revert": True}, user=admin)
    ask(domain, "GET", "preview/app/deploy.json", {"apps": [app.id]}, user=admin)
    shown = ask(domain, "GET", "preview/app/form/fields.json", {"app": app.id}, user=admin).json()
    assert "会社名" in shown["properties"]


def test_no_token_makes_an_app_or_lists_them_and_only_a_managing_one_changes(domain: FakeDomain, app: FakeApp) -> None:
    manager, viewer = app.token("manage"), app.token("view")
    assert code_of(ask(domain, "POST", "preview/app.json", {"name": "x"}, token=manager)) == (403, "GAIA_NO01")
    assert code_of(ask(domain, "GET", "apps.json", token=manager)) == (403, "GAIA_NO01")
    assert code_of(ask(domain, "GET", "preview/app/form/fields.json", {"app": app.id}, token=viewer)) == (
        403,
        "GAIA_NO01",
    )
    assert ask(domain, "GET", "preview/app/form/fields.json", {"app": app.id}, token=manager).ok


def test_apps_are_listed_for_a_user(domain: FakeDomain, app: FakeApp, admin: User) -> None:
    domain.app("案件管理")
    listed = ask(domain, "GET", "apps.json", {"name": "案件"}, user=admin).json()["apps"]
    assert [each["name"] for each in listed] == ["案件管理"]
    assert ask(domain, "GET", "apps.json", {"ids": [app.id]}, user=admin).json()["apps"][0]["appId"] == str(app.id)


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        ({"type": "SINGLE_LINE_TEXT", "code": "x"}, "properties[x].label"),
        ({"type": "PHONE", "code": "x", "label": "x"}, "properties[x].type"),
        ({"type": "DROP_DOWN", "code": "x", "label": "x"}, "properties[x].options"),
        ({"type": "LINK", "code": "x", "label": "x", "protocol": "TEL"}, "properties[x].protocol"),
        ({"type": "NUMBER", "code": "1x", "label": "x"}, "properties[1x].code"),
        ({"type": "NUMBER", "code": "a b", "label": "x"}, "properties[a b].code"),
        ({"type": "NUMBER", "code": "会社名", "label": "x"}, "properties[会社名].code"),
        ({"type": "DROP_DOWN", "code": "ステータス", "label": "x", "options": {}}, "properties[ステータス].code"),
    ],
)
def test_a_wrong_field_is_refused_under_its_key(
    domain: FakeDomain, app: FakeApp, admin: User, spec: dict[str, Any], key: str
) -> None:
    body = {"app": app.id, "properties": {spec["code"]: spec}}
    answer = ask(domain, "POST", "preview/app/form/fields.json", body, user=admin)
    assert code_of(answer) == (400, "CB_VA01")
    assert key in answer.json()["errors"]


def test_a_stale_revision_and_a_field_that_is_not_there_are_refused(
    domain: FakeDomain, app: FakeApp, admin: User
) -> None:
    body = {"app": app.id, "properties": {"call_sid": CALL_SID}, "revision": 7}
    assert code_of(ask(domain, "POST", "preview/app/form/fields.json", body, user=admin)) == (409, "GAIA_CO02")
    body = {"app": app.id, "properties": {"nobody": {"type": "NUMBER"}}}
    assert code_of(ask(domain, "PUT", "preview/app/form/fields.json", body, user=admin)) == (404, "GAIA_FC01")
    view = {"type": "LIST", "index": 0, "name": "一覧", "fields": ["nobody"]}
    views = {"app": app.id, "views": {"一覧": view}}
    assert code_of(ask(domain, "PUT", "preview/app/views.json", views, user=admin)) == (404, "GAIA_FC01")


def test_the_layout_holds_every_field_once(domain: FakeDomain, app: FakeApp, admin: User) -> None:
    row = {"type": "ROW", "fields": [{"type": "SINGLE_LINE_TEXT", "code": "会社名", "size": {"width": "200"}}]}
    good, bad = {"app": app.id, "layout": [row]}, {"app": app.id, "layout": []}
    assert code_of(ask(domain, "PUT", "preview/app/form/layout.json", bad, user=admin)) == (400, "CB_VA01")
    assert ask(domain, "PUT", "preview/app/form/layout.json", good, user=admin).ok
    assert ask(domain, "GET", "preview/app/form/layout.json", {"app": app.id}, user=admin).json()["layout"] == [row]


def test_general_settings_are_changed_in_preview(domain: FakeDomain, app: FakeApp, admin: User) -> None:
    body = {"app": app.id, "name": "顧客名簿", "theme": "BLUE"}
    assert ask(domain, "PUT", "preview/app/settings.json", body, user=admin).ok
    assert ask(domain, "GET", "app/settings.json", {"app": app.id}, user=admin).json()["name"] == "顧客"
    preview = ask(domain, "GET", "preview/app/settings.json", {"app": app.id}, user=admin).json()
    assert (preview["name"], preview["theme"]) == ("顧客名簿", "BLUE")


def test_a_record_has_a_page(domain: FakeDomain, app: FakeApp) -> None:
    answer = requests.get(f"{domain.url}/k/{app.id}/show#record=1", timeout=9)
    assert answer.ok
    assert "<h1>顧客</h1>" in answer.text
    assert requests.get(f"{domain.url}/k/99/show", timeout=9).status_code == 404
