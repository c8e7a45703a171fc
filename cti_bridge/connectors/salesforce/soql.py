"""Text into SOQL and SOSL, so that no text can change a query; and out of Salesforce's ids and limits of length.

What does not live here: which records are asked for (``lookup``, ``activity``, ``tasks``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from simple_salesforce.format import format_soql, quote_soql_value

_UNSTORABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say, and Salesforce therefore refuses: NUL, control characters, halves of a character."""

_SOSL_RESERVED = re.compile(r"""([?&|!{}\[\]()^~*:\\"'+\-])""")
_SOSL_WORDS = re.compile(r"\b(and|or|not)\b", re.IGNORECASE | re.ASCII)

_RECORD_ID = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?", re.ASCII)
_CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def quoted(value: str) -> str:
    """``'O\\'Brien'``: a text as SOQL writes it."""
    return str(quote_soql_value(storable(value)))


def any_of(values: Iterable[str]) -> str:
    """``('a','b')``, for IN."""
    return "(" + ",".join(map(quoted, values)) + ")"


def like(text: str) -> str:
    """``'%100\\% 果汁%'``: anything that contains this text."""
    return str(format_soql("'%{:like}%'", storable(text)))


def select(fields: Iterable[str], source: str, where: str = "", order: str = "", limit: int = 0) -> str:
    """A query of names that describe told and conditions made with this module: ``SELECT Id FROM Task WHERE …``."""
    parts = [
        f"SELECT {', '.join(fields)} FROM {source}",  # noqa: S608  (names from describe, values quoted here)
        f"WHERE {where}" if where else "",
        f"ORDER BY {order}" if order else "",
        f"LIMIT {limit}" if limit else "",
    ]
    return " ".join(filter(None, parts))


def moment(at: datetime) -> str:
    """``2026-04-01T01:30:00Z``: a point in time as SOQL writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sosl_term(text: str) -> str:
    """A text as SOSL writes it within FIND {…}: reserved characters escaped, its words no operators.

    https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_find.htm
    """
    tidy = re.sub(r"\s+", " ", storable(text)).strip()
    escaped = _SOSL_RESERVED.sub(r"\\\1", tidy)
    return f'"{escaped}"' if _SOSL_WORDS.search(tidy) else escaped


def storable(text: str) -> str:
    """The text without what Salesforce cannot store."""
    return _UNSTORABLE.sub("", text)


def fit(text: str, length: int, tail: str = "") -> str:
    """The text with its ``tail``, cut before the tail to a field of this length: ``"長い話。長い…"``.

    Salesforce counts UTF-16 units, and a new line may become two of them.
    """
    text, tail = storable(text).replace("\r\n", "\n"), storable(tail)
    room = length - _size(tail)
    if _size(text) <= room:
        return text + tail
    if room < 1:
        return fit(text, length) if tail else ""
    kept, used = 0, 0
    for char in text:
        used += _size(char)
        if used > room - 1:
            break
        kept += 1
    return text[:kept] + "…" + tail


def record_id(text: str) -> str | None:
    """The 18 characters of a record's id, given in 15 or 18; None when the text is no id at all.

    The last three characters say which of the first fifteen are capitals, so a mistyped id is seen without asking.
    """
    if not _RECORD_ID.fullmatch(text):
        return None
    whole = text[:15] + _check_letters(text[:15])
    return whole if text in (whole, whole[:15]) else None


def _check_letters(fifteen: str) -> str:
    fives = (fifteen[start : start + 5] for start in (0, 5, 10))
    return "".join(_CHECK_LETTERS[sum(char.isupper() << place for place, char in enumerate(five))] for five in fives)


def _size(text: str) -> int:
    return len(text) + sum(ord(char) > 0xFFFF or char == "\n" for char in text)
