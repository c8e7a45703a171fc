"""The org's records: kept, computed, found. Who may write what, and what a write must fulfil, is in ``writes``."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from .ids import make_id
from .schema import Field, Row, Schema, SObject

Watcher = Callable[[SObject, Row], None]


class Rows:
    """All records by object and id. A row holds what is stored; :meth:`value` gives computed fields too."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.schema = Schema()
        self.locale = "ja_JP"
        self.watchers: list[Watcher] = []
        self._clock = clock
        self._tables: dict[str, dict[str, Row]] = {}
        self._made: dict[str, int] = {}

    def row(self, record_id: str | None) -> Row | None:
        """Any record by its id, deleted ones too."""
        sobject = self.schema.by_prefix(record_id) if record_id else None
        return self._tables.get(sobject.name, {}).get(str(record_id)) if sobject else None

    def all(self, sobject: str) -> Iterator[Row]:
        yield from list(self._tables.get(sobject, {}).values())

    def live(self, sobject: str) -> list[Row]:
        return [row for row in self.all(sobject) if not row["IsDeleted"]]

    def closed_task_statuses(self) -> set[str]:
        return {row["ApiName"] for row in self.live("TaskStatus") if row["IsClosed"]}

    def value(self, sobject: SObject, row: Row, name: str) -> Any:
        """A field's value, computed or stored."""
        field = sobject.fields[name]
        return field.compute(row) if field.compute else row.get(name, None if field.default == "" else field.default)

    def insert(self, sobject: SObject, values: Row, user_id: str | None) -> Row:
        """Keep a new record; ``values`` are checked already."""
        self._made[sobject.name] = number = self._made.get(sobject.name, 0) + 1
        now = self._clock()
        row: Row = {"Id": make_id(sobject.prefix, number), "IsDeleted": False}
        for field in sobject.fields.values():
            row.setdefault(field.name, self._first_value(field, number, user_id))
        row.update({"CreatedDate": now, "CreatedById": user_id, "LastModifiedById": user_id, **values})
        row.update({name: values.get(name, now) for name in ("LastModifiedDate", "SystemModstamp")})
        self._tables.setdefault(sobject.name, {})[row["Id"]] = row
        self._settle(sobject, row)
        return row

    def update(self, sobject: SObject, row: Row, values: Row, user_id: str | None) -> None:
        now = self._clock()
        row.update({"LastModifiedDate": now, "SystemModstamp": now, "LastModifiedById": user_id, **values})
        self._settle(sobject, row)

    def delete(self, row: Row) -> None:
        row["IsDeleted"] = True

    def find(self, sobject: SObject, field: Field, value: object) -> list[Row]:
        """Live records whose field equals a value; text counts no case unless the field says so."""

        def same(stored: object) -> bool:
            if isinstance(stored, str) and isinstance(value, str) and not field.case_sensitive:
                return stored.casefold() == value.casefold()
            return stored == value

        return [row for row in self.live(sobject.name) if same(self.value(sobject, row, field.name))]

    def keep(self) -> tuple[dict[str, dict[str, Row]], dict[str, int]]:
        """Everything as it is now, for :meth:`restore` when a transaction rolls back."""
        return copy.deepcopy(self._tables), dict(self._made)

    def restore(self, kept: tuple[dict[str, dict[str, Row]], dict[str, int]]) -> None:
        self._tables, self._made = kept

    def _first_value(self, field: Field, number: int, user_id: str | None) -> Any:
        if field.auto_number:
            return f"{number + 1000:08d}"
        if field.name == "OwnerId":
            return user_id
        if field.name == "Status" and field.default == "":
            return next((row["ApiName"] for row in self.live("TaskStatus") if row["IsDefault"]), None)
        return field.default

    def _settle(self, sobject: SObject, row: Row) -> None:
        """What Salesforce itself writes along with a record."""
        if sobject.name == "Task":
            closed = row["Status"] in self.closed_task_statuses()
            row["_completed"] = (row.get("_completed") or self._clock()) if closed else None
        if sobject.name == "Case" and row["ContactId"] and not row["AccountId"]:
            row["AccountId"] = (self.row(row["ContactId"]) or {}).get("AccountId")
        if sobject.name == "Account" and row.get("LastName"):
            self._settle_person(row)
        for watcher in self.watchers:
            watcher(sobject, row)

    def _settle_person(self, account: Row) -> None:
        """A person account is an account and a contact at once; the contact mirrors it."""
        mirrored = {"Phone": "Phone", "Email": "PersonEmail", "Title": "PersonTitle"}
        mirrored |= {name: f"Person{name}" for name in ("MobilePhone", "HomePhone", "OtherPhone")}
        values = {name: account.get(source) for name, source in mirrored.items()}
        values |= {name: account.get(name) for name in ("FirstName", "LastName", "OwnerId")}
        values |= {"AccountId": account["Id"], "IsPersonAccount": True}
        contact = self.schema["Contact"]
        names = [account.get("FirstName"), account["LastName"]]
        ordered = reversed(names) if self.locale.startswith("ja") else names
        account |= {"IsPersonAccount": True, "Name": " ".join(name for name in ordered if name)}
        held = self.row(account.get("PersonContactId"))
        if held is None:
            account["PersonContactId"] = self.insert(contact, values, account["OwnerId"])["Id"]
        else:
            self.update(contact, held, values, account["OwnerId"])
