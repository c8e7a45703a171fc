"""The embedded CRM's tables. Queries stand in the modules beside this one.

A number is kept twice: as typed, and in E.164 with an index, so that a caller is found in one look-up however the
number was written. Columns named ``…_key`` hold folded text (see ``text.fold``) and are compared by code point, which
lets an index answer "begins with" on both databases.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from cti_bridge.store.database import Json, Moment, metadata

Key = Text().with_variant(Text(collation="C"), "postgresql")

companies = Table(
    "crm_companies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_number", Text, unique=True),
    Column("name", Text, nullable=False),
    Column("reading", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("name_key", Key, nullable=False, index=True),
    Column("short_key", Key, nullable=False, index=True),
    Column("reading_key", Key, nullable=False, index=True),
    Column("customer_number_key", Key, nullable=False, index=True),
    Column("search_key", Key, nullable=False),
)

contacts = Table(
    "crm_contacts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_number", Text, unique=True),
    Column("name", Text, nullable=False),
    Column("reading", Text, nullable=False),
    Column("company_id", ForeignKey("crm_companies.id", ondelete="SET NULL"), index=True),
    Column("title", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("name_key", Key, nullable=False, index=True),
    Column("reading_key", Key, nullable=False, index=True),
    Column("customer_number_key", Key, nullable=False, index=True),
    Column("search_key", Key, nullable=False),
)

numbers = Table(
    "crm_numbers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("contact_id", ForeignKey("crm_contacts.id", ondelete="CASCADE")),
    Column("company_id", ForeignKey("crm_companies.id", ondelete="CASCADE")),
    Column("kind", String(10), nullable=False),
    Column("text", Text, nullable=False),
    Column("e164", String(20), index=True),
    CheckConstraint("(contact_id IS NULL) <> (company_id IS NULL)", name="ck_crm_numbers_one_owner"),
    UniqueConstraint("contact_id", "kind", "e164"),
    UniqueConstraint("company_id", "kind", "e164"),
)

activities = Table(
    "crm_activities",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", Text, unique=True),  # what it tells of: a call's id, so that a call has one record
    Column("kind", String(12), nullable=False),
    Column("contact_id", ForeignKey("crm_contacts.id", ondelete="SET NULL")),
    Column("company_id", ForeignKey("crm_companies.id", ondelete="SET NULL")),
    Column("title", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("facts", Json),
)
Index("ix_crm_activities_contact", activities.c.contact_id, activities.c.at)
Index("ix_crm_activities_company", activities.c.company_id, activities.c.at)

orders = Table(
    "crm_orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("contact_id", ForeignKey("crm_contacts.id", ondelete="SET NULL"), index=True),
    Column("company_id", ForeignKey("crm_companies.id", ondelete="SET NULL"), index=True),
    Column("title", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("closed_at", Moment),
)

cases = Table(
    "crm_cases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("contact_id", ForeignKey("crm_contacts.id", ondelete="SET NULL"), index=True),
    Column("company_id", ForeignKey("crm_companies.id", ondelete="SET NULL"), index=True),
    Column("title", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("closed_at", Moment),
)
