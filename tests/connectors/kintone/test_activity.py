"""The card's story: calls, what is open, what is to come; and what a record of kintone's screen stands for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cti_bridge.errors import ConnectorRefused
from cti_bridge.model import ActivityKind, Contact
from tests.connectors.kintone.company import MAPPING, RELATED_FIELDS, KintoneCompany, kintone_time
from tests.contract import SAKURA, log, only
from tests.fakes.kintone import FakeDomain


@pytest.fixture
def sakura(company: KintoneCompany) -> Contact:
    company.keep_person("山本 さくら", "080-0000-1223")
    return only(company.connector.find_contacts(SAKURA))


def test_calls_cases_and_visits_stand_where_they_belong(company: KintoneCompany, sakura: Contact) -> None:
    now = datetime.now(UTC)
    company.connector.write_call_log(log(contact=sakura, note="折り返し", started_at=now - timedelta(days=1)))
    company.cases.add(件名="修理", 顧客番号="C-1", 状況="対応中", 日時=kintone_time(now))
    company.cases.add(件名="済んだ相談", 顧客番号="C-1", 状況="完了", 日時=kintone_time(now))
    company.cases.add(件名="他人の相談", 顧客番号="C-2", 状況="対応中", 日時=kintone_time(now))
    for days in (-3, 3, 1):
        company.visits.add(件名=f"{days}日後", 顧客番号="C-1", 日時=kintone_time(now + timedelta(days=days)))

    story = company.connector.recent_activity(sakura)

    assert [(item.kind, item.title, item.detail) for item in story.history] == [
        (ActivityKind.CALL, "【着信】代表 3分12秒", "折り返し")
    ]
    assert [(item.kind, item.title, item.detail) for item in story.open] == [(ActivityKind.CASE, "修理", "対応中")]
    assert [(item.kind, item.title) for item in story.upcoming] == [
        (ActivityKind.APPOINTMENT, "1日後"),
        (ActivityKind.APPOINTMENT, "3日後"),
    ]
    assert story.open[0].url == f"{company.domain.url}/k/{company.cases.id}/show#record=1"


def test_a_story_costs_one_request_for_each_app(company: KintoneCompany, sakura: Contact) -> None:
    company.connector.warm_up()
    company.domain.forget()

    company.connector.recent_activity(sakura)

    assert sorted(request.apps for request in company.domain.requests()) == [
        (str(app.id),) for app in (company.calls, company.cases, company.visits)
    ]


def test_another_process_asks_for_the_customers_own_number_first(company: KintoneCompany, sakura: Contact) -> None:
    company.cases.add(件名="修理", 顧客番号="C-1", 状況="対応中")

    assert [item.title for item in company.open().recent_activity(sakura).open] == ["修理"]


def test_a_story_in_kintones_list_of_dates_begins_today(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RELATED_FIELDS, "日時", "DATE")
    company = KintoneCompany(domain)
    company.keep_person("山本 さくら", "080-0000-1223")
    today = datetime.now(domain.zone).date()
    for days in (-1, 0, 1):
        company.visits.add(件名=f"{days}日後", 顧客番号="C-1", 日時=(today + timedelta(days=days)).isoformat())

    story = company.connector.recent_activity(only(company.connector.find_contacts(SAKURA)))

    assert [item.title for item in story.upcoming] == ["0日後", "1日後"]
    assert story.upcoming[0].at == datetime(today.year, today.month, today.day, tzinfo=domain.zone)


def test_a_related_app_without_an_open_condition_tells_the_past(domain: FakeDomain) -> None:
    mapping = MAPPING.replace("""open = '状況 not in ("完了")'""", "").replace('kind = "case"', 'kind = "order"')
    company = KintoneCompany(domain, mapping=mapping)
    company.keep_person("山本 さくら", "080-0000-1223")
    for days in (1, 3, 2):
        at = kintone_time(datetime(2026, 4, days, tzinfo=UTC))
        company.cases.add(件名=f"四月{days}日の注文", 顧客番号="C-1", 状況="完了", 日時=at)

    story = company.connector.recent_activity(only(company.connector.find_contacts(SAKURA)))

    assert [item.title for item in story.history] == ["四月3日の注文", "四月2日の注文", "四月1日の注文"]
    assert {item.kind for item in story.history} == {ActivityKind.ORDER}


def test_related_records_may_name_the_customers_record_number(
    domain: FakeDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RELATED_FIELDS, "顧客番号", "NUMBER")
    company = KintoneCompany(domain, mapping=MAPPING.replace(', customer = "顧客番号" }}', " }}"))
    company.keep_person("鈴木 次郎")
    contact = company.keep_person("山本 さくら", "080-0000-1223")
    company.cases.add(件名="修理", 顧客番号="2", 状況="対応中")

    story = company.connector.recent_activity(only(company.connector.find_contacts(SAKURA)))

    assert [item.title for item in story.open] == ["修理"]
    placed = company.connector.locate(f"{company.cases.id}:1")
    assert placed is not None
    assert placed.contact is not None
    assert placed.contact.id == contact


def test_a_customer_without_a_number_of_their_own_has_no_related_records(company: KintoneCompany) -> None:
    company.keep_person("山本 さくら", "080-0000-1223", 顧客番号="")
    company.cases.add(件名="誰のものでもない", 顧客番号="", 状況="対応中")

    story = company.connector.recent_activity(only(company.connector.find_contacts(SAKURA)))

    assert story.open == ()


def test_a_customer_number_full_of_quotes_stays_a_text(company: KintoneCompany) -> None:
    hostile = '") or 件名 not in ("'
    company.keep_person("山本 さくら", "080-0000-1223", 顧客番号=hostile)
    company.cases.add(件名="他人の相談", 顧客番号="C-9", 状況="対応中")
    company.cases.add(件名="修理", 顧客番号=hostile, 状況="対応中")

    story = company.connector.recent_activity(only(company.connector.find_contacts(SAKURA)))

    assert [item.title for item in story.open] == ["修理"]


def test_a_condition_that_kintone_refuses_is_told_in_its_words(domain: FakeDomain) -> None:
    company = KintoneCompany(domain, mapping=MAPPING.replace("状況 not in", "情況 not in"))
    company.keep_person("山本 さくら", "080-0000-1223")
    sakura = only(company.connector.find_contacts(SAKURA))

    with pytest.raises(ConnectorRefused, match="GAIA_IQ11"):
        company.connector.recent_activity(sakura)


def test_a_customers_record_is_the_customer(company: KintoneCompany, sakura: Contact) -> None:
    placed = company.connector.locate(sakura.id)

    assert placed is not None
    assert (placed.contact, placed.related) == (sakura, None)


def test_a_related_record_is_its_customer_and_what_the_call_is_about(company: KintoneCompany, sakura: Contact) -> None:
    record = f"{company.cases.id}:{company.cases.add(件名='修理', 顧客番号='C-1')}"

    placed = company.connector.locate(record)

    assert placed is not None
    assert placed.contact == sakura
    assert placed.related is not None
    assert (placed.related.id, placed.related.title) == (record, "修理")
    assert placed.related.url == f"{company.domain.url}/k/{company.cases.id}/show#record=1"


def test_a_related_record_whose_customer_is_unknown_or_doubtful_is_still_itself(company: KintoneCompany) -> None:
    for name in ("山本 さくら", "山本 大輔"):
        company.keep_person(name, 顧客番号="C-7")
    records = [company.cases.add(件名="修理", 顧客番号=number) for number in ("C-7", "C-8", "")]

    placed = [company.connector.locate(f"{company.cases.id}:{record}") for record in records]

    assert [each and (each.contact, each.related and each.related.title) for each in placed] == [(None, "修理")] * 3


def test_a_call_logs_record_is_its_customer(company: KintoneCompany, sakura: Contact) -> None:
    link = company.connector.write_call_log(log(contact=sakura))

    placed = company.connector.locate(f"{company.calls.id}:{link.id}")

    assert placed is not None
    assert (placed.contact, placed.related) == (sakura, None)


def test_no_record_is_nothing(company: KintoneCompany) -> None:
    for record in (
        "",
        "nonsense",
        "999:1",
        f"{company.cases.id}:99",
        f"{company.people.id}:99",
        f"{company.calls.id}:9",
    ):
        assert company.connector.locate(record) is None
