"""Where numbers belong, in words: the home country's area codes and all countries' names, in Japanese and English.

The names are libphonenumber's (https://github.com/google/libphonenumber). Loading all of its area codes takes a second
and 100 MB for good, so a child process loads them, hands over the two per cent that a bridge needs, and ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass

import phonenumbers

LANGUAGES = ("ja", "en")
LONGEST_WAIT = 30.0

Names = dict[str, str]


@dataclass(frozen=True, slots=True)
class Places:
    """``areas``: ``{"813": {"ja": "東京", "en": "Tokyo"}}``, by country code and area code; ``countries`` by ISO code."""

    areas: dict[str, Names]
    countries: dict[str, Names]

    def area(self, digits: str, language: str) -> str:
        """The place of a number, given as its E.164 digits without the plus; empty when its area code has none."""
        prefixes = (digits[:length] for length in range(min(len(digits), 9), 1, -1))
        return next((self.areas[prefix].get(language, "") for prefix in prefixes if prefix in self.areas), "")

    def country(self, region: str, language: str) -> str:
        """A country's name: ``"アメリカ合衆国"``; empty for a region that is none."""
        return self.countries.get(region, {}).get(language, "")


_LOADED: dict[str, Places] = {}
_LOADING = threading.Lock()


def places(region: str) -> Places:
    """The names that a bridge at home in this country needs (``"JP"``). The first call takes a second or two."""
    if region not in _LOADED:
        with _LOADING:
            if region not in _LOADED:
                _LOADED[region] = _load(region)
    return _LOADED[region]


def _load(region: str) -> Places:
    command = [sys.executable, "-m", "cti_bridge.places", region]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LONGEST_WAIT)  # noqa: S603
    return Places(**json.loads(done.stdout))


def _extract(region: str) -> dict[str, dict[str, Names]]:
    """What ``places`` loads: runs in the child process."""
    from phonenumbers.geodata import GEOCODE_DATA  # noqa: PLC0415  (the second and the 100 MB)
    from phonenumbers.geodata.locale import LOCALE_DATA  # noqa: PLC0415

    code = str(phonenumbers.country_code_for_region(region))

    def name(names: Names, language: str) -> str:
        found = names.get(language) or names.get("en", "")
        return names.get(found[1:], "") if found.startswith("*") else found  # "*aa": the same as in language aa

    def both(names: Names) -> Names:
        return {language: name(names, language) for language in LANGUAGES}

    return {
        "areas": {prefix: both(names) for prefix, names in GEOCODE_DATA.items() if prefix.startswith(code)},
        "countries": {country: both(names) for country, names in LOCALE_DATA.items()},
    }


if __name__ == "__main__":
    json.dump(_extract(sys.argv[1]), sys.stdout)
