"""An app's form, and whether the mapping fits it: kintone drops unknown field codes of a write without a word, so every
code and type is held against the form before it is used. What the fields mean is ``mapping``'s."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cti_bridge.connectors.kintone.mapping import RECORD_ID, App, CallLogApp, CustomerApp, KintoneMapping, RelatedApp
from cti_bridge.connectors.kintone.mistakes import nearest

TEXT, LINES, LINK, NUMBER = "SINGLE_LINE_TEXT", "MULTI_LINE_TEXT", "LINK", "NUMBER"
DROP_DOWN, RADIO = "DROP_DOWN", "RADIO_BUTTON"
DATE, DATETIME, UPDATED, CREATED = "DATE", "DATETIME", "UPDATED_TIME", "CREATED_TIME"
USERS, RECORD_NUMBER, CALC = "USER_SELECT", "RECORD_NUMBER", "CALC"

WORDS = (TEXT, LINES, DROP_DOWN, RADIO)
MOMENTS = (DATETIME, DATE)
KEYS = (TEXT, LINK, NUMBER, RECORD_NUMBER)
ANY: tuple[str, ...] = ()
"""Any type that has a value of its own."""

NAMES = {
    TEXT: ("文字列（1行）", "single-line text"),
    LINES: ("文字列（複数行）", "multi-line text"),
    LINK: ("リンク", "link"),
    NUMBER: ("数値", "number"),
    DROP_DOWN: ("ドロップダウン", "drop-down"),
    RADIO: ("ラジオボタン", "radio button"),
    DATE: ("日付", "date"),
    DATETIME: ("日時", "date and time"),
    UPDATED: ("更新日時", "updated time"),
    CREATED: ("作成日時", "created time"),
    USERS: ("ユーザー選択", "user selection"),
    RECORD_NUMBER: ("レコード番号", "record number"),
    CALC: ("計算", "calculated"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form: ``Field("電話番号", "TEL", "SINGLE_LINE_TEXT")``. ``table`` is the table that holds it."""

    code: str
    label: str
    type: str
    required: bool = False
    unique: bool = False
    options: tuple[str, ...] = ()
    longest: int | None = None
    protocol: str = ""
    filled: bool = False
    table: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """An app's fields by code."""

    app: int
    fields: Mapping[str, Field]

    @classmethod
    def read(cls, app: int, properties: Mapping[str, Mapping[str, Any]]) -> Form:
        """From ``app/form/fields.json``."""
        found = {code: _field(code, told) for code, told in properties.items()}
        for code, told in properties.items():
            inner = told.get("fields", {}) if told.get("type") == "SUBTABLE" else {}
            found |= {each: _field(each, what, table=code) for each, what in inner.items()}
        return cls(app, found)

    def first_of(self, kind: str) -> str | None:
        """The code of the first field of this type: of ``"UPDATED_TIME"``, whatever it is called here."""
        return next((field.code for field in self.fields.values() if field.type == kind), None)

    def type_of(self, code: str) -> str:
        field = self.fields.get(code)
        return field.type if field else ""

    def label_of(self, code: str) -> str:
        field = self.fields.get(code)
        return field.label or code if field else code


@dataclass(frozen=True, slots=True)
class Wanted:
    """A field that the mapping names: by which key, and of which types it may be."""

    key: str
    code: str
    types: tuple[str, ...]
    unique: bool = False
    telephone: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not fit, for an administrator."""

    ja: str
    en: str

    def __str__(self) -> str:
        return f"{self.ja} / {self.en}"


def wanted(app: App, mapping: KintoneMapping) -> list[Wanted]:
    """Every field of this app that the mapping names, whatever part the app plays."""
    parts: list[Wanted] = []
    for customers in mapping.customers:
        if customers.app == app.app:
            parts += _of_customers(customers)
            parts += [
                Wanted("related.join.customer", key, KEYS)
                for related in mapping.related_to(customers)
                if (key := related.join.customer) != RECORD_ID
            ]
    if app.app == mapping.call_log.app:
        parts += _of_call_log(mapping.call_log)
    for related in mapping.related:
        if related.app == app.app:
            parts += _of_related(related)
    return list(dict.fromkeys(parts))


def faults(form: Form, wishes: Iterable[Wanted]) -> list[Fault]:
    """What of the mapping does not fit the form: unknown codes, wrong types, a unique field that is none."""
    return [fault for wish in wishes for fault in _faults(form, wish)]


def _of_customers(app: CustomerApp) -> list[Wanted]:
    return [
        *(Wanted("customers.name", code, (TEXT, LINES, CALC)) for code in app.name),
        *(Wanted("customers.reading", code, (TEXT, LINES, CALC)) for code in app.reading),
        *(Wanted("customers.company", code, (*WORDS, CALC)) for code in [app.company] if code),
        *(Wanted("customers.phones", code, (TEXT, LINK), telephone=True) for code in app.phones),
        *(Wanted("customers.normalised", code, (TEXT, LINK), telephone=True) for code in app.normalised),
        *(Wanted("customers.show", code, ANY) for code in app.show),
        *(Wanted("customers.customer_number", code, KEYS) for code in [app.customer_number] if code),
        *(Wanted("customers.touched", code, (*MOMENTS, UPDATED, CREATED)) for code in [app.touched] if code),
    ]


def _of_related(app: RelatedApp) -> list[Wanted]:
    return [
        Wanted("related.join.field", app.join.field, KEYS),
        Wanted("related.title", app.title, ANY),
        *(Wanted("related.detail", code, ANY) for code in app.detail),
        *(Wanted("related.at", code, (*MOMENTS, UPDATED, CREATED)) for code in [app.at] if code),
    ]


LOG_TYPES: dict[str, tuple[str, ...]] = {
    "call_id": (TEXT,),
    "subject": (TEXT, LINES),
    "body": (TEXT, LINES),
    "note": (TEXT, LINES),
    "disposition": WORDS,
    "direction": WORDS,
    "outcome": WORDS,
    "party": (TEXT, LINES, LINK),
    "line": WORDS,
    "agent": (USERS, TEXT, LINES),
    "started_at": MOMENTS,
    "ended_at": MOMENTS,
    "talk_seconds": (NUMBER, TEXT),
    "customer_id": (TEXT,),
    "customer_app": (NUMBER, TEXT),
    "customer_record": (NUMBER, TEXT),
    "customer_number": (NUMBER, TEXT),
    "customer_name": (TEXT, LINES),
    "customer_url": (LINK, TEXT, LINES),
    "related_id": (TEXT,),
    "related_url": (LINK, TEXT, LINES),
    "recording_id": (TEXT,),
    "recording_url": (LINK, TEXT, LINES),
}
"""Which types of field can take what a call log says."""


def _of_call_log(app: CallLogApp) -> list[Wanted]:
    return [
        Wanted(f"call_log.fields.{key}", code, LOG_TYPES[key], unique=key == "call_id")
        for key, code in app.fields.mapped().items()
    ]


def _faults(form: Form, wish: Wanted) -> Iterator[Fault]:
    field = form.fields.get(wish.code)
    if field is None:
        yield _unknown(form, wish)
    elif field.table:
        yield Fault(
            f"アプリ{form.app}の「{wish.code}」はテーブル「{field.table}」の中にあるため使えません（対応表の {wish.key}）。"
            "テーブルの外のフィールドにしてください",
            f"“{wish.code}” of app {form.app} stands in the table “{field.table}” and cannot be used (mapping: {wish.key}); "
            "name a field outside tables",
        )
    elif wish.types and field.type not in wish.types:
        ja, en = ("・".join(NAMES[kind][0] for kind in wish.types), " or ".join(NAMES[kind][1] for kind in wish.types))
        is_ja, is_en = NAMES.get(field.type, (field.type, field.type))
        hint = ("（数値は先頭の0を失います）", " (a number loses its leading 0)") if wish.telephone else ("", "")
        hint = hint if field.type == NUMBER else ("", "")
        yield Fault(
            f"アプリ{form.app}の「{wish.code}」は{is_ja}です。対応表の {wish.key} には{ja}を使ってください{hint[0]}",
            f"“{wish.code}” of app {form.app} is a {is_en} field; {wish.key} of the mapping needs {en}{hint[1]}",
        )
    elif wish.telephone and field.type == LINK and field.protocol not in ("", "CALL"):
        yield Fault(
            f"アプリ{form.app}の「{wish.code}」は電話番号のリンクではありません（{field.protocol}）。対応表の {wish.key}"
            " には種類が「電話番号」のリンクを使ってください",
            f"“{wish.code}” of app {form.app} is a link of type {field.protocol}; {wish.key} of the mapping needs one of "
            "type telephone",
        )
    elif wish.unique and not field.unique:
        yield Fault(
            f"アプリ{form.app}の「{wish.code}」で「値の重複を禁止する」が選ばれていません（対応表の {wish.key}）。"
            "これがないと通話履歴が二重になります",
            f"“{wish.code}” of app {form.app} must prohibit duplicate values (mapping: {wish.key}), else calls would be "
            "logged twice",
        )


def _unknown(form: Form, wish: Wanted) -> Fault:
    labelled = next((field for field in form.fields.values() if field.label == wish.code), None)
    if labelled is not None:
        return Fault(
            f"アプリ{form.app}の「{wish.code}」はフィールド名で、フィールドコードは「{labelled.code}」です"
            f"（対応表の {wish.key}）",
            f"“{wish.code}” is a field's name in app {form.app}; its field code is “{labelled.code}” (mapping: {wish.key})",
        )
    close = nearest(wish.code, form.fields)
    return Fault(
        f"アプリ{form.app}にフィールドコード「{wish.code}」はありません（対応表の {wish.key}）"
        + (f"。もっとも近いのは「{close}」です" if close else ""),
        f"app {form.app} has no field code “{wish.code}” (mapping: {wish.key})"
        + (f"; the nearest is “{close}”" if close else ""),
    )


def _field(code: str, told: Mapping[str, Any], table: str = "") -> Field:
    options = told.get("options")
    longest = str(told.get("maxLength") or "")
    default = told.get("defaultValue")
    return Field(
        code=code,
        label=str(told.get("label") or code),
        type=str(told.get("type", "")),
        required=told.get("required") is True,
        unique=told.get("unique") is True,
        options=tuple(options) if isinstance(options, dict) else (),
        longest=int(longest) if longest.isdigit() else None,
        protocol=str(told.get("protocol") or ""),
        filled=bool(default) or told.get("defaultNowValue") is True or bool(told.get("expression")),
        table=table,
    )
