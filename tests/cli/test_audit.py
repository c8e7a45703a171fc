"""``connector audit``: the table on screen, masked; the CSV to fix, whole; what it costs; where it broke off."""

from __future__ import annotations

import csv
import stat

import pytest

from cti_bridge.connectors.local import LocalConnector
from cti_bridge.errors import ConnectorUnavailable
from tests.cli.conftest import Terminal
from tests.connectors.kintone.company import KintoneCompany
from tests.fakes.kintone import FakeDomain

LIST = """氏名,会社名,携帯,電話,自宅
山田 太郎,山田商事,０９０ー１２３４ー５６７８,03-6555-0100,
鈴木 花子,鈴木商店,電話なし,03-6555-0100,=1+1
佐藤 次郎,佐藤商店,090-1234-567,03-6555-0100 / 03-6555-0101,
無口 静,静かな店,,,
"""


@pytest.fixture
def office(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """The embedded CRM with four customers, of whom three have numbers."""
    source = terminal.folder / "customers.csv"
    source.write_text(LIST, "utf-8")
    terminal.run("connector", "import", str(source))
    return terminal


def rows(path: str) -> list[dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123
        return list(csv.DictReader(file))


def line_of(said: str, beginning: str) -> str:
    lines = [line for line in said.splitlines() if line.strip().startswith(beginning)]
    assert lines, f"the table has no line {beginning}: {said}"
    return lines[0]


def test_the_table_says_how_many_match_and_why_the_others_never_will(office: Terminal) -> None:
    said = office.run("connector", "audit")

    assert "3 contacts, 8 telephone numbers" in said
    assert line_of(said, "will match").split()[2:4] == ["5", "62.5%"]
    assert line_of(said, "never match").split()[2:4] == ["3", "37.5%"]
    assert line_of(said, "one digit missing").split()[3:5] == ["1", "12.5%"]
    assert "Numbers that several contacts share: 1" in said
    assert "█" in line_of(said, "will match")


def test_no_number_and_no_name_stands_whole_on_screen(office: Terminal) -> None:
    said = office.run("connector", "audit")

    assert "03-6555-0100" not in said
    assert "+81365550100" not in said
    assert "+8******0100" in said
    assert "山田" not in said


def test_the_csv_holds_what_is_to_be_fixed_whole_and_only_for_its_owner(office: Terminal) -> None:
    path = office.folder / "fix.csv"
    assert "delete it when you are done" in office.run("connector", "audit", "--csv", str(path))

    found = {row["As typed"]: row for row in rows(str(path))}
    assert found["電話なし"]["Problem"] == "no digits"
    assert (found["090-1234-567"]["Name"], found["090-1234-567"]["Field"]) == ("佐藤 次郎", "Mobile")
    assert "'=1+1" in found, "a spreadsheet must not take it for a formula"
    assert "shared by 3 contacts" in {row["Problem"] for row in rows(str(path))}, "whole, at the end"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_table_is_in_japanese_for_a_japanese_administrator(
    office: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", "ja")
    said = office.run("connector", "audit")
    assert "顧客 3 件、電話番号 8 件" in said
    assert line_of(said, "1桁足りない").split()[1:3] == ["1", "12.5%"]


def test_a_limit_looks_at_so_many(office: Terminal) -> None:
    assert "1 contacts" in office.run("connector", "audit", "--limit", "1")


def test_an_empty_crm_is_looked_over_at_once(terminal: Terminal) -> None:
    assert "0 contacts, 0 telephone numbers" in terminal.run("connector", "audit")


def test_a_file_that_cannot_be_written_is_told_before_anything_is_read(office: Terminal) -> None:
    assert "cannot be written" in office.run("connector", "audit", "--csv", "/no/such/folder/fix.csv", code=1)


def test_a_crm_that_breaks_off_shows_what_came_and_how_far_it_was(
    office: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = LocalConnector.walk

    def breaks_off(self: LocalConnector):  # type: ignore[no-untyped-def]
        yield next(walk(self))
        raise ConnectorUnavailable("The line was cut.")

    monkeypatch.setattr(LocalConnector, "walk", breaks_off)
    said = office.run("connector", "audit", code=1)
    assert "1 contacts, 2 telephone numbers" in said
    assert "It broke off after 1 of 3 contacts: The line was cut." in said


def test_what_it_costs_is_told_first_and_no_means_no(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeDomain() as domain:
        company = KintoneCompany(domain)
        for name, value in {**company.environment, "CTI_CONNECTOR": "kintone"}.items():
            monkeypatch.setenv(name, value)
        company.keep_person("山本 さくら", "080-0000-1223", "０８０ (0000) 1223")
        asked = len(domain.requests(company.people, api="records.json", method="GET"))

        said = terminal.run("connector", "audit", code=1, asks="n\n")
        assert "Up to 1 contacts, for up to 2 requests to the CRM" in said
        assert len(domain.requests(company.people, api="records.json", method="GET")) == asked + 1, "the survey's own"

        said = terminal.run("connector", "audit", asks="y\n")
        assert "1 contacts, 2 telephone numbers" in said
        assert "a spelling that this CRM cannot be asked for" in said
        assert "Go on?" not in terminal.run("connector", "audit", "--yes")
