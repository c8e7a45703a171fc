"""The demo with kintone as its CRM: a fake domain, its screens with the built plug-in on them, the bridge, a browser."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from cti_bridge.demo.bridge import BridgeProcess
from cti_bridge.demo.office import DemoAgent, DemoLine, add_office, environment, open_database
from cti_bridge.demo.run import CannotRun, Demo
from cti_bridge.store import migrate
from tests.browser.conftest import PATIENCE, free_ports
from tests.browser.desk import Office
from tests.browser.kintone.screens import PHONE, WIDE, Customers, Screens
from tests.connectors.kintone.company import KintoneCompany
from tests.fakes.kintone import FakeDomain
from tests.fakes.kintone_pages import KintonePages, PageUser

ROOT = Path(__file__).parents[3]
SECRET = "the-secret-that-kintone-keeps-0123456789"
OFFICES = 40

OpenScreens = Callable[..., Screens]

OFFICE_LIST = [
    Office(
        DemoLine(
            f"+8150002{number:03}10",
            f"受付{number}",
            "お電話ありがとうございます。試験でございます。",
            "ja",
            (f"kt-ja{number}@test.example", f"kt-en{number}@test.example"),
        ),
        DemoAgent(f"担当{number}", f"kt-ja{number}@test.example", "ja", f"+8150002{number:03}11"),
        DemoAgent(f"Agent{number}", f"kt-en{number}@test.example", "en", f"+8150002{number:03}12"),
    )
    for number in range(OFFICES)
]


EVERYBODY = tuple(agent for office in OFFICE_LIST for agent in office.agents)


@pytest.fixture(scope="session")
def plugin(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plug-in, built and signed as a customer would: the archive's path. Not built when there is no browser."""
    building = building_script()
    node: Path = building.find_node()
    building.install_packages(node)
    made = tmp_path_factory.mktemp("plugin")
    command: list[str | Path] = [
        node / "node",
        "scripts/kintone-plugin.mjs",
        "--key",
        made / "private.ppk",
        "--out",
        made / "plugin.zip",
    ]
    path = f"{node}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run(command, cwd=ROOT / "widgets", check=True, capture_output=True, env={**os.environ, "PATH": path})
    return made / "plugin.zip"


def building_script() -> Any:
    """``scripts/build_widgets.py``, which knows where a Node is."""
    spec = importlib.util.spec_from_file_location("build_widgets", ROOT / "scripts/build_widgets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def company(browser: Browser) -> Iterator[KintoneCompany]:
    with FakeDomain() as domain:
        company = KintoneCompany(domain)
        company.people.set_field("電話番号_正規化", "SINGLE_LINE_TEXT")
        yield company


@pytest.fixture(scope="session")
def customers(company: KintoneCompany) -> Customers:
    return Customers.put_into(company)


@pytest.fixture(scope="session")
def pages(company: KintoneCompany, plugin: Path) -> Iterator[KintonePages]:
    with KintonePages(company.domain, plugin) as pages:
        for office in OFFICE_LIST:
            for agent in office.agents:
                pages.users[agent.email] = PageUser(agent.email, agent.name, agent.email, agent.language)
        yield pages


@pytest.fixture(scope="session")
def demo(
    company: KintoneCompany,
    customers: Customers,
    pages: KintonePages,
    browser: Browser,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Demo]:
    """The demo, but its bridge works with the fake domain and takes kintone's word for who its users are."""
    port, demo_port = free_ports(2)
    settings = {**bridge_settings(company, pages), "CTI_EMBED_SECRET": SECRET}
    demo = Demo(port, demo_port, tmp_path_factory.mktemp("kintone"), settings=settings)
    try:
        demo.prepare()
    except CannotRun as problem:
        pytest.fail(str(problem), pytrace=False)
    add_office(demo.database, demo.secrets, EVERYBODY, tuple(office.line for office in OFFICE_LIST))
    with demo:
        yield demo


def bridge_settings(company: KintoneCompany, pages: KintonePages) -> dict[str, str]:
    return {
        **company.environment,
        "CTI_CONNECTOR": "kintone",
        "KINTONE_BASE_URL": pages.url,
        "CTI_EMBED_ORIGINS": pages.near_url,  # the connector itself allows KINTONE_BASE_URL
    }


@pytest.fixture
def strict_bridge(demo: Demo, company: KintoneCompany, pages: KintonePages, tmp_path: Path) -> Iterator[str]:
    """The address of another bridge with the same agents, without CTI_EMBED_SECRET: it takes nobody's word."""
    with closing(open_database(tmp_path)) as database:
        migrate.upgrade(database)
        add_office(database, demo.secrets, EVERYBODY, tuple(office.line for office in OFFICE_LIST))
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    settings = environment(
        demo.secrets, tmp_path, bridge_url=url, demo_url=demo.url, more=bridge_settings(company, pages)
    )
    bridge = BridgeProcess(port, settings, tmp_path / "bridge.log")
    bridge.start()
    try:
        bridge.wait_until_ready()
        yield url
    finally:
        bridge.stop()


@pytest.fixture(scope="session")
def offices() -> Iterator[Office]:
    return iter(OFFICE_LIST)


@pytest.fixture
def new_browser(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A browser profile of its own: ``new_browser(PHONE, "en")``."""
    with ExitStack() as stack:

        def new(size: tuple[int, int] = WIDE, language: str = "ja", *, touch: bool = False) -> BrowserContext:
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                locale="ja-JP" if language == "ja" else "en-GB",
                timezone_id="Asia/Tokyo",
                reduced_motion="reduce",
                has_touch=touch,
            )
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE)
            return context

        yield new


@pytest.fixture
def open_screens(
    demo: Demo, pages: KintonePages, company: KintoneCompany, new_browser: Callable[..., BrowserContext]
) -> OpenScreens:
    """Opens kintone as an agent, the plug-in set up in all apps: ``open_screens(office.first)``; ``mobile=True`` on a phone.

    This browser refuses storage to the panel as a third party's frame; with ``near=True`` it is none, and has storage.
    """

    def open_one(
        agent: DemoAgent,
        *,
        mobile: bool = False,
        size: tuple[int, int] | None = None,
        vouch: bool = True,
        near: bool = False,
    ) -> Screens:
        context = new_browser(size or (PHONE if mobile else WIDE), agent.language, touch=mobile)
        origin = pages.near_url if near else pages.url
        screens = Screens(context, demo, pages, company, agent, origin=origin, mobile=mobile)
        screens.install(secret=SECRET if vouch else None)
        return screens

    return open_one
