"""The registry of personal data: complete, and every classification has its consequence."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect

from cti_bridge.store import Database, migrate
from cti_bridge.store.personal.columns import REGISTRY, Holds, Then, customer_columns

TABLES = migrate.all_tables().tables


def test_every_column_of_every_table_is_classified_once() -> None:
    for name, table in TABLES.items():
        assert name in REGISTRY, f"store/personal/columns.py does not say what the table {name} holds of whom"
        listed = [column for holds in Holds for column in getattr(REGISTRY[name], holds.value).split()]
        missing = {column.name for column in table.c} - set(listed)
        assert not missing, f"store/personal/columns.py does not classify {sorted(missing)} of {name}"
        assert len(listed) == len(set(listed)), f"a column of {name} is classified twice: {sorted(listed)}"


def test_the_registry_names_nothing_that_is_not_there() -> None:
    assert set(REGISTRY) <= set(TABLES)
    for name, personal in REGISTRY.items():
        named = {*personal.columns, *personal.number, *personal.contact, *personal.erased, *personal.hidden.split()}
        assert named | ({personal.call} if personal.call else set()) == {column.name for column in TABLES[name].c}, name


def test_the_database_itself_has_no_column_beyond_the_registry(database: Database) -> None:
    with database.reading() as connection:
        for name in set(inspect(connection).get_table_names()) - {"alembic_version"}:
            there = {column["name"] for column in inspect(connection).get_columns(name)}
            assert there == set(REGISTRY[name].columns), f"{name} has other columns than store/personal/columns.py says"


@pytest.mark.parametrize("name", [name for name in REGISTRY if customer_columns(name)])
def test_what_is_held_of_customers_has_an_end(name: str) -> None:
    personal = REGISTRY[name]
    if personal.own is Then.DELETED:
        return
    held = {column.name for column in customer_columns(name)}
    left = held - set(personal.erased)
    assert not left, f"store/personal/columns.py does not say what is left of {sorted(left)} in {name} after an erasure"
    assert personal.number or personal.call or "contact_id" in held, f"nobody can tell whose rows those of {name} are"
