"""A connector's settings: read from texts, explained in the administrator's language."""

from __future__ import annotations

from typing import ClassVar, Literal

import pytest
from pydantic import Field, SecretStr, field_validator

from cti_bridge.environment import Environment, Mend, Words
from cti_bridge.errors import SettingsError
from cti_bridge.model import Language


class CrmSettings(Environment):
    documented_in: ClassVar[dict[Language, str]] = {"ja": "docs/crm.ja.md", "en": "docs/crm.md"}

    url: str = Field(alias="CRM_URL")
    secret: SecretStr = Field(SecretStr(""), alias="CRM_SECRET")
    fields: Words = Field((), alias="CRM_FIELDS")
    search: Literal["exact", "words"] = Field("exact", alias="CRM_SEARCH")
    pages: int = Field(5, alias="CRM_PAGES", ge=1)

    @field_validator("url")
    @classmethod
    def _read_url(cls, value: str) -> str:
        if not value.startswith("https://"):
            raise Mend("httpsで始めてください", "begin with https")
        return value


GOOD = {"CRM_URL": " https://crm.example ", "CRM_FIELDS": "Phone, MobilePhone Fax", "CRM_SECRET": "s3cret"}


def test_settings_are_read_from_texts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_PAGES", "9")
    found = CrmSettings.read({**GOOD, "CRM_SEARCH": "", "PATH": "/bin"})
    assert (found.url, found.fields) == ("https://crm.example", ("Phone", "MobilePhone", "Fax"))
    assert (found.search, found.pages) == ("exact", 5), (
        "an empty text is as good as none; the process's are not looked at"
    )
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            [
                "The bridge cannot start: 3 settings are missing or wrong.",
                "  CRM_URL: begin with https.",
                "  CRM_SEARCH: must be exact or words.",
                "  CRM_PAGES: must be a whole number.",
            ],
        ),
        (
            "ja",
            [
                "起動できません。設定が3件、足りないか正しくありません。",
                "  CRM_URL: httpsで始めてください。",
                "  CRM_SEARCH: 次のどれかにしてください: exact、words。",
                "  CRM_PAGES: 整数にしてください。",
            ],
        ),
    ],
)
def test_every_mistake_is_told_at_once_with_its_mend(
    language: str, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    with pytest.raises(SettingsError) as refused:
        CrmSettings.read({"CRM_URL": "http://crm", "CRM_SEARCH": "fuzzy", "CRM_PAGES": "many"})
    assert str(refused.value).splitlines() == lines


def test_what_is_missing_names_the_page_that_explains_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", "en")
    with pytest.raises(SettingsError, match=r"CRM_URL: is not set; see docs/crm\.md"):
        CrmSettings.read({})
