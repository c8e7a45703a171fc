"""The audit log: the database itself lets nobody change or empty it; only what is older than it is kept may go."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from cti_bridge.errors import StoreUnavailable
from cti_bridge.store import Database, audit, chores
from cti_bridge.store.audit import COMMAND_LINE
from tests.callers import NOW

LOG = audit.audit
REFUSED = (DBAPIError, StoreUnavailable)


@pytest.fixture
def noted(database: Database) -> Database:
    with database.transaction() as connection:
        audit.note(connection, COMMAND_LINE, "signed_in", "agent:1", NOW)
        audit.note(connection, COMMAND_LINE, "signed_out", "agent:1", NOW)
    return database


def actions(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.execute(select(LOG.c.action).order_by(LOG.c.id)).scalars())


@pytest.mark.parametrize(
    "statement",
    [
        update(LOG).values(action="nothing"),
        update(LOG).values(agent_id=2),
        delete(LOG),
        delete(LOG).where(LOG.c.id > 0),
    ],
    ids=["changed", "signed by another", "emptied", "thinned"],
)
def test_no_entry_is_changed_or_taken_away(noted: Database, statement: object) -> None:
    with pytest.raises(REFUSED, match="only grows"), noted.transaction() as connection:
        connection.execute(statement)  # type: ignore[call-overload]
    assert actions(noted) == ["signed_in", "signed_out"]


def test_nor_is_it_truncated(postgres_database: Database) -> None:
    with postgres_database.transaction() as connection:
        audit.note(connection, COMMAND_LINE, "signed_in", "agent:1", NOW)
    with pytest.raises(REFUSED, match="only grows"), postgres_database.transaction() as connection:
        connection.execute(text("TRUNCATE audit"))
    assert actions(postgres_database)


def test_tidying_may_delete_but_not_change_and_shuts_the_door_behind_it(noted: Database) -> None:
    with (
        pytest.raises(REFUSED, match="only grows"),
        noted.transaction() as connection,
        chores.audit_may_shrink(connection),
    ):
        connection.execute(update(LOG).values(action="nothing"))
    with noted.transaction() as connection, chores.audit_may_shrink(connection):
        connection.execute(delete(LOG).where(LOG.c.action == "signed_in"))
    assert actions(noted) == ["signed_out"]
    with pytest.raises(REFUSED, match="only grows"), noted.transaction() as connection:
        connection.execute(delete(LOG))


def test_the_log_outlives_the_agent(noted: Database) -> None:
    from tests.callers import office

    with noted.transaction() as connection:
        office(connection)
        connection.execute(text("DELETE FROM line_agents"))
        connection.execute(text("DELETE FROM agents"))
    assert len(actions(noted)) == 2
