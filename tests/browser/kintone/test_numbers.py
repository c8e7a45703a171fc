"""Call buttons at the phone fields of lists and records, desktop and mobile; numbers made plain on saving."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.desk import Office
from tests.browser.kintone.conftest import OpenScreens
from tests.browser.kintone.screens import UNKNOWN, Customers, Tab


def rows(customers: Customers, *numbers: int) -> list[tuple[str, str]]:
    return [(f"045-555-01{number:02}", customers.rest[number - 1]) for number in numbers]


def test_a_list_has_one_button_at_each_number_also_after_turning_its_pages(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    tab = open_screens(office.first).open_list()
    first = [("080-1234-1101", customers.aoki), ("03-1234-5678", customers.ono), *rows(customers, 1, 2, 3)]
    tab.expect_buttons(*first)
    tab.press("next-page")
    tab.expect_buttons(*rows(customers, 4, 5, 6, 7, 8))
    tab.press("previous-page")
    tab.expect_buttons(*first)


def test_a_row_edited_in_place_has_its_button_again_with_the_new_number(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    screens = open_screens(office.first)
    tab = screens.open_list()
    tab.press("next-page")
    tab.expect_buttons(*rows(customers, 4, 5, 6, 7, 8))
    row = tab.page.get_by_test_id("row").first
    row.get_by_test_id("inline-edit").click()
    tab.expect_buttons(*rows(customers, 5, 6, 7, 8))
    row.get_by_test_id("input-電話番号").fill("０４５ー５５５ー０１９９")
    row.get_by_test_id("inline-save").click()
    record = customers.rest[3]
    tab.expect_buttons(("045-555-0199", record), *rows(customers, 5, 6, 7, 8))
    assert screens.company.people.record(record.split(":")[1])["電話番号_正規化"] == "+81455550199"
    screens.company.people.change(record.split(":")[1], 電話番号="045-555-0104", 電話番号_正規化="")


def test_a_record_has_its_buttons_once_over_turning_editing_and_saving(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    screens = open_screens(office.first)
    tab = screens.open_record(customers.rest[0])
    tab.expect_buttons(*rows(customers, 1))
    tab.press("next")
    tab.expect_shown("detail 4")
    tab.expect_buttons(*rows(customers, 2))
    tab.press("edit")
    tab.expect_shown("edit 4")
    tab.expect_buttons()
    tab.press("cancel")
    tab.expect_buttons(*rows(customers, 2))
    tab.press("edit")
    tab.press("save")
    tab.expect_shown("detail 4")
    tab.expect_buttons(*rows(customers, 2))


def test_fields_that_kintone_draws_late_get_their_buttons_then(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    tab = open_screens(office.first).open_record(customers.rest[1], late=700)
    expect(tab.buttons).to_have_count(0)
    tab.expect_buttons(*rows(customers, 2))


def test_a_telephone_link_keeps_kintones_link_and_gets_a_button_beside_it(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    tab = open_screens(office.first).open_record(customers.firm)
    tab.expect_buttons(("052-123-4567", customers.firm))
    expect(tab.field("代表電話").locator("a")).to_have_attribute("href", "tel:052-123-4567")


def test_a_click_dials_and_the_log_lands_on_the_record(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    screens = open_screens(office.first)
    tab = screens.open_list()
    tab.expect_live()
    tab.page.get_by_test_id("row").nth(1).locator("cti-dial").click()
    tab.expect_phase("ringing")
    expect(tab.card.get_by_test_id("contact")).to_contain_text("大野 健一")
    expect(tab.page).to_have_url(screens.address(""))

    root = screens.demo.simulator.wait_for(
        lambda: next(iter(screens.demo.simulator.legs(to=office.first.phone, status="ringing")), None),
        what="the agent's own telephone to ring",
    )
    screens.demo.simulator.answer(root)
    customer = screens.demo.simulator.call(root.sid).leg_to("+81312345678")
    screens.demo.simulator.answer(customer)
    tab.expect_phase("talking")
    screens.demo.simulator.hang_up(customer)
    wrap_up(tab, "発信ボタンからの通話")
    log = kept(screens.company.calls.records(), "発信ボタンからの通話")
    assert log["顧客"] == customers.ono
    assert log["種別"] == "発信"


def test_on_a_phone_lists_and_records_have_their_buttons_too(
    open_screens: OpenScreens, office: Office, customers: Customers
) -> None:
    screens = open_screens(office.first, mobile=True)
    tab = screens.open_list()
    tab.expect_buttons(("080-1234-1101", customers.aoki), ("03-1234-5678", customers.ono), *rows(customers, 1, 2, 3))
    tab.page.get_by_test_id("row").nth(2).get_by_test_id("open").click()
    tab.expect_shown("detail 3")
    tab.expect_buttons(*rows(customers, 1))
    tab.press("next")
    tab.expect_buttons(*rows(customers, 2))


def test_a_new_record_is_saved_with_its_number_in_the_normalised_field(
    open_screens: OpenScreens, office: Office
) -> None:
    for mobile in (False, True):
        screens = open_screens(office.first, mobile=mobile)
        tab = screens.open_list()
        tab.press("create")
        tab.expect_shown("create")
        tab.input("氏名").fill("新田 さくら")
        tab.input("電話番号").fill("（０９０）９９９９－０００１")
        tab.press("save")
        expect(tab.page.get_by_test_id("record-heading")).to_be_visible()
        saved = screens.company.people.records()[-1]
        assert (saved["電話番号"], saved["電話番号_正規化"]) == ("（０９０）９９９９－０００１", UNKNOWN)
        screens.company.people.delete(saved["$id"])


def wrap_up(tab: Tab, note: str) -> None:
    tab.expect_phase("wrapping_up")
    tab.card.get_by_test_id("note").fill(note)
    tab.card.get_by_test_id("disposition").select_option("resolved")
    tab.card.get_by_test_id("complete").click()
    expect(tab.card.get_by_test_id("log")).to_have_attribute("data-state", "delivered")


def kept(records: list[dict[str, str]], note: str) -> dict[str, str]:
    """The one log with this note."""
    found = [record for record in records if note in record["メモ"]]
    assert len(found) == 1, f"{len(found)} logs say {note}"
    return found[0]
