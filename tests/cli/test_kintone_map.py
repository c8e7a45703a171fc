"""``cti-bridge kintone map``: a first mapping that the connector can read, whatever stands in the company's labels."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_bridge.connectors.kintone.form import Form
from cti_bridge.connectors.kintone.mapping import KintoneMapping, read_mapping
from cti_bridge.connectors.kintone.setup.draft import Draft, Source, comment, toml
from cti_bridge.connectors.kintone.setup.guess import Customers, customers_of, related_of
from tests.cli.conftest import Terminal
from tests.connectors.kintone.company import CALL_FIELDS
from tests.fakes.kintone import FakeApp, FakeDomain

Fields = dict[str, str | dict[str, Any]]

PEOPLE: Fields = {
    "文字列__1行_": {"type": "SINGLE_LINE_TEXT", "label": "氏名"},
    "文字列__1行__0": {"type": "SINGLE_LINE_TEXT", "label": "フリガナ"},
    "会社名": "SINGLE_LINE_TEXT",
    "会社名カナ": "SINGLE_LINE_TEXT",
    "TEL": {"type": "LINK", "protocol": "CALL", "label": "電話番号"},
    "携帯": "SINGLE_LINE_TEXT",
    "携帯_正規化": "SINGLE_LINE_TEXT",
    "FAX": "SINGLE_LINE_TEXT",
    "電話対応メモ": "SINGLE_LINE_TEXT",
    "メール": {"type": "LINK", "protocol": "MAIL"},
    "会員ランク": {"type": "DROP_DOWN", "options": ["金", "銀"]},
    "顧客コード": "SINGLE_LINE_TEXT",
    "最終対応日": "DATE",
    "備考": "MULTI_LINE_TEXT",
    "ご家族": {"type": "SUBTABLE", "fields": {"家族の電話": "SINGLE_LINE_TEXT"}},
}


def form(fields: Fields) -> Form:
    with FakeDomain() as domain:
        return Form.read(1, domain.app("顧客", fields).settings.properties)


def mapped(terminal: Terminal, *apps: FakeApp) -> dict[str, str]:
    """The environment with a token of each app."""
    return {f"KINTONE_TOKEN_{app.id}": app.token("view", "add", "edit") for app in apps}


@pytest.fixture
def apps(domain: FakeDomain, kintone: Terminal, monkeypatch: pytest.MonkeyPatch) -> tuple[FakeApp, FakeApp]:
    """A customer app (1) and a call-log app (2), their tokens in the environment."""
    people, calls = domain.app("顧客", PEOPLE), domain.app("通話履歴", CALL_FIELDS)
    for name, token in mapped(kintone, people, calls).items():
        monkeypatch.setenv(name, token)
    return people, calls


# ── what is guessed ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_fields_are_guessed_by_label_code_and_type() -> None:
    guess = customers_of(form(PEOPLE))

    assert guess.kind == "person"
    assert guess.name == ("文字列__1行_",)
    assert guess.reading == ("文字列__1行__0",)
    assert guess.company == "会社名"
    assert guess.phones == ("携帯", "TEL"), "the one with a normalised field first: they stand in the same order"
    assert guess.normalised == ("携帯_正規化",)
    assert guess.customer_number == "顧客コード"
    assert guess.show == ("会員ランク",)
    assert guess.touched == "最終対応日"
    left = {each.code for each in guess.candidates}
    assert {"FAX", "備考", "メール", "電話対応メモ"} <= left
    assert "家族の電話" not in left, "fields in tables cannot be used"


def test_family_and_given_name_are_taken_together() -> None:
    guess = customers_of(form(dict.fromkeys(("姓", "名", "セイ", "メイ", "電話"), "SINGLE_LINE_TEXT")))
    assert guess.name == ("姓", "名")
    assert guess.reading == ("セイ", "メイ")


def test_an_app_of_companies_is_told_by_its_fields() -> None:
    guess = customers_of(form({"取引先名": "SINGLE_LINE_TEXT", "代表電話": {"type": "LINK", "protocol": "CALL"}}))
    assert (guess.kind, guess.name, guess.company) == ("company", ("取引先名",), "")


def test_english_labels_are_understood() -> None:
    fields: Fields = {
        "f1": {"type": "SINGLE_LINE_TEXT", "label": "Full name"},
        "f2": {"type": "SINGLE_LINE_TEXT", "label": "Mobile phone"},
        "f3": {"type": "SINGLE_LINE_TEXT", "label": "Company"},
        "f4": {"type": "SINGLE_LINE_TEXT", "label": "Customer no."},
    }
    guess = customers_of(form(fields))
    assert (guess.name, guess.phones, guess.company, guess.customer_number) == (("f1",), ("f2",), "f3", "f4")


def test_a_related_app_is_joined_by_its_look_up() -> None:
    customers = {12: Customers("person", ("氏名",), customer_number="顧客番号")}
    properties: dict[str, dict[str, Any]] = {
        "お客様": {
            "type": "SINGLE_LINE_TEXT",
            "code": "お客様",
            "label": "お客様",
            "lookup": {"relatedApp": {"app": "12"}, "relatedKeyField": "顧客番号", "fieldMappings": []},
        },
        "商品": {"type": "SINGLE_LINE_TEXT", "code": "商品", "label": "商品"},
        "受注日": {"type": "DATE", "code": "受注日", "label": "受注日"},
        "進捗": {"type": "DROP_DOWN", "code": "進捗", "label": "進捗", "options": {"手配中": {}, '完了"\\': {}}},
    }
    guess = related_of(Form.read(20, properties), "受注管理", properties, customers)

    assert (guess.kind, guess.title, guess.at, guess.detail) == ("order", "商品", "受注日", ("進捗",))
    assert (guess.join_field, guess.join_customer, guess.join_app) == ("お客様", "顧客番号", 12)
    assert guess.open == r'進捗 not in ("完了\"\\")'


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_file_is_read_by_the_connector_and_explains_itself(
    kintone: Terminal, apps: tuple[FakeApp, FakeApp], monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    said = kintone.run("kintone", "map", "--app", "1", "--call-log", "2")
    text = (kintone.folder / "kintone.toml").read_text("utf-8")

    mapping = read_mapping(text, {"KINTONE_TOKEN_1": "a", "KINTONE_TOKEN_2": "b"})
    assert mapping.customers[0].phones == ("携帯", "TEL")
    assert mapping.call_log.fields.call_id == "call_sid"
    assert ("すべてアプリに合って" if language == "ja" else "fit the apps") in said
    explained = "アプリの番号" if language == "ja" else "the app's number"
    assert explained in text
    assert '"備考"' in text, "what was not used is listed"


def test_tokens_are_neither_written_nor_shown(
    kintone: Terminal, domain: FakeDomain, apps: tuple[FakeApp, FakeApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    people, calls = apps
    typed = people.token("view")
    monkeypatch.delenv("KINTONE_TOKEN_1")
    monkeypatch.setenv("SECRET_OF_CALLS", calls.token("view"))

    options = ("--app", "1", "--call-log", "2", "--token", "2=$SECRET_OF_CALLS")
    said = kintone.run("kintone", "map", *options, asks=f"{typed}\n")
    text = (kintone.folder / "kintone.toml").read_text("utf-8")

    assert 'token = "$KINTONE_TOKEN_1"' in text
    assert 'token = "$SECRET_OF_CALLS"' in text
    for app in apps:
        for token in app.tokens:
            assert token not in said + text


def test_a_file_that_is_there_is_not_overwritten(kintone: Terminal, apps: tuple[FakeApp, FakeApp]) -> None:
    file = kintone.folder / "kintone.toml"
    file.write_text("# years of work\n", "utf-8")

    assert "--force" in kintone.run("kintone", "map", "--app", "1", "--call-log", "2", code=1)
    assert file.read_text("utf-8") == "# years of work\n"
    kintone.run("kintone", "map", "--app", "1", "--call-log", "2", "--force")
    assert "[[customers]]" in file.read_text("utf-8")


def test_the_file_can_go_to_the_terminal(kintone: Terminal, apps: tuple[FakeApp, FakeApp]) -> None:
    assert "[[customers]]" in kintone.run("kintone", "map", "--app", "1", "--call-log", "2", "--output", "-")
    assert not (kintone.folder / "kintone.toml").exists()


def test_apps_are_asked_for(kintone: Terminal, apps: tuple[FakeApp, FakeApp]) -> None:
    said = kintone.run("kintone", "map", asks="1\n2\n")
    assert "kintone setup" in said, "who has no call-log app yet is told how to make it"
    assert (kintone.folder / "kintone.toml").exists()
    assert "is the 12 of its address" in kintone.run("kintone", "map", "--force", asks="customers\n", code=1)


def test_related_apps_are_drafted_and_commented_out_where_nothing_joins_them(
    kintone: Terminal, domain: FakeDomain, apps: tuple[FakeApp, FakeApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = domain.app(
        "予約", {"顧客コード": "SINGLE_LINE_TEXT", "来店日時": "DATETIME", "メニュー": "SINGLE_LINE_TEXT"}
    )
    loose = domain.app("社内メモ", {"本文": "MULTI_LINE_TEXT"})
    for name, token in mapped(kintone, joined, loose).items():
        monkeypatch.setenv(name, token)

    kintone.run("kintone", "map", "--app", "1", "--call-log", "2", "--related", "3", "--related", "4")
    text = (kintone.folder / "kintone.toml").read_text("utf-8")
    related = tomllib.loads(text)["related"]
    assert [(each["app"], each["kind"], each["at"]) for each in related] == [(3, "appointment", "来店日時")]
    assert related[0]["join"] == {"field": "顧客コード", "customer": "顧客コード", "app": 1}
    assert "# app = 4" in text


def test_what_is_wrong_with_the_draft_is_said(
    kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = domain.app("顧客", {"電話": "NUMBER", "備考": "MULTI_LINE_TEXT"})
    calls = domain.app("通話", {"call_sid": "SINGLE_LINE_TEXT"})
    for name, token in mapped(kintone, people, calls).items():
        monkeypatch.setenv(name, token)

    said = kintone.run("kintone", "map", "--app", "1", "--call-log", "2")
    text = (kintone.folder / "kintone.toml").read_text("utf-8")
    assert "customers[1].phones: is empty" in said
    assert "leading 0" in text
    assert "cti-bridge kintone setup --app" in text, "the call's id has no field without duplicates"


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("no rights", "lacks a right"),
        ("another app's", "is not this app's"),
        ("not updated", "was not updated"),
    ],
)
def test_a_token_that_does_not_open_the_app_is_told(
    kintone: Terminal, apps: tuple[FakeApp, FakeApp], monkeypatch: pytest.MonkeyPatch, wrong: str, words: str
) -> None:
    people, calls = apps
    token = {
        "no rights": people.token("edit"),
        "another app's": calls.token("view"),
        "not updated": people.token("view", updated=False),
    }[wrong]
    monkeypatch.setenv("KINTONE_TOKEN_1", token)

    said = kintone.run("kintone", "map", "--app", "1", "--call-log", "2", code=1)
    assert said.startswith("Error: App 1:")
    assert words in said
    assert not (kintone.folder / "kintone.toml").exists()


@pytest.mark.parametrize("by", ["option", "setting"])
def test_apps_of_a_guest_space_are_mapped(
    kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    people, calls = (domain.app(name, fields, guest_space=5) for name, fields in (("客", PEOPLE), ("通", CALL_FIELDS)))
    for name, token in mapped(kintone, people, calls).items():
        monkeypatch.setenv(name, token)
    option = ["--guest-space", "5"] if by == "option" else []
    if by == "setting":
        monkeypatch.setenv("KINTONE_GUEST_SPACE", "5")

    kintone.run("kintone", "map", "--app", "1", "--call-log", "2", *option)
    text = (kintone.folder / "kintone.toml").read_text("utf-8")
    assert tomllib.loads(text)["customers"][0].get("guest_space") == (5 if by == "option" else None)
    assert "/k/guest/5/1/" in text


def test_one_app_cannot_be_both(kintone: Terminal, apps: tuple[FakeApp, FakeApp]) -> None:
    assert "cannot be both" in kintone.run("kintone", "map", "--app", "2", "--call-log", "2", code=1)


# ── hostile texts ────────────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = (
    '氏名"\n[[customers]]\napp = 666\nname = "',
    "名前\r\n[call_log]\r\napp = 1",
    "氏名 ''' \"\"\" \\",
    "氏名\u2028\u0085[call_log]\x7f\x00\x1b[2J",
    "氏名\u202e\ud800",
    "# 氏名 = 1",
)


@pytest.mark.parametrize("label", HOSTILE)
def test_a_hostile_label_stays_a_comment(label: str) -> None:
    properties = {
        "a": {"type": "SINGLE_LINE_TEXT", "code": "a", "label": "氏名"},
        "b": {"type": "SINGLE_LINE_TEXT", "code": "b", "label": "電話"},
        "c": {"type": "SINGLE_LINE_TEXT", "code": "c", "label": label},
        'd" = 1\n[x]': {"type": "SINGLE_LINE_TEXT", "code": 'd" = 1\n[x]', "label": "電話2"},
    }
    mapping = drafted(label, properties)
    assert [each.app for each in mapping.customers] == [12]
    assert mapping.call_log.app == 15
    assert mapping.customers[0].phones == ("b",), "a code that no query can carry is not used"


@given(name=st.text(), labels=st.lists(st.text(min_size=1), max_size=6))
def test_whatever_apps_and_fields_are_called_the_draft_can_be_read(name: str, labels: list[str]) -> None:
    properties = {
        f"c{place}": {"type": "SINGLE_LINE_TEXT", "code": f"c{place}", "label": label}
        for place, label in enumerate(["氏名", "電話", *labels])
    }
    assert drafted(name, properties).customers[0].app == 12


def drafted(name: str, properties: dict[str, dict[str, str]]) -> KintoneMapping:
    held = Form.read(12, properties)
    draft = Draft("ja")
    draft.heading("2026-11-22")
    draft.customers(Source(12, name, "https://acme.cybozu.com/k/12/", "T", held), customers_of(held), create=False)
    draft.call_log(
        Source(15, name, "https://acme.cybozu.com/k/15/", "T", held), {"call_id": "call_sid"}, held.fields.values()
    )
    return read_mapping(draft.text(), {"T": "token"})


@given(st.text())
def test_every_text_comes_back_from_toml_and_no_comment_ends_early(text: str) -> None:
    from cti_bridge.connectors.kintone.query import storable

    assert tomllib.loads(f"key = {toml(text)} # {comment(text)}") == {"key": storable(text)}
