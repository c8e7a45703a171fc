"""The pages for kintone's administrators say what the code does: every setting, key and option, alike in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from cti_bridge.cli import main
from cti_bridge.connectors.kintone.mapping import CallLogApp, CustomerApp, Join, LogFields, RelatedApp
from cti_bridge.connectors.kintone.settings import KintoneSettings
from cti_bridge.connectors.kintone.setup import explained
from cti_bridge.model import Language

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[Language, str] = {"en": "kintone.md", "ja": "kintone.ja.md"}
REQUIRED = {"en": "**required**", "ja": "**必須**"}
NONE = {"en": "none", "ja": "なし"}
SETTING = re.compile(r"^\| `((?:KINTONE|WEB)_[A-Z_]+)` \| (.+?) \| (.*?) \| ?(.*?) ?\|$", re.MULTILINE)
SECTIONS: dict[str, tuple[type[BaseModel], dict[str, explained.Words]]] = {
    "[[customers]]": (CustomerApp, explained.CUSTOMERS),
    "[call_log.fields]": (LogFields, explained.FIELDS),
    "[[related]]": (RelatedApp, explained.RELATED),
}


def page(language: Language) -> str:
    return (DOCS / PAGES[language]).read_text("utf-8")


def shown(default: object, language: Language) -> str:
    """A default as the tables write it."""
    if default is PydanticUndefined:
        return REQUIRED[language]
    if default in (None, "", ()):
        return NONE[language]
    plain = getattr(default, "value", default)
    return f"`{plain:g}`" if isinstance(plain, float) else f"`{plain}`"


def table_after(text: str, heading: str) -> list[list[str]]:
    """The first table behind a heading, without its head."""
    rows = text[text.index(heading) :].partition("\n| --- ")[2].partition("\n")[2].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


@pytest.mark.parametrize("language", PAGES)
def test_the_settings_table_is_complete_and_tells_the_true_defaults(language: Language) -> None:
    rows = SETTING.findall(page(language))
    fields = list(KintoneSettings.model_fields.values())
    assert [name for name, *_ in rows] == [field.alias for field in fields], "in the order of the settings class"
    for (name, meaning, default, _), field in zip(rows, fields, strict=True):
        wanted = "`no`" if field.default is False else shown(field.default, language)
        assert default == wanted, f"{name} is {wanted} by default"
        assert meaning


@pytest.mark.parametrize("language", PAGES)
def test_every_example_is_one_that_the_settings_accept(language: Language) -> None:
    for name, _, _, example in SETTING.findall(page(language)):
        for value in re.findall(r"`([^`]+)`", example):
            KintoneSettings.read({"KINTONE_BASE_URL": "https://acme.cybozu.com", name: value})


@pytest.mark.parametrize("language", PAGES)
@pytest.mark.parametrize("section", SECTIONS)
def test_the_mappings_tables_say_what_a_drafts_comments_say(language: Language, section: str) -> None:
    model, words = SECTIONS[section]
    rows = table_after(page(language), f"### {section}")
    assert rows == [[f"`{key}`", said.say(language), _default(model, key, language)] for key, said in words.items()], (
        f"the table of {section} lags behind"
    )


@pytest.mark.parametrize("language", PAGES)
def test_the_tables_of_the_call_log_and_of_a_join_are_complete(language: Language) -> None:
    text = page(language)
    calls = [row[0].strip("`") for row in table_after(text, "### [call_log]")]
    assert calls == [*explained.APP, "[call_log.fields]", "[call_log.agents]", "[call_log.words]"]
    assert set(CallLogApp.model_fields) == {*explained.APP, "fields", "agents", "words"}
    start = {"en": "Within `join`:", "ja": "`join` の中身："}[language]
    assert [row[:2] for row in table_after(text, start)] == [
        [f"`{key}`", explained.JOIN[key].say(language)] for key in Join.model_fields
    ]


@pytest.mark.parametrize("language", PAGES)
def test_every_option_of_the_commands_is_told(language: Language) -> None:
    group = main.commands["kintone"]
    assert isinstance(group, click.Group)
    for command in group.commands.values():
        for parameter in command.params:
            for option in parameter.opts:
                assert option in page(language), f"{option} of cti-bridge kintone {command.name} is not told"


@pytest.mark.parametrize("language", PAGES)
def test_every_command_on_the_page_exists(language: Language) -> None:
    called = re.findall(r"cti-bridge ([a-z]+(?: [a-z]+)?)", page(language))
    assert len(called) > 10
    for words in called:
        name, _, rest = words.partition(" ")
        command = main.commands.get(name)
        assert command is not None, f"cti-bridge {words}"
        if isinstance(command, click.Group) and rest:
            assert rest in command.commands, f"cti-bridge {words}"


def test_both_pages_have_the_same_chapters() -> None:
    levels = {language: re.findall(r"^(#+) ", page(language), re.MULTILINE) for language in PAGES}
    assert levels["en"] == levels["ja"]


@pytest.mark.parametrize("language", PAGES)
def test_links_within_the_page_lead_somewhere(language: Language) -> None:
    text = page(language)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for link in re.findall(r"\]\(#([^)]+)\)", text):
        assert link in anchors, f"#{link} is no heading"


def _default(model: type[BaseModel], key: str, language: Language) -> str:
    default = model.model_fields[key].default
    return f"`{str(default).lower()}`" if isinstance(default, bool) else shown(default, language)
