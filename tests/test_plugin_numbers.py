"""The kintone plug-in reads numbers in the browser; tests/fixtures/numbers.json holds it and phone.py to one answer.

``python -m tests.test_plugin_numbers`` writes the fixture anew; ``widgets/tests/kintone/normalise.test.ts`` reads it.
"""

from __future__ import annotations

import json
from pathlib import Path

from cti_bridge.phone import PhoneNumber

FIXTURE = Path(__file__).parent / "fixtures/numbers.json"

NUMBERS = [
    "+81312345678",
    "+81422123456",
    "+81521234567",
    "+81112345678",
    "+81992212345",
    "+81155241234",
    "+819012345678",
    "+818012345678",
    "+817012345678",
    "+815012345678",
    "+81120123456",
    "+818001234567",
    "+81570012345",
    "+14155552671",
    "+442079460018",
    "+8613800138000",
]
"""Every kind of number that is found in Japanese customer lists."""

ODD = (
    *(
        "",
        "-",
        "なし",
        "不明",
        "03",
        "110",
        "119",
        "123-4567",
        "1234567",
        "03-1234-567",
        "03-1234-56789",
        "00000000000",
    ),
    *(
        "03-1234-5678（代）",
        "03-1234-5678 (代表)",
        "03-1234-5678 代表",
        "０３－１２３４－５６７８ 内線12",
        "03-1234-5678 ext.9",
    ),
    *(
        "TEL:03-1234-5678",
        "tel 03-1234-5678",
        "03-1234-5678 x12",
        "03-1234-5678#9",
        "(03)1234-5678",
        "（０３）１２３４－５６７８",
    ),
    *(
        "03ー1234ー5678",
        "03‐1234‐5678",
        "03−1234−5678",
        "03～1234～5678",
        "03 1234 5678",
        "03.1234.5678",
        "03/1234/5678",
    ),
    *(
        "+81 (0)3-1234-5678",
        "+81-03-1234-5678",
        "0081-3-1234-5678",
        "010-81-3-1234-5678",
        "81 3 1234 5678",
        "8103-1234-5678",
    ),
    *(
        "090-1234-5678 / 03-1234-5678",
        "090-1234-5678、03-1234-5678",
        "090-1234-5678 携帯",
        "携帯 090-1234-5678",
        "\u200b090-1234-5678",
    ),
    *(
        "1-415-555-2671",
        "+1 (415) 555-2671",
        "+44 (0)20 7946 0018",
        "+999 123 456 789",
        "+81 3 1234 567",
        "03-1234-5678;ext=5",
    ),
    *(
        "0９0-１２３4-５６78",
        "０９０　１２３４　５６７８",
        "090_1234_5678",
        "O90-1234-5678",
        "09012345678 様",
        "電話番号は09012345678です",
    ),
    *(
        "1800-FLOWERS",
        "0120-ABC-DEF",
        "184-03-1234-5678",
        "18603-1234-5678",
        "050-1234-5678",
        "020-1234-5678",
        "0990-123-456",
    ),
    "9" * 41,
    "0" * 300,
    "03-1234-5678 " + "あ" * 190,
)
"""What people type that is no plain spelling: remarks, extensions, several numbers, mistakes, and nothing at all."""


def answers() -> dict[str, str | None]:
    """Every text with what phone.py reads in it."""
    texts = [spelling for number in NUMBERS for spelling in PhoneNumber(number).spellings()]
    found = {text: PhoneNumber.find(text) for text in dict.fromkeys([*texts, *ODD])}
    return {text: number.e164 if number else None for text, number in found.items()}


def test_the_fixture_that_the_plug_in_is_tested_with_says_what_the_bridge_says() -> None:
    assert json.loads(FIXTURE.read_text("utf-8")) == answers(), "write it anew: python -m tests.test_plugin_numbers"


if __name__ == "__main__":
    FIXTURE.write_text(json.dumps(answers(), ensure_ascii=False, indent=1) + "\n", "utf-8")
