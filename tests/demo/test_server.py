"""The demo's server: the weather, the stand-in CRM's data, the stream of events, and what it refuses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from cti_bridge.demo import customers
from cti_bridge.demo.office import AGENTS, LINES, Secrets, add_office
from cti_bridge.demo.server import DemoPages
from cti_bridge.demo.weather import Weather, WeatherStation
from cti_bridge.model import CallLog, Direction, Outcome
from cti_bridge.simulator import Simulator
from cti_bridge.store import Database
from cti_bridge.store.records import Records
from tests.conftest import empty

BRIDGE = "http://127.0.0.1:5080"
NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def database(sqlite_database: Database) -> Database:
    """The demo's office and customers, loaded once for this file. It is shown from SQLite only."""
    empty(sqlite_database)
    customers.load(Records(sqlite_database), NOW)
    add_office(sqlite_database, Secrets("s" * 32, "AC" + "0" * 32, "t"), AGENTS, LINES)
    return sqlite_database


@pytest.fixture
def weather() -> WeatherStation:
    return WeatherStation()


@pytest.fixture
def url(database: Database, weather: WeatherStation) -> Iterator[str]:
    simulator = Simulator({line.number: f"{BRIDGE}/twilio/voice/incoming" for line in LINES})
    simulator.app.register_blueprint(DemoPages(simulator, database, weather, BRIDGE).blueprint())
    with simulator:
        yield simulator.url


def get(url: str, **options: Any) -> Any:
    return requests.get(url, timeout=5, **options).json()


def test_the_page_embeds_the_widget_with_exactly_one_tag_from_the_bridge(url: str) -> None:
    answer = requests.get(f"{url}/?lang=en", timeout=5)
    src = "http://127.0.0.1:5080/widgets/embed.js"
    tag = f'<script src="{src}" data-language="auto" data-link-numbers=".phone" async></script>'
    assert answer.text.count(tag) == 1
    assert answer.text.count(BRIDGE) == 1
    assert '<html lang="en">' in answer.text
    assert f"script-src 'self' {BRIDGE};" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("wish", "browser", "language"),
    [("?lang=en", "ja", "en"), ("", "ja", "ja"), ("", "en-US,en;q=0.9", "en"), ("?lang=xx", "fr", "ja")],
)
def test_the_language_is_the_wished_one_else_the_browsers_else_japanese(
    url: str, wish: str, browser: str, language: str
) -> None:
    answer = requests.get(f"{url}/{wish}", headers={"Accept-Language": browser}, timeout=5)
    assert f'<html lang="{language}">' in answer.text


def test_the_scene_names_lines_agents_and_callers(url: str) -> None:
    scene = get(f"{url}/scene")
    assert [line["number"] for line in scene["lines"]] == [line.number for line in LINES]
    assert [agent["email"] for agent in scene["agents"]] == [agent.email for agent in AGENTS]
    assert all(agent["password"] for agent in scene["agents"])
    assert {"ja", "en", "number", "display"} == set(scene["callers"][0])


def test_the_customer_list_is_everybody_or_who_was_searched(url: str) -> None:
    everybody = get(f"{url}/crm/customers")["customers"]
    assert len(everybody) > 60
    assert [one["name"] for one in get(f"{url}/crm/customers?q=アオキ")["customers"]] == ["青木 ことの"]
    assert get(f"{url}/crm/customers?q=%25")["customers"] == []


def test_a_record_shows_numbers_exactly_as_typed_company_people_and_story(url: str) -> None:
    [found] = get(f"{url}/crm/customers?q=大野")["customers"]
    person = get(f"{url}/crm/customers/{found['id']}?lang=en")
    assert {"kind": "phone", "label": "Phone", "text": "03(2000)0110 内線21"} in person["numbers"]
    assert person["open"][0]["title"].startswith("C-1042")
    assert person["upcoming"][0]["kind"] == "appointment"
    company = get(f"{url}/crm/customers/{person['company']['id']}")
    assert found["id"] in [one["id"] for one in company["people"]]
    assert {"kind": "main", "label": "代表電話", "text": "03-2000-0110"} in company["numbers"]


@pytest.mark.parametrize("record_id", ["contact:99999", "company:99999", "activity:1", "x", "contact:-1"])
def test_an_unknown_record_is_404(url: str, record_id: str) -> None:
    assert requests.get(f"{url}/crm/customers/{record_id}", timeout=5).status_code == 404


def test_the_weather_is_set_and_refuses_nonsense(url: str, weather: WeatherStation) -> None:
    assert requests.put(f"{url}/crm-weather", json={"delay_ms": 1500, "down": True}, timeout=5).ok
    assert weather.now == Weather(1500, True)
    assert get(f"{url}/crm-weather") == {"delay_ms": 1500, "down": True}
    for nonsense in ({}, {"delay_ms": -1, "down": False}, {"delay_ms": True, "down": False}, {"delay_ms": 0}, [1]):
        assert requests.put(f"{url}/crm-weather", json=nonsense, timeout=5).status_code == 400
    assert weather.now == Weather(1500, True)


def test_whoever_waits_at_the_gate_notices_a_change_of_weather(weather: WeatherStation) -> None:
    for change, passes in ((Weather(), True), (Weather(down=True), False)):
        weather.set(Weather(delay_ms=15_000))
        answers: list[bool] = []
        waiting = threading.Thread(target=lambda answers=answers: answers.append(weather.pass_gate()))
        waiting.start()
        weather.set(change)
        waiting.join(timeout=5)
        assert answers == [passes]


def test_the_events_tell_of_the_world_the_weather_and_the_crm(
    url: str, database: Database, weather: WeatherStation
) -> None:
    with requests.get(f"{url}/events", stream=True, timeout=5) as stream:
        events = read_events(stream)
        assert next(events)[0] == "world"
        assert next(events) == ("weather", {"delay_ms": 0, "down": False})
        with database.transaction() as connection:
            connection.exec_driver_sql("UPDATE crm_contacts SET note = note || ' '")
        assert next(events)[0] == "crm"
        requests.put(f"{url}/crm-weather", json={"delay_ms": 0, "down": True}, timeout=5)
        assert ("weather", {"delay_ms": 0, "down": True}) in [next(events), next(events)]


def test_call_logs_are_newest_first(url: str, database: Database) -> None:
    records = Records(database)
    for minute in (1, 2):
        at = NOW + timedelta(minutes=minute)
        records.write_call(
            CallLog(
                call_id=f"CA{minute}",
                direction=Direction.INBOUND,
                outcome=Outcome.ANSWERED,
                subject=f"着信{minute}",
                body="",
                party="+818012341101",
                line_name="代表",
                contact=records.search("青木", NOW)[0],
                agent_name="佐藤",
                agent_email="",
                started_at=at,
                ended_at=at,
                talk_time=timedelta(seconds=61),
                note="メモ",
                disposition="対応完了",
            )
        )
    logs = get(f"{url}/crm/calls")["calls"]
    assert [log["title"] for log in logs] == ["着信2", "着信1"]
    assert (logs[0]["customer"]["name"], logs[0]["talk_seconds"], logs[0]["note"]) == ("青木 ことの", 61, "メモ")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_other_sites_get_nothing(url: str, headers: dict[str, str]) -> None:
    assert requests.get(f"{url}/scene", headers=headers, timeout=5).status_code == 403


def read_events(stream: requests.Response) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in stream.iter_lines(chunk_size=1, decode_unicode=True):
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
