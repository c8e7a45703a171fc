"""What an agent and the outside world do, as the tests say it: the demo page with the widget in its frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect

from cti_bridge.demo.office import PASSWORD, DemoAgent, DemoLine
from cti_bridge.demo.run import Demo

AOKI = "+818012341101"
"""青木 ことの: one record alone holds this number."""

YAMAMOTO = "+81450000210"
"""The Yamamotos' home: two records."""

SWITCHBOARD = "+81320000110"
"""はやぶさ製作所: a company and four people."""


@dataclass(frozen=True)
class Office:
    """One test's line and the agents that it rings."""

    line: DemoLine
    first: DemoAgent
    second: DemoAgent

    @property
    def agents(self) -> tuple[DemoAgent, DemoAgent]:
        return self.first, self.second


class Desk:
    """One browser tab: the CRM's page, the panel in it, and the outside world beside it."""

    def __init__(self, page: Page, demo: Demo) -> None:
        self.page = page
        self.demo = demo
        self.panel: FrameLocator = page.frame_locator("[data-cti-bridge] iframe")

    @classmethod
    def open(cls, context: BrowserContext, demo: Demo, language: str = "ja") -> Self:
        page = context.new_page()
        desk = cls(page, demo)
        page.goto(f"{demo.url}/?lang={language}")
        expect(page.get_by_test_id("record-name")).to_be_visible()
        return desk

    # ── the agent ───────────────────────────────────────────────────────────────────────────────────────────────────

    def sign_in(self, agent: DemoAgent) -> None:
        self.panel.get_by_test_id("email").fill(agent.email)
        self.panel.get_by_test_id("password").fill(PASSWORD)
        self.panel.get_by_test_id("sign-in-submit").click()
        self.expect_live()

    def expect_live(self) -> None:
        """Signed in, the socket open, the snapshot here."""
        expect(self.panel.get_by_test_id("panel")).to_have_attribute("data-connection", "live")
        expect(self.panel.get_by_test_id("presence")).to_be_attached()

    @property
    def card(self) -> Locator:
        return self.panel.get_by_test_id("card")

    def expect_phase(self, phase: str) -> None:
        """There is one card, and it is in this phase."""
        expect(self.card).to_have_count(1)
        expect(self.card).to_have_attribute("data-phase", phase)

    @property
    def contact(self) -> Locator:
        return self.card.get_by_test_id("contact")

    def expect_contact(self, name: str, *, how: str) -> None:
        expect(self.contact).to_contain_text(name)
        expect(self.contact).to_have_attribute("data-how", how)

    def write(self, note: str, disposition: str = "resolved") -> None:
        self.card.get_by_test_id("note").fill(note)
        self.card.get_by_test_id("disposition").select_option(disposition)

    def complete(self) -> None:
        self.card.get_by_test_id("complete").click()

    def expect_delivered(self) -> None:
        expect(self.card.get_by_test_id("log")).to_have_attribute("data-state", "delivered")

    def wrap_up(self, note: str, disposition: str = "resolved") -> None:
        """Write, complete, see the log arrive, put the card away."""
        self.expect_phase("wrapping_up")
        self.write(note, disposition)
        self.complete()
        self.expect_delivered()
        self.card.get_by_test_id("dismiss").click()
        expect(self.card).to_have_count(0)

    # ── the outside world, through the page ─────────────────────────────────────────────────────────────────────────

    def call_in(self, line: DemoLine, caller: str) -> None:
        """Choose a caller of the list (``withheld`` too), or type the number when the list has it not."""
        choices = self.page.get_by_test_id("caller")
        if choices.locator(f'option[value="{caller}"]').count():
            choices.select_option(caller)
        else:
            choices.select_option("typed")
            self.page.get_by_test_id("number").fill(caller)
        self.page.get_by_test_id("line").select_option(line.number)
        self.page.get_by_test_id("call-in").click()

    def play_trick(self, trick: str) -> None:
        """Have webhooks misbehave from now on, as one of the page's tricks says."""
        self.page.get_by_test_id(f"trick-{trick}").check()
        self.demo.simulator.wait_for(self.demo.simulator.courier.rules, what=f"the trick {trick}")

    def leg(self, who: str) -> Locator:
        """A telephone that takes part in a call that is not over: an agent's number, or the caller's as it is shown."""
        return self.page.locator(f'[data-test="calls"] > article [data-test="leg"][data-who="{who}"]')

    def act(self, who: str, action: str) -> None:
        self.leg(who).get_by_test_id(f"leg-{action}").click()

    def answer(self, agent: DemoAgent) -> None:
        self.act(agent.phone, "answer")

    def hang_up(self, who: str) -> None:
        self.act(who, "hangup")

    # ── the CRM ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def logs(self, note: str) -> Locator:
        """The CRM's call logs with this note."""
        return self.page.get_by_test_id("crm-log").filter(has_text=note)

    def expect_log(self, note: str, *, customer: str, disposition: str = "対応完了") -> None:
        """Exactly one log with this note is in the CRM, under this customer."""
        self.page.get_by_test_id("view-logs").click()
        log = self.logs(note)
        expect(log).to_have_count(1)
        expect(log.get_by_test_id("log-customer")).to_have_text(customer)
        expect(log.get_by_test_id("log-disposition")).to_have_text(disposition)

    def open_record(self, name: str) -> None:
        self.page.get_by_test_id("view-customers").click()
        self.page.get_by_test_id("crm-search").fill(name)
        self.page.get_by_test_id("crm-list").get_by_role("link", name=name).first.click()
        expect(self.page.get_by_test_id("record-name")).to_have_text(name)


def wait_until(page: Page, ready: Callable[[], bool]) -> None:
    """Wait for something that Python sees, letting the browser go on meanwhile."""
    for _ in range(200):
        if ready():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it never came to this")
