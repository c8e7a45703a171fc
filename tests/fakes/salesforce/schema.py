"""What objects and fields are, and how describe tells of them. Which ones an org has is in ``standard``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .errors import Json

Row = dict[str, Any]
Compute = Callable[[Row], Any]
"""A field that nobody writes: its value from the row as stored."""

TEXT_TYPES = frozenset({"string", "textarea", "phone", "email", "url", "picklist", "combobox", "encryptedstring"})
SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
}
LONG_TEXT = 4000
"""A text area longer than 255 is a long one: it cannot be filtered, grouped or sorted."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field: ``Field(name="Phone", label="Phone", label_ja="電話", type="phone", length=40)``."""

    name: str
    label: str = ""
    label_ja: str = ""
    type: str = "string"
    length: int = 0
    digits: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    default: Any = None
    picklist: tuple[str, ...] = ()
    picklist_ja: tuple[str, ...] = ()
    restricted: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    id_lookup: bool = False
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    """What the parent calls its rows of this object: ``"Tasks"``."""
    name_field: bool = False
    auto_number: bool = False
    compute: Compute | None = None

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def filterable(self) -> bool:
        return not (self.type == "textarea" and self.length > 255)

    @property
    def required(self) -> bool:
        """Must a client send it? A field with a default, a computed one and a checkbox need not come."""
        return not self.nillable and self.createable and self.default is None and self.type != "boolean"

    @property
    def is_text(self) -> bool:
        return self.type in TEXT_TYPES

    def describe(self, language: str, *, createable: bool, updateable: bool) -> Json:
        japanese = language.startswith("ja")
        shown = self.picklist_ja if japanese and self.picklist_ja else self.picklist
        return {
            "aggregatable": True,
            "autoNumber": self.auto_number,
            "byteLength": self.length * 3,
            "calculated": self.compute is not None and self.custom,
            "caseSensitive": self.case_sensitive,
            "createable": self.createable and createable,
            "custom": self.custom,
            "defaultValue": self.default if self.type == "boolean" else None,
            "digits": self.digits,
            "externalId": self.external_id,
            "filterable": self.filterable,
            "groupable": self.filterable,
            "idLookup": self.id_lookup or self.external_id or self.type == "id",
            "label": (japanese and self.label_ja) or self.label or self.name,
            "length": self.length,
            "name": self.name,
            "nameField": self.name_field,
            "nillable": self.nillable,
            "picklistValues": [
                {
                    "active": True,
                    "defaultValue": value == self.default,
                    "label": label,
                    "validFor": None,
                    "value": value,
                }
                for value, label in zip(self.picklist, shown, strict=True)
            ],
            "polymorphicForeignKey": len(self.reference_to) > 1,
            "referenceTo": list(self.reference_to),
            "relationshipName": self.relationship,
            "restrictedPicklist": self.restricted,
            "soapType": SOAP_TYPES.get(self.type, "xsd:string"),
            "sortable": self.filterable,
            "type": self.type,
            "unique": self.unique,
            "updateable": self.updateable and updateable,
        }


@dataclass(kw_only=True)
class SObject:
    """One kind of record, with its fields by name as written."""

    name: str
    label: str
    plural: str
    label_ja: str
    prefix: str
    fields: dict[str, Field] = field(default_factory=dict)
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    searchable: bool = True
    name_group: tuple[str, ...] = ()
    """Fields that SOSL's NAME FIELDS reads besides the name."""

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    def add(self, *fields: Field) -> None:
        for one in fields:
            self.fields[one.name] = one

    def find(self, name: str) -> Field | None:
        """A field by its name in any case; queries and bodies do not count case."""
        wanted = name.casefold()
        return next((one for one in self.fields.values() if one.name.casefold() == wanted), None)

    @property
    def name_field(self) -> Field | None:
        return next((one for one in self.fields.values() if one.name_field), None)


@dataclass(frozen=True)
class Child:
    """Rows of another object that point here: ``Child("Tasks", "Task", "WhoId")``."""

    name: str | None
    sobject: str
    field: str


class Schema:
    """All objects of an org."""

    def __init__(self) -> None:
        self._objects: dict[str, SObject] = {}

    def add(self, sobject: SObject) -> SObject:
        self._objects[sobject.name] = sobject
        return sobject

    def __iter__(self) -> Iterator[SObject]:
        return iter(self._objects.values())

    def __getitem__(self, name: str) -> SObject:
        found = self.find(name)
        if found is None:
            raise KeyError(f"This org has no object {name}; add it with org.add_object().")
        return found

    def find(self, name: str) -> SObject | None:
        wanted = name.casefold()
        return next((one for one in self._objects.values() if one.name.casefold() == wanted), None)

    def by_prefix(self, record_id: str) -> SObject | None:
        return next((one for one in self._objects.values() if one.prefix == record_id[:3]), None)

    def children(self, parent: str) -> list[Child]:
        """Which fields of which objects point to a parent."""
        return [
            Child(one.children, sobject.name, one.name)
            for sobject in self._objects.values()
            for one in sobject.fields.values()
            if parent in one.reference_to
        ]
