"""Years of calls: whether a call costs more when a million are stored, and finding a number among a million."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from cti_bridge.bench.load import Load
from cti_bridge.bench.processes import Server, difference
from cti_bridge.bench.scene import LINE, Office, sqlite_url
from cti_bridge.bench.screens import Screens
from cti_bridge.bench.table import NotMeasured, Row
from cti_bridge.bench.twilio import Twilio, customers, hang_ups, rings
from cti_bridge.model import (
    Call,
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
from cti_bridge.store import Database, numbers
from cti_bridge.store.calls import Lookup, LookupState
from cti_bridge.store.codec import dump

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
    time.sleep(0.3)
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

_COUNTING = "WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count) "
_CALL = "printf('CA%032x', i)"
_NUMBER = "'+8190' || (10000000 + i % :callers)"
_AT = "datetime(:newest - (:count - i) * :step + {}, 'unixepoch') || '.000000'"
_CALLS = f"""INSERT INTO calls (id, version, changed_at, facts, direction, line_number, caller_kind, caller_number,
    caller_raw, agent_id, started_at, answered_at, ended_at, outcome, note, disposition, completed_at, lookup,
    contact_id, contact_name)
  SELECT {_CALL}, 6, {_AT.format(300)}, replace(:facts, '@', {_CALL}), 'inbound', :line, 'number', {_NUMBER},
    {_NUMBER}, :agent, {_AT.format(0)}, {_AT.format(9)}, {_AT.format(200)}, 'answered', :note, 'resolved',
    {_AT.format(260)}, :lookup, 'c' || (i % :callers), '山田 太郎' FROM n"""  # noqa: S608
_EVENTS = f"""INSERT INTO call_events (key, call_id, kind, received_at, parameters, answer)
  SELECT {_CALL} || ':incoming:' || {_CALL} || ':', {_CALL}, 'incoming', {_AT.format(0)}, '{{}}', '' FROM n"""  # noqa: S608
_RINGS = f"INSERT INTO rings (call_id, agent_id, rung_at) SELECT {_CALL}, :agent, {_AT.format(0)} FROM n"  # noqa: S608
_LOGS = f"""INSERT INTO outbox (call_id, kind, state, revision, attempts, failures, run_at, leased, created_at)
  SELECT {_CALL}, 'call_log', 'delivered', 1, 1, 0, {_AT.format(260)}, 0, {_AT.format(200)} FROM n"""  # noqa: S608
_INDEX = f"""INSERT INTO number_index (number, connector, contacts, fetched_at)
  SELECT '+8190' || (10000000 + i), '{CONNECTOR}', replace(:contacts, '@', 10000000 + i), :yesterday FROM n"""  # noqa: S608


def remember(file: Path, office: Office, *, calls: int, known: int) -> None:
    """Write a history straight into the office's SQLite file: calls that are over, evenly spread up to yesterday."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    contact = Contact("c1", ContactKind.PERSON, "山田 太郎", numbers=(ContactNumber("携帯", "+8190@"),))
    lookup = Lookup(LookupState.DONE, "crm", fetched_at=yesterday, matches=(Match(contact, "携帯", "+8190@"),))
    values = {
        "callers": CALLERS,
        "newest": int(yesterday.timestamp()),
        "step": YEARS.total_seconds() / calls,
        "yesterday": yesterday.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "line": LINE,
        "agent": office.agents[0].id,
        "note": "ご注文の件。明日までに折り返す。",
        "facts": json.dumps(dump(_answered_call(yesterday, office.agents[0].id))),
        "lookup": json.dumps(dump(lookup), ensure_ascii=False),
        "contacts": json.dumps([dump(contact)], ensure_ascii=False),
    }
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-400000")
        connection.execute("BEGIN")
        for statement in (_CALLS, _EVENTS, _RINGS, _LOGS):
            connection.execute(_COUNTING + statement, {**values, "count": calls})
        connection.execute(_COUNTING + _INDEX, {**values, "count": known})
        connection.execute("COMMIT")


def _answered_call(at: datetime, agent_id: int) -> Call:
    """An ordinary call's facts; ``@`` stands for its id."""
    rung = CallEvent(
        "1",
        EventKind.INCOMING,
        "@",
        "@",
        at,
        LegStatus.RINGING,
        LegRole.PARTY,
        direction=Direction.INBOUND,
        line_number=LINE,
        party="+819010000000",
        rung=frozenset({agent_id}),
    )
    answered = CallEvent("2", EventKind.STATUS, "@", "@1", at, LegStatus.IN_PROGRESS, LegRole.AGENT, agent_id=agent_id)
    over = replace(answered, status=LegStatus.COMPLETED, duration=timedelta(minutes=3))
    return Call.of("@", (rung, answered, over, replace(rung, status=LegStatus.COMPLETED)))
