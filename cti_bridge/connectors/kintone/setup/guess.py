"""Which field probably holds what, told from labels, codes and types: a first guess that an administrator corrects."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cti_bridge.connectors.kintone.form import (
    CALC,
    CREATED,
    DATE,
    DATETIME,
    DROP_DOWN,
    KEYS,
    LINK,
    NUMBER,
    RADIO,
    RECORD_NUMBER,
    TEXT,
    UPDATED,
    USERS,
    Field,
    Form,
)
from cti_bridge.connectors.kintone.mapping import RECORD_ID, Code

_CODE: TypeAdapter[str] = TypeAdapter(Code)

PHONE = r"電話|携帯|tel(?![a-z])|phone|mobile|\bcell\b|ケータイ|でんわ|スマホ|代表番号|直通|自宅番号"
NOT_PHONE = r"メモ|備考|内容|対応|時間|希望|区分|種別|結果|状況|担当|note|memo|time|type|status|result|e-?mail|url"
FAX = r"fax|ファックス|ファクス|ファクシミリ"
NORMALISED = r"正規化|normali[sz]ed|e\.?164"
READING = r"ふりがな|フリガナ|よみ|ヨミ|読み|カナ|かな(?!い)|kana|reading|phonetic"
COMPANY = (
    r"会社名|企業名|法人名|勤務先|取引先名|会社|貴社名|御社名|店舗名|company|account name|organi[sz]ation|^account$"
)
NAME = r"氏名|お名前|^名前$|名前|顧客名|お客様名|会員名|患者名|担当者名|full ?name|^name$|contact name|customer name"
FAMILY, GIVEN = r"^(姓|名字|苗字|氏|last ?name|family ?name|surname)$", r"^(名|first ?name|given ?name)$"
FAMILY_READING = r"^(セイ|せい|姓.*(カナ|かな|フリガナ|ふりがな))$"
GIVEN_READING = r"^(メイ|めい|名.*(カナ|かな|フリガナ|ふりがな))$"
NUMBER_OF_CUSTOMER = (
    r"(顧客|会員|お客様|取引先|得意先|患者|利用者|契約)(番号|コード|no\.?|id|ｉｄ)|"
    r"(customer|client|account|member)[ _]?(number|no\.?|id|code)"
)
TOUCHED = r"最終(対応|連絡|接触|通話|来店|訪問|商談)|last (contact|call|visit|activity)"
SHOWN = r"ランク|ステータス|区分|会員種別|担当|プラン|rank|tier|status|owner|plan"
STATE = r"ステータス|状況|状態|進捗|status|state|stage"
CLOSED = r"完了|済|終了|クローズ|失注|受注|解決|キャンセル|取消|closed|done|won|lost|resolved|cancel"
KINDS = {
    "appointment": r"予約|アポ|予定|appointment|booking|reservation",
    "visit": r"来店|訪問|来院|visit",
    "order": r"受注|注文|発注|購入|売上|契約|order|sales|purchase",
    "deal": r"商談|案件|見積|deal|opportunit|quote",
    "email": r"メール|e-?mail",
    "note": r"メモ|日報|報告|活動|note|report",
}
"""What a related app is about, by its name; anything else is a case."""


@dataclass(frozen=True, slots=True)
class Customers:
    """A guess at one ``[[customers]]``. ``candidates`` are the fields that nobody was found for."""

    kind: str
    name: tuple[str, ...]
    reading: tuple[str, ...] = ()
    company: str = ""
    phones: tuple[str, ...] = ()
    normalised: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    customer_number: str = ""
    touched: str = ""
    unsure: bool = False
    numeric_phones: tuple[str, ...] = ()
    candidates: tuple[Field, ...] = ()

    def codes(self) -> list[str]:
        known = (self.name, self.reading, self.phones, self.normalised, self.show)
        return [code for codes in known for code in codes] + [self.company, self.customer_number, self.touched]


@dataclass(frozen=True, slots=True)
class Related:
    """A guess at one ``[[related]]``; ``join_field`` is empty when nothing seems to name the customer."""

    kind: str
    join_field: str
    join_customer: str
    join_app: int | None
    title: str
    detail: tuple[str, ...] = ()
    at: str = ""
    open: str = ""
    candidates: tuple[Field, ...] = field(default_factory=tuple)


def phones_of(form: Form) -> list[Field]:
    """The telephone fields: links of type telephone first, then texts with such a name. Fax numbers are left out."""
    links = [each for each in usable(form) if each.type == LINK and each.protocol == "CALL"]
    texts = [each for each in usable(form) if each.type == TEXT and _named(each, PHONE) and not _named(each, NOT_PHONE)]
    return [each for each in [*links, *texts] if not _named(each, FAX) and not _named(each, NORMALISED)]


def normalised_of(form: Form, phones: list[Field]) -> dict[str, Field]:
    """The normalised field of each telephone field, by the latter's code; where the names tell whose it is."""
    held = [each for each in usable(form) if each.type in (TEXT, LINK) and _named(each, NORMALISED)]
    found = {}
    for phone in phones:
        bare = {_bare(phone.code), _bare(phone.label)}
        own = next((each for each in held if {_bare(each.code), _bare(each.label)} & bare), None)
        if own is not None:
            found[phone.code] = own
    if not found and len(phones) == 1 and len(held) == 1:
        found[phones[0].code] = held[0]
    return found


def customers_of(form: Form) -> Customers:
    """The guess for a customer app."""
    fields = list(usable(form))
    left = [each for each in fields if not _named(each, PHONE) and not _named(each, NORMALISED)]
    phones = phones_of(form)
    beside = normalised_of(form, phones)
    phones = [*(each for each in phones if each.code in beside), *(each for each in phones if each.code not in beside)]
    texts = [each for each in left if each.type in (TEXT, CALC)]
    reading = _pair(texts, FAMILY_READING, GIVEN_READING) or _one(texts, READING, unlike=COMPANY)
    texts = [each for each in texts if each.code not in reading and not _named(each, READING)]
    name = _pair(texts, FAMILY, GIVEN) or _one(texts, NAME, unlike=r"会社|企業|法人|company|商品|件名|案件")
    company = "".join(_one([each for each in texts if each.code not in name], COMPANY, unlike=r"住所|電話|address"))
    kind = "company" if company and not name else "person"
    unsure = not name and not company
    if not name:
        name, company = ((company,) if company else tuple(each.code for each in texts[:1])), ""
    number = "".join(_one([each for each in left if each.type in KEYS and each.code not in name], NUMBER_OF_CUSTOMER))
    touched = "".join(_one([each for each in left if each.type in (DATE, DATETIME)], TOUCHED))
    shown = [each for each in left if each.type in (DROP_DOWN, RADIO, USERS) and _named(each, SHOWN)]
    guess = Customers(
        kind=kind,
        name=name,
        reading=reading,
        company=company,
        phones=tuple(each.code for each in phones),
        normalised=tuple(beside[each.code].code for each in phones if each.code in beside),
        show=tuple(each.code for each in shown[:2]),
        customer_number=number,
        touched=touched,
        unsure=unsure,
        numeric_phones=tuple(each.code for each in fields if each.type == NUMBER and _named(each, PHONE)),
    )
    used = set(guess.codes())
    return Customers(
        **{key: getattr(guess, key) for key in guess.__slots__ if key != "candidates"},
        candidates=tuple(each for each in fields if each.code not in used),
    )


def related_of(
    form: Form, name: str, properties: Mapping[str, Mapping[str, Any]], customers: Mapping[int, Customers]
) -> Related:
    """The guess for an app that belongs to customers: joined by its look-up field, else by a field both have."""
    fields = list(usable(form))
    kind = next((kind for kind, words in KINDS.items() if re.search(words, _plain(name))), "case")
    join_field, join_customer, join_app = _join(fields, properties, customers)
    others = [each for each in fields if each.code != join_field]
    texts = [each for each in others if each.type == TEXT]
    title = _one(texts, r"件名|タイトル|題名|商品|品名|内容|案件名|メニュー|title|subject|name|item") or tuple(
        each.code for each in texts[:1]
    )
    state = next((each for each in others if each.type in (DROP_DOWN, RADIO) and _named(each, STATE)), None)
    moments = [each for each in others if each.type in (DATE, DATETIME)]
    at = _one(moments, r"日時|日付|予約|受注|受付|date|at$") or tuple(each.code for each in moments[:1])
    over = [option for option in state.options if re.search(CLOSED, _plain(option))] if state else []
    listed = ", ".join('"' + option.replace("\\", "\\\\").replace('"', '\\"') + '"' for option in over)
    used = {join_field, *title, *at, state.code if state else ""}
    return Related(
        kind=kind if kind != "appointment" or at else "note",
        join_field=join_field,
        join_customer=join_customer,
        join_app=join_app,
        title="".join(title[:1]) or (others[0].code if others else form.first_of(RECORD_NUMBER) or "レコード番号"),
        detail=(state.code,) if state else (),
        at="".join(at[:1]),
        open=f"{state.code} not in ({listed})" if state and over and kind not in ("appointment", "visit") else "",
        candidates=tuple(each for each in fields if each.code not in used),
    )


def usable(form: Form) -> Iterator[Field]:
    """The fields that a mapping can name: outside tables, holding something, with a code that queries can carry."""
    for each in form.fields.values():
        if each.table or each.type in _NEVER:
            continue
        try:
            _CODE.validate_python(each.code)
        except ValidationError:
            continue
        yield each


_NEVER = {
    "SUBTABLE",
    "GROUP",
    "REFERENCE_TABLE",
    "CATEGORY",
    "FILE",
    "STATUS",
    "STATUS_ASSIGNEE",
    "MODIFIER",
    "CREATOR",
}
_NEVER |= {RECORD_NUMBER, CREATED, UPDATED}
"""What holds nothing, or nothing that is this company's own."""


def _join(
    fields: list[Field], properties: Mapping[str, Mapping[str, Any]], customers: Mapping[int, Customers]
) -> tuple[str, str, int | None]:
    for each in fields:
        lookup = properties.get(each.code, {}).get("lookup") or {}
        app = str((lookup.get("relatedApp") or {}).get("app") or "")
        if app.isdigit() and int(app) in customers and each.type in KEYS:
            key = str(lookup.get("relatedKeyField") or "")
            kept = key if _is_code(key) else RECORD_ID
            return each.code, RECORD_ID if kept == "レコード番号" else kept, int(app)
    for app_number, guess in customers.items():
        number = guess.customer_number
        same = next((each for each in fields if number and each.code == number and each.type in KEYS), None)
        same = same or next(
            (each for each in fields if number and each.type in KEYS and _named(each, NUMBER_OF_CUSTOMER)), None
        )
        if same is not None:
            return same.code, number, app_number
    return "", RECORD_ID, None


def _is_code(text: str) -> bool:
    try:
        _CODE.validate_python(text)
    except ValidationError:
        return False
    return True


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _bare(text: str) -> str:
    """A normalised field's name without the word that says so, for comparing it with its telephone field's."""
    return re.sub(r"[\W_]", "", re.sub(rf"{NORMALISED}|済み?", "", _plain(text)))


def _named(each: Field, words: str) -> bool:
    return any(re.search(words, _plain(text)) for text in (each.label, each.code))


def _one(fields: list[Field], words: str, *, unlike: str = "") -> tuple[str, ...]:
    """The code of the field that these words fit best: its whole name before a part of it, the first before the next."""
    fitting = [each for each in fields if _named(each, words) and not (unlike and _named(each, unlike))]
    whole = (each for each in fitting if any(re.fullmatch(words, _plain(text)) for text in (each.label, each.code)))
    best = next(whole, fitting[0] if fitting else None)
    return (best.code,) if best else ()


def _pair(fields: list[Field], first: str, second: str) -> tuple[str, ...]:
    """The codes of two fields that hold the parts of one thing: 姓 and 名."""
    one, other = _one(fields, first), _one(fields, second)
    return (*one, *other) if one and other and one != other else ()
