"""Words, strings, numbers and moments of SOQL, each with its place, and errors that point at it.

Escapes: https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .errors import Refused

Kind = Literal["name", "string", "number", "date", "datetime", "mark", "end"]

_TOKEN = re.compile(
    r"""(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
      | (?P<date>\d{4}-\d\d-\d\d)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*(?::\d+)?)
      | (?P<mark><=|>=|!=|<>|[=<>(),])
    """,
    re.VERBOSE,
)
_SPACE = re.compile(r"[ \t\r\n\f]*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


@dataclass(frozen=True)
class Token:
    """A piece of a query. ``text`` is as written; of a string it is the value, ``like`` its LIKE pattern."""

    kind: Kind
    text: str
    start: int
    like: tuple[str, ...] = ()
    """A string's characters as LIKE reads them; the wildcards are ``"%"`` and ``"_"``, their literals ``"\\\\%"``."""

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind in {"name", "mark"} else ""


def read_tokens(text: str, start: int = 0) -> list[Token]:
    """All tokens from ``start`` on, with an end token. Raises MALFORMED_QUERY."""
    tokens: list[Token] = []
    at = start
    while True:
        at = _end_of_space(text, at)
        if at >= len(text):
            return [*tokens, Token("end", "", len(text))]
        if text[at] == "'":
            token, at = _read_string(text, at)
            tokens.append(token)
            continue
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise refused_at(text, at, "MALFORMED_QUERY", f"unexpected token: '{text[at]}'")
        kind: Kind = found.lastgroup  # type: ignore[assignment]
        tokens.append(Token(kind, found.group(), at))
        at = found.end()


def refused_at(text: str, at: int, code: str, message: str) -> Refused:
    """An error with the query's piece and an arrow, as Salesforce writes it."""
    begin, end = max(0, at - 40), min(len(text), at + 20)
    piece = text[begin:end].replace("\n", " ")
    row = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return Refused(400, code, f"\n{piece}\n{' ' * (at - begin)}^\nERROR at Row:{row}:Column:{column}\n{message}")


def _end_of_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _read_string(text: str, start: int) -> tuple[Token, int]:
    value: list[str] = []
    pattern: list[str] = []
    at = start + 1
    while at < len(text):
        letter = text[at]
        if letter == "'":
            return Token("string", "".join(value), start, tuple(pattern)), at + 1
        if letter in "\r\n":
            raise refused_at(text, at, "MALFORMED_QUERY", "line breaks not allowed in string literals")
        if letter != "\\":
            value.append(letter)
            pattern.append(letter)
            at += 1
            continue
        plain, like, at = _read_escape(text, at)
        value.append(plain)
        pattern.append(like)
    raise refused_at(text, start, "MALFORMED_QUERY", "unexpected char: ''' (a string is not closed)")


def _read_escape(text: str, at: int) -> tuple[str, str, int]:
    """Returns the value, how LIKE reads it, and where the text goes on."""
    after = text[at + 1 : at + 2]
    if after in {"%", "_"}:
        return "\\" + after, "\\" + after, at + 2
    if after.lower() in _ESCAPES:
        plain = _ESCAPES[after.lower()]
        return plain, plain, at + 2
    if after in {"u", "U"} and re.fullmatch(r"[0-9A-Fa-f]{4}", text[at + 2 : at + 6]):
        plain = chr(int(text[at + 2 : at + 6], 16))
        return plain, plain, at + 6
    raise refused_at(text, at, "MALFORMED_QUERY", f"Illegal character sequence '\\{after}' in string literal.")
