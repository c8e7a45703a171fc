"""Keep house: chores of one process for all, who was shown whom, and an audit log that only grows."""

import sqlalchemy as sa
from alembic import op

from cti_bridge.store import database as store

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Tidying away what is older than it is to be kept is the one exception: it writes this chore for the length of its own
# transaction (cti_bridge.store.chores.audit_may_shrink).
_MAY_SHRINK = "EXISTS (SELECT 1 FROM chores WHERE name = 'audit_may_shrink')"


def upgrade() -> None:
    op.create_table(
        "chores",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("leased_until", store.Moment(timezone=True), nullable=True),
        sa.Column("done_at", store.Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chores")),
    )
    op.create_table(
        "seen",
        sa.Column("call_id", sa.String(length=40), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("at", store.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_seen_agent_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "agent_id", name=op.f("pk_seen")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"""
            CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'DELETE' AND {_MAY_SHRINK} THEN
                    RETURN OLD;
                END IF;
                RAISE EXCEPTION 'the audit log only grows';
            END $$
            """
        )
        op.execute(
            "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE ON audit "
            "FOR EACH ROW EXECUTE FUNCTION audit_only_grows()"
        )
        op.execute(
            "CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
        )
    else:
        op.execute(
            "CREATE TRIGGER audit_does_not_change BEFORE UPDATE ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
        )
        op.execute(
            f"CREATE TRIGGER audit_only_grows BEFORE DELETE ON audit WHEN NOT {_MAY_SHRINK} "
            "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_is_not_emptied ON audit")
        op.execute("DROP TRIGGER audit_only_grows ON audit")
        op.execute("DROP FUNCTION audit_only_grows()")
    else:
        op.execute("DROP TRIGGER audit_only_grows")
        op.execute("DROP TRIGGER audit_does_not_change")
    op.drop_table("seen")
    op.drop_table("chores")
