"""The pages for Salesforce's administrators say what the code does: every setting and option, alike in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from pydantic_core import PydanticUndefined

from cti_bridge.cli import main
from cti_bridge.cli.salesforce import ALIAS, PAGE
from cti_bridge.cli.salesforce_files import SOURCE
from cti_bridge.connectors.salesforce import checkup
from cti_bridge.connectors.salesforce.settings import CALL_FACTS, SalesforceSettings

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["salesforce.md", "salesforce.ja.md"]
ROW = re.compile(r"^\| `(SALESFORCE_[A-Z_]+)` \| (.+?) \| (.*?) \| ?(.*?) ?\|$", re.MULTILINE)


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return (DOCS / str(request.param)).read_text("utf-8")


def rows(page: str) -> dict[str, tuple[str, str, str]]:
    """The settings table: name → meaning, default, example."""
    found = [(name, (meaning, default, example)) for name, meaning, default, example in ROW.findall(page)]
    assert len(dict(found)) == len(found), "a setting stands in the table twice"
    return dict(found)


def test_the_table_has_every_setting_and_no_other(page: str) -> None:
    names = [str(field.alias) for field in SalesforceSettings.model_fields.values()]
    assert list(rows(page)) == names, "in the order of the settings class"
    assert all(meaning for meaning, _, _ in rows(page).values())


def test_the_table_tells_the_true_defaults(page: str) -> None:
    table = rows(page)
    for field in SalesforceSettings.model_fields.values():
        default = table[str(field.alias)][1]
        if field.default is PydanticUndefined:
            assert default in ("**required**", "**必須**")
        elif field.default and not isinstance(field.default, tuple):
            shown = f"{field.default:g}" if isinstance(field.default, float) else field.default
            assert f"`{shown}`" in default
        else:
            assert default not in ("", "**required**", "**必須**")
    assert "`Account`" in table["SALESFORCE_COMPANY_OBJECTS"][1]


def test_every_example_is_one_that_the_settings_accept(page: str) -> None:
    app = {"SALESFORCE_MY_DOMAIN": "acme", "SALESFORCE_CONSUMER_KEY": "k", "SALESFORCE_CONSUMER_SECRET": "s"}
    for name, (_, _, example) in rows(page).items():
        for value in re.findall(r"`([^`]+)`", example):
            if "KEY" in name:  # a key is not for a page
                continue
            SalesforceSettings.read({**app, name: value})


def test_all_that_can_be_written_of_a_call_is_named(page: str) -> None:
    meaning = rows(page)["SALESFORCE_TASK_FIELDS"][0]
    assert set(re.findall(r"`([a-z_ ]+)`", meaning)[0].split()) == CALL_FACTS


def test_every_setting_that_the_page_speaks_of_exists(page: str) -> None:
    names = {str(field.alias) for field in SalesforceSettings.model_fields.values()}
    assert set(re.findall(r"SALESFORCE_[A-Z_]+[A-Z]", page)) <= names


def test_every_option_that_the_page_speaks_of_exists(page: str) -> None:
    group = main.commands["salesforce"]
    assert isinstance(group, click.Group)
    options = {
        word
        for command in group.commands.values()
        for parameter in command.params
        for word in (*parameter.opts, *parameter.secondary_opts)
    }
    deploying = {"--alias", "--instance-url", "--source-dir", "--target-org"}
    told = {word for word in re.findall(r"(?<![\w-])--[a-z][a-z-]+", page) if "BEGIN" not in word}
    assert told <= options | deploying
    assert {"--without-call-id", "--without-call-center", "--utility-bar", "--phone-fields", "--by-sharing"} <= told


def test_the_commands_of_the_page_are_those_that_are_printed(page: str) -> None:
    assert f"sf project deploy start --source-dir {SOURCE} --target-org {ALIAS}" in page
    assert f"sf org login web --alias {ALIAS} --instance-url " in page
    assert PAGE in page


def test_the_day_that_open_cti_ends_is_the_codes(page: str) -> None:
    end = checkup.OPEN_CTI_ENDS
    assert f"{end.day} {end:%B} {end.year}" in page or f"{end.year}年{end.month}月{end.day}日" in page


def test_links_within_the_page_lead_somewhere(page: str) -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    }
    for target in re.findall(r"\]\(#([^)]+)\)", page):
        assert target in headings, f"no heading makes #{target}"
    for file in re.findall(r"\]\((?!https?:|#)([^)#]+)", page):
        assert (DOCS / file).exists(), f"{file} is not there"


def test_both_languages_have_the_same_tables() -> None:
    english, japanese = ((DOCS / page).read_text("utf-8") for page in PAGES)
    assert [line.count("|") for line in english.splitlines() if line.startswith("| ")] == [
        line.count("|") for line in japanese.splitlines() if line.startswith("| ")
    ]
    assert english.count("(untried)") == japanese.count("（未確認）")
