"""axe finds nothing in the demo page and the panel: both languages, wide and narrow, idle, ringing and talking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.browser.conftest import OpenDesk
from tests.browser.desk import YAMAMOTO, Office

AXE = Path(__file__).parents[2] / "widgets/node_modules/axe-core/axe.min.js"
RUN = "() => axe.run(document, {resultTypes: ['violations'], iframes: false})"


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("size", [(1280, 800), (320, 700)], ids=["wide", "narrow"])
def test_axe_finds_nothing(open_desk: OpenDesk, office: Office, language: str, size: tuple[int, int]) -> None:
    if not AXE.exists():
        pytest.fail("axe-core is not here. Get it with: make widgets", pytrace=False)
    agent = office.first if language == "ja" else office.second
    desk = open_desk(language=language, size=size)
    if size[0] < 1000:
        desk.page.get_by_test_id("dock-phone").click()
    axe = load_axe(desk.page)
    assert findings(axe) == []  # the sign-in form
    desk.sign_in(agent)
    assert findings(axe) == []  # idle
    desk.demo.simulator.call_in(YAMAMOTO, office.line.number)
    expect(desk.card.get_by_test_id("pick")).to_have_count(2)
    assert findings(axe) == []  # ringing, many matches
    desk.card.get_by_test_id("pick").first.click()
    call = desk.demo.simulator.legs(to=agent.phone)[-1]
    desk.demo.simulator.answer(call)
    desk.expect_phase("talking")
    expect(desk.leg(agent.phone)).to_have_attribute("data-status", "in-progress")
    assert findings(axe) == []  # talking
    desk.demo.simulator.hang_up(call)
    desk.expect_phase("wrapping_up")
    desk.complete()
    desk.expect_delivered()
    desk.page.get_by_test_id("view-logs").evaluate("button => button.click()")
    expect(desk.page.get_by_test_id("crm-log").first).to_be_visible()
    assert findings(axe) == []  # completed, the CRM's logs


@pytest.mark.parametrize("language", ["ja", "en"])
def test_nothing_is_wider_than_a_narrow_screen(open_desk: OpenDesk, office: Office, language: str) -> None:
    desk = open_desk(language=language, size=(320, 700))
    desk.demo.simulator.call_in(YAMAMOTO, office.line.number)
    expect(desk.leg(office.first.phone)).to_be_visible()
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= 320


def load_axe(page: Page) -> list[Frame]:
    """The page's and the panel's documents with axe in them; each is looked at by itself."""
    text = AXE.read_text("utf-8")
    frames = [page.main_frame, next(frame for frame in page.frames if "/widgets/panel" in frame.url)]
    for frame in frames:
        frame.evaluate(text)
    return frames


def findings(frames: list[Frame]) -> list[str]:
    """What axe complains about, in a form that says where."""
    found: list[dict[str, Any]] = []
    for frame in frames:
        result = frame.evaluate(RUN)
        assert result["passes"], "axe looked at nothing"
        found += result["violations"]
    return [f"{one['id']}: {one['help']} at {[node['target'] for node in one['nodes']][:3]}" for one in found]
