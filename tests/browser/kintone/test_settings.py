"""The plug-in's settings screen: set up from nothing, tested in words, saved; and then it works."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from cti_bridge.demo.run import Demo
from tests.browser.desk import Office
from tests.browser.kintone.conftest import SECRET, OpenScreens
from tests.browser.kintone.screens import ONO, Customers
from tests.browser.test_accessibility import AXE
from tests.fakes.kintone_pages import KintonePages


def findings(page: Page, *wanted: tuple[str, str]) -> None:
    """Press the test button and read these findings: (level, words)."""
    page.get_by_test_id("test").click()
    for at, (level, words) in enumerate(wanted):
        found = page.get_by_test_id("findings").locator("li").nth(at)
        expect(found).to_contain_text(words)
        expect(found).to_have_attribute("data-level", level)
    expect(page.get_by_test_id("findings").locator("li")).to_have_count(len(wanted))


def test_an_administrator_sets_it_up_from_nothing_and_it_works(
    open_screens: OpenScreens, office: Office, pages: KintonePages, demo: Demo, customers: Customers
) -> None:
    screens = open_screens(office.first)
    people = screens.company.people.id
    pages.installed.pop(people)
    page = screens.open_settings()
    expect(page.locator('[name="phone"]')).to_have_count(7)
    page.get_by_test_id("address").fill(demo.bridge_url)
    page.get_by_test_id("secret").fill(SECRET)
    page.locator('[name="phone"][value="電話番号"]').check()
    page.locator('[name="phone"][value="携帯電話"]').check()
    page.locator('[name="normalised 電話番号"]').select_option("電話番号_正規化")
    page.get_by_test_id("title").select_option("氏名")
    page.get_by_test_id("place").select_option("bottom-left")
    findings(page, ("good", "接続できます"), ("good", "パネルを表示できます"), ("good", "秘密の値は正しいです"))
    page.get_by_test_id("save").click()
    expect(page.get_by_test_id("plugin-saved")).to_be_visible()

    tab = screens.open_list()
    tab.expect_live()
    expect(tab.dock).to_have_attribute("data-place", "bottom-left")
    expect(tab.buttons.first).to_have_attribute("record", customers.aoki)
    assert SECRET not in str(pages.of_app(people).config)

    again = screens.open_settings()
    expect(again.get_by_test_id("address")).to_have_value(demo.bridge_url)
    expect(again.get_by_test_id("secret")).to_have_value("")
    expect(again.get_by_test_id("settings")).to_contain_text("保存済みです")
    findings(again, ("good", "接続できます"), ("good", "パネルを表示できます"), ("good", "秘密の値は正しいです"))


def test_the_test_button_says_in_words_what_is_wrong(
    open_screens: OpenScreens, office: Office, pages: KintonePages, demo: Demo
) -> None:
    screens = open_screens(office.second)
    page = screens.open_settings()
    address = page.get_by_test_id("address")
    findings_of: list[tuple[str, tuple[str, str]]] = [
        ("http://cti.example.co.jp", ("bad", "Use https")),
        ("not an address", ("bad", "does not read like an address")),
        ("http://127.0.0.1:9", ("bad", "servers cannot reach this address")),
        (pages.near_url, ("bad", "it is not the bridge")),
        (f"{demo.bridge_url}/elsewhere", ("bad", "it is not the bridge")),
    ]
    for typed, finding in findings_of:
        address.fill(typed)
        findings(page, finding)
    address.fill(demo.bridge_url)
    page.get_by_test_id("secret").fill("wrong")
    good = [("good", "reach the bridge"), ("good", "may be shown in this kintone")]
    findings(page, *good, ("bad", "The secret is not the bridge’s"))
    page.get_by_test_id("sign-in-own").check()
    findings(page, *good)


def test_a_kintone_that_the_bridge_does_not_know_is_named_with_the_setting(
    open_screens: OpenScreens, office: Office, pages: KintonePages, demo: Demo
) -> None:
    screens = open_screens(office.first)
    page = screens.context.new_page()
    page.goto(f"{pages.foreign_url}/k/admin/app/{screens.company.people.id}/plugin/config")
    page.get_by_test_id("address").fill(demo.bridge_url)
    page.get_by_test_id("secret").fill(SECRET)
    page.get_by_test_id("test").click()
    found = page.get_by_test_id("findings").locator('[data-level="bad"]')
    expect(found).to_contain_text(f"CTI_EMBED_ORIGINS に {pages.foreign_url} を加えて", timeout=15_000)


def test_axe_finds_nothing_on_the_settings_screen_nor_in_the_question_about_a_record(
    open_screens: OpenScreens, office: Office
) -> None:
    screens = open_screens(office.first)
    assert mistakes(screens.open_settings(), "#cti-bridge-settings") == []
    tab = screens.open_list()
    tab.expect_live()
    call = screens.call_in(office, ONO)
    screens.answer(call)
    expect(tab.question).to_be_visible()
    assert mistakes(tab.page, "[data-cti-bridge]") == []
    screens.hang_up(call)


def mistakes(page: Page, where: str) -> list[list[str]]:
    """What axe finds inside this element: rule and element."""
    page.evaluate(AXE.read_text("utf-8"))
    found = "found.violations.map((one) => [one.id, one.nodes[0].html])"
    told = page.evaluate(f"(where) => axe.run(where, {{iframes: false}}).then((found) => {found})", where)
    return list(told)
