"""What a record of Salesforce's screen stands for: a contact, or something that belongs to one."""

from __future__ import annotations

from collections.abc import Mapping

from cti_bridge.connectors.salesforce.lookup import Lookup
from cti_bridge.connectors.salesforce.schema import Described, Table, contact_objects
from cti_bridge.connectors.salesforce.session import Row
from cti_bridge.connectors.salesforce.soql import quoted, record_id, select
from cti_bridge.model import Placement, RelatedRecord

OWNERS: Mapping[str, tuple[str, ...]] = {
    "Case": ("ContactId", "AccountId"),
    "Opportunity": ("ContactId", "AccountId"),
    "Task": ("WhoId", "AccountId"),
    "Event": ("WhoId", "AccountId"),
    "Contract": ("CustomerSignedId", "AccountId"),
    "Order": ("BillToContactId", "AccountId"),
}
"""The fields that say whose a record is, the person first. Other objects are asked for ``ContactId`` and ``AccountId``."""

TITLE_PARTS: Mapping[str, tuple[str, ...]] = {"Case": ("CaseNumber", "Subject")}


def locate(lookup: Lookup, text: str) -> Placement | None:
    """The placement of any record id. Raises ConnectorUnavailable and SalesforceRefused."""
    whole = record_id(text)
    if whole is None:
        return None
    sobject = lookup.schema.object_of(whole)
    if sobject is None:
        return None
    if sobject in contact_objects(lookup.settings):
        contact = lookup.get(whole)
        return Placement(contact) if contact else None
    return lookup.ask(lambda described: _locate(lookup, described, sobject, whole))


def _locate(lookup: Lookup, described: Described, sobject: str, whole: str) -> Placement | None:
    table = lookup.schema.table(sobject)
    what = described.tables["Task"].columns.get("WhatId") if "Task" in described.tables else None
    relatable = what is not None and sobject in what.references
    if table is None or not (relatable or sobject in ("Task", "Event")):
        return None
    owners = table.having(*OWNERS.get(sobject, ("ContactId", "AccountId")))
    titles = table.having(*TITLE_PARTS.get(sobject, (table.name_column,)))
    further = table.having("WhatId") if sobject in ("Task", "Event") else ()
    fields = dict.fromkeys(["Id", *titles, *owners, *further])
    [rows] = lookup.org.rows(select(fields, sobject, f"Id = {quoted(whole)}"))
    if not rows:
        return None
    row = rows[0]
    contact = next(filter(None, (lookup.get(row[name]) for name in owners if row.get(name))), None)
    if not further:
        return Placement(contact, _related(lookup, table, row, titles))
    beyond = locate(lookup, row["WhatId"]) if row.get("WhatId") else None
    if beyond is None:
        return Placement(contact) if contact else None
    return Placement(contact or beyond.contact, beyond.related)


def _related(lookup: Lookup, table: Table, row: Row, titles: tuple[str, ...]) -> RelatedRecord:
    title = " ".join(str(row[name]) for name in titles if row.get(name))
    return RelatedRecord(row["Id"], title or table.label, lookup.url(table.name, row["Id"]))
