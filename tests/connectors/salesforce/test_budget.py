"""The request budget: told as a gauge, warned of before it is gone, kept for the call logs at its end."""

from __future__ import annotations

import json
import logging

import pytest

from cti_bridge.connectors.salesforce.budget import Budget
from cti_bridge.errors import ConnectorUnavailable, LookupSpared
from cti_bridge.model import Usage
from tests.connectors.salesforce.test_lookup import warm
from tests.contract import SAKURA, log
from tests.fakes.salesforce import FakeOrg, Kind
from tests.fakes.salesforce.trouble import ANSWERS
from tests.fakes.salesforce.wire import Answer


def test_the_gauge_shows_what_the_last_answer_told(org: FakeOrg) -> None:
    connector = warm(org)
    connector.find_contacts(SAKURA)

    assert connector.usage() == [Usage("api_requests", org.api_calls, 15_000)]


def test_at_95_per_cent_look_ups_are_spared_and_logs_still_written(org: FakeOrg) -> None:
    connector = warm(org)
    org.api_limit, org.api_calls = 1000, 960
    connector.find_contacts(SAKURA)

    with pytest.raises(LookupSpared):
        connector.find_contacts(SAKURA)
    connector.write_call_log(log())
    assert len(org.rows("Task")) == 1


def test_a_budget_that_is_gone_is_waited_for(org: FakeOrg) -> None:
    connector = warm(org)
    org.api_limit = org.api_calls
    with pytest.raises(ConnectorUnavailable, match="daily request limit") as told:
        connector.write_call_log(log())
    with pytest.raises(LookupSpared):
        connector.find_contacts(SAKURA)

    assert told.value.retry_after


def test_too_many_slow_requests_at_once_are_no_sign_of_a_day_used_up(
    org: FakeOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = warm(org)
    body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests Limit exceeded."}]
    monkeypatch.setitem(ANSWERS, Kind.LIMIT, Answer(403, body))
    with org.trouble(Kind.LIMIT, times=1), pytest.raises(ConnectorUnavailable):
        connector.write_call_log(log())

    assert connector.find_contacts(SAKURA) == []


def test_a_spared_look_up_is_let_through_now_and_then_to_see_whether_the_budget_is_back() -> None:
    now = [0.0]
    budget = Budget(lambda: now[0])
    budget.read("api-usage=99/100")

    assert [budget.spares_lookups() for _ in range(3)] == [True] * 3
    now[0] += 301
    assert [budget.spares_lookups() for _ in range(3)] == [False, True, True]
    budget.read("api-usage=50/100")
    assert not budget.spares_lookups()


def test_each_crossing_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    budget = Budget()
    with caplog.at_level(logging.WARNING):
        for used in (10, 79, 80, 81, 94, 95, 99, 100, 10, 85):
            budget.read(f"api-usage={used}/100")

    lines = [json.loads(record.getMessage()) for record in caplog.records]
    assert [(line["used"], line["lookups_spared"]) for line in lines] == [(80, False), (95, True), (85, False)]


@pytest.mark.parametrize(
    ("header", "usage"),
    [
        ("api-usage=18/5000", [Usage("api_requests", 18, 5000)]),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=bridge)", [Usage("api_requests", 25, 5000)]),
        ("per-app-api-usage=17/250(appName=bridge)", []),
        ("", []),
        ("nonsense", []),
        ("api-usage=5/0", []),
    ],
)
def test_the_header_is_read_in_all_its_forms(header: str, usage: list[Usage]) -> None:
    budget = Budget()
    budget.read(header)

    assert budget.usage() == usage
    assert not budget.spares_lookups()
