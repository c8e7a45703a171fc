"""What stands in a log line: the call's id and what happened, and nobody's number."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cti_bridge import logbook
from cti_bridge.logbook import get_logger, mask_numbers
from tests.running import logging_to

CALL = "CA" + "0123456789abcdef" * 2


@pytest.fixture
def stream() -> Iterator[StringIO]:
    written = StringIO()
    with logging_to(written):
        yield written


def masked(value: object) -> Any:
    return mask_numbers(None, "", {"problem": value})["problem"]


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("+819012345678", "+81******5678"),
        ("The number +819012345678 is not verified.", "The number +81******5678 is not verified."),
        ("Not verified: +819012345678.", "Not verified: +81******5678."),
        ("call 090-1234-5678, or 03 1234 5678!", "call 0**-****-5678, or 0* **** 5678!"),
        ("(03)1234-5678", "(0*)****-5678"),
        ("０９０－１２３４－５６７８", "０**－****－５６７８"),
        ("０９０ー１２３４ー５６７８", "０**ー****ー５６７８"),
        ("?agent=2&number=%2B819012345678&x=1", "?agent=2&number=%2B81******5678&x=1"),
        ('{"From": "+819012345678"}', '{"From": "+81******5678"}'),
        ("tel:+819012345678", "tel:+81******5678"),
        ("+819012345678\n+819087654321", "+81******5678\n+81******4321"),
    ],
)
def test_a_number_in_any_text_is_masked(told: str, kept: str) -> None:
    assert masked(told) == kept


@pytest.mark.parametrize(
    "told",
    [
        CALL,
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "took 0.123456789012 s",
        "port 5432 at 127.0.0.1",
        "line 123",
        "error 21211",
        "",
        "山田",
    ],
)
def test_what_is_no_number_is_kept(told: str) -> None:
    assert masked(told) == told


def test_numbers_are_masked_however_deep_they_stand() -> None:
    error = ValueError("bad number +819012345678.")
    told = {"list": ["+819012345678"], "+819012345678": ("x", {"y": "+819012345678"}), "error": error}
    assert masked(told) == {
        "list": ["+81******5678"],
        "+81******5678": ["x", {"y": "+81******5678"}],
        "error": "ValueError",
    }


@pytest.mark.parametrize("value", [None, True, 7, 0.5])
def test_what_is_counted_stays_a_number(value: object) -> None:
    assert masked(value) is value


@settings(max_examples=50)
@given(
    st.from_regex(r"\+[1-9][0-9]{9,14}", fullmatch=True),
    st.sampled_from([" ", "", ".", ",", ": ", "=", "(", ")", "\n", "%2B"]),
)
def test_no_number_gets_through_whatever_stands_around_it(number: str, around: str) -> None:
    assert number[1:] not in masked(f"x {around}{number}{around} y")


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.text() | st.integers() | st.binary(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_any_value_can_be_logged(value: object) -> None:
    json.dumps(masked(value))


def test_a_line_is_json_with_the_call_s_id_whole(stream: StringIO) -> None:
    get_logger("cti_bridge.test").warning("signature_refused", call=CALL, to="+819012345678")
    [line] = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "signature_refused", "level": "warning", "call": CALL, "to": "+81******5678"}


def test_an_exception_is_told_by_its_kind_and_place_and_not_by_what_it_quotes(stream: StringIO) -> None:
    try:
        int("山田 太郎")
    except ValueError:
        get_logger("cti_bridge.test").exception("bug")
    line = json.loads(stream.getvalue())
    assert line["exception"].endswith("\nValueError")
    assert "test_logbook.py:" in line["exception"]
    assert 'int("' in line["exception"], "the code itself may be shown"


def test_what_is_less_than_the_level_is_not_written(stream: StringIO) -> None:
    logbook.configure(stream=stream, level=logging.WARNING)
    get_logger("cti_bridge.test").info("quiet")
    get_logger("cti_bridge.test").warning("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_japanese_is_written_as_japanese(stream: StringIO) -> None:
    get_logger("cti_bridge.test").info("note", mend="設定を確認してください")
    assert "設定を確認してください" in stream.getvalue()
