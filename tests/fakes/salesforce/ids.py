"""Record ids as Salesforce makes them: a prefix per object, 15 characters that count case, 3 that check it."""

from __future__ import annotations

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")


def make_id(prefix: str, number: int) -> str:
    """The 18-character id of an object's n-th row: ``make_id("003", 1)``."""
    spread = number * 2_654_435_761 % 62**8  # neighbours look as unlike each other as in a real org
    text = ""
    for _ in range(9):
        spread, digit = divmod(spread, 62)
        text = _DIGITS[digit] + text
    return lengthen(f"{prefix}5g0{text}")


def lengthen(short: str) -> str:
    """A 15-character id with its three check characters; they say which letters are capitals."""
    return short + "".join(
        _SUFFIX[sum(1 << place for place, letter in enumerate(short[start : start + 5]) if "A" <= letter <= "Z")]
        for start in (0, 5, 10)
    )


def read_id(text: str) -> str | None:
    """The 18-character form of an id of 15 or 18 characters, or None when it is no id.

    With the check characters a client may send the id in any case, so the case is restored from them.
    """
    if not _SHAPE.fullmatch(text):
        return None
    if len(text) == 15:
        return lengthen(text)
    short = ""
    for start, check in zip((0, 5, 10), text[15:].upper(), strict=True):
        capitals = _SUFFIX.find(check)
        if capitals < 0:
            return None
        for place, letter in enumerate(text[start : start + 5]):
            short += letter.upper() if capitals >> place & 1 else letter.lower()
    return lengthen(short) if lengthen(short)[15:] == text[15:].upper() else None
