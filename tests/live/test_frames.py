"""The example frames that the widget is drawn from are frames of the protocol, and so is every kind of them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.running import SCHEMA, mistakes_in

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures" / "frames").glob("*.json"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_example_is_a_frame_of_the_protocol(path: Path) -> None:
    assert mistakes_in(json.loads(path.read_text("utf-8"))) == []


def test_there_is_an_example_of_every_type_of_frame() -> None:
    shown = {json.loads(path.read_text("utf-8"))["type"] for path in FIXTURES}
    assert shown == {"hello", "snapshot", "call", "presence", "missed", "health", "error"}


def test_the_schema_itself_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_frame_with_a_member_missing_or_wrong_is_noticed() -> None:
    assert mistakes_in({"v": 1, "type": "health", "health": {"phone": "ok", "crm": "ok", "unsent": 0}})
    assert mistakes_in({"v": 2, "type": "missed", "missed": []})
