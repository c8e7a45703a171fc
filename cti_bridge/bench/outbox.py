"""How fast one worker process writes waiting call logs, to a CRM that answers at once and to one that takes its time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cti_bridge import logbook
from cti_bridge.app import Bridge
from cti_bridge.bench.crm import NobodyConnector
from cti_bridge.bench.load import Load
from cti_bridge.bench.scene import ACCOUNT, LINE, SECRET_KEY, TOKEN, Office, postgres_url
from cti_bridge.bench.table import NotMeasured, Row
from cti_bridge.bench.twilio import Twilio, customers
from cti_bridge.model import Call, Caller, CallerKind, CallLog, Direction, LegStatus, RecordLink
from cti_bridge.outbox import CALL_LOG, HANDS
from cti_bridge.settings import Settings
from cti_bridge.store import Database, calls
from cti_bridge.store import outbox as entries
from cti_bridge.store.calls import CallRecord, Lookup, LookupState

BUDGET = 200
PATIENCE = 120.0


def drain(load: Load, folder: Path, _twilio: Twilio) -> list[Row]:
    """Logs that became due during an outage, on PostgreSQL, written by one worker."""
    waiting = load.requests * load.rounds * 2
    with postgres_url() as url:
        office = Office.found(url, folder, agents=1)
        quick = _rate(office, waiting, 0.0)
        slow = _rate(office, waiting // 5, 0.05)
    return [
        Row(
            "outbox: logs written by one worker, CRM answers at once",
            f"≥ {BUDGET}/s",
            f"{quick:.0f}/s",
            "",
            quick >= BUDGET,
            f"{waiting} waiting logs, PostgreSQL, one process, {HANDS} at once; beside it nothing else was asked of it.",
            {"logs_per_second": quick},
        ),
        Row(
            "outbox: the same, CRM takes 50 ms",
            "",
            f"{slow:.0f}/s",
            "",
            None,
            f"At {HANDS} at once no more than {HANDS / 0.05:.0f}/s can be had; a busy office writes one log a second.",
            {"logs_per_second": slow},
        ),
    ]


def _rate(office: Office, waiting: int, crm_seconds: float) -> float:
    """Logs per second, from the first to the last: without the worker's start."""
    database = Database(office.url)
    try:
        _fill(database, waiting)
        with _worker(office, crm_seconds):
            began, had = 0.0, 0
            deadline = time.monotonic() + PATIENCE
            while (done := waiting - _left(database)) < waiting:
                if done and not began:
                    began, had = time.monotonic(), done
                if time.monotonic() > deadline:
                    raise NotMeasured(f"the worker wrote {done} of {waiting} logs in {PATIENCE:.0f} s")
                time.sleep(0.05)  # counting is a query, and takes from the worker
            return (waiting - had) / (time.monotonic() - began)
    finally:
        database.close()


def _left(database: Database) -> int:
    with database.reading() as connection:
        return entries.depth(connection, datetime.now(UTC))[0]


def _fill(database: Database, count: int) -> None:
    """Calls that ended a minute ago and were looked up, each with a log that is due."""
    ended_at = datetime.now(UTC) - timedelta(minutes=1)
    known = Lookup(LookupState.DONE, "crm", fetched_at=ended_at)
    with database.transaction() as connection:
        connection.execute(entries.outbox.delete())
        connection.execute(calls.calls.delete())
        for number, customer in enumerate(customers(count)):
            call = Call(
                f"CA{number:032x}",
                Direction.INBOUND,
                LINE,
                customer,
                started_at=ended_at - timedelta(minutes=3),
                dial_status=LegStatus.COMPLETED,
                dial_ended_at=ended_at,
                dial_duration=timedelta(minutes=2),
            )
            record = CallRecord(call, Caller(CallerKind.NUMBER, customer, customer), note="見積もりの件", lookup=known)
            calls.save(connection, replace(record, completed_at=ended_at), ended_at)
            entries.put(connection, call.id, CALL_LOG, run_at=ended_at, now=ended_at)


@contextmanager
def _worker(office: Office, crm_seconds: float) -> Iterator[None]:
    """``cti-bridge outbox work`` with the bench's CRM, in a process of its own."""
    settings = {
        "CTI_PUBLIC_URL": "http://127.0.0.1:9",
        "CTI_SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": office.url,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "BENCH_CRM_SECONDS": str(crm_seconds),
    }
    command = [sys.executable, "-m", "cti_bridge.bench.outbox"]
    log = (office.folder / "worker.log").open("ab")
    with log, subprocess.Popen(command, env={**os.environ, **settings}, stderr=log) as process:  # noqa: S603
        try:
            yield
        finally:
            process.kill()


class _Crm(NobodyConnector):
    """Keeps nothing; answers after the time that BENCH_CRM_SECONDS says."""

    def write_call_log(self, log: CallLog) -> RecordLink:
        threading.Event().wait(float(os.environ["BENCH_CRM_SECONDS"]))
        return RecordLink(log.call_id)


def _work() -> None:
    logbook.configure()
    bridge = Bridge(Settings.read(), connector=_Crm.open(None))  # type: ignore[arg-type]  # it needs no resources
    bridge.lookups.open()
    bridge.hub.start()
    bridge.outbox.run()


if __name__ == "__main__":
    _work()
