"""The fake org in trouble, and several calls in one: outages, cut lines, lost answers, composites."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.fakes.salesforce import FakeOrg, Kind

V = "/services/data/v66.0"


@pytest.fixture
def org() -> Iterator[FakeOrg]:
    with FakeOrg() as org:
        yield org


@pytest.fixture
def session(org: FakeOrg) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {org.token()}"
        yield session


def compose(org: FakeOrg, session: requests.Session, *subs: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The answers to subrequests: ``[{"httpStatusCode": 200, "body": …}]``."""
    answer = session.post(org.url + V + "/composite", json={"compositeRequest": list(subs), **more}, timeout=10)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["compositeResponse"]
    return found


def sub(reference: str, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    return {"referenceId": reference, "method": method, "url": V + path, **({"body": body} if body else {}), **more}


# ── trouble ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (Kind.EXPIRED, 401, "INVALID_SESSION_ID"),
        (Kind.LIMIT, 403, "REQUEST_LIMIT_EXCEEDED"),
        (Kind.TOO_MANY, 429, "REQUEST_LIMIT_EXCEEDED"),
        (Kind.BROKEN, 500, "UNKNOWN_EXCEPTION"),
        (Kind.DOWN, 503, "SERVER_UNAVAILABLE"),
        (Kind.LOCKED, 400, "UNABLE_TO_LOCK_ROW"),
        (Kind.QUERY_TIMEOUT, 400, "QUERY_TIMEOUT"),
    ],
)
def test_a_trouble_answers_in_an_array_and_does_nothing(
    org: FakeOrg, session: requests.Session, kind: Kind, status: int, code: str
) -> None:
    org.trouble(kind, retry_after=7)
    answer = session.post(org.url + V + "/sobjects/Task", json={}, timeout=10)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)
    assert answer.headers["Retry-After"] == "7"
    assert org.rows("Task") == []
    assert session.post(org.url + V + "/sobjects/Task", json={}, timeout=10).status_code == 201, "one request, no more"


def test_an_outage_may_speak_html(org: FakeOrg, session: requests.Session) -> None:
    org.trouble(Kind.DOWN_HTML)
    answer = session.get(org.url + V + "/limits", timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html")


def test_trouble_is_chosen_by_method_path_number_and_block(org: FakeOrg, session: requests.Session) -> None:
    def statuses(path: str, times: int) -> list[int]:
        return [session.get(org.url + V + path, timeout=10).status_code for _ in range(times)]

    two = org.trouble(Kind.DOWN, times=2, path="/limits", method="GET")
    assert statuses("/sobjects", 1) == [200]
    assert statuses("/limits", 3) == [503, 503, 200]
    assert two.hits == 2
    with org.trouble(Kind.BROKEN, path="/limits$"):
        assert statuses("/limits", 3) == [500, 500, 500]
    assert statuses("/limits", 1) == [200]


def test_a_line_cut_before_leaves_nothing_a_line_cut_after_leaves_the_record(
    org: FakeOrg, session: requests.Session
) -> None:
    for kind, rows in [(Kind.CUT, 0), (Kind.CUT_AFTER, 1)]:
        org.trouble(kind, method="POST")
        with pytest.raises(requests.ConnectionError):
            session.post(org.url + V + "/sobjects/Task", json={}, timeout=10)
        assert len(org.rows("Task")) == rows, kind


def test_an_answer_lost_after_the_commit_times_out_at_the_client(org: FakeOrg, session: requests.Session) -> None:
    with org.trouble(Kind.HOLD_AFTER, method="POST") as held:
        with pytest.raises(requests.ReadTimeout):
            session.post(org.url + V + "/sobjects/Task", json={}, timeout=0.2)
        held.wait_for(1)
        assert len(org.rows("Task")) == 1
    assert session.get(org.url + V + "/limits", timeout=10).status_code == 200


def test_a_held_request_goes_on_when_the_gate_opens(org: FakeOrg, session: requests.Session) -> None:
    answered = threading.Event()
    with ThreadPoolExecutor(1) as pool, org.trouble(Kind.HOLD, path="/sobjects/Task") as held:
        asked = pool.submit(session.post, org.url + V + "/sobjects/Task", json={}, timeout=10)
        asked.add_done_callback(lambda _: answered.set())
        held.wait_for(1)
        assert not answered.is_set()
        assert org.rows("Task") == []
        held.open()
        assert asked.result(10).status_code == 201


def test_a_signing_in_may_be_in_trouble_too(org: FakeOrg, session: requests.Session) -> None:
    org.trouble(Kind.DOWN_HTML, path="/oauth2/token")
    assert session.post(org.url + "/services/oauth2/token", timeout=10).status_code == 503


def test_requests_calls_and_connections_are_counted(org: FakeOrg, session: requests.Session) -> None:
    session.get(org.url + V + "/limits", timeout=10)
    session.post(org.url + V + "/sobjects/Task", json={"Subject": "電話"}, timeout=10)
    assert (org.connections, org.api_calls, org.count("/limits"), org.count("/sobjects", "POST")) == (1, 2, 1, 1)
    assert org.requests[-1].json == {"Subject": "電話"}
    org.drop_connections()
    session.get(org.url + V + "/limits", timeout=10)
    assert org.connections == 2


# ── composite ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_composite_is_one_call_and_later_parts_use_earlier_ones(org: FakeOrg, session: requests.Session) -> None:
    org.insert("Contact", LastName="山田", Phone="1")
    answers = compose(
        org,
        session,
        sub("who", "GET", "/query?q=SELECT+Id+FROM+Contact+WHERE+Phone+%3D+'1'"),
        sub("made", "POST", "/sobjects/Task", {"WhoId": "@{who.records[0].Id}", "Subject": "to @{who.records[0].Id}"}),
        sub("got", "GET", "/sobjects/Task/@{made.id}?fields=Subject,WhoId"),
    )
    assert [answer["httpStatusCode"] for answer in answers] == [200, 201, 200]
    assert answers[2]["body"]["Subject"] == f"to {answers[2]['body']['WhoId']}"
    assert answers[1]["httpHeaders"]["Location"].endswith(answers[1]["body"]["id"])
    assert org.api_calls == 1


def test_a_failed_part_fails_those_that_need_it_and_no_others(org: FakeOrg, session: requests.Session) -> None:
    bad = sub("bad", "POST", "/sobjects/Contact", {"FirstName": "太郎"})
    needs, free = (
        sub("needs", "GET", "/sobjects/Contact/@{bad.id}"),
        sub("free", "POST", "/sobjects/Task", {"Subject": "x"}),
    )
    none = sub("none", "GET", "/sobjects/Contact/@{free.nothing[3].here}")
    answers = compose(org, session, bad, needs, free, none)
    assert [answer["httpStatusCode"] for answer in answers] == [400, 400, 201, 400]
    assert answers[0]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert answers[1]["body"][0]["errorCode"] == answers[3]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_all_or_none_rolls_back(org: FakeOrg, session: requests.Session) -> None:
    good, bad = (
        sub("good", "POST", "/sobjects/Task", {"Subject": "x"}),
        sub("bad", "POST", "/sobjects/Lead", {"Phone": "1"}),
    )
    answers = compose(org, session, good, bad, allOrNone=True)
    assert [answer["body"][0]["errorCode"] for answer in answers] == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING"]
    assert org.rows("Task") == []


def test_a_composite_takes_no_search(org: FakeOrg, session: requests.Session) -> None:
    answer = compose(org, session, sub("a", "GET", "/search?q=FIND+%7Bab%7D"))[0]
    assert answer["httpStatusCode"] == 400


@pytest.mark.parametrize(
    "subs",
    [
        [sub(f"r{n}", "GET", "/sobjects/Task") for n in range(26)],
        [sub(f"r{n}", "GET", "/query?q=SELECT+Id+FROM+Task") for n in range(6)],
        [sub("same", "GET", "/sobjects/Task"), sub("same", "GET", "/sobjects/Task")],
        [sub("not allowed", "GET", "/sobjects/Task")],
        [sub("a", "get", "/sobjects/Task")],
        [{"method": "GET", "url": V + "/sobjects/Task"}],
        [],
    ],
    ids=["26 parts", "6 queries", "same reference", "bad reference", "small letters", "no reference", "nothing"],
)
def test_a_composite_out_of_bounds_is_refused_whole(
    org: FakeOrg, session: requests.Session, subs: list[dict[str, Any]]
) -> None:
    answer = session.post(org.url + V + "/composite", json={"compositeRequest": subs}, timeout=10)
    assert answer.status_code == 400
    assert "compositeResponse" not in answer.json()[0]


def test_a_part_has_its_own_headers_and_its_own_trouble(org: FakeOrg, session: requests.Session) -> None:
    org.duplicate_rule("Contact", "LastName")
    org.insert("Contact", LastName="山田")
    anyway = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    twin = {"LastName": "山田"}
    org.trouble(Kind.LOCKED, inside=True, method="POST", path="/sobjects/Task")
    answers = compose(
        org,
        session,
        sub("no", "POST", "/sobjects/Contact", twin),
        sub("yes", "POST", "/sobjects/Contact", twin, httpHeaders=anyway),
        sub("locked", "POST", "/sobjects/Task", {"Subject": "x"}),
    )
    assert [answer["httpStatusCode"] for answer in answers] == [400, 201, 400]
    assert answers[2]["body"][0]["errorCode"] == "UNABLE_TO_LOCK_ROW"


def test_a_batch_searches_and_counts_each_part(org: FakeOrg, session: requests.Session) -> None:
    org.insert("Contact", LastName="山田", Phone="1234")
    parts = [
        {"method": "GET", "url": "v66.0/search?q=FIND+%7B1234%7D+IN+PHONE+FIELDS+RETURNING+Contact"},
        {"method": "POST", "url": "v66.0/sobjects/Task", "richInput": {"Subject": "x"}},
        {"method": "GET", "url": "v66.0/nothing"},
    ]
    answer = session.post(org.url + V + "/composite/batch", json={"batchRequests": parts}, timeout=10).json()
    assert [result["statusCode"] for result in answer["results"]] == [200, 201, 404]
    assert (answer["hasErrors"], len(answer["results"][0]["result"]["searchRecords"])) == (True, 1)
    assert org.api_calls == 3
