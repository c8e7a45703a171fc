"""kill -9 of web and worker processes at random moments while the CRM misbehaves: every call's log is there, once."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from cti_bridge.backlog import Backlog
from cti_bridge.live.hub import Hub
from cti_bridge.store import Database
from tests.drills.conftest import LONG, Size
from tests.drills.house import Balancer, Process, Web, Worker, settings, staff
from tests.drills.phones import Caller, World, callers
from tests.drills.troubles import BadDay, salesforce
from tests.fakes.salesforce import FakeOrg

SETTLED = 90.0

EMBEDDED = Size(calls=200, kills=24, faults=300) if LONG else Size(calls=24, kills=2, faults=40)
SCALED = Size(calls=300, kills=40, faults=400) if LONG else Size(calls=36, kills=3, faults=50)


@pytest.mark.parametrize("way", ["external id", "CallObject"])
def test_one_process_on_sqlite_is_killed_again_and_again(
    way: str, sqlite: Database, org: FakeOrg, chance: random.Random, tmp_path: Path
) -> None:
    if way == "external id":
        org.add_field("Activity", "CTI_Call_SID__c", external_id=True, unique=True, length=34)
    calls = known(org, callers(EMBEDDED.calls))
    [email, _] = staff(sqlite)
    with Balancer() as house, ExitStack() as closing:
        web = Web("web", tmp_path, settings(house.url, sqlite, **salesforce(org)))
        house.ports = [web.port]
        closing.callback(web.kill)
        web.start()
        web.wait()
        world = World(house.url, email)
        with BadDay(org, chance, EMBEDDED.faults) as day, Reaper([web], chance, EMBEDDED.kills) as reaper:
            world.play(calls)
        report(calls, org, sqlite, reaper, day, world)


def test_three_web_processes_and_two_workers_on_postgres_are_killed_again_and_again(
    postgres: Database, org: FakeOrg, chance: random.Random, tmp_path: Path
) -> None:
    org.add_field("Activity", "CTI_Call_SID__c", external_id=True, unique=True, length=34)
    calls = known(org, callers(SCALED.calls))
    [email, _] = staff(postgres)
    with Balancer() as house, ExitStack() as closing:
        environment = settings(house.url, postgres, **salesforce(org))
        webs = [Web(f"web-{number}", tmp_path, {**environment, "CTI_OUTBOX_IN_WEB": "no"}) for number in range(3)]
        workers = [Worker(f"worker-{number}", tmp_path, environment) for number in range(2)]
        house.ports = [web.port for web in webs]
        everybody: list[Process] = [*webs, *workers]
        for process in everybody:
            closing.callback(process.kill)
            process.start()
        for web in webs:
            web.wait()
        world = World(house.url, email)
        with BadDay(org, chance, SCALED.faults) as day, Reaper(everybody, chance, SCALED.kills) as reaper:
            world.play(calls)
        report(calls, org, postgres, reaper, day, world)


class Reaper:
    """Kills one of the processes at moments that nobody chose, and starts it again, so many times."""

    def __init__(self, processes: Sequence[Process], chance: random.Random, kills: int) -> None:
        self._processes = processes
        self._chance = random.Random(chance.random())
        self._kills = kills
        self._moment = threading.Event()
        self._problem: AssertionError | None = None
        self._thread = threading.Thread(target=self._run, name="reaper", daemon=True)

    def __enter__(self) -> Reaper:
        self._thread.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        """Raises what kept it from its work, which explains whatever went wrong beside it."""
        self._thread.join()  # the last kills come when the calls are over and their logs are being written
        if self._problem:
            raise self._problem

    @property
    def kills(self) -> int:
        return sum(process.kills for process in self._processes)

    def _run(self) -> None:
        try:
            self._reap()
        except AssertionError as problem:  # raised where the drill waits for us
            self._problem = problem

    def _reap(self) -> None:
        for _ in range(self._kills):
            doomed = self._chance.choice(self._processes)
            if isinstance(doomed, Web):
                doomed.wait()  # a process that has not come up yet is nothing to kill
            self._moment.wait(self._chance.uniform(0.05, 1.2))  # nobody ever sets it: a moment that nobody chose
            doomed.kill()
            doomed.start()


def known(org: FakeOrg, calls: list[Caller]) -> list[Caller]:
    """Put every other caller into the CRM."""
    for caller in calls[::2]:
        org.insert("Contact", LastName=f"顧客{caller.number[-4:]}", MobilePhone="0" + caller.number[3:])
    return calls


def report(calls: list[Caller], org: FakeOrg, database: Database, reaper: Reaper, day: BadDay, world: World) -> None:
    """Wait until nothing is left to write, then count what the CRM has; say it in one line."""
    backlog = Backlog(database, Hub())
    until(lambda: not any(backlog.figures().standing.values()), lambda: f"{backlog.figures()}; {day.faults}")
    tasks = org.rows("Task")
    copies = Counter(task["CallObject"] for task in tasks)
    lost = [caller.call_id for caller in calls if not copies[caller.call_id]]
    doubled = [call_id for call_id, count in copies.items() if count > 1]
    print(
        f"\ncalls {len(calls)}, kills {reaper.kills}, faults {day.count} {day.faults}, webhooks and requests sent again "
        f"{world.resent}, writes {org.count('sobjects/Task')}, lost {len(lost)}, doubled {len(doubled)}"
    )
    assert not lost, f"{len(lost)} logs were lost"
    assert not doubled, f"{len(doubled)} logs were doubled"
    assert len(tasks) == len(calls), "the CRM has logs of calls that nobody made"
    people = {row["MobilePhone"]: row["Id"] for row in org.rows("Contact")}
    written = {task["CallObject"]: task for task in tasks}
    for caller in calls:
        task = written[caller.call_id]
        assert caller.notes[-1] in task["Description"], f"an older note stands in the CRM: {task['Description']}"
        assert task["WhoId"] == people.get("0" + caller.number[3:]), "the log hangs at the wrong contact"
        assert task["CallDisposition"] == "対応完了"
    assert all("<Dial" in answer or "<Say" in answer or "<Play" in answer for answer in world.answers)
    assert reaper.kills, "nothing was killed: the drill has shown nothing"
    assert day.count, "the CRM had no trouble: the drill has shown nothing"


def until(test: Callable[[], bool], what: Callable[[], object], seconds: float = SETTLED) -> None:
    """Wait for what nobody announces."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not test():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s; {what()}"
        pause.wait(0.05)
