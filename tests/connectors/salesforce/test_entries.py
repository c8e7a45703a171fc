"""What agents enter: new people, and numbers of known ones. Duplicate rules are honoured and explained."""

from __future__ import annotations

import pytest

from cti_bridge.connectors.salesforce.entries import split_name
from cti_bridge.errors import ConnectorRefused
from cti_bridge.model import ContactDraft
from cti_bridge.phone import PhoneNumber
from tests.connectors.salesforce.test_lookup import warm
from tests.contract import EMILY, HOME, SAKURA, TOKYO, only
from tests.fakes.salesforce import FakeOrg


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("山本 さくら", ("山本", "さくら")),
        ("Emily Carter", ("Carter", "Emily")),
        ("Emily Mary Carter", ("Carter", "Emily Mary")),
        ("山本", ("山本", "")),
        ("Prince", ("Prince", "")),
        ("김 민준", ("김", "민준")),
    ],
)
def test_a_name_is_divided_as_its_bearer_writes_it(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


def test_a_mobile_number_goes_into_the_mobile_field_and_another_into_the_other(org: FakeOrg) -> None:
    connector = warm(org)
    connector.create_contact(ContactDraft("山本 さくら", "+819012345678", "ヤマモト サクラ"))
    connector.create_contact(ContactDraft("高橋 美咲", TOKYO.e164))
    connector.create_contact(ContactDraft("Emily Carter", EMILY.e164))

    told = [(row["LastName"], row["FirstName"], row["Phone"], row["MobilePhone"]) for row in org.rows("Contact")]
    assert told == [
        ("山本", "さくら", None, "090-1234-5678"),
        ("高橋", "美咲", "03-2000-0110", None),
        ("Carter", "Emily", "+44 20 7946 0018", None),
    ]
    assert org.rows("Contact")[0]["Furigana__c"] == "ヤマモト サクラ"


def test_a_new_caller_may_become_a_lead(org: FakeOrg) -> None:
    connector = warm(org, create="Lead")
    private = connector.create_contact(ContactDraft("山本 さくら", SAKURA.e164))
    business = connector.create_contact(ContactDraft("大野 健一", TOKYO.e164, company="大野商店"))

    assert [row["Company"] for row in org.rows("Lead")] == ["（個人）", "大野商店"]
    assert only(connector.find_contacts(SAKURA)) == private
    assert business.company == "大野商店"


def test_a_duplicate_is_explained_with_the_record_that_is_there(org: FakeOrg) -> None:
    org.duplicate_rule("Contact", "LastName", "FirstName")
    there = org.insert("Contact", LastName="山本", FirstName="さくら")
    with pytest.raises(ConnectorRefused, match="重複ルール") as told:
        warm(org).create_contact(ContactDraft("山本 さくら", SAKURA.e164))

    assert told.value.code == "DUPLICATES_DETECTED"
    assert f"https://acme.lightning.force.com/{there}" in str(told.value)
    assert len(org.rows("Contact")) == 1


def test_a_company_is_found_by_its_exact_name_before_it_is_made(org: FakeOrg) -> None:
    known = org.insert("Account", Name='O\'Neill & "Sons" 株式会社')
    connector = warm(org)
    connector.create_contact(ContactDraft("高橋 美咲", TOKYO.e164, company='O\'Neill & "Sons" 株式会社'))
    connector.create_contact(ContactDraft("大野 健一", SAKURA.e164, company="新しい会社"))

    assert org.rows("Contact")[0]["AccountId"] == known
    assert [row["Name"] for row in org.rows("Account")][1:] == ["新しい会社"]


@pytest.mark.parametrize("name", ["", "   ", "\0"])
def test_nobody_is_entered_without_a_name(org: FakeOrg, name: str) -> None:
    with pytest.raises(ConnectorRefused, match="氏名"):
        warm(org).create_contact(ContactDraft(name, SAKURA.e164))


def test_a_name_too_long_is_cut_not_refused(org: FakeOrg) -> None:
    made = warm(org).create_contact(ContactDraft("寿限無" * 50, SAKURA.e164))

    assert made.name.endswith("…")


def test_nobody_is_entered_without_the_right_to(org: FakeOrg) -> None:
    org.rights.forbid_create("Contact")
    with pytest.raises(ConnectorRefused):
        warm(org).create_contact(ContactDraft("山本 さくら", SAKURA.e164))


def test_numbers_fill_the_free_fields_and_then_there_is_no_room(org: FakeOrg) -> None:
    connector = warm(org, phone_fields="Contact.Phone Contact.MobilePhone")
    org.insert("Contact", LastName="山本", MobilePhone="080-0000-1223")
    sakura = only(connector.find_contacts(SAKURA))

    second = connector.add_number(sakura, HOME)

    assert {held.label for held in second.numbers} == {"Contact.MobilePhone", "Contact.Phone"}
    with pytest.raises(ConnectorRefused, match="空いている"):
        connector.add_number(second, PhoneNumber("+81320000111"))


def test_a_field_that_was_filled_meanwhile_is_not_overwritten(org: FakeOrg) -> None:
    connector = warm(org)
    record = org.insert("Contact", LastName="山本", MobilePhone="080-0000-1223")
    sakura = only(connector.find_contacts(SAKURA))
    org.update(record, Phone="03-2000-0110")

    connector.add_number(sakura, HOME)

    assert (org.row(record)["Phone"], org.row(record)["HomePhone"]) == ("03-2000-0110", "045-000-0210")


def test_a_number_cannot_be_added_to_somebody_who_is_gone(org: FakeOrg) -> None:
    connector = warm(org)
    record = org.insert("Contact", LastName="山本", MobilePhone="080-0000-1223")
    sakura = only(connector.find_contacts(SAKURA))
    org.delete(record)
    with pytest.raises(ConnectorRefused, match="もうありません"):
        connector.add_number(sakura, HOME)
