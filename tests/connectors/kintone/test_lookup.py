"""Who has this number? Found in every app, in every spelling, with one request for each app; nobody else ever."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable
from cti_bridge.model import ContactKind
from cti_bridge.phone import PhoneNumber
from tests.connectors.kintone.company import CUSTOMER_FIELDS, KintoneCompany, TidyCompany
from tests.contract import SAKURA, TOKYO, only
from tests.fakes.kintone import FakeDomain
from tests.fakes.kintone.trouble import Kind

TWELVE = (
    lambda n: n.national_digits,
    lambda n: n.e164,
    lambda n: n.e164[1:],
    lambda n: n.display(),
    lambda n: hyphened(n, "-"),
    lambda n: hyphened(n, "‐"),
    lambda n: hyphened(n, "ー"),
    lambda n: wide(hyphened(n, "－")),
    lambda n: wide(n.national_digits),
    lambda n: hyphened(n, " "),
    lambda n: "(" + hyphened(n, "-").replace("-", ") ", 1),
    lambda n: f"+81 (0){hyphened(n, '-')[1:]}",
)
"""Twelve ways to write a number of Japan, made without the connector's own spellings."""


def hyphened(number: PhoneNumber, mark: str) -> str:
    """3-4-4 for mobiles; 2-4-4 for Tokyo and Osaka, 4-2-4 elsewhere, as on shop signs."""
    digits = number.national_digits
    cut = 3 if len(digits) == 11 else 2 if digits[1] in "36" else 4
    middle = len(digits) - 4
    return mark.join((digits[:cut], digits[cut:middle], digits[middle:]))


def wide(text: str) -> str:
    return text.translate(str.maketrans("0123456789", "０１２３４５６７８９"))


def japanese_numbers(count: int) -> list[PhoneNumber]:
    """Mobiles, Tokyo, Osaka and towns with four-digit area codes, each once, the same in every run."""
    dice = random.Random(4)
    found: dict[PhoneNumber, None] = {}
    while len(found) < count:
        prefix, length = dice.choice(
            [("+8190", 8), ("+8180", 8), ("+813", 8), ("+816", 8), ("+81422", 6), ("+81466", 6)]
        )
        number = PhoneNumber.find(f"{prefix}{dice.randrange(2 * 10 ** (length - 1), 10**length)}")
        if number is not None:
            found[number] = None
    return list(found)


def test_five_hundred_numbers_in_twelve_spellings_are_all_found_with_one_request_each(company: KintoneCompany) -> None:
    numbers = japanese_numbers(500)
    typed = [(str(index), spell(number)) for index, number in enumerate(numbers) for spell in TWELVE]
    company.people.add_many({"氏名": name, "電話番号": text} for name, text in typed)
    company.connector.warm_up()
    company.domain.forget()

    for index, number in enumerate(numbers):
        found = company.connector.find_contacts(number)
        assert [contact.name for contact in found] == [str(index)] * 12, f"{number}: {len(found)} of 12 spellings found"

    asked = {app.id: len(company.domain.requests(app)) for app in (company.people, company.companies)}
    assert set(asked.values()) == {500}, f"requests by app: {asked}"


def test_every_customer_app_is_asked_at_the_same_time(company: KintoneCompany) -> None:
    company.keep_person("高橋 美咲", "03-2000-0110")
    company.keep_company("株式会社はやぶさ製作所", "03-2000-0110")
    company.connector.warm_up()

    with company.domain.gate(path="records.json") as gate, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(company.connector.find_contacts, TOKYO)
        gate.wait_for(2)
        gate.open()

    assert {contact.kind for contact in answer.result()} == {ContactKind.PERSON, ContactKind.COMPANY}


def test_the_query_goes_by_post_however_long_it_is(company: KintoneCompany) -> None:
    company.domain.longest_url = 300
    company.keep_person("山本 さくら", "080-0000-1223")

    only(company.connector.find_contacts(SAKURA))

    sent = company.domain.requests(company.people, api="records.json")
    assert [(request.sent_as, request.method) for request in sent] == [("POST", "GET")]


def test_more_fields_stand_on_the_card_with_their_names(company: KintoneCompany) -> None:
    company.keep_person("山本 さくら", "080-0000-1223", 会員ランク="ゴールド", 担当者=[{"code": "hanako"}])

    found = only(company.connector.find_contacts(SAKURA))

    assert found.title == "ランク: ゴールド / 担当者: 佐藤 花子"
    assert found.url == f"{company.domain.url}/k/{company.people.id}/show#record=1"
    assert company.connector.field_label(found.numbers[0].label, "ja") == "電話"


def test_an_answer_that_kintone_cut_short_is_an_error_and_no_answer(company: KintoneCompany) -> None:
    company.keep_person("山本 さくら", "080-0000-1223")

    with company.domain.trouble("incomplete", path="records.json"), pytest.raises(ConnectorRefused) as caught:
        company.connector.find_contacts(SAKURA)

    assert caught.value.code == "SEARCH_ABORTED"
    assert "途中で打ち切りました" in str(caught.value)
    assert "normalised" in str(caught.value)


def test_a_wrong_field_code_is_named_and_nothing_is_lost_silently(company: KintoneCompany) -> None:
    company.people.remove_field("携帯電話")
    company.people.set_field("携帯電話番号", "SINGLE_LINE_TEXT")

    with pytest.raises(
        ConnectorRefused, match=r"「携帯電話」はありません.*「携帯電話番号」.*nearest is “携帯電話番号”"
    ):
        company.connector.find_contacts(SAKURA)


def test_a_field_renamed_while_the_bridge_runs_is_named_at_the_next_ring(company: KintoneCompany) -> None:
    company.connector.find_contacts(SAKURA)
    company.people.remove_field("携帯電話")

    with pytest.raises(ConnectorRefused, match="GAIA_IQ11"):
        company.connector.find_contacts(SAKURA)
    with pytest.raises(ConnectorRefused, match="フィールドコード「携帯電話」はありません"):
        company.connector.find_contacts(SAKURA)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"type": "NUMBER"}, "数値は先頭の0を失います"),
        ({"type": "MULTI_LINE_TEXT"}, "single-line text or link"),
        ({"type": "LINK", "protocol": "MAIL"}, "type telephone"),
    ],
)
def test_a_telephone_field_of_a_type_that_cannot_work_is_named(
    company: KintoneCompany, spec: dict[str, str], said: str
) -> None:
    company.people.set_field("携帯電話", spec)

    with pytest.raises(ConnectorRefused, match=said):
        company.connector.find_contacts(SAKURA)


def test_a_fields_name_in_place_of_its_code_is_recognised(company: KintoneCompany) -> None:
    company.people.remove_field("携帯電話")
    company.people.set_field("文字列__1行_", {"type": "SINGLE_LINE_TEXT", "label": "携帯電話"})

    with pytest.raises(ConnectorRefused, match="フィールドコードは「文字列__1行_」です"):
        company.connector.find_contacts(SAKURA)


def test_a_field_within_a_table_is_refused_with_the_reason(company: KintoneCompany) -> None:
    company.people.remove_field("携帯電話")
    company.people.set_field(
        "連絡先", {"type": "SUBTABLE", "fields": {"携帯電話": {"type": "SINGLE_LINE_TEXT", "code": "携帯電話"}}}
    )

    with pytest.raises(ConnectorRefused, match="テーブル「連絡先」の中"):
        company.connector.find_contacts(SAKURA)


@pytest.fixture
def tidy(domain: FakeDomain) -> TidyCompany:
    return TidyCompany(domain)


def test_a_normalised_field_finds_what_nobody_could_spell(tidy: TidyCompany) -> None:
    sakura = tidy.keep_person("山本 さくら", "03-2000-0110（代）内線21")

    assert only(tidy.connector.find_contacts(TOKYO)).id == sakura
    sent = tidy.domain.requests(tidy.people, api="records.json")[-1].params["query"]
    assert sent == f'(電話_正規化 in ("{TOKYO.e164}") or 携帯_正規化 in ("{TOKYO.e164}")) limit 500'


def test_a_normalised_field_that_was_left_behind_finds_nobody(tidy: TidyCompany) -> None:
    tidy.keep_person("山本 さくら", "080-0000-1223", 電話_正規化=TOKYO.e164)

    assert tidy.connector.find_contacts(TOKYO) == []


def test_until_all_are_filled_both_are_asked_the_normalised_field_first(domain: FakeDomain) -> None:
    company = TidyCompany(domain, only=False)
    wanted = {
        company.keep_person("山本 さくら", "０８０－００００－１２２３", 電話_正規化=""),
        company.keep_person("山本 大輔", "080-0000-1223（夫）"),
    }

    assert {contact.id for contact in company.connector.find_contacts(SAKURA)} == wanted
    sent = company.domain.requests(company.people, api="records.json")
    assert len(sent) == 1
    assert sent[0].params["query"].startswith("(電話_正規化 in (")


def test_an_id_of_no_record_costs_no_request(company: KintoneCompany) -> None:
    for wrong in ("", "1", "1:", "1:0", "1:1:1", "1:１", "999:1", "1:1 or 1", f"{company.calls.id}:1", "1:" + "9" * 30):
        assert company.connector.get_contact(wrong) is None

    assert company.domain.requests() == []


def test_a_record_just_entered_is_searched_by_its_whole_name(company: KintoneCompany) -> None:
    company.domain.search_lag = True
    sakura = company.keep_person("山本 さくら")

    assert [contact.id for contact in company.connector.search("山本 さくら")] == [sakura]
    assert company.connector.search("山本") == []


@pytest.mark.parametrize("text", ["やまもと", "ヤマモト", "ﾔﾏﾓﾄ", "山本　さくら", "C-1", "はやぶさ 山本"])
def test_words_are_searched_in_either_kana_in_any_field_and_any_order(company: KintoneCompany, text: str) -> None:
    sakura = company.keep_person("山本 さくら", reading="ヤマモト サクラ", company="株式会社はやぶさ製作所")
    company.keep_person("鈴木 次郎", reading="スズキ ジロウ", company="株式会社はやぶさ製作所")

    assert [contact.id for contact in company.connector.search(text)] == [sakura]


def test_the_likeliest_come_first(company: KintoneCompany) -> None:
    for name in ("大山本 一", "山本 さくら", "山本"):
        company.keep_person(name)

    assert [contact.name for contact in company.connector.search("山本")] == ["山本", "山本 さくら", "大山本 一"]


def test_a_search_costs_one_request_for_each_customer_app(company: KintoneCompany) -> None:
    company.connector.warm_up()
    company.domain.forget()

    company.connector.search("山本 さくら")

    assert len(company.domain.requests()) == 2


def test_a_customer_number_in_a_number_field_is_searched_as_one(
    domain: FakeDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CUSTOMER_FIELDS, "顧客番号", "NUMBER")
    company = KintoneCompany(domain)
    company.people.add(氏名="山本 さくら", 顧客番号="1024")

    assert [contact.name for contact in company.connector.search("1024")] == ["山本 さくら"]
    assert company.connector.search("C-1024") == []


@pytest.mark.parametrize(
    "trouble", ["maintenance", "bad gateway", "cut", "half a body", "empty body", "internal error"]
)
def test_what_is_no_answer_is_worth_another_try(company: KintoneCompany, trouble: Kind) -> None:
    company.connector.warm_up()

    with company.domain.trouble(trouble), pytest.raises(ConnectorUnavailable):
        company.connector.find_contacts(SAKURA)


def test_one_broken_app_of_several_is_an_error_and_not_a_shorter_answer(company: KintoneCompany) -> None:
    company.keep_person("高橋 美咲", "03-2000-0110")
    company.connector.warm_up()

    with company.domain.trouble("maintenance", app=company.companies), pytest.raises(ConnectorUnavailable):
        company.connector.find_contacts(TOKYO)
