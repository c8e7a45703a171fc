"""The main job in a browser, through the demo page: ring → who it is and why → note → hang up → the log in the CRM."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import OpenDesk
from tests.browser.desk import AOKI, YAMAMOTO, Office

UNKNOWN = "090-9999-0001"
UNKNOWN_E164 = "+819099990001"
WITHHELD = "+266696687"


def test_a_known_caller_pops_with_the_reason_and_the_log_lands_on_the_record(
    open_desk: OpenDesk, office: Office
) -> None:
    desk = open_desk(office.first)
    desk.open_record("大野 健一")
    desk.call_in(office.line, AOKI)

    desk.expect_phase("ringing")
    expect(desk.card.get_by_test_id("line")).to_contain_text(office.line.name)
    expect(desk.card.get_by_test_id("greeting")).to_contain_text(office.line.greeting)
    desk.expect_contact("青木 ことの", how="only_match")
    expect(desk.contact).to_contain_text("合同会社ことのは珈琲")
    expect(desk.card.get_by_test_id("why")).to_contain_text("携帯「８０-12341101」と一致")
    expect(desk.card.get_by_test_id("activity-open")).to_contain_text("北山店")

    desk.answer(office.first)
    desk.expect_phase("talking")
    expect(desk.page.get_by_test_id("record-name")).to_have_text("青木 ことの")
    desk.write("フィルター交換の相談。折り返し不要。")
    desk.hang_up(AOKI)
    desk.expect_phase("wrapping_up")
    desk.complete()
    desk.expect_phase("completed")
    desk.expect_delivered()

    desk.expect_log("フィルター交換の相談", customer="青木 ことの")
    desk.open_record("青木 ことの")
    expect(desk.page.get_by_test_id("record-history")).to_contain_text("フィルター交換の相談")


def test_an_unknown_caller_becomes_a_contact_and_is_known_the_next_time(open_desk: OpenDesk, office: Office) -> None:
    desk = open_desk(office.first)
    desk.call_in(office.line, UNKNOWN)

    expect(desk.card.get_by_test_id("unknown")).to_be_visible()
    desk.answer(office.first)
    desk.card.get_by_test_id("offer-create").click()
    desk.card.get_by_test_id("new-name").fill("新田 さくら")
    desk.card.get_by_test_id("new-company").fill("新田製菓")
    desk.card.get_by_test_id("create-submit").click()
    desk.expect_contact("新田 さくら", how="picked")
    desk.hang_up(UNKNOWN_E164)
    desk.wrap_up("はじめてのお問い合わせ")
    desk.expect_log("はじめてのお問い合わせ", customer="新田 さくら")

    desk.call_in(office.line, UNKNOWN)
    desk.expect_phase("ringing")
    expect(desk.contact).to_contain_text("新田 さくら")
    expect(desk.card.get_by_test_id("last-spoken")).to_contain_text("はじめてのお問い合わせ")
    desk.hang_up(UNKNOWN_E164)


def test_a_withheld_caller_is_asked_for_a_name_and_never_matched(open_desk: OpenDesk, office: Office) -> None:
    desk = open_desk(office.first)
    desk.call_in(office.line, "withheld")

    desk.expect_phase("ringing")
    expect(desk.card.get_by_test_id("caller")).to_contain_text("非通知")
    expect(desk.card.get_by_test_id("ask")).to_contain_text("お名前")
    expect(desk.contact).to_have_count(0)
    expect(desk.card.get_by_test_id("pick")).to_have_count(0)

    desk.answer(office.first)
    desk.leg(WITHHELD).get_by_test_id("leg-hangup").click()
    desk.wrap_up("名乗らず切れた")
    desk.expect_log("名乗らず切れた", customer="顧客なし")


def test_a_shared_number_is_picked_remembered_as_learned_and_forgotten_again(
    open_desk: OpenDesk, office: Office
) -> None:
    desk = open_desk(office.first)
    desk.call_in(office.line, YAMAMOTO)

    expect(desk.card.get_by_test_id("many")).to_contain_text("2件")
    picks = desk.card.get_by_test_id("pick")
    expect(picks).to_have_count(2)
    chosen = picks.nth(1)
    name = chosen.locator(".option").inner_text()
    chosen.click()
    desk.expect_contact(name, how="picked")
    desk.answer(office.first)
    desk.hang_up(YAMAMOTO)
    desk.wrap_up("ご自宅から。修理の日程")
    desk.expect_log("ご自宅から。修理の日程", customer=name)

    desk.call_in(office.line, YAMAMOTO)
    desk.expect_contact(name, how="learned")
    expect(desk.card.get_by_test_id("learned")).to_be_visible()
    desk.answer(office.first)
    desk.card.get_by_test_id("undo-choice").click()
    expect(desk.card.get_by_test_id("many")).to_be_visible()
    desk.hang_up(YAMAMOTO)
    desk.wrap_up("どちらか伺えず")

    desk.call_in(office.line, YAMAMOTO)
    expect(desk.card.get_by_test_id("many")).to_be_visible()
    expect(desk.contact).to_have_count(0)
    desk.hang_up(YAMAMOTO)


def test_webhooks_that_arrive_twice_make_one_card_and_one_log(open_desk: OpenDesk, office: Office) -> None:
    desk = open_desk(office.first)
    desk.play_trick("twice")
    desk.call_in(office.line, AOKI)

    desk.expect_contact("青木 ことの", how="only_match")
    desk.answer(office.first)
    desk.expect_phase("talking")
    desk.hang_up(AOKI)
    desk.wrap_up("二重に届いた通話")

    desk.expect_log("二重に届いた通話", customer="青木 ことの")
    desk.page.get_by_test_id("ended").locator("summary").first.click()
    webhooks = desk.page.locator(f'[data-test="call"][data-from="{AOKI}"]').first.get_by_test_id("webhook")
    expect(webhooks.filter(has_text="twice").first).to_be_attached()
    assert webhooks.count() % 2 == 0
