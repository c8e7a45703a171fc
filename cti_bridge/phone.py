"""Telephone numbers as people type them, and as the telephone network writes them.

What lives here: reading, comparing, spelling and showing numbers. What does not: who a number belongs to.
The rules of every country come from Google's libphonenumber (``phonenumbers``).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from cti_bridge.errors import NumberUnreadable
from cti_bridge.model import Caller, CallerKind, Language
from cti_bridge.places import places

WITHHELD_WORDS = frozenset({"", "anonymous", "unknown", "unavailable", "restricted", "private", "blocked", "withheld"})
"""What Twilio puts into From when the caller withholds the number; its list ends "or other descriptions"
(https://www.twilio.com/docs/voice/twiml)."""

KEYPAD_WORDS = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
"""ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE, typed on a telephone's keypad. The first was recorded."""

LONGEST_TEXT = 200
"""Characters that a telephone field may hold, remarks included; beyond that it is a text, and slow to search."""

# Dashes, minus signs and the Japanese long-vowel marks that stand for a hyphen. NFKC turns half-width ｰ into ー.
_HYPHENS = re.compile(r"[\u2010-\u2015\u2212\u2500\u30fc\u301c\uff5e\ufe63\u00ad~]")
_EXTENSION = re.compile(r"[(\[]?\s*(内線|內線|内|ext\.?|x|#)\s*[:.]?\s*\d{1,7}\s*[)\]]?\s*$", re.IGNORECASE)
_REMARK = re.compile(r"\s*(\([^()\d]*\)|\[[^\[\]\d]*\]|[^\W\d_\x00-\x7f]+)\s*$")  # …（代）, … 直通, … (office)
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that can be dialled, in E.164: ``PhoneNumber("+81312345678")``.

    Make one with :meth:`parse`; equal numbers are equal however they were typed.
    """

    e164: str

    @classmethod
    def parse(cls, text: str, region: str = "JP") -> PhoneNumber:
        """Read what a person or a CRM typed: ``"０３－１２３４－５６７８"``, ``"(03) 1234-5678 内線12"``, ``"8190…"``.

        ``region`` is the country of numbers without a country code, such as ``"JP"``.
        Raises NumberUnreadable when no country's rules make a possible number of it, also for short codes such as 110.
        """
        number = cls.find(text, region)
        if number is None:
            raise NumberUnreadable("This is not a telephone number; write it like 03-1234-5678 or +81 3 1234 5678.")
        return number

    @classmethod
    def find(cls, text: str, region: str = "JP") -> PhoneNumber | None:
        """Like :meth:`parse`, but None where that raises."""
        return _parse(text, region) if len(text) <= LONGEST_TEXT else None

    @property
    def national_digits(self) -> str:
        """The number's digits as dialled inside its country: ``"0312345678"``."""
        return re.sub(r"\D", "", _format(self.e164, PhoneNumberFormat.NATIONAL))

    @property
    def country(self) -> str:
        """ISO code of the number's country, ``"JP"``; empty for numbers of no country."""
        return _country(self.e164)

    @property
    def dearly_charged(self) -> bool:
        """A premium-rate or shared-cost number, such as 0570-… or 0990-…."""
        return phonenumbers.number_type(_parsed(self.e164)) in _DEAR_KINDS

    def display(self, region: str = "JP") -> str:
        """As people at home write it: ``"03-1234-5678"``; from abroad ``"+1 415-555-2671"``."""
        at_home = self.country == region
        return _format(self.e164, PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL)

    def place(self, language: Language = "ja", region: str = "JP") -> str:
        """Where the number belongs, in words: ``"東京"``, ``"Osaka"``, ``"アメリカ合衆国"``.

        At home a number without a place says what it is instead: ``"携帯電話"``, ``"Toll-free"``; else it is empty.
        """
        known = places(region)
        if self.country != region:
            return known.country(self.country, language)
        kind = phonenumbers.number_type(_parsed(self.e164))
        if kind in _WITH_PLACE:
            return known.area(self.e164[1:], language)
        return _KINDS.get(kind, _NO_KIND)[language]

    def spellings(self) -> tuple[str, ...]:
        """Every way that people plausibly typed this number into a CRM, the likeliest first, without repetition.

        For CRMs that compare text exactly: national digits, with the hyphens where they belong and where they are often
        put, brackets, spaces, dots, full width, +81 and 81 forms. Between 15 and 60 for a Japanese number.
        """
        return _spellings(self.e164)

    def __str__(self) -> str:
        return self.e164


def read_caller(text: str | None, region: str = "JP") -> Caller:
    """Say what stands in Twilio's From: a number, a withheld number, or something that we cannot read.

    Only ``CallerKind.NUMBER`` is ever matched against a CRM.
    """
    raw = (text or "").strip()
    if raw.lower() in WITHHELD_WORDS or raw in KEYPAD_WORDS:
        return Caller(CallerKind.WITHHELD, None, raw)
    number = PhoneNumber.find(raw, region) if raw.startswith("+") or raw.isdigit() else None
    if number is None:
        return Caller(CallerKind.UNREADABLE, None, raw)
    return Caller(CallerKind.NUMBER, number.e164, raw)


def mask(text: str) -> str:
    """A number with its middle hidden, for logs: ``"+81******5678"``. Never shows more than half of the digits."""
    digits = sum(map(str.isdigit, text))
    shown = digits // 2 if digits >= 7 else 0
    last = min(4, shown)
    masked, seen = [], 0
    for char in text:
        seen += char.isdigit()
        hidden = char.isdigit() and shown - last < seen <= digits - last
        masked.append("*" if hidden else char)
    return "".join(masked)


def half_width(text: str) -> str:
    """The text as an English keyboard writes it: ``"０３ー１２３４"`` → ``"03-1234"``; nothing invisible."""
    return _HYPHENS.sub("-", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)))


@lru_cache(maxsize=16_384)
def _parse(text: str, region: str) -> PhoneNumber | None:
    tidy = _REMARK.sub("", _EXTENSION.sub("", half_width(text))).strip()
    if len(tidy) > 40 or sum(map(str.isdigit, tidy)) < 7:
        return None
    try:
        number = phonenumbers.parse(tidy, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    # A local number without its area code is "possible" nowhere useful, and 03-1234-567 is a typing error: valid only,
    # except for countries whose numbering plan is newer than the library's, which arrive with a plus.
    if not phonenumbers.is_valid_number(number) and not tidy.startswith("+"):
        return None
    number.extension = None
    return PhoneNumber(phonenumbers.format_number(number, PhoneNumberFormat.E164))


@lru_cache(maxsize=16_384)
def _parsed(e164: str) -> phonenumbers.PhoneNumber:
    return phonenumbers.parse(e164)


@lru_cache(maxsize=16_384)
def _country(e164: str) -> str:
    return phonenumbers.region_code_for_number(_parsed(e164)) or ""


@lru_cache(maxsize=16_384)
def _format(e164: str, style: int) -> str:
    return phonenumbers.format_number(_parsed(e164), style)


_WITH_PLACE = frozenset({PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_DEAR_KINDS = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.UAN})
"""The library counts 0570 (Navi Dial) among the "universal access numbers" (UAN), which callers pay for everywhere."""

_NO_KIND: dict[Language, str] = {"ja": "", "en": ""}
_KINDS: dict[int, dict[Language, str]] = {
    PhoneNumberType.MOBILE: {"ja": "携帯電話", "en": "Mobile"},
    PhoneNumberType.TOLL_FREE: {"ja": "フリーダイヤル", "en": "Toll-free"},
    PhoneNumberType.VOIP: {"ja": "IP電話", "en": "IP phone"},
    PhoneNumberType.UAN: {"ja": "ナビダイヤル", "en": "Shared cost"},
    PhoneNumberType.SHARED_COST: {"ja": "ナビダイヤル", "en": "Shared cost"},
    PhoneNumberType.PREMIUM_RATE: {"ja": "有料情報サービス", "en": "Premium rate"},
}


@lru_cache(maxsize=4_096)
def _spellings(e164: str) -> tuple[str, ...]:
    number = _parsed(e164)
    code = str(number.country_code)
    national = _format(e164, PhoneNumberFormat.NATIONAL)
    digits = PhoneNumber(e164).national_digits
    groupings = [re.findall(r"\d+", national), *_other_groupings(digits)]
    trunk = digits.removesuffix(phonenumbers.national_significant_number(number))

    spelled = [digits, e164, e164[1:]]
    for groups in groupings:
        head, *rest = groups
        spelled += ["-".join(groups), f"({head}){'-'.join(rest)}", f"({head}) {'-'.join(rest)}", " ".join(groups)]
        spelled += [f"{head}({'-'.join(rest[:-1])}){rest[-1]}"] if len(rest) > 1 else []
        spelled += [".".join(groups)]
        abroad = [head[len(trunk) :] if trunk and head.startswith(trunk) else head, *rest]
        abroad = [group for group in abroad if group]
        spelled += [f"+{code} {'-'.join(abroad)}", f"+{code}-{'-'.join(abroad)}", f"+{code} {' '.join(abroad)}"]
        if trunk:
            spelled += [f"+{code} ({trunk}){'-'.join(abroad)}", f"+{code}({trunk}){'-'.join(abroad)}"]
        spelled += [_full_width("-".join(groups)), "ー".join(map(_full_width, groups))]
    spelled += [_full_width(digits)]
    home = phonenumbers.region_code_for_number(number) or ""
    # A few special numbers (00777-…) read as something else in some spellings; nobody may be found by those.
    return tuple(spelling for spelling in dict.fromkeys(spelled) if _parse(spelling, home) == PhoneNumber(e164))


def _other_groupings(digits: str) -> list[list[str]]:
    """Where people put hyphens although the numbering plan does not: 3-4-4, 2-4-4, 4-2-4 and 3-3-4."""
    if len(digits) == 11:
        return [[digits[:3], digits[3:7], digits[7:]]]
    if len(digits) == 10:
        cuts = ((2, 6), (3, 6), (4, 6), (4, 7))
        return [[digits[:a], digits[a:b], digits[b:]] for a, b in cuts]
    return []


def _full_width(text: str) -> str:
    return text.translate({ord("-"): "－", **{ord(str(n)): chr(ord("０") + n) for n in range(10)}})
