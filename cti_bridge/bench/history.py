"""Years of calls: whether a call costs more when a million are stored, and finding a number among a million."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import Table

from cti_bridge.bench.load import Load
from cti_bridge.bench.processes import Server, difference
from cti_bridge.bench.scene import LINE, Office, sqlite_url
from cti_bridge.bench.screens import Screens
from cti_bridge.bench.table import NotMeasured, Row
from cti_bridge.bench.twilio import Twilio, customers, hang_ups, rings
from cti_bridge.model import (
    Call,
    Caller,
    CallerKind,
    CallEvent,
    Contact,
    ContactKind,
    ContactNumber,
    Direction,
    EventKind,
    LegRole,
    LegStatus,
    Match,
)
from cti_bridge.store import Database, numbers, outbox
from cti_bridge.store import calls as stored
from cti_bridge.store.calls import Lookup, LookupState

FLAT = 1.25
"""What still counts as flat: processor time on a shared machine scatters by a tenth or two."""

YEARS = timedelta(days=730)
CALLERS = 100_000
"""Different callers in the history at most: each has called about ten times by the millionth call."""

CONNECTOR = "bench"
FINDS = 2_000


def flatness(load: Load, folder: Path, twilio: Twilio) -> list[Row]:
    """Two offices, alike but for their history, rung in turns."""
    sizes = ((load.few_calls, load.few_numbers), (load.many_calls, load.many_numbers))
    offices = []
    began = time.perf_counter()
    for name, (calls, known) in zip(("few", "many"), sizes, strict=True):
        office = Office.found(sqlite_url(folder, f"{name}.db"), folder, agents=1)
        remember(folder / f"{name}.db", office, calls=calls, known=known)
        offices.append(office)
    filled = time.perf_counter() - began
    found = [_find(office, known) for office, (_, known) in zip(offices, sizes, strict=True)]
    with ExitStack() as stack:
        bridges = [stack.enter_context(office.bridge()) for office in offices]
        for bridge, office in zip(bridges, offices, strict=True):
            stack.enter_context(Screens(bridge.url, office.tickets()))
            _calls(bridge, twilio, 60, turn=0)
        costs = [
            [_calls(bridge, twilio, load.requests // 2, turn=turn + 1) for bridge in bridges]
            for turn in range(load.rounds)
        ]
    few, many = (median(round_[n] for round_ in costs) for n in (0, 1))
    ratio = median(round_[1] / round_[0] for round_ in costs)
    found_few, found_many = found
    return [
        Row(
            f"A call with {load.many_calls:,} stored, beside {load.few_calls:,}",
            f"flat (≤ {FLAT} ×)",
            f"{many * 1e6:.0f} µs CPU",
            f"{ratio:.2f} ×",
            ratio <= FLAT,
            f"Whole server process for ring, lookup, cards and hang-up of one call on SQLite; with {load.few_calls:,}: "
            f"{few * 1e6:.0f} µs. The history (one event, one ring and one log each, written in {filled:.0f} s) spans "
            f"two years and up to {CALLERS:,} callers.",
            {"few_seconds": few, "many_seconds": many, "ratio": ratio},
        ),
        Row(
            f"Index lookup among {load.many_numbers:,} numbers, beside {load.few_numbers:,}",
            f"flat (≤ {FLAT} ×)",
            f"{found_many * 1e6:.0f} µs CPU",
            f"{found_many / found_few:.2f} ×",
            found_many / found_few <= FLAT,
            f"Median of {FINDS} numbers at random through the bridge's own query, read into contacts; among the few: "
            f"{found_few * 1e6:.0f} µs.",
            {"few_seconds": found_few, "many_seconds": found_many, "ratio": found_many / found_few},
        ),
    ]


def _calls(bridge: Server, twilio: Twilio, count: int, *, turn: int) -> float:
    """Processor seconds of a whole short call, from callers that the history knows."""
    calls = rings(customers(count, first=turn * count))
    before = bridge.spent()
    sent = twilio.send(bridge.url, [webhook for pair in zip(calls, hang_ups(calls), strict=True) for webhook in pair])
    if any(one.status not in (200, 204) for one in sent):
        raise NotMeasured("the bridge refused webhooks")
    time.sleep(0.3)  # lookups and cards of the last calls are spent behind their answers
    return difference(before, bridge.spent()).total / count


def _find(office: Office, known: int) -> float:
    database = Database(office.url)
    chooser = random.Random(known)  # noqa: S311  (any numbers will do)
    taken = []
    with database.reading() as connection:
        for number in (customers(1, first=chooser.randrange(known))[0] for _ in range(FINDS)):
            began = time.thread_time()
            remembered = numbers.recall(connection, CONNECTOR, number)
            taken.append(time.thread_time() - began)
            if remembered is None:
                raise NotMeasured(f"{number} is not in the index")
    database.close()
    return median(taken)


# ── the history ──────────────────────────────────────────────────────────────────────────────────────────────────────

SAMPLE = "CA-sample"
_COUNTING = "WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count) "
_CALL = "printf('CA%032x', i)"
_NUMBER = "'+8190' || (10000000 + i % :callers)"


def _after(seconds: int) -> str:
    """When something happened in the i-th call, so many seconds after it began, as SQLite keeps a moment."""
    return f"datetime(:newest - (:count - i) * :step + {seconds}, 'unixepoch') || '.000000'"


_DIFFERENT: dict[Table, dict[str, str]] = {
    stored.calls: {
        "id": _CALL,
        "facts": f"replace(facts, '{SAMPLE}', {_CALL})",
        "caller_number": _NUMBER,
        "caller_raw": _NUMBER,
        "started_at": _after(0),
        "answered_at": _after(9),
        "ended_at": _after(200),
        "completed_at": _after(260),
        "changed_at": _after(300),
    },
    stored.call_events: {"key": f"{_CALL} || ':incoming:'", "call_id": _CALL, "received_at": _after(0)},
    stored.rings: {"call_id": _CALL, "rung_at": _after(0)},
    outbox.outbox: {"call_id": _CALL, "run_at": _after(260), "created_at": _after(200), "delivered_at": _after(261)},
}
"""What tells one call of the history from the next, as SQL of its place ``i``; the rest is the sample's."""


def remember(file: Path, office: Office, *, calls: int, known: int) -> None:
    """Fill the office's SQLite file: calls that are over, evenly spread up to yesterday, copied from one sample."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    _write_sample(office, yesterday)
    values = {"callers": CALLERS, "newest": int(yesterday.timestamp()), "step": YEARS.total_seconds() / calls}
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-400000")
        connection.execute("BEGIN")
        for table, different in _DIFFERENT.items():
            whose = "id" if table is stored.calls else "call_id"
            copy = _copy(table, different, f"{whose} = '{SAMPLE}'")
            connection.execute(copy, {**values, "count": calls})
        different = {"number": "'+8190' || (10000000 + i)", "contacts": "replace(contacts, '@', 10000000 + i)"}
        connection.execute(_copy(numbers.number_index, different, "number = '@'"), {"count": known})
        connection.execute("COMMIT")


def _copy(table: Table, different: dict[str, str], sample: str) -> str:
    """INSERT so many copies of the table's sample row; a numbered id counts on by itself."""
    names = [column.name for column in table.columns if column is not table.autoincrement_column]
    said = ", ".join(different.get(name, name) for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    return f"{_COUNTING} INSERT INTO {table.name} ({columns}) SELECT {said} FROM {table.name}, n WHERE {sample}"  # noqa: S608


def _write_sample(office: Office, at: datetime) -> None:
    """One ordinary call with all that belongs to it, written as the bridge writes it."""
    database = Database(office.url)
    agent_id = office.agents[0].id
    rung = CallEvent(
        key="sample",
        kind=EventKind.INCOMING,
        call_id=SAMPLE,
        leg_id=SAMPLE,
        at=at,
        status=LegStatus.RINGING,
        role=LegRole.PARTY,
        direction=Direction.INBOUND,
        line_number=LINE,
        party="+819010000000",
        rung=frozenset({agent_id}),
    )
    answered = CallEvent(
        "2", EventKind.STATUS, SAMPLE, f"{SAMPLE}-1", at, LegStatus.IN_PROGRESS, LegRole.AGENT, agent_id=agent_id
    )
    over = replace(answered, status=LegStatus.COMPLETED, duration=timedelta(minutes=3))
    call = Call.of(SAMPLE, (rung, answered, over, replace(rung, status=LegStatus.COMPLETED)))
    contact = Contact("c1", ContactKind.PERSON, "山田 太郎", numbers=(ContactNumber("携帯", "+8190@"),))
    record = stored.CallRecord(
        call,
        Caller(CallerKind.NUMBER, "+819010000000", "+819010000000"),
        note="ご注文の件。明日までに折り返す。",
        disposition="resolved",
        completed_at=at,
        lookup=Lookup(LookupState.DONE, "crm", fetched_at=at, matches=(Match(contact, "携帯", "+8190@"),)),
        contact_id=contact.id,
        contact_name=contact.name,
    )
    with database.transaction() as connection:
        stored.save(connection, record, at)
        stored.add_event(connection, rung, {"CallSid": SAMPLE}, "", at)
        stored.add_rings(connection, SAMPLE, [agent_id], at)
        outbox.put(connection, SAMPLE, "call_log", run_at=at, now=at)
        (entry,) = outbox.claim(connection, now=at, lease=timedelta(minutes=1), limit=1)
        outbox.deliver(connection, entry, record_id="log", record_url=None, now=at)
        numbers.remember(connection, CONNECTOR, "@", (contact,), at)
    database.close()
