"""From an empty call-log app to the first match, by the commands alone; and what ``doctor`` says of kintone on the way."""

from __future__ import annotations

import os
import re

import pytest

from cti_bridge.connector import Resources
from cti_bridge.connectors.kintone import KintoneConnector
from cti_bridge.model import Finding, Severity
from tests.cli.conftest import Terminal
from tests.fakes.kintone import FakeApp, FakeDomain


@pytest.fixture
def bridge(kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> FakeApp:
    """A customer app (1), a bridge set up with it by ``setup`` and ``map``; its call-log app is 2."""
    people = domain.app(
        "顧客",
        {"氏名": "SINGLE_LINE_TEXT", "電話番号": {"type": "LINK", "protocol": "CALL"}, "携帯": "SINGLE_LINE_TEXT"},
    )
    monkeypatch.setenv("CTI_CONNECTOR", "kintone")
    kintone.run("migrate")
    kintone.run("lines", "add", "050-3123-4567", "--name", "Main")
    kintone.run("agents", "add", "a@b.co", "--name", "A", "--phone", "090-1234-5678", "--password", "long enough 1")
    kintone.run("lines", "ring", "050-3123-4567", "a@b.co")
    kintone.run("kintone", "setup", "--yes")
    monkeypatch.setenv("KINTONE_TOKEN_1", people.token("view", "add", "edit"))
    monkeypatch.setenv("KINTONE_TOKEN_2", domain.apps[2].token("view", "add", "edit"))
    kintone.run("kintone", "map", "--app", "1", "--call-log", "2")
    return people


def findings() -> list[Finding]:
    connector = KintoneConnector.open(Resources(environment=os.environ))
    return connector.check()


def test_the_commands_lead_from_nothing_to_a_match(kintone: Terminal, bridge: FakeApp) -> None:
    bridge.add(氏名="山本 さくら", 携帯="０９０－１２３４－５６７９")

    assert "✗" not in kintone.run("doctor")
    said = kintone.run("connector", "find", "090-1234-5679")
    assert "matches 1" in said
    assert "1:1  山本 さくら" in said
    assert "携帯 “０９０－１２３４－５６７９”" in said


@pytest.mark.parametrize("language", ["ja", "en"])
def test_doctor_prints_every_finding_of_a_healthy_kintone(
    kintone: Terminal, bridge: FakeApp, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    said = kintone.run("doctor")
    _all_are_there(said, findings(), language)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_doctor_prints_every_finding_of_a_sick_kintone(
    kintone: Terminal, domain: FakeDomain, bridge: FakeApp, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    bridge.add(氏名="番号なし", 携帯="12-34")
    monkeypatch.setenv("KINTONE_TOKEN_2", domain.apps[2].token("view"))
    file = kintone.folder / "kintone.toml"
    file.write_text(file.read_text("utf-8").replace('subject = "', 'subject = "存在しない'), "utf-8")

    found = findings()
    assert {finding.severity for finding in found} >= {Severity.ERROR, Severity.WARNING}
    _all_are_there(kintone.run("doctor", code=1), found, language)
    assert "存在しない" in kintone.run("connector", "check", code=1)


def test_a_mapping_that_is_missing_is_told_with_the_command_that_makes_it(kintone: Terminal, bridge: FakeApp) -> None:
    (kintone.folder / "kintone.toml").unlink()
    assert "cti-bridge kintone map" in kintone.run("doctor", code=1)


def test_a_token_that_is_missing_is_named(kintone: Terminal, bridge: FakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KINTONE_TOKEN_2")
    assert "KINTONE_TOKEN_2" in kintone.run("doctor", code=1)


def test_a_kintone_that_does_not_answer_is_told(kintone: Terminal, domain: FakeDomain, bridge: FakeApp) -> None:
    with domain.trouble("maintenance"):
        assert "App 1 cannot be examined" in kintone.run("doctor", code=1)
        assert "did not answer" in kintone.run("connector", "find", "090-1234-5679", code=1)


def _all_are_there(said: str, found: list[Finding], language: str) -> None:
    """How many requests there were differs between the two check-ups, so digits are not compared."""
    plain = re.sub(r"\d", "0", said)
    for finding in found:
        words = finding.ja if language == "ja" else finding.en
        assert re.sub(r"\d", "0", words) in plain, f"doctor does not print: {words}"
