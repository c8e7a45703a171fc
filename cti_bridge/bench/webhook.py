"""The webhook: what it costs beside a bare handler, and whether its answer waits for the CRM."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from statistics import median
from typing import NamedTuple

from cti_bridge.bench.crm import crm_process
from cti_bridge.bench.load import Load
from cti_bridge.bench.machine import watched
from cti_bridge.bench.processes import Server, Spent, difference
from cti_bridge.bench.scene import Office, bare, postgres_url, sqlite_url
from cti_bridge.bench.screens import Screens
from cti_bridge.bench.table import NotMeasured, Row, milliseconds, percentile
from cti_bridge.bench.twilio import Sent, Twilio, customers, rings

WARM_UP = 60
BUDGET = 2.0
SLOW_CRM = 10.0
BEHIND = ("lookup", "outbox")
"""Threads whose work no webhook waits for, by the beginning of their names."""


class Burst(NamedTuple):
    """One round on one server: processor seconds a request by thread, and the answers' seconds."""

    spent: Spent
    answers: list[float]


def cost(load: Load, folder: Path, twilio: Twilio, *, postgres: bool) -> list[Row]:
    """Processor time of an incoming-call webhook, in multiples of a bare one, on this kind of database."""
    kind = "PostgreSQL" if postgres else "SQLite"
    with ExitStack() as stack:
        home = postgres_url if postgres else lambda: nullcontext(None)
        urls = [stack.enter_context(home()) or sqlite_url(folder, f"cost-{n}.db") for n in range(3)]
        office, watched = (Office.found(url, folder, agents=1) for url in urls[1:])
        plain = stack.enter_context(bare(urls[0], folder))
        bridge = stack.enter_context(office.bridge(BENCH_LOOKUPS="off"))
        looking = stack.enter_context(watched.bridge())
        screens = [
            stack.enter_context(Screens(server.url, found.tickets()))
            for server, found in ((bridge, office), (looking, watched))
        ]
        for server in (plain, bridge, looking):
            _burst(server, twilio, WARM_UP)
        rounds = [
            tuple(_burst(server, twilio, load.requests) for server in (plain, bridge, looking))
            for _ in range(load.rounds)
        ]
        pushed = len(screens[0].of("call"))
    wanted = load.requests * load.rounds + WARM_UP
    if pushed < wanted:
        raise NotMeasured(f"only {pushed} of {wanted} cards reached the agent's socket")
    ratios = [mine.spent.total / base.spent.total for base, mine, _ in rounds]
    whole = [all_in.spent.total / base.spent.total for base, _, all_in in rounds]
    base = median(round_[0].spent.total for round_ in rounds)
    mine = median(round_[1].spent.total for round_ in rounds)
    all_in = median(round_[2].spent.total for round_ in rounds)
    behind = median(round_[2].spent.of(*BEHIND) for round_ in rounds)
    pushing = median(round_[1].spent.of("delivery", "hub") for round_ in rounds)
    answers = [[seconds for round_ in rounds for seconds in round_[n].answers] for n in (0, 1)]
    quick = " / ".join(milliseconds(percentile(each, 50), percentile(each, 99)) for each in answers)
    note = (
        f"Whole server process, per request: verify, five statements in one commit, TwiML, and the push to one agent's "
        f"socket ({pushing * 1e6:.0f} µs of it). Bare: {base * 1e6:.0f} µs. Median of {load.rounds} rounds of "
        f"{load.requests} ({min(ratios):.2f} to {max(ratios):.2f}). Answer p50 / p99, bare then bridge: {quick}."
    )
    return [
        Row(
            f"Incoming-call webhook, complete, {kind}",
            f"≤ {BUDGET:.0f} × bare",
            f"{mine * 1e6:.0f} µs CPU",
            f"{median(ratios):.2f} ×",
            median(ratios) <= BUDGET,
            note,
            {"bare_seconds": base, "bridge_seconds": mine, "push_seconds": pushing, "ratio": median(ratios)},
        ),
        Row(
            f"… and the lookup behind it, {kind}",
            "",
            f"{all_in * 1e6:.0f} µs CPU",
            f"{median(whole):.2f} ×",
            note=f"The same with the caller looked up in the pool (a CRM that knows nobody, {behind * 1e6:.0f} µs), "
            "its answer kept, and the second push: for honesty, not in the budget.",
            numbers={"bridge_seconds": all_in, "lookup_seconds": behind, "ratio": median(whole)},
        ),
    ]


def patience(load: Load, folder: Path, twilio: Twilio) -> list[Row]:
    """The answers' p99 with a CRM that takes ten seconds, beside one that takes none."""
    answers: dict[float, list[float]] = {0.0: [], SLOW_CRM: []}
    with crm_process() as crm, ExitStack() as stack:
        bridges = {}
        for seconds in answers:
            office = Office.found(sqlite_url(folder, f"patience-{seconds:.0f}.db"), folder, agents=1)
            bridges[seconds] = stack.enter_context(office.bridge(BENCH_CRM_URL=crm, BENCH_CRM_SECONDS=str(seconds)))
        for server in bridges.values():
            _burst(server, twilio, WARM_UP)
        lateness = stack.enter_context(watched())
        for turn in range(load.rounds):
            for seconds, server in bridges.items():
                numbers = customers(int(load.calls_per_second * load.seconds), first=10_000 * (turn + 1))
                sent = twilio.send(server.url, rings(numbers, rate=load.calls_per_second), connections=4)
                answers[seconds] += _accepted(sent)
    quick, slow = percentile(answers[0.0], 99), percentile(answers[SLOW_CRM], 99)
    kept, why = lateness.verdict(slow, max(quick * 1.25, quick + 0.002))
    return [
        Row(
            "Answer with a CRM that takes 10 s, p99",
            "as with 0 s (≤ 1.25 × or + 2 ms)",
            milliseconds(slow),
            f"{slow / quick:.2f} ×",
            kept,
            f"With 0 s: p50 / p99 {milliseconds(percentile(answers[0.0], 50), quick)}; with 10 s: p50 "
            f"{milliseconds(percentile(answers[SLOW_CRM], 50))}. {len(answers[0.0])} calls each at "
            f"{load.calls_per_second:.0f} a second, in turns.{why}",
            {"p99_quick_crm": quick, "p99_slow_crm": slow, "ratio": slow / quick},
        )
    ]


def _burst(server: Server, twilio: Twilio, requests: int) -> Burst:
    """Send so many calls one after the other; what the server spends until it is quiet again is theirs."""
    before = server.spent()
    sent = twilio.send(server.url, rings(customers(requests)))
    time.sleep(0.2)
    spent = difference(before, server.spent())
    each = Spent({name: seconds / requests for name, seconds in spent.by_thread.items()})
    return Burst(each, _accepted(sent))


def _accepted(sent: Sequence[Sent]) -> list[float]:
    refused = [one.status for one in sent if one.status != 200]
    if refused:
        raise NotMeasured(f"{len(refused)} of {len(sent)} webhooks were answered {refused[0]}")
    return [one.seconds for one in sent]
