"""A first mapping as TOML to edit: every key with its meaning beside it, guesses filled in, the rest commented out.

What comes from kintone (names of apps, labels, codes) is somebody's text: it can end neither a string nor a comment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cti_bridge.connectors.kintone.form import NAMES, Field, Form
from cti_bridge.connectors.kintone.query import storable
from cti_bridge.connectors.kintone.setup import explained
from cti_bridge.connectors.kintone.setup.explained import Words
from cti_bridge.connectors.kintone.setup.guess import Customers, Related
from cti_bridge.model import Language

COLUMN = 44
"""Where comments begin, beside what is not longer."""

Value = str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """An app that the mapping is made of: its number, name and address, and the setting that holds its token."""

    app: int
    name: str
    url: str
    setting: str
    form: Form
    guest_space: int | None = None


def toml(value: Value) -> str:
    """A value as TOML writes it: ``"氏名"``, ``["姓", "名"]``, ``12``, ``true``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value) if isinstance(value, int) else _quoted(value)


def comment(text: str) -> str:
    """A text that stays within one comment: on one line, without signs that cannot be seen."""
    return " ".join("".join(char if char.isprintable() else " " for char in storable(text)).split())


class Draft:
    """The whole mapping, in the administrator's language."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._lines: list[str] = []

    def text(self) -> str:
        return "\n".join(self._lines).strip() + "\n"

    def heading(self, today: str) -> None:
        self._say(
            f"CTI Bridge：kintoneの対応表（cti-bridge kintone map が {today} に書いた下書き）",
            f"CTI Bridge: the mapping for kintone (drafted by cti-bridge kintone map on {today})",
        )
        self._say(
            "右辺はフィールド名ではなくフィールドコードです。当て推量なので、かならず見直してください。",
            "Field codes stand here, not field names. They were guessed: please go through them.",
        )
        self._say(
            "直したら cti-bridge doctor で確かめます。行頭の # を消すと、その項目を使います。",
            "Then try cti-bridge doctor. Take away the # before a key to use it.",
        )

    def customers(self, source: Source, guess: Customers, *, create: bool) -> None:
        self._section("[[customers]]", source)
        if guess.unsure:
            self._say(
                "！ 名前らしいフィールドが見つかりませんでした。name を直してください。",
                "! No field looks like a name; correct name.",
            )
        if not guess.phones:
            self._say(
                "！ 電話番号らしいフィールドが見つかりませんでした。phones を直してください。",
                "! No field looks like a telephone number; correct phones.",
            )
        for code in guess.numeric_phones:
            self._say(
                f"！「{code}」は数値フィールドなので使えません（先頭の0が消えます）。文字列（1行）に移してください。",
                f"! “{code}” is a number field and cannot be used (it loses the leading 0); move it to a single-line text.",
            )
        given: dict[str, Value] = {
            "kind": guess.kind,
            "name": guess.name[0] if len(guess.name) == 1 else guess.name,
            "reading": guess.reading[0] if len(guess.reading) == 1 else guess.reading,
            "company": guess.company,
            "phones": guess.phones,
            "normalised": guess.normalised,
            "normalised_only": False,
            "show": guess.show,
            "customer_number": guess.customer_number,
            "touched": guess.touched,
            "create": create,
        }
        always = {"kind", "name", "phones"}
        self._keys(source, explained.CUSTOMERS, given, always)
        self._candidates(guess.candidates)

    def call_log(self, source: Source, codes: Mapping[str, str], candidates: Iterable[Field] = ()) -> None:
        self._section("[call_log]", source)
        self._keys(source, explained.CALL_LOG, {}, set())
        self._lines += ["", "[call_log.fields]"]
        if "call_id" not in codes:
            self._say(
                "！「値の重複を禁止する」文字列（1行）がありません。cti-bridge kintone setup --app で足せます。",
                "! There is no single-line text without duplicates; cti-bridge kintone setup --app adds one.",
            )
        given: dict[str, Value] = {"call_id": "call_sid", **codes}
        for key, words in explained.FIELDS.items():
            self._key(key, given.get(key, ""), words, always=key == "call_id")
        self._candidates(candidates)
        self._lines += ["", "[call_log.agents]"]
        self._say(explained.AGENTS.ja, explained.AGENTS.en)
        self._lines += ['# "hanako@example.com" = "hanako"', "", "[call_log.words]"]
        self._say(explained.WORDS.ja, explained.WORDS.en)
        self._lines += ['# inbound = "受電"' if self._language == "ja" else '# inbound = "Call in"']

    def related(self, source: Source, guess: Related) -> None:
        joined = bool(guess.join_field)
        self._section("[[related]]", source, off=not joined)
        if not joined:
            self._say(
                "！ お客様とのつながりが分かりませんでした。join を書き、行頭の # を消してください。",
                "! What joins this app to customers could not be told. Write join, and take away the #.",
            )
        parts = {"field": guess.join_field or "?", "customer": guess.join_customer}
        join = ", ".join(f"{key} = {toml(value)}" for key, value in parts.items())
        join += f", app = {guess.join_app}" if guess.join_app is not None else ""
        given: dict[str, Value] = {
            "kind": guess.kind,
            "title": guess.title,
            "detail": guess.detail,
            "at": guess.at,
            "open": guess.open,
        }
        for key, words in explained.RELATED.items():
            if key == "join":
                self._line(f"join = {{ {join} }}", words, off=not joined)
            elif key in explained.APP:
                self._app_key(key, source, words, off=not joined)
            else:
                self._key(key, given[key], words, always=key in ("kind", "title"), off=not joined)
        self._candidates(guess.candidates)

    def _section(self, head: str, source: Source, *, off: bool = False) -> None:
        self._lines += ["", ""]
        name = comment(source.name)
        self._say(f"アプリ{source.app}「{name}」 {source.url}", f"App {source.app} “{name}” {source.url}")
        self._lines.append(f"# {head}" if off else head)

    def _keys(self, source: Source, table: Mapping[str, Words], given: Mapping[str, Value], always: set[str]) -> None:
        for key, words in table.items():
            if key in explained.APP:
                self._app_key(key, source, words)
            else:
                self._key(key, given[key], words, always=key in always)

    def _app_key(self, key: str, source: Source, words: Words, *, off: bool = False) -> None:
        values: dict[str, Value] = {
            "app": source.app,
            "token": f"${source.setting}",
            "guest_space": source.guest_space or 0,
        }
        self._line(f"{key} = {toml(values[key] or 3)}", words, off=off or not values[key])

    def _key(self, key: str, value: Value, words: Words, *, always: bool = False, off: bool = False) -> None:
        self._line(f"{key} = {toml(value)}", words, off=off or not (value or always))

    def _line(self, text: str, words: Words, *, off: bool = False) -> None:
        text = f"# {text}" if off else text
        said = f"# {words.say(self._language)}"
        wide = sum(2 if ord(char) > 0x2E7F else 1 for char in text)
        if wide < COLUMN:
            self._lines.append(text + " " * (COLUMN - wide) + said)
        else:
            self._lines += [said, text]

    def _candidates(self, fields: Iterable[Field]) -> None:
        listed = list(_listed(fields, self._language))
        if listed:
            self._say("このアプリの、まだ使っていないフィールド：", "Fields of this app that are not used yet:")
            self._lines += listed

    def _say(self, ja: str, en: str) -> None:
        self._lines.append("# " + comment(ja if self._language == "ja" else en))


def _listed(fields: Iterable[Field], language: Language) -> Iterator[str]:
    for each in fields:
        kind = NAMES.get(each.type, (each.type, each.type))[0 if language == "ja" else 1]
        label = "" if each.label == each.code else f" … {each.label}"
        yield "#   " + comment(f"{_quoted(each.code)}{label} ({kind})")


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's, but that DEL is escaped too; a literal one where that reads better."""
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(storable(text), ensure_ascii=False).replace("\x7f", "\\u007f")
