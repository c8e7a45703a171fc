"""Salesforce's errors: which are tried again, which are told, and what is never told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from cti_bridge.connectors.salesforce.problems import SalesforceRefused, sign_in_refused, translate
from cti_bridge.errors import ConnectorUnavailable


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (503, "SERVER_UNAVAILABLE"),
        (500, "UNKNOWN_EXCEPTION"),
        (400, "UNABLE_TO_LOCK_ROW"),
        (400, "QUERY_TIMEOUT"),
        (403, "REQUEST_LIMIT_EXCEEDED"),
        (429, ""),
        (401, "INVALID_SESSION_ID"),
        (502, ""),
    ],
)
def test_what_waiting_can_mend_is_unavailable(status: int, code: str) -> None:
    problem = translate(status, [{"errorCode": code, "message": "山本 さくら 080-0000-1223"}])

    assert isinstance(problem, ConnectorUnavailable)
    assert "さくら" not in str(problem), "an outage is logged, so it must not quote what may be a customer's data"


@pytest.mark.parametrize(
    "code",
    [
        "REQUIRED_FIELD_MISSING",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INVALID_FIELD",
        "STRING_TOO_LONG",
        "DUPLICATE_VALUE",
    ],
)
def test_what_waiting_cannot_mend_is_refused_in_salesforces_own_words(code: str) -> None:
    problem = translate(400, [{"errorCode": code, "message": "担当部署を入力してください", "fields": ["Dept__c"]}])

    assert isinstance(problem, SalesforceRefused)
    assert (problem.code, problem.fields) == (code, ("Dept__c",))
    assert "担当部署を入力してください" in str(problem)


def test_a_day_without_requests_left_is_waited_for_not_hammered() -> None:
    problem = translate(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}])

    assert isinstance(problem, ConnectorUnavailable)
    assert problem.retry_after is not None
    assert problem.retry_after >= timedelta(minutes=10)


@pytest.mark.parametrize(
    "said",
    ["ConcurrentRequests (Concurrent API Requests) Limit exceeded.", "ConcurrentPerOrgLongTxn Limit exceeded."],
)
def test_too_many_slow_requests_at_once_are_over_soon(said: str) -> None:
    problem = translate(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": said}])

    assert isinstance(problem, ConnectorUnavailable)
    assert problem.retry_after == timedelta(seconds=20)


def test_retry_after_is_read_in_seconds_and_as_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)

    in_seconds, as_date = translate(503, None, "120"), translate(503, None, later)

    assert isinstance(in_seconds, ConnectorUnavailable)
    assert isinstance(as_date, ConnectorUnavailable)
    assert in_seconds.retry_after == timedelta(seconds=120)
    assert as_date.retry_after is not None
    assert timedelta(minutes=9) < as_date.retry_after <= timedelta(minutes=10)


@pytest.mark.parametrize("body", [None, [], {}, "text", [None], {"error": "invalid_token"}, [{"errorCode": None}], 7])
def test_a_body_of_any_shape_is_understood(body: object) -> None:
    assert isinstance(translate(401, body), ConnectorUnavailable)
    assert isinstance(translate(400, body), SalesforceRefused)


def test_a_duplicate_tells_which_records_are_there() -> None:
    matches = {"matchResults": [{"matchRecords": [{"record": {"Id": "0035g00000000001AAA"}}, {"record": None}]}]}
    problem = translate(
        400, [{"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "duplicateResult": matches}]
    )

    assert isinstance(problem, SalesforceRefused)
    assert problem.ids == ("0035g00000000001AAA",)
    assert "重複ルール" in str(problem)
    assert "duplicate rules" in str(problem)


@pytest.mark.parametrize(
    "code", ["invalid_client", "invalid_client_id", "invalid_grant", "unsupported_grant_type", "new_one"]
)
def test_a_refused_sign_in_names_the_mend_and_may_be_tried_again(code: str) -> None:
    problem = sign_in_refused(code, "user hasn't approved this consumer")

    assert code in str(problem)
    assert "user hasn't approved" in str(problem)
    assert problem.retry_after
