"""What an installation must bear: calls spread over processes, a database that cuts everybody off, a full disk, SIGTERM."""

from __future__ import annotations

import json
import random
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest

from cti_bridge.backlog import Backlog
from cti_bridge.live.hub import Hub
from cti_bridge.store import Database, migrate
from cti_bridge.store import outbox as entries
from cti_bridge.store.outbox import OutboxState
from tests.conftest import POSTGRES
from tests.drills.conftest import LONG
from tests.drills.house import Balancer, Web, Worker, settings, staff
from tests.drills.phones import Caller, Refused, World, callers
from tests.drills.test_kills import until
from tests.drills.troubles import salesforce
from tests.fakes.salesforce import FakeOrg, Kind
from tests.running import Screen

CUTS = 40 if LONG else 4
CALLS = 200 if LONG else 16


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def house() -> Iterator[Balancer]:
    with Balancer() as opened:
        yield opened


def test_a_call_rings_at_one_process_pops_at_another_and_is_logged_by_a_third(
    postgres: Database, org: FakeOrg, house: Balancer, closing: ExitStack, tmp_path: Path
) -> None:
    [email, _] = staff(postgres)
    environment = settings(house.url, postgres, **salesforce(org))
    webs = [Web(f"web-{number}", tmp_path, {**environment, "CTI_OUTBOX_IN_WEB": "no"}) for number in range(3)]
    workers = [Worker(f"worker-{number}", tmp_path, environment) for number in range(2)]
    for process in (*webs, *workers):
        closing.callback(process.kill)
        process.start()
    for web in webs:
        web.wait()
    house.ports = [web.port for web in webs]
    ringing, popping, noting = webs
    world, [caller] = World(house.url, email), callers(1)
    screen = Screen(popping.url, house.url, email)
    closing.callback(screen.close)
    answer = world.ring(caller, at=ringing.url)
    assert "<Dial" in answer
    screen.card(caller.call_id, "the card at another process than the one that rang")
    world.hang_up(caller, at=ringing.url)
    world.url = noting.url  # the agent's notes go to the third
    world.sign_in()
    world.note(caller.call_id, "三台にまたがる通話")

    def delivered() -> str:
        log = screen.calls[caller.call_id]["log"]
        return str(log["url"]) if log["state"] == "delivered" else ""

    link = screen.wait_for(delivered, "the card to say that the CRM has the log")
    [task] = org.rows("Task")
    assert task["Id"] in link
    assert "三台にまたがる通話" in task["Description"]
    assert [_delivered_by(process, caller) for process in webs] == [False] * 3
    assert any(_delivered_by(process, caller) for process in workers)
    assert [process.stop() for process in (*webs, *workers)] == [0] * 5, "a process did not end well"


def test_every_connection_to_postgres_is_cut_again_and_again_and_pops_and_logs_go_on(
    postgres: Database, org: FakeOrg, house: Balancer, closing: ExitStack, chance: random.Random, tmp_path: Path
) -> None:
    org.add_field("Activity", "CTI_Call_SID__c", external_id=True, unique=True, length=34)
    [email, _] = staff(postgres)
    web = Web("web", tmp_path, settings(house.url, postgres, **salesforce(org)))
    house.ports = [web.port]
    closing.callback(web.kill)
    web.start()
    web.wait()
    calls, over = callers(CALLS), threading.Event()
    world = Tolerant(house.url, email)
    screen = Screen(web.url, house.url, email)
    closing.callback(screen.close)
    cut = Counter[str]()

    def cut_everybody() -> None:
        for _ in range(CUTS):
            over.wait(chance.uniform(0.1, 0.8))
            cut["connections"] += terminate_all(postgres)

    cutting = threading.Thread(target=cut_everybody)
    cutting.start()
    world.play(calls)
    cutting.join()
    [after] = callers(1)
    world.call(after)  # nothing is cut any more: this one pops, is noted and logged as ever
    screen.card(after.call_id, "a card after the connections were cut")
    backlog = Backlog(postgres, Hub())
    until(lambda: not any(backlog.figures().standing.values()), backlog.figures)
    everything = [*calls, after]
    copies = Counter(task["CallObject"] for task in org.rows("Task"))
    print(
        f"\ncalls {len(everything)}, connections cut {cut['connections']} in {CUTS} strokes, sent again {world.resent}, "
        f"lost {sum(not copies[one.call_id] for one in everything)}, "
        f"doubled {sum(count > 1 for count in copies.values())}"
    )
    assert copies == Counter(caller.call_id for caller in everything)
    assert cut["connections"] > CUTS, "hardly anything was cut: the drill has shown nothing"
    shown = set(screen.calls)
    kept = {caller.call_id for caller in everything if caller.call_id not in world.answered_from_memory}
    if len(kept) <= 50:  # a screen shows so many
        screen.wait_for(lambda: kept <= set(screen.calls), f"the cards of {kept - shown}")


class Tolerant(World):
    """Calls that were answered from memory, while the database was gone, ring nobody on record: no agent may note them."""

    def __init__(self, url: str, email: str) -> None:
        super().__init__(url, email)
        self.answered_from_memory: set[str] = set()

    def note(self, call_id: str, note: str) -> None:
        try:
            super().note(call_id, note)
        except Refused:
            self.answered_from_memory.add(call_id)


def test_a_full_disk_silences_no_caller_and_loses_no_accepted_call(
    org: FakeOrg, house: Balancer, closing: ExitStack, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("No small disk can be mounted here; SQLite's own limit is tested in tests/twilio/test_trouble.py.")
    closing.callback(lambda: subprocess.run(["umount", "--lazy", disk], check=True))
    database = Database(f"sqlite:///{disk / 'bridge.db'}")
    closing.callback(database.close)
    migrate.upgrade(database)
    [email, _] = staff(database)
    web = Web("web", tmp_path, settings(house.url, database, **salesforce(org)))
    house.ports = [web.port]
    closing.callback(web.kill)
    web.start()
    web.wait()
    world = World(house.url, email)
    before, during, after = callers(3)
    world.play([before])
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as full:
        while True:
            full.write(b"\0" * 1024)
    assert "<Dial" in world.ring(during), "a caller met silence because the disk was full"
    filler.unlink()
    world.hang_up(during)
    world.play([after])
    until(lambda: len(org.rows("Task")) == 3, lambda: [task["CallObject"] for task in org.rows("Task")])
    assert Counter(task["CallObject"] for task in org.rows("Task")) == Counter(
        caller.call_id for caller in (before, during, after)
    )


def test_a_worker_that_is_told_to_stop_finishes_what_it_has_begun(
    postgres: Database, org: FakeOrg, house: Balancer, closing: ExitStack, tmp_path: Path
) -> None:
    [email, _] = staff(postgres)
    environment = settings(house.url, postgres, **{**salesforce(org), "SALESFORCE_TIMEOUT_SECONDS": "15"})
    web = Web("web", tmp_path, {**environment, "CTI_OUTBOX_IN_WEB": "no"})
    worker = Worker("worker", tmp_path, environment)
    house.ports = [web.port]
    for process in (web, worker):
        closing.callback(process.kill)
        process.start()
    web.wait()
    with org.trouble(Kind.HOLD, method="POST", path="sobjects/Task") as held:
        World(house.url, email).play([Caller("+819020000000", notes=())])
        held.wait_for(1, timeout=60)
        ended: list[int] = []
        stopping = threading.Thread(target=lambda: ended.append(worker.stop()))
        stopping.start()
        until(lambda: _stopping(worker), lambda: "the worker to hear SIGTERM")
        assert stopping.is_alive()
        held.open()
        stopping.join(40)
    assert ended == [0], worker.last_words()
    with postgres.reading() as connection:
        [entry] = entries.entries_in(connection, OutboxState.DELIVERED)
    assert (entry.attempts, entry.leased) == (1, False)
    assert len(org.rows("Task")) == 1


def _stopping(worker: Worker) -> bool:
    return "outbox_stopping" in worker.text()


def _delivered_by(process: Web | Worker, caller: Caller) -> bool:
    lines = [json.loads(line) for line in process.text().splitlines() if line.startswith("{")]
    return any(line["event"] == "log_delivered" and line["call"] == caller.call_id for line in lines)


def terminate_all(database: Database) -> int:
    """What a restart of PostgreSQL does to its clients: every connection to this database is gone; how many they were."""
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
        row = server.execute(query, (database.url.database,)).fetchone()
    return int(row[0]) if row else 0
