"""Strangers at Twilio's doors: always a 403, however many; the log is not theirs to fill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO

import pytest

from cti_bridge.store import Database
from cti_bridge.twilio import webhooks
from tests.conftest import empty
from tests.desk import Desk, at_desk
from tests.running import logging_to


@pytest.fixture
def desk(sqlite_database: Database) -> Iterator[Desk]:
    empty(sqlite_database)
    with at_desk(sqlite_database) as opened:
        yield opened


def knock(desk: Desk, times: int) -> list[int]:
    forged = {"X-Twilio-Signature": "bm90IG91cnM="}
    answers = [desk.client.post("/twilio/voice/incoming", data={"CallSid": "x"}, headers=forged) for _ in range(times)]
    return [answer.status_code for answer in answers]


def test_wrong_signatures_are_refused_every_time_and_logged_now_and_then(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with logging_to(stream := StringIO()):
        assert knock(desk, 300) == [403] * 300, "never a 429: Twilio itself may have the wrong secret for a while"
        monkeypatch.setattr(webhooks, "REFUSALS_TOLD_EVERY", 0.0)
        assert knock(desk, 1) == [403]
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    times = [line["times"] for line in told if line["event"] == "signature_refused"]
    assert times[0] == 1, "the first is told at once"
    assert len(times) <= 4, "and the others together"
    assert sum(times) == 301, "none is lost"
