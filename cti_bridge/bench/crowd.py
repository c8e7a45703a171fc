"""A thousand agents in one process: its memory, and how long until the last of them has what all must see."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from cti_bridge.bench.load import Load
from cti_bridge.bench.machine import watched
from cti_bridge.bench.scene import Office, sqlite_url
from cti_bridge.bench.screens import Screens
from cti_bridge.bench.table import NotMeasured, Row, milliseconds, percentile
from cti_bridge.bench.twilio import Twilio, customers, hang_ups, rings

MEGABYTES = 200.0
PUSH = 0.050
PAUSE = 1.3
"""Seconds between two pushes: the bridge makes a missed list once a second at most."""


def crowd(load: Load, folder: Path, twilio: Twilio) -> list[Row]:
    """Every agent is on the one line: a call that nobody takes changes the missed list of all of them."""
    office = Office.found(sqlite_url(folder, "crowd.db"), folder, agents=load.agents)
    with office.bridge() as bridge:
        twilio.send(bridge.url, rings(customers(1)))  # what is loaded at the first call is no socket's
        time.sleep(1.0)  # the warm-up goes on behind the first answer
        before = bridge.memory()[0]
        began = time.perf_counter()
        with Screens(bridge.url, office.tickets()) as screens:
            joined = time.perf_counter() - began
            with watched() as lateness:
                pushes = [_push(twilio, bridge.url, screens, number) for number in customers(load.pushes, first=1)]
            closed = screens.closed
            pss, rss = bridge.memory()
    if closed:
        raise NotMeasured(f"{closed} of {load.agents} sockets were cut")
    of_all = [seconds for push in pushes for seconds in push]
    p50, p99, last = percentile(of_all, 50), percentile(of_all, 99), median(max(push) for push in pushes)
    scaled = load.agents == 1_000
    in_time, why = lateness.verdict(p99, PUSH)
    return [
        Row(
            f"{load.agents:,} connected agents in one process, memory",
            f"< {MEGABYTES:.0f} MB" if scaled else "",
            f"{pss:.0f} MB",
            f"{pss / MEGABYTES:.2f} of it" if scaled else "",
            pss < MEGABYTES if scaled else None,
            f"Proportional set size after {load.pushes} pushes (resident: {rss:.0f} MB; with no socket: {before:.0f} MB, so "
            f"{(pss - before) * 1024 / load.agents:.0f} kB an agent). All were connected within {joined:.1f} s.",
            {"pss_megabytes": pss, "rss_megabytes": rss, "empty_megabytes": before, "agents": load.agents},
        ),
        Row(
            f"One push to all {load.agents:,} of them, p99",
            f"≤ {PUSH * 1e3:.0f} ms" if scaled else "",
            milliseconds(p99),
            f"{p99 / PUSH:.2f} of it" if scaled else "",
            in_time if scaled else None,
            f"From sending the webhook of a missed call to each agent's frame; p50 {milliseconds(p50)}, the last of all "
            f"{milliseconds(last)} (median of {load.pushes} pushes).{why}",
            {"p50": p50, "p99": p99, "last": last},
        ),
    ]


def _push(twilio: Twilio, url: str, screens: Screens, number: str) -> list[float]:
    """One missed call; how long each agent waited for the new list, from the webhook that ended it."""
    call = rings([number])
    twilio.send(url, call)
    time.sleep(PAUSE)  # a missed list is made once a second at most; this one must not wait for the last
    screens.forget()
    sent = twilio.send(url, hang_ups(call))[0]
    wanted = len(screens)
    screens.wait_for(lambda: len(screens.of("missed")) >= wanted, "the missed list of every agent")
    return [arrival.at - sent.began for arrival in screens.of("missed")]
