"""The CRM and the check-up from the command line."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Terminal

LIST = "氏名,会社名,携帯\n山田 太郎,山田商事,０９０ー１２３４ー５６７８\n,,\n鈴木 花子,鈴木商店,電話なし\n"


def test_a_customer_list_goes_in_is_found_and_comes_out_again(terminal: Terminal) -> None:
    source, target = terminal.folder / "customers.csv", terminal.folder / "out.csv"
    source.write_text(LIST, "utf-8")

    said = terminal.run("connector", "import", str(source))
    assert "2 added" in said
    assert "row 4" in said

    found = terminal.run("connector", "find", "090-1234-5678")
    assert "matches 1" in found
    assert "山田 太郎" in found
    assert "Mobile “０９０ー１２３４ー５６７８”" in found

    assert "2 unchanged" in terminal.run("connector", "import", str(source)), "safe to repeat"
    assert "Wrote 2 customers" in terminal.run("connector", "export", str(target))
    assert "山田 太郎" in target.read_text("utf-8-sig")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_file_that_is_no_list_is_refused_in_the_administrators_language(
    terminal: Terminal, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    picture = terminal.folder / "picture.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")

    said = terminal.run("connector", "import", str(picture), code=1)
    assert any("ぁ" <= letter <= "ん" for letter in said) == (language == "ja")


def test_what_is_no_number_is_not_looked_for(terminal: Terminal) -> None:
    assert "is not a telephone number" in terminal.run("connector", "find", "hello", code=1)


def test_the_crm_is_checked(terminal: Terminal) -> None:
    assert "connector import" in terminal.run("connector", "check")


def test_doctor_names_every_setting_that_is_missing(empty_terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWILIO_AUTH_TOKEN")
    monkeypatch.setenv("CTI_SECRET_KEY", "short")

    said = empty_terminal.run("doctor", code=1)
    assert "TWILIO_AUTH_TOKEN" in said
    assert "CTI_SECRET_KEY" in said


def test_doctor_leads_from_no_tables_to_a_line_that_rings(empty_terminal: Terminal) -> None:
    assert "cti-bridge migrate" in empty_terminal.run("doctor", code=1)
    empty_terminal.run("migrate")
    assert "cti-bridge lines add" in empty_terminal.run("doctor", code=1)
    empty_terminal.run("lines", "add", "050-3123-4567", "--name", "Main")
    assert "rings nobody" in empty_terminal.run("doctor", code=1)
    empty_terminal.run(
        "agents", "add", "a@b.co", "--name", "A", "--phone", "090-1234-5678", "--password", "long enough 1"
    )
    empty_terminal.run("lines", "ring", "050-3123-4567", "a@b.co")
    assert "rings 1" in empty_terminal.run("doctor")


def test_doctor_says_when_the_database_is_not_there(empty_terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{empty_terminal.folder}/missing/folder/bridge.db")
    assert "cannot be reached" in empty_terminal.run("doctor", code=1)


def test_an_unknown_connector_is_answered_with_the_known_ones(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTI_CONNECTOR", "salesfarce")
    assert "Installed: demo, kintone, local, salesforce" in terminal.run("doctor", code=1)
