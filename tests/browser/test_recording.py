"""A recording is played from the link in its call log: in both languages, wide and narrow, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Literal

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect

from cti_bridge.demo.office import PASSWORD, DemoAgent
from cti_bridge.demo.run import Demo
from cti_bridge.simulator.model import Callback
from tests.browser.conftest import PATIENCE
from tests.browser.desk import AOKI, Office
from tests.browser.test_accessibility import AXE, findings

SECONDS = 8
OpenContext = Callable[..., BrowserContext]


@pytest.fixture
def open_context(browser: Browser) -> Iterator[OpenContext]:
    """A browser profile of its own: ``open_context("ja", size=(320, 700), colours="dark")``."""
    with ExitStack() as stack:

        def open_one(
            language: str, *, size: tuple[int, int] = (1280, 800), colours: Literal["light", "dark"] = "light"
        ) -> BrowserContext:
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                locale="ja-JP" if language == "ja" else "en-GB",
                timezone_id="Asia/Tokyo",
                color_scheme=colours,
                reduced_motion="reduce",
            )
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE)
            return context

        yield open_one


def recorded_call(demo: Demo, office: Office, agent: DemoAgent) -> str:
    """The agent has talked with Aoki for eight seconds, and it was recorded. The link that the call log carries."""
    twilio = demo.simulator
    call = twilio.call_in(AOKI, office.line.number)
    twilio.answer(call.leg_to(agent.phone))
    told_to = f"{demo.bridge_url}/twilio/recording?call={call.sid}"
    recording = twilio.network.start_recording(
        call.leg, "DialVerb", 2, Callback(told_to, "POST", frozenset({"completed"}))
    )
    call.hang_up()
    call.wait_until_over()
    twilio.network.stop_recording(recording, SECONDS)
    twilio.wait_until_delivered()
    return f"{demo.bridge_url}/widgets/recording?id={recording.sid}"


def sign_in(page: Page, agent: DemoAgent) -> None:
    page.get_by_test_id("email").fill(agent.email)
    page.get_by_test_id("password").fill(PASSWORD)
    page.get_by_test_id("sign-in-submit").click()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_link_of_a_call_log_plays_the_call(
    demo: Demo, office: Office, open_context: OpenContext, language: str
) -> None:
    agent = office.first if language == "ja" else office.second
    words = {
        "ja": ("サインインすると録音を聞けます。", "再生", "一時停止", "0:08のうち0:05"),
        "en": ("Sign in to listen to the recording.", "Play", "Pause", "0:05 of 0:08"),
    }[language]
    link = recorded_call(demo, office, agent)
    page = open_context(language).new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(f"{said.text} {said.location['url']}"))
    page.goto(link)
    expect(page.get_by_test_id("sign-in")).to_contain_text(words[0])
    sign_in(page, agent)

    facts = page.get_by_test_id("facts")
    expect(facts).to_contain_text("青木 ことの")
    expect(facts).to_contain_text(office.line.name)
    expect(page.get_by_test_id("agent")).to_have_text(agent.name)
    time = page.get_by_test_id("time")
    expect(time).to_have_text("0:00 / 0:08")
    expect(page.get_by_test_id("play")).to_have_text(words[1])
    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("play")).to_have_text(words[2])
    expect(time).to_have_text("0:01 / 0:08")  # it really plays

    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("play")).to_have_text(words[1])
    page.get_by_test_id("position").fill("0")
    page.get_by_test_id("position").blur()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("position")).to_have_attribute("aria-valuetext", words[3])
    page.get_by_test_id("speed").select_option("2")
    page.get_by_test_id("speed").blur()
    page.keyboard.press("Space")
    expect(time).to_have_text("0:08 / 0:08")
    expect(page.get_by_test_id("play")).to_have_text(words[1])

    foreign = [url for url in asked if not url.startswith((f"{demo.bridge_url}/", "blob:", "data:"))]
    assert foreign == [], "the provider's address must never reach the browser"
    assert [one for one in complaints if not one.endswith("/favicon.ico")] == []


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), (320, 700)], ids=["wide", "narrow"])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    demo: Demo,
    office: Office,
    open_context: OpenContext,
    language: str,
    colours: Literal["light", "dark"],
    size: tuple[int, int],
) -> None:
    agent = office.first if language == "ja" else office.second
    page = open_context(language, size=size, colours=colours).new_page()
    page.goto(recorded_call(demo, office, agent))
    expect(page.get_by_test_id("sign-in")).to_be_visible()
    page.evaluate(AXE.read_text("utf-8"))
    assert findings([page.main_frame]) == []
    sign_in(page, agent)
    expect(page.get_by_test_id("time")).to_have_text("0:00 / 0:08")
    assert findings([page.main_frame]) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate("document.documentElement.lang") == language


def test_who_is_signed_in_at_the_panel_need_not_sign_in_again(
    demo: Demo, office: Office, open_context: OpenContext
) -> None:
    link = recorded_call(demo, office, office.first)
    context = open_context("ja")
    panel = context.new_page()
    panel.goto(f"{demo.bridge_url}/widgets/panel")
    sign_in(panel, office.first)
    expect(panel.get_by_test_id("panel")).to_have_attribute("data-connection", "live")
    page = context.new_page()
    page.goto(link)
    expect(page.get_by_test_id("player")).to_be_visible()


def test_what_cannot_be_played_is_told_and_tried_again(
    demo: Demo, office: Office, offices: Iterator[Office], open_context: OpenContext
) -> None:
    link = recorded_call(demo, office, office.first)
    stranger = next(offices).first
    page = open_context("ja").new_page()
    page.goto(link)
    sign_in(page, stranger)
    expect(page.get_by_test_id("trouble")).to_contain_text("この録音は再生できません")
    expect(page.get_by_test_id("facts")).to_have_count(0)

    page = open_context("en").new_page()
    page.goto(link)
    demo.simulator.refuse(20500, "Internal Server Error", 500)
    sign_in(page, office.second)
    expect(page.get_by_test_id("trouble")).to_contain_text("cannot be played just now")
    page.get_by_test_id("again").click()
    expect(page.get_by_test_id("player")).to_be_visible()

    recording_id = link.rsplit("=", 1)[1]
    secrets = demo.secrets
    url = f"{demo.url}/2010-04-01/Accounts/{secrets.account_sid}/Recordings/{recording_id}.json"
    assert requests.delete(url, auth=(secrets.account_sid, secrets.auth_token), timeout=5).status_code == 204
    page.reload()
    expect(page.get_by_test_id("trouble")).to_contain_text("no longer exists")
    expect(page.get_by_test_id("again")).to_have_count(0)
    page.goto(link[:-1])
    expect(page.get_by_test_id("trouble")).to_contain_text("This link is not complete")


def test_strangers_may_not_frame_the_page(demo: Demo, office: Office) -> None:
    answer = requests.get(f"{demo.bridge_url}/widgets/recording?id=x", timeout=5)
    rules = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert rules["frame-ancestors"] == f"'self' {demo.url}"
    assert rules["media-src"] == "'self' blob:"
    panel = requests.get(f"{demo.bridge_url}/widgets/panel", timeout=5).headers["Content-Security-Policy"]
    assert "blob:" not in panel
    assert office.line.number not in answer.text
