"""A contact's story as Salesforce tells it: which records, in which words, how many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cti_bridge.model import ActivityKind, Contact, ContactKind
from tests.connectors.salesforce.crm import SalesforceCrm, opened
from tests.connectors.salesforce.test_lookup import warm
from tests.contract import SAKURA, TOKYO, only
from tests.fakes.salesforce import FakeOrg
from tests.fakes.salesforce.schema import Field
from tests.fakes.salesforce.standard import new_object


def test_what_is_shown_is_chosen_by_setting_with_labels_of_the_org(org: FakeOrg) -> None:
    connector = warm(org, activity="cases opportunities", card_fields="Case.Priority Opportunity.CloseDate")
    account = org.insert("Account", Name="はやぶさ", Phone="03-2000-0110")
    org.insert("Case", AccountId=account, Subject="故障", Priority="High")
    org.insert(
        "Opportunity", AccountId=account, Name="更新", StageName="Negotiation", CloseDate="2027-01-31", Amount=1200000
    )
    org.insert("Task", WhatId=account, Subject="見えない", Status="Completed")

    story = only(connector.find_contacts(TOKYO)).activity

    assert story is not None
    assert (story.history, story.upcoming) == ((), ())
    told = {item.kind: item.detail for item in story.open}
    assert told[ActivityKind.CASE] == "新規 · 優先度: 高"
    assert told[ActivityKind.DEAL] == "交渉 · 1,200,000 · 2027-01-31 · 完了予定日: 2027-01-31"


def test_what_is_over_does_not_stand_among_what_is_open_or_coming(org: FakeOrg) -> None:
    connector = warm(org)
    account = org.insert("Account", Name="はやぶさ", Phone="03-2000-0110")
    org.insert("Case", AccountId=account, Subject="解決済み", Status="Closed")
    org.insert("Opportunity", AccountId=account, Name="済んだ話", StageName="Closed Won", CloseDate="2026-01-31")
    org.insert("Event", WhatId=account, Subject="先週の訪問", StartDateTime="2026-01-15T01:00:00Z")

    story = only(connector.find_contacts(TOKYO)).activity

    assert story is not None
    assert (story.open, story.upcoming) == ((), ())


def test_nothing_is_shown_when_nothing_is_chosen(org: FakeOrg) -> None:
    connector = warm(org, activity="none")
    sakura = SalesforceCrm(org, connector).keep_person("山本 さくら", "080-0000-1223")
    org.insert("Task", WhoId=sakura, Subject="電話", Status="Completed")

    story = only(connector.find_contacts(SAKURA)).activity

    assert story is not None
    assert story.history == ()


def test_a_task_to_do_stands_among_what_is_open_and_mail_is_told_apart(org: FakeOrg) -> None:
    connector = warm(org)
    sakura = SalesforceCrm(org, connector).keep_person("山本 さくら", "080-0000-1223")
    org.insert("Task", WhoId=sakura, Subject="折り返す", Status="Not Started")
    org.insert("Task", WhoId=sakura, Subject="見積書", Status="Completed", TaskSubtype="Email", Description="本文")
    org.insert(
        "Task", WhoId=sakura, Subject="昔の電話", Status="Completed", CallType="Inbound", ActivityDate="2020-02-03"
    )

    story = only(connector.find_contacts(SAKURA)).activity

    assert story is not None
    assert [(item.kind, item.title, item.detail) for item in story.open] == [
        (ActivityKind.NOTE, "折り返す", "Not Started")
    ]
    assert [item.kind for item in story.history] == [ActivityKind.EMAIL, ActivityKind.CALL]
    assert story.history[0].detail == "", "a mail's text is not a card's line"
    assert story.history[1].at == datetime(2020, 2, 3, tzinfo=UTC) - timedelta(hours=9), "midnight in Tokyo"


def test_a_contact_deleted_meanwhile_has_no_story(org: FakeOrg) -> None:
    connector = warm(org)
    sakura = SalesforceCrm(org, connector).keep_person("山本 さくら", "080-0000-1223")
    found = only(connector.find_contacts(SAKURA))
    org.delete(sakura)

    assert connector.recent_activity(found).history == ()
    assert connector.get_contact(sakura) is None


def test_a_contact_of_nowhere_has_no_story(org: FakeOrg) -> None:
    assert opened(org).recent_activity(Contact("nonsense", ContactKind.PERSON, "?")).history == ()


def test_a_contacts_deals_are_those_in_which_it_plays_a_role(org: FakeOrg) -> None:
    def lookup(name: str, to: str, children: str | None = None) -> Field:
        relationship = name.removesuffix("Id")
        kind = {"type": "reference", "length": 18, "reference_to": (to,), "relationship": relationship}
        return Field(name=name, children=children, **kind)  # type: ignore[arg-type]

    roles = new_object("OpportunityContactRole", "Role", "Roles", "役割", "00K")
    roles.add(lookup("ContactId", "Contact", "OpportunityContactRoles"), lookup("OpportunityId", "Opportunity"))
    org.store.schema.add(roles)
    connector = warm(org)
    sakura = SalesforceCrm(org, connector).keep_person("山本 さくら", "080-0000-1223")
    for name, stage in (("更新", "Negotiation"), ("済んだ話", "Closed Won")):
        deal = org.insert("Opportunity", Name=name, StageName=stage, CloseDate="2027-01-31")
        org.insert("OpportunityContactRole", ContactId=sakura, OpportunityId=deal)

    story = only(connector.find_contacts(SAKURA)).activity

    assert story is not None
    assert [(item.kind, item.title, item.detail) for item in story.open] == [
        (ActivityKind.DEAL, "更新", "交渉 · 2027-01-31")
    ]


def test_what_the_bridge_wrote_below_a_note_is_not_shown_again(org: FakeOrg) -> None:
    connector = warm(org)
    sakura = SalesforceCrm(org, connector).keep_person("山本 さくら", "080-0000-1223")
    text = "折り返し希望。\n\n―― CTI Bridge\n通話ID: CA01"
    org.insert("Task", WhoId=sakura, Subject="電話", Status="Completed", CallType="Inbound", Description=text,
               CallDurationInSeconds=192, CallDisposition="再コール")  # fmt: skip

    [item] = connector.recent_activity(only(connector.find_contacts(SAKURA))).history

    assert (item.kind, item.detail) == (ActivityKind.CALL, "3:12 · 再コール · 折り返し希望。")


def test_a_long_note_is_cut_for_the_card(org: FakeOrg) -> None:
    connector = warm(org)
    sakura = SalesforceCrm(org, connector).keep_person("山本 さくら", "080-0000-1223")
    org.insert("Task", WhoId=sakura, Subject="電話", Status="Completed", CallType="Inbound", Description="長" * 5000)

    [item] = connector.recent_activity(only(connector.find_contacts(SAKURA))).history

    assert len(item.detail) == 300
    assert item.detail.endswith("…")
