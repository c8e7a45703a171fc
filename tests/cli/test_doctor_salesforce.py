"""The check-up and the trial look-up through the commands, with Salesforce behind them: every finding, both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from cti_bridge.connector import Resources
from cti_bridge.connectors.salesforce import SalesforceConnector, checkup
from cti_bridge.model import Finding
from tests.cli.conftest import Terminal
from tests.fakes.salesforce import FakeOrg, Kind

KEY, SECRET = "3MVG9-key", "fake-consumer-secret"
PUBLIC_URL = "https://cti.example.co.jp"
JAPANESE = re.compile(r"[ぁ-んァ-ヶ]")
ENDS = {"ja": "2028年2月28日", "en": "28 February 2028"}


@pytest.fixture(params=["ja", "en"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CTI_LANGUAGE", str(request.param))
    return str(request.param)


@pytest.fixture
def org(language: str) -> Iterator[FakeOrg]:
    with FakeOrg(language="ja" if language == "ja" else "en_US") as org:
        org.connected_app(KEY, secret=SECRET)
        yield org


@pytest.fixture
def office(terminal: Terminal, org: FakeOrg, language: str, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A bridge that is well in all else: one line that rings one agent; Salesforce as its CRM."""
    monkeypatch.setattr(checkup, "OPEN_CTI_ENDS", date.max)  # these tests outlive Open CTI
    for name, value in environment(org).items():
        monkeypatch.setenv(name, value)
    agent = ("--phone", "090-1234-5678", "--password", "long enough 1")
    terminal.run("agents", "add", "sato@example.co.jp", "--name", "佐藤", *agent)
    terminal.run("lines", "add", "050-3123-4567", "--name", "Main", "--ring", "sato@example.co.jp")
    return terminal


def environment(org: FakeOrg) -> dict[str, str]:
    return {
        "CTI_CONNECTOR": "salesforce",
        "SALESFORCE_MY_DOMAIN": "acme",
        "SALESFORCE_CONSUMER_KEY": KEY,
        "SALESFORCE_CONSUMER_SECRET": SECRET,
        "SALESFORCE_INSTANCE_URL": org.url,
    }


def expected(org: FakeOrg, language: str) -> list[tuple[str, str]]:
    """What the connector itself finds: subjects and words, requests left out, whose count goes up by asking."""
    connector = SalesforceConnector.open(Resources({**environment(org), "CTI_PUBLIC_URL": PUBLIC_URL}))
    return [
        (finding.subject, _words(finding, language)) for finding in connector.check() if finding.subject != "requests"
    ]


def _words(finding: Finding, language: str) -> str:
    return finding.ja if language == "ja" else finding.en


def line_of(said: str, subject: str) -> str:
    lines = [line for line in said.splitlines() if f" {subject}: " in line]
    assert lines, f"doctor says nothing of {subject}: {said}"
    return lines[0]


def test_doctor_prints_every_finding_in_the_administrators_language(
    office: Terminal, org: FakeOrg, language: str
) -> None:
    said = office.run("doctor")
    findings = expected(org, language)
    assert {"sign-in", "api-version", "Contact", "Account", "Lead", "call-id", "status", "call-centre"} <= {
        subject for subject, _ in findings
    }
    for subject, words in findings:
        assert f" {subject}: {words}" in said
    assert "15,000" in line_of(said, "requests")
    assert all(bool(JAPANESE.search(words)) == (language == "ja") for _, words in findings)


def test_doctor_says_which_surface_this_org_can_use_and_until_when(
    office: Terminal, org: FakeOrg, language: str
) -> None:
    without = line_of(office.run("doctor"), "call-centre")
    assert without.startswith("!")
    assert "cti-bridge salesforce call-center" in without
    assert ENDS[language] in without

    org.insert("CallCenter", Name="CTI Bridge", AdapterUrl=f"{PUBLIC_URL}/widgets/salesforce")
    found = line_of(office.run("doctor"), "call-centre")
    assert found.startswith("✓")
    assert ENDS[language] in found

    org.rights.hide_object("CallCenter")
    plain = line_of(office.run("doctor"), "call-centre")
    assert plain.startswith("!")
    assert ("ユーティリティバー" if language == "ja" else "utility bar") in plain


def test_doctor_fails_when_something_must_be_mended(office: Terminal, org: FakeOrg) -> None:
    org.rights.forbid_create("Task")
    assert line_of(office.run("doctor", code=1), "Task").startswith("✗")
    assert office.run("connector", "check", code=1)


@pytest.mark.parametrize("kind", [Kind.DOWN, Kind.LIMIT])
def test_doctor_tells_of_an_org_that_does_not_answer(office: Terminal, org: FakeOrg, kind: Kind, language: str) -> None:
    with org.trouble(kind, times=None):
        said = line_of(office.run("doctor", code=1), "salesforce")
    assert bool(JAPANESE.search(said)) or language == "en"


def test_doctor_names_the_secret_that_is_wrong_and_never_prints_one(
    office: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESFORCE_CONSUMER_SECRET", "somebody-elses-secret")
    said = office.run("doctor", code=1)
    assert "SALESFORCE_CONSUMER_SECRET" in said
    assert "somebody-elses-secret" not in said


def test_doctor_names_every_missing_setting_of_salesforces(
    office: Terminal, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    for name in ("SALESFORCE_MY_DOMAIN", "SALESFORCE_CONSUMER_KEY"):
        monkeypatch.delenv(name)
    said = office.run("doctor", code=1)
    assert "SALESFORCE_MY_DOMAIN" in said
    assert "SALESFORCE_CONSUMER_KEY" in said
    assert ("docs/salesforce.ja.md" if language == "ja" else "docs/salesforce.md") in said


def test_doctor_tells_of_a_clock_that_would_break_the_sign_in(office: Terminal, org: FakeOrg) -> None:
    org.clock_skew = timedelta(minutes=7)
    assert line_of(office.run("doctor"), "clock").startswith("!")


def test_a_number_is_tried_before_anybody_calls(office: Terminal, org: FakeOrg, language: str) -> None:
    org.insert("Contact", LastName="山田", FirstName="太郎", MobilePhone="０９０ー１２３４ー５６７８")
    org.insert("Contact", LastName="鈴木", FirstName="花子", MobilePhone="090-9999-9999")

    said = office.run("connector", "find", "090-1234-5678")
    assert "山田" in said
    assert "鈴木" not in said
    assert f"{'携帯' if language == 'ja' else 'Mobile'} “０９０ー１２３４ー５６７８”" in said
    assert ("一致: 1 件" if language == "ja" else "matches 1") in said


def test_a_trial_against_an_org_that_is_down_says_so(office: Terminal, org: FakeOrg, language: str) -> None:
    with org.trouble(Kind.DOWN, times=None):
        said = office.run("connector", "find", "090-1234-5678", code=1)
    assert ("CRMが応答しません" if language == "ja" else "The CRM did not answer") in said
