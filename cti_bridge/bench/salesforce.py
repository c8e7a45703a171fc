"""Salesforce from afar: what a look-up and a log ask for, and how long after the ring its card comes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import requests

from cti_bridge.app import open_connector
from cti_bridge.bench.far import far_away
from cti_bridge.bench.load import Load
from cti_bridge.bench.machine import watched
from cti_bridge.bench.ring import MATCHED, delays, has_matches, play
from cti_bridge.bench.salesforce_org import counted, org_process
from cti_bridge.bench.scene import Office, sqlite_url
from cti_bridge.bench.screens import Screens
from cti_bridge.bench.table import NotMeasured, Row, milliseconds, percentile
from cti_bridge.bench.twilio import Twilio, customers
from cti_bridge.connector import Connector
from cti_bridge.errors import ConnectorError, SettingsError
from cti_bridge.model import CallLog, Direction, Outcome
from cti_bridge.phone import PhoneNumber
from cti_bridge.settings import Settings
from cti_bridge.store import Database

ROUND_TRIPS = (0.020, 0.060)
LOOKUPS, LOGS = 30, 10
RINGS, RINGS_PER_SECOND = 60, 5.0
"""Few enough that the distance is measured; what load does stands in the rows of ``ring``."""
AGENTS = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What a number of equal questions cost: seconds each, requests and new connections of all."""

    seconds: list[float]
    requests: Counter[str]
    connections: int

    @property
    def each(self) -> float:
        return self.requests.total() / len(self.seconds)


def from_afar(load: Load, folder: Path, twilio: Twilio) -> list[Row]:
    """The connector alone, then the whole bridge, at each distance."""
    rows = []
    for round_trip in ROUND_TRIPS:
        with org_process() as org, far_away(org, round_trip) as proxy:
            bare = percentile(_bare_round_trips(proxy), 50)
            with _connector(proxy, folder) as connector:
                rows += [_looked_up(connector, org, round_trip, bare), _logged(connector, org, round_trip)]
        rows.append(_ring_to_card(load, folder, twilio, round_trip))
    with (
        org_process(external_id=False) as org,
        far_away(org, ROUND_TRIPS[0]) as proxy,
        _connector(proxy, folder) as connector,
    ):
        rows.append(_logged(connector, org, ROUND_TRIPS[0], external_id=False))
    return rows


# ── the connector alone ──────────────────────────────────────────────────────────────────────────────────────────────


def _looked_up(connector: Connector, org: int, round_trip: float, bare: float) -> Row:
    """Look-ups one after the other, once signed in: none of them may open a connection."""
    try:
        connector.warm_up()
        numbers = [PhoneNumber(number) for number in customers(LOOKUPS)]
        asked = _counted(org, [partial(connector.find_contacts, number) for number in numbers])
    except ConnectorError as problem:
        raise NotMeasured(f"the connector did not look up: {problem}") from None
    p95 = percentile(asked.seconds, 95)
    return Row(
        f"Salesforce {round_trip * 1e3:.0f} ms away: requests and new connections a look-up",
        "1 and 0",
        f"{asked.each:.2f} and {asked.connections / LOOKUPS:.2f}",
        f"{p95 / bare:.2f} × bare",
        asked.each <= 1 and not asked.connections,
        f"{LOOKUPS} look-ups after warm-up; each took {milliseconds(percentile(asked.seconds, 50), p95)} (p50, p95), a bare "
        f"request over a kept connection {milliseconds(bare)}. Without TLS: a new connection costs one round trip here, "
        "two with TLS.",
        {"p50": percentile(asked.seconds, 50), "p95": p95, "bare": bare, "round_trip": round_trip},
    )


def _logged(connector: Connector, org: int, round_trip: float, *, external_id: bool = True) -> Row:
    try:
        connector.warm_up()
        logs = [_log(f"CA{place:032x}") for place in range(LOGS)]
        asked = _counted(org, [partial(connector.write_call_log, log) for log in logs])
    except ConnectorError as problem:
        raise NotMeasured(f"the connector did not log: {problem}") from None
    budget = 1 if external_id else 2
    how = "with an external-id field" if external_id else "without one"
    return Row(
        f"Salesforce {round_trip * 1e3:.0f} ms away: requests and new connections a log, {how}",
        f"{budget} and 0",
        f"{asked.each:.2f} and {asked.connections / LOGS:.2f}",
        "",
        asked.each <= budget and not asked.connections,
        f"{LOGS} logs of new calls; each took {milliseconds(percentile(asked.seconds, 50), percentile(asked.seconds, 95))} "
        "(p50, p95).",
        {"requests": asked.each, "p95": percentile(asked.seconds, 95), "round_trip": round_trip},
    )


def _counted(org: int, questions: Sequence[Callable[[], object]]) -> Asked:
    connections, before = counted(org)
    seconds = []
    for question in questions:
        began = time.perf_counter()
        question()
        seconds.append(time.perf_counter() - began)
    later, after = counted(org)
    return Asked(seconds, after - before, later - connections)


def _bare_round_trips(proxy: int) -> list[float]:
    """What the distance alone costs: the smallest request over one kept connection, without our connector."""
    session = requests.Session()
    session.trust_env = False
    seconds = []
    for _ in range(LOOKUPS + 1):
        began = time.perf_counter()
        session.get(f"http://127.0.0.1:{proxy}/services/data/", timeout=10).raise_for_status()
        seconds.append(time.perf_counter() - began)
    return seconds[1:]  # the first one made the connection


@contextmanager
def _connector(proxy: int, folder: Path) -> Iterator[Connector]:
    """The configured connector as the bridge opens it. Raises NotMeasured when its library is not installed."""
    office = Office.found(sqlite_url(folder, f"connector-{proxy}.db"), folder, agents=1)
    given = office.bridge(**_environment(proxy)).environment
    database = Database(office.url)
    try:
        connector = open_connector(Settings.read(given), database, given)
    except SettingsError as problem:
        raise NotMeasured(str(problem)) from None
    yield connector
    database.close()


def _environment(proxy: int) -> dict[str, str]:
    return {
        "CTI_CONNECTOR": "salesforce",
        "SALESFORCE_MY_DOMAIN": "acme",
        "SALESFORCE_CONSUMER_KEY": "the-bench",
        "SALESFORCE_CONSUMER_SECRET": "signs-in-nowhere-else",
        "SALESFORCE_INSTANCE_URL": f"http://127.0.0.1:{proxy}",
    }


def _log(call_id: str) -> CallLog:
    began = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
    return CallLog(
        call_id=call_id,
        direction=Direction.INBOUND,
        outcome=Outcome.MISSED,
        party="+819010000000",
        line_name="代表",
        agent_name="",
        agent_email="",
        contact=None,
        started_at=began,
        ended_at=began + timedelta(seconds=20),
        talk_time=timedelta(0),
        disposition="",
        note="",
        subject="不在着信: 090-1000-0000",
        body="代表への着信でした。",
    )


# ── the whole bridge ─────────────────────────────────────────────────────────────────────────────────────────────────


def _ring_to_card(load: Load, folder: Path, twilio: Twilio, round_trip: float) -> Row:
    """Callers new to us ring; the card with the match may come a round trip and little more later."""
    count = min(RINGS, int(load.calls_per_second * load.seconds * load.rounds))
    load = replace(load, calls_per_second=RINGS_PER_SECOND)
    office = Office.found(sqlite_url(folder, f"ring-{round_trip}.db"), folder, agents=AGENTS)
    with (
        org_process() as org,
        far_away(org, round_trip) as proxy,
        office.bridge(BENCH_CONNECTOR="configured", **_environment(proxy)) as bridge,
        Screens(bridge.url, office.tickets()) as screens,
    ):
        bare = percentile(_bare_round_trips(proxy), 50)
        play(load, twilio, bridge.url, customers(20, first=1_000_000))
        screens.forget()
        connections, before = counted(org)
        with watched() as lateness:
            sent = play(load, twilio, bridge.url, customers(count))
        later, after = counted(org)
        over = [seconds - bare for _, seconds in delays(sent, screens.calls(), has_matches)]
    value, middle = percentile(over, 95), percentile(over, 50)
    kept, why = lateness.verdict(value, MATCHED)
    asked = after - before
    return Row(
        f"Salesforce {round_trip * 1e3:.0f} ms away: ring to matched card, beyond the round trip, p95",
        f"≤ round trip + {MATCHED * 1e3:.0f} ms",
        milliseconds(value),
        f"{value / MATCHED:.2f} of it",
        kept,
        f"p50 {milliseconds(middle)}. {len(over)} calls at {RINGS_PER_SECOND:.0f} a second; taken off is a bare request's "
        f"round trip, {milliseconds(bare)}. Meanwhile Salesforce had {asked['composite'] / count:.2f} look-ups and "
        f"{asked['task'] / count:.2f} writes a call, over {later - connections} new connections.{why}",
        {"p50": middle, "p95": value, "budget": MATCHED, "bare": bare, "new_connections": later - connections},
    )
