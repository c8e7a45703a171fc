"""What is wrong with the text of one telephone field. Words for people are in ``wording``.

The order of the questions matters: a text with two numbers in it is also too long, and it is the former that helps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatcher

from cti_bridge.phone import LONGEST_TEXT, PhoneNumber, half_width


class Fault(StrEnum):
    """Why a text will not match, or looks as if it were not meant so."""

    NO_DIGITS = "no_digits"
    PLACEHOLDER = "placeholder"
    SEVERAL = "several"
    EXTENSION = "extension"
    REMARK = "remark"
    LETTER_FOR_DIGIT = "letter_for_digit"
    COUNTRY_CODE = "country_code"
    DIGIT_MISSING = "digit_missing"
    DIGIT_TOO_MANY = "digit_too_many"
    NO_AREA_CODE = "no_area_code"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NO_SUCH_AREA = "no_such_area"
    UNREADABLE = "unreadable"
    SPELLING = "spelling"
    MIXED_WIDTH = "mixed_width"


NEVER_MATCHES = frozenset(Fault) - {Fault.MIXED_WIDTH}
"""Callers with these numbers are strangers."""

LOOKS_MISTYPED = frozenset(
    {
        Fault.LETTER_FOR_DIGIT,
        Fault.COUNTRY_CODE,
        Fault.DIGIT_MISSING,
        Fault.DIGIT_TOO_MANY,
        Fault.NO_SUCH_AREA,
        Fault.MIXED_WIDTH,
    }
)
"""Somebody meant a number, and slipped."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The number that a text holds, if it can be read, and what is wrong with it, if anything is.

    ``number`` is None exactly when ``PhoneNumber.find`` finds none; then there is a fault.
    """

    number: PhoneNumber | None
    fault: Fault | None = None


_SLIPS = str.maketrans("OoDQIl|SsBZz", "000011155822")
"""Letters that hands and scanners put for digits."""

_EXTENSION_WORD = re.compile(r"内線|內線|\(内|ext|(?<![a-z])x\s*\d|#", re.IGNORECASE)
_ABBREVIATED_SECOND = re.compile(r"\d\s*(?:[~～〜・/,、;]|or|または|と)\s*\d{1,4}\s*$", re.IGNORECASE)  # 03-1234-5678~9
_WIDE_DIGIT = re.compile("[０-９]")
_HALF_DIGIT = re.compile("[0-9]")


def judge(text: str, region: str = "JP") -> Judgement:
    """What stands in a telephone field: ``judge("090-1234-567")`` → ``Judgement(None, Fault.DIGIT_MISSING)``.

    ``region`` is the country of numbers without a country code. Never raises, whatever was typed.
    """
    number = PhoneNumber.find(text, region)
    if number is None:
        return Judgement(None, _why_unreadable(text, region))
    if not _valid(number) and _number_without_country_code(half_width(text).strip(), number, region):
        return Judgement(number, Fault.COUNTRY_CODE)  # +1 03-1234-5678 reads as a number that nobody has
    if _WIDE_DIGIT.search(text) and _HALF_DIGIT.search(text):
        return Judgement(number, Fault.MIXED_WIDTH)
    return Judgement(number)


def _why_unreadable(text: str, region: str) -> Fault:
    plain = half_width(text[:LONGEST_TEXT]).strip()
    digits = "".join(re.findall(r"[0-9]", plain))
    if not digits:
        return Fault.NO_DIGITS
    if _is_placeholder(digits):
        return Fault.PLACEHOLDER
    return (
        _what_stands_beside(text[:LONGEST_TEXT], plain, region)
        or _wrong_letters(plain, region)
        or _wrong_country_code(plain, digits, region)
        or _wrong_length(digits, region)
    )


def _is_placeholder(digits: str) -> bool:
    """000-0000-0000, 99999999, 1234567890: what people type where a form wants something."""
    in_a_row = len(digits) >= 9 and (digits in "01234567890123456789" or digits in "98765432109876543210")
    return len(digits) >= 6 and (len(set(digits)) == 1 or in_a_row)


def _what_stands_beside(text: str, plain: str, region: str) -> Fault | None:
    """A good number with something else in the same field, or several."""
    if _ABBREVIATED_SECOND.search(text) and PhoneNumber.find(_ABBREVIATED_SECOND.split(text)[0] + "0", region):
        return Fault.SEVERAL
    found = list(PhoneNumberMatcher(plain, region, leniency=Leniency.VALID))
    if not found:
        return None
    rest = "".join([plain[: found[0].start], *(plain[one.end :] for one in found[-1:])])
    if len(found) > 1:
        return Fault.SEVERAL
    if _EXTENSION_WORD.search(rest) or found[0].number.extension:
        return Fault.EXTENSION
    if re.search(r"\d{4,}", rest):
        return Fault.SEVERAL
    return Fault.REMARK if re.search(r"[^\W\d_]", rest) else None


def _wrong_letters(plain: str, region: str) -> Fault | None:
    if not re.search(r"[^\W\d_]", plain):
        return None
    if PhoneNumber.find(plain.translate(_SLIPS), region) is not None:
        return Fault.LETTER_FOR_DIGIT
    bare = re.sub(r"[^0-9+() .-]", "", plain)
    return Fault.REMARK if PhoneNumber.find(bare, region) is not None else None


def _wrong_country_code(plain: str, digits: str, region: str) -> Fault | None:
    """+8 3-1234-5678 and 0081 3-1234-5678: a slip in the country code, or before it."""
    if plain.startswith("+"):
        return Fault.COUNTRY_CODE
    tries = [f"+{digits}", *(f"+{digits.removeprefix(prefix)}" for prefix in ("00", "011", "010", "0"))]
    wanted = phonenumbers.country_code_for_region(region)
    for attempt in tries if len(digits) >= 10 else ():
        number = PhoneNumber.find(attempt, region)
        if number is not None and _valid(number) and attempt.startswith(f"+{wanted}"):
            return Fault.COUNTRY_CODE
    return None


def _wrong_length(digits: str, region: str) -> Fault:
    trunk, usual = _habits(region)
    whole = digits.startswith(trunk)
    if whole and any(_readable(digits + more, region) for more in "0123456789"):
        return Fault.DIGIT_MISSING
    if whole and len(digits) > usual - 1 and _readable(digits[:-1], region):
        return Fault.DIGIT_TOO_MANY
    if not whole and 5 <= len(digits) < usual - 1:
        return Fault.NO_AREA_CODE
    if len(digits) < usual - 1:
        return Fault.NO_AREA_CODE if not trunk and len(digits) == 7 else Fault.TOO_SHORT
    if len(digits) > usual + 2:
        return Fault.TOO_LONG
    return Fault.NO_SUCH_AREA if whole else Fault.UNREADABLE


@lru_cache(maxsize=16)
def _habits(region: str) -> tuple[str, int]:
    """How numbers are dialled at home: what they begin with, and how many digits they have: ``("0", 10)`` in Japan."""
    example = phonenumbers.example_number(region)
    if example is None:
        return "", 10
    dialled = PhoneNumber(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)).national_digits
    trunk = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) or ""
    return (trunk if dialled.startswith(trunk) else ""), len(dialled)


def _readable(digits: str, region: str) -> bool:
    """Asked of made-up numbers by the dozen, so past the memory of ``phone``."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(digits, region))
    except phonenumbers.NumberParseException:
        return False


def _valid(number: PhoneNumber) -> bool:
    return _readable(number.e164, "")


def _number_without_country_code(plain: str, number: PhoneNumber, region: str) -> PhoneNumber | None:
    code = str(phonenumbers.parse(number.e164).country_code)
    return PhoneNumber.find(re.sub(rf"^\+\s*{code}", "", plain), region) if plain.startswith("+") else None
