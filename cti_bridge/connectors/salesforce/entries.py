"""What agents enter: a new Contact or Lead, and one more number of somebody known. Duplicate rules are honoured."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

import phonenumbers
from phonenumbers import PhoneNumberType

from cti_bridge.connectors.salesforce.lookup import Lookup
from cti_bridge.connectors.salesforce.problems import SalesforceRefused
from cti_bridge.connectors.salesforce.records import LOCAL_NAMES, Shape, japanese, shapes
from cti_bridge.connectors.salesforce.schema import Described
from cti_bridge.connectors.salesforce.soql import fit, quoted, select, storable
from cti_bridge.model import Contact, ContactDraft, Language
from cti_bridge.phone import PhoneNumber

MOBILE_FIRST = ("MobilePhone", "PersonMobilePhone", "Phone", "OtherPhone", "PersonOtherPhone")
FIXED_FIRST = ("Phone", "HomePhone", "PersonHomePhone", "OtherPhone", "PersonOtherPhone", "MobilePhone")
_MOBILES = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_WITHOUT_COMPANY: dict[Language, str] = {"ja": "（個人）", "en": "(individual)"}


@dataclass(frozen=True)
class Entries:
    """Writes contacts. Raises ConnectorUnavailable and SalesforceRefused."""

    lookup: Lookup
    language: Language
    companies: threading.Lock = field(default_factory=threading.Lock)

    def create(self, draft: ContactDraft) -> Contact:
        """A new record of the kind that is set, read back; its company is found by its exact name, or made."""
        name = " ".join(storable(draft.name).split())
        if not name:
            raise SalesforceRefused(
                "氏名を入力してください。 / A contact needs a name.",
                code="REQUIRED_FIELD_MISSING",
                fields=("LastName",),
            )
        made = self.lookup.ask(lambda described: self._create(described, replace(draft, name=name)))
        contact = self.lookup.get(made)
        if contact is None:
            raise SalesforceRefused(
                "登録しましたが、CTI Bridge用ユーザーには見えません。"
                "SALESFORCE_PHONE_FIELDS と共有設定を確認してください。 / "
                "It was created, but the bridge's user cannot see it; check SALESFORCE_PHONE_FIELDS and sharing.",
                code="NOT_FOUND",
            )
        return contact

    def add_number(self, contact: Contact, number: PhoneNumber) -> Contact:
        """The contact, read anew, with this number in the telephone field that suits it best among the free ones."""
        now = self.lookup.get(contact.id)
        if now is None:
            raise SalesforceRefused("この顧客はもうありません。 / This contact is no more.", code="NOT_FOUND")
        if any(PhoneNumber.find(held.text, self.lookup.region) == number for held in now.numbers):
            return now
        self.lookup.ask(lambda described: self._add(described, now, number))
        return self.lookup.get(contact.id) or now

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _create(self, described: Described, draft: ContactDraft) -> str:
        name = self.lookup.settings.create_as
        shape = next((one for one in shapes(described, self.lookup.settings) if one.table.name == name), None)
        if shape is None:
            raise SalesforceRefused(
                f"{name}を登録する権限がないか、SALESFORCE_PHONE_FIELDS に{name}の電話項目がありません。 / "
                f"The bridge's user may not create a {name}, or SALESFORCE_PHONE_FIELDS names none of its fields.",
                code="INVALID_TYPE",
            )
        family, given = split_name(draft.name)
        values = {"LastName": family, "FirstName": given, **_reading(shape, draft.reading)}
        number = PhoneNumber(draft.number)
        values |= dict.fromkeys(_fitting(shape, number)[:1], number.display(self.lookup.region))
        company = " ".join(storable(draft.company).split())
        if name == "Lead":
            values["Company"] = company or _WITHOUT_COMPANY[self.language]
        columns = shape.table.columns
        fitted = {key: fit(value, columns[key].length) for key, value in values.items() if key in columns and value}
        if name == "Contact" and company and shape.company:
            fitted["AccountId"] = self._company(company, described)
        try:
            return str(self.lookup.org.write("POST", name, fitted)["id"])
        except SalesforceRefused as problem:
            raise self._explained(problem) from None

    def _company(self, name: str, described: Described) -> str:
        length = described.tables["Account"].columns["Name"].length
        wanted = fit(name, length)
        with self.companies:  # two agents who enter two people of one new company
            query = select(["Id"], "Account", f"Name = {quoted(wanted)}", "CreatedDate", 1)
            [rows] = self.lookup.org.rows(query)
            return str(rows[0]["Id"] if rows else self.lookup.org.write("POST", "Account", {"Name": wanted})["id"])

    def _add(self, described: Described, contact: Contact, number: PhoneNumber) -> None:
        shape = next(one for one in shapes(described, self.lookup.settings) if one.table.prefix == contact.id[:3])
        taken = {held.label.rpartition(".")[2] for held in contact.numbers}
        free = [name for name in _fitting(shape, number) if name not in taken]
        if not free:
            raise SalesforceRefused(
                "空いている電話番号項目がありません。Salesforceで番号を整理してください。 / "
                "No telephone field of this record is free; make room in Salesforce.",
                code="NO_FREE_FIELD",
            )
        try:
            path = f"{shape.table.name}/{contact.id}"
            self.lookup.org.write("PATCH", path, {free[0]: number.display(self.lookup.region)})
        except SalesforceRefused as problem:
            raise self._explained(problem) from None

    def _explained(self, problem: SalesforceRefused) -> SalesforceRefused:
        """A duplicate with the links of the records that are there already."""
        if not problem.ids:
            return problem
        links = " ".join(f"{self.lookup.settings.lightning_origin}/{found}" for found in problem.ids[:3])
        return SalesforceRefused(f"{problem} {links}", code=problem.code, fields=problem.fields, ids=problem.ids)


def split_name(name: str) -> tuple[str, str]:
    """Family and given name of ``"山本 さくら"`` (family first) or ``"Emily Mary Carter"`` (family last)."""
    first, _, rest = name.partition(" ")
    if japanese(name):
        return first, rest
    given, _, family = name.rpartition(" ")
    return family, given


def _reading(shape: Shape, reading: str) -> dict[str, str]:
    """Furigana into its fields, family name first."""
    words = " ".join(storable(reading).split())
    if not words or not shape.reading:
        return {}
    if len(shape.reading) == 1 or shape.reading == LOCAL_NAMES[0][:1]:
        return {shape.reading[0]: words}
    family, _, given = words.partition(" ")
    return {shape.reading[0]: family, shape.reading[1]: given}


def _fitting(shape: Shape, number: PhoneNumber) -> list[str]:
    """The writable telephone fields of the object, the best for this number first."""
    mobile = phonenumbers.number_type(phonenumbers.parse(number.e164)) in _MOBILES
    liked = MOBILE_FIRST if mobile else FIXED_FIRST
    writable = [name for name in shape.phones if shape.table.columns[name].updateable]
    return sorted(writable, key=lambda name: liked.index(name) if name in liked else len(liked))
