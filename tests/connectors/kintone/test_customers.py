"""New customers and new numbers, in the fields that the company keeps them in."""

from __future__ import annotations

import pytest

from cti_bridge.connectors.kintone.lookup import Lookup
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable
from cti_bridge.model import ContactDraft
from tests.connectors.kintone.company import CUSTOMER_FIELDS, MAPPING, KintoneCompany, TidyCompany
from tests.contract import HOME, NOBODY, SAKURA, TOKYO, only
from tests.fakes.kintone import FakeDomain
from tests.fakes.kintone.trouble import Kind


def test_a_new_customer_is_a_record_of_the_first_app_of_persons(company: KintoneCompany) -> None:
    made = company.connector.create_contact(
        ContactDraft("山本 さくら", SAKURA.e164, "ヤマモト サクラ", "株式会社はやぶさ製作所")
    )

    [record] = company.people.records()
    assert made.id == f"{company.people.id}:{record['$id']}"
    assert {code: record[code] for code in ("氏名", "ふりがな", "会社名", "電話番号")} == {
        "氏名": "山本 さくら",
        "ふりがな": "ヤマモト サクラ",
        "会社名": "株式会社はやぶさ製作所",
        "電話番号": SAKURA.display(),
    }


def test_a_name_kept_in_two_fields_is_divided_and_read_as_one(
    domain: FakeDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in ("姓", "名"):
        monkeypatch.setitem(CUSTOMER_FIELDS, code, "SINGLE_LINE_TEXT")
    company = KintoneCompany(domain, mapping=MAPPING.replace('name = "氏名"', 'name = ["姓", "名"]'))

    made = company.connector.create_contact(ContactDraft("山本　さくら", SAKURA.e164))

    assert (company.people.records()[0]["姓"], company.people.records()[0]["名"]) == ("山本", "さくら")
    assert made.name == "山本 さくら"
    assert company.connector.search("山本さくら") == []
    assert company.connector.search("山本 さくら") == [made]


@pytest.mark.parametrize("kind", ["maintenance", "too many requests", "cut"])
def test_a_new_customer_that_cannot_be_read_back_is_still_made_and_told(company: KintoneCompany, kind: Kind) -> None:
    company.connector.warm_up()
    with company.domain.trouble(kind, method="GET"):
        made = company.connector.create_contact(ContactDraft("山本 さくら", SAKURA.e164, company="青空商事"))

    assert len(company.people.records()) == 1
    assert (made.name, made.company, made.numbers[0].text) == ("山本 さくら", "青空商事", SAKURA.display())
    assert company.open().get_contact(made.id) == made


def test_normalised_fields_are_filled_with_the_numbers(domain: FakeDomain) -> None:
    company = TidyCompany(domain)

    made = company.connector.create_contact(ContactDraft("山本 さくら", TOKYO.e164))
    company.connector.add_number(made, SAKURA)

    [record] = company.people.records()
    assert (record["電話_正規化"], record["携帯_正規化"]) == (TOKYO.e164, SAKURA.e164)
    assert only(company.connector.find_contacts(SAKURA)).id == made.id


def test_a_customer_without_a_name_is_refused_in_words(company: KintoneCompany) -> None:
    with pytest.raises(ConnectorRefused, match="氏名を入力してください"):
        company.connector.create_contact(ContactDraft(" \0", SAKURA.e164))


def test_kintones_own_refusal_is_told_in_its_words(company: KintoneCompany) -> None:
    company.people.set_field("同意書", {"type": "SINGLE_LINE_TEXT", "required": True})

    with pytest.raises(ConnectorRefused, match=r"同意書.*必須です"):
        company.connector.create_contact(ContactDraft("山本 さくら", SAKURA.e164))


def test_a_number_goes_into_the_first_free_field(company: KintoneCompany) -> None:
    contact = company.keep_person("山本 さくら", "", "080-0000-1223")

    company.connector.add_number(only(company.connector.find_contacts(SAKURA)), HOME)

    assert company.people.record(contact.split(":")[1])["電話番号"] == HOME.display()


def test_where_no_field_is_free_it_says_so_and_names_them(company: KintoneCompany) -> None:
    company.keep_person("山本 さくら", "080-0000-1223", "045-000-0210")
    sakura = only(company.connector.find_contacts(SAKURA))

    with pytest.raises(ConnectorRefused, match="空いている電話番号フィールドがありません（電話、携帯電話）"):
        company.connector.add_number(sakura, NOBODY)


def test_a_customer_deleted_meanwhile_is_refused(company: KintoneCompany) -> None:
    company.keep_person("山本 さくら", "080-0000-1223")
    sakura = only(company.connector.find_contacts(SAKURA))
    company.people.delete("1")

    with pytest.raises(ConnectorRefused, match="もうありません"):
        company.connector.add_number(sakura, HOME)


def test_two_agents_who_add_a_number_at_once_lose_neither(
    company: KintoneCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.keep_person("山本 さくら", "080-0000-1223")
    sakura = only(company.connector.find_contacts(SAKURA))
    read = Lookup.record

    def meanwhile(lookup: Lookup, contact: str) -> object:
        found = read(lookup, contact)
        company.people.change("1", 携帯電話=HOME.display())
        return found

    monkeypatch.setattr(Lookup, "record", meanwhile)
    with pytest.raises(ConnectorUnavailable, match="GAIA_CO02"):
        company.connector.add_number(sakura, TOKYO)

    assert company.people.record("1")["携帯電話"] == HOME.display()
