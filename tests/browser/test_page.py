"""The demo page by itself: its CRM, its words in both languages, what it says when something cannot be."""

from __future__ import annotations

from playwright.sync_api import expect

from cti_bridge.demo.run import Demo
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Office

SHAPE = """
const shape = (value) => value !== null && typeof value === "object"
  ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, shape(value[key])])) : typeof value;
const { both } = await import("/page/words.js");
return [shape(both.ja), shape(both.en)];
"""


def test_both_languages_have_the_same_words_and_no_text_is_missing(open_desk: OpenDesk) -> None:
    for language in ("ja", "en"):
        page = open_desk(language=language).page
        japanese, english = page.evaluate(f"(async () => {{ {SHAPE} }})()")
        assert japanese == english
        empty = "[...document.querySelectorAll('[data-word]')].filter((one) => !one.textContent.trim()).length"
        assert page.evaluate(empty) == 0
        assert "undefined" not in page.locator("body").inner_text()
        expect(page.locator("html")).to_have_attribute("lang", language)


def test_the_crm_finds_customers_and_shows_numbers_as_they_were_typed(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.open_record("山崎 純")
    numbers = desk.page.get_by_test_id("record-number")
    expect(numbers.filter(has_text="８１-８０-１２３４-１３８９")).to_have_count(1)
    desk.page.get_by_test_id("crm-record").get_by_role("link", name="山﨑動物病院").click()
    expect(desk.page.get_by_test_id("record-name")).to_have_text("山﨑動物病院")
    desk.page.go_back()
    expect(desk.page.get_by_test_id("record-name")).to_have_text("山崎 純")


def test_a_number_that_cannot_be_read_is_not_dialled_but_explained(open_desk: OpenDesk, office: Office) -> None:
    desk = open_desk(language="en")
    desk.call_in(office.line, "12")
    expect(desk.page.get_by_test_id("world-error")).to_contain_text("does not read like a phone number")
    expect(desk.page.get_by_test_id("number")).to_be_focused()
    desk.call_in(office.line, "０９０ー９９９９ー０５０１")
    expect(desk.leg("+819099990501")).to_be_visible()
    expect(desk.page.get_by_test_id("world-error")).to_be_empty()


def test_the_widgets_link_to_a_record_opens_it_in_the_crm(open_desk: OpenDesk, demo: Demo) -> None:
    desk = open_desk()
    desk.page.goto(f"{demo.url}/?open=contact:1&lang=ja")
    expect(desk.page.get_by_test_id("record-name")).to_have_text("高橋 美咲")
    desk.page.goto(f"{demo.url}/?open=contact:99999&lang=ja")
    expect(desk.page.get_by_test_id("crm-record")).to_contain_text("この記録は見つかりません")


def test_the_browser_reports_no_error_on_the_page(open_desk: OpenDesk, office: Office) -> None:
    desk = open_desk()
    said: list[str] = []
    desk.page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    desk.page.on("pageerror", lambda error: said.append(str(error)))
    desk.page.reload()
    desk.sign_in(office.first)
    desk.call_in(office.line, "withheld")
    desk.expect_phase("ringing")
    assert said == []
