"""Whose number it is, counted in requests: one for the ordinary caller, story and all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cti_bridge.connectors.salesforce import SalesforceConnector
from cti_bridge.connectors.salesforce.activity import Stories
from cti_bridge.connectors.salesforce.records import full_name
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable
from cti_bridge.model import ContactKind
from cti_bridge.phone import PhoneNumber
from tests.connectors.salesforce.crm import SalesforceCrm, opened, prepared
from tests.contract import HOME, NOBODY, SAKURA, TOKYO, log, only
from tests.fakes.salesforce import FakeOrg, Kind


@contextmanager
def requests_counted(org: FakeOrg, expected: int) -> Iterator[None]:
    """Fails unless the block makes so many requests, and says which they were."""
    before = len(org.requests)
    yield
    made = [f"{request.method} {request.path}" for request in org.requests[before:]]
    assert len(made) == expected, f"expected {expected} requests, made {made}"


def warm(org: FakeOrg, **settings: str) -> SalesforceConnector:
    connector = opened(org, **settings)
    connector.warm_up()
    return connector


def test_an_ordinary_look_up_is_one_request_with_the_story_in_it(org: FakeOrg) -> None:
    connector = warm(org)
    crm = SalesforceCrm(org, connector)
    sakura = crm.keep_person("山本 さくら", "080-0000-1223", company="株式会社はやぶさ製作所")
    crm.keep_story(sakura, 3)
    with requests_counted(org, 1):
        found = only(connector.find_contacts(SAKURA))

    assert found.activity is not None
    assert [len(part) for part in (found.activity.history, found.activity.open, found.activity.upcoming)] == [3, 3, 3]
    assert found.open_cases == 3
    assert found.touched_at == found.activity.history[0].at
    with requests_counted(org, 1):
        assert connector.recent_activity(found) == found.activity


def test_a_first_look_up_warms_itself(org: FakeOrg) -> None:
    connector = opened(org)

    assert connector.find_contacts(SAKURA) == []
    with requests_counted(org, 1):
        connector.find_contacts(HOME)


def test_a_lead_is_found_until_it_is_converted(org: FakeOrg) -> None:
    connector = warm(org)
    lead = org.insert("Lead", LastName="大野", FirstName="健一", Company="大野商店", Phone="03(2000)0110")
    found = only(connector.find_contacts(TOKYO))
    org.update(lead, IsConverted=True)

    assert (found.id, found.kind, found.company) == (lead, ContactKind.PERSON, "大野商店")
    assert found.url == f"https://acme.lightning.force.com/lightning/r/Lead/{lead}/view"
    assert connector.find_contacts(TOKYO) == []


def test_the_numbers_fields_of_type_phone_are_found_by_themselves_but_no_fax(org: FakeOrg) -> None:
    connector = warm(org)
    org.insert("Account", Name="ファックスだけ", Fax="03-2000-0110")
    org.add_field("Account", "Warehouse__c", type="phone", label="Warehouse")
    connector = warm(org)
    warehouse = org.insert("Account", Name="倉庫", Warehouse__c="03-2000-0110")

    found = only(connector.find_contacts(TOKYO))

    assert (found.id, found.numbers[0].label) == (warehouse, "Account.Warehouse__c")
    assert connector.field_label("Account.Warehouse__c", "ja") == "Warehouse"


def test_only_the_fields_that_are_set_are_looked_in(org: FakeOrg) -> None:
    connector = warm(org, phone_fields="Contact.MobilePhone")
    org.insert("Contact", LastName="電話", Phone="080-0000-1223")
    mobile = org.insert("Contact", LastName="携帯", MobilePhone="080-0000-1223")
    org.insert("Account", Name="会社", Phone="080-0000-1223")

    assert only(connector.find_contacts(SAKURA)).id == mobile


def test_an_object_of_the_orgs_own_may_hold_numbers(org: FakeOrg) -> None:
    org.add_object("Shop__c", label="店舗", phones=["Tel__c"])
    shop = org.insert("Shop__c", Name="渋谷店", Tel__c="０３－２０００－０１１０")
    connector = warm(org, phone_fields="Contact.Phone Shop__c.Tel__c", company_objects="Account Shop__c")

    found = only(connector.find_contacts(TOKYO))

    assert (found.id, found.kind, found.name) == (shop, ContactKind.COMPANY, "渋谷店")
    connector.write_call_log(log(contact=found))
    assert [task["WhatId"] for task in org.rows("Task")] == [shop]


def test_a_normalised_field_is_asked_first_and_spellings_only_when_it_finds_nobody(org: FakeOrg) -> None:
    org.add_field("Contact", "Phone_E164__c", external_id=True, length=20)
    sakura = org.insert("Contact", LastName="山本", Phone="さくら携帯 ０８０の1223", Phone_E164__c="+818000001223")
    connector = warm(org, normalised_fields="Contact.Phone_E164__c")
    with requests_counted(org, 1):
        found = only(connector.find_contacts(SAKURA))
    not_filled = org.insert("Contact", LastName="未整備", Phone="045-000-0210")
    with requests_counted(org, 2):
        other = only(connector.find_contacts(HOME))

    assert found.id == sakura
    assert ("Contact.Phone_E164__c", "+818000001223") in {(held.label, held.text) for held in found.numbers}
    assert other.id == not_filled


def test_a_stale_normalised_field_shows_nobody_the_wrong_person(org: FakeOrg) -> None:
    """Somebody typed a new number, and the Flow that should have followed did not run."""
    org.add_field("Contact", "Phone_E164__c", external_id=True, length=20)
    org.insert("Contact", LastName="前の持ち主", Phone="03-2000-0110", Phone_E164__c="+818000001223")
    connector = warm(org, normalised_fields="Contact.Phone_E164__c")
    assert connector.find_contacts(SAKURA) == []

    now_theirs = org.insert("Contact", LastName="今の持ち主", Phone="080-0000-1223")

    assert only(connector.find_contacts(SAKURA)).id == now_theirs


def test_a_normalised_field_made_of_a_field_that_is_not_searched_is_believed(org: FakeOrg) -> None:
    org.add_field("Contact", "Phone_E164__c", external_id=True, length=20)
    sakura = org.insert(
        "Contact", LastName="山本", Phone="080-0000-1223", MobilePhone="090-1234-5678", Phone_E164__c="+818000001223"
    )
    connector = warm(org, phone_fields="Contact.MobilePhone", normalised_fields="Contact.Phone_E164__c")

    assert only(connector.find_contacts(SAKURA)).id == sakura


def test_the_search_index_finds_what_no_spelling_does_and_spellings_what_it_does_not_know_yet() -> None:
    with FakeOrg(joins_phone_digits=True) as org:
        connector = warm(prepared(org), search="sosl")
        messy = org.insert("Contact", LastName="山本", Phone="080  0000  1223")
        org.search_lag = True
        fresh = org.insert("Contact", LastName="鈴木", Phone="080-0000-1223")
        with requests_counted(org, 2):
            found = connector.find_contacts(SAKURA)

    assert {contact.id for contact in found} == {messy, fresh}


def test_hostile_words_are_searched_in_the_index_as_words(org: FakeOrg) -> None:
    connector = warm(org, search="sosl")
    for name in ("AND 商会", "NOT{} 物産", 'ab" OR "cd', "OR", "*()工業"):
        org.insert("Account", Name=name)

    for name in ("AND 商会", "NOT{} 物産", 'ab" OR "cd', "*()工業"):
        assert [contact.name for contact in connector.search(name)] == [name]


def test_a_number_is_searched_as_a_number(org: FakeOrg) -> None:
    connector = warm(org)
    sakura = org.insert("Contact", LastName="山本", Phone="080-0000-1223")

    assert [contact.id for contact in connector.search("０８０　００００　１２２３")] == [sakura]


def test_a_customer_number_finds_its_company(org: FakeOrg) -> None:
    hayabusa = org.insert("Account", Name="株式会社はやぶさ製作所", AccountNumber="C-00123")

    assert [contact.id for contact in opened(org).search("C-00123")] == [hayabusa]


@pytest.mark.parametrize("locale", ["ja_JP", "en_US"])
def test_a_name_is_written_as_its_bearer_does_whatever_the_users_locale(locale: str) -> None:
    with FakeOrg(locale=locale) as org:
        org.insert("Contact", LastName="山本", FirstName="さくら", Phone="080-0000-1223")
        org.insert("Contact", LastName="Carter", FirstName="Emily", MobilePhone="080-0000-1223")
        found = {contact.name for contact in opened(prepared(org)).find_contacts(SAKURA)}

    assert found == {"山本 さくら", "Emily Carter"}


def test_a_name_of_more_parts_is_left_as_salesforce_tells_it() -> None:
    assert full_name("Dr. Emily Mary Carter", "Carter", "Emily") == "Dr. Emily Mary Carter"
    assert full_name("株式会社はやぶさ製作所", None, None) == "株式会社はやぶさ製作所"


def test_the_orgs_local_names_are_the_furigana_where_there_are_such(org: FakeOrg) -> None:
    org.add_field("Contact", "LastNameLocal", length=80)
    org.add_field("Contact", "FirstNameLocal", length=40)
    org.insert("Contact", LastName="山本", LastNameLocal="ヤマモト", FirstNameLocal="サクラ", Phone="080-0000-1223")

    assert only(opened(org).find_contacts(SAKURA)).reading == "ヤマモト サクラ"


class TestPersonAccounts:
    """An org in which a person is an Account with a hidden Contact."""

    @pytest.fixture
    def org(self) -> Iterator[FakeOrg]:
        with FakeOrg(person_accounts=True) as org:
            yield prepared(org)

    @pytest.fixture
    def sakura(self, org: FakeOrg) -> str:
        account = org.insert("Account", Name="山本 さくら", IsPersonAccount=True, PersonMobilePhone="080-0000-1223")
        person = org.insert(
            "Contact",
            LastName="山本",
            FirstName="さくら",
            IsPersonAccount=True,
            AccountId=account,
            MobilePhone="080-0000-1223",
        )
        org.update(account, PersonContactId=person)
        return account

    def test_a_person_account_is_one_person(self, org: FakeOrg, sakura: str) -> None:
        found = only(warm(org).find_contacts(SAKURA))

        assert (found.id, found.kind, found.name) == (sakura, ContactKind.PERSON, "山本 さくら")

    def test_a_call_is_logged_on_the_person_and_stands_in_the_story(self, org: FakeOrg, sakura: str) -> None:
        connector = warm(org)
        connector.write_call_log(log(contact=only(connector.find_contacts(SAKURA))))
        org.insert(
            "Event", WhoId=org.row(sakura)["PersonContactId"], Subject="訪問", StartDateTime="2099-01-01T00:00:00Z"
        )
        org.insert("Case", AccountId=sakura, Subject="故障")
        with requests_counted(org, 1):
            found = only(connector.find_contacts(SAKURA))

        assert [task["WhoId"] for task in org.rows("Task")] == [org.row(sakura)["PersonContactId"]]
        assert found.activity is not None
        assert [item.title for item in found.activity.history] == ["【着信】代表 3分12秒"]
        assert [item.title for item in found.activity.upcoming] == ["訪問"]
        assert (len(found.activity.open), found.open_cases) == (1, 1)
        assert connector.recent_activity(found) == found.activity
        assert connector.get_contact(sakura) == found

    def test_the_hidden_contacts_id_stands_for_the_person(self, org: FakeOrg, sakura: str) -> None:
        hidden = org.row(sakura)["PersonContactId"]

        assert (found := opened(org).get_contact(hidden)) is not None
        assert found.id == sakura

    def test_a_company_beside_them_stays_a_company(self, org: FakeOrg, sakura: str) -> None:
        connector = warm(org)
        company = org.insert("Account", Name="はやぶさ", Phone="03-2000-0110")
        found = only(connector.find_contacts(TOKYO))
        connector.write_call_log(log(contact=found))

        assert found.kind is ContactKind.COMPANY
        assert [(task["WhoId"], task["WhatId"]) for task in org.rows("Task")] == [(None, company)]


def test_a_field_that_was_removed_meanwhile_is_not_asked_for_again(org: FakeOrg) -> None:
    connector = warm(org)
    org.insert("Contact", LastName="山本", Phone="080-0000-1223")
    org.remove_field("Contact", "OtherPhone")

    assert len(connector.find_contacts(SAKURA)) == 1
    with requests_counted(org, 1):
        assert len(connector.find_contacts(SAKURA)) == 1


@pytest.mark.parametrize("story", ["SELECT Id FROM", "SELECT Nonsense__c"], ids=["malformed", "unknown field"])
def test_a_story_that_salesforce_refuses_takes_no_caller_away(
    org: FakeOrg, monkeypatch: pytest.MonkeyPatch, story: str
) -> None:
    """What of the story an org refuses, nobody can list beforehand."""
    connector = warm(org)
    sakura = org.insert("Contact", LastName="山本", Phone="080-0000-1223")
    monkeypatch.setattr(
        Stories, "_cases", lambda one, source: f"{story} FROM {source}" if source and one.settings.activity else None
    )

    found = only(connector.find_contacts(SAKURA))
    assert (found.id, found.activity) == (sakura, None)
    assert connector.get_contact(sakura) == found
    with pytest.raises(ConnectorRefused):
        connector.recent_activity(found)
    with requests_counted(org, 2):
        connector.find_contacts(SAKURA)


def test_an_object_that_is_hidden_from_us_is_done_without(org: FakeOrg) -> None:
    org.rights.hide_object("Lead")
    org.rights.hide_object("Case")
    org.rights.hide_object("Opportunity")
    org.insert("Contact", LastName="山本", Phone="080-0000-1223")

    assert len(opened(org).find_contacts(SAKURA)) == 1


def test_one_query_that_fails_fails_the_look_up_rather_than_hide_somebody(org: FakeOrg) -> None:
    connector = warm(org)
    with org.trouble(Kind.QUERY_TIMEOUT, inside=True, times=1), pytest.raises(ConnectorUnavailable):
        connector.find_contacts(SAKURA)


def test_no_query_is_longer_than_an_address_may_be(org: FakeOrg) -> None:
    """Salesforce takes addresses of 16,384 bytes; whether that holds within a composite request is not documented."""
    connector = warm(org)
    for number in (SAKURA, HOME, TOKYO, PhoneNumber("+442079460018")):
        connector.find_contacts(number)

    asked = [
        json.loads(request.body)["compositeRequest"] for request in org.requests if request.path.endswith("composite")
    ]
    assert max(len(query["url"]) for queries in asked for query in queries) < 16_384


@pytest.mark.parametrize("wrong", ["", "../../etc", "0035g00000!!!!!", "' OR Id != '", "005000000000000AAA"])
def test_an_id_that_can_be_nobodys_is_not_even_asked_for(org: FakeOrg, wrong: str) -> None:
    connector = warm(org)
    with requests_counted(org, 0):
        assert connector.get_contact(wrong) is None


def test_a_refusal_is_told_in_salesforces_words(org: FakeOrg) -> None:
    connector = warm(org)
    org.api_enabled = False
    with pytest.raises(ConnectorRefused, match="API_DISABLED_FOR_ORG"):
        connector.find_contacts(NOBODY)
