"""What a record of the screen stands for when an agent dials from it."""

from __future__ import annotations

import pytest

from tests.connectors.salesforce.test_lookup import requests_counted, warm
from tests.contract import HOSTILE, log, repr_short
from tests.fakes.salesforce import FakeOrg


def test_a_contacts_record_is_the_contact(org: FakeOrg) -> None:
    sakura = org.insert("Contact", LastName="山本", FirstName="さくら")
    placement = warm(org).locate(sakura[:15])

    assert placement is not None
    assert placement.contact is not None
    assert (placement.contact.id, placement.related) == (sakura, None)


def test_a_case_is_its_contact_and_the_case(org: FakeOrg) -> None:
    sakura = org.insert("Contact", LastName="山本")
    case = org.insert("Case", Subject="故障", ContactId=sakura)
    connector = warm(org)
    placement = connector.locate(case)

    assert placement is not None
    assert placement.contact is not None
    assert placement.contact.id == sakura
    assert placement.related is not None
    assert placement.related.id == case
    assert placement.related.title.endswith("故障")
    assert placement.related.url == f"https://acme.lightning.force.com/lightning/r/Case/{case}/view"
    connector.write_call_log(log(contact=placement.contact, related=placement.related))
    assert [(task["WhoId"], task["WhatId"]) for task in org.rows("Task")] == [(sakura, case)]


def test_a_deal_is_its_company_and_the_deal(org: FakeOrg) -> None:
    company = org.insert("Account", Name="はやぶさ")
    deal = org.insert("Opportunity", Name="更新", AccountId=company, StageName="Negotiation", CloseDate="2027-01-31")
    placement = warm(org).locate(deal)

    assert placement is not None
    assert placement.contact is not None
    assert placement.related is not None
    assert (placement.contact.id, placement.related.title) == (company, "更新")


def test_a_case_of_nobody_is_still_what_the_call_is_about(org: FakeOrg) -> None:
    case = org.insert("Case", Subject="匿名の苦情")
    placement = warm(org).locate(case)

    assert placement is not None
    assert placement.contact is None
    assert placement.related is not None


def test_a_record_of_the_orgs_own_may_be_what_a_call_is_about(org: FakeOrg) -> None:
    org.add_object("Contract__c", label="契約")
    record = org.insert("Contract__c", Name="保守契約 2026")
    placement = warm(org).locate(record)

    assert placement is not None
    assert placement.related is not None
    assert (placement.contact, placement.related.title) == (None, "保守契約 2026")


def test_a_task_stands_for_whom_and_what_it_is_about(org: FakeOrg) -> None:
    sakura = org.insert("Contact", LastName="山本")
    case = org.insert("Case", Subject="故障")
    task = org.insert("Task", Subject="折り返す", Status="Not Started", WhoId=sakura, WhatId=case)
    placement = warm(org).locate(task)

    assert placement is not None
    assert placement.contact is not None
    assert placement.related is not None
    assert (placement.contact.id, placement.related.id) == (sakura, case)


def test_a_record_that_no_call_can_be_about_is_nothing(org: FakeOrg) -> None:
    connector = warm(org)

    assert connector.locate(org.user("somebody@acme.example")) is None


def test_a_deleted_record_is_nothing(org: FakeOrg) -> None:
    connector = warm(org)
    case = org.insert("Case", Subject="故障")
    org.delete(case)

    assert connector.locate(case) is None


@pytest.mark.parametrize("wrong", ["", "500", *HOSTILE], ids=repr_short)
def test_an_id_that_is_none_is_nothing_and_costs_nothing(org: FakeOrg, wrong: str) -> None:
    connector = warm(org)
    with requests_counted(org, 0):
        assert connector.locate(wrong) is None
