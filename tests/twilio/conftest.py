"""One running bridge for a whole module, on each database, made as good as new before every test."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from cti_bridge.simulator import NotPossible
from cti_bridge.simulator.request import sign
from cti_bridge.store import Database, calls, directory
from cti_bridge.store.calls import CallRecord
from tests.conftest import empty
from tests.running import MAIN_LINE, Running, people, running

CALL = "CA" + "1" * 32
CHILD = "CA" + "7" * 32
TARO = "+819012345678"


@dataclass
class House:
    """A running bridge and what a test asks of it."""

    running: Running

    def __getattr__(self, name: str) -> Any:
        return getattr(self.running, name)

    def post(
        self,
        door: str,
        form: Mapping[str, str] | None = None,
        *,
        query: str = "",
        token: str = "",
        method: str = "POST",
    ) -> requests.Response:
        """A webhook as Twilio sends it, signed; for what the simulated network would not do by itself."""
        sent = {
            "CallSid": CALL,
            "AccountSid": self.running.twilio.account_sid,
            "From": TARO,
            "To": MAIN_LINE,
            "Direction": "inbound",
            "CallStatus": "ringing",
            **(form or {}),
        }
        url = f"{self.running.base}/twilio/{door}{query}"
        if method == "GET":
            url = requests.Request("GET", url, params=sent).prepare().url or ""
        signature = sign(self.running.twilio.auth_token, url, sent if method == "POST" else {})
        headers = {"X-Twilio-Signature": signature}
        headers |= {"I-Twilio-Idempotency-Token": token} if token else {}
        data = sent if method == "POST" else None
        return requests.request(method, url, data=data, headers=headers, timeout=20)

    def record(self, sid: str) -> CallRecord | None:
        with self.running.bridge.database.reading() as connection:
            return calls.get(connection, sid)

    def until(self, sid: str, **expected: object) -> CallRecord:
        """Wait until the call is known so: ``until(call.sid, answered=True)``."""

        def found() -> CallRecord | None:
            record = self.record(sid)
            so = record and all(getattr(record.call, name) == value for name, value in expected.items())
            return record if so else None

        record = self.running.eventually(found, f"{sid} to be {expected}; it is {self.record(sid)}")
        assert record is not None
        return record

    def events(self, sid: str, kind: str | None = None) -> list[Any]:
        """The rows of a call's events, in the order they were taken."""
        query = calls.call_events.select().where(calls.call_events.c.call_id == sid).order_by(calls.call_events.c.id)
        with self.running.bridge.database.reading() as connection:
            return [row for row in connection.execute(query) if kind in (None, row.kind)]

    def counted(self, kind: str, outcome: str) -> float:
        labels = {"kind": kind, "outcome": outcome}
        return self.running.bridge.metrics.registry.get_sample_value("cti_webhooks_total", labels) or 0.0

    def change(self, agent_id: int, **values: object) -> None:
        with self.running.bridge.database.transaction() as connection:
            directory.change_agent(connection, agent_id, **values)
        self.running.bridge.directory.refresh()

    def change_line(self, number: str, **values: object) -> None:
        table = directory.lines
        with self.running.bridge.database.transaction() as connection:
            connection.execute(table.update().where(table.c.number == number).values(values))
        self.running.bridge.directory.refresh()

    def rung(self, call: Any) -> set[str]:
        """Whose telephones ring for a call, once they all do."""
        self.running.twilio.wait_for(lambda: call.legs and all(leg.status != "queued" for leg in call.legs))
        return {leg.to for leg in call.legs}

    def as_new(self) -> None:
        """Empty, with both agents free and everybody well-behaved."""
        live = self.running
        self.quiet()
        empty(live.bridge.database)
        live.sato, live.suzuki = people(live.bridge)
        for container in (live.crm.contacts, live.crm.activities, live.crm.logs, live.crm.asked):
            container.clear()
        with live.twilio.network.lock:
            live.twilio.network.problems.clear()
            live.twilio.network.parties.clear()

    def quiet(self) -> None:
        """Nobody calls any more and nothing is on its way."""
        live = self.running
        live.twilio.forgive()
        live.twilio.release()
        live.crm.trouble = None
        live.crm.gate.set()
        live.bridge.lookups.circuit.succeeded(0.0)
        for leg in live.twilio.legs():
            if leg.parent is None and not leg.ended:
                with suppress(NotPossible):
                    live.twilio.hang_up(leg)
        live.twilio.wait_until_delivered()
        live.twilio.wait_for(lambda: not any(leg.scripted for leg in live.twilio.legs()), what="all scripts to end")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def standing(request: pytest.FixtureRequest) -> Iterator[House]:
    database: Database = request.getfixturevalue(f"{request.param}_database")
    empty(database)
    with running(database) as started:
        yield House(started)


@pytest.fixture
def live(standing: House) -> Iterator[House]:
    standing.as_new()
    yield standing
    standing.quiet()


def at_once(*tasks: Any) -> None:
    """Do these at the same moment, each in a thread of its own, and wait for all."""
    gate = threading.Barrier(len(tasks))

    def run(task: Any) -> None:
        gate.wait(5)
        task()

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
