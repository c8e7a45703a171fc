"""From the ring to the card: the first, the one with the CRM's answer, the one from memory. And what the CRM is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cti_bridge.bench.crm import counted, crm_process
from cti_bridge.bench.load import Load
from cti_bridge.bench.machine import Lateness, watched
from cti_bridge.bench.processes import fetch_json
from cti_bridge.bench.scene import Office, sqlite_url
from cti_bridge.bench.screens import Screens
from cti_bridge.bench.table import NotMeasured, Row, milliseconds, percentile
from cti_bridge.bench.twilio import INCOMING, Sent, Twilio, Webhook, customers, hang_ups, rings

CRM_SECONDS = 0.1
AGENTS = 3
CALL_LASTS = 1.0
FIRST, MATCHED, REMEMBERED = 0.020, 0.015, 0.025
LOGS_WITHIN = 30.0
LOGS = 60
"""Calls whose logs are waited for: one worker writes them one after the other, at the CRM's pace."""

Card = dict[str, Any]


def to_card(load: Load, folder: Path, twilio: Twilio) -> list[Row]:
    """Calls that ring three agents and are given up a second later, from numbers new to us and then from known ones."""
    count = int(load.calls_per_second * load.seconds * load.rounds)
    numbers = customers(count)
    office = Office.found(sqlite_url(folder, "ring.db"), folder, agents=AGENTS)
    with (
        crm_process() as crm,
        office.bridge(BENCH_CRM_URL=crm, BENCH_CRM_SECONDS=str(CRM_SECONDS)) as bridge,
        Screens(bridge.url, office.tickets()) as screens,
    ):
        play(load, twilio, bridge.url, customers(20, first=1_000_000))
        earlier = counted(crm)["asked"]
        screens.forget()
        with watched() as lateness:
            new = play(load, twilio, bridge.url, numbers)
        new_cards = screens.calls()
        trips = {number: float(seconds) for number, seconds in fetch_json(f"{bridge.url}/bench/round-trips").items()}
        logged = [one.webhook.call_id for one in new if one.webhook.path == INCOMING][:LOGS]
        told = _wait_for_logs(crm, logged)
        asked = {what: (times - earlier.get(what, 0)) / count for what, times in told["asked"].items()}
        asked["write"] = sum(told["writes"][call_id] for call_id in logged) / len(logged)
        screens.forget()
        with watched() as later:
            known = play(load, twilio, bridge.url, numbers)
        known_cards = screens.calls()
    first = delays(new, new_cards, bool)
    matched = delays(new, new_cards, has_matches)
    over = [seconds - trips[call.form["From"]] for call, seconds in matched]
    again = [seconds for _, seconds in delays(known, known_cards, has_matches)]
    at_first = [seconds for _, seconds in first]
    lateness.p99 = max(lateness.p99, later.p99)
    return [*_timings(load, lateness, at_first, over, again), _asked(asked, count)]


def _timings(load: Load, lateness: Lateness, first: list[float], over: list[float], again: list[float]) -> list[Row]:
    load_told = (
        f"{len(first)} calls at {load.calls_per_second:.0f} a second; from sending the webhook to the agent's socket"
    )
    rows = []
    for what, values, percent, budget, shown, note in (
        ("Ring to first card, p99", first, 99, FIRST, "", f"{load_told} ({AGENTS} agents ring)."),
        (
            "Ring to matched card, beyond the CRM's round trip, p95",
            over,
            95,
            MATCHED,
            "CRM + ",
            f"Each call's own round trip taken off, as the connector saw it; the CRM takes {CRM_SECONDS * 1e3:.0f} ms.",
        ),
        (
            "Ring to matched card from a fresh index entry, p99",
            again,
            99,
            REMEMBERED,
            "",
            "The same callers again: the CRM is asked behind the card.",
        ),
    ):
        value, middle = percentile(values, percent), percentile(values, 50)
        kept, why = lateness.verdict(value, budget)
        rows.append(
            Row(
                what,
                f"≤ {shown}{budget * 1e3:.0f} ms",
                milliseconds(value),
                f"{value / budget:.2f} of it",
                kept,
                f"p50 {milliseconds(middle)}. {note}{why}",
                {"p50": middle, f"p{percent}": value, "budget": budget, "count": len(values)},
            )
        )
    return rows


def _asked(asked: dict[str, float], count: int) -> Row:
    lookups, writes, activities = (asked.get(what, 0.0) for what in ("find", "write", "activity"))
    return Row(
        "CRM calls per phone call",
        "1 lookup, 1 write",
        f"{lookups:.2f} and {writes:.2f}",
        "",
        lookups <= 1.0 and writes <= 1.0,
        f"Counted by the CRM over {count} calls, writes over the first {min(count, LOGS)}. Beside them "
        f"{activities:.2f} requests for the contact's history, "
        "for CRMs that have one.",
        {"lookups": lookups, "writes": writes, "activities": activities},
    )


def play(load: Load, twilio: Twilio, url: str, numbers: Sequence[str]) -> list[Sent]:
    """Ring and give up; returns how each webhook was sent, once every card had the time to come."""
    calls = rings(numbers, rate=load.calls_per_second)
    sent = twilio.send(url, [*calls, *hang_ups(calls, after=CALL_LASTS)], connections=4)
    if refused := [one.status for one in sent if one.status not in (200, 204)]:
        raise NotMeasured(f"{len(refused)} of {len(sent)} webhooks were answered {refused[0]}")
    time.sleep(CRM_SECONDS * 2 + 1.0)  # the last card comes after the CRM has answered twice
    return sent


def delays(
    sent: Sequence[Sent], cards: Sequence[tuple[float, Card]], shown: Callable[[Card], bool]
) -> list[tuple[Webhook, float]]:
    """From each ring to the first card that shows it, on whichever socket. Raises NotMeasured when some never came."""
    arrived: dict[str, float] = {}
    for at, card in cards:
        if shown(card):
            arrived.setdefault(card["id"], at)
    ringing = [one for one in sent if one.webhook.form["CallStatus"] == "ringing"]
    missing = [one for one in ringing if one.webhook.call_id not in arrived]
    if missing:
        raise NotMeasured(f"{len(missing)} of {len(ringing)} cards never came")
    return [(one.webhook, arrived[one.webhook.call_id] - one.began) for one in ringing]


def has_matches(card: Card) -> bool:
    return bool(card["matches"])


def _wait_for_logs(crm: str, call_ids: Sequence[str]) -> dict[str, Any]:
    """What the CRM was asked by the time that it has every log. Raises NotMeasured."""
    deadline = time.monotonic() + LOGS_WITHIN
    while not (told := counted(crm))["records"].keys() >= set(call_ids):
        if time.monotonic() > deadline:
            raise NotMeasured(f"the logs were not in the CRM within {LOGS_WITHIN:.0f} s")
        time.sleep(0.2)
    return told
