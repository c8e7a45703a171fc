"""What the signed-in user's profile shows and allows. Everything, until a test takes it away."""

from __future__ import annotations

from dataclasses import dataclass, field

from .schema import Field, Schema, SObject


@dataclass
class Rights:
    """``org.rights.hide_field("Contact", "MobilePhone")``; names are compared without case."""

    hidden_objects: set[str] = field(default_factory=set)
    hidden_fields: set[tuple[str, str]] = field(default_factory=set)
    read_only_fields: set[tuple[str, str]] = field(default_factory=set)
    no_create: set[str] = field(default_factory=set)
    no_update: set[str] = field(default_factory=set)

    def hide_object(self, sobject: str) -> None:
        self.hidden_objects.add(sobject.casefold())

    def hide_field(self, sobject: str, name: str) -> None:
        self.hidden_fields.add((sobject.casefold(), name.casefold()))

    def lock_field(self, sobject: str, name: str) -> None:
        """Readable, not writable."""
        self.read_only_fields.add((sobject.casefold(), name.casefold()))

    def forbid_create(self, sobject: str) -> None:
        self.no_create.add(sobject.casefold())

    def forbid_update(self, sobject: str) -> None:
        self.no_update.add(sobject.casefold())

    def find_object(self, schema: Schema, name: str) -> SObject | None:
        found = schema.find(name)
        return None if found is None or found.name.casefold() in self.hidden_objects else found

    def find_field(self, sobject: SObject, name: str) -> Field | None:
        found = sobject.find(name)
        return None if found is None or not self.sees_field(sobject, found) else found

    def sees_field(self, sobject: SObject, one: Field) -> bool:
        return (sobject.name.casefold(), one.name.casefold()) not in self.hidden_fields

    def may_create(self, sobject: SObject) -> bool:
        return sobject.createable and sobject.name.casefold() not in self.no_create

    def may_update(self, sobject: SObject) -> bool:
        return sobject.updateable and sobject.name.casefold() not in self.no_update

    def may_write(self, sobject: SObject, one: Field) -> bool:
        return (sobject.name.casefold(), one.name.casefold()) not in self.read_only_fields
