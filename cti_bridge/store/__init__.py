"""The bridge's own memory: tables, queries and migrations, on SQLite or PostgreSQL, with SQLAlchemy Core.

``database`` opens and migrates it; every other module holds one subject's tables and the queries upon them. Nothing
here decides anything: rules live in ``model``, use cases in ``calls``.
"""

from cti_bridge.store.database import Database

__all__ = ["Database"]
