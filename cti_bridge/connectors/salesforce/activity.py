"""A contact's story: recent Tasks, open Cases and Opportunities, coming Events, as rows of the contact's own query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from cti_bridge.connectors.salesforce.schema import Described, Table
from cti_bridge.connectors.salesforce.session import Row
from cti_bridge.connectors.salesforce.settings import SalesforceSettings, fields_of
from cti_bridge.connectors.salesforce.soql import moment, select
from cti_bridge.model import Activity, ActivityItem, ActivityKind

MOST = 10
TASKS = 2 * MOST
"""Open Tasks stand among the closed ones; so many are asked for that neither kind crowds the other out."""

OF_PEOPLE = 100
"""Rows of all person accounts of one answer together; families who share a telephone are small."""

LONGEST_DETAIL = 300
TAIL = "\n\n―― CTI Bridge"
"""Begins what we write below a call's text: recording, call id."""

_EMAILS = ("Email", "ListEmail")


@dataclass(frozen=True, slots=True)
class Stories:
    """Reads and words stories for one description of the org. ``url`` makes a record's link of object and id."""

    described: Described
    settings: SalesforceSettings
    timezone: ZoneInfo
    url: Callable[[str, str], str]

    def subqueries(self, table: Table, now: datetime) -> list[str]:
        """What to add to a query of this object, so that each record brings its story along."""
        found = (
            self._tasks(table.children_called("Task", "WhoId", "WhatId")),
            self._cases(table.children_called("Case", "ContactId", "AccountId")),
            self._events(table.children_called("Event", "WhoId", "WhatId"), now),
            self._opportunities(table),
        )
        return [f"({query})" for query in found if query]

    def of_person_accounts(self, where: str, now: datetime) -> dict[str, str]:
        """Queries for the Tasks and Events of the person accounts that this condition finds, by object.

        They hang on the hidden contact, so that an account's own query does not bring them; their ``AccountId`` tells.
        """
        people = select(["Id"], "Account", f"IsPersonAccount = true AND ({where})")
        whose = f"AccountId IN ({people})"
        found = {"Task": self._tasks("Task", whose), "Event": self._events("Event", now, f"{whose} AND ")}
        tables = self.described.tables
        return {name: query for name, query in found.items() if query and tables[name].having("AccountId")}

    def read(self, table: Table, row: Row) -> Activity:
        """The story that a record brought along."""
        tasks = list(_children(row, table.children_called("Task", "WhoId", "WhatId")))
        history = [self._task(task) for task in tasks if task.get("IsClosed")]
        waiting = [self._task(task) for task in tasks if not task.get("IsClosed")]
        cases = [self._case(case) for case in _children(row, table.children_called("Case", "ContactId", "AccountId"))]
        deals = [self._deal(deal) for deal in self._deals(table, row)]
        events = [self._event(event) for event in _children(row, table.children_called("Event", "WhoId", "WhatId"))]
        return Activity(
            history=tuple(_newest(history)),
            open=tuple(_newest([*cases, *deals, *waiting])),
            upcoming=tuple(sorted(events, key=_time)[:MOST]),
        )

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _tasks(self, source: str | None, where: str = "") -> str | None:
        usual = ("Subject", "Description", "IsClosed", "Status", "TaskSubtype", "CallType", "CallDurationInSeconds")
        fields = self._fields("Task", *usual, "CallDisposition", "ActivityDate", "CreatedDate")
        if not source or not fields or "tasks" not in self.settings.activity:
            return None
        if where:
            return select([*fields, "AccountId"], source, where, "CreatedDate DESC", OF_PEOPLE)
        return select(fields, source, "", "CreatedDate DESC", TASKS)

    def _cases(self, source: str | None) -> str | None:
        fields = self._fields("Case", "CaseNumber", "Subject", "Status", "CreatedDate")
        if not source or not fields or "cases" not in self.settings.activity:
            return None
        return select(fields, source, "IsClosed = false", "CreatedDate DESC", MOST)

    def _events(self, source: str | None, now: datetime, where: str = "") -> str | None:
        fields = self._fields("Event", "Subject", "StartDateTime", "Location")
        if not source or not fields or "events" not in self.settings.activity:
            return None
        coming = f"StartDateTime >= {moment(now)}"
        if where:
            return select([*fields, "AccountId"], source, where + coming, "StartDateTime", OF_PEOPLE)
        return select(fields, source, coming, "StartDateTime", MOST)

    def _opportunities(self, table: Table) -> str | None:
        """Of an account its own; of a contact those in which it plays a role, for the rest is the account's affair."""
        fields = self._fields("Opportunity", "Name", "StageName", "Amount", "CloseDate", "CreatedDate")
        if not fields or "opportunities" not in self.settings.activity:
            return None
        if own := table.children_called("Opportunity", "AccountId", "ContactId"):
            return select(fields, own, "IsClosed = false", "CreatedDate DESC", MOST)
        if roles := table.children_called("OpportunityContactRole", "ContactId"):
            theirs = [f"Opportunity.{field}" for field in fields]
            return select(theirs, roles, "Opportunity.IsClosed = false", "Opportunity.CreatedDate DESC", MOST)
        return None

    def _fields(self, sobject: str, *usual: str) -> list[str]:
        """What there is of the usual fields, and of those set for the card; nothing when the object is not shown to us."""
        table = self.described.tables.get(sobject)
        if table is None:
            return []
        return list(dict.fromkeys(["Id", *table.having(*usual, *fields_of(self.settings.card_fields, sobject))]))

    # ── wording ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _task(self, row: Row) -> ActivityItem:
        subtype = row.get("TaskSubtype")
        if row.get("CallType") or subtype == "Call":
            kind = ActivityKind.CALL
        else:
            kind = ActivityKind.EMAIL if subtype in _EMAILS else ActivityKind.NOTE
        seconds = row.get("CallDurationInSeconds")
        length = f"{int(seconds) // 60}:{int(seconds) % 60:02d}" if seconds else ""
        text = "" if kind is ActivityKind.EMAIL else str(row.get("Description") or "").partition(TAIL)[0]
        state = "" if row.get("IsClosed") else self._label("Task", "Status", row.get("Status"))
        detail = [state, length, str(row.get("CallDisposition") or ""), *self._chosen("Task", row)]
        return self._item(kind, "Task", row, str(row.get("Subject") or ""), [*detail, text], self._when(row))

    def _case(self, row: Row) -> ActivityItem:
        title = " ".join(str(row[name]) for name in ("CaseNumber", "Subject") if row.get(name))
        detail = [self._label("Case", "Status", row.get("Status")), *self._chosen("Case", row)]
        return self._item(ActivityKind.CASE, "Case", row, title, detail, _moment(row.get("CreatedDate")))

    def _deal(self, row: Row) -> ActivityItem:
        amount = row.get("Amount")
        worth = f"{amount:,.0f}" if isinstance(amount, int | float) else ""
        stage = self._label("Opportunity", "StageName", row.get("StageName"))
        detail = [stage, worth, str(row.get("CloseDate") or ""), *self._chosen("Opportunity", row)]
        at = _moment(row.get("CreatedDate"))
        return self._item(ActivityKind.DEAL, "Opportunity", row, str(row.get("Name") or ""), detail, at)

    def _event(self, row: Row) -> ActivityItem:
        detail = [str(row.get("Location") or ""), *self._chosen("Event", row)]
        at = _moment(row.get("StartDateTime"))
        return self._item(ActivityKind.APPOINTMENT, "Event", row, str(row.get("Subject") or ""), detail, at)

    def _item(
        self, kind: ActivityKind, sobject: str, row: Row, title: str, detail: Sequence[str], at: datetime | None
    ) -> ActivityItem:
        said = " · ".join(part.strip() for part in detail if part.strip())
        short = said if len(said) <= LONGEST_DETAIL else said[: LONGEST_DETAIL - 1] + "…"
        return ActivityItem(kind, title or "-", short, at, self.url(sobject, row["Id"]))

    def _chosen(self, sobject: str, row: Row) -> list[str]:
        """``優先度: 高``: the fields set for the card, with their labels."""
        table = self.described.tables.get(sobject)
        named = [(name, row.get(name)) for name in fields_of(self.settings.card_fields, sobject)]
        if table is None:
            return []
        return [
            f"{table.columns[name].label}: {self._label(sobject, name, value)}"
            for name, value in named
            if name in table.columns and value not in (None, "")
        ]

    def _label(self, sobject: str, field: str, value: object) -> str:
        """A picklist's value as people read it; any other value as it is."""
        table = self.described.tables.get(sobject)
        column = table.columns.get(field) if table else None
        text = "" if value is None else str(value)
        return column.picklist.get(text, text) if column else text

    def _deals(self, table: Table, row: Row) -> Iterator[Row]:
        yield from _children(row, table.children_called("Opportunity", "AccountId", "ContactId"))
        roles = _children(row, table.children_called("OpportunityContactRole", "ContactId"))
        yield from (role["Opportunity"] for role in roles if role.get("Opportunity"))

    def _when(self, row: Row) -> datetime | None:
        """When it happened: as it was entered, unless its date says that this was on an earlier day."""
        entered = _moment(row.get("CreatedDate"))
        try:
            day = date.fromisoformat(str(row.get("ActivityDate")))
        except ValueError:
            return entered
        if entered and entered.astimezone(self.timezone).date() <= day:
            return entered
        return datetime(day.year, day.month, day.day, tzinfo=self.timezone).astimezone(UTC)


def touched_at(activity: Activity) -> datetime | None:
    """When there was last anything with this contact."""
    return max((item.at for item in activity.history if item.at), default=None)


def open_cases(activity: Activity) -> int:
    return sum(item.kind is ActivityKind.CASE for item in activity.open)


def _children(row: Row, name: str | None) -> Iterable[Row]:
    found = row.get(name) if name else None
    return found["records"] if isinstance(found, dict) else ()


def _moment(text: object) -> datetime | None:
    """Salesforce's ``2026-04-01T01:30:00.000+0000``."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None


def _time(item: ActivityItem) -> datetime:
    return item.at or datetime.max.replace(tzinfo=UTC)


def _newest(items: list[ActivityItem]) -> list[ActivityItem]:
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(items, key=lambda item: item.at or oldest, reverse=True)[:MOST]
