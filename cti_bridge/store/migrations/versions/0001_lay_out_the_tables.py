"""Lay out the tables."""

import sqlalchemy as sa
from alembic import op

from cti_bridge.store import database as store

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("softphone", sa.Boolean(), nullable=False),
        sa.Column("away", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
        sa.UniqueConstraint("email", name=op.f("uq_agents_email")),
    )
    op.create_table(
        "call_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=True),
        sa.Column("call_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("received_at", store.Moment(timezone=True), nullable=False),
        sa.Column("parameters", store.Json, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_events")),
        sa.UniqueConstraint("key", name=op.f("uq_call_events_key")),
    )
    op.create_index(
        "uq_call_events_token",
        "call_events",
        ["token"],
        unique=True,
        postgresql_where=sa.text("token IS NOT NULL"),
        sqlite_where=sa.text("token IS NOT NULL"),
    )

    op.create_table(
        "crm_companies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_number", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("short_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("reading_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("customer_number_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("search_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_companies")),
        sa.UniqueConstraint("customer_number", name=op.f("uq_crm_companies_customer_number")),
    )
    op.create_index("ix_crm_companies_customer_number_key", "crm_companies", ["customer_number_key"], unique=False)
    op.create_index("ix_crm_companies_name_key", "crm_companies", ["name_key"], unique=False)
    op.create_index("ix_crm_companies_reading_key", "crm_companies", ["reading_key"], unique=False)
    op.create_index("ix_crm_companies_short_key", "crm_companies", ["short_key"], unique=False)

    op.create_table(
        "lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("greeting", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("ring_seconds", sa.Integer(), nullable=False),
        sa.Column("record", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lines")),
        sa.UniqueConstraint("number", name=op.f("uq_lines_number")),
    )
    op.create_table(
        "number_index",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("connector", sa.String(length=40), nullable=False),
        sa.Column("contacts", store.Json, nullable=False),
        sa.Column("fetched_at", store.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", "connector", name=op.f("pk_number_index")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("run_at", store.Moment(timezone=True), nullable=False),
        sa.Column("leased", sa.Boolean(), nullable=False),
        sa.Column("created_at", store.Moment(timezone=True), nullable=False),
        sa.Column("delivered_at", store.Moment(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("record_id", sa.String(length=100), nullable=True),
        sa.Column("record_url", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["run_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_outbox_parked",
        "outbox",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'parked'"),
        sqlite_where=sa.text("state = 'parked'"),
    )
    op.create_index("uq_outbox_call_id_kind", "outbox", ["call_id", "kind"], unique=True)

    op.create_table(
        "picks",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("connector", sa.String(length=40), nullable=False),
        sa.Column("choice", store.Json, nullable=False),
        sa.PrimaryKeyConstraint("number", "connector", name=op.f("pk_picks")),
    )
    op.create_table(
        "used_tickets",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("expires_at", store.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_used_tickets")),
    )
    op.create_index("ix_used_tickets_expires_at", "used_tickets", ["expires_at"], unique=False)

    op.create_table(
        "calls",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", store.Moment(timezone=True), nullable=False),
        sa.Column("facts", store.Json, nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=True),
        sa.Column("line_number", sa.String(length=20), nullable=True),
        sa.Column("caller_kind", sa.String(length=10), nullable=False),
        sa.Column("caller_number", sa.String(length=20), nullable=True),
        sa.Column("caller_raw", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        sa.Column("started_at", store.Moment(timezone=True), nullable=False),
        sa.Column("answered_at", store.Moment(timezone=True), nullable=True),
        sa.Column("ended_at", store.Moment(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("disposition", sa.String(length=40), nullable=True),
        sa.Column("draft_saved_at", store.Moment(timezone=True), nullable=True),
        sa.Column("picked", store.Json, nullable=True),
        sa.Column("disowned", sa.Boolean(), nullable=False),
        sa.Column("completed_at", store.Moment(timezone=True), nullable=True),
        sa.Column("dealt_with_at", store.Moment(timezone=True), nullable=True),
        sa.Column("lookup", store.Json, nullable=False),
        sa.Column("contact_id", sa.String(length=100), nullable=True),
        sa.Column("contact_name", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_calls_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index("ix_calls_agent", "calls", ["agent_id", "started_at"], unique=False)
    op.create_index("ix_calls_caller", "calls", ["caller_number", "started_at"], unique=False)
    op.create_index("ix_calls_changed_at", "calls", ["changed_at"], unique=False)
    op.create_index(
        "ix_calls_missed",
        "calls",
        ["started_at"],
        unique=False,
        postgresql_where=sa.text("outcome = 'missed' AND dealt_with_at IS NULL"),
        sqlite_where=sa.text("outcome = 'missed' AND dealt_with_at IS NULL"),
    )
    op.create_index("ix_calls_started_at", "calls", ["started_at"], unique=False)

    op.create_table(
        "crm_contacts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_number", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("reading_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("customer_number_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("search_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["crm_companies.id"], name=op.f("fk_crm_contacts_company_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_contacts")),
        sa.UniqueConstraint("customer_number", name=op.f("uq_crm_contacts_customer_number")),
    )
    op.create_index("ix_crm_contacts_company_id", "crm_contacts", ["company_id"], unique=False)
    op.create_index("ix_crm_contacts_customer_number_key", "crm_contacts", ["customer_number_key"], unique=False)
    op.create_index("ix_crm_contacts_name_key", "crm_contacts", ["name_key"], unique=False)
    op.create_index("ix_crm_contacts_reading_key", "crm_contacts", ["reading_key"], unique=False)

    op.create_table(
        "line_agents",
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_line_agents_agent_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name=op.f("fk_line_agents_line_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("line_id", "agent_id", name=op.f("pk_line_agents")),
    )
    op.create_table(
        "rings",
        sa.Column("call_id", sa.String(length=40), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("rung_at", store.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_rings_agent_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "agent_id", name=op.f("pk_rings")),
    )
    op.create_index("ix_rings_agent", "rings", ["agent_id", "rung_at"], unique=False)

    op.create_table(
        "crm_activities",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("company_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", store.Moment(timezone=True), nullable=False),
        sa.Column("facts", store.Json, nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["crm_companies.id"], name=op.f("fk_crm_activities_company_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["crm_contacts.id"], name=op.f("fk_crm_activities_contact_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_activities")),
        sa.UniqueConstraint("source_id", name=op.f("uq_crm_activities_source_id")),
    )
    op.create_index("ix_crm_activities_company", "crm_activities", ["company_id", "at"], unique=False)
    op.create_index("ix_crm_activities_contact", "crm_activities", ["contact_id", "at"], unique=False)

    op.create_table(
        "crm_cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("company_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", store.Moment(timezone=True), nullable=False),
        sa.Column("closed_at", store.Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["crm_companies.id"], name=op.f("fk_crm_cases_company_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["crm_contacts.id"], name=op.f("fk_crm_cases_contact_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_cases")),
        sa.UniqueConstraint("number", name=op.f("uq_crm_cases_number")),
    )
    op.create_index("ix_crm_cases_company_id", "crm_cases", ["company_id"], unique=False)
    op.create_index("ix_crm_cases_contact_id", "crm_cases", ["contact_id"], unique=False)

    op.create_table(
        "crm_numbers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("company_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("e164", sa.String(length=20), nullable=True),
        sa.CheckConstraint("(contact_id IS NULL) <> (company_id IS NULL)", name="ck_crm_numbers_one_owner"),
        sa.ForeignKeyConstraint(
            ["company_id"], ["crm_companies.id"], name=op.f("fk_crm_numbers_company_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["crm_contacts.id"], name=op.f("fk_crm_numbers_contact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_numbers")),
        sa.UniqueConstraint("company_id", "kind", "e164", name=op.f("uq_crm_numbers_company_id")),
        sa.UniqueConstraint("contact_id", "kind", "e164", name=op.f("uq_crm_numbers_contact_id")),
    )
    op.create_index("ix_crm_numbers_e164", "crm_numbers", ["e164"], unique=False)

    op.create_table(
        "crm_orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("company_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", store.Moment(timezone=True), nullable=False),
        sa.Column("closed_at", store.Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["crm_companies.id"], name=op.f("fk_crm_orders_company_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["crm_contacts.id"], name=op.f("fk_crm_orders_contact_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_orders")),
        sa.UniqueConstraint("number", name=op.f("uq_crm_orders_number")),
    )
    op.create_index("ix_crm_orders_company_id", "crm_orders", ["company_id"], unique=False)
    op.create_index("ix_crm_orders_contact_id", "crm_orders", ["contact_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_crm_orders_contact_id", table_name="crm_orders")
    op.drop_index("ix_crm_orders_company_id", table_name="crm_orders")

    op.drop_table("crm_orders")
    op.drop_index("ix_crm_numbers_e164", table_name="crm_numbers")

    op.drop_table("crm_numbers")
    op.drop_index("ix_crm_cases_contact_id", table_name="crm_cases")
    op.drop_index("ix_crm_cases_company_id", table_name="crm_cases")

    op.drop_table("crm_cases")
    op.drop_index("ix_crm_activities_contact", table_name="crm_activities")
    op.drop_index("ix_crm_activities_company", table_name="crm_activities")

    op.drop_table("crm_activities")
    op.drop_index("ix_rings_agent", table_name="rings")

    op.drop_table("rings")
    op.drop_table("line_agents")
    op.drop_index("ix_crm_contacts_reading_key", table_name="crm_contacts")
    op.drop_index("ix_crm_contacts_name_key", table_name="crm_contacts")
    op.drop_index("ix_crm_contacts_customer_number_key", table_name="crm_contacts")
    op.drop_index("ix_crm_contacts_company_id", table_name="crm_contacts")

    op.drop_table("crm_contacts")
    op.drop_index("ix_calls_started_at", table_name="calls")
    op.drop_index(
        "ix_calls_missed",
        table_name="calls",
        postgresql_where=sa.text("outcome = 'missed' AND dealt_with_at IS NULL"),
        sqlite_where=sa.text("outcome = 'missed' AND dealt_with_at IS NULL"),
    )
    op.drop_index("ix_calls_changed_at", table_name="calls")
    op.drop_index("ix_calls_caller", table_name="calls")
    op.drop_index("ix_calls_agent", table_name="calls")

    op.drop_table("calls")
    op.drop_index("ix_used_tickets_expires_at", table_name="used_tickets")

    op.drop_table("used_tickets")
    op.drop_table("picks")
    op.drop_index("uq_outbox_call_id_kind", table_name="outbox")
    op.drop_index(
        "ix_outbox_parked",
        table_name="outbox",
        postgresql_where=sa.text("state = 'parked'"),
        sqlite_where=sa.text("state = 'parked'"),
    )
    op.drop_index(
        "ix_outbox_due",
        table_name="outbox",
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )

    op.drop_table("outbox")
    op.drop_table("number_index")
    op.drop_table("lines")
    op.drop_index("ix_crm_companies_short_key", table_name="crm_companies")
    op.drop_index("ix_crm_companies_reading_key", table_name="crm_companies")
    op.drop_index("ix_crm_companies_name_key", table_name="crm_companies")
    op.drop_index("ix_crm_companies_customer_number_key", table_name="crm_companies")

    op.drop_table("crm_companies")
    op.drop_index(
        "uq_call_events_token",
        table_name="call_events",
        postgresql_where=sa.text("token IS NOT NULL"),
        sqlite_where=sa.text("token IS NOT NULL"),
    )

    op.drop_table("call_events")
    op.drop_table("agents")
