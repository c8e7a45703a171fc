"""What an agent does in kintone, as the tests say it: an app's screens with the plug-in's panel docked on them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Self

from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from cti_bridge.demo.office import PASSWORD, DemoAgent
from cti_bridge.demo.run import Demo
from cti_bridge.simulator.simulator import SimulatedCall
from tests.browser.desk import Office
from tests.connectors.kintone.company import KintoneCompany
from tests.fakes.kintone_pages import KintonePages

WIDE = (1440, 900)
PHONE = (390, 780)
AOKI = "+818012341101"
ONO = "+81312345678"
UNKNOWN = "+819099990001"


@dataclass(frozen=True)
class Customers:
    """The domain's customers: their names as the bridge says them (``"1:1"``), in the order of the list's rows."""

    aoki: str
    ono: str
    rest: tuple[str, ...]
    firm: str

    @classmethod
    def put_into(cls, company: KintoneCompany) -> Self:
        aoki = company.keep_person("青木 ことの", "", "080-1234-1101", company="合同会社ことのは珈琲")
        ono = company.keep_person("大野 健一", "０３－１２３４－５６７８", company="青空商事")
        rest = tuple(company.keep_person(f"試験 {number}", f"045-555-01{number:02}") for number in range(1, 9))
        firm = company.keep_company("はやぶさ製作所", "052-123-4567")
        return cls(aoki, ono, rest, firm)


class Tab:
    """One browser tab: a screen of kintone and the panel on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel: FrameLocator = page.frame_locator("[data-cti-bridge] iframe")

    @property
    def card(self) -> Locator:
        return self.panel.get_by_test_id("card")

    @property
    def question(self) -> Locator:
        """Whether and how the caller's record opens."""
        return self.page.get_by_test_id("open-record")

    @property
    def buttons(self) -> Locator:
        return self.page.locator("main cti-dial")

    @property
    def dock(self) -> Locator:
        return self.page.locator("[data-cti-bridge] .box")

    def open_panel(self) -> None:
        if self.dock.get_attribute("data-open") == "false":
            self.page.get_by_test_id("dock-phone").click()

    def expect_live(self) -> None:
        expect(self.panel.get_by_test_id("panel")).to_have_attribute("data-connection", "live")
        expect(self.panel.get_by_test_id("presence")).to_be_attached()

    def expect_shown(self, what: str) -> None:
        """``list``, ``detail 5``, ``edit 5`` or ``create``: kintone has drawn it and fired its event."""
        expect(self.page.locator("main")).to_have_attribute("data-shown", what)

    def expect_phase(self, phase: str) -> None:
        expect(self.card).to_have_count(1)
        expect(self.card).to_have_attribute("data-phase", phase)

    def expect_buttons(self, *wanted: tuple[str, str]) -> None:
        """Exactly these call buttons stand on the screen: (number, record)."""
        found = "[...document.querySelectorAll('main cti-dial')].map((one) => [one.number, one.record])"
        same = f"(wanted) => JSON.stringify({found}) === JSON.stringify(wanted)"
        listed = [list(one) for one in wanted]
        try:
            self.page.wait_for_function(same, arg=listed)
        except PlaywrightTimeout:
            assert self.page.evaluate(found) == listed

    def choose_way(self, way: str) -> None:
        """``ask``, ``here`` or ``new``: what the agent's browser does from now on."""
        self.open_panel()
        self.page.get_by_test_id("open-settings").click()
        self.page.get_by_test_id("open-way").select_option(way)
        self.page.get_by_test_id("open-close").click()
        expect(self.question).to_have_count(0)

    def field(self, code: str) -> Locator:
        return self.page.get_by_test_id(f"field-{code}")

    def input(self, code: str) -> Locator:
        return self.page.get_by_test_id(f"input-{code}")

    def press(self, name: str) -> None:
        self.page.get_by_test_id(name).click()


class Screens:
    """One agent's browser in kintone."""

    def __init__(
        self,
        context: BrowserContext,
        demo: Demo,
        pages: KintonePages,
        company: KintoneCompany,
        agent: DemoAgent,
        *,
        origin: str,
        mobile: bool,
    ) -> None:
        self.context = context
        self.demo = demo
        self.pages = pages
        self.company = company
        self.agent = agent
        self.origin = origin
        self.mobile = mobile
        self.be(agent.email)

    def be(self, user: str) -> None:
        """Sign in to kintone as this user."""
        self.context.add_cookies([{"name": "kintone-user", "value": user, "url": self.origin}])

    def install(self, secret: str | None, *, bridge: str | None = None) -> None:
        """Set the plug-in up in all apps, as its settings screen does; None: agents sign in themselves."""
        bridge = bridge or self.demo.bridge_url
        apps: dict[int, list[tuple[str, str | None]]] = {
            self.company.people.id: [("電話番号", "電話番号_正規化"), ("携帯電話", None)],
            self.company.companies.id: [("代表電話", None)],
            self.company.cases.id: [],
        }
        for app, phones in apps.items():
            settings = {
                "bridge": bridge,
                "phones": [{"code": code, "normalised": normalised} for code, normalised in phones],
                "title": "氏名" if app == self.company.people.id else "件名",
                "place": "right",
                "vouch": secret is not None,
                "region": "JP",
            }
            installed = self.pages.of_app(app)
            installed.config = {"settings": json.dumps(settings)}
            stored: dict[str, Any] = {"headers": {"X-CTI-Embed-Secret": secret} if secret else {}, "data": {}}
            installed.proxies = {f"POST {bridge}/api/session/ticket": stored}

    # ── where ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def address(self, path: str, app: int | None = None) -> str:
        root = "/k/m" if self.mobile else "/k"
        return f"{self.origin}{root}/{app or self.company.people.id}/{path}"

    def record_address(self, name: str) -> str:
        """``"1:5"`` → where people see record 5 of app 1."""
        app, record = name.split(":")
        return self.address(f"show?record={record}" if self.mobile else f"show#record={record}", int(app))

    def open_list(self, app: int | None = None, *, late: int = 0) -> Tab:
        tab = Tab(self.context.new_page())
        tab.page.goto(self.address(f"?late={late}" if late else "", app))
        tab.expect_shown("list")
        return tab

    def open_record(self, name: str, *, late: int = 0) -> Tab:
        tab = Tab(self.context.new_page())
        address = self.record_address(name)
        if late:
            address = address.replace("show?", f"show?late={late}&").replace("show#", f"show?late={late}#")
        tab.page.goto(address)
        tab.expect_shown(f"detail {name.split(':')[1]}")
        return tab

    def open_settings(self, app: int | None = None) -> Page:
        page = self.context.new_page()
        page.goto(f"{self.origin}/k/admin/app/{app or self.company.people.id}/plugin/config")
        expect(page.get_by_test_id("settings")).to_be_visible()
        return page

    # ── the telephone ───────────────────────────────────────────────────────────────────────────────────────────────

    def call_in(self, office: Office, caller: str) -> SimulatedCall:
        return self.demo.simulator.call_in(caller, office.line.number)

    def answer(self, call: SimulatedCall) -> None:
        self.demo.simulator.answer(call.leg_to(self.agent.phone))

    def hang_up(self, call: SimulatedCall) -> None:
        self.demo.simulator.hang_up(call.leg)

    def sign_in_with_password(self, tab: Tab) -> None:
        tab.open_panel()
        tab.panel.get_by_test_id("email").fill(self.agent.email)
        tab.panel.get_by_test_id("password").fill(PASSWORD)
        tab.panel.get_by_test_id("sign-in-submit").click()
        tab.expect_live()


def shows(name: str) -> re.Pattern[str]:
    """A record's screen, desktop or mobile, by the name the bridge gives the record."""
    app, record = name.split(":")
    return re.compile(rf"/k/(m/{app}/show\?record={record}|{app}/show#record={record})$")
