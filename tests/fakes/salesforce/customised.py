"""What an administrator sets up in an org: fields, objects, task statuses, duplicate rules. Part of ``FakeOrg``."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .rows import Rows
from .schema import Field, SObject
from .standard import new_object, phone
from .writes import DuplicateRule, Writes


class Customised:
    """The set-up side of the fake org."""

    lock: threading.RLock
    store: Rows
    writes: Writes

    def add_field(self, sobject: str, name: str, **more: Any) -> Field:
        """``org.add_field("Task", "CTI_Call_SID__c", external_id=True, unique=True, length=34)``.

        ``"Activity"`` adds it to Task and Event, where Salesforce defines the custom fields of both.
        """
        more.setdefault("label", name.removesuffix("__c").replace("_", " "))
        more.setdefault("length", 255 if more.get("type", "string") == "string" else 40)
        made = Field(name=name, **more)
        for kind in ("Task", "Event") if sobject == "Activity" else (sobject,):
            self.store.schema[kind].add(made)
        return made

    def add_object(self, name: str, *, label: str = "", phones: Sequence[str] = (), prefix: str = "") -> SObject:
        """``org.add_object("Shop__c", label="店舗", phones=["Phone__c"])``: with Name and an owner; it takes activities."""
        shown = label or name.removesuffix("__c")
        customs = sum(one.custom for one in self.store.schema)
        made = new_object(name, shown, shown, shown, prefix or f"a{customs:02d}")
        made.add(Field(name="Name", label=shown, label_ja=shown, length=80, nillable=False, name_field=True))
        made.add(*(phone(one, one.removesuffix("__c"), one.removesuffix("__c")) for one in phones))
        made.add(replace(self.store.schema["Contact"].fields["OwnerId"]))
        self.store.schema.add(made)
        for kind in ("Task", "Event"):
            activity = self.store.schema[kind]
            what = activity.fields["WhatId"]
            activity.add(replace(what, reference_to=(*what.reference_to, name)))
        return made

    def remove_field(self, sobject: str, name: str) -> None:
        """Take a field out, such as ``Task.Type`` which not every org has."""
        del self.store.schema[sobject].fields[name]

    def set_task_statuses(self, *statuses: tuple[str, bool]) -> None:
        """``org.set_task_statuses(("未着手", False), ("完了", True))``; the first is the default, True is closed."""
        with self.lock:
            kind = self.store.schema["TaskStatus"]
            for row in self.store.live("TaskStatus"):
                self.store.delete(row)
            for number, (name, closed) in enumerate(statuses, 1):
                named = {"MasterLabel": name, "ApiName": name}
                self.store.insert(
                    kind, {**named, "IsClosed": closed, "IsDefault": number == 1, "SortOrder": number}, None
                )

    def with_live_values(self, field: Field) -> Field:
        """A field as describe tells it; Task's Status lists what TaskStatus holds."""
        if field is not self.store.schema["Task"].fields.get("Status"):
            return field
        names = tuple(row["ApiName"] for row in self.store.live("TaskStatus"))
        default = next((row["ApiName"] for row in self.store.live("TaskStatus") if row["IsDefault"]), None)
        return replace(field, picklist=names, picklist_ja=names, default=default)

    def duplicate_rule(self, sobject: str, *fields: str, alert: bool = True, message: str = "") -> None:
        """Records alike in all these fields are duplicates. With ``alert`` a client may save anyway; else never."""
        rule = DuplicateRule(sobject, fields, alert, f"Standard_{sobject}_Duplicate_Rule")
        self.writes.rules.append(replace(rule, message=message or rule.message))
