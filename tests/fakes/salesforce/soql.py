"""SOQL as a tree: the grammar, nothing of what fields exist. Queries are run in ``queries``.

Grammar: https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .errors import NotPlayed, Refused
from .lexer import Token, read_tokens, refused_at

CLAUSES = frozenset({"FROM", "WHERE", "ORDER", "LIMIT", "OFFSET", "AND", "OR", "NOT", "IN", "LIKE", "SELECT"})
NOT_PLAYED = frozenset({"GROUP", "HAVING", "TYPEOF", "USING", "WITH", "FOR", "ALL", "UPDATE"})
OPERATORS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})


@dataclass(frozen=True)
class Path:
    """A field, maybe over relationships: ``Account.Owner.Name``."""

    parts: tuple[str, ...]
    at: int


@dataclass(frozen=True)
class Value:
    """One value of a comparison, with its token's kind."""

    kind: Literal["string", "number", "date", "datetime", "word", "null", "boolean"]
    text: str
    at: int
    like: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """``Phone IN ('…', '…')``: the operator in capitals, the values one or many."""

    path: Path
    operator: str
    values: tuple[Value, ...] = ()
    subquery: Query | None = None


@dataclass(frozen=True)
class Not:
    part: Condition


@dataclass(frozen=True)
class Junction:
    """Parts joined by AND or by OR, never both: Salesforce wants parentheses there."""

    word: Literal["AND", "OR"]
    parts: tuple[Condition, ...]


Condition = Comparison | Not | Junction


@dataclass(frozen=True)
class Order:
    path: Path
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True)
class Query:
    """``SELECT … FROM …``; ``count`` stands for ``COUNT()`` alone."""

    fields: tuple[Path | Query, ...]
    sobject: str
    at: int
    count: bool = False
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


def parse_soql(text: str) -> Query:
    """Read a query. Raises MALFORMED_QUERY, and NotPlayed for what this fake does not do."""
    parser = Parser(text)
    query = parser.query()
    parser.expect_end()
    return query


class Parser:
    """Reads by recursive descent. SOSL uses it for the clauses both languages share."""

    def __init__(self, text: str, start: int = 0) -> None:
        self.text = text
        self.tokens = read_tokens(text, start)
        self.at = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.at]

    def accept(self, word: str) -> bool:
        if self.now.upper != word:
            return False
        self.at += 1
        return True

    def expect(self, word: str) -> Token:
        token = self.now
        if not self.accept(word):
            raise self.unexpected(f"expecting {word.lower()}, found {token.text or 'end of query'!r}")
        return token

    def expect_end(self) -> None:
        if self.now.kind != "end":
            if self.now.upper in NOT_PLAYED:
                raise NotPlayed(f"the clause {self.now.upper} of SOQL")
            raise self.unexpected()

    def unexpected(self, more: str = "") -> Refused:
        message = f"unexpected token: '{self.now.text or '<EOF>'}'" + (f" ({more})" if more else "")
        return refused_at(self.text, self.now.start, "MALFORMED_QUERY", message)

    def name(self) -> Token:
        token = self.now
        if token.kind != "name" or token.upper in CLAUSES or ":" in token.text:
            raise self.unexpected()
        self.at += 1
        return token

    def path(self) -> Path:
        token = self.name()
        if self.now.upper == "(":
            raise NotPlayed(f"the function {token.text}() of SOQL")
        return Path(tuple(token.text.split(".")), token.start)

    def query(self) -> Query:
        self.expect("SELECT")
        count = self._count()
        fields = () if count else self._fields()
        self.expect("FROM")
        source = self.name()
        if self.now.kind == "name" and self.now.upper not in CLAUSES | NOT_PLAYED:
            raise NotPlayed("an alias for an object in SOQL")
        where = self.condition() if self.accept("WHERE") else None
        return Query(fields, source.text, source.start, count, where, *self.ending())

    def ending(self) -> tuple[tuple[Order, ...], int | None, int]:
        """``ORDER BY … LIMIT … OFFSET …``, each optional, in this order."""
        order: tuple[Order, ...] = ()
        if self.accept("ORDER"):
            self.expect("BY")
            order = self._orders()
        limit = self.number() if self.accept("LIMIT") else None
        return order, limit, self.number() if self.accept("OFFSET") else 0

    def _count(self) -> bool:
        if self.now.upper != "COUNT" or self.tokens[self.at + 1].upper != "(":
            return False
        if self.tokens[self.at + 2].upper != ")":
            raise NotPlayed("COUNT(field) of SOQL")
        self.at += 3
        return True

    def _fields(self) -> tuple[Path | Query, ...]:
        fields: list[Path | Query] = []
        while True:
            if self.now.upper == "TYPEOF":
                raise NotPlayed("TYPEOF of SOQL")
            if self.accept("("):
                fields.append(self.query())
                self.expect(")")
            else:
                fields.append(self.path())
            if not self.accept(","):
                return tuple(fields)

    def condition(self) -> Condition:
        if self.accept("NOT"):
            return Not(self._simple())
        parts = [self._simple()]
        word: Literal["AND", "OR"] = "OR" if self.now.upper == "OR" else "AND"
        while self.accept(word):
            parts.append(self._simple())
        if self.now.upper in {"AND", "OR", "NOT"}:
            raise self.unexpected("AND and OR need parentheses")
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _simple(self) -> Condition:
        if self.accept("("):
            inner = self.condition()
            self.expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        path = self.path()
        token = self.now
        if token.kind == "mark" and token.text in OPERATORS:
            self.at += 1
            return Comparison(path, "!=" if token.text == "<>" else token.text, (self._value(),))
        if self.accept("LIKE"):
            return Comparison(path, "LIKE", (self._value(),))
        if token.upper in {"INCLUDES", "EXCLUDES"}:
            raise NotPlayed(f"{token.upper} of SOQL")
        operator = "NOT IN" if self.accept("NOT") else "IN"
        self.expect("IN")
        self.expect("(")
        if self.now.upper == "SELECT":
            inner = self.query()
            self.expect(")")
            return Comparison(path, operator, subquery=inner)
        values = [self._value()]
        while self.accept(","):
            values.append(self._value())
        self.expect(")")
        return Comparison(path, operator, tuple(values))

    def _value(self) -> Value:
        token = self.now
        if token.kind in {"end", "mark"} or (token.kind == "name" and token.upper in CLAUSES):
            raise self.unexpected()
        self.at += 1
        if token.kind == "name":
            kind = {"NULL": "null", "TRUE": "boolean", "FALSE": "boolean"}.get(token.upper, "word")
            return Value(kind, token.upper, token.start)  # type: ignore[arg-type]
        return Value(token.kind, token.text, token.start, token.like)  # type: ignore[arg-type]

    def _orders(self) -> tuple[Order, ...]:
        orders: list[Order] = []
        while True:
            path = self.path()
            descending = self.accept("DESC") or (self.accept("ASC") and False)
            nulls_last = False
            if self.accept("NULLS"):
                nulls_last = self.accept("LAST")
                if not nulls_last:
                    self.expect("FIRST")
            orders.append(Order(path, descending, nulls_last))
            if not self.accept(","):
                return tuple(orders)

    def number(self) -> int:
        token = self.now
        if token.kind != "number" or not token.text.isdigit():
            raise self.unexpected()
        self.at += 1
        return int(token.text)
