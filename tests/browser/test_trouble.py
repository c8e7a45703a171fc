"""What goes wrong on the way: webhooks late and out of order, the CRM slow or down, the bridge restarted."""

from __future__ import annotations

from playwright.sync_api import expect

from cti_bridge.demo.run import Demo
from cti_bridge.demo.weather import Weather
from tests.browser.conftest import OpenDesk
from tests.browser.desk import AOKI, Office

SUZUMORI = "+818012341087"
"""佐々木 勝: one record alone holds this number."""


def test_webhooks_out_of_order_end_in_one_finished_call_and_one_log(open_desk: OpenDesk, office: Office) -> None:
    desk = open_desk(office.first)
    desk.play_trick("hold")
    desk.call_in(office.line, AOKI)
    desk.expect_phase("ringing")
    desk.answer(office.first)
    desk.hang_up(AOKI)

    release = desk.page.get_by_test_id("release")
    expect(release).to_be_visible()
    release.click()
    expect(release).to_have_count(0)
    desk.demo.simulator.wait_until_delivered()

    desk.wrap_up("順序の乱れた通話")
    desk.expect_log("順序の乱れた通話", customer="青木 ことの")


def test_late_webhooks_change_nothing_that_the_agent_has_finished(
    open_desk: OpenDesk, office: Office, demo: Demo
) -> None:
    desk = open_desk(office.first)
    demo.simulator.misbehave("status", "late", seconds=3, times=None)
    desk.call_in(office.line, AOKI)
    desk.expect_phase("ringing")
    desk.answer(office.first)
    desk.hang_up(AOKI)
    desk.expect_phase("wrapping_up")
    desk.write("遅れて届いた通話")
    desk.complete()
    desk.expect_delivered()
    demo.simulator.wait_until_delivered(timeout=10)
    desk.expect_phase("completed")
    desk.expect_log("遅れて届いた通話", customer="青木 ことの")


def test_when_the_crm_is_down_the_card_says_so_and_the_log_arrives_later(
    open_desk: OpenDesk, office: Office, demo: Demo
) -> None:
    desk = open_desk(office.first)
    desk.page.get_by_test_id("crm-down").check()
    expect_weather(demo, Weather(down=True))
    desk.call_in(office.line, SUZUMORI)

    expect(desk.card.get_by_test_id("lookup")).to_contain_text("CRMに接続できません")
    expect(desk.contact).to_have_count(0)
    desk.answer(office.first)
    desk.hang_up(SUZUMORI)
    desk.expect_phase("wrapping_up")
    desk.write("CRM停止中の通話")
    desk.complete()
    expect(desk.card.get_by_test_id("log")).to_have_attribute("data-state", "retrying")
    desk.page.get_by_test_id("view-logs").click()
    expect(desk.logs("CRM停止中の通話")).to_have_count(0)

    desk.page.get_by_test_id("crm-down").uncheck()
    desk.expect_delivered()
    desk.expect_log("CRM停止中の通話", customer="佐々木 勝")


def test_when_the_crm_is_slow_number_and_line_come_at_once_and_the_match_later(
    open_desk: OpenDesk, office: Office, demo: Demo
) -> None:
    desk = open_desk(office.first)
    desk.page.get_by_test_id("crm-delay").fill("12000")
    expect_weather(demo, Weather(delay_ms=12_000))
    desk.call_in(office.line, "080-1234-1076")

    expect(desk.card.get_by_test_id("caller")).to_contain_text("1076")
    expect(desk.card.get_by_test_id("line")).to_contain_text(office.line.name)
    expect(desk.card.get_by_test_id("lookup")).to_contain_text("CRMを検索しています")
    expect(desk.contact).to_have_count(0)
    expect(desk.card.get_by_test_id("lookup")).to_contain_text("時間がかかっています")

    desk.page.get_by_test_id("crm-delay").fill("0")
    desk.expect_contact("椿 浩一郎", how="only_match")
    expect(desk.card.get_by_test_id("lookup")).to_have_count(0)
    desk.hang_up("+818012341076")


def test_a_forged_signature_rings_nobody_and_is_seen_to_be_refused(open_desk: OpenDesk, office: Office) -> None:
    desk = open_desk(office.first)
    desk.play_trick("signature")
    desk.call_in(office.line, "090-9999-0403")
    desk.page.get_by_test_id("ended").locator("summary").first.click()
    call = desk.page.locator('[data-test="call"][data-from="+819099990403"]')
    call.get_by_test_id("webhooks").locator("summary").click()
    expect(call.get_by_test_id("webhook").first).to_contain_text("403")
    expect(desk.card).to_have_count(0)


def test_the_panel_comes_back_by_itself_when_the_bridge_was_restarted(
    open_desk: OpenDesk, office: Office, demo: Demo
) -> None:
    desk = open_desk(office.first)
    desk.call_in(office.line, AOKI)
    desk.answer(office.first)
    desk.expect_phase("talking")
    demo.bridge.stop()
    expect(desk.panel.get_by_test_id("connection")).to_have_attribute("data-state", "waiting")
    demo.bridge.start()
    demo.bridge.wait_until_ready()

    desk.expect_live()
    desk.expect_phase("talking")
    desk.hang_up(AOKI)
    desk.wrap_up("再起動をまたいだ通話")
    desk.expect_log("再起動をまたいだ通話", customer="青木 ことの")


def expect_weather(demo: Demo, weather: Weather) -> None:
    """The page's wish has reached the CRM."""
    demo.simulator.wait_for(lambda: demo.weather.now == weather, what=f"the weather to be {weather}")
