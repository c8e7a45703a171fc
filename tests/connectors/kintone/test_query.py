"""Texts in queries stay texts, and every plausible spelling is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_bridge.connectors.kintone.query import may_equal, one_of, quoted, storable
from cti_bridge.connectors.kintone.spellings import spellings
from cti_bridge.phone import PhoneNumber
from tests.fakes.kintone.query import Test, Text, parse


@given(st.text())
def test_any_text_comes_out_of_a_query_as_it_went_in(text: str) -> None:
    condition = parse(one_of("氏名", [text, "other"])).condition

    assert isinstance(condition, Test)
    assert condition.values == (Text(storable(text).replace("\r", "")), Text("other"))


def test_what_no_request_can_carry_is_left_out() -> None:
    assert storable("a\0b\ud800c\x7fd😀\n") == "abcd😀\n"
    assert quoted('a"b\\c\td') == '"a\\"b\\\\c\\td"'


@pytest.mark.parametrize(
    ("kind", "value", "asked"),
    [
        ("NUMBER", "12", True),
        ("NUMBER", "C-12", False),
        ("NUMBER", "１２", False),
        ("RECORD_NUMBER", "APP-12", True),
        ("RECORD_NUMBER", "x' or", False),
        ("SINGLE_LINE_TEXT", "C-12", True),
        ("SINGLE_LINE_TEXT", "", False),
    ],
)
def test_a_number_field_is_asked_for_numbers_only(kind: str, value: str, asked: bool) -> None:
    assert may_equal(kind, value) is asked


@pytest.mark.parametrize(
    ("e164", "typed"),
    [
        ("+81422123456", "0422-12-3456"),
        ("+81422123456", "0422‐12‐3456"),
        ("+81499821234", "04998-2-1234"),
        ("+81120123456", "0120-12-3456"),
        ("+81120123456", "0120−123−456"),
        ("+81312345678", "（03）1234-5678"),
        ("+81312345678", "０３（１２３４）５６７８"),
        ("+81312345678", "03ｰ1234ｰ5678"),
        ("+81312345678", "０３　１２３４　５６７８"),
        ("+81312345678", "＋８１－３－１２３４－５６７８"),
        ("+81312345678", "03 - 1234 - 5678"),
        ("+818012345678", "080―1234―5678"),
        ("+818012345678", "818012345678"),
        ("+442079460018", "010442079460018"),
        ("+442079460018", "010-44-20-7946-0018"),
        ("+442079460018", "+44 20 7946 0018"),
    ],
)
def test_people_in_japan_write_it_like_this_and_it_is_asked_for(e164: str, typed: str) -> None:
    assert typed in spellings(PhoneNumber(e164)), f"{typed} would not be found"


@given(st.integers(10_000_000, 99_999_999))
def test_every_spelling_reads_as_the_number_and_a_query_of_three_fields_stays_short(digits: int) -> None:
    number = PhoneNumber(f"+8190{digits}")

    spelt = spellings(number)

    assert len(set(spelt)) == len(spelt)
    assert {PhoneNumber.find(text) for text in spelt} == {number}
    assert len(" or ".join([one_of("電話番号", spelt)] * 3)) < 16_000
