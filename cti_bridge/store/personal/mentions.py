"""Where a text mentions a telephone number, however it is written, and the text without it. Pure, no query."""

from __future__ import annotations

import re
from typing import Any

import phonenumbers

from cti_bridge.phone import PhoneNumber

_BETWEEN = (
    r"[\s\-‐-―−─－ｰー〜～~.．・･,()（）\[\]/]{0,3}"  # what people put between digits; a JSON text's \u3000 is itself
)
_AROUND = 40


class Mentions:
    """One number as people and machines write it: ``+81 90-1234-5678``, ``０９０（１２３４）５６７８``, ``%2B8190…``."""

    def __init__(self, number: PhoneNumber) -> None:
        parsed = phonenumbers.parse(number.e164)
        significant = phonenumbers.national_significant_number(parsed)
        trunk = number.national_digits.removesuffix(significant)
        prefix = rf"(?:%2[Bb]|\+|＋)?{_spaced('00')}?{_spaced(str(parsed.country_code))}"
        trunked = f"{_spaced(trunk)}?" if trunk else ""
        # A number of a country with a trunk prefix is not written without it at home: 90-1234-5678 alone is not one.
        at_home = _spaced(trunk) if trunk else ""
        self._pattern = re.compile(
            rf"(?<!\d)(?:[(（]?(?:{prefix}{_BETWEEN}{trunked}|{at_home})){_BETWEEN}{_spaced(significant, last=True)}(?!\d)"
        )
        self.digits = significant
        """What every machine's spelling contains."""

    def __contains__(self, text: str) -> bool:
        return self._pattern.search(text) is not None

    def struck_out(self, value: Any, mark: str) -> Any:
        """The text, or the JSON with all its texts, with ``mark`` where the number stood."""
        match value:
            case str():
                return self._pattern.sub(mark, value)
            case dict():
                return {self.struck_out(name, mark): self.struck_out(inner, mark) for name, inner in value.items()}
            case list():
                return [self.struck_out(inner, mark) for inner in value]
            case _:
                return value

    def excerpts(self, text: str) -> list[str]:
        """The mentions with a little of what stands around them."""
        return [text[max(0, found.start() - _AROUND) : found.end() + _AROUND] for found in self._pattern.finditer(text)]


def _spaced(digits: str, *, last: bool = False) -> str:
    """A pattern of these digits, half or full width, with something between them or not."""
    each = [f"[{digit}{chr(ord('０') + int(digit))}]" for digit in digits]
    joined = _BETWEEN.join(each)
    return f"(?:{joined})" if last or not digits else f"(?:{joined}{_BETWEEN})"
