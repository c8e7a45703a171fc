"""The mapping: what it says, and how its mistakes are explained before anybody rings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_bridge.connectors.kintone import mapping as mapping_module
from cti_bridge.connectors.kintone.mapping import KintoneMapping, Word, read_mapping
from cti_bridge.errors import SettingsError
from cti_bridge.model import Direction, Outcome

SMALL = """
[[customers]]
app = 12
token = "$CUSTOMERS"
name = ["姓", "名"]
phones = "電話番号"

[call_log]
app = 15
token = "$CALLS"
fields = { call_id = "call_sid" }
"""

TOKENS = {"CUSTOMERS": "aaa,bbb", "CALLS": "ccc"}


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", "en")


def changed(old: str, new: str) -> str:
    assert old in SMALL, f"{old} is not in the small mapping"
    return SMALL.replace(old, new)


def test_the_example_in_the_manual_is_a_mapping() -> None:
    manual = (mapping_module.__doc__ or "").split("::\n", 1)[1].rsplit("An appointment stands", 1)[0]
    example = "\n".join(line.removeprefix("    ") for line in manual.splitlines())
    tokens = {"KINTONE_TOKEN_CUSTOMERS": "a", "KINTONE_TOKEN_CALLS": "b", "KINTONE_TOKEN_ORDERS": "c"}

    mapping = read_mapping(example, tokens)

    assert mapping.customers[0].show == ("会員ランク", "担当者")
    assert set(mapping.call_log.fields.mapped()) == set(type(mapping.call_log.fields).model_fields)
    assert mapping.related_to(mapping.customers[0]) == list(mapping.related)


def test_a_single_field_needs_no_brackets_and_tokens_come_from_the_environment() -> None:
    mapping = read_mapping(SMALL, TOKENS)

    assert (mapping.customers[0].phones, mapping.customers[0].name) == (("電話番号",), ("姓", "名"))
    assert [token.get_secret_value() for token in mapping.customers[0].token] == ["aaa", "bbb"]
    assert "aaa" not in repr(mapping)


def test_a_token_setting_that_is_missing_is_named() -> None:
    with pytest.raises(SettingsError, match=r"call_log\.token: the setting CALLS is not there"):
        read_mapping(SMALL, {"CUSTOMERS": "aaa"})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("phones =", "phone =", r"customers\[1\]\.phone: there is no such key; phones\?"),
        ("name = ", "nmae = ", r"customers\[1\]\.nmae: there is no such key; name\?"),
        ("call_id =", "callid =", r"call_log\.fields\.callid: there is no such key; call_id\?"),
        ("[call_log]", "[call_logs]", r"call_logs: there is no such key; call_log\?"),
        ("app = 15", 'app = "fifteen"', r"call_log\.app: must be a whole number"),
        ("app = 15", "app = 12", "app 12 stands in the mapping more than once"),
        ('phones = "電話番号"', "phones = []", r"customers\[1\]\.phones: is empty"),
        ('phones = "電話番号"', 'phones = "a) or (b"', r"phones\[1\]: this cannot be a field code"),
        ('phones = "電話番号"', 'phones = "a"\nnormalised_only = true', "normalised_only needs"),
        ('phones = "電話番号"', 'phones = "a"\nnormalised = ["b", "c"]', "cannot have more fields"),
        (
            'phones = "電話番号"',
            'phones = ["a", "b"]\nnormalised = ["b"]',
            "“b” of normalised serves for something else",
        ),
        ('phones = "電話番号"', 'phones = ["a", "b"]\nnormalised = ["c", "c"]', "needs a field of its own"),
        ('phones = "電話番号"', 'phones = "a"\nkind = "dog"', "must be 'person' or 'company'"),
        ('"$CUSTOMERS"', '["1","2","3","4","5","6","7","8","9","10"]', "at most 9"),
        ("[call_log]", "[call_log", r"is not TOML in line \d+, at character"),
        ('phones = "電話番号"', "phones = “電話番号”", "is not TOML in line 6.*plain"),
        ("[[customers]]", "[customers]", r"customers: write its heading with two brackets: \[\[customers\]\]"),
        ("[call_log]\n", "[[call_log]]\n", r"call_log: write its heading with one bracket: \[call_log\]"),
        ("app = 15", "app = 1.5", r"call_log\.app: must be a whole number"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_mend(old: str, new: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_mapping(changed(old, new), TOKENS)


def test_all_mistakes_are_told_at_once_and_in_japanese_where_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", "ja")

    with pytest.raises(SettingsError) as caught:
        read_mapping(changed("phones =", "phone =").replace("call_id =", "callid ="), TOKENS, "kintone.toml")

    lines = str(caught.value).splitlines()
    assert lines[0] == "対応表（kintone.toml）に正しくないところが4件あります。"
    assert "  customers[1].phone: この項目はありません。phones のことでしょうか。" in lines
    assert "  customers[1].phones: 書かれていません。" in lines


RELATED = """
[[related]]
app = 20
token = "t"
kind = "{kind}"
join = {{ field = "顧客番号", customer = "顧客番号", app = {app} }}
title = "件名"
open = '{condition}'
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "appointment"}, "an appointment needs at"),
        ({"app": 99}, "join.app = 99"),
        ({"condition": 'a in ("b") order by c'}, "open is a condition alone"),
        ({"condition": 'a in ("b") limit 3'}, "open is a condition alone"),
        ({"condition": 'a in ("b")) or (c in ("d")'}, "open is a condition alone"),
        ({"condition": 'a in ("b"'}, "open is a condition alone"),
    ],
)
def test_a_related_app_is_examined_too(change: dict[str, object], said: str) -> None:
    text = SMALL + RELATED.format(**{"kind": "case", "app": 12, "condition": 'a in ("b")', **change})

    with pytest.raises(SettingsError, match=said):
        read_mapping(text, TOKENS)


def test_words_like_limit_within_a_text_are_no_mistake() -> None:
    text = SMALL + RELATED.format(kind="case", app=12, condition='状況 in ("limit (a", "order by")')

    assert read_mapping(text, TOKENS).related[0].open == '状況 in ("limit (a", "order by")'


def test_every_direction_and_outcome_may_have_another_word() -> None:
    assert set(Word.__args__) == {*Direction, *Outcome}  # type: ignore[attr-defined]


def test_an_agents_login_and_e_mail_address_lead_to_each_other() -> None:
    call_log = read_mapping(SMALL + '[call_log.agents]\n"Hanako@example.com" = "hanako"\n', TOKENS).call_log

    assert call_log.login_of(" hanako@EXAMPLE.com ") == "hanako"
    assert call_log.email_of(" Hanako ") == "Hanako@example.com"
    assert (call_log.login_of("taro@example.com"), call_log.email_of("")) == (None, None)


def test_new_customers_go_where_the_mapping_says_else_to_the_first_persons() -> None:
    def two(first: str, second: str) -> KintoneMapping:
        other = SMALL.split("[call_log]", maxsplit=1)[0].replace("12", "13").replace("phones", f"{second}\nphones")
        return read_mapping(SMALL.replace("phones", f"{first}\nphones") + other, TOKENS)

    assert two("", "").app_of_new_customers.app == 12
    assert two('kind = "company"', "").app_of_new_customers.app == 13
    assert two("", "create = true").app_of_new_customers.app == 13


@given(text=st.text(max_size=40), keys=st.sampled_from([("customers",), ("call_log",), ("related",)]))
def test_no_text_at_all_breaks_the_explanation(text: str, keys: tuple[str, ...]) -> None:
    values: list[Callable[[str], str]] = [
        lambda t: t,
        lambda t: f"[{t}]",
        lambda t: f"{keys[0]} = {t}",
        lambda t: SMALL + t,
    ]
    for value in values:
        try:
            read_mapping(value(text), TOKENS)
        except SettingsError as problem:
            assert str(problem)  # noqa: PT017  (whatever was wrong, it was told)
