"""The control API that the demo page uses, and the process around it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any

import pytest
import requests

from cti_bridge.simulator import Simulator, serve

from .conftest import HANAKO, LINE, SECOND_LINE, TARO, Bridge, agent, phone, ring


class Page:
    """The demo page's view."""

    def __init__(self, twilio: Simulator) -> None:
        self.url = twilio.url + "/simulator"

    def post(self, path: str, body: Any = None, expect: int = 200) -> Any:
        answer = requests.post(self.url + path, json=body, timeout=5)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def state(self, **query: Any) -> Any:
        return requests.get(self.url + "/state", params=query, timeout=10).json()


@pytest.fixture
def page(twilio: Simulator, bridge: Bridge) -> Page:
    bridge.replies["/incoming"] = ring(agent("agent_3"), phone(HANAKO), answerOnBridge="true", action="/result")
    bridge.replies["/result"] = '<Response><Say language="ja-JP">またどうぞ</Say></Response>'
    return Page(twilio)


def test_a_whole_call_can_be_played_from_the_page(twilio: Simulator, page: Page) -> None:
    call = page.post("/calls", {"from": TARO, "to": LINE}, expect=201)
    assert call["can"] == ["hangup"]
    twilio.call(call["sid"]).leg_to(HANAKO)
    client, number = page.state()["calls"][0]["legs"]
    assert client["can"] == ["answer", "hangup", "busy", "no-answer", "unreachable"]
    assert [leg["who"] for leg in page.state()["ringing"]] == ["client:agent_3", HANAKO]

    assert page.post(f"/legs/{number['sid']}/busy")["status"] == "busy"
    answered = page.post(f"/legs/{client['sid']}/answer")
    assert (answered["status"], answered["connected_to"]) == ("in-progress", TARO)
    assert page.state()["calls"][0]["connected_to"] == "client:agent_3"
    page.post(f"/legs/{client['sid']}/hangup")
    twilio.call(call["sid"]).wait_until_over()

    (shown,) = page.state()["calls"]
    assert (shown["status"], shown["ended"], shown["can"]) == ("completed", True, [])
    assert [(heard["what"], heard["text"], heard["language"]) for heard in shown["heard"]] == [
        ("say", "またどうぞ", "ja-JP")
    ]
    kinds = [(webhook["kind"], webhook["status"]) for webhook in shown["webhooks"]]
    assert ("incoming", 200) in kinds
    assert ("result", 200) in kinds
    assert kinds.count(("status", 204)) == 7
    assert shown["webhooks"][0]["params"] == {"CallStatus": "ringing"}
    whole = requests.get(f"{page.url}/calls/{client['sid']}", timeout=5).json()
    assert whole["sid"] == call["sid"]
    assert whole["webhooks"][0]["params"]["From"] == TARO


def test_a_caller_can_withhold_the_number(page: Page) -> None:
    assert page.post("/calls", {"to": LINE, "withheld": True}, expect=201)["from"] == "+266696687"
    assert page.post("/calls", {"from": TARO, "to": LINE, "withheld": "anonymous"}, expect=201)["from"] == "anonymous"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/calls", {"to": LINE}, 400),
        ("/calls", {"from": 1, "to": LINE}, 400),
        ("/calls", {"from": TARO, "to": LINE, "withheld": "maybe"}, 400),
        ("/calls", [], 400),
        ("/calls", {"from": TARO, "to": HANAKO}, 409),
        ("/legs/CA0/answer", None, 404),
        ("/parties", {"who": HANAKO, "behaviour": "sulk"}, 400),
        ("/misbehave", {"kind": "incoming", "what": "explode"}, 400),
        ("/misbehave", {"kind": "incoming", "what": "twice", "times": "many"}, 400),
        ("/numbers", {"phone_number": SECOND_LINE, "voice_url": "http://example.com/"}, 400),
        ("/numbers", {"phone_number": SECOND_LINE, "colour": "red"}, 400),
        ("/release", {"order": "random"}, 400),
    ],
)
def test_a_wrong_request_is_answered_with_words(page: Page, path: str, body: Any, status: int) -> None:
    assert page.post(path, body, expect=status)["error"]


def test_an_action_that_does_not_fit_is_a_conflict(twilio: Simulator, page: Page) -> None:
    call = page.post("/calls", {"from": TARO, "to": LINE}, expect=201)
    assert "cannot be answered" in page.post(f"/legs/{call['sid']}/answer", expect=409)["error"]
    assert page.post(f"/legs/{call['sid']}/dance", expect=400)["error"]


def test_rules_parties_and_numbers_are_in_the_state(page: Page) -> None:
    rule = page.post("/misbehave", {"kind": "status", "what": "hold", "times": None}, expect=201)
    page.post("/parties", {"who": HANAKO, "behaviour": "answer", "after": 2})
    page.post("/numbers", {"phone_number": SECOND_LINE, "voice_url": "http://127.0.0.1:1/x"})
    state = page.state()
    assert state["rules"] == [rule]
    assert state["parties"] == [{"who": HANAKO, "behaviour": "answer", "after": 2.0, "hang_up_after": None}]
    assert [number["phone_number"] for number in state["numbers"]] == [LINE, SECOND_LINE]
    answer = requests.delete(f"{page.url}/misbehave/{rule['id']}", timeout=5)
    assert answer.json() == {"rules": []}
    assert page.post("/release", {}) == {"released": 0}
    assert page.post("/refuse") == {"refused": True}


def test_a_long_poll_answers_as_soon_as_something_changes(twilio: Simulator, page: Page) -> None:
    version = page.state()["version"]
    timer = threading.Timer(0.05, lambda: twilio.behave(HANAKO, "busy"))
    timer.start()
    assert page.state(after=version, wait=5)["parties"][0]["behaviour"] == "busy"
    timer.join()
    assert page.state(after=page.state()["version"], wait=0.01)["version"] > version


def test_events_are_streamed_with_the_whole_state(twilio: Simulator, page: Page) -> None:
    with requests.get(page.url + "/events", stream=True, timeout=5) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        lines = stream.iter_lines(decode_unicode=True)
        states = (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
        first = next(states)
        twilio.behave(HANAKO, "busy")
        assert next(states)["version"] > first["version"]


def test_only_pages_of_this_machine_may_ask(twilio: Simulator, page: Page) -> None:
    there = {"Origin": "http://localhost:3000"}
    answer = requests.options(page.url + "/calls", headers=there, timeout=5)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == there["Origin"]
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        assert requests.get(page.url + "/state", headers=headers, timeout=5).status_code == 403


def test_it_listens_on_loopback_only() -> None:
    with pytest.raises(ValueError, match="loopback"):
        Simulator({}, host="0.0.0.0")
    with pytest.raises(ValueError, match=r"E\.164"):
        Simulator({"09012345678": ""})


def test_serve_runs_until_it_is_told_to_stop() -> None:
    stop, ready = threading.Event(), threading.Event()
    urls: list[str] = []

    def note(twilio: Simulator) -> None:
        urls.append(twilio.url)
        ready.set()

    thread = threading.Thread(target=lambda: serve({LINE: ""}, auth_token="t", ready=note, stop=stop))
    thread.start()
    assert ready.wait(5)
    assert requests.get(urls[0] + "/simulator/state", timeout=5).json()["numbers"][0]["phone_number"] == LINE
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_the_command_line_serves_and_stops_on_sigterm() -> None:
    command = [sys.executable, "-m", "cti_bridge.simulator", f"{LINE}=http://127.0.0.1:1/in", "--auth-token", "t"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Simulated Twilio at http://127.0.0.1:")
        process.terminate()
        assert process.wait(10) == 0


def test_a_wrong_command_line_is_explained() -> None:
    command = [sys.executable, "-m", "cti_bridge.simulator", "0312345678=http://example.com/"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "E.164" in done.stderr
