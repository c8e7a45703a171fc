"""Find calls by their recording."""

import sqlalchemy as sa
from alembic import op

from cti_bridge.store import database as store

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("recording_id", sa.String(length=40), nullable=True))
    calls = sa.table("calls", sa.column("facts", store.Json), sa.column("recording_id", sa.String))
    told = calls.c.facts["recording_id"].as_string()
    op.execute(sa.update(calls).values(recording_id=told).where(sa.func.length(told) <= 40))
    op.create_index(
        "ix_calls_recording",
        "calls",
        ["recording_id"],
        unique=False,
        postgresql_where=sa.text("recording_id IS NOT NULL"),
        sqlite_where=sa.text("recording_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_calls_recording", table_name="calls")
    op.drop_column("calls", "recording_id")
