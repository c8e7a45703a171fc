"""The same page without Open CTI: script gone, or a frame that is no softphone. It still rings, dials, logs and links."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Office
from tests.browser.salesforce.conftest import OpenScreen
from tests.browser.salesforce.screen import AOKI, NOBODY_ELSE, YAMAMOTO, People
from tests.fakes.lightning import Lightning
from tests.fakes.salesforce import FakeOrg


@pytest.fixture
def without_script(lightning: Lightning) -> Iterator[None]:
    lightning.script_blocked = True
    yield
    lightning.script_blocked = False


@pytest.mark.usefixtures("without_script")
def test_when_salesforce_no_longer_has_the_script_the_phone_rings_and_logs_and_links_to_the_record(
    open_screen: OpenScreen, office: Office, people: People, org: FakeOrg
) -> None:
    screen = open_screen(office.first, surface="plain")
    call = screen.call_in(office, AOKI)
    screen.expect_phase("ringing")
    link = screen.panel.get_by_test_id("open-record")
    expect(link).to_have_attribute("target", "_blank")
    assert people.aoki in (link.get_attribute("href") or "")
    screen.answer(call, office.first)
    call.hang_up()
    screen.wrap_up("スクリプトなしの通話")
    written = [task for task in org.rows("Task") if "スクリプトなしの通話" in (task["Description"] or "")]
    assert [task["WhoId"] for task in written] == [people.aoki]
    assert screen.asked("screenPop") == []


def test_in_a_plain_frame_a_number_is_dialled_by_hand(open_screen: OpenScreen, office: Office, people: People) -> None:
    screen = open_screen(office.first, surface="plain", plain="yes")
    screen.panel.get_by_test_id("dial-number").fill("080-1234-1101")
    screen.panel.get_by_test_id("dial").click()
    screen.expect_phase("ringing")
    expect(screen.panel.get_by_test_id("contact")).to_have_attribute("data-contact", people.aoki)


def test_in_a_plain_frame_picking_somebody_opens_their_record_in_a_tab_and_a_ring_opens_none(
    open_screen: OpenScreen, office: Office, people: People
) -> None:
    screen = open_screen(office.first, surface="plain", plain="yes")
    context = screen.page.context
    context.route("https://acme.lightning.force.com/**", lambda route: route.fulfill(body="a record of Salesforce's"))
    call = screen.call_in(office, YAMAMOTO)
    expect(screen.panel.get_by_test_id("pick")).to_have_count(2)
    expect(screen.panel.get_by_test_id("screen-search")).to_have_count(0)
    assert len(context.pages) == 1
    with context.expect_page() as opened:
        screen.panel.locator(f'[data-test="pick"][data-contact="{people.sakura}"]').click()
    assert people.sakura in opened.value.url
    assert opened.value.evaluate("window.opener") is None
    call.hang_up()


def test_in_a_plain_frame_an_unknown_caller_gets_salesforces_form_with_the_number(
    open_screen: OpenScreen, office: Office
) -> None:
    screen = open_screen(office.first, surface="plain", plain="yes")
    call = screen.call_in(office, NOBODY_ELSE)
    screen.answer(call, office.first)
    with screen.page.context.expect_page() as opened:
        screen.panel.get_by_test_id("screen-create").click()
    assert opened.value.url.endswith("/lightning/o/Contact/new?defaultFieldValues=Phone%3D090-9999-0002")
    call.hang_up()
