"""How mistakes in a mapping are explained to the administrator who wrote it: which key, what is wrong, the mend."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cti_bridge.environment import Mend
from cti_bridge.model import Language


def explain_mapping(problem: ValidationError, source: str, mapping: type[BaseModel], language: Language) -> str:
    """All that is wrong with the mapping, a line for each key: ``customers[2].phone: …``."""
    errors = problem.errors(include_input=False, include_url=False)
    places = [error["loc"] for error in errors]
    # a list whose only entry is wrong is called empty as well
    errors = [e for e in errors if e["type"] != "too_short" or not any(_within(place, e["loc"]) for place in places)]
    heading = {
        "ja": f"対応表（{source}）に正しくないところが{len(errors)}件あります。",
        "en": f"The mapping ({source}) has {len(errors)} mistake{'s' if len(errors) > 1 else ''}.",
    }[language]
    end = {"ja": "。", "en": "."}[language]
    return "\n".join([heading, *(f"  {_place(e)}: {_what(e, mapping, language)}{end}" for e in errors)])


def explain_toml(problem: ValueError, source: str, language: Language) -> str:
    """Where a text stops being TOML. The line itself is not shown: a token may stand in it."""
    place = re.search(r"\(at (?:line (\d+), column (\d+)|end of document)\)", str(problem))
    ja, en = "", ""
    if place:
        line, column = place.groups()
        ja = f"{line}行目の{column}文字目で、" if line else "最後のところで、"
        en = f" in line {line}, at character {column}" if line else " at its end"
    hint_ja = '文字列は半角の " で囲み、= と空白も半角にしてください'
    hint_en = 'Put texts between plain " marks, and use plain = and spaces'
    return {
        "ja": f"{source}：{ja}TOMLとして読めなくなります。{hint_ja}（{problem}）。",
        "en": f"{source} is not TOML{en}. {hint_en} ({problem}).",
    }[language]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that this one was probably meant to be."""
    found = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return found[0] if found else None


def _place(error: ErrorDetails) -> str:
    place = ""
    for part in error["loc"]:
        place += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if place else part
    return place or "kintone"


def _within(place: tuple[int | str, ...], whole: tuple[int | str, ...]) -> bool:
    return len(place) > len(whole) and place[: len(whole)] == whole


def _what(error: ErrorDetails, mapping: type[BaseModel], language: Language) -> str:
    reason = error.get("ctx", {}).get("error")
    if isinstance(reason, Mend):
        return reason.words(language)
    if words := _HEADINGS.get((error["type"], error["loc"])):
        return words[0] if language == "ja" else words[1]
    if error["type"] == "extra_forbidden":
        close = nearest(str(error["loc"][-1]), _keys_at(error["loc"][:-1], mapping))
        ja, en = "この項目はありません", "there is no such key"
        return {
            "ja": ja + (f"。{close} のことでしょうか" if close else ""),
            "en": en + (f"; {close}?" if close else ""),
        }[language]
    ja, en = _WORDS.get(error["type"], (error["msg"], error["msg"]))
    return {"ja": ja, "en": en}[language].format(**error.get("ctx", {}))


_HEADINGS: dict[tuple[str, tuple[int | str, ...]], tuple[str, str]] = {
    ("tuple_type", ("customers",)): (
        "見出しは [[customers]] と、二重の [[ ]] にしてください",
        "write its heading with two brackets: [[customers]]",
    ),
    ("tuple_type", ("related",)): (
        "見出しは [[related]] と、二重の [[ ]] にしてください",
        "write its heading with two brackets: [[related]]",
    ),
    ("model_type", ("call_log",)): (
        "見出しは [call_log] と、一重の [ ] にしてください",
        "write its heading with one bracket: [call_log]",
    ),
}

_WORDS = {
    "missing": ("書かれていません", "is missing"),
    "too_short": ("空です", "is empty"),
    "too_long": ("多すぎます（{max_length}個まで）", "there are too many (at most {max_length})"),
    "int_type": ("整数を書いてください", "must be a whole number"),
    "int_from_float": ("整数を書いてください", "must be a whole number"),
    "int_parsing": ("整数を書いてください", "must be a whole number"),
    "greater_than_equal": ("{ge}以上にしてください", "must be {ge} or more"),
    "string_type": ("文字列を書いてください", "must be a text"),
    "tuple_type": ("[ ] で囲んで並べてください", "must be a list in [ ]"),
    "bool_type": ("true か false にしてください", "must be true or false"),
    "bool_parsing": ("true か false にしてください", "must be true or false"),
    "enum": ("{expected} のどれかにしてください", "must be {expected}"),
    "literal_error": ("{expected} のどれかにしてください", "must be {expected}"),
    "model_type": ("表（[ ] の見出しか {{ }}）にしてください", "must be a table"),
    "dict_type": ("表（[ ] の見出しか {{ }}）にしてください", "must be a table"),
}


def _keys_at(place: tuple[int | str, ...], mapping: type[BaseModel]) -> list[str]:
    model: type[BaseModel] = mapping
    for part in place:
        if isinstance(part, str) and part in model.model_fields:
            kind = model.model_fields[part].annotation
            inner = next((each for each in (kind, *get_args(kind)) if _is_model(each)), None)
            model = inner if inner is not None and _is_model(inner) else model
    return list(model.model_fields)


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
