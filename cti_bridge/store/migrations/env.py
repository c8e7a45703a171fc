"""Alembic's environment: one connection, handed in by ``store.migrate``."""

from alembic import context

from cti_bridge.store.migrate import all_tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=all_tables(),
    render_as_batch=connection.dialect.name == "sqlite",
    user_module_prefix="store.",
)
with context.begin_transaction():
    context.run_migrations()
