"""The bench measures, judges and tells. What it measured is never asserted: that is for people to read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cti_bridge.bench import crowd, history, kills, salesforce, table, webhook
from cti_bridge.bench.load import QUICK, Load
from cti_bridge.bench.machine import Lateness, watched
from cti_bridge.bench.run import MEASURES, measured
from cti_bridge.bench.scene import LINE, Office, sqlite_url
from cti_bridge.bench.table import NotMeasured, Row
from cti_bridge.bench.twilio import Twilio
from cti_bridge.store import Database, calls, numbers

TINY = replace(QUICK, requests=4, rounds=1, agents=3, pushes=1, kills=1, calls_killed=4)


@pytest.fixture(scope="module")
def twilio() -> Iterator[Twilio]:
    with Twilio() as process:
        yield process


def test_a_webhook_is_measured_beside_a_bare_one(twilio: Twilio, tmp_path: Path) -> None:
    judged, whole = webhook.cost(TINY, tmp_path, twilio, postgres=False)
    assert judged.kept is not None
    assert judged.numbers["ratio"] > 0
    assert whole.kept is None, "told for honesty, not judged"


def test_agents_are_connected_and_all_of_them_get_the_push(twilio: Twilio, tmp_path: Path) -> None:
    memory, push = crowd.crowd(TINY, tmp_path, twilio)
    assert memory.numbers["agents"] == 3
    assert push.numbers["last"] >= push.numbers["p50"] > 0


def test_no_log_is_lost_or_doubled_when_the_server_is_killed(twilio: Twilio, tmp_path: Path) -> None:
    (row,) = kills.survival(TINY, tmp_path, twilio)
    assert (row.measured, row.kept) == ("0 and 0", True)


def test_salesforce_is_asked_once_a_lookup_and_once_a_log_over_connections_that_stay(
    twilio: Twilio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(salesforce, "ROUND_TRIPS", (0.020,))
    looked_up, logged, ring, logged_without_field = salesforce.from_afar(TINY, tmp_path, twilio)
    assert looked_up.measured == "1.00 and 0.00"
    assert looked_up.numbers["bare"] >= 0.020, "the proxy delays less than it says"
    assert looked_up.numbers["p95"] >= looked_up.numbers["bare"] * 0.9
    assert logged.measured == "1.00 and 0.00"
    assert logged_without_field.measured == "2.00 and 0.00"
    assert ring.numbers["p95"] >= ring.numbers["p50"]


def test_the_written_history_is_one_that_the_bridge_can_read(tmp_path: Path) -> None:
    office = Office.found(sqlite_url(tmp_path, "history.db"), tmp_path, agents=1)
    history.remember(tmp_path / "history.db", office, calls=30, known=5)
    database = Database(office.url)
    with database.reading() as connection:
        last = calls.get(connection, f"CA{7:032x}")
        known = numbers.recall(connection, history.CONNECTOR, "+819010000004")
        unknown = numbers.recall(connection, history.CONNECTOR, "+819010000005")
    database.close()
    assert last is not None
    assert (last.call.answered, last.call.line_number, last.contact_name) == (True, LINE, "山田 太郎")
    assert (last.caller.number, last.call.agent_id) == ("+819010000007", office.agents[0].id)
    assert known is not None
    assert known.contacts[0].numbers[0].text == "+819010000004"
    assert unknown is None


def test_what_cannot_be_measured_says_why_and_does_not_end_the_rest() -> None:
    def without_postgres(_load: Load, _folder: Path, _twilio: Twilio) -> list[Row]:
        raise NotMeasured("no PostgreSQL answers")

    rows = list(measured(TINY, {"first": without_postgres, "second": lambda *_: [Row("second", kept=True)]}))
    assert [(row.measured, row.note, row.verdict) for row in rows] == [
        ("not measured", "no PostgreSQL answers", "-"),
        ("", "", "kept"),
    ]


def test_every_budget_of_the_design_has_its_measurement() -> None:
    assert len(MEASURES) == 9


def test_a_busy_machine_is_no_reason_to_say_that_a_budget_was_missed() -> None:
    with watched() as lateness:
        pass
    assert lateness.p99 >= 0
    busy = Lateness()
    busy.p99 = 0.010
    assert busy.verdict(0.019, 0.020) == (True, "")
    kept, why = busy.verdict(0.030, 0.020)
    assert kept is None
    assert "busy with others" in why
    assert Lateness().verdict(0.030, 0.020) == (False, "")


def test_the_table_shows_every_row_with_its_note_and_the_file_every_number(tmp_path: Path) -> None:
    rows = [
        Row("Webhook", "≤ 2 × bare", "900 µs", "1.80 ×", True, "Whole process.", {"ratio": 1.8}),
        Row("着信", "≤ 20 ms", "31.0 ms", "1.55", False),
        Row.unmeasured("PostgreSQL", "none answers"),
    ]
    shown = table.text(rows).splitlines()
    assert shown[0].split() == ["what", "budget", "measured", "ratio", "verdict"]
    assert shown[2].endswith("kept")
    assert shown[3].strip() == "Whole process."
    assert shown[4].endswith("MISSED")
    assert "not measured" in shown[5]
    table.write_json(tmp_path / "bench.json", rows, {"cores": 2})
    told = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert told["cores"] == 2
    assert [(row["what"], row["verdict"]) for row in told["rows"]][1] == ("着信", "MISSED")
    assert told["rows"][0]["numbers"] == {"ratio": 1.8}


def test_a_percentile_needs_something_to_be_of() -> None:
    assert table.percentile([3.0], 99) == 3.0
    assert table.percentile([float(n) for n in range(101)], 95) == 95.0
    with pytest.raises(NotMeasured):
        table.percentile([], 50)
