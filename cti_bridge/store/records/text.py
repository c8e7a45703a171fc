"""How the embedded CRM tidies the texts it keeps, and folds them to compare them. Pure functions, no query."""

from __future__ import annotations

import re
import unicodedata

LONGEST_KEY = 200
"""Characters. PostgreSQL refuses to index more than 2,704 bytes."""

_BREAKS = re.compile(r"[\r\n\t\v\f\x1c-\x1e\x85\u2028\u2029]+")
_SEPARATORS = re.compile(r"[\s・.,、，\-‐–—'’\"“”]+")
_LEGAL_FORMS = re.compile(
    r"株式会社|有限会社|合同会社|合資会社|合名会社|一般社団法人|一般財団法人|医療法人|学校法人|\((?:株|有|同|医|学)\)"
)

# Hiragana for katakana (ァ to ヶ), and the usual form for the variants of surnames that people type interchangeably.
_FOLDED: dict[int, int | str] = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_FOLDED |= {
    ord(variant): usual
    for variant, usual in zip(
        "髙﨑濵濱邊邉齋齊澤廣嶋嶌國櫻眞德瀨惠𠮷", "高崎浜浜辺辺斎斉沢広島島国桜真徳瀬恵吉", strict=True
    )
}


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot keep (NUL, lone surrogates) and with ``\\n`` line ends, trimmed."""
    whole = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return whole.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "").strip()


def one_line(text: str) -> str:
    """``storable`` text on a single line: names, titles, numbers."""
    return _BREAKS.sub(" ", storable(text)).strip()


def fold(text: str) -> str:
    """What is compared: width, case, kana, spacing, hyphens and variant characters do not matter.

    ``fold("ﾀﾅｶ　タロウ") == fold("たなか たろう") == "たなかたろう"``; ``fold("髙橋") == "高橋"``.
    """
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", storable(text)).casefold().translate(_FOLDED))


def key(text: str) -> str:
    """What an index compares: folded, never empty for a name of signs only, and short enough for any index."""
    return (fold(text) or storable(text))[:LONGEST_KEY]


def short(company: str) -> str:
    """A company's folded name without its legal form: ``short("㈱はやぶさ") == "はやぶさ"``."""
    folded = key(company)
    return _LEGAL_FORMS.sub("", folded) or folded


def words(text: str) -> list[str]:
    """The folded words of a search: ``words("田中　ﾊﾔﾌﾞｻ") == ["田中", "はやぶさ"]``."""
    return [word for word in map(fold, unicodedata.normalize("NFKC", storable(text)).split()) if word]
