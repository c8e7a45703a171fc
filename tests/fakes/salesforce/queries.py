"""Runs parsed SOQL on the org's rows: names resolved, rows tested, sorted, cut and shown. Grammar is in ``soql``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from .conditions import Compiler, Reach, folded
from .errors import Json, NotPlayed, Refused, no_such_column
from .lexer import refused_at
from .rights import Rights
from .rows import Rows
from .schema import Field, Row, SObject
from .soql import Order, Path, Query, parse_soql
from .values import show_value

LONGEST_QUERY = 100_000
MOST_STEPS = 5
"""Relationships in one path (https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/
sforce_api_calls_soql_relationships_query_limits.htm)."""

NAME_FIELDS = ("Id", "Name", "Type", "FirstName", "LastName", "Title", "Email", "Phone", "Username", "IsActive")
"""What can be read over a relationship to several objects: the fields of Salesforce's "Name" object, and Type."""


class Viewer(Protocol):
    """Whose eyes a query runs through."""

    @property
    def rights(self) -> Rights: ...

    @property
    def today(self) -> date: ...

    @property
    def zone(self) -> ZoneInfo: ...


@dataclass(frozen=True)
class Answer:
    """A query's records, all of them, and how many there are; COUNT() has no records."""

    total: int
    records: list[Json]


class Queries:
    """Runs queries for one org."""

    def __init__(self, rows: Rows, viewer: Viewer) -> None:
        self._rows = rows
        self._viewer = viewer

    def run(self, text: str, version: str, *, deleted_too: bool = False) -> Answer:
        """Raises MALFORMED_QUERY, INVALID_TYPE, INVALID_FIELD and their kin."""
        if len(text) > LONGEST_QUERY:
            raise Refused(
                400, "QUERY_TOO_COMPLICATED", f"SOQL statements cannot be longer than {LONGEST_QUERY:,} characters."
            )
        query = parse_soql(text)
        job = Job(self._rows, self._viewer, text, version, deleted_too)
        source = job.source(query.sobject, query.at)
        show = job.shower(source, query)
        rows = job.rows(source, query, self._all(source, deleted_too))
        return Answer(len(rows), [] if query.count else [show(row) for row in rows])

    def _all(self, source: SObject, deleted_too: bool) -> list[Row]:
        return list(self._rows.all(source.name)) if deleted_too else self._rows.live(source.name)


@dataclass(frozen=True)
class Job:
    """One query being run. SOSL runs its WHERE, ORDER BY and field lists through it too."""

    store: Rows
    viewer: Viewer
    text: str
    version: str
    deleted_too: bool = False

    def source(self, name: str, at: int) -> SObject:
        found = self.viewer.rights.find_object(self.store.schema, name)
        if found is None:
            message = (
                f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append "
                "the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
            )
            raise refused_at(self.text, at, "INVALID_TYPE", message)
        return found

    def rows(self, source: SObject, query: Query, rows: Sequence[Row]) -> list[Row]:
        """Those that WHERE lets through, in order, from OFFSET to LIMIT."""
        chosen = list(rows)
        if query.where is not None:
            compiler = Compiler(
                self.text, lambda path: self.resolve(source, path), self.column, self.viewer.today, self.viewer.zone
            )
            test = compiler.compile(query.where)
            chosen = [row for row in chosen if test(row)]
        for order in reversed(query.order):
            self._sort(source, chosen, order)
        if query.offset > 2000:
            raise Refused(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        return chosen[query.offset :][: query.limit]

    def column(self, query: Query) -> list[Any]:
        """The one field of a semi-join's inner query."""
        source = self.source(query.sobject, query.at)
        if len(query.fields) != 1 or not isinstance(query.fields[0], Path):
            raise refused_at(
                self.text, query.at, "MALFORMED_QUERY", "semi join sub-selects must have exactly one field"
            )
        reach = self.resolve(source, query.fields[0])
        if reach.field.type not in {"id", "reference"}:
            message = f"The inner select field '{reach.field.name}' must be an ID"
            raise refused_at(self.text, query.at, "INVALID_FIELD", message)
        rows = self.rows(source, query, self.store.live(source.name))
        return [value for value in map(reach.value, rows) if value is not None]

    def _sort(self, source: SObject, rows: list[Row], order: Order) -> None:
        reach = self.resolve(source, order.path)
        if not reach.field.filterable:
            message = f"field '{reach.field.name}' can not be sorted in a query call"
            raise refused_at(self.text, order.path.at, "INVALID_FIELD", message)
        empty = [row for row in rows if reach.value(row) is None]
        full = [row for row in rows if reach.value(row) is not None]
        full.sort(key=lambda row: folded(reach.value(row)), reverse=order.descending)
        rows[:] = [*full, *empty] if order.nulls_last else [*empty, *full]

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def resolve(self, source: SObject, path: Path) -> Reach:
        """The field at a path's end and its value. A path may begin with the object's own name."""
        parts = path.parts
        if len(parts) > 1 and parts[0].casefold() == source.name.casefold():
            parts = parts[1:]
        if len(parts) > MOST_STEPS + 1:
            raise refused_at(self.text, path.at, "INVALID_FIELD", "more than 5 relationships in a field path")
        return self._reach(source, parts, path)

    def _reach(self, source: SObject, parts: tuple[str, ...], path: Path) -> Reach:
        if len(parts) == 1:
            field = self._field(source, parts[0], path)
            return Reach(field, lambda row: self.store.value(source, row, field.name))
        link = self.link(source, parts[0], path)
        if len(link.reference_to) > 1:
            return self._reach_name(source, link, parts, path)
        target = self.source(link.reference_to[0], path.at)
        rest = self._reach(target, parts[1:], path)

        def value(row: Row) -> Any:
            found = self.linked(source, row, link)
            return None if found is None else rest.value(found)

        return Reach(rest.field, value)

    def _reach_name(self, source: SObject, link: Field, parts: tuple[str, ...], path: Path) -> Reach:
        if len(parts) > 2:
            raise NotPlayed("a path that goes on behind a relationship to several objects")
        wanted = next((name for name in NAME_FIELDS if name.casefold() == parts[1].casefold()), None)
        if wanted is None:
            raise refused_at(self.text, path.at, "INVALID_FIELD", no_such_column(parts[1], "Name"))

        def value(row: Row) -> Any:
            found = self.linked(source, row, link)
            target = self.store.schema.by_prefix(found["Id"]) if found else None
            if found is None or target is None:
                return None
            if wanted == "Type":
                return target.name
            field = target.name_field if wanted == "Name" else target.fields.get(wanted)
            return self.store.value(target, found, field.name) if field else None

        return Reach(Field(name=wanted, length=255), value)

    def _field(self, source: SObject, name: str, path: Path) -> Field:
        found = self.viewer.rights.find_field(source, name)
        if found is None:
            raise refused_at(self.text, path.at, "INVALID_FIELD", no_such_column(name, source.name))
        return found

    def link(self, source: SObject, name: str, path: Path) -> Field:
        """The reference field behind a relationship's name: ``Account`` for ``AccountId``."""
        for field in source.fields.values():
            named = field.relationship is not None and field.relationship.casefold() == name.casefold()
            if named and self.viewer.rights.sees_field(source, field):
                return field
        message = (
            f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, be "
            "sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call "
            "for the appropriate names."
        )
        raise refused_at(self.text, path.at, "INVALID_FIELD", message)

    def linked(self, source: SObject, row: Row, link: Field) -> Row | None:
        found = self.store.row(self.store.value(source, row, link.name))
        return None if found is None or (found["IsDeleted"] and not self.deleted_too) else found

    # ── showing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def attributes(self, source: str, record_id: str) -> Json:
        return {"type": source, "url": f"/services/data/v{self.version}/sobjects/{source}/{record_id}"}

    def shower(self, source: SObject, query: Query) -> Callable[[Row], Json]:
        """Makes the function that turns a row into a record with the selected fields, in their order."""
        seen: set[str] = set()
        steps: list[Callable[[Row, Json], None]] = []
        for item in query.fields:
            key = item.sobject if isinstance(item, Query) else ".".join(item.parts).casefold()
            if key in seen and isinstance(item, Path):
                message = f"duplicate field selected: {'.'.join(item.parts)}"
                raise refused_at(self.text, item.at, "INVALID_FIELD", message)
            seen.add(key)
            steps.append(self._children(source, item) if isinstance(item, Query) else self._show_path(source, item))

        def show(row: Row) -> Json:
            record: Json = {"attributes": self.attributes(source.name, row["Id"])}
            for step in steps:
                step(row, record)
            return record

        return show

    def _show_path(self, source: SObject, path: Path) -> Callable[[Row, Json], None]:
        reach = self.resolve(source, path)
        parts = path.parts
        if len(parts) > 1 and parts[0].casefold() == source.name.casefold():
            parts = parts[1:]
        links = self._links(source, parts, path)

        def show(row: Row, record: Json) -> None:
            here, at = source, row
            for link in links:
                found = self.linked(here, at, link)
                name = str(link.relationship)
                if found is None:
                    record[name] = None
                    return
                here = self.store.schema[link.reference_to[0]] if len(link.reference_to) == 1 else self._kind(found)
                shown = "Name" if len(link.reference_to) > 1 else here.name
                url = self.attributes(here.name, found["Id"])["url"]
                record = record.setdefault(name, {"attributes": {"type": shown, "url": url}})
                at = found
            record[reach.field.name] = show_value(reach.value(row))

        return show

    def _kind(self, row: Row) -> SObject:
        found = self.store.schema.by_prefix(row["Id"])
        if found is None:
            raise NotPlayed(f"a record of no known object: {row['Id']}")
        return found

    def _links(self, source: SObject, parts: tuple[str, ...], path: Path) -> list[Field]:
        links: list[Field] = []
        here = source
        for name in parts[:-1]:
            link = self.link(here, name, path)
            links.append(link)
            here = self.store.schema[link.reference_to[0]]
        return links

    def _children(self, source: SObject, query: Query) -> Callable[[Row, Json], None]:
        child = next(
            (
                one
                for one in self.store.schema.children(source.name)
                if one.name is not None and one.name.casefold() == query.sobject.casefold()
            ),
            None,
        )
        kind = self.viewer.rights.find_object(self.store.schema, child.sobject) if child else None
        if child is None or kind is None:
            message = f"Didn't understand relationship '{query.sobject}' in FROM part of query call."
            raise refused_at(self.text, query.at, "INVALID_TYPE", message)
        if any(isinstance(item, Query) for item in query.fields):
            raise NotPlayed("a subquery in a subquery")
        show = self.shower(kind, query)
        self.rows(kind, query, [])  # the subquery is refused even where no parent is found

        def add(row: Row, record: Json) -> None:
            mine = [one for one in self.store.live(kind.name) if one.get(child.field) == row["Id"]]
            found = self.rows(kind, query, mine)
            shown = {"totalSize": len(found), "done": True, "records": [show(one) for one in found]}
            record[str(child.name)] = shown if found else None

        return add
