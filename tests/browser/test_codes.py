"""One-time codes in a real browser: the picture is drawn under our own content security policy, and the way in works."""

from __future__ import annotations

import pyotp
from playwright.sync_api import expect

from cti_bridge.demo.office import PASSWORD
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Office


def test_an_agent_sets_up_codes_in_the_menu_and_signs_in_with_one(open_desk: OpenDesk, office: Office) -> None:
    desk = open_desk(office.first)
    panel = desk.panel
    panel.get_by_test_id("menu").click()
    panel.get_by_test_id("codes").locator("summary").click()
    panel.get_by_test_id("codes-begin").click()
    picture = panel.get_by_test_id("codes-picture")
    expect(picture).to_be_visible()
    drawn = picture.evaluate("async (image) => (await image.decode(), image.naturalWidth > 0)")
    assert drawn, "the picture was not drawn"
    app = pyotp.TOTP(panel.get_by_test_id("codes-secret").inner_text())
    panel.get_by_test_id("codes-code").fill("000000")
    panel.get_by_test_id("codes-confirm").click()
    expect(panel.get_by_test_id("second-factor-failure")).to_contain_text("認証アプリの新しいコード")
    panel.get_by_test_id("codes-code").fill(app.now())
    panel.get_by_test_id("codes-confirm").click()
    shown = panel.get_by_test_id("recovery-codes").locator("li")
    expect(shown).to_have_count(10)
    codes = shown.all_inner_texts()
    panel.get_by_test_id("codes-kept").click()
    expect(panel.get_by_test_id("codes-on")).to_contain_text("10個")

    panel.get_by_test_id("sign-out").click()
    panel.get_by_test_id("email").fill(office.first.email)
    panel.get_by_test_id("password").fill(PASSWORD)
    panel.get_by_test_id("sign-in-submit").click()
    code = panel.get_by_test_id("code")
    expect(code).to_be_focused()
    code.fill(codes[0].upper())
    panel.get_by_test_id("sign-in-submit").click()
    desk.expect_live()


def test_signing_out_everywhere_closes_the_other_screen_too(open_desk: OpenDesk, office: Office) -> None:
    here, there = open_desk(office.first), open_desk(office.first)
    here.panel.get_by_test_id("menu").click()
    here.panel.get_by_test_id("sign-out-everywhere").click()
    for desk in (here, there):
        expect(desk.panel.get_by_test_id("sign-in")).to_be_visible()
