"""The demo with Salesforce as its CRM: a fake org, its Lightning page with the softphone in it, the bridge, a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, BrowserContext

from cti_bridge.demo.office import DemoAgent, DemoLine, add_office
from cti_bridge.demo.run import CannotRun, Demo
from tests.browser.conftest import PATIENCE, free_ports
from tests.browser.desk import Office
from tests.browser.salesforce.screen import People, Screen
from tests.fakes.lightning import Lightning
from tests.fakes.salesforce import FakeOrg

OFFICES = 30
WIDE = (1440, 900)

OpenScreen = Callable[..., Screen]

OFFICE_LIST = [
    Office(
        DemoLine(
            f"+8150001{number:03}10",
            f"受付{number}",
            "お電話ありがとうございます。試験でございます。",
            "ja",
            (f"sf-ja{number}@test.example", f"sf-en{number}@test.example"),
        ),
        DemoAgent(f"担当{number}", f"sf-ja{number}@test.example", "ja", f"+8150001{number:03}11"),
        DemoAgent(f"Agent{number}", f"sf-en{number}@test.example", "en", f"+8150001{number:03}12"),
    )
    for number in range(OFFICES)
]


@pytest.fixture(scope="session")
def org(browser: Browser) -> Iterator[FakeOrg]:
    """The fake org with the customers of ``People``. Not started when there is no browser."""
    with FakeOrg() as org:
        org.connected_app("key", secret="secret")
        yield org


@pytest.fixture(scope="session")
def people(org: FakeOrg) -> People:
    return People.put_into(org)


@pytest.fixture(scope="session")
def lightning(org: FakeOrg) -> Iterator[Lightning]:
    with Lightning(org) as lightning:
        yield lightning


@pytest.fixture(scope="session")
def demo(
    lightning: Lightning, people: People, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo]:
    """The demo, but its bridge works with the fake org and lets the fake Lightning hold the panel."""
    port, demo_port = free_ports(2)
    settings = {
        "CTI_CONNECTOR": "salesforce",
        "CTI_EMBED_ORIGINS": lightning.url,
        "SALESFORCE_MY_DOMAIN": "acme",
        "SALESFORCE_CONSUMER_KEY": "key",
        "SALESFORCE_CONSUMER_SECRET": "secret",
        "SALESFORCE_INSTANCE_URL": lightning.org_url,
    }
    demo = Demo(port, demo_port, tmp_path_factory.mktemp("salesforce"), settings=settings)
    try:
        demo.prepare()
    except CannotRun as problem:
        pytest.fail(str(problem), pytrace=False)
    agents = tuple(agent for office in OFFICE_LIST for agent in office.agents)
    add_office(demo.database, demo.secrets, agents, tuple(office.line for office in OFFICE_LIST))
    lightning.adapter = f"{demo.bridge_url}/widgets/salesforce"
    with demo:
        yield demo


@pytest.fixture(scope="session")
def offices() -> Iterator[Office]:
    return iter(OFFICE_LIST)


@pytest.fixture
def new_browser(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A browser profile of its own: ``new_browser("en", (400, 800))``."""
    with ExitStack() as stack:

        def new(language: str = "ja", size: tuple[int, int] = WIDE) -> BrowserContext:
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                locale="ja-JP" if language == "ja" else "en-GB",
                timezone_id="Asia/Tokyo",
                reduced_motion="reduce",
            )
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE)
            return context

        yield new


@pytest.fixture
def open_screen(demo: Demo, lightning: Lightning, new_browser: Callable[..., BrowserContext]) -> OpenScreen:
    """Opens Salesforce with the softphone and signs the agent in: ``open_screen(office.first)``."""

    def open_one(agent: DemoAgent | None = None, *, language: str = "ja", **asked: str) -> Screen:
        screen = Screen.open(new_browser(language), demo, lightning, language=language, **asked)
        if agent is not None:
            screen.sign_in(agent)
        return screen

    return open_one
