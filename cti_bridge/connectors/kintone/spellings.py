"""Every spelling of a telephone number that a kintone record may hold. Which country's rules apply is ``phone``'s.

kintone compares text exactly: hyphens, brackets, widths and spaces all count, and no query forgives any of them
(https://cybozu.dev/ja/kintone/tips/best-practices/data-acquisition-operation/kintone-search-mechanism-and-notes). So
beyond ``PhoneNumber.spellings()`` the look-alikes that Japanese input methods make are asked for too.
"""

from __future__ import annotations

import re
from functools import lru_cache

from cti_bridge.phone import PhoneNumber

_HYPHENS = "‐−ー－ｰ–―"
"""What stands for a hyphen when the keyboard was in Japanese: U+2010, U+2212, the long-vowel marks, dashes."""

_WIDE = str.maketrans("0123456789-() +.", "０１２３４５６７８９－（）　＋．")


@lru_cache(maxsize=4_096)
def spellings(number: PhoneNumber, region: str = "JP") -> tuple[str, ...]:
    """Spellings of the number, the likeliest first, without repetition; 60 to 250 of a Japanese number.

    ``region`` is where the records were typed: from there a foreign number is dialled with 010 or 00.
    """
    plain = [number.display(region), *number.spellings()]
    # 04998-2-1234 on the islands; 0120-12-3456 and the rest come from the number itself
    digits = number.national_digits
    if len(digits) == 10:
        plain += ["-".join(cut) for cut in [(digits[:5], digits[5:6], digits[6:])]]
    if number.country != region:
        plain += [prefix + number.e164[1:] for prefix in ("010", "00", "010-", "010 ")]
        abroad = number.display("").removeprefix("+")
        plain += [f"010 {abroad}", f"010-{abroad}", f"010-{abroad}".replace(" ", "-")]
    wide = [text.translate(_WIDE) for text in plain]
    hyphened = [text for text in plain if re.fullmatch(r"\d+-\d+-\d+", text)]
    alike = [text.replace("-", hyphen) for text in hyphened for hyphen in _HYPHENS]
    brackets = [text.translate(str.maketrans("()", "（）")) for text in plain if "(" in text]
    spaced = [text.replace("-", " - ") for text in hyphened[:2]]
    found = dict.fromkeys([*plain, *wide, *alike, *brackets, *spaced])
    return tuple(text for text in found if PhoneNumber.find(text, region) == number)
