"""kill -9 again and again while calls end and their logs are written: is one lost, is one doubled?"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from cti_bridge.bench.crm import counted, crm_process
from cti_bridge.bench.load import Load
from cti_bridge.bench.scene import Office, sqlite_url
from cti_bridge.bench.table import Row
from cti_bridge.bench.twilio import Sent, Twilio, Webhook, customers, hang_ups, rings

CRM_SECONDS = 0.02
LEASE, SETTLING = "2", "0.5"
ALIVE = (0.2, 1.2)
"""Seconds between a server's first answer and its end."""

PATIENCE = 60.0


def survival(load: Load, folder: Path, twilio: Twilio) -> list[Row]:
    """Short calls, spread over the kills; a webhook that is not answered is sent again, as Twilio does."""
    office = Office.found(sqlite_url(folder, "kills.db"), folder, agents=1)
    chooser = random.Random(7)  # noqa: S311  (when to kill)
    calls = rings(customers(load.calls_killed))
    left = {id(webhook): webhook for call, end in zip(calls, hang_ups(calls), strict=True) for webhook in (call, end)}
    share = len(left) // load.kills
    with crm_process() as crm:
        bridge = office.bridge(
            BENCH_CRM_URL=crm,
            BENCH_CRM_SECONDS=str(CRM_SECONDS),
            BENCH_LEASE_SECONDS=LEASE,
            BENCH_SETTLING_SECONDS=SETTLING,
        )
        try:
            for turn in range(load.kills):
                bridge.start()
                due = list(left.values())[: share * 2 if turn < load.kills - 1 else len(left)]
                sending = twilio.begin(bridge.url, due, connections=4)
                time.sleep(chooser.uniform(*ALIVE))  # killed at a moment that nobody chose
                bridge.kill()
                _strike_off(left, sending)
            bridge.start()
            _strike_off(left, twilio.begin(bridge.url, list(left.values()), connections=4))
            told = _wait_until(lambda: counted(crm), load.calls_killed)
        finally:
            bridge.kill()
    lost = [call for call in calls if call.call_id not in told["records"]]
    doubled = [call for call, records in told["records"].items() if records > 1]
    repeated = sum(writes - 1 for writes in told["writes"].values())
    return [
        Row(
            f"kill -9, {load.kills} times: call logs lost, doubled",
            "0 and 0",
            f"{len(lost)} and {len(doubled)}",
            "",
            not lost and not doubled and not left,
            f"{load.calls_killed} calls, counted in the CRM afterwards; {repeated} writes were repeated and found their "
            "record. SQLite; the whole process group dies at once. For the bench's sake a killed worker's lease lasts "
            f"{LEASE} s instead of 60, and a missed call's log is due after {SETTLING} s instead of 5."
            + (f" {len(left)} webhooks were never accepted." if left else ""),
            {"calls": load.calls_killed, "lost": len(lost), "doubled": len(doubled), "repeated": repeated},
        )
    ]


def _strike_off(left: dict[int, Webhook], sending: Future[list[Sent]]) -> None:
    """What was accepted need not be sent again."""
    accepted = {(one.webhook.call_id, one.webhook.path) for one in sending.result() if one.status in (200, 204)}
    for key, webhook in list(left.items()):
        if (webhook.call_id, webhook.path) in accepted:
            del left[key]


def _wait_until(told: Callable[[], dict[str, Any]], records: int) -> dict[str, Any]:
    """What the CRM has once it has them all, or when waiting is no use any more."""
    deadline = time.monotonic() + PATIENCE
    while len(told()["records"]) < records and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(float(LEASE) + 0.5)  # a second write of the last one would come now
    return told()
