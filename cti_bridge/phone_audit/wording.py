"""What each fault is called and how it is mended, in Japanese and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cti_bridge.model import Language
from cti_bridge.phone_audit.judging import Fault


@dataclass(frozen=True, slots=True)
class Wording:
    """A fault's name and its mend, for people."""

    ja: str
    en: str
    mend_ja: str
    mend_en: str

    def name(self, language: Language) -> str:
        return self.ja if language == "ja" else self.en

    def mend(self, language: Language) -> str:
        return self.mend_ja if language == "ja" else self.mend_en


WORDS: Mapping[Fault, Wording] = {
    Fault.NO_DIGITS: Wording(
        "数字がない（「なし」など）",
        "no digits",
        "番号がないなら空欄にしてください",
        "empty the field if there is no number",
    ),
    Fault.PLACEHOLDER: Wording(
        "仮の番号（0000…など）", "a placeholder, such as 0000", "空欄にしてください", "empty the field"
    ),
    Fault.SEVERAL: Wording(
        "1つの欄に2つ以上の番号",
        "two or more numbers in one field",
        "1つの欄に1つずつ、別の欄に分けてください",
        "one number in each field; move the others to fields of their own",
    ),
    Fault.EXTENSION: Wording(
        "内線の書き方",
        "an extension in the way",
        "内線は「03-1234-5678 内線12」のように最後に書いてください",
        "write the extension last: 03-1234-5678 ext 12",
    ),
    Fault.REMARK: Wording(
        "名前やメモが混ざっている",
        "a name or a remark in it",
        "番号だけにして、名前やメモは別の欄に移してください",
        "keep the number alone; move names and remarks to another field",
    ),
    Fault.LETTER_FOR_DIGIT: Wording(
        "数字の代わりに文字（0とOなど）",
        "a letter for a digit, such as O for 0",
        "文字を数字に直してください",
        "replace the letter by the digit",
    ),
    Fault.COUNTRY_CODE: Wording(
        "国番号が違う",
        "wrong country code",
        "国内の番号は03-1234-5678、海外の番号は+1 415 555 2671の形にしてください",
        "write 03-1234-5678 at home, +1 415 555 2671 for abroad",
    ),
    Fault.DIGIT_MISSING: Wording(
        "1桁足りない", "one digit missing", "本人か名刺で番号を確かめてください", "ask, or look at the business card"
    ),
    Fault.DIGIT_TOO_MANY: Wording(
        "1桁多い", "one digit too many", "本人か名刺で番号を確かめてください", "ask, or look at the business card"
    ),
    Fault.NO_AREA_CODE: Wording(
        "市外局番がない", "no area code", "市外局番から書いてください（03-1234-5678）", "write it with the area code"
    ),
    Fault.TOO_SHORT: Wording(
        "短すぎる", "too short", "本人か名刺で番号を確かめてください", "ask, or look at the business card"
    ),
    Fault.TOO_LONG: Wording(
        "長すぎる", "too long", "本人か名刺で番号を確かめてください", "ask, or look at the business card"
    ),
    Fault.NO_SUCH_AREA: Wording(
        "ありえない市外局番・頭の番号",
        "impossible area code or prefix",
        "頭の数字を確かめてください",
        "check the first digits",
    ),
    Fault.UNREADABLE: Wording(
        "番号として読めない",
        "unreadable",
        "市外局番から（03-1234-5678）か、国番号から（+81 3 1234 5678）書いてください",
        "write it with the area code, or with + and the country code",
    ),
    Fault.SPELLING: Wording(
        "読めるが、このCRMの検索では見つからない書き方",
        "readable, but in a spelling that this CRM cannot be asked for",
        "03-1234-5678か0312345678の形にしてください。正規化フィールドを使えば、書き方は自由になります",
        "write 03-1234-5678 or 0312345678; with a normalised field any spelling will do",
    ),
    Fault.MIXED_WIDTH: Wording(
        "全角と半角の数字が混ざっている（一致はします）",
        "full- and half-width digits mixed (matches all the same)",
        "打ち間違いがないか確かめてください",
        "look for a slip",
    ),
}
