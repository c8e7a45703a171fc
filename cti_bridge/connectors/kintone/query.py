"""Conditions of kintone's query language, with texts quoted so that they stay texts. What to ask stands elsewhere.

https://cybozu.dev/ja/kintone/docs/overview/query
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_RECORDS = 500
"""Records that one request may bring."""

_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": None})


def quoted(text: str) -> str:
    r"""A text as a query writes it: ``O"Brien`` is ``"O\"Brien"``. A raw tab or newline would be a syntax error."""
    return f'"{storable(text).translate(_ESCAPED)}"'


def one_of(code: str, values: Iterable[str]) -> str:
    """The field is exactly one of these: ``電話番号 in ("0312345678", "03-1234-5678")``.

    ``in`` and not ``=``: it is allowed for every type of field, also in tables.
    """
    return f"{code} in ({', '.join(map(quoted, values))})"


def may_equal(kind: str, value: str) -> bool:
    """Whether a field of this type can be asked for this value: kintone refuses to look for letters in a number."""
    if kind == "NUMBER":
        return re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,10})?", value) is not None
    if kind == "RECORD_NUMBER":
        return re.fullmatch(r"([A-Za-z0-9]+-)?[0-9]{1,9}", value) is not None
    return bool(value)


def has_words(code: str, text: str) -> str:
    """The field holds these words. A word search, never a search for part of a word, on an index that lags behind."""
    return f"{code} like {quoted(text)}"


def any_of(conditions: Iterable[str]) -> str:
    return "(" + " or ".join(conditions) + ")"


def all_of(conditions: Iterable[str]) -> str:
    return " and ".join(conditions)


def storable(text: str) -> str:
    """The text without what no request can carry: lone surrogates and control characters but tab and newline."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return "".join(char for char in whole if char in "\t\n\r" or (ord(char) >= 32 and ord(char) != 127))
