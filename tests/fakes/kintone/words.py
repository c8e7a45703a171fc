"""kintone's word search (``like``): how a text falls into words, and which words find it. Pure rules, no state.

The rules are those that practitioners quote from kintone's help: letters and digits are found by the whole word;
Japanese by any two or more characters in a row; ``_``, ``#`` and ``+`` belong to a word, other signs split words; case
and width do not matter; at most ten keywords. Whether a hyphenated keyword is one phrase or several words that must
all be there is not known: here it is the latter, which finds more, so a client has to look at its hits itself.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from .query import syntax_error
from .wire import Refused

MOST_KEYWORDS = 10

_JAPANESE = r"぀-ヿ々〆㐀-䶿一-鿿豈-﫿"
_RUNS = re.compile(rf"(?P<japanese>[{_JAPANESE}]+)|(?P<word>[^\W{_JAPANESE}]|[#+])+")
_TAG = re.compile(r"<[^>]*>")


@lru_cache(maxsize=100_000)
def words(text: str) -> tuple[str, ...]:
    """The words of a text, folded: ``"(03)1234-5678 山田"`` is ``("03", "1234", "5678", "山田")``."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return tuple(run.group() for run in _RUNS.finditer(folded))


def plain(rich_text: str) -> str:
    """A RICH_TEXT without its tags, as the index sees it."""
    return _TAG.sub(" ", rich_text)


def found(keywords: tuple[str, ...], text: str) -> bool:
    """Whether a word search for these keywords finds this text. No keyword finds nothing."""
    held = words(text)
    return bool(keywords) and all(_holds(held, keyword) for keyword in keywords)


def keywords_of(literal: str) -> tuple[str, ...]:
    """The keywords of a ``like``. More than ten are refused; kintone's code for that is our guess."""
    if len(literal.split()) > MOST_KEYWORDS:
        raise too_many_keywords()
    return words(literal)


def too_many_keywords() -> Refused:
    """More than ten keywords."""
    return syntax_error()


def _holds(held: tuple[str, ...], keyword: str) -> bool:
    if re.fullmatch(rf"[{_JAPANESE}]{{2,}}", keyword):
        return any(keyword in word for word in held)
    return keyword in held
