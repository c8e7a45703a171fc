"""An agent's day: dialling out, drafts, colleagues, missed calls, two tabs, and the keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Frame, Locator, Page, expect

from cti_bridge.demo.run import Demo
from tests.browser.conftest import OpenDesk
from tests.browser.desk import AOKI, SWITCHBOARD, Desk, Office, wait_until

COUNT_TONES = """
globalThis.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { globalThis.tones += 1; return start.apply(this, when); };
"""


def test_a_click_on_a_number_rings_my_phone_then_the_customer_and_logs_on_that_record(
    open_desk: OpenDesk, office: Office
) -> None:
    desk = open_desk(office.first)
    desk.open_record("坂本 直樹")
    desk.page.locator(".phone cti-dial button").first.click()

    expect(desk.leg(office.first.phone)).to_have_attribute("data-status", "ringing")
    desk.expect_phase("ringing")
    desk.answer(office.first)
    desk.act(SWITCHBOARD, "answer")
    desk.expect_phase("talking")
    desk.expect_contact("坂本 直樹", how="picked")
    desk.hang_up(SWITCHBOARD)
    desk.wrap_up("請求書の宛名を確認した")
    desk.expect_log("請求書の宛名を確認した", customer="坂本 直樹")


def test_a_note_survives_closing_the_tab(open_desk: OpenDesk, office: Office, demo: Demo) -> None:
    desk = open_desk(office.first)
    desk.call_in(office.line, AOKI)
    desk.answer(office.first)
    desk.expect_phase("talking")
    desk.write("書きかけのメモ", "callback")
    expect(desk.card.get_by_test_id("draft-state")).to_have_attribute("data-state", "saved")
    desk.page.close()

    again = open_desk(office.first)
    again.expect_phase("talking")
    expect(again.card.get_by_test_id("note")).to_have_value("書きかけのメモ")
    expect(again.card.get_by_test_id("disposition")).to_have_value("callback")
    again.hang_up(AOKI)


def test_only_available_agents_ring_and_the_other_card_goes_when_one_answers(
    open_desk: OpenDesk, office: Office
) -> None:
    one = open_desk(office.first)
    two = open_desk(office.second, language="en")
    one.call_in(office.line, AOKI)
    one.expect_phase("ringing")
    two.expect_phase("ringing")
    one.answer(office.second)
    two.expect_phase("talking")
    expect(one.card).to_have_count(0)
    expect(one.panel.get_by_test_id("toast")).to_contain_text(office.second.name)

    two.panel.get_by_test_id("presence").and_(two.panel.locator('[data-presence="on_call"]')).wait_for()
    one.call_in(office.line, "090-9999-0301")
    one.expect_phase("ringing")
    ringing = one.page.locator('[data-test="leg"][data-status="ringing"]')
    expect(ringing.and_(one.leg(office.first.phone))).to_have_count(1)
    expect(ringing.and_(one.leg(office.second.phone))).to_have_count(0)
    one.hang_up("+819099990301")
    expect(one.card).to_have_count(0)

    one.panel.get_by_test_id("away").click()
    expect(one.panel.get_by_test_id("away")).to_have_attribute("aria-pressed", "true")
    one.call_in(office.line, "090-9999-0302")
    one.page.get_by_test_id("heard").filter(has_text="混み合っております").first.wait_for(state="attached")
    expect(one.card).to_have_count(0)
    one.hang_up(AOKI)


def test_missed_calls_are_listed_once_per_caller_until_somebody_called_back(
    open_desk: OpenDesk, office: Office
) -> None:
    desk = open_desk(office.first)
    caller = "+818012341267"
    missed = missed_caller(desk, caller)
    for _ in range(2):
        desk.call_in(office.line, caller)
        desk.expect_phase("ringing")
        desk.hang_up(caller)
        expect(desk.card).to_have_count(0)
    expect(missed).to_contain_text("2件")

    missed.get_by_test_id("call-back").click()
    desk.answer(office.first)
    desk.act(caller, "answer")
    desk.expect_phase("talking")
    desk.hang_up(caller)
    desk.wrap_up("折り返した")
    expect(missed).to_have_count(0)


def test_a_missed_call_that_needs_no_call_back_is_struck_off(open_desk: OpenDesk, office: Office) -> None:
    desk = open_desk(office.first)
    desk.call_in(office.line, "090-9999-0311")
    desk.expect_phase("ringing")
    desk.act(office.first.phone, "busy")
    desk.act(office.second.phone, "no-answer")
    expect(desk.page.get_by_test_id("heard").filter(has_text="電話に出ることができません").first).to_be_attached()

    missed = missed_caller(desk, "+819099990311")
    missed.get_by_test_id("dealt-with").click()
    expect(missed).to_have_count(0)


def test_of_two_tabs_both_show_the_call_and_one_rings(open_desk: OpenDesk, office: Office) -> None:
    first = open_desk()
    first.page.context.add_init_script(COUNT_TONES)
    first.page.reload()
    first.sign_in(office.first)
    second = Desk.open(first.page.context, first.demo)
    second.expect_live()
    for desk in (first, second):
        sound_test = desk.panel.get_by_test_id("sound-test").first
        if sound_test.is_visible():
            sound_test.click()
            expect(desk.panel.get_by_test_id("sound-off")).to_have_count(0)
        desk.panel.get_by_test_id("idle").click()
    before = [tones(desk) for desk in (first, second)]

    first.call_in(office.line, AOKI)
    first.expect_phase("ringing")
    second.expect_phase("ringing")
    # Asked from here: the panel's policy refuses what Playwright would run in the page to wait there.
    wait_until(first.page, lambda: tones(first) > before[0])
    assert tones(second) == before[1]
    first.hang_up(AOKI)
    expect(second.card).to_have_count(0)


def test_a_whole_call_with_the_keyboard_alone(open_desk: OpenDesk, office: Office) -> None:
    desk = open_desk()
    press = desk.page.keyboard.press
    type_in = desk.page.keyboard.type
    desk.panel.get_by_test_id("email").focus()
    type_in(office.first.email)
    press("Tab")
    type_in("minato-demo")
    press("Enter")
    desk.expect_live()

    desk.demo.simulator.call_in("+81450000210", office.line.number)
    desk.expect_phase("ringing")
    expect(desk.card.get_by_test_id("pick")).to_have_count(2)
    desk.card.focus()
    press("2")
    expect(desk.contact).to_have_attribute("data-how", "picked")
    leg = desk.leg(office.first.phone).get_by_test_id("leg-answer")
    leg.focus()
    press("Enter")
    desk.expect_phase("talking")
    desk.card.focus()
    press("n")
    expect(desk.card.get_by_test_id("note")).to_be_focused()
    type_in("キーボードだけで")
    press("Tab")
    press("ArrowDown")
    expect(desk.card.get_by_test_id("disposition")).not_to_have_value("")
    desk.leg("+81450000210").get_by_test_id("leg-hangup").focus()
    press("Enter")
    desk.expect_phase("wrapping_up")
    desk.card.focus()
    press("n")
    press("Control+Enter")
    desk.expect_delivered()
    desk.page.get_by_test_id("view-logs").focus()
    press("Enter")
    expect(desk.logs("キーボードだけで")).to_have_count(1)


def missed_caller(desk: Desk, number: str) -> Locator:
    """The entry of this caller in the list of missed calls."""
    return desk.panel.get_by_test_id("missed-caller").and_(desk.panel.locator(f'[data-key="{number}"]'))


def panel_frame(page: Page) -> Frame:
    """The widget's own page."""
    return next(frame for frame in page.frames if "/widgets/panel" in frame.url)


def tones(desk: Desk) -> int:
    """How many tones this tab has begun to play."""
    return int(panel_frame(desk.page).evaluate("globalThis.tones"))
