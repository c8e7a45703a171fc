"""Mend the outbox: corrections, giving up, and since when a log is due."""

import sqlalchemy as sa
from alembic import op

from cti_bridge.store import database as store

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("due_at", store.Moment(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("correction", store.Json, nullable=True))
    op.add_column("outbox", sa.Column("reason", sa.Text(), nullable=True))
    op.execute("UPDATE outbox SET due_at = run_at WHERE state = 'pending'")
    op.create_index(
        "ix_outbox_given_up",
        "outbox",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'given_up'"),
        sqlite_where=sa.text("state = 'given_up'"),
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_given_up", table_name="outbox")
    op.drop_column("outbox", "reason")
    op.drop_column("outbox", "correction")
    op.drop_column("outbox", "due_at")
