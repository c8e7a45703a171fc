"""What this org is like, asked once and kept for hours: its objects and fields, their labels, its closed statuses.

Nothing here is guessed: an object or field that describe does not tell of is not asked for.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from cti_bridge.connectors.salesforce.problems import SalesforceRefused
from cti_bridge.connectors.salesforce.session import Org, Row
from cti_bridge.connectors.salesforce.settings import SalesforceSettings
from cti_bridge.errors import ConnectorError
from cti_bridge.logbook import get_logger

log = get_logger(__name__)

FRESH_SECONDS = 6 * 3600.0
REFRESH_SECONDS = 300.0
"""How often a refused query may cause a new description, ten requests long, which does not mend every refusal."""

ACTIVITY_OBJECTS = {"cases": "Case", "opportunities": "Opportunity", "events": "Event"}
NOT_THERE = frozenset({"NOT_FOUND", "INVALID_TYPE", "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY"})


@dataclass(frozen=True, slots=True)
class Column:
    """One field of an object, as describe tells of it. ``picklist``: value → label, active ones only."""

    name: str
    label: str
    type: str
    length: int
    createable: bool
    updateable: bool
    filterable: bool
    external_id: bool
    unique: bool
    name_field: bool
    references: tuple[str, ...]
    picklist: Mapping[str, str]
    default: str | None

    @classmethod
    def read(cls, told: Row) -> Column:
        values = [value for value in told.get("picklistValues") or () if value.get("active", True)]
        return cls(
            name=told["name"],
            label=told.get("label") or told["name"],
            type=told.get("type") or "string",
            length=int(told.get("length") or 0),
            createable=bool(told.get("createable")),
            updateable=bool(told.get("updateable")),
            filterable=bool(told.get("filterable", True)),
            external_id=bool(told.get("externalId")),
            unique=bool(told.get("unique")),
            name_field=bool(told.get("nameField")),
            references=tuple(told.get("referenceTo") or ()),
            picklist={value["value"]: value.get("label") or value["value"] for value in values},
            default=next((value["value"] for value in values if value.get("defaultValue")), None),
        )


@dataclass(frozen=True, slots=True)
class Table:
    """One object of the org. ``children``: (child object, its field) → the name of that relationship."""

    name: str
    label: str
    prefix: str
    createable: bool
    columns: Mapping[str, Column]
    children: Mapping[tuple[str, str], str]

    @classmethod
    def read(cls, told: Row) -> Table:
        children = {
            (child["childSObject"], child["field"]): child["relationshipName"]
            for child in told.get("childRelationships") or ()
            if child.get("relationshipName")
        }
        return cls(
            name=told["name"],
            label=told.get("label") or told["name"],
            prefix=told.get("keyPrefix") or "",
            createable=bool(told.get("createable")),
            columns={column["name"]: Column.read(column) for column in told["fields"]},
            children=children,
        )

    @property
    def name_column(self) -> str:
        return next((column.name for column in self.columns.values() if column.name_field), "Id")

    def having(self, *names: str) -> tuple[str, ...]:
        """Those of these fields that the object has."""
        return tuple(name for name in names if name in self.columns)

    def children_called(self, child: str, *fields: str) -> str | None:
        """What this object calls its rows of another one: ``children_called("Task", "WhoId", "WhatId")`` → ``"Tasks"``."""
        return next((self.children[child, field] for field in fields if (child, field) in self.children), None)


@dataclass(frozen=True, slots=True)
class Described:
    """The org at one time. ``closed_statuses`` are those of Task, the org's order kept."""

    tables: Mapping[str, Table]
    closed_statuses: tuple[str, ...]
    version: str
    versions: tuple[str, ...]
    at: float = field(compare=False)

    def table_of(self, record_id: str) -> Table | None:
        """The object that a record belongs to, by the first three characters of its id."""
        return next((table for table in self.tables.values() if table.prefix == record_id[:3]), None)


class Schema:
    """Asks for the org's description when it is first needed; afterwards behind everybody's back."""

    def __init__(self, org: Org, settings: SalesforceSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._org = org
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Described | None = None
        self._doubted_at: float | None = None
        self._prefixes: dict[str, str] | None = None

    @property
    def known(self) -> Described | None:
        """What is known already. Asks nothing."""
        return self._known

    def get(self) -> Described:
        """The org's description; the first who asks waits for it. Raises what asking raises."""
        known = self._known
        if known is None:
            with self._lock:
                if self._known is None:
                    self._known = self._ask()
                return self._known
        if self._clock() - known.at > FRESH_SECONDS and self._lock.acquire(blocking=False):
            threading.Thread(target=self._renew, name="salesforce-describe", daemon=True).start()
        return known

    def refresh(self, stale: Described) -> Described:
        """Ask anew, because the org has turned out to be other than ``stale`` says; once for all who notice."""
        with self._lock:
            if self._known is stale or self._known is None:
                self._known = self._ask()
            return self._known

    def doubt(self, refused: Described) -> Described:
        """What to ask with after Salesforce has refused a query made of ``refused``; the same when that was just renewed."""
        with self._lock:
            known, at = self._known, self._doubted_at
            if known is refused and at is not None and self._clock() - at < REFRESH_SECONDS:
                return refused
            if known is refused:
                self._doubted_at = self._clock()
        return self.refresh(refused)

    def object_of(self, record_id: str) -> str | None:
        """The name of the object that any record id of the org belongs to: ``"Invoice__c"``."""
        table = self.get().table_of(record_id)
        if table is not None:
            return table.name
        if self._prefixes is None:
            told = self._org.describe() or {}
            self._prefixes = {one["keyPrefix"]: one["name"] for one in told.get("sobjects", ()) if one.get("keyPrefix")}
        return self._prefixes.get(record_id[:3])

    def table(self, name: str) -> Table | None:
        """An object by its name, described now if it was not yet; None when the org does not show it to us."""
        return self.get().tables.get(name) or self._describe(name)

    def _renew(self) -> None:
        try:
            self._known, self._prefixes = self._ask(), None
        except ConnectorError as problem:
            log.warning("salesforce_description_not_renewed", problem=type(problem).__name__)
        finally:
            self._lock.release()

    def _ask(self) -> Described:
        versions = self._org.versions()
        wanted = self._settings.api_version
        version = _newest_not_after(wanted, versions)
        if version != wanted:
            log.warning("salesforce_version_not_spoken", wanted=wanted, used=version)
        self._org.speak(version)
        with ThreadPoolExecutor(4, thread_name_prefix="salesforce-describe") as pool:
            told = list(pool.map(self._describe, objects_needed(self._settings)))
        [statuses] = self._org.rows("SELECT ApiName, IsClosed FROM TaskStatus WHERE IsClosed = true ORDER BY SortOrder")
        return Described(
            tables={table.name: table for table in told if table},
            closed_statuses=tuple(status["ApiName"] for status in statuses),
            version=version,
            versions=tuple(versions),
            at=self._clock(),
        )

    def _describe(self, name: str) -> Table | None:
        try:
            told: Any = self._org.restful(f"sobjects/{name}/describe")
        except SalesforceRefused as problem:
            if problem.code in NOT_THERE:
                return None
            raise
        return Table.read(told)


def objects_needed(settings: SalesforceSettings) -> tuple[str, ...]:
    """Which objects the settings speak of, those that hold contacts first."""
    active = [ACTIVITY_OBJECTS[part] for part in settings.activity if part in ACTIVITY_OBJECTS]
    shown = [field.partition(".")[0] for field in settings.card_fields]
    return tuple(dict.fromkeys([*contact_objects(settings), settings.create_as, "Task", *active, *shown]))


def contact_objects(settings: SalesforceSettings) -> tuple[str, ...]:
    """The objects whose records are contacts, in the order in which they are shown."""
    named = [field.partition(".")[0] for field in (*settings.phone_fields, *settings.normalised_fields)]
    chosen = dict.fromkeys(named) if settings.phone_fields else dict.fromkeys(["Contact", "Lead", "Account", *named])
    usual = [name for name in ("Contact", "Account", "Lead") if name in chosen]
    return tuple(dict.fromkeys([*usual, *chosen]))


def _newest_not_after(wanted: str, versions: list[str]) -> str:
    spoken = sorted(versions, key=float)
    return next((version for version in reversed(spoken) if float(version) <= float(wanted)), (spoken or [wanted])[-1])
