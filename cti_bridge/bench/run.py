"""The order of the day: measure row by row, say what is going on, print the table."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click
import requests

from cti_bridge import __version__
from cti_bridge.bench import crowd, history, kills, outbox, ring, salesforce, table, webhook
from cti_bridge.bench.load import FULL, QUICK, Load
from cti_bridge.bench.table import NotMeasured, Row
from cti_bridge.bench.twilio import Twilio

Measure = Callable[[Load, Path, Twilio], list[Row]]

MEASURES: dict[str, Measure] = {
    "webhook on SQLite": partial(webhook.cost, postgres=False),
    "webhook on PostgreSQL": partial(webhook.cost, postgres=True),
    "answers with a slow CRM": webhook.patience,
    "ring to card": ring.to_card,
    "Salesforce from afar": salesforce.from_afar,
    "connected agents": crowd.crowd,
    "stored calls": history.flatness,
    "waiting logs": outbox.drain,
    "kill -9": kills.survival,
}


def run(json_file: Path | None = None, quick: bool = False) -> list[Row]:
    """Measure everything, print the table, and write it to ``json_file``."""
    load = QUICK if quick else FULL
    busy = os.getloadavg()[0]
    if busy > (os.cpu_count() or 1) / 2:
        click.echo(
            f"The machine is busy with others (load {busy:.1f}): trust the ratios, not the milliseconds.", err=True
        )
    began = time.monotonic()
    rows = list(measured(load, MEASURES))
    took = time.monotonic() - began
    click.echo(f"\n{table.text(rows)}\n")
    missed = [row.what for row in rows if row.kept is False]
    judged = [row for row in rows if row.kept is not None]
    click.echo(f"{len(judged) - len(missed)} of {len(judged)} budgets kept, in {took:.0f} s.")
    if quick:
        click.echo("--quick sends a tenth of the load: good for trying the bench, too little to judge by.")
    if json_file is not None:
        table.write_json(json_file, rows, _about(load, took))
    return rows


def measured(load: Load, measures: dict[str, Measure]) -> Iterator[Row]:
    """The rows, one measurement after the other; one that cannot be made says why and does not end the rest."""
    with Twilio() as twilio:
        for name, measure in measures.items():
            click.echo(f"… {name}", err=True)
            with tempfile.TemporaryDirectory(prefix="cti-bench-") as folder:
                try:
                    yield from measure(load, Path(folder), twilio)
                except (NotMeasured, OSError, requests.RequestException) as problem:
                    yield Row.unmeasured(name, problem)


def _about(load: Load, seconds: float) -> dict[str, object]:
    return {
        "version": __version__,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
        "seconds": seconds,
        "load": {name: getattr(load, name) for name in load.__slots__},
    }
