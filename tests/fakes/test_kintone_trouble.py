"""The fake kintone's limits and its bad days: concurrency, gates, cut connections, locks, maintenance."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from pykintone.account import Account
from pykintone.application import Application

from tests.fakes.kintone import FakeApp, FakeDomain
from tests.fakes.kintone.asking import ask
from tests.fakes.kintone.trouble import Kind


@pytest.fixture
def domain() -> Iterator[FakeDomain]:
    with FakeDomain() as started:
        yield started


@pytest.fixture
def app(domain: FakeDomain) -> FakeApp:
    return domain.app("顧客", {"会社名": "SINGLE_LINE_TEXT"})


@pytest.fixture
def token(app: FakeApp) -> str:
    return app.token("view", "add")


def read(app: FakeApp, token: str, **more: Any) -> requests.Response:
    return ask(app.domain, "GET", "records.json", {"app": app.id}, token=token, **more)


def write(app: FakeApp, token: str, timeout: float = 20) -> requests.Response:
    body = {"app": app.id, "record": {"会社名": {"value": "山田"}}}
    url, headers = f"{app.domain.url}/k/v1/record.json", {"X-Cybozu-API-Token": token}
    return requests.post(url, json=body, headers=headers, timeout=timeout)


def test_every_answer_tells_how_many_requests_are_under_way(app: FakeApp, token: str) -> None:
    for answer in (read(app, token), read(app, "wrong")):
        assert answer.headers["X-ConcurrencyLimit-Limit"] == "100"
        assert answer.headers["X-ConcurrencyLimit-Running"] == "1"


def test_one_request_too_many_is_refused_and_the_greatest_number_is_known(app: FakeApp, token: str) -> None:
    domain = app.domain
    domain.concurrency_limit = 4
    with ThreadPoolExecutor(8) as pool, domain.gate(path="records.json") as gate:
        held = [pool.submit(read, app, token) for _ in range(4)]
        gate.wait_for(4)
        refused = read(app, token)
        gate.open()
        assert all(each.result().ok for each in held), "the others go on"
    assert (refused.status_code, refused.json()["code"]) == (429, "GAIA_TO04")
    assert refused.headers["X-Cybozu-Error"] == "GAIA_TO04"
    assert refused.headers["X-ConcurrencyLimit-Running"] == "5"
    assert domain.most_running == 5
    domain.forget()
    assert read(app, token).headers["X-ConcurrencyLimit-Running"] == "1"
    assert (domain.most_running, len(domain.requests())) == (1, 1)


def test_requests_are_remembered_with_app_method_and_answer(app: FakeApp, token: str) -> None:
    other = app.domain.app("他", {})
    write(app, token)
    read(app, token, override=True)
    read(other, token)
    seen = [(each.method, each.sent_as, each.api, each.status, each.code) for each in app.domain.requests(app)]
    assert seen == [("POST", "POST", "record.json", 200, ""), ("GET", "POST", "records.json", 200, "")]
    assert [each.code for each in app.domain.requests(other)] == ["GAIA_IA02"]
    assert len(app.domain.requests(method="GET")) == 2
    assert app.domain.requests(app)[1].params == {"app": app.id}


def test_a_kept_connection_is_counted_once(app: FakeApp, token: str) -> None:
    with requests.Session() as session:
        for _ in range(3):
            url = f"{app.domain.url}/k/v1/records.json"
            assert session.get(url, params={"app": app.id}, headers={"X-Cybozu-API-Token": token}, timeout=9).ok
    assert app.domain.connections == 1
    assert {each.connection for each in app.domain.requests()} == {1}


def test_a_maintenance_page_is_html_for_as_long_as_it_lasts(app: FakeApp, token: str) -> None:
    library: Any = Application(Account("example"), app.id, token)
    library.API_ROOT = app.domain.url + "/k/v1/{1}"
    with app.domain.trouble("maintenance", retry_after="30"):
        answer = read(app, token)
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html;charset=utf-8")
        assert answer.headers["Retry-After"] == "30"
        with pytest.raises(requests.exceptions.JSONDecodeError):
            library.select()
    assert library.select().ok


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("database locked", 400, "GAIA_DA02"),
        ("record locked", 400, "GAIA_RE18"),
        ("internal error", 500, "CB_SE01"),
        ("too many requests", 429, "GAIA_TO04"),
    ],
)
def test_trouble_in_json_lasts_for_so_many_requests(
    app: FakeApp, token: str, kind: Kind, status: int, code: str
) -> None:
    trouble = app.domain.trouble(kind, times=2)
    for _ in range(2):
        answer = write(app, token)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert write(app, token).ok
    assert trouble.met == 2
    assert len(app.records()) == 1, "nothing was done before"


def test_trouble_strikes_only_whom_it_is_for(app: FakeApp, token: str) -> None:
    other = app.domain.app("他", {})
    with app.domain.trouble("bad gateway", method="POST", path="record.json", app=app):
        assert write(app, token).status_code == 502
        assert read(app, token).ok
        assert write(other, other.token("add")).ok


def test_a_connection_is_cut_before_or_after_the_deed(app: FakeApp, token: str) -> None:
    for kind, kept in (("cut", 0), ("cut after commit", 1)):
        with app.domain.trouble(kind, times=1), pytest.raises(requests.ConnectionError):  # type: ignore[arg-type]
            write(app, token)
        assert len(app.records()) == kept, kind


def test_a_time_out_after_the_deed_leaves_the_record(app: FakeApp, token: str) -> None:
    with app.domain.trouble("hang after commit") as trouble, pytest.raises(requests.ReadTimeout):
        write(app, token, timeout=0.2)
    assert trouble.met == 1
    assert len(app.records()) == 1


def test_a_hanging_request_was_never_done(app: FakeApp, token: str) -> None:
    with app.domain.trouble("hang", times=1), pytest.raises(requests.ReadTimeout):
        write(app, token, timeout=0.2)
    app.domain.wait_for_requests(1)
    assert app.records() == []


def test_a_slow_request_is_done_when_the_trouble_ends(app: FakeApp, token: str) -> None:
    with ThreadPoolExecutor(1) as pool, app.domain.trouble("slow") as trouble:
        writing = pool.submit(write, app, token)
        trouble.wait_for(1)
        assert app.records() == []
        trouble.end()
        assert writing.result().ok


def test_half_an_answer_breaks_the_body(app: FakeApp, token: str) -> None:
    with (
        app.domain.trouble("half a body"),
        pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)),
    ):
        write(app, token)
    assert len(app.records()) == 1


def test_an_answer_may_lack_its_id_or_be_empty(app: FakeApp, token: str) -> None:
    with app.domain.trouble("no id"):
        assert write(app, token).json() == {"revision": "1"}
        refused = read(app, "wrong")
        assert refused.json().keys() == {"code", "message"}
    with app.domain.trouble("empty body"):
        assert write(app, token).content == b""


def test_an_incomplete_result_is_marked_in_a_header_only(app: FakeApp, token: str) -> None:
    with app.domain.trouble("incomplete"):
        answer = read(app, token)
    assert answer.status_code == 200
    assert answer.headers["X-Cybozu-Warning"] == "Filter aborted because of too many search results"


@pytest.mark.parametrize("where", ["gate", "trouble"])
def test_closing_the_domain_lets_everybody_go(where: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        with FakeDomain() as domain:
            app = domain.app("顧客", {})
            waits = domain.gate() if where == "gate" else domain.trouble("hang")
            waiting = pool.submit(write, app, app.token("add"))
            waits.wait_for(1)
        end = waiting.exception(timeout=10)
    assert end is None or isinstance(end, requests.ConnectionError)


def test_fifty_writers_of_one_call_leave_one_record(domain: FakeDomain) -> None:
    app = domain.app("通話履歴", {"call_sid": {"type": "SINGLE_LINE_TEXT", "unique": True}})
    body = {
        "app": app.id,
        "upsert": True,
        "records": [{"updateKey": {"field": "call_sid", "value": "CA1"}, "record": {}}],
    }
    token = app.token("add", "edit")
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda _: ask(domain, "PUT", "records.json", body, token=token), range(50)))
    done = [answer.json()["records"][0]["operation"] for answer in answers]
    assert (done.count("INSERT"), done.count("UPDATE")) == (1, 49)
    assert app.record(1)["$revision"] == "50"
