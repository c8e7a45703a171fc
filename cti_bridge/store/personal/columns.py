"""The registry: every column of every table, what it holds of whom, and what is left in it once a number is erased.

A new table or column must be entered here: a test compares this with the tables themselves. Ask of each column: could it
hold a caller's number, name, company, note, a record of theirs, or a text that somebody else wrote about them? Then it is
``customer``, and ``erased`` says what stands in it afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Table

from cti_bridge.model import CallerKind
from cti_bridge.store import migrate
from cti_bridge.store.calls import Lookup, LookupState
from cti_bridge.store.codec import dump

ERASED = "***"
"""What stands where a number stood in a text that stays."""


class Holds(StrEnum):
    """What a column holds: of customers, of our own people, a hash or id that tells nothing by itself, or nothing."""

    CUSTOMER = "customer"
    STAFF = "staff"
    PSEUDONYM = "pseudonym"
    NOTHING = "nothing"


class Then(StrEnum):
    """What becomes of a row: of the number's own, and of another's that only mentions the number."""

    DELETED = "deleted"
    BLANKED = "blanked"


@dataclass(frozen=True)
class Personal:
    """What one table holds, as names of columns.

    ``number`` are the columns that make a row this number's own when it stands there, ``contact`` those that make it a
    contact's own, ``call`` is the column with the id of the call that a row belongs to. Own rows are deleted, or their
    columns get the values of ``erased`` (a function gets the old value). Rows of others that mention the number have it
    struck out, or are deleted where they only repeat what the CRM knows. ``hidden`` columns are shown to nobody.
    """

    customer: str = ""
    staff: str = ""
    pseudonym: str = ""
    nothing: str = ""
    hidden: str = ""
    number: tuple[str, ...] = ()
    contact: tuple[str, ...] = ()
    call: str | None = None
    own: Then = Then.BLANKED
    mentioning: Then = Then.BLANKED
    erased: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, Holds]:
        return {name: holds for holds in Holds for name in getattr(self, holds.value).split()}


def _without_party(facts: dict[str, Any]) -> dict[str, Any]:
    """A call's facts without who it was with, and what was said."""
    return {**facts, "party": None, "recording_id": None}


def _statistics(facts: dict[str, Any] | None) -> dict[str, Any] | None:
    """What reports count of a call that the embedded CRM keeps."""
    kept = ("direction", "outcome", "line", "agent", "agent_email", "ended_at", "talk_seconds", "disposition")
    return {name: facts[name] for name in kept if name in facts} if facts is not None else None


def no_lookup() -> dict[str, Any]:
    """What stands in a call that nobody was looked up for."""
    looked: dict[str, Any] = dump(Lookup(LookupState.SKIPPED))
    return looked


_KEYS = "name_key reading_key customer_number_key search_key"

REGISTRY: dict[str, Personal] = {
    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────────
    "calls": Personal(
        customer="facts caller_number caller_raw recording_id note picked related lookup contact_id contact_name",
        staff="agent_id",
        nothing="id version changed_at direction line_number caller_kind started_at answered_at ended_at outcome "
        "disposition draft_saved_at disowned completed_at dealt_with_at",
        number=("caller_number", "caller_raw", "facts"),
        contact=("contact_id", "picked"),
        call="id",
        erased={
            "facts": _without_party,
            "caller_number": None,
            "caller_raw": "",
            "caller_kind": CallerKind.WITHHELD.value,  # all that reads a call knows how to show a caller without number
            "recording_id": None,
            "note": "",
            "picked": None,
            "related": None,
            "lookup": lambda _: no_lookup(),
            "contact_id": None,
            "contact_name": None,
        },
    ),
    "call_events": Personal(
        customer="parameters answer",
        nothing="id key token call_id kind received_at",
        call="call_id",
        erased={"parameters": {}, "answer": ""},
    ),
    "rings": Personal(staff="agent_id", nothing="call_id rung_at"),
    "seen": Personal(staff="agent_id", nothing="call_id at"),
    "outbox": Personal(
        customer="last_error record_id record_url correction reason",
        nothing="id call_id kind state revision attempts failures run_at leased created_at due_at delivered_at",
        call="call_id",
        erased=dict.fromkeys(("last_error", "record_id", "record_url", "correction", "reason")),
    ),
    # ── what we remember of numbers ─────────────────────────────────────────────────────────────────────────────────
    "number_index": Personal(
        customer="number contacts",
        nothing="connector fetched_at",
        number=("number",),
        contact=("contacts",),
        own=Then.DELETED,
        mentioning=Then.DELETED,  # the CRM says it again at the next call
    ),
    "picks": Personal(
        customer="number choice", nothing="connector", number=("number",), contact=("choice",), own=Then.DELETED
    ),
    # ── the embedded CRM ────────────────────────────────────────────────────────────────────────────────────────────
    "crm_numbers": Personal(
        customer="contact_id company_id text e164",
        nothing="id kind",
        number=("e164", "text"),
        own=Then.DELETED,
        mentioning=Then.DELETED,
    ),
    "crm_contacts": Personal(
        customer=f"customer_number name reading company_id title email note {_KEYS}",
        nothing="id",
        own=Then.DELETED,
    ),
    "crm_companies": Personal(
        customer=f"customer_number name reading email note short_key {_KEYS}",
        nothing="id",
        own=Then.DELETED,
    ),
    "crm_activities": Personal(
        customer="contact_id company_id title detail facts",
        nothing="id source_id kind at",
        call="source_id",
        erased={"contact_id": None, "company_id": None, "title": ERASED, "detail": "", "facts": _statistics},
    ),
    "crm_orders": Personal(
        customer="contact_id company_id title detail",
        nothing="id number at closed_at",
        erased={"contact_id": None, "company_id": None, "title": ERASED, "detail": ""},
    ),
    "crm_cases": Personal(
        customer="contact_id company_id title detail",
        nothing="id number at closed_at",
        erased={"contact_id": None, "company_id": None, "title": ERASED, "detail": ""},
    ),
    # ── our own people and lines ────────────────────────────────────────────────────────────────────────────────────
    "agents": Personal(
        staff="email name password_hash phone",
        nothing="id language softphone away active role",
        hidden="password_hash",
    ),
    "lines": Personal(nothing="id number name greeting language ring_seconds record"),
    "line_agents": Personal(staff="agent_id", nothing="line_id"),
    "sessions": Personal(
        staff="agent_id user_agent", pseudonym="id", nothing="began_at renewed_at ended_at", hidden="id"
    ),
    "second_factors": Personal(staff="agent_id secret", nothing="confirmed_at last_step", hidden="secret"),
    "recovery_codes": Personal(staff="agent_id", pseudonym="hash", nothing="used_at", hidden="hash"),
    "tries": Personal(pseudonym="key account", nothing="failures locked_until welcomed_at touched_at"),
    "audit": Personal(staff="agent_id address", pseudonym="subject", nothing="id at action details"),
    # ── counts ──────────────────────────────────────────────────────────────────────────────────────────────────────
    "rates": Personal(pseudonym="source", nothing="door minute count"),
    "tallies": Personal(nothing="name day count"),
    "chores": Personal(nothing="name leased_until done_at"),
    "used_tickets": Personal(pseudonym="id", nothing="expires_at"),
}


def table(name: str) -> Table:
    """The table of this name."""
    return migrate.all_tables().tables[name]


def customer_columns(name: str) -> list[Column[Any]]:
    """The columns of this table that hold something of customers."""
    return [column for column in table(name).c if REGISTRY[name].columns.get(column.name) is Holds.CUSTOMER]
