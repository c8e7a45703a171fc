"""The demo's connector: the local CRM when the gate is open, unavailable when it is shut, slow or gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cti_bridge.connector import Resources
from cti_bridge.demo import connector as demo_connector
from cti_bridge.demo.connector import DemoConnector
from cti_bridge.demo.crm import StandInCrm
from cti_bridge.demo.server import DemoPages
from cti_bridge.demo.weather import Weather, WeatherStation
from cti_bridge.errors import ConnectorUnavailable, SettingsError
from cti_bridge.model import CallLog, Contact, ContactDraft, ContactKind, Direction, Outcome, Severity
from cti_bridge.phone import PhoneNumber
from cti_bridge.simulator import Simulator
from cti_bridge.store import Database
from cti_bridge.store.records import Records

SAKURA = Contact("contact:1", ContactKind.PERSON, "新田 さくら")
NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
LOG = CallLog(
    call_id="CA1",
    direction=Direction.INBOUND,
    outcome=Outcome.ANSWERED,
    subject="着信",
    body="",
    party="+818012341223",
    line_name="代表",
    contact=None,
    agent_name="佐藤",
    agent_email="sato@minato-air.example",
    started_at=NOW,
    ended_at=NOW,
    talk_time=timedelta(seconds=30),
)

OPERATIONS: dict[str, Callable[[DemoConnector], object]] = {
    "find_contacts": lambda crm: crm.find_contacts(PhoneNumber("+818012341223")),
    "get_contact": lambda crm: crm.get_contact("contact:1"),
    "recent_activity": lambda crm: crm.recent_activity(SAKURA),
    "search": lambda crm: crm.search("新田"),
    "create_contact": lambda crm: crm.create_contact(ContactDraft("新田 さくら", "+818012341223")),
    "add_number": lambda crm: crm.add_number(SAKURA, PhoneNumber("+818012341224")),
    "write_call_log": lambda crm: crm.write_call_log(LOG),
}


@pytest.fixture
def weather() -> WeatherStation:
    return WeatherStation()


@pytest.fixture
def gate(sqlite_database: Database, weather: WeatherStation) -> Iterator[str]:
    """The demo's own server, really listening."""
    simulator = Simulator()
    pages = DemoPages(simulator, sqlite_database, weather, "http://127.0.0.1:1")
    simulator.app.register_blueprint(pages.blueprint())
    with simulator:
        yield f"{simulator.url}/crm-weather/gate"


@pytest.fixture
def crm(gate: str, database: Database) -> DemoConnector:
    records = Records(database)
    records.create(ContactDraft("新田 さくら", "+818012341223"), "mobile", NOW)
    return DemoConnector.open(Resources({"CTI_DEMO_CRM_URL": gate}, records=records))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_asks_the_gate(crm: DemoConnector, weather: WeatherStation, operation: str) -> None:
    weather.set(Weather(down=True))
    with pytest.raises(ConnectorUnavailable, match="503"):
        OPERATIONS[operation](crm)


def test_in_fair_weather_it_is_the_local_crm(crm: DemoConnector, database: Database) -> None:
    assert [contact.name for contact in crm.find_contacts(PhoneNumber("+818012341223"))] == ["新田 さくら"]
    link = crm.write_call_log(LOG)
    assert crm.write_call_log(LOG) == link
    [shown] = StandInCrm(database).calls()
    assert (shown["id"], shown["call_id"], shown["customer"]) == (link.id, "CA1", None)
    assert {finding.severity for finding in crm.check()} == {Severity.OK}


def test_a_check_up_in_bad_weather_says_so(crm: DemoConnector, weather: WeatherStation) -> None:
    weather.set(Weather(down=True))
    [finding] = crm.check()
    assert finding.severity is Severity.ERROR
    assert "503" in finding.en


def test_a_crm_that_takes_too_long_is_unavailable(
    crm: DemoConnector, weather: WeatherStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_connector, "TIMEOUT", 0.1)
    weather.set(Weather(delay_ms=15_000))
    with pytest.raises(ConnectorUnavailable, match="did not answer"):
        crm.search("新田")
    weather.set(Weather())


def test_a_demo_that_has_stopped_is_unavailable(database: Database) -> None:
    crm = DemoConnector.open(Resources({"CTI_DEMO_CRM_URL": "http://127.0.0.1:9/gate"}, records=Records(database)))
    with pytest.raises(ConnectorUnavailable, match="cannot be reached"):
        crm.search("新田")


@pytest.mark.parametrize("url", ["", "http://crm.example.com/gate", "https://127.0.0.1/gate", "http://localhost/gate"])
def test_the_gate_is_on_this_machine_or_the_start_stops(url: str, database: Database) -> None:
    with pytest.raises(SettingsError, match="cti-bridge demo"):
        DemoConnector.open(Resources({"CTI_DEMO_CRM_URL": url}, records=Records(database)))
