"""What the org is like: asked once, kept for hours, renewed behind everybody's back."""

from __future__ import annotations

import threading

import pytest

from cti_bridge.connectors.salesforce.schema import (
    FRESH_SECONDS,
    REFRESH_SECONDS,
    Described,
    Schema,
    contact_objects,
    objects_needed,
)
from cti_bridge.connectors.salesforce.session import Org
from cti_bridge.connectors.salesforce.settings import SalesforceSettings
from cti_bridge.errors import ConnectorUnavailable
from tests.connectors.salesforce.crm import KEY, SECRET
from tests.fakes.salesforce import FakeOrg, Kind

NEEDED = {
    "SALESFORCE_MY_DOMAIN": "acme",
    "SALESFORCE_CONSUMER_KEY": KEY,
    "SALESFORCE_CONSUMER_SECRET": SECRET,
}


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def schema(org: FakeOrg, now: list[float]) -> Schema:
    settings = SalesforceSettings.read({**NEEDED, "SALESFORCE_INSTANCE_URL": org.url})
    return Schema(Org(settings), settings, lambda: now[0])


def renewals() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "salesforce-describe"]


def renewed(schema: Schema) -> Described:
    """The description when no renewal is under way any more."""
    for thread in renewals():
        thread.join(10)
    assert schema.known is not None
    return schema.known


def test_a_description_is_asked_for_once(org: FakeOrg, schema: Schema) -> None:
    first = schema.get()

    assert schema.get() is first
    assert schema.known is first
    assert org.count("Contact/describe") == 1


def test_an_old_description_serves_while_a_new_one_is_fetched(org: FakeOrg, schema: Schema, now: list[float]) -> None:
    first = schema.get()
    org.add_field("Contact", "Night__c", type="phone")
    now[0] += FRESH_SECONDS + 1
    with org.trouble(Kind.HOLD, path="Contact/describe") as gate:
        assert schema.get() is first, "nobody waits"
        gate.wait_for(1)
        assert schema.get() is first
        gate.open()
        second = renewed(schema)

    assert "Night__c" in second.tables["Contact"].columns
    assert org.count("Contact/describe") == 2


def test_a_renewal_that_fails_leaves_the_old_description_and_is_tried_again(
    org: FakeOrg, schema: Schema, now: list[float]
) -> None:
    first = schema.get()
    now[0] += FRESH_SECONDS + 1
    with org.trouble(Kind.DOWN):
        schema.get()
        assert renewed(schema) is first
    schema.get()

    assert renewed(schema) is not first


def test_a_description_that_fails_is_asked_for_again(org: FakeOrg, schema: Schema) -> None:
    with org.trouble(Kind.DOWN), pytest.raises(ConnectorUnavailable):
        schema.get()

    assert "Contact" in schema.get().tables


def test_everybody_who_finds_it_stale_gets_the_same_new_one(org: FakeOrg, schema: Schema) -> None:
    first = schema.get()
    second = schema.refresh(first)

    assert second is not first
    assert schema.refresh(first) is second
    assert org.count("Contact/describe") == 2


def test_a_doubt_renews_once_in_a_while_for_not_every_refusal_is_mended_by_news(
    org: FakeOrg, schema: Schema, now: list[float]
) -> None:
    first = schema.get()
    second = schema.doubt(first)
    assert second is not first
    assert schema.doubt(first) is second
    assert schema.doubt(second) is second
    assert org.count("Contact/describe") == 2

    now[0] += REFRESH_SECONDS + 1
    assert schema.doubt(second) is not second


def test_any_objects_name_is_known_by_its_records_ids(org: FakeOrg, schema: Schema) -> None:
    org.add_object("Invoice__c")
    invoice = org.insert("Invoice__c", Name="2026-001")

    assert schema.object_of(invoice) == "Invoice__c"
    assert schema.object_of("zzz5g00000000001AAA") is None
    before = len(org.requests)
    assert schema.object_of(invoice) == "Invoice__c"
    assert len(org.requests) == before


@pytest.mark.parametrize(
    ("settings", "objects"),
    [
        ({}, ("Contact", "Account", "Lead")),
        ({"SALESFORCE_PHONE_FIELDS": "Shop__c.Tel__c Lead.Phone"}, ("Lead", "Shop__c")),
        ({"SALESFORCE_NORMALISED_FIELDS": "Shop__c.E164__c"}, ("Contact", "Account", "Lead", "Shop__c")),
    ],
)
def test_the_objects_that_hold_contacts_follow_the_settings(settings: dict[str, str], objects: tuple[str, ...]) -> None:
    chosen = SalesforceSettings.read({**NEEDED, **settings})

    assert contact_objects(chosen) == objects
    assert set(objects) | {"Task"} <= set(objects_needed(chosen))


def test_what_is_not_shown_is_not_described(org: FakeOrg) -> None:
    chosen = SalesforceSettings.read({**NEEDED, "SALESFORCE_ACTIVITY": "tasks"})

    assert not {"Case", "Opportunity", "Event"} & set(objects_needed(chosen))
