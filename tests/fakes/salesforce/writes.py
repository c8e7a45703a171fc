"""Create, update, upsert and delete as the API allows them: rights, required fields, references, uniqueness, rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .errors import Json, NotPlayed, Refused, SeveralMatch, no_rights, no_such_column, not_found
from .ids import read_id
from .rights import Rights
from .rows import Rows
from .schema import Field, Row, SObject
from .values import read_value


@dataclass(frozen=True)
class DuplicateRule:
    """Records of an object that are alike in all of some fields; ``alert`` may be overruled, a block may not."""

    sobject: str
    fields: tuple[str, ...]
    alert: bool = True
    name: str = "Standard_Rule"
    message: str = "Use one of these records?"


class Writes:
    """What a signed-in user does to records."""

    def __init__(self, rows: Rows, rights: Callable[[], Rights]) -> None:
        self.rows = rows
        self.rules: list[DuplicateRule] = []
        self._rights = rights

    def create(self, sobject: SObject, body: object, user_id: str, *, allow_duplicates: bool = False) -> str:
        """Returns the new record's id."""
        if not self._rights().may_create(sobject):
            raise no_rights(f"You do not have the level of access necessary to create {sobject.label} records.")
        values = self._read(sobject, body, creating=True)
        missing = [one.name for one in sobject.fields.values() if one.required and values.get(one.name) is None]
        if sobject.name == "Account" and values.get("LastName"):
            missing = []  # a person account's name is made of first and last name
        if missing:
            raise _missing(missing)
        self._check(sobject, values, None, user_id, allow_duplicates)
        return str(self.rows.insert(sobject, values, user_id)["Id"])

    def update(
        self, sobject: SObject, record_id: str, body: object, user_id: str, *, allow_duplicates: bool = False
    ) -> None:
        row = self.fetch(sobject, record_id)
        if not self._rights().may_update(sobject):
            raise no_rights()
        values = self._read(sobject, body, creating=False)
        emptied = [name for name, value in values.items() if value is None and not sobject.fields[name].nillable]
        if emptied:
            raise _missing(emptied)
        self._check(sobject, values, row, user_id, allow_duplicates)
        self.rows.update(sobject, row, values, user_id)

    def delete(self, sobject: SObject, record_id: str) -> None:
        row = self.fetch(sobject, record_id)
        if not sobject.deletable:
            raise no_rights()
        self.rows.delete(row)

    def fetch(self, sobject: SObject, record_id: str) -> Row:
        """A live record by id."""
        found = read_id(record_id)
        if found is None or found[:3] != sobject.prefix:
            message = f"{sobject.label} ID: id value of incorrect type: {record_id}"
            raise Refused(400, "MALFORMED_ID", message, fields=["Id"])
        row = self.rows.row(found)
        if row is None:
            raise not_found("Provided external ID field does not exist or is not accessible: " + record_id)
        if row["IsDeleted"]:
            raise Refused(404, "ENTITY_IS_DELETED", "entity is deleted", fields=[])
        return row

    def find_external(self, sobject: SObject, field: Field, text: str) -> Row | None:
        """The record that an external id names. Raises SeveralMatch."""
        found = self.rows.find(sobject, field, read_value(field, text))
        if len(found) > 1:
            raise SeveralMatch([row["Id"] for row in found])
        return found[0] if found else None

    def upsert(
        self, sobject: SObject, field: Field, text: str, body: object, user_id: str, *, allow_duplicates: bool = False
    ) -> tuple[str, bool]:
        """Returns the record's id and whether it was created."""
        if isinstance(body, Mapping) and any(key.casefold() == field.name.casefold() for key in body):
            raise Refused(400, "INVALID_FIELD", f"The {field.name} field should not be specified in the sobject data.")
        row = self.find_external(sobject, field, text)
        if row is None:
            whole = {**body, field.name: text} if isinstance(body, Mapping) else body
            return self.create(sobject, whole, user_id, allow_duplicates=allow_duplicates), True
        self.update(sobject, row["Id"], body, user_id, allow_duplicates=allow_duplicates)
        return str(row["Id"]), False

    def _read(self, sobject: SObject, body: object, *, creating: bool) -> Row:
        if not isinstance(body, Mapping):
            raise Refused(
                400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body."
            )
        fields: dict[str, Field] = {}
        for key in body:
            if key == "attributes":
                continue
            if key.casefold() == "id":
                raise Refused(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
            fields[key] = self._writable(sobject, key, body[key])
        closed = [
            one.name
            for one in fields.values()
            if not (one.createable if creating else one.updateable) or not self._rights().may_write(sobject, one)
        ]
        if closed:
            message = (
                f"Unable to create/update fields: {', '.join(closed)}. Please check the security settings of this field "
                "and verify that it is read/write for your profile or permission set."
            )
            raise Refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=closed)
        return {one.name: read_value(one, body[key]) for key, one in fields.items()}

    def _writable(self, sobject: SObject, key: str, value: object) -> Field:
        found = self._rights().find_field(sobject, key)
        if found is None and isinstance(value, Mapping):
            raise NotPlayed(f"a reference by external id in a write: {key}")
        if found is None:
            raise Refused(400, "INVALID_FIELD", no_such_column(key, sobject.name, where="sobject of type"))
        return found

    def _check(self, sobject: SObject, values: Row, row: Row | None, user_id: str, allow_duplicates: bool) -> None:
        for name, value in values.items():
            if sobject.fields[name].type == "reference" and value is not None:
                self._check_reference(sobject.fields[name], value)
        after = {**(row or {}), **values}
        if sobject.name in {"Task", "Event"} and str(after.get("WhoId")).startswith("00Q") and after.get("WhatId"):
            message = "Related To ID: a record whose Name is a lead cannot be related to another record."
            raise Refused(400, "FIELD_INTEGRITY_EXCEPTION", message, fields=["WhoId", "WhatId"])
        for name, value in values.items():
            field = sobject.fields[name]
            if field.unique and value is not None:
                self._check_unique(sobject, field, value, row)
        if not user_id:
            return
        for rule in self.rules:
            if rule.sobject == sobject.name and any(name in values for name in rule.fields):
                self._check_rule(sobject, rule, after, allow_duplicates)

    def _check_reference(self, field: Field, value: str) -> None:
        label = field.label.removesuffix(" ID")
        target = self.rows.schema.by_prefix(value)
        if target is None or target.name not in field.reference_to:
            code = "FIELD_INTEGRITY_EXCEPTION" if len(field.reference_to) > 1 else "MALFORMED_ID"
            raise Refused(400, code, f"{label} ID: id value of incorrect type: {value}", fields=[field.name])
        row = self.rows.row(value)
        if row is None:
            raise Refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[])
        if row["IsDeleted"]:
            raise Refused(400, "ENTITY_IS_DELETED", "entity is deleted", fields=[])
        if field.name == "OwnerId" and not row.get("IsActive"):
            message = f"operation performed with inactive user [{value}] as owner"
            raise Refused(400, "INACTIVE_OWNER_OR_USER", message, fields=[])

    def _check_unique(self, sobject: SObject, field: Field, value: object, row: Row | None) -> None:
        others = [one for one in self.rows.find(sobject, field, value) if row is None or one["Id"] != row["Id"]]
        if others:
            held = others[0]["Id"]
            message = f"duplicate value found: {field.name} duplicates value on record with id: {held}"
            raise Refused(400, "DUPLICATE_VALUE", message, fields=[])

    def _check_rule(self, sobject: SObject, rule: DuplicateRule, after: Row, allowed: bool) -> None:
        if (rule.alert and allowed) or not all(after.get(name) for name in rule.fields):
            return
        alike = [
            one["Id"]
            for one in self.rows.live(sobject.name)
            if one["Id"] != after.get("Id") and all(_folded(one[name]) == _folded(after[name]) for name in rule.fields)
        ]
        if alike:
            raise _duplicates(sobject, rule, alike)


def _folded(value: object) -> str:
    return str(value).casefold()


def _missing(names: Sequence[str]) -> Refused:
    message = f"Required fields are missing: [{', '.join(names)}]"
    return Refused(400, "REQUIRED_FIELD_MISSING", message, fields=names)


def _duplicates(sobject: SObject, rule: DuplicateRule, ids: Sequence[str]) -> Refused:
    """The body as orgs send it, "duplicateResut" misspelled and all."""
    records: list[Json] = [
        {
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": {
                "attributes": {"type": sobject.name, "url": f"/services/data/v66.0/sobjects/{sobject.name}/{one}"},
                "Id": one,
            },
        }
        for one in ids
    ]
    result: Json = {
        "allowSave": rule.alert,
        "duplicateRule": rule.name,
        "duplicateRuleEntityType": sobject.name,
        "errorMessage": rule.message,
        "matchResults": [
            {
                "entityType": sobject.name,
                "errors": [],
                "matchEngine": "ExactMatchEngine",
                "matchRecords": records,
                "rule": f"{rule.name}_Matching",
                "size": len(records),
                "success": True,
            }
        ],
    }
    return Refused(400, "DUPLICATES_DETECTED", rule.message, duplicateResut=result)
