"""What the bridge sees of the connector as a whole: its screen, its words for fields, what it logs."""

from __future__ import annotations

import logging

import pytest

from cti_bridge.connector import Resources
from cti_bridge.connectors.salesforce import SalesforceConnector
from cti_bridge.errors import ConnectorError
from cti_bridge.model import Language
from tests.connectors.salesforce.crm import KEY, SECRET, opened
from tests.connectors.salesforce.test_lookup import warm
from tests.contract import SAKURA, log
from tests.fakes.salesforce import FakeOrg, Kind

SETTINGS = {"SALESFORCE_CONSUMER_KEY": KEY, "SALESFORCE_CONSUMER_SECRET": SECRET}


@pytest.mark.parametrize(
    ("domain", "lightning", "org"),
    [
        ("acme", "https://acme.lightning.force.com", "https://acme.my.salesforce.com"),
        (
            "acme--uat.sandbox",
            "https://acme--uat.sandbox.lightning.force.com",
            "https://acme--uat.sandbox.my.salesforce.com",
        ),
    ],
)
def test_only_the_orgs_own_hosts_may_hold_the_panel(domain: str, lightning: str, org: str) -> None:
    screen = SalesforceConnector.open(Resources({**SETTINGS, "SALESFORCE_MY_DOMAIN": domain})).screen

    assert screen.origins == (lightning, org)
    assert screen.scripts == (org,)
    assert screen.page == "salesforce"
    assert screen.facts == {"org": org, "lightning": lightning, "api": "68.0", "entity": "Contact"}


def test_in_tests_the_panel_is_held_by_this_machine(org: FakeOrg) -> None:
    screen = opened(org).screen

    assert (screen.origins, screen.scripts) == ((org.url,), (org.url,))


@pytest.mark.parametrize(("language", "label"), [("ja", "携帯"), ("en", "Mobile")])
def test_a_standard_field_is_called_as_salesforce_calls_it(org: FakeOrg, language: Language, label: str) -> None:
    connector = opened(org)

    assert connector.field_label("Contact.MobilePhone", language) == label
    assert connector.field_label("Account.PersonMobilePhone", language) == label
    assert org.requests == [], "a label is no reason to ask anybody"


def test_a_field_of_the_orgs_own_is_called_as_the_org_calls_it(org: FakeOrg) -> None:
    org.add_field("Contact", "Night__c", type="phone", label="Night", label_ja="夜間の電話")

    assert warm(org).field_label("Contact.Night__c", "ja") == "夜間の電話"
    assert opened(org).field_label("Contact.Night__c", "ja") == "Night__c"


def test_a_number_looked_up_in_the_search_index_is_in_nobodys_log(
    org: FakeOrg, caplog: pytest.LogCaptureFixture
) -> None:
    """Asked by GET, it stands in the address; the library below warns of every connection that it tries again."""
    connector = warm(org, search="sosl")
    org.close()
    with caplog.at_level(logging.INFO), pytest.raises(ConnectorError):
        connector.find_contacts(SAKURA)

    assert "00001223" not in caplog.text


@pytest.mark.parametrize("kind", [Kind.DOWN, Kind.CUT, Kind.QUERY_TIMEOUT, Kind.LOCKED, Kind.LIMIT, Kind.EXPIRED])
def test_no_secret_number_or_name_is_logged_or_told_by_an_outage(
    org: FakeOrg, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    org.insert("Contact", LastName="山本", FirstName="さくら", Phone="080-0000-1223")
    connector = warm(org)
    problems = []
    with caplog.at_level(logging.DEBUG), org.trouble(kind):
        for ask in (lambda: connector.find_contacts(SAKURA), lambda: connector.write_call_log(log())):
            with pytest.raises(ConnectorError) as told:
                ask()
            problems.append(str(told.value))

    ours = " ".join(
        [*problems, *(record.getMessage() for record in caplog.records if record.name.startswith("cti_bridge"))]
    )
    for private in ("0000-1223", "00001223", "山本", "さくら", SECRET, KEY, "エアコン"):
        assert private not in ours
