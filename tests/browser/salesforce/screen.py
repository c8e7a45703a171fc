"""What an agent does in Salesforce, as the tests say it: Lightning's page with the softphone in its utility bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect

from cti_bridge.demo.office import PASSWORD, DemoAgent
from cti_bridge.demo.run import Demo
from cti_bridge.simulator.simulator import SimulatedCall
from tests.browser.desk import Office
from tests.fakes.lightning import Lightning
from tests.fakes.salesforce import FakeOrg

AOKI = "+818012341101"
YAMAMOTO = "+81450000210"
NOBODY = "+819099990001"
NOBODY_ELSE = "+819099990002"


@dataclass(frozen=True)
class People:
    """The org's customers: ids by who they are. 青木 alone has her number, the two 山本 share theirs."""

    aoki: str
    sakura: str
    daisuke: str
    case: str

    @classmethod
    def put_into(cls, org: FakeOrg) -> Self:
        cafe = org.insert("Account", Name="合同会社ことのは珈琲")
        aoki = org.insert("Contact", LastName="青木", FirstName="ことの", MobilePhone="080-1234-1101", AccountId=cafe)
        sakura = org.insert("Contact", LastName="山本", FirstName="さくら", Phone="045-000-0210")
        daisuke = org.insert("Contact", LastName="山本", FirstName="大輔", Phone="045-000-0210")
        case = org.insert("Case", Subject="フィルターの返品", ContactId=aoki)
        return cls(aoki, sakura, daisuke, case)


class Screen:
    """One browser tab with Salesforce in it."""

    def __init__(self, page: Page, demo: Demo, surface: str) -> None:
        self.page = page
        self.surface = surface
        self.demo = demo
        self.panel: FrameLocator = page.frame_locator('[data-test="softphone"]')

    @classmethod
    def open(
        cls, context: BrowserContext, demo: Demo, lightning: Lightning, *, surface: str = "open-cti", **asked: str
    ) -> Self:
        """``asked`` goes to the fake page: ``language``, ``width`` of the softphone, ``plain`` for a frame that is none."""
        screen = cls(context.new_page(), demo, surface)
        screen.page.goto(f"{lightning.url}/lightning/page/home?{urlencode(asked)}")
        return screen

    # ── the agent ───────────────────────────────────────────────────────────────────────────────────────────────────

    def sign_in(self, agent: DemoAgent) -> None:
        self.open_phone()
        self.panel.get_by_test_id("email").fill(agent.email)
        self.panel.get_by_test_id("password").fill(PASSWORD)
        self.panel.get_by_test_id("sign-in-submit").click()
        self.expect_live()

    def open_phone(self) -> None:
        if self.phone.get_attribute("data-visible") == "false":
            self.page.get_by_test_id("utility-item").click()

    def close_phone(self) -> None:
        self.page.get_by_test_id("utility-item").click()
        expect(self.phone).to_have_attribute("data-visible", "false")

    def expect_live(self) -> None:
        expect(self.panel.get_by_test_id("panel")).to_have_attribute("data-connection", "live")
        expect(self.panel.get_by_test_id("presence")).to_be_attached()
        expect(self.panel.locator("html")).to_have_attribute("data-surface", self.surface)

    @property
    def phone(self) -> Locator:
        return self.page.get_by_test_id("phone")

    @property
    def card(self) -> Locator:
        return self.panel.get_by_test_id("card")

    def expect_phase(self, phase: str) -> None:
        expect(self.card).to_have_count(1)
        expect(self.card).to_have_attribute("data-phase", phase)

    def wrap_up(self, note: str) -> None:
        self.expect_phase("wrapping_up")
        self.card.get_by_test_id("note").fill(note)
        self.card.get_by_test_id("disposition").select_option("resolved")
        self.card.get_by_test_id("complete").click()
        expect(self.card.get_by_test_id("log")).to_have_attribute("data-state", "delivered")

    # ── Salesforce ──────────────────────────────────────────────────────────────────────────────────────────────────

    def go_to(self, record_id: str) -> None:
        """The agent opens a record by a link of Salesforce's."""
        self.page.locator(f'[data-test="go"][data-record="{record_id}"]').click()
        self.expect_record(record_id)

    def expect_record(self, record_id: str) -> None:
        expect(self.page.get_by_test_id("view")).to_have_attribute("data-record", record_id)

    @property
    def activities(self) -> Locator:
        return self.page.get_by_test_id("activity")

    def asked(self, method: str) -> list[dict[str, Any]]:
        """The arguments of every call of this Open CTI method so far."""
        happened: list[dict[str, Any]] = self.page.evaluate("window.happened")
        return [one["argument"] for one in happened if one["method"] == method]

    def pops(self) -> list[tuple[str, dict[str, Any]]]:
        return [(one["type"], one["params"]) for one in self.asked("screenPop")]

    # ── the telephone ───────────────────────────────────────────────────────────────────────────────────────────────

    def call_in(self, office: Office, caller: str) -> SimulatedCall:
        return self.demo.simulator.call_in(caller, office.line.number)

    def answer(self, call: SimulatedCall, agent: DemoAgent) -> None:
        self.demo.simulator.answer(call.leg_to(agent.phone))
        self.expect_phase("talking")
