"""``cti-bridge kintone setup``: shows first, changes only what is missing, may be repeated, and says what went wrong."""

from __future__ import annotations

import copy
import subprocess
import sys
import tomllib
from typing import Any

import pytest

from cti_bridge.connectors.kintone.setup.callapp import FIELDS
from cti_bridge.connectors.kintone.setup.explained import FIELDS as EXPLAINED
from tests.cli.conftest import Terminal
from tests.fakes.kintone import FakeApp, FakeDomain

OWN_FIELDS: dict[str, str | dict[str, Any]] = {
    "件名": {"type": "SINGLE_LINE_TEXT", "label": "用件"},
    "担当者": {"type": "CHECK_BOX", "options": ["佐藤", "鈴木"]},
    "文字列__1行_": {"type": "SINGLE_LINE_TEXT", "label": "回線"},
    "社外秘": "MULTI_LINE_TEXT",
}


def writes(domain: FakeDomain) -> list[str]:
    """What was asked of the domain that changes it."""
    return [f"{each.method} {each.api}" for each in domain.requests() if each.method != "GET"]


def japanese(text: str) -> bool:
    return any("ぁ" <= letter <= "ん" for letter in text)


def own_app(domain: FakeDomain) -> FakeApp:
    app = domain.app("電話メモ", OWN_FIELDS)
    app.preview.views = {
        "未処理": {
            "id": "7", "index": "3", "type": "LIST", "name": "未処理", "fields": ["件名"], "filterCond": "", "sort": "",
        }
    }  # fmt: skip
    app.update()
    return app


# ── a new app ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("language", "name"), [("ja", "通話履歴"), ("en", "Call log")])
def test_a_new_app_gets_its_fields_and_views_and_goes_live(
    kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch, language: str, name: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    said = kintone.run("kintone", "setup", "--yes")

    (app,) = domain.apps.values()
    assert app.live is not None, "it was deployed"
    assert app.live.name == name
    for wanted in FIELDS:
        field = app.live.properties[wanted.codes(language)[0]]  # type: ignore[arg-type]
        assert (field["type"], field["label"]) == (wanted.type, wanted.label(language))  # type: ignore[arg-type]
    assert app.live.properties["call_sid"]["unique"] is True, "else calls would be logged twice"
    assert len(app.live.views) == 3
    assert japanese(said) == (language == "ja")


def test_the_plan_is_shown_before_anything_is_done(kintone: Terminal, domain: FakeDomain) -> None:
    said = kintone.run("kintone", "setup", asks="n\n")

    assert "+ field “Call ID” (call_sid), single-line text, no duplicate values" in said
    assert "+ view “Missed calls”" in said
    assert "Nothing was changed." in said
    assert writes(domain) == []


def test_a_dry_run_changes_nothing(kintone: Terminal, domain: FakeDomain) -> None:
    customers = domain.app("顧客", {"電話番号": "SINGLE_LINE_TEXT"})
    before = copy.deepcopy(customers.preview)

    said = kintone.run("kintone", "setup", "--dry-run", "--normalised-field", str(customers.id))

    assert "電話番号_e164" in said
    assert "Nothing was changed" in said
    assert writes(domain) == []
    assert customers.preview == before
    assert list(domain.apps) == [customers.id]


def test_a_second_run_has_nothing_to_do(kintone: Terminal, domain: FakeDomain) -> None:
    customers = domain.app("顧客", {"電話番号": {"type": "LINK", "protocol": "CALL"}, "携帯": "SINGLE_LINE_TEXT"})
    kintone.run("kintone", "setup", "--yes", "--normalised-field", str(customers.id))
    domain.forget()

    said = kintone.run("kintone", "setup", "--yes", "--normalised-field", str(customers.id))

    assert "Nothing to do" in said
    assert writes(domain) == []
    assert len(domain.apps) == 2


def test_what_was_made_in_one_language_is_complete_in_the_other(
    kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers = domain.app("顧客", {"電話番号": "SINGLE_LINE_TEXT"})
    more = ("--normalised-field", str(customers.id))
    monkeypatch.setenv("CTI_LANGUAGE", "ja")
    kintone.run("kintone", "setup", "--yes", *more)
    monkeypatch.setenv("CTI_LANGUAGE", "en")
    domain.forget()

    assert "Nothing to do" in kintone.run("kintone", "setup", "--app", "2", *more)
    assert writes(domain) == []


def test_the_mapping_that_follows_is_printed_and_is_toml(kintone: Terminal, domain: FakeDomain) -> None:
    said = kintone.run("kintone", "setup", "--yes")

    text = said[said.index("[call_log]") : said.index("What to do next")]
    mapping = tomllib.loads(text)["call_log"]
    assert mapping["app"] == 1
    assert mapping["token"] == "$KINTONE_TOKEN_1"
    assert domain.apps[1].live is not None
    assert set(mapping["fields"].values()) <= set(domain.apps[1].live.properties)
    assert "Update App" in said, "a token is inert until then"


def test_every_key_of_a_call_log_has_its_explanation() -> None:
    from cti_bridge.connectors.kintone.mapping import CallLogApp, CustomerApp, Join, LogFields, RelatedApp
    from cti_bridge.connectors.kintone.setup import explained

    assert set(EXPLAINED) == set(LogFields.model_fields)
    assert {wanted.key for wanted in FIELDS} <= set(EXPLAINED)
    assert set(explained.CUSTOMERS) == set(CustomerApp.model_fields)
    assert set(explained.RELATED) == set(RelatedApp.model_fields)
    assert set(explained.JOIN) == set(Join.model_fields)
    assert {*explained.CALL_LOG, "fields", "agents", "words"} == set(CallLogApp.model_fields)


def test_a_guest_space_gets_the_app(kintone: Terminal, domain: FakeDomain) -> None:
    said = kintone.run("kintone", "setup", "--yes", "--guest-space", "5")

    assert domain.apps[1].guest_space == 5
    assert domain.apps[1].live is not None
    assert "/k/guest/5/1/" in said
    assert "guest_space = 5" in said


# ── an app that is there ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_app_that_is_there_keeps_its_own_fields_and_views(kintone: Terminal, domain: FakeDomain) -> None:
    app = own_app(domain)
    app.add(件名="見積もりの件", 社外秘="これは秘密")
    assert app.live is not None
    before = copy.deepcopy(app.live)
    record = app.record("1")

    kintone.run("kintone", "setup", "--yes", "--app", str(app.id), "--name", "ignored")

    assert app.live.name == "電話メモ"
    assert {code: app.live.properties[code] for code in before.properties} == before.properties
    assert {name: app.live.views[name] for name in before.views} == before.views
    assert app.record("1") == record


def test_fields_that_can_serve_are_used_and_the_others_are_added_beside_them(
    kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", "ja")
    app = own_app(domain)
    said = kintone.run("kintone", "setup", "--yes", "--app", str(app.id))

    fields = tomllib.loads(said[said.index("[call_log]") : said.index("次にすること")])["call_log"]["fields"]
    assert fields["subject"] == "件名", "same code, a type that can take it"
    assert fields["line"] == "文字列__1行_", "found by its label"
    assert fields["agent"] == "担当者_CTI", "担当者 is a check box here and cannot take an agent"
    assert app.live is not None
    assert app.live.properties["担当者_CTI"]["type"] == "USER_SELECT"
    assert "することはありません" in kintone.run("kintone", "setup", "--app", str(app.id))


def test_a_stranger_with_the_same_name_is_left_alone(kintone: Terminal, domain: FakeDomain) -> None:
    stranger = domain.app("Call log", {"memo": "MULTI_LINE_TEXT"})
    before = copy.deepcopy(stranger.live)

    said = kintone.run("kintone", "setup", "--yes")

    assert f"--app {stranger.id}" in said
    assert stranger.live == before
    assert len(domain.apps) == 2


def test_two_of_the_same_name_must_be_told_apart(kintone: Terminal, domain: FakeDomain) -> None:
    for _ in range(2):
        domain.app("Call log", {"call_sid": {"type": "SINGLE_LINE_TEXT", "unique": True}})

    assert "Choose one with --app" in kintone.run("kintone", "setup", "--yes", code=1)
    assert writes(domain) == []


def test_changes_of_somebody_else_that_wait_are_told(kintone: Terminal, domain: FakeDomain) -> None:
    customers = domain.app("顧客", {"電話番号": "SINGLE_LINE_TEXT"})
    customers.preview.properties["途中"] = {"type": "NUMBER", "code": "途中", "label": "途中"}

    more = ("--no-call-log", "--normalised-field", str(customers.id))
    assert "were not put into use yet" in kintone.run("kintone", "setup", "--dry-run", *more)


def test_each_telephone_field_gets_a_normalised_one(
    kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", "ja")
    customers = domain.app(
        "顧客",
        {
            "電話番号": {"type": "LINK", "protocol": "CALL"},
            "携帯": "SINGLE_LINE_TEXT",
            "FAX番号": "SINGLE_LINE_TEXT",
            "電話メモ": "SINGLE_LINE_TEXT",
        },
    )
    said = kintone.run("kintone", "setup", "--yes", "--no-call-log", "--normalised-field", str(customers.id))

    assert customers.live is not None
    added = {code for code in customers.live.properties if code.endswith("_正規化")}
    assert added == {"電話番号_正規化", "携帯_正規化"}
    assert 'normalised = ["電話番号_正規化", "携帯_正規化"]' in said
    assert len(domain.apps) == 1


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_deployment_that_fails_is_told_in_words_and_can_be_mended(
    kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    app = domain.app("通話", {"call_sid": "SINGLE_LINE_TEXT"})
    app.add_many([{"call_sid": "CA1"}, {"call_sid": "CA1"}])

    said = kintone.run("kintone", "setup", "--yes", "--app", str(app.id), code=1)
    assert "FAIL" in said
    assert ("重複を禁止" if language == "ja" else "share a value") in said

    app.delete("2")
    kintone.run("kintone", "setup", "--yes", "--app", str(app.id))
    assert app.live is not None
    assert app.live.properties["call_sid"]["unique"] is True


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_deployment_that_is_canceled_is_told(
    kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    domain.deploy_result = "CANCEL"

    said = kintone.run("kintone", "setup", "--yes", code=1)
    assert "CANCEL" in said
    assert "cti-bridge kintone setup --app 1" in said, "how to go on with the app that was made"


def test_a_deployment_that_does_not_end_is_waited_for_five_minutes(
    kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("cti_bridge.cli.kintone.asking.pause", waited.append)
    domain.deploy_polls = 10_000

    said = kintone.run("kintone", "setup", "--yes", code=1)
    assert "PROCESSING" in said
    assert sum(waited) == 300


def test_progress_is_shown_while_kintone_updates_the_app(kintone: Terminal, domain: FakeDomain) -> None:
    domain.deploy_polls = 3
    said = kintone.run("kintone", "setup", "--yes")
    assert [f"{seconds} s" in said for seconds in range(4)] == [True] * 4


def test_an_app_that_is_half_made_can_be_gone_on_with(kintone: Terminal, domain: FakeDomain) -> None:
    with domain.trouble("maintenance", method="PUT", path="views.json"):
        said = kintone.run("kintone", "setup", "--yes", code=1)
    assert "cti-bridge kintone setup --app 1" in said
    assert not domain.apps[1].live

    kintone.run("kintone", "setup", "--yes", "--app", "1")
    live = domain.apps[1].live
    assert live is not None
    assert len(live.views) == 3


def test_what_waits_to_go_live_since_an_earlier_run_goes_live(kintone: Terminal, domain: FakeDomain) -> None:
    with domain.trouble("internal error", path="deploy.json", method="POST"):
        kintone.run("kintone", "setup", "--yes", code=1)
    domain.forget()

    kintone.run("kintone", "setup", "--yes", "--app", "1")
    assert writes(domain) == ["POST preview/app/deploy.json"]
    assert domain.apps[1].live is not None


def test_one_app_is_made_although_the_answer_was_lost(kintone: Terminal, domain: FakeDomain) -> None:
    domain.trouble("cut after commit", times=1, path="preview/app.json")
    kintone.run("kintone", "setup", "--yes", code=1)
    assert len(domain.apps) == 1, "making an app is not tried again by itself"


@pytest.mark.parametrize(("language", "words"), [("ja", "ログインできません"), ("en", "did not accept the login")])
def test_a_wrong_password_is_told_and_not_shown(
    kintone: Terminal, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    monkeypatch.setenv("KINTONE_ADMIN_PASSWORD", "hunter2 hunter2")

    said = kintone.run("kintone", "setup", "--yes", code=1)
    assert words in said
    assert "hunter2" not in said


def test_login_and_password_are_asked_for_and_the_password_is_not_echoed(
    kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KINTONE_ADMIN_USER")
    monkeypatch.delenv("KINTONE_ADMIN_PASSWORD")

    said = kintone.run("kintone", "setup", "--yes", asks="Administrator\nopen sesame\n")
    assert len(domain.apps) == 1
    assert "open sesame" not in said


@pytest.mark.parametrize(("language", "words"), [("ja", "権限"), ("en", "permission to create apps")])
def test_a_user_who_may_not_make_apps_is_told_which_right_is_missing(
    kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    domain.administrator.may_create_apps = False
    assert words in kintone.run("kintone", "setup", "--yes", code=1)


def test_an_app_that_does_not_exist_is_told(kintone: Terminal) -> None:
    assert "no such app" in kintone.run("kintone", "setup", "--yes", "--app", "999", code=1)


def test_the_domain_must_be_named(kintone: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KINTONE_BASE_URL")
    assert "KINTONE_BASE_URL" in kintone.run("kintone", "setup", "--yes", code=1)


def test_other_commands_do_not_load_kintones_library() -> None:
    code = "import sys; from cti_bridge.cli import main; print([name for name in sys.modules if 'pykintone' in name])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert loaded.stdout.strip() == "[]"
