"""The database's history, written by Alembic; ``store.migrate`` runs it."""
