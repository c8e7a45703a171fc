"""The documentation's pictures, taken of a fresh demo: `python -m tests.browser.screenshots` writes docs/images/*.png."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from cti_bridge.demo.office import AGENTS, LINES, PASSWORD, DemoAgent
from cti_bridge.demo.run import CannotRun, Demo
from cti_bridge.model import Language
from tests.browser.conftest import ARGUMENTS, PATIENCE, free_ports, installed_browser
from tests.browser.desk import AOKI, SWITCHBOARD, Desk

IMAGES = Path(__file__).parents[2] / "docs/images"
PANEL = (384, 800)
NARROW = (320, 720)
PAGE = (1440, 900)
AGENT: dict[Language, DemoAgent] = {"ja": AGENTS[0], "en": AGENTS[2]}
LINE: dict[Language, str] = {"ja": LINES[0].number, "en": LINES[1].number}
NOTE: dict[Language, str] = {
    "ja": "北山店の見積もり、今月末までにメールで送付。",
    "en": "Room 4B is still too warm. Confirmed the visit on Tuesday, 18:30.",
}
CALLER_IN_ENGLISH = "+818012341145"


class Photographer:
    """Plays the scenes of the demo and takes a picture of each."""

    def __init__(self, demo: Demo, browser: Browser) -> None:
        self._demo = demo
        self._browser = browser

    def panel(self, language: Language, size: tuple[int, int], agent: DemoAgent) -> Page:
        """The panel in a window of its own, signed in, the sound tested."""
        page = self._page(language, size, scale=2)
        page.goto(f"{self._demo.bridge_url}/widgets/panel?language={language}")
        page.get_by_test_id("email").fill(agent.email)
        page.get_by_test_id("password").fill(PASSWORD)
        page.get_by_test_id("sign-in-submit").click()
        page.get_by_test_id("sound-test").first.click()
        expect(page.get_by_test_id("sound-off")).to_have_count(0)
        return page

    def ring_and_wrap_up(self, language: Language) -> None:
        """A sure match rings; then the same call when the line has dropped and the note is written."""
        agent = AGENT[language]
        page = self.panel(language, PANEL, agent)
        call = self._demo.simulator.call_in(AOKI if language == "ja" else CALLER_IN_ENGLISH, LINE[language])
        expect(page.get_by_test_id("activity")).to_be_visible()
        self._take(page, f"ring-{language}")
        self._demo.simulator.answer(call.leg_to(agent.phone))
        page.get_by_test_id("note").fill(NOTE[language])
        page.get_by_test_id("disposition").select_option("prospect")
        self._demo.simulator.hang_up(call.leg)
        expect(page.get_by_test_id("complete")).to_be_visible()
        page.get_by_test_id("phase").click()  # the cursor leaves the note, which is saved
        expect(page.get_by_test_id("draft-state")).to_have_attribute("data-state", "saved")
        self._take(page, f"wrap-up-{language}")
        page.get_by_test_id("complete").click()
        expect(page.get_by_test_id("log")).to_have_attribute("data-state", "delivered")
        page.context.close()

    def many_matches(self, language: Language) -> None:
        page = self.panel(language, PANEL, AGENT[language])
        call = self._demo.simulator.call_in(SWITCHBOARD, LINE[language])
        expect(page.get_by_test_id("pick")).to_have_count(5)
        self._take(page, f"many-matches-{language}")
        self._demo.simulator.hang_up(call.leg)
        page.context.close()

    def narrow(self, language: Language) -> None:
        page = self.panel(language, NARROW, AGENT[language])
        call = self._demo.simulator.call_in(AOKI if language == "ja" else CALLER_IN_ENGLISH, LINE[language])
        expect(page.get_by_test_id("activity")).to_be_visible()
        self._take(page, f"panel-320-{language}")
        self._demo.simulator.hang_up(call.leg)
        page.context.close()

    def demo_page(self, language: Language) -> None:
        """The whole page while a call rings."""
        page = self._page(language, PAGE, scale=1)
        page.goto(f"{self._demo.url}/?lang={language}")
        desk = Desk(page, self._demo)
        desk.sign_in(AGENT[language])
        desk.panel.get_by_test_id("sound-test").first.click()
        page.get_by_test_id("demo-sign-in").locator("summary").click()
        caller = AOKI if language == "ja" else CALLER_IN_ENGLISH
        page.get_by_test_id("caller").select_option(caller)
        page.get_by_test_id("line").select_option(LINE[language])
        page.get_by_test_id("call-in").click()
        expect(desk.card.get_by_test_id("activity")).to_be_visible()
        expect(desk.leg(AGENT[language].phone).get_by_test_id("leg-answer")).to_be_visible()
        page.get_by_test_id("view-customers").focus()
        self._take(page, f"demo-{language}")
        desk.hang_up(caller)
        page.context.close()

    def _page(self, language: Language, size: tuple[int, int], *, scale: int) -> Page:
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            device_scale_factor=scale,
            locale="ja-JP" if language == "ja" else "en-GB",
            timezone_id="Asia/Tokyo",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE)
        return context.new_page()

    @staticmethod
    def _take(page: Page, name: str) -> None:
        page.mouse.move(0, 0)
        page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")
        print(f"docs/images/{name}.png")


def main() -> int:
    """Take all pictures. Exit status 1 when there is no browser or no demo."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        playwright.selectors.set_test_id_attribute("data-test")
        expect.set_options(timeout=PATIENCE)
        found = installed_browser(playwright)
        if found is None:
            print("There is no browser to take pictures with.", file=sys.stderr)
            return 1
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        stack.callback(browser.close)
        port, demo_port = free_ports(2)
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            demo = stack.enter_context(Demo(port, demo_port, home))
        except CannotRun as problem:
            print(problem, file=sys.stderr)
            return 1
        photographer = Photographer(demo, browser)
        languages: tuple[Language, ...] = ("ja", "en")
        for language in languages:
            photographer.narrow(language)
            photographer.demo_page(language)
            photographer.many_matches(language)
            photographer.ring_and_wrap_up(language)
    return 0


if __name__ == "__main__":
    sys.exit(main())
