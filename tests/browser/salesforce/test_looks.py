"""The softphone in Lightning's narrow panel: axe finds nothing, nothing is wider than the panel, in both languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Frame, expect

from tests.browser.desk import Office
from tests.browser.salesforce.conftest import OpenScreen
from tests.browser.salesforce.screen import AOKI, YAMAMOTO, People, Screen
from tests.browser.test_accessibility import AXE, findings


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("width", [360, 480])
def test_every_state_of_the_phone_is_sound_at_the_panels_width(
    open_screen: OpenScreen, office: Office, people: People, language: str, width: int
) -> None:
    agent = office.first if language == "ja" else office.second
    screen = open_screen(agent, language=language, width=str(width))
    frame = softphone(screen)

    def look(state: str) -> None:
        assert findings([frame]) == [], state
        assert frame.evaluate("document.documentElement.scrollWidth") <= width, f"{state} is too wide"

    call = screen.call_in(office, YAMAMOTO)
    expect(screen.panel.get_by_test_id("screen-search")).to_be_visible()
    look("several")
    call.hang_up()
    expect(screen.card).to_have_count(0)
    call = screen.call_in(office, "+819099990003")
    screen.answer(call, agent)
    expect(screen.panel.get_by_test_id("screen-create")).to_be_visible()
    look("nobody")
    call.hang_up()
    screen.wrap_up("…")
    screen.panel.get_by_test_id("dismiss").click()
    call = screen.call_in(office, AOKI)
    screen.answer(call, agent)
    screen.expect_record(people.aoki)
    screen.go_to(people.case)
    expect(screen.panel.get_by_test_id("relate")).to_be_visible()
    look("relate")
    screen.panel.get_by_test_id("relate").click()
    expect(screen.panel.get_by_test_id("related")).to_be_visible()
    look("related")
    call.hang_up()


def softphone(screen: Screen) -> Frame:
    """The softphone's document, with axe in it."""
    if not AXE.exists():
        pytest.fail("axe-core is not here. Get it with: make widgets", pytrace=False)
    frame = next(frame for frame in screen.page.frames if "/widgets/salesforce" in frame.url)
    frame.evaluate(AXE.read_text("utf-8"))
    return frame
