"""Signing in to the panel inside kintone: once, without a password, on the word of kintone's server; and without it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.desk import Office
from tests.browser.kintone.conftest import SECRET, OpenScreens
from tests.browser.kintone.screens import Customers
from tests.fakes.kintone_pages import KintonePages, PageUser


def test_the_agent_is_signed_in_by_kintone_and_stays_so_over_pages(
    open_screens: OpenScreens, office: Office, pages: KintonePages, customers: Customers
) -> None:
    screens = open_screens(office.first, near=True)
    before = len(pages.proxied)
    tab = screens.open_list()
    tab.expect_live()
    assert [one["data"]["email"] for one in pages.proxied[before:]] == [office.first.email]

    tab.page.goto(screens.record_address(customers.aoki))
    tab.expect_shown("detail 1")
    tab.expect_live()
    assert len(pages.proxied) - before == 1, "a page of a tab that is signed in asked for a ticket again"


def test_where_the_browser_refuses_the_panel_storage_every_page_is_signed_in_anew_without_a_password(
    open_screens: OpenScreens, office: Office, pages: KintonePages, customers: Customers
) -> None:
    screens = open_screens(office.first)
    before = len(pages.proxied)
    tab = screens.open_list()
    tab.expect_live()
    frame = next(frame for frame in tab.page.frames if "/widgets/panel" in frame.url)
    refused = (
        "(() => { try { return sessionStorage.length >= 0 ? 'allowed' : '' } catch (error) { return error.name } })()"
    )
    assert frame.evaluate(refused) == "SecurityError", "this browser gives the frame storage: the test shows nothing"
    tab.page.goto(screens.record_address(customers.aoki))
    tab.expect_shown("detail 1")
    tab.expect_live()
    assert len(pages.proxied) - before == 2


def test_no_page_ever_sees_the_secret(open_screens: OpenScreens, office: Office) -> None:
    screens = open_screens(office.first)
    tab = screens.open_list()
    tab.expect_live()
    assert SECRET not in tab.page.content()
    stored = f"{screens.demo.bridge_url}/api/session/ticket"
    assert tab.page.evaluate("(url) => kintone.plugin.app.getProxyConfig(url, 'POST')", stored) is None
    whole = "JSON.stringify([window.fakeFacts, {...localStorage}, {...sessionStorage}])"
    assert SECRET not in tab.page.evaluate(whole)
    assert SECRET not in str(screens.pages.of_app(screens.company.people.id).config)


def test_a_wrong_secret_leaves_the_agents_own_sign_in_and_says_why(open_screens: OpenScreens, office: Office) -> None:
    screens = open_screens(office.first)
    screens.install("not-the-bridges-secret-0123456789")
    tab = screens.open_list()
    tab.open_panel()
    expect(tab.panel.get_by_test_id("sign-in-failure")).to_contain_text("秘密の値が一致していません")
    screens.sign_in_with_password(tab)


def test_a_kintone_user_who_is_no_agent_is_told_so(
    open_screens: OpenScreens, office: Office, pages: KintonePages
) -> None:
    screens = open_screens(office.second)
    pages.users["guest"] = PageUser("guest", "Guest", "guest@test.example", "en")
    screens.be("guest")
    tab = screens.open_list()
    tab.open_panel()
    expect(tab.panel.get_by_test_id("sign-in-failure")).to_contain_text("No agent here has your CRM user’s e-mail")


def test_without_vouching_the_panel_asks_for_the_password_at_once(
    open_screens: OpenScreens, office: Office, pages: KintonePages
) -> None:
    screens = open_screens(office.first, vouch=False)
    before = len(pages.proxied)
    tab = screens.open_list()
    tab.open_panel()
    expect(tab.panel.get_by_test_id("sign-in")).to_be_visible()
    expect(tab.panel.get_by_test_id("vouch")).to_have_count(0)
    screens.sign_in_with_password(tab)
    assert len(pages.proxied) == before


def test_a_bridge_without_a_secret_takes_nobodys_word_and_asks_for_the_password(
    open_screens: OpenScreens, office: Office, strict_bridge: str
) -> None:
    screens = open_screens(office.first)
    screens.install(SECRET, bridge=strict_bridge)
    tab = screens.open_list()
    tab.open_panel()
    expect(tab.panel.get_by_test_id("sign-in")).to_be_visible()
    expect(tab.panel.get_by_test_id("sign-in-failure")).to_have_count(0)
    expect(tab.panel.get_by_test_id("vouch")).to_have_count(0)
    screens.sign_in_with_password(tab)


def test_who_signs_out_stays_out_until_they_ask_to_be_signed_in(open_screens: OpenScreens, office: Office) -> None:
    screens = open_screens(office.first)
    tab = screens.open_list()
    tab.expect_live()
    tab.open_panel()
    tab.panel.get_by_test_id("menu").click()
    tab.panel.get_by_test_id("sign-out").click()
    expect(tab.panel.get_by_test_id("sign-in")).to_be_visible()
    tab.page.reload()
    expect(tab.panel.get_by_test_id("vouch")).to_be_visible()
    tab.panel.get_by_test_id("vouch").click()
    tab.expect_live()
