"""A number in any text, however it is written, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_bridge.phone import PhoneNumber
from cti_bridge.store.personal.mentions import Mentions

TARO = PhoneNumber("+819012345678")
NUMBERS = [
    TARO,
    *map(
        PhoneNumber, ("+81312345678", "+81120123456", "+14155552671", "+442071838750", "+390612345678", "+6591234567")
    ),
]


@pytest.mark.parametrize("number", NUMBERS, ids=str)
def test_every_spelling_is_found_and_struck_out_whole(number: PhoneNumber) -> None:
    mentions = Mentions(number)
    for spelling in number.spellings():
        text = f"折り返し先は{spelling}です。"
        assert text in mentions, spelling
        assert mentions.struck_out(text, "***") == "折り返し先は***です。", spelling


@pytest.mark.parametrize(
    "text",
    [
        "+81 (0)90-1234-5678",
        "%2B819012345678",
        "0081 90 1234 5678",
        "８１９０１２３４５６７８",
        "（０９０）１２３４ー５６７８",
        '{"From": "+819012345678"}',
        "sip:+819012345678@example.com",
        "090 . 1234 . 5678",
    ],
)
def test_what_machines_and_people_make_of_it_is_found(text: str) -> None:
    assert text in Mentions(TARO)
    assert "5678" not in Mentions(TARO).struck_out(text, "***")


@pytest.mark.parametrize(
    "text", ["0909012345678", "090123456789", "190123456789", "090-1234-5679", "03-1234-5678", "", "2026-11-22"]
)
def test_another_number_is_left_alone(text: str) -> None:
    assert text not in Mentions(TARO)
    assert Mentions(TARO).struck_out(text, "***") == text


@given(st.text(), st.text())
def test_whatever_stands_around_it_stays(before: str, after: str) -> None:
    if before[-1:].isdigit() or after[:1].isdigit():
        return  # then it is part of a longer number
    struck = Mentions(TARO).struck_out(f"{before}a 090-1234-5678 b{after}", "***")
    assert struck == f"{before}a *** b{after}"


def test_a_json_is_struck_out_however_deep() -> None:
    told = {"numbers": [{"text": "090-1234-5678"}, {"text": "03-1234-5678"}], "n": 1, "x": None, "+819012345678": True}
    struck = {"numbers": [{"text": "***"}, {"text": "03-1234-5678"}], "n": 1, "x": None, "***": True}
    assert Mentions(TARO).struck_out(told, "***") == struck


def test_an_excerpt_shows_a_little_of_what_stands_around() -> None:
    text = "あ" * 100 + "090-1234-5678" + "い" * 100
    assert Mentions(TARO).excerpts(text) == ["あ" * 40 + "090-1234-5678" + "い" * 40]
