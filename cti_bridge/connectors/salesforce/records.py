"""A record as a contact: which fields of each object say name, furigana, company and numbers. Asks nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from cti_bridge.connectors.salesforce.schema import Described, Table, contact_objects
from cti_bridge.connectors.salesforce.session import Row
from cti_bridge.connectors.salesforce.settings import SalesforceSettings, fields_of
from cti_bridge.model import Contact, ContactKind, ContactNumber, Language
from cti_bridge.phone import PhoneNumber

LABELS: Mapping[str, tuple[str, str]] = {
    "Phone": ("電話", "Phone"),
    "MobilePhone": ("携帯", "Mobile"),
    "HomePhone": ("自宅電話", "Home Phone"),
    "OtherPhone": ("その他の電話", "Other Phone"),
    "AssistantPhone": ("アシスタント電話", "Assistant Phone"),
    "PersonMobilePhone": ("携帯", "Mobile"),
    "PersonHomePhone": ("自宅電話", "Home Phone"),
    "PersonOtherPhone": ("その他の電話", "Other Phone"),
    "PersonAssistantPhone": ("アシスタント電話", "Assistant Phone"),
}
"""Salesforce's own telephone fields as its screens call them. Describe speaks only the language of its user."""

LOCAL_NAMES = (("LastNameLocal", "FirstNameLocal"), ("NameLocal",))
_FAX = re.compile(r"fax|ファックス|ﾌｧｯｸｽ", re.IGNORECASE)
_READING = re.compile(r"furigana|kana\b|kana_|フリガナ|ふりがな|カナ|読み", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shape:
    """How an object's records become contacts: ``phones`` and the like are names of its fields.

    ``typed`` are those that a normalised field may have been made of, also where nobody is to be looked up by them.
    """

    table: Table
    kind: ContactKind
    phones: tuple[str, ...]
    normalised: tuple[str, ...]
    typed: tuple[str, ...]
    reading: tuple[str, ...]
    company: str | None

    @property
    def fields(self) -> tuple[str, ...]:
        """What to select."""
        names = ("FirstName", "LastName", "Title", "PersonTitle")
        more = self.table.having(*names, "IsPersonAccount", "PersonContactId", "IsConverted", "ConvertedContactId")
        linked = self.table.having("AccountId") if self.table.name == "Contact" else ()
        company = (self.company,) if self.company else ()
        wanted = ("Id", self.table.name_column, *more, *linked, *company, *self.reading, *self.phones)
        wanted += (*self.normalised, *self.typed)
        return tuple(dict.fromkeys(wanted))

    @property
    def searched(self) -> tuple[str, ...]:
        """The fields in which an agent's words are searched."""
        number = self.table.having("AccountNumber")
        company = (self.company,) if self.company else ()
        return (self.table.name_column, *self.reading, *company, *number)

    @property
    def condition(self) -> str:
        """Which records are contacts at all: no converted leads, no person accounts a second time."""
        if "IsConverted" in self.table.columns:
            return " AND IsConverted = false"
        if self.table.name == "Contact" and "IsPersonAccount" in self.table.columns:
            return " AND IsPersonAccount = false"
        return ""

    def contact(self, row: Row, url: str, region: str) -> Contact:
        """The record as a contact, without its story. A normalised number is told where no typed one says the same."""
        numbers = [ContactNumber(self._label(name), row[name]) for name in self.phones if row.get(name)]
        told = {PhoneNumber.find(number.text, region) for number in numbers}
        typed = {PhoneNumber.find(row[name], region) for name in self.typed if row.get(name)}
        for name in self.normalised:
            held = PhoneNumber.find(str(row.get(name) or ""), region)
            stale = typed and None not in typed and held not in typed  # somebody typed a new number, and no Flow ran
            if held is not None and held not in told and not stale:
                numbers.append(ContactNumber(self._label(name), str(row[name])))
        person = self.kind is ContactKind.PERSON or bool(row.get("IsPersonAccount"))
        return Contact(
            id=row["Id"],
            kind=ContactKind.PERSON if person else ContactKind.COMPANY,
            name=full_name(str(row.get(self.table.name_column) or ""), row.get("LastName"), row.get("FirstName")),
            reading=" ".join(str(row[name]) for name in self.reading if row.get(name)),
            company=_value(row, self.company),
            title=str(row.get("Title") or row.get("PersonTitle") or ""),
            url=url,
            numbers=tuple(numbers),
        )

    def _label(self, field: str) -> str:
        return f"{self.table.name}.{field}"


def shapes(described: Described, settings: SalesforceSettings) -> list[Shape]:
    """The objects that hold contacts, as far as the org shows them, in the order in which they are shown."""
    tables = [described.tables[name] for name in contact_objects(settings) if name in described.tables]
    return [_shape(table, described, settings) for table in tables]


def label(field: str, language: Language, described: Described | None) -> str:
    """What a reader calls ``Contact.MobilePhone``: 携帯, Mobile; a field of the org's own as describe calls it."""
    sobject, _, name = field.partition(".")
    known = LABELS.get(name)
    if known:
        return known[language == "en"]
    table = described.tables.get(sobject) if described else None
    column = table.columns.get(name) if table else None
    return column.label if column else name or field


def _shape(table: Table, described: Described, settings: SalesforceSettings) -> Shape:
    company = {"Contact": "Account.Name", "Lead": "Company"}.get(table.name)
    if table.name == "Contact" and not ("AccountId" in table.columns and "Account" in described.tables):
        company = None
    normalised = table.having(*fields_of(settings.normalised_fields, table.name))
    phones = phones_of(table, settings)
    return Shape(
        table=table,
        kind=ContactKind.COMPANY if table.name in settings.company_objects else ContactKind.PERSON,
        phones=phones,
        normalised=normalised,
        typed=tuple(dict.fromkeys([*phones, *_telephones(table, normalised)])) if normalised else (),
        reading=_reading_of(table, settings),
        company=company,
    )


def phones_of(table: Table, settings: SalesforceSettings) -> tuple[str, ...]:
    """The telephone fields to look in: those set, else all of type phone except fax."""
    if settings.phone_fields:
        return table.having(*fields_of(settings.phone_fields, table.name))
    return tuple(
        name
        for name in _telephones(table, fields_of(settings.normalised_fields, table.name))
        if table.columns[name].filterable and not (_FAX.search(name) or _FAX.search(table.columns[name].label))
    )


def _telephones(table: Table, besides: tuple[str, ...]) -> list[str]:
    return [column.name for column in table.columns.values() if column.type == "phone" and column.name not in besides]


def _reading_of(table: Table, settings: SalesforceSettings) -> tuple[str, ...]:
    if settings.reading_fields:
        return table.having(*fields_of(settings.reading_fields, table.name))
    for names in LOCAL_NAMES:
        if table.having(*names):
            return table.having(*names)
    texts = [column for column in table.columns.values() if column.type == "string" and column.name.endswith("__c")]
    return tuple(column.name for column in texts if _READING.search(column.name) or _READING.search(column.label))


def full_name(name: str, family: str | None, given: str | None) -> str:
    """A person's name as its bearer writes it: ``山本 さくら``, ``Emily Carter``.

    Salesforce puts it in the order of the bridge's user's locale, whoever bears it. A name with more parts is left alone.
    """
    parts = [part for part in ((family, given) if japanese(f"{family}{given}") else (given, family)) if part]
    whole = " ".join(parts)
    return whole if family and sorted(whole.split()) == sorted(name.split()) else name


def japanese(name: str) -> bool:
    """Whether a name is written in a script whose names begin with the family's."""
    return any(unicodedata.name(char, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL")) for char in name)


def _value(row: Row, path: str | None) -> str:
    """``row["Account"]["Name"]`` for ``Account.Name``; empty where anything is missing."""
    value: object = row
    for step in path.split(".") if path else ():
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
