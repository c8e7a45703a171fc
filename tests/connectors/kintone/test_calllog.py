"""One record for each call, with every fact in the field that the company maps for it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cti_bridge.connector import Connector
from cti_bridge.connectors.kintone.calllog import WORDS, cut
from cti_bridge.connectors.kintone.form import DROP_DOWN, LINES, LINK, TEXT, Field
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable
from cti_bridge.model import Direction, Outcome, RelatedRecord
from tests.connectors.kintone.company import CALL_FIELDS, MAPPING, KintoneCompany
from tests.contract import SAKURA, log, only
from tests.fakes.kintone import FakeDomain
from tests.fakes.kintone.trouble import Kind
from tests.fakes.kintone.wire import Json


def only_record(company: KintoneCompany) -> Json:
    [record] = company.calls.records()
    return record


def test_every_fact_stands_in_its_field_in_utc(company: KintoneCompany) -> None:
    company.keep_person("山本 さくら", "080-0000-1223")
    sakura = only(company.connector.find_contacts(SAKURA))

    link = company.connector.write_call_log(
        log(
            contact=sakura,
            note="折り返し",
            disposition="再コール",
            related=RelatedRecord("4:7", "見積り"),
            recording_url="https://cti.example.co.jp/recordings/RE1",
            started_at=datetime(2026, 4, 1, 19, 30, 59, tzinfo=ZoneInfo("Asia/Tokyo")),
        )
    )

    record = only_record(company)
    wanted = {
        "call_sid": "CA01",
        "件名": "【着信】代表 3分12秒",
        "内容": "エアコンの清掃について。\n折り返し希望。",
        "メモ": "折り返し",
        "結果": "再コール",
        "種別": "着信",
        "状態": "応答",
        "相手": "+818000001223",
        "回線": "代表",
        "担当": [{"code": "hanako", "name": "佐藤 花子"}],
        "開始": "2026-04-01T10:30:00Z",
        "終了": "2026-04-01T01:34:00Z",
        "秒": "192",
        "顧客": sakura.id,
        "顧客レコード": "1",
        "顧客番号": "C-1",
        "顧客リンク": sakura.url,
        "関連": "4:7",
        "録音": "https://cti.example.co.jp/recordings/RE1",
    }
    assert {code: record[code] for code in wanted} == wanted
    assert (link.id, link.url) == ("1", f"{company.domain.url}/k/{company.calls.id}/show#record=1")


def test_a_log_costs_one_request(company: KintoneCompany) -> None:
    company.keep_person("山本 さくら", "080-0000-1223")
    sakura = only(company.connector.find_contacts(SAKURA))
    company.connector.warm_up()
    company.domain.forget()

    company.connector.write_call_log(log(contact=sakura))

    assert [(request.method, request.api) for request in company.domain.requests()] == [("PUT", "records.json")]


@pytest.mark.parametrize("value", [*Direction, *Outcome])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_direction_and_outcome_has_a_word_in_both_languages(value: str, language: str) -> None:
    assert {"ja": WORDS[value]["ja"], "en": WORDS[value]["en"]}[language]


def test_a_choice_is_written_in_whatever_words_the_field_offers(company: KintoneCompany) -> None:
    company.calls.set_field("種別", {"type": "DROP_DOWN", "options": ["Inbound", "Outbound"]})
    company.environment["KINTONE_MAPPING_TOML"] += '\n[call_log.words]\nmissed = "とれず"\n'
    company.calls.set_field("状態", {"type": "DROP_DOWN", "options": ["とれず", "不在着信"]})

    company.open().write_call_log(log(outcome=Outcome.MISSED))

    assert (only_record(company)["種別"], only_record(company)["状態"]) == ("Inbound", "とれず")


def test_a_choice_that_the_field_does_not_offer_is_left_out_and_logged(
    company: KintoneCompany, caplog: pytest.LogCaptureFixture
) -> None:
    company.connector.write_call_log(log(disposition="再コール"))

    with caplog.at_level(logging.WARNING):
        company.connector.write_call_log(log(disposition="新しい結果"))

    assert only_record(company)["結果"] is None
    assert "kintone_choice_not_offered" in caplog.text


def test_an_agent_whom_the_mapping_does_not_know_leaves_the_user_field_empty(
    company: KintoneCompany, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        company.connector.write_call_log(log(agent_email="jiro@example.com", agent_name="鈴木 次郎"))

    assert only_record(company)["担当"] == []
    assert "kintone_agent_not_mapped" in caplog.text
    assert "jiro" not in caplog.text


def test_an_agents_name_stands_in_a_text_field(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALL_FIELDS, "担当", "SINGLE_LINE_TEXT")
    company = KintoneCompany(domain)

    company.connector.write_call_log(log())

    assert only_record(company)["担当"] == "佐藤 花子"


def test_a_user_whom_kintone_does_not_know_is_named_with_the_mend(company: KintoneCompany) -> None:
    company.domain.users.pop("hanako")

    with pytest.raises(ConnectorRefused, match=r"hanako.*\[call_log\.agents\]"):
        company.connector.write_call_log(log())


def test_a_withheld_number_does_not_keep_a_log_out(company: KintoneCompany) -> None:
    company.connector.write_call_log(log(party="anonymous"))

    assert only_record(company)["相手"] == ""


def test_a_date_field_holds_the_day_where_the_company_is(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALL_FIELDS, "開始", "DATE")
    company = KintoneCompany(domain)

    company.connector.write_call_log(log(started_at=datetime(2026, 4, 1, 15, 30, tzinfo=UTC)))

    assert only_record(company)["開始"] == "2026-04-02"


def test_an_unknown_field_code_is_named_and_nothing_is_written_without_it(company: KintoneCompany) -> None:
    company.calls.remove_field("メモ")

    with pytest.raises(ConnectorRefused, match=r"「メモ」はありません（対応表の call_log\.fields\.note）"):
        company.connector.write_call_log(log(note="大事"))

    assert company.calls.records() == []


def test_a_field_without_the_unique_flag_is_refused_before_calls_are_doubled(company: KintoneCompany) -> None:
    company.calls.set_field("call_sid", "SINGLE_LINE_TEXT")

    with pytest.raises(ConnectorRefused, match="値の重複を禁止する"):
        company.connector.write_call_log(log())


@pytest.mark.parametrize("settings", [{}, {"KINTONE_CALL_LOG_WEBHOOKS": "yes"}])
@pytest.mark.parametrize("kind", ["cut after commit", "hang after commit", "half a body"])
def test_a_write_whose_answer_was_lost_is_done_once(domain: FakeDomain, settings: dict[str, str], kind: Kind) -> None:
    company = KintoneCompany(domain, {"KINTONE_TIMEOUT_SECONDS": "0.5", **settings})
    company.connector.warm_up()
    with company.domain.trouble(kind, times=1), pytest.raises(ConnectorUnavailable):
        company.connector.write_call_log(log(subject="一回目"))

    company.connector.write_call_log(log(subject="二回目"))

    assert only_record(company)["件名"] == "二回目"


@pytest.mark.parametrize(
    ("field", "text", "kept"),
    [
        (Field("a", "a", TEXT), "一行\r\n二行\t三", "一行 二行 三"),
        (Field("a", "a", LINES), "一行\r\n二行\r三行", "一行\n二行\n三行"),
        (Field("a", "a", TEXT, longest=5), "12345", "12345"),
        (Field("a", "a", TEXT, longest=5), "123456", "1234…"),
        (Field("a", "a", TEXT, longest=4), "12😀4", "12…"),
        (Field("a", "a", TEXT, unique=True), "x" * 65, "x" * 63 + "…"),
        (Field("a", "a", LINK, longest=20), "https://example.co.jp/long", ""),
        (Field("a", "a", DROP_DOWN), "a\0b", "ab"),
    ],
)
def test_a_text_is_cut_to_what_its_field_can_keep(field: Field, text: str, kept: str) -> None:
    assert cut(field, text) == kept


def test_a_form_that_limits_its_text_gets_no_more(company: KintoneCompany) -> None:
    company.calls.set_field("件名", {"type": "SINGLE_LINE_TEXT", "maxLength": "10"})

    company.connector.write_call_log(log(subject="とても長い件名のお電話がありました"))

    assert only_record(company)["件名"] == "とても長い件名のお…"


# ── where webhooks hang on the app ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hooked(domain: FakeDomain) -> KintoneCompany:
    """A company with webhooks on its call-log app, which bulk requests do not fire."""
    return KintoneCompany(domain, {"KINTONE_CALL_LOG_WEBHOOKS": "yes"})


def writes(company: KintoneCompany) -> list[tuple[str, str]]:
    return [(each.method, each.api) for each in company.domain.requests(company.calls) if each.method != "GET"]


def test_with_webhooks_a_new_call_is_a_single_post_and_news_of_it_a_single_put(hooked: KintoneCompany) -> None:
    links = [hooked.connector.write_call_log(log(subject=text)) for text in ("一回目", "二回目")]

    assert links[0] == links[1]
    assert only_record(hooked)["件名"] == "二回目"
    assert writes(hooked) == [("POST", "record.json"), ("POST", "record.json"), ("PUT", "record.json")]


def test_with_webhooks_another_mistake_of_the_record_is_no_repetition(hooked: KintoneCompany) -> None:
    hooked.calls.set_field("必須", {"type": "SINGLE_LINE_TEXT", "required": True})

    with pytest.raises(ConnectorRefused, match="必須"):
        hooked.connector.write_call_log(log())

    assert writes(hooked) == [("POST", "record.json")]


@pytest.mark.parametrize("settings", [{}, {"KINTONE_CALL_LOG_WEBHOOKS": "yes"}])
def test_two_processes_that_log_the_same_call_leave_one_record(domain: FakeDomain, settings: dict[str, str]) -> None:
    company = KintoneCompany(domain, settings)
    both = [company.connector, company.open()]

    def write(connector: Connector) -> str:
        return connector.write_call_log(log()).id

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(write, both * 10))

    assert ids == {only_record(company)["$id"]}


def test_a_mapping_of_one_field_is_enough(domain: FakeDomain) -> None:
    fields = MAPPING[MAPPING.index("subject =") : MAPPING.index("[call_log.agents]")]
    company = KintoneCompany(domain, mapping=MAPPING.replace(fields, ""))

    company.connector.write_call_log(log())

    assert only_record(company)["call_sid"] == "CA01"
