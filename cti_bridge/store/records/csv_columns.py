"""What the headings of customer lists mean, in Japanese and English. Rows are read in ``csv_files``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cti_bridge.store.records.text import fold

NUMBER_COLUMNS = ("phone", "mobile", "home", "fax", "other")
"""The columns that hold a person's numbers, named as the records' fields; ``company_phone`` is the company's."""


class Heading(NamedTuple):
    """A column of our own lists, and what else people call it (parted by spaces)."""

    field: str
    ja: str
    en: str
    others: str


HEADINGS = (
    Heading(
        "customer_number", "顧客番号", "customer_number", "顧客コード 顧客ID お客様番号 会員番号 customerid customerno"
    ),
    Heading("name", "氏名", "name", "名前 お名前 顧客名 担当者 担当者名 ご担当者名 姓 名 fullname contactname contact"),
    Heading("reading", "フリガナ", "reading", "カナ 氏名カナ カナ氏名 よみ 読み よみがな セイ メイ kana furigana"),
    Heading(
        "company", "会社名", "company", "会社 企業名 法人名 勤務先 取引先 取引先名 companyname organization accountname"
    ),
    Heading("company_reading", "会社名フリガナ", "company_reading", "会社名カナ 会社カナ companykana"),
    Heading("title", "部署・役職", "title", "部署 役職 部署名 役職名 department jobtitle position"),
    Heading("phone", "電話", "phone", "電話番号 TEL 固定電話 直通 直通電話 勤務先電話 telephone phonenumber workphone"),
    Heading("mobile", "携帯", "mobile", "携帯電話 携帯番号 携帯電話番号 スマホ mobilephone cell cellphone"),
    Heading("home", "自宅", "home", "自宅電話 自宅電話番号 homephone"),
    Heading("fax", "FAX", "fax", "ファックス ファクス FAX番号 faxnumber"),
    Heading("other", "その他の電話", "other_phone", "その他電話 連絡先 other"),
    Heading("company_phone", "代表電話", "company_phone", "代表番号 代表電話番号 会社電話 mainphone switchboard"),
    Heading("email", "メール", "email", "メールアドレス Eメール mail emailaddress"),
    Heading("note", "備考", "note", "メモ コメント notes memo remarks comment"),
)

JOINED = frozenset({"name", "reading", "title", *NUMBER_COLUMNS, "company_phone"})
"""Fields that several columns may fill together: 姓 and 名, 部署 and 役職, 電話1 and 電話2."""


def _plain(heading: str) -> str:
    return re.sub(r"[_/()\[\]*:：]", "", fold(heading))


_MEANINGS = {
    _plain(word): heading.field for heading in HEADINGS for word in (heading.ja, heading.en, *heading.others.split())
}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one file: what each one's heading is, and which field it fills (None: ignored)."""

    headings: tuple[str, ...]
    fields: tuple[str | None, ...]

    @property
    def known(self) -> tuple[str, ...]:
        return tuple(name for name in self.fields if name)

    @property
    def ignored(self) -> tuple[str, ...]:
        """The headings that mean nothing to us, as they stand in the file."""
        return tuple(text for text, name in zip(self.headings, self.fields, strict=True) if text and not name)

    @property
    def names_somebody(self) -> bool:
        return "name" in self.fields or "company" in self.fields

    @property
    def naming(self) -> str:
        """The heading of the column that should have named the customer."""
        return self.heading_of("name") or self.heading_of("company")

    @property
    def number_columns(self) -> tuple[int, ...]:
        wanted = {*NUMBER_COLUMNS, "company_phone"}
        return tuple(index for index, name in enumerate(self.fields) if name in wanted)

    def of(self, name: str) -> tuple[int, ...]:
        """The places of the columns that fill this field."""
        return tuple(index for index, field in enumerate(self.fields) if field == name)

    def heading_of(self, name: str) -> str:
        return next((self.headings[index] for index in self.of(name)), "")


def read_headings(cells: Sequence[str]) -> Columns:
    """What the first row's cells mean. Of two columns for one field that takes only one, the second is ignored."""
    fields: list[str | None] = []
    for cell in cells:
        plain = _plain(cell)
        name = _MEANINGS.get(plain) or _MEANINGS.get(re.sub(r"\d$", "", plain))
        fields.append(name if name in JOINED or name not in fields else None)
    return Columns(tuple(cells), tuple(fields))
