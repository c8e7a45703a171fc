"""How settings are read and how their mistakes are explained: shared by the bridge's own and by every connector's.

What the bridge's settings are is ``settings``; a connector's stand in its own module, as a subclass of ``Environment``.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, ClassVar, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import NoDecode

from cti_bridge.errors import SettingsError
from cti_bridge.model import Language


def _split(value: object) -> object:
    return [part for part in re.split(r"[,\s]+", value) if part] if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]


class Mend(ValueError):
    """What is wrong with a setting and how to mend it, for an administrator, in both languages."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(en)
        self._words: dict[Language, str] = {"ja": ja, "en": en}

    def words(self, language: Language) -> str:
        return self._words[language]


class Environment(BaseModel):
    """A connector's settings, read from texts. Subclass it; each field's alias is its name in the environment.

    ::

        class MyCrmSettings(Environment):
            documented_in = {"ja": "docs/mycrm.ja.md", "en": "docs/mycrm.md"}

            url: str = Field(alias="MYCRM_URL")

    Validators raise ``Mend`` with both languages. Fields that hold secrets are ``SecretStr``, lists are ``Words``.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    documented_in: ClassVar[Mapping[Language, str]]
    """The page that tells what the settings mean, in each language."""

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Take the settings out of an environment; an empty text is as good as none.

        Raises SettingsError naming every setting that is missing or wrong, and the mend.
        """
        names = [field.alias for field in cls.model_fields.values() if field.alias]
        given = {name: values[name].strip() for name in names if values.get(name, "").strip()}
        try:
            return cls(**given)
        except ValidationError as problem:
            raise SettingsError(explain(problem, cls.documented_in)) from None


def administrators_language() -> Language:
    """The language of what is said before, or without, any settings: CTI_LANGUAGE, else the terminal's."""
    chosen = os.environ.get("CTI_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "ja" if chosen.lower().startswith("ja") else "en"


def on_this_machine(url: str) -> bool:
    """Whether the address is of this machine's loopback: ``http://127.0.0.1:5080``, ``http://localhost``."""
    parts = split_url(url)
    host = (parts.hostname if parts else None) or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def split_url(url: str) -> SplitResult | None:
    """The parts of an address; None when host or port cannot be read."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def explain(
    problem: ValidationError,
    documented_in: Mapping[Language, str],
    patterns: Mapping[str, Mapping[Language, str]] = MappingProxyType({}),
) -> str:
    """All that is wrong with the settings, in the administrator's language, a line for each.

    ``patterns`` says for a setting with a pattern what it should look like.
    """
    language = administrators_language()
    say = partial(_explain_one, language=language, documented_in=documented_in[language], patterns=patterns)
    found = [say(error) for error in problem.errors(include_input=False, include_url=False)]
    plural = "settings are" if len(found) > 1 else "setting is"
    heading = {
        "ja": f"起動できません。設定が{len(found)}件、足りないか正しくありません。",
        "en": f"The bridge cannot start: {len(found)} {plural} missing or wrong.",
    }[language]
    return "\n".join([heading, *found])


def _explain_one(
    error: ErrorDetails, *, language: Language, documented_in: str, patterns: Mapping[str, Mapping[Language, str]]
) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    reason = error.get("ctx", {}).get("error")
    if isinstance(reason, Mend):
        what = reason.words(language)
    else:
        table = patterns.get(name) if error["type"] == "string_pattern_mismatch" else _WORDS.get(error["type"])
        allowed = str(error.get("ctx", {}).get("expected", "")).replace("'", "")
        if language == "ja":
            allowed = allowed.replace(" or ", "、").replace(", ", "、")
        words = table[language] if table else error["msg"].removeprefix("Value error, ")
        what = words.format(page=documented_in, allowed=allowed) if table else words
    end = "。" if language == "ja" else "."
    return f"  {name}: {what}{end}" if name else f"  {what}{end}"


_WORDS: dict[str, dict[Language, str]] = {
    "missing": {
        "ja": "設定されていません。意味と調べ方は {page} をご覧ください",
        "en": "is not set; see {page} for what it means and where to find it",
    },
    "too_short": {
        "ja": "空です。{page} をご覧ください",
        "en": "is set but empty; see {page}",
    },
    "literal_error": {"ja": "次のどれかにしてください: {allowed}", "en": "must be {allowed}"},
    "bool_parsing": {"ja": "yes か no にしてください", "en": "must be yes or no"},
    "int_parsing": {"ja": "整数にしてください", "en": "must be a whole number"},
    "float_parsing": {"ja": "数値にしてください", "en": "must be a number"},
}
