"""The query language as text: what parses, into what tree, and what is a syntax error. Nothing is looked up here.

https://cybozu.dev/ja/kintone/docs/overview/query — ``field operator value``, joined by ``and`` and ``or`` with
parentheses, then ``order by``, ``limit`` and ``offset``. A string stands in double quotes and nothing else does; ``\\"``,
``\\\\``, ``\\t``, ``\\n`` and ``\\r`` are its escapes, and a raw tab or line break in it is a syntax error, while between
words any white space will do, the full-width space too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .wire import Refused, invalid

MOST_RECORDS = 500
FARTHEST_OFFSET = 10_000
DEFAULT_LIMIT = 100

_ESCAPES = {'"': '"', "\\": "\\", "t": "\t", "n": "\n", "r": "\r"}
_SPACE = re.compile(r"[ \t\r\n　]+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_SYMBOL = re.compile(r"!=|>=|<=|[=<>(),]")
_COMPARISONS = frozenset({"=", "!=", ">", "<", ">=", "<="})
_RESERVED = frozenset({"and", "or", "not", "in", "like", "is", "order", "limit", "offset"})
_CODE_MARKS = frozenset("_＿･・$＄¥￥€￡£.")


@dataclass(frozen=True)
class Text:
    """A string literal, escapes undone, or a number as it was written."""

    value: str


@dataclass(frozen=True)
class Function:
    """A function with its bare arguments: ``FROM_TODAY(-7, DAYS)`` is ``Function("FROM_TODAY", ("-7", "DAYS"))``."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Test:
    """One comparison. ``operator`` is ``=``, ``in``, ``not in``, ``like``, ``not like``, ``is empty`` and so on."""

    __test__ = False  # no test class, whatever pytest thinks of the name
    code: str
    operator: str
    values: tuple[Text | Function, ...] = ()


@dataclass(frozen=True)
class Both:
    """``left and right``."""

    left: Condition
    right: Condition


@dataclass(frozen=True)
class Either:
    """``left or right``."""

    left: Condition
    right: Condition


Condition = Test | Both | Either


@dataclass(frozen=True)
class Query:
    """A query in pieces. ``order`` holds field codes with whether they run downwards."""

    condition: Condition | None = None
    order: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int | None = None


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def parse(text: str) -> Query:
    """Read a query. Raises ``Refused``: CB_VA01 on ``query`` for syntax, GAIA_QU01 and GAIA_QU02 for its bounds."""
    query = _Parser(_tokens(text)).query()
    if query.limit is not None and query.limit > MOST_RECORDS:
        raise Refused(400, "GAIA_QU01", ("limit には 500 以下の値を指定してください。", "limit must be 500 or less."))
    if query.offset is not None and query.offset > FARTHEST_OFFSET:
        raise Refused(
            400, "GAIA_QU02", ("offset には 10,000 以下の値を指定してください。", "offset must be 10,000 or less.")
        )
    return query


def syntax_error() -> Refused:
    """``CB_VA01`` with ``errors.query``."""
    return invalid({"query": [("クエリ記法が間違っています。", "The query is invalid.")]})


def quoted(text: str) -> str:
    """The literal for a text: what a careful client sends. For the tests."""
    undone = {value: key for key, value in _ESCAPES.items()}
    return '"' + "".join(f"\\{undone[char]}" if char in undone else char for char in text) + '"'


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        if space := _SPACE.match(text, at):
            at = space.end()
        elif text[at] == '"':
            value, at = _string(text, at + 1)
            found.append(_Token("string", value))
        elif number := _NUMBER.match(text, at):
            found.append(_Token("number", number.group()))
            at = number.end()
        elif symbol := _SYMBOL.match(text, at):
            found.append(_Token("symbol", symbol.group()))
            at = symbol.end()
        else:
            end = at
            while end < len(text) and (text[end].isalnum() or text[end] in _CODE_MARKS or text[end] == "ー"):
                end += 1
            if end == at:
                raise syntax_error()
            found.append(_Token("word", text[at:end]))
            at = end
    return found


def _string(text: str, at: int) -> tuple[str, int]:
    value: list[str] = []
    while at < len(text):
        char = text[at]
        if char == '"':
            return "".join(value), at + 1
        if char == "\\":
            at += 1
            if at >= len(text) or text[at] not in _ESCAPES:
                raise syntax_error()
            char = _ESCAPES[text[at]]
        elif char in "\t\n\r":
            raise syntax_error()
        value.append(char)
        at += 1
    raise syntax_error()


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        begins = self._peek()
        bare = begins.kind == "end" or (begins.text.lower() in {"order", "limit", "offset"} and begins.kind == "word")
        condition = None if bare else self._either()
        order = self._order() if self._accept("order") else ()
        limit = self._count() if self._accept("limit") else None
        offset = self._count() if self._accept("offset") else None
        if self._peek().kind != "end":
            raise syntax_error()
        return Query(condition, order, limit, offset)

    def _either(self) -> Condition:
        found = self._both()
        while self._accept("or"):
            found = Either(found, self._both())
        return found

    def _both(self) -> Condition:
        found = self._one()
        while self._accept("and"):
            found = Both(found, self._one())
        return found

    def _one(self) -> Condition:
        if self._accept_symbol("("):
            found = self._either()
            self._expect_symbol(")")
            return found
        return self._test()

    def _test(self) -> Test:
        code = self._code()
        token = self._next()
        if token.kind == "symbol" and token.text in _COMPARISONS:
            return Test(code, token.text, (self._value(),))
        word = token.text.lower() if token.kind == "word" else ""
        if word == "is":
            negative = self._accept("not")
            self._expect("empty")
            return Test(code, "is not empty" if negative else "is empty")
        prefix = ""
        if word == "not":
            prefix = "not "
            word = self._next_word()
        if word == "in":
            return Test(code, f"{prefix}in", self._list())
        if word == "like":
            return Test(code, f"{prefix}like", (self._value(),))
        raise syntax_error()

    def _list(self) -> tuple[Text | Function, ...]:
        self._expect_symbol("(")
        values = [self._value()]
        while self._accept_symbol(","):
            values.append(self._value())
        self._expect_symbol(")")
        return tuple(values)

    def _value(self) -> Text | Function:
        token = self._next()
        if token.kind in {"string", "number"}:
            return Text(token.text)
        if token.kind != "word" or not self._accept_symbol("("):
            raise syntax_error()
        arguments: list[str] = []
        while not self._accept_symbol(")"):
            if arguments:
                self._expect_symbol(",")
            argument = self._next()
            if argument.kind not in {"word", "number"}:
                raise syntax_error()
            arguments.append(argument.text)
        return Function(token.text.upper(), tuple(arguments))

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._expect("by")
        found = []
        while True:
            code = self._code()
            downwards = self._accept("desc")
            if not downwards:
                self._accept("asc")
            found.append((code, downwards))
            if not self._accept_symbol(","):
                return tuple(found)

    def _count(self) -> int:
        token = self._next()
        if token.kind != "number" or not token.text.isdigit():
            raise syntax_error()
        return int(token.text)

    def _code(self) -> str:
        token = self._next()
        if token.kind != "word" or token.text.lower() in _RESERVED:
            raise syntax_error()
        return token.text

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _Token("end", "")

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _next_word(self) -> str:
        token = self._next()
        return token.text.lower() if token.kind == "word" else ""

    def _accept(self, word: str) -> bool:
        token = self._peek()
        if token.kind == "word" and token.text.lower() == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise syntax_error()

    def _accept_symbol(self, symbol: str) -> bool:
        if self._peek() == _Token("symbol", symbol):
            self._at += 1
            return True
        return False

    def _expect_symbol(self, symbol: str) -> None:
        if not self._accept_symbol(symbol):
            raise syntax_error()
