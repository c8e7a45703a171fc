"""Calls in kintone: who rings, whose record opens and how, what survives kintone's page loads, and which tab does it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.desk import Office, wait_until
from tests.browser.kintone.conftest import OpenScreens
from tests.browser.kintone.screens import AOKI, ONO, Customers, Tab, shows
from tests.browser.kintone.test_numbers import kept, wrap_up
from tests.browser.test_desk import COUNT_TONES, panel_frame


def test_a_call_from_ring_to_log_with_the_record_opened_on_the_way(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    screens = open_screens(office.first)
    tab = screens.open_list()
    tab.expect_live()
    tab.choose_way("here")
    tab.page.get_by_test_id("dock-collapse").click()
    call = screens.call_in(office, ONO)

    tab.expect_phase("ringing")
    expect(tab.dock).to_have_attribute("data-open", "true")
    expect(tab.card.get_by_test_id("contact")).to_contain_text("大野 健一")
    expect(tab.card.get_by_test_id("why")).to_contain_text("電話「０３－１２３４－５６７８」と一致")
    expect(tab.page).to_have_url(screens.address(""))

    screens.answer(call)
    expect(tab.page).to_have_url(shows(customers.ono))
    tab.expect_shown("detail 2")
    tab.expect_phase("talking")
    tab.card.get_by_test_id("note").fill("見積もりの件。")
    screens.hang_up(call)
    wrap_up(tab, "見積もりの件。折り返し不要。")
    log = kept(screens.company.calls.records(), "見積もりの件。折り返し不要。")
    assert (log["顧客"], log["種別"], log["状態"]) == (customers.ono, "着信", "応答")
    assert log["call_sid"] == call.sid
    expect(tab.card.get_by_test_id("open-log")).to_have_attribute("href", re.compile(r"/k/\d+/show#record=\d+$"))


def test_the_panel_is_back_with_call_timer_and_draft_after_each_of_kintones_page_loads(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    for near in (True, False):  # with storage for the panel's frame, and without
        screens = open_screens(office.first, near=near)
        tab = screens.open_list()
        tab.expect_live()
        call = screens.call_in(office, AOKI)
        screens.answer(call)
        tab.expect_phase("talking")
        tab.page.get_by_test_id("open-not").click()
        tab.card.get_by_test_id("note").press_sequentially("書きかけのメモ")
        began = seconds(tab)
        for address in (screens.record_address(customers.rest[0]), screens.address("edit"), screens.address("")):
            # Straight on, while the last letters have not been saved yet.
            tab.page.goto(address)
            tab.expect_phase("talking")
            expect(tab.card.get_by_test_id("caller")).to_contain_text("080-1234-1101")
            expect(tab.card.get_by_test_id("note")).to_have_value("書きかけのメモ")
            assert seconds(tab) >= began, "the timer began anew"
        expect(tab.question).to_have_count(0)
        screens.hang_up(call)
        wrap_up(tab, f"ページを移っても続いた通話{near}")


def test_it_asks_and_opens_the_record_where_the_agent_says(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    screens = open_screens(office.second)
    tab = screens.open_list()
    tab.expect_live()
    call = screens.call_in(office, ONO)
    screens.answer(call)
    expect(tab.question).to_contain_text("Open the caller’s record?")
    expect(tab.page).to_have_url(screens.address(""))
    with tab.page.context.expect_page() as opened:
        tab.page.get_by_test_id("open-new").click()
    expect(opened.value).to_have_url(shows(customers.ono))
    expect(tab.page).to_have_url(screens.address(""))
    expect(tab.question).to_have_count(0)
    screens.hang_up(call)


def test_the_question_waits_over_a_page_load_and_goes_with_its_answer(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    screens = open_screens(office.first)
    tab = screens.open_list()
    tab.expect_live()
    call = screens.call_in(office, ONO)
    screens.answer(call)
    expect(tab.question).to_be_visible()
    tab.page.goto(screens.record_address(customers.rest[0]))
    expect(tab.question).to_contain_text("お客様のレコードを開きますか")
    tab.page.get_by_test_id("open-here").click()
    expect(tab.page).to_have_url(shows(customers.ono))
    tab.expect_shown("detail 2")
    tab.expect_phase("talking")
    expect(tab.question).to_have_count(0)
    screens.hang_up(call)


def test_nothing_is_opened_over_a_record_that_is_being_edited(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    screens = open_screens(office.first)
    tab = screens.open_record(customers.rest[0])
    tab.expect_live()
    tab.choose_way("here")
    tab.press("edit")
    tab.expect_shown("edit 3")
    tab.input("会社名").fill("書きかけの会社名")
    call = screens.call_in(office, ONO)
    screens.answer(call)

    expect(tab.question).to_contain_text("入力中の内容を守るため")
    expect(tab.page.get_by_test_id("open-here")).to_have_count(0)
    expect(tab.input("会社名")).to_have_value("書きかけの会社名")
    tab.press("cancel")
    tab.expect_shown("detail 3")
    tab.page.get_by_test_id("open-here").click()
    expect(tab.page).to_have_url(shows(customers.ono))
    screens.hang_up(call)


def test_nor_over_a_new_record_a_row_being_edited_or_a_comment_half_written(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    screens = open_screens(office.first)

    def create(tab: Tab) -> None:
        tab.press("create")
        tab.expect_shown("create")

    def edit_row(tab: Tab) -> None:
        tab.page.get_by_test_id("row").nth(2).get_by_test_id("inline-edit").click()
        expect(tab.input("会社名").nth(0)).to_be_visible()

    def comment(tab: Tab) -> None:
        tab.page.get_by_test_id("row").nth(2).get_by_test_id("open").click()
        tab.expect_shown("detail 3")
        tab.page.get_by_test_id("comment").press_sequentially("折り返しは")

    def comment_and_turn_to_the_panel(tab: Tab) -> None:
        comment(tab)
        tab.open_panel()
        tab.panel.get_by_test_id("panel").click(position={"x": 3, "y": 3})
        assert tab.page.evaluate("document.activeElement.tagName") != "TEXTAREA"

    for begin in (create, edit_row, comment, comment_and_turn_to_the_panel):
        tab = screens.open_list()
        tab.expect_live()
        tab.choose_way("here")
        tab.page.get_by_test_id("dock-collapse").click()
        begin(tab)
        stays = tab.page.url
        call = screens.call_in(office, ONO)
        screens.answer(call)
        expect(tab.question).to_contain_text("入力中の内容を守るため")
        assert tab.page.url == stays
        screens.hang_up(call)
        wrap_up(tab, f"編集中の着信 {begin.__name__}")
        tab.page.close(run_before_unload=False)


def test_of_two_tabs_one_rings_and_opens_and_the_other_takes_over_when_it_is_closed(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    screens = open_screens(office.first)
    first = screens.open_list()
    first.expect_live()
    first.choose_way("here")
    second = screens.open_list()
    second.expect_live()
    second.page.bring_to_front()

    call = screens.call_in(office, ONO)
    screens.answer(call)
    for tab in (first, second):
        tab.expect_phase("talking")

    def at_record() -> list[Tab]:
        return [tab for tab in (first, second) if shows(customers.ono).search(tab.page.url)]

    wait_until(second.page, lambda: len(at_record()) == 1)
    opened = at_record()[0]
    opened.expect_shown("detail 2")
    screens.hang_up(call)
    wrap_up(opened, "二つのタブ")
    assert len(at_record()) == 1, "both tabs opened the record"

    other = second if opened is first else first
    opened.page.close()
    again = screens.call_in(office, AOKI)
    screens.answer(again)
    expect(other.page).to_have_url(shows(customers.aoki))
    other.expect_phase("talking")
    screens.hang_up(again)
    wrap_up(other, "残ったタブ")


def test_of_two_tabs_one_makes_the_ringing_sound_and_the_other_when_that_is_closed(
    open_screens: OpenScreens, office: Office
) -> None:
    screens = open_screens(office.first, near=True)
    screens.context.add_init_script(COUNT_TONES)
    tabs = [screens.open_list(), screens.open_list()]
    for tab in tabs:
        tab.expect_live()
        tab.open_panel()
        sound_test = tab.panel.get_by_test_id("sound-test").first
        if sound_test.is_visible():
            sound_test.click()
        tab.panel.get_by_test_id("panel").click(position={"x": 3, "y": 3})
        expect(tab.panel.get_by_test_id("sound-off")).to_have_count(0)
    before = [tones(tab) for tab in tabs]

    def ringing() -> list[Tab]:
        return [tab for tab, count in zip(tabs, before, strict=True) if tones(tab) > count]

    call = screens.call_in(office, AOKI)
    for tab in tabs:
        tab.expect_phase("ringing")
    wait_until(tabs[0].page, lambda: len(ringing()) > 0)
    loud = ringing()[0]
    rung = tones(loud)
    wait_until(loud.page, lambda: tones(loud) > rung)  # it rings again: the other has had the time to
    assert ringing() == [loud], "both tabs ring"
    silent = next(tab for tab in tabs if tab is not loud)
    loud.page.close()
    wait_until(silent.page, lambda: tones(silent) > before[tabs.index(silent)])
    screens.hang_up(call)


def test_the_call_is_related_to_the_record_on_the_screen(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    screens = open_screens(office.first)
    tab = screens.open_record(customers.rest[4])
    tab.expect_live()
    call = screens.call_in(office, "+819099990077")
    screens.answer(call)
    tab.expect_phase("talking")
    relate = tab.card.get_by_test_id("relate")
    expect(relate).to_contain_text("試験 5")
    relate.click()
    expect(tab.card.get_by_test_id("contact")).to_contain_text("試験 5")
    screens.hang_up(call)
    wrap_up(tab, "画面のレコードに紐づけた通話")
    log = kept(screens.company.calls.records(), "画面のレコードに紐づけた通話")
    assert log["顧客"] == customers.rest[4]


def test_on_a_phone_the_caller_pops_and_the_mobile_record_opens(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    screens = open_screens(office.first, mobile=True)
    tab = screens.open_list()
    tab.expect_live()
    expect(tab.dock).to_have_attribute("data-open", "false")
    call = screens.call_in(office, ONO)
    tab.expect_phase("ringing")
    expect(tab.dock).to_have_attribute("data-open", "true")
    screens.answer(call)
    tab.page.get_by_test_id("open-here").click()
    expect(tab.page).to_have_url(shows(customers.ono))
    assert "/k/m/" in tab.page.url
    tab.expect_shown("detail 2")
    tab.expect_phase("talking")
    screens.hang_up(call)
    wrap_up(tab, "携帯電話の画面で受けた通話")


def test_the_dock_remembers_its_place_and_whether_it_is_open(open_screens: OpenScreens, office: Office) -> None:
    screens = open_screens(office.first)
    tab = screens.open_list()
    tab.open_panel()
    tab.page.get_by_test_id("dock-move").click()
    expect(tab.dock).to_have_attribute("data-place", "left")
    tab.page.reload()
    expect(tab.dock).to_have_attribute("data-place", "left")
    expect(tab.dock).to_have_attribute("data-open", "true")
    tab.page.get_by_test_id("dock-collapse").click()
    tab.page.goto(screens.address("edit"))
    expect(tab.dock).to_have_attribute("data-open", "false")


def test_after_a_page_load_any_click_on_kintones_page_wakes_the_ring(open_screens: OpenScreens, office: Office) -> None:
    screens = open_screens(office.first, near=True)
    tab = screens.open_list()
    tab.expect_live()
    tab.open_panel()
    tab.panel.get_by_test_id("sound-test").first.click()
    expect(tab.panel.get_by_test_id("sound-off")).to_have_count(0)
    tab.page.reload()
    tab.expect_live()
    tab.page.get_by_role("heading", name="一覧").click()
    expect(tab.panel.get_by_test_id("sound-off")).to_have_count(0)


def seconds(tab: Tab) -> int:
    minutes, rest = tab.card.get_by_test_id("timer").inner_text().split(":")
    return int(minutes) * 60 + int(rest)


def tones(tab: Tab) -> int:
    """How many tones this tab has begun to play."""
    return int(panel_frame(tab.page).evaluate("globalThis.tones"))
