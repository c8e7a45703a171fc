"""The Grafana dashboard names metrics that the bridge tells, with labels that they have; it is complete and can be read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cti_bridge.metrics import Metrics
from cti_bridge.model import Usage
from cti_bridge.store import Database
from tests.conftest import empty
from tests.fakes.memory import MemoryConnector
from tests.running import MAIN_LINE, running

BOARD = json.loads((Path(__file__).parents[1] / "docs" / "grafana-dashboard.json").read_text("utf-8"))
_METRIC = re.compile(r"\b(cti_\w+)(?:\{([^}]*)\})?")
_BY = re.compile(r"by \(([\w, ]+)\)")


def expressions() -> list[str]:
    queries = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    return [*queries, *(one["query"]["query"] for one in BOARD["templating"]["list"] if one["type"] == "query")]


@pytest.fixture
def told(sqlite_database: Database) -> Iterator[dict[str, set[str]]]:
    """The samples that a bridge tells after a call, each with its labels."""
    empty(sqlite_database)
    crm = MemoryConnector()
    crm.usage = lambda: [Usage("api_requests", 10, 100)]  # type: ignore[method-assign]
    with running(sqlite_database, crm=crm) as office:
        office.crm.add("c:1", "山田", "090-1234-5678")
        screen = office.screen()
        call = office.twilio.call_in("+819012345678", MAIN_LINE)
        screen.card(call.sid, stage=3)
        text = office.eventually(lambda: _with_lookup(office.bridge.metrics), "the look-up to be counted")
        yield _samples(text)


def _with_lookup(metrics: Metrics) -> str:
    text = metrics.text().decode()
    return text if 'cti_lookups_total{outcome="found"} 1.0' in text else ""


def _samples(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_every_metric_of_the_dashboard_is_told_by_the_bridge_with_its_labels(told: dict[str, set[str]]) -> None:
    for expression in expressions():
        names = _METRIC.findall(expression)
        assert names, expression
        for name, selector in names:
            assert name in told, f"{expression}: the bridge tells no {name}; it tells {sorted(told)}"
            asked = {part.split("=")[0].rstrip("~!") for part in selector.split(",") if part}
            grouped = {label.strip() for group in _BY.findall(expression) for label in group.split(",")}
            missing = (asked | grouped) - told[name] - {"job", "instance"}  # Prometheus itself adds these two
            assert not missing, f"{expression}: {name} has no label {missing}"


def test_everything_that_the_bridge_counts_is_on_the_dashboard(told: dict[str, set[str]]) -> None:
    shown = {name for expression in expressions() for name, _ in _METRIC.findall(expression)}
    stems = {re.sub(r"_(total|bucket|sum|count|created)$", "", name) for name in told if name.startswith("cti_")}
    unshown = {stem for stem in stems if not any(name.startswith(stem) for name in shown)}
    assert unshown <= {"cti_call_logs_unsent", "cti_call_logs_parked"}, "shown by cti_call_logs, by standing"


def test_the_panels_stand_side_by_side_with_names_of_their_own() -> None:
    places: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not places & mine, f"{panel['title']} covers another panel"
        assert at["x"] + at["w"] <= 24
        places |= mine
        assert panel["datasource"]["uid"] == "${source}", "whoever imports it has a data source of another name"
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
    assert len({panel["title"] for panel in BOARD["panels"]}) == len(ids)


@pytest.mark.parametrize(
    "about",
    ["cti_webhooks", "cti_webhook_seconds", "cti_frames", "cti_lookups", "cti_call_logs", "cti_sockets", "cti_crm"],
)
def test_the_dashboard_shows_what_an_administrator_looks_for(about: str) -> None:
    assert any(about in expression for expression in expressions())
