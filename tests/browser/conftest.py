"""A real browser before the whole demo: bridge under gunicorn, simulated network, demo page. Started once per session.

Every test gets a line and agents of its own (``office``), so that no test sees another's calls. Without a browser the
tests are skipped; with CTI_NOTHING_SKIPPED=1 they fail instead.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, Error, Playwright, expect, sync_playwright
from sqlalchemy import delete

from cti_bridge.demo.office import DemoAgent, DemoLine, add_office
from cti_bridge.demo.run import CannotRun, Demo
from cti_bridge.demo.weather import Weather
from cti_bridge.simulator import NotPossible
from cti_bridge.store.numbers import number_index, picks
from tests.browser.desk import Desk, Office

ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PLACES = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
MEND = "Install Chromium (apt-get install chromium, or playwright install chromium) or name it in CTI_CHROMIUM."
PATIENCE = 10_000
OFFICES = 60
WIDE = (1440, 900)

OpenDesk = Callable[..., Desk]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        started.selectors.set_test_id_attribute("data-test")
        expect.set_options(timeout=PATIENCE)
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium: the one in CTI_CHROMIUM, of the system, or Playwright's own."""
    found = installed_browser(playwright)
    if found is None:
        without_browser(f"There is no browser. {MEND}")
    try:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
    except Error as problem:
        without_browser(f"{found} does not start ({problem.message.splitlines()[0]}). {MEND}")
    with closing(browser):
        yield browser


def installed_browser(playwright: Playwright) -> str | None:
    """Where a Chromium is, if anywhere."""
    wished = (os.environ.get("CTI_CHROMIUM"), *PLACES, playwright.chromium.executable_path)
    return next((place for place in wished if place and Path(place).exists()), None)


def without_browser(reason: str) -> NoReturn:
    """Skip, or fail where nothing may be skipped."""
    if os.environ.get("CTI_NOTHING_SKIPPED") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


OFFICE_LIST = [
    Office(
        DemoLine(
            f"+8150000{number:03}10",
            f"試験線{number}",
            "お電話ありがとうございます。試験でございます。",
            "ja",
            (f"ja{number}@test.example", f"en{number}@test.example"),
        ),
        DemoAgent(f"担当{number}", f"ja{number}@test.example", "ja", f"+8150000{number:03}11"),
        DemoAgent(f"Agent{number}", f"en{number}@test.example", "en", f"+8150000{number:03}12"),
    )
    for number in range(OFFICES)
]


@pytest.fixture(scope="session")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The whole demo on free ports, with all the tests' offices. Not started when there is no browser."""
    port, demo_port = free_ports(2)
    demo = Demo(port, demo_port, tmp_path_factory.mktemp("demo"), settings={"CTI_LOOKUP_DEADLINE_SECONDS": "4"})
    try:
        demo.prepare()
    except CannotRun as problem:
        pytest.fail(str(problem), pytrace=False)
    add_office(
        demo.database,
        demo.secrets,
        tuple(agent for office in OFFICE_LIST for agent in office.agents),
        tuple(office.line for office in OFFICE_LIST),
    )
    with demo:
        yield demo


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses at this moment."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@pytest.fixture(scope="session")
def offices() -> Iterator[Office]:
    return iter(OFFICE_LIST)


@pytest.fixture
def office(offices: Iterator[Office]) -> Office:
    """A line that no other test uses, and the two agents it rings: the first reads Japanese, the second English."""
    return next(offices)


@pytest.fixture
def open_desk(demo: Demo, browser: Browser) -> Iterator[OpenDesk]:
    """Opens the demo page in a browser profile of its own and signs an agent in: ``open_desk(office.first)``."""
    with ExitStack() as stack:

        def open_one(agent: DemoAgent | None = None, *, language: str = "ja", size: tuple[int, int] = WIDE) -> Desk:
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                locale="ja-JP" if language == "ja" else "en-GB",
                timezone_id="Asia/Tokyo",
                reduced_motion="reduce",
            )
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE)
            desk = Desk.open(context, demo, language)
            if agent is not None:
                desk.sign_in(agent)
            return desk

        yield open_one


@pytest.fixture(autouse=True)
def put_right(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test upset is put right again, and what was learned of numbers forgotten."""
    yield
    if "demo" in request.fixturenames:
        demo: Demo = request.getfixturevalue("demo")
        demo.weather.set(Weather())
        demo.simulator.forgive()
        demo.simulator.release("given")
        for leg in demo.simulator.legs():
            with suppress(NotPossible):
                demo.simulator.hang_up(leg)
        with demo.database.transaction() as connection:
            connection.execute(delete(picks))
            connection.execute(delete(number_index))
