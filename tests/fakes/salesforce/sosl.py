"""SOSL as a tree: the search between the braces, its scope, and what is returned. Searches are run in ``searches``.

Grammar: https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_find.htm
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .errors import NotPlayed, Refused
from .soql import Condition, Order, Parser, Path

RESERVED = frozenset("?&|!{}[]()^~*:\\\"'+-")
WILD = frozenset("*?")
GROUPS = frozenset({"ALL", "EMAIL", "NAME", "PHONE", "SIDEBAR"})


@dataclass(frozen=True)
class Letter:
    """A character of a term; ``wild`` when it is a wildcard, not itself."""

    text: str
    wild: bool = False


@dataclass(frozen=True)
class Term:
    """A word, or with ``phrase`` several in quotation marks, as its letters."""

    letters: tuple[Letter, ...]
    phrase: bool = False


@dataclass(frozen=True)
class Both:
    """``a AND b``, ``a b``, ``a OR b``, ``a AND NOT b``."""

    word: Literal["AND", "OR", "AND NOT"]
    left: Sought
    right: Sought


Sought = Term | Both


@dataclass(frozen=True)
class Returned:
    """``Contact(Id, Name WHERE … ORDER BY … LIMIT 5)``; no fields means the id alone."""

    sobject: str
    at: int
    fields: tuple[Path, ...] = ()
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True)
class Search:
    sought: Sought
    group: str
    returned: tuple[Returned, ...]
    limit: int | None = None


def malformed(message: str) -> Refused:
    return Refused(400, "MALFORMED_SEARCH", message)


def parse_sosl(text: str) -> Search:
    """Read a search. Raises MALFORMED_SEARCH, INVALID_SEARCH, and MALFORMED_QUERY for the clauses shared with SOQL."""
    body, after = _braces(text)
    sought = _Sought(body).read()
    parser = Parser(text, after)
    group = "ALL"
    if parser.accept("IN"):
        group = parser.now.upper
        if group not in GROUPS:
            raise malformed(f"unexpected search group: {parser.now.text or 'end of search'!r}")
        parser.at += 1
        parser.expect("FIELDS")
    returned: list[Returned] = []
    if parser.accept("RETURNING"):
        returned.append(_returned(parser))
        while parser.accept(","):
            returned.append(_returned(parser))
    limit = parser.number() if parser.accept("LIMIT") else None
    parser.expect_end()
    return Search(sought, group, tuple(returned), limit)


def _braces(text: str) -> tuple[str, int]:
    """What stands between FIND's braces, escapes kept, and where the text goes on."""
    words = text.lstrip()
    start = len(text) - len(words)
    if words[:4].upper() != "FIND" or not words[4:].lstrip().startswith("{"):
        raise malformed("No search term found. The search term must be enclosed in braces.")
    begin = text.index("{", start) + 1
    at = begin
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == "}":
            return text[begin:at], at + 1
        else:
            at += 1
    raise malformed("The search term is not closed: expecting '}'")


def _returned(parser: Parser) -> Returned:
    source = parser.name()
    if not parser.accept("("):
        return Returned(source.text, source.start)
    if parser.now.upper == "USING":
        raise NotPlayed("USING ListView of SOSL")
    fields = [parser.path()]
    while parser.accept(","):
        fields.append(parser.path())
    where = parser.condition() if parser.accept("WHERE") else None
    order, limit, offset = parser.ending()
    parser.expect(")")
    return Returned(source.text, source.start, tuple(fields), where, order, limit, offset)


class _Sought:
    """Reads the search expression: words, phrases, AND, OR, AND NOT, parentheses. AND binds closer than OR."""

    def __init__(self, text: str) -> None:
        self._pieces = _pieces(text)
        self._at = 0

    def read(self) -> Sought:
        if not self._pieces:
            raise malformed("No search term found. The search term must be enclosed in braces.")
        found = self._either()
        if self._at < len(self._pieces):
            raise malformed(f"unexpected token in the search term: {self._pieces[self._at]!r}")
        return found

    def _now(self) -> Term | str | None:
        return self._pieces[self._at] if self._at < len(self._pieces) else None

    def _accept(self, word: str) -> bool:
        if self._now() != word:
            return False
        self._at += 1
        return True

    def _either(self) -> Sought:
        found = self._all()
        while self._accept("OR"):
            found = Both("OR", found, self._all())
        return found

    def _all(self) -> Sought:
        found = self._one()
        while True:
            if self._accept("AND"):
                word: Literal["AND", "AND NOT"] = "AND NOT" if self._accept("NOT") else "AND"
                found = Both(word, found, self._one())
            elif isinstance(self._now(), Term) or self._now() == "(":
                found = Both("AND", found, self._one())
            else:
                return found

    def _one(self) -> Sought:
        if self._accept("("):
            found = self._either()
            if not self._accept(")"):
                raise malformed("a parenthesis is not closed in the search term")
            return found
        piece = self._now()
        if not isinstance(piece, Term):
            raise malformed(f"unexpected token in the search term: {piece or 'its end'!r}")
        self._at += 1
        _check(piece)
        return piece


def _check(term: Term) -> None:
    if term.letters[:1] and term.letters[0].wild:
        raise Refused(400, "INVALID_SEARCH", "A wildcard can not be the first character of a search term.")
    if sum(letter.text.isalnum() for letter in term.letters) < 2 and not any(
        ord(one.text) > 0x2E7F for one in term.letters
    ):
        shown = "".join(letter.text for letter in term.letters)
        raise Refused(400, "INVALID_SEARCH", f"search term must be longer than one character: {shown}")


def _pieces(text: str) -> list[Term | str]:
    """Terms, and the marks ``(``, ``)``, ``AND``, ``OR``, ``NOT``."""
    return _Pieces().read(text)


class _Pieces:
    """Divides the search expression, a character at a time, into terms and marks."""

    def __init__(self) -> None:
        self._pieces: list[Term | str] = []
        self._word: list[Letter] = []
        self._phrase: list[Letter] | None = None

    def read(self, text: str) -> list[Term | str]:
        at = 0
        while at < len(text):
            if text[at] == "\\":
                at += 1
                self._escaped(text[at : at + 1])
            elif text[at] == '"':
                self._quote()
            elif text[at] in WILD:
                self._add(Letter(text[at], wild=True))
            else:
                self._plain(text[at])
            at += 1
        if self._phrase is not None:
            raise malformed("a quotation mark is not closed in the search term")
        self._close_word()
        return self._pieces

    def _add(self, letter: Letter) -> None:
        (self._word if self._phrase is None else self._phrase).append(letter)

    def _escaped(self, letter: str) -> None:
        if letter not in RESERVED:
            raise malformed(f"Illegal character sequence '\\{letter}' in the search term.")
        self._add(Letter(letter))

    def _quote(self) -> None:
        if self._phrase is None:
            self._close_word()
            self._phrase = []
        else:
            self._pieces.append(Term(tuple(self._phrase), phrase=True))
            self._phrase = None

    def _plain(self, letter: str) -> None:
        if self._phrase is None and letter in "()":
            self._close_word()
            self._pieces.append(letter)
        elif letter in RESERVED:
            raise malformed(f"Reserved character in the search term, escape it with a backslash: {letter}")
        elif self._phrase is None and letter.isspace():
            self._close_word()
        else:
            self._add(Letter(letter))

    def _close_word(self) -> None:
        plain = "".join(letter.text for letter in self._word).upper()
        if plain in {"AND", "OR", "NOT"}:
            self._pieces.append(plain)
        elif self._word:
            self._pieces.append(Term(tuple(self._word)))
        self._word = []
