"""Numbers as people type them, and what becomes of them."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from cti_bridge.errors import NumberUnreadable
from cti_bridge.model import CallerKind
from cti_bridge.phone import KEYPAD_WORDS, LONGEST_TEXT, WITHHELD_WORDS, PhoneNumber, mask, read_caller

YAMADA = PhoneNumber("+81312345678")
TARO = PhoneNumber("+819012345678")
REGIONS = ("JP", "US", "GB")


KINDS = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "uan")


def plan(region: str) -> list[str]:
    """What the numbers of a region may look like, as patterns; toll-free and the odd ones included."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    kinds = [getattr(metadata, kind) for kind in KINDS]
    return [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]


PLANS = [
    (region, re.compile(f"{phonenumbers.country_code_for_region(region)}(?:{pattern})", re.ASCII))
    for region in REGIONS
    for pattern in plan(region)
]


@st.composite
def valid_numbers(draw: st.DrawFn) -> tuple[str, PhoneNumber]:
    """A region and one of its numbers."""
    region, pattern = draw(st.sampled_from(PLANS))
    number = phonenumbers.parse("+" + draw(st.from_regex(pattern, fullmatch=True)))
    assume(phonenumbers.is_valid_number(number))
    return region, PhoneNumber(phonenumbers.format_number(number, PhoneNumberFormat.E164))


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "typed",
    [
        "0312345678",
        "03-1234-5678",
        "03 1234 5678",
        "03.1234.5678",
        "(03)1234-5678",
        "03(1234)5678",
        "０３－１２３４－５６７８",
        "０３ー１２３４ー５６７８",
        "03ｰ1234ｰ5678",
        "03‐1234‐5678",
        "03–1234–5678",
        "03—1234—5678",
        "03−1234−5678",
        "03─1234─5678",
        "03〜1234〜5678",
        "03～1234～5678",
        "03~1234~5678",
        "０３（１２３４）５６７８",
        "０３　１２３４　５６７８",
        " \t03-1234-5678\n",
        "\u200b03-1234-5678\ufeff",
        "\u202a03-1234-5678\u202c",
        "03\u00ad1234\u00ad5678",
        "+81312345678",
        "＋８１３１２３４５６７８",
        "+81 3 1234 5678",
        "+81-3-1234-5678",
        "+81 (0)3-1234-5678",
        "+81(0)3-1234-5678",
        "+81 (0) 3 1234 5678",
        "+81 03-1234-5678",
        "81-3-1234-5678",
        "81312345678",
        "010-81-3-1234-5678",
        "tel:+81-3-1234-5678",
        "TEL 03-1234-5678",
        "電話：03-1234-5678",
        "03-1234-5678（代）",
        "03-1234-5678 (office)",
        "03-1234-5678 直通",
        "03-1234-5678［本社］",
    ],
)
def test_every_messy_spelling_is_the_same_number(typed: str) -> None:
    assert PhoneNumber.parse(typed) == YAMADA


@pytest.mark.parametrize(
    "extension",
    [" 内線12", "内線１２", "(内線12)", "（内線：12）", " 内12", " ext. 12", " EXT12", " x12", "#12", " ;ext=12"],
)
def test_an_extension_is_kept_out_of_the_number(extension: str) -> None:
    assert PhoneNumber.parse(f"03-1234-5678{extension}") == YAMADA


@pytest.mark.parametrize(
    "typed",
    ["110", "119", "171", "117", "１１０", "+81110", "184", "*31#", "03-1234-567", "1234-5678", "12345678901234"],
)
def test_short_codes_and_typing_errors_are_refused(typed: str) -> None:
    assert PhoneNumber.find(typed) is None


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "なし",
        "山田 太郎",
        "taro@example.co.jp",
        "03-1234-5678 / 090-1234-5678",
        "+",
        "+999999999999",
        "0" * 41,
    ],
)
def test_what_is_no_number_is_refused_in_words_that_show_how_to_write_one(typed: str) -> None:
    with pytest.raises(NumberUnreadable, match="write it like 03-1234-5678"):
        PhoneNumber.parse(typed)


def test_a_number_without_country_code_is_of_the_given_region() -> None:
    assert PhoneNumber.parse("(212) 555-2671", "US") == PhoneNumber("+12125552671")
    assert PhoneNumber.parse("020 7946 0958", "GB") == PhoneNumber("+442079460958")


def test_a_number_with_a_plus_is_read_though_its_country_s_plan_is_newer_than_our_library() -> None:
    possible, not_valid = "+12001234567", phonenumbers.parse("+12001234567")
    assert not phonenumbers.is_valid_number(not_valid)
    assert PhoneNumber.find(possible) == PhoneNumber(possible)
    assert PhoneNumber.find(possible.removeprefix("+1"), "US") is None


@given(
    st.text() | st.text("0123456789０１２３-ー()（） +内線ext.#/[]", max_size=LONGEST_TEXT), st.sampled_from(REGIONS)
)
def test_any_text_is_a_number_or_unreadable_and_nothing_else(text: str, region: str) -> None:
    try:
        number = PhoneNumber.parse(text, region)
    except NumberUnreadable:
        assert PhoneNumber.find(text, region) is None
    else:
        assert re.fullmatch(r"\+[1-9]\d{6,16}", number.e164, re.ASCII)


@pytest.mark.parametrize("padding", [" ", "(", "あ", "１", "( ", "\u200b"])
def test_a_text_of_a_megabyte_is_refused_before_it_is_searched(padding: str) -> None:
    """The remark's pattern looks from every space to the end: without the limit this test would not come back."""
    assert PhoneNumber.find(f"03-1234-5678{padding * 500_000}x") is None


# ── spelling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(valid_numbers())
def test_every_spelling_reads_back_as_the_same_number_and_none_comes_twice(drawn: tuple[str, PhoneNumber]) -> None:
    region, number = drawn
    spellings = number.spellings()
    assert {spelling: PhoneNumber.find(spelling, region) for spelling in spellings} == dict.fromkeys(spellings, number)
    assert len(set(spellings)) == len(spellings) <= 70
    assert spellings[:2] == (number.national_digits, number.e164)


def test_a_free_number_that_begins_with_zeros_keeps_them_abroad() -> None:
    """+81 00…: the zeros belong to the number; the library counts them apart."""
    number = PhoneNumber("+810066390910")
    assert all(PhoneNumber.find(spelling) == number for spelling in number.spellings())


@pytest.mark.parametrize(
    "typed",
    [
        "09012345678",
        "090-1234-5678",
        "090(1234)5678",
        "(090)1234-5678",
        "090 1234 5678",
        "090.1234.5678",
        "０９０－１２３４－５６７８",
        "０９０ー１２３４ー５６７８",
        "０９０１２３４５６７８",
        "+819012345678",
        "819012345678",
        "+81 90-1234-5678",
        "+81-90-1234-5678",
        "+81 (0)90-1234-5678",
    ],
)
def test_a_mobile_number_is_searched_in_every_usual_spelling(typed: str) -> None:
    assert typed in TARO.spellings()


@pytest.mark.parametrize("typed", ["03-1234-5678", "031-234-5678", "0312-34-5678", "0312-345-678"])
def test_hyphens_are_also_searched_where_people_put_them_wrongly(typed: str) -> None:
    assert typed in YAMADA.spellings()


# ── what stands in From ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("said", [*sorted(WITHHELD_WORDS), *sorted(KEYPAD_WORDS), "Anonymous", " RESTRICTED ", None])
def test_a_withheld_caller_has_no_number_to_look_up(said: str | None) -> None:
    caller = read_caller(said)
    assert (caller.kind, caller.number) == (CallerKind.WITHHELD, None)


@pytest.mark.parametrize(
    "said",
    [
        "client:agent_1",
        "sip:taro@example.co.jp",
        "+811045000",
        "110",
        "²²²²²²²²²²",
        "+",
        "おれ",
        "090-1234-5678 x",
        "9" * 300,
    ],
)
def test_what_cannot_be_read_is_kept_raw_and_has_no_number(said: str) -> None:
    caller = read_caller(said)
    assert (caller.kind, caller.number, caller.raw) == (CallerKind.UNREADABLE, None, said)


@pytest.mark.parametrize("said", ["+819012345678", "09012345678", "819012345678", " +819012345678 "])
def test_a_caller_with_a_number_is_known_by_it(said: str) -> None:
    caller = read_caller(said)
    assert (caller.kind, caller.number, caller.raw) == (CallerKind.NUMBER, TARO.e164, said.strip())


@given(st.none() | st.text())
def test_a_caller_has_a_number_exactly_when_there_is_one_to_go_by(said: str | None) -> None:
    caller = read_caller(said)
    assert (caller.number is not None) == (caller.kind is CallerKind.NUMBER)


# ── showing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.text("0123456789０９+- ()", max_size=25))
def test_a_masked_number_never_shows_more_than_half_of_its_digits(text: str) -> None:
    digits = sum(map(str.isdigit, text))
    shown = sum(map(str.isdigit, mask(text)))
    assert shown <= digits / 2
    assert len(mask(text)) == len(text)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+819012345678", "+81******5678"),
        ("090-1234-5678", "0**-****-5678"),
        ("1234567", "****567"),
        ("123456", "******"),
        ("", ""),
    ],
)
def test_a_masked_number_can_still_be_told_from_another(number: str, masked: str) -> None:
    assert mask(number) == masked


def test_a_number_is_shown_as_at_home_or_as_from_abroad() -> None:
    assert TARO.display() == "090-1234-5678"
    assert TARO.display("US") == "+81 90-1234-5678"
    assert PhoneNumber("+14155552671").display() == "+1 415-555-2671"
    assert str(TARO) == "+819012345678"
    assert TARO.national_digits == "09012345678"


@pytest.mark.parametrize(
    ("number", "ja", "en"),
    [
        ("+81312345678", "東京", "Tokyo"),
        ("+819012345678", "携帯電話", "Mobile"),
        ("+81120123456", "フリーダイヤル", "Toll-free"),
        ("+815012345678", "IP電話", "IP phone"),
        ("+81570123456", "ナビダイヤル", "Shared cost"),
        ("+812012345678", "", ""),
        ("+81990123456", "有料情報サービス", "Premium rate"),
        ("+14155552671", "アメリカ合衆国", "United States"),
        ("+442079460958", "イギリス", "United Kingdom"),
    ],
)
def test_a_card_says_where_the_number_belongs(number: str, ja: str, en: str) -> None:
    places = PhoneNumber(number)
    assert (places.place("ja"), places.place("en")) == (ja, en)


def test_a_number_of_no_country_belongs_nowhere() -> None:
    satellite = PhoneNumber("+870773111632")
    assert (satellite.country, satellite.place("ja"), satellite.dearly_charged) == ("001", "", False)


@pytest.mark.parametrize("number", ["+81570123456", "+81990123456", "+19002345678", "+448431234567"])
def test_premium_and_shared_cost_numbers_are_dearly_charged(number: str) -> None:
    assert PhoneNumber(number).dearly_charged


@pytest.mark.parametrize("number", ["+81312345678", "+819012345678", "+81120123456", "+14155552671"])
def test_ordinary_numbers_are_not(number: str) -> None:
    assert not PhoneNumber(number).dearly_charged


def test_equal_numbers_are_equal_however_typed() -> None:
    typed = ["０９０ー１２３４ー５６７８", "+81 (0)90-1234-5678", "090 1234 5678"]
    assert {PhoneNumber.parse(text) for text in typed} == {TARO}
