"""The agent's day in Lightning with Open CTI: ring, pop, click to dial, relate, log; two tabs; embedding."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from cti_bridge.demo.run import Demo
from tests.browser.desk import Office
from tests.browser.salesforce.conftest import OpenScreen
from tests.browser.salesforce.screen import AOKI, NOBODY, YAMAMOTO, People, Screen
from tests.fakes.lightning import Lightning
from tests.fakes.salesforce import FakeOrg


def test_a_ring_opens_the_phone_names_the_caller_and_pops_the_record_once(
    open_screen: OpenScreen, office: Office, people: People
) -> None:
    screen = open_screen(office.first)
    screen.close_phone()
    call = screen.call_in(office, AOKI)

    expect(screen.phone).to_have_attribute("data-visible", "true")
    screen.expect_record(people.aoki)
    expect(screen.page.get_by_test_id("utility-item")).to_have_text(re.compile("^● 080-1234-1101 青木 ことの"))
    expect(screen.panel.get_by_test_id("contact")).to_have_attribute("data-contact", people.aoki)
    screen.answer(call, office.first)
    call.hang_up()
    screen.expect_phase("wrapping_up")
    expect(screen.page.get_by_test_id("utility-item")).not_to_contain_text("●")
    assert screen.pops() == [("SOBJECT", {"recordId": people.aoki})]


def test_the_log_is_one_task_and_the_open_record_shows_it_without_a_reload(
    open_screen: OpenScreen, office: Office, people: People, org: FakeOrg
) -> None:
    screen = open_screen(office.first)
    call = screen.call_in(office, AOKI)
    screen.answer(call, office.first)
    screen.expect_record(people.aoki)
    call.hang_up()
    screen.wrap_up("返品の送料について")

    expect(screen.activities.filter(has_text="返品の送料について")).to_have_count(1)
    written = [task for task in org.rows("Task") if "返品の送料について" in (task["Description"] or "")]
    assert [task["WhoId"] for task in written] == [people.aoki]


def test_several_with_the_number_pop_nothing_and_offer_salesforces_search(
    open_screen: OpenScreen, office: Office, people: People
) -> None:
    screen = open_screen(office.first)
    call = screen.call_in(office, YAMAMOTO)
    expect(screen.panel.get_by_test_id("pick")).to_have_count(2)
    assert screen.pops() == []

    screen.panel.get_by_test_id("screen-search").click()
    expect(screen.page.get_by_test_id("search-page")).to_contain_text("045-000-0210")
    screen.panel.locator(f'[data-test="pick"][data-contact="{people.daisuke}"]').click()
    screen.expect_record(people.daisuke)
    call.hang_up()


def test_an_unknown_caller_may_become_a_record_of_salesforces_but_no_form_covers_the_ring(
    open_screen: OpenScreen, office: Office
) -> None:
    screen = open_screen(office.first)
    call = screen.call_in(office, NOBODY)
    expect(screen.panel.get_by_test_id("unknown")).to_be_visible()
    expect(screen.panel.get_by_test_id("screen-create")).to_have_count(0)
    assert screen.pops() == []

    screen.answer(call, office.first)
    screen.panel.get_by_test_id("screen-create").click()
    expect(screen.page.get_by_test_id("modal-title")).to_have_text("New Contact")
    expect(screen.page.get_by_test_id("new-Phone")).to_have_value("090-9999-0001")
    screen.page.get_by_test_id("new-LastName").fill("新田")
    screen.page.get_by_test_id("save").click()
    # The record that was just made is on the screen: one click makes it the caller's.
    screen.panel.get_by_test_id("relate").click()
    expect(screen.panel.get_by_test_id("contact")).to_contain_text("新田")
    call.hang_up()
    screen.expect_phase("wrapping_up")


def test_a_click_on_a_number_dials_it_from_its_record_twice_in_a_row(
    open_screen: OpenScreen, office: Office, people: People, org: FakeOrg
) -> None:
    screen = open_screen(office.first)
    screen.go_to(people.case)
    screen.go_to(people.sakura)
    for turn in ("一度目", "二度目"):
        screen.close_phone()
        screen.page.get_by_role("button", name="045-000-0210").click()
        expect(screen.phone).to_have_attribute("data-visible", "true")
        screen.expect_phase("ringing")
        # 045-000-0210 is two people's: the record says whose call it is.
        expect(screen.panel.get_by_test_id("contact")).to_have_attribute("data-contact", people.sakura)
        leg = screen.demo.simulator.wait_for(
            lambda: next(iter(screen.demo.simulator.legs(to=office.first.phone, status="ringing")), None)
        )
        screen.demo.simulator.answer(leg)
        called = screen.demo.simulator.wait_for(
            lambda: next(iter(screen.demo.simulator.legs(to=YAMAMOTO, status="ringing")), None)
        )
        screen.demo.simulator.answer(called)
        screen.expect_phase("talking")
        screen.demo.simulator.hang_up(called)
        screen.wrap_up(f"{turn}の発信")
        screen.panel.get_by_test_id("dismiss").click()
        expect(screen.card).to_have_count(0)
        written = [task for task in org.rows("Task") if f"{turn}の発信" in (task["Description"] or "")]
        assert [(task["WhoId"], task["CallType"]) for task in written] == [(people.sakura, "Outbound")]
    assert screen.pops() == []


def test_one_click_relates_the_call_to_the_case_the_agent_went_to_and_takes_it_back(
    open_screen: OpenScreen, office: Office, people: People, org: FakeOrg
) -> None:
    screen = open_screen(office.first)
    call = screen.call_in(office, AOKI)
    screen.answer(call, office.first)
    screen.expect_record(people.aoki)
    expect(screen.panel.get_by_test_id("relate")).to_have_count(0)

    screen.go_to(people.case)
    screen.panel.get_by_test_id("relate").click()
    expect(screen.panel.get_by_test_id("related")).to_have_attribute("data-record", people.case)
    expect(screen.panel.get_by_test_id("relate")).to_have_count(0)
    screen.panel.get_by_test_id("unrelate").click()
    expect(screen.panel.get_by_test_id("related")).to_have_count(0)
    screen.panel.get_by_test_id("relate").click()
    expect(screen.panel.get_by_test_id("related")).to_be_visible()
    screen.expect_record(people.case)

    call.hang_up()
    screen.wrap_up("返品の件で折り返し")
    expect(screen.activities.filter(has_text="返品の件で折り返し")).to_have_count(1)
    written = [task for task in org.rows("Task") if "返品の件で折り返し" in (task["Description"] or "")]
    assert [(task["WhoId"], task["WhatId"]) for task in written] == [(people.aoki, people.case)]


def test_of_two_tabs_one_pops_both_show_the_call_and_the_other_takes_over(
    open_screen: OpenScreen, office: Office, people: People, demo: Demo, lightning: Lightning
) -> None:
    first = open_screen(office.first)
    second = Screen.open(first.page.context, demo, lightning, language="ja")
    second.expect_live()
    call = first.call_in(office, AOKI)
    second.expect_record(people.aoki)
    first.expect_phase("ringing")
    expect(first.page.get_by_test_id("utility-item")).to_contain_text("青木 ことの")
    assert [first.pops(), second.pops()] == [[], [("SOBJECT", {"recordId": people.aoki})]]

    second.page.close()
    first.open_phone()
    first.answer(call, office.first)
    call.hang_up()
    first.wrap_up("二つのタブ")
    first.panel.get_by_test_id("dismiss").click()
    again = first.call_in(office, AOKI)
    first.expect_record(people.aoki)
    assert first.pops() == [("SOBJECT", {"recordId": people.aoki})]
    again.hang_up()


def test_the_tab_that_the_agent_touched_last_is_the_one_that_pops(
    open_screen: OpenScreen, office: Office, people: People, demo: Demo, lightning: Lightning
) -> None:
    first = open_screen(office.first)
    second = Screen.open(first.page.context, demo, lightning, language="ja")
    second.expect_live()
    first.panel.get_by_test_id("dial-number").click()
    call = first.call_in(office, AOKI)
    first.expect_record(people.aoki)
    second.expect_phase("ringing")
    assert second.pops() == []
    call.hang_up()


def test_no_cookie_is_set_and_the_policy_names_the_holders_and_the_script_exactly(
    open_screen: OpenScreen, office: Office, demo: Demo, lightning: Lightning
) -> None:
    screen = open_screen(office.first)
    assert screen.page.context.cookies() == []
    answer = screen.page.request.get(f"{demo.bridge_url}/widgets/salesforce")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["script-src"].split() == ["'self'", lightning.org_url]
    assert sorted(policy["frame-ancestors"].split()) == sorted(["'self'", lightning.url, lightning.org_url])
    assert "set-cookie" not in answer.headers


def test_a_page_of_another_origin_cannot_hold_the_phone(
    new_browser: Callable[..., BrowserContext], demo: Demo, lightning: Lightning
) -> None:
    page = new_browser().new_page()
    page.goto(f"{demo.url}/?lang=ja")
    address = f"{demo.bridge_url}/widgets/salesforce?sfdcIFrameOrigin={lightning.url}"
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.evaluate(
            "address => document.body.append(Object.assign(document.createElement('iframe'), { src: address }))",
            address,
        )
    expect(page.frame_locator('iframe[src*="/widgets/salesforce"]').get_by_test_id("panel")).to_have_count(0)
