"""Nobody's name, note or number in what administrators of machines read: log lines, metrics, error pages."""

from __future__ import annotations

import ast
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
import requests
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import insert

import cti_bridge
from cti_bridge import logbook
from cti_bridge.errors import (
    BridgeError,
    ConnectorRefused,
    ConnectorUnavailable,
    PhoneNetworkError,
    SettingsError,
    StoreUnavailable,
)
from cti_bridge.logbook import described, get_logger
from cti_bridge.store import Database
from cti_bridge.store.directory import agents
from tests.callers import office
from tests.conftest import empty
from tests.desk import TARO, Desk, at_desk
from tests.running import logging_to, running

SOURCES = sorted(Path(cti_bridge.__file__).parent.rglob("*.py"))
HOSTILE = ["山田 太郎", 'O\'Brien, "Bob"\n{"level": "info"}', "ﾔﾏﾀﾞ<script>", "Jean Valjean 24601"]


@contextmanager
def captured() -> Iterator[StringIO]:
    stream = StringIO()
    with logging_to(stream):
        yield stream


def escaped(name: str) -> str:
    """The name as it would stand within a line of JSON."""
    return json.dumps(name, ensure_ascii=False)[1:-1]


def assert_unnamed(text: str, name: str) -> None:
    assert name not in text
    assert escaped(name) not in text, f"{name!r} stands in the log: {text}"


# ── whatever an exception says ───────────────────────────────────────────────────────────────────────────────────────

SPEAKING: list[Callable[[str], BaseException]] = [
    ConnectorRefused,
    ConnectorUnavailable,
    lambda name: ConnectorRefused(name, code=name),
    PhoneNetworkError,
    SettingsError,
    BridgeError,
    ValueError,
    KeyError,
    RuntimeError,
    AttributeError,
    TypeError,
    NameError,
    lambda name: UnicodeEncodeError("ascii", name or "x", 0, 1, name),
    lambda name: requests.ConnectionError(f"GET /records?q={name}"),
    lambda name: ExceptionGroup(name, [ValueError(name)]),
    lambda name: type("Ours", (Exception,), {"code": name})(name),
]

NAMES = st.text(min_size=3).filter(lambda name: len(name.strip()) > 2)


@given(NAMES, st.sampled_from(SPEAKING), st.sampled_from(SPEAKING), st.booleans())
def test_no_exception_brings_a_name_into_the_log(
    name: str, outer: Callable[[str], BaseException], inner: Callable[[str], BaseException], chained: bool
) -> None:
    assume(escaped(name) not in _line_without(outer, inner, chained))
    with captured() as stream:
        _log(name, outer, inner, chained)
    assert_unnamed(stream.getvalue(), name)


def _line_without(outer: Callable[[str], BaseException], inner: Callable[[str], BaseException], chained: bool) -> str:
    """What stands in such a line anyway, such as names of classes."""
    with captured() as stream:
        _log("", outer, inner, chained)
    return stream.getvalue()


def _log(
    name: str, outer: Callable[[str], BaseException], inner: Callable[[str], BaseException], chained: bool
) -> None:
    try:
        try:
            raise inner(name)  # noqa: TRY301
        except BaseException as problem:
            if chained:
                raise outer(name) from problem
            raise outer(name)  # noqa: B904  (both kinds of chain are under test)
    except BaseException as problem:
        log = get_logger("cti_bridge.test")
        log.exception("broke")
        log.error("broke", exc_info=problem)
        log.warning("broke", problem=problem, more={"inner": [problem]})


def test_a_value_of_the_wrong_kind_is_not_quoted() -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(int).validate_python("山田 太郎")
    assert described(refused.value) == "ValidationError"


def test_a_row_that_the_database_refuses_is_not_quoted(database: Database) -> None:
    with captured() as stream:
        try:
            with database.transaction() as connection:
                office(connection)
                connection.execute(
                    insert(agents).values(email="sato@example.co.jp", name="山田", password_hash="x", language="ja")
                )
        except Exception:  # noqa: BLE001
            get_logger("cti_bridge.test").exception("broke")
    assert "IntegrityError" in stream.getvalue()
    assert "sato@example" not in stream.getvalue(), "PostgreSQL quotes it in DETAIL"


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (ConnectorRefused("山田", code="REQUIRED_FIELD_MISSING"), "ConnectorRefused REQUIRED_FIELD_MISSING"),
        (PhoneNetworkError("+819012345678 is no number", code=21211), "PhoneNetworkError 21211"),
        (
            StoreUnavailable("The database answered: disk I/O error"),
            "StoreUnavailable: The database answered: disk I/O error",
        ),
        (
            AttributeError("'NoneType' object has no attribute 'sid'"),
            "AttributeError: 'NoneType' object has no attribute 'sid'",
        ),
        (
            TypeError("f() missing 1 required positional argument: 'x'"),
            "TypeError: f() missing 1 required positional argument: 'x'",
        ),
        (KeyError("山田"), "KeyError"),
    ],
)
def test_what_helps_and_is_nobodys_is_told(problem: Exception, words: str) -> None:
    assert described(problem) == words


def test_an_exception_that_cannot_be_printed_costs_no_line() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise ValueError

    with captured() as stream:
        get_logger("cti_bridge.test").error("broke", exc_info=Broken())
    assert json.loads(stream.getvalue())["exception"] == "Broken"


def test_a_chain_of_exceptions_that_bites_its_tail_ends() -> None:
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    with captured() as stream:
        get_logger("cti_bridge.test").error("broke", exc_info=one)
    assert json.loads(stream.getvalue())["exception"] == "KeyError\nValueError"


def test_a_thread_that_dies_is_told_like_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    logbook.watch_threads()

    def die() -> None:
        raise ValueError("山田 太郎")

    with captured() as stream:
        thread = threading.Thread(target=die, name="doomed")
        thread.start()
        thread.join(5)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["thread"]) == ("thread_broke", "doomed")
    assert line["exception"].endswith("ValueError")


def test_the_servers_own_log_tells_neither_query_nor_message() -> None:
    stream = StringIO()
    server = logging.Logger("a server's", logging.DEBUG)  # noqa: LOG001  (its own, for this test)
    server.addHandler(logging.StreamHandler(stream))
    server.addFilter(logbook.Discreet())
    broken = ValueError("山田 太郎")
    server.error("Error handling request %s from %s", "/api/contacts?text=山田&n=1", TARO, exc_info=broken)
    server.info("Booting worker with pid: %s", 41)
    assert_unnamed(stream.getvalue(), "山田")
    assert TARO not in stream.getvalue()
    assert "Error handling request /api/contacts?… from +81******5678" in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert "Booting worker with pid: 41" in stream.getvalue()


# ── every path of the bridge ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def desk(sqlite_database: Database) -> Iterator[Desk]:
    empty(sqlite_database)
    with at_desk(sqlite_database) as opened:
        yield opened


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", [ConnectorRefused, ConnectorUnavailable, ValueError, KeyError])
def test_what_the_crm_says_of_a_customer_stays_out_of_log_and_metrics(
    desk: Desk, name: str, kind: Callable[[str], Exception]
) -> None:
    contact = desk.crm.add("contact:7", name, TARO)
    with captured() as stream:
        call = desk.call_in()
        desk.answer(call)
        desk.ask("PUT", f"/calls/{call}/choice", {"contact_id": contact.id})
        desk.crm.trouble = kind(f"Duplicate of {name} ({TARO})")
        desk.call_in()  # looked up
        desk.ask("PUT", f"/calls/{call}/record", {"record_id": name})
        desk.ask("GET", "/contacts?text=x")
        desk.ask("POST", f"/calls/{call}/contact", {"name": name})
        desk.ask("PUT", f"/calls/{call}/draft", {"note": name, "disposition": None})
        desk.hang_up(call)
        desk.ask("POST", f"/calls/{call}/completion", {"note": name, "disposition": "resolved"})
        desk.bridge.outbox.work()
        desk.bridge._warm_up()
        desk.bridge.lookups.close()
        metrics = desk.client.get("/metrics").text
    told = stream.getvalue()
    assert told, "nothing was logged, so nothing was tried"
    for text in (told, metrics):
        assert_unnamed(text, name)
        assert TARO not in text
        assert TARO[1:] not in text


def test_a_bug_outside_the_api_tells_neither_name_nor_address(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    name = "山田 太郎"

    def broken() -> str:
        raise ValueError(name)

    monkeypatch.setattr(desk.bridge.metrics, "text", broken)
    with captured() as stream, caplog.at_level(logging.DEBUG):
        answer = desk.client.get("/metrics?q=山田")
    assert (answer.status_code, answer.text) == (500, "Something unexpected went wrong.")
    assert "page_broke" in stream.getvalue()
    assert_unnamed(stream.getvalue() + caplog.text, "山田")


def test_twilios_library_tells_no_host_app_whom_we_call(
    sqlite_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    empty(sqlite_database)
    with caplog.at_level(logging.DEBUG), running(sqlite_database) as live:
        live.screen().api("POST", "/calls", {"number": TARO}).raise_for_status()
        others = [record for record in caplog.records if not record.name.startswith("cti_bridge")]
    assert not [record.getMessage() for record in others if TARO[1:] in record.getMessage()]
    assert not [record.getMessage() for record in others if record.name.startswith("twilio")]


# ── the calls themselves ─────────────────────────────────────────────────────────────────────────────────────────────

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
PERSONAL = {"e164", "number", "raw", "party", "note", "email", "contact_name", "text", "caller", "msg", "args", "body"}


def _log_calls() -> Iterator[tuple[str, ast.Call]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                target = node.func.value
                if (isinstance(target, ast.Name) and target.id in ("log", "logger")) or isinstance(target, ast.Call):
                    yield f"{path.name}:{node.lineno}", node


def test_every_log_line_names_its_event_and_turns_nothing_into_text() -> None:
    found = list(_log_calls())
    assert len(found) > 60, "the log calls were not found"
    for where, call in found:
        events = call.args if isinstance(call.func, ast.Attribute) else []
        for event in events:
            words = [event.body, event.orelse] if isinstance(event, ast.IfExp) else [event]
            assert all(isinstance(word, ast.Constant) for word in words), f"{where}: the event is a fixed word"
        for value in (keyword.value for keyword in call.keywords):
            for node in ast.walk(value):
                assert not isinstance(node, ast.JoinedStr), f"{where}: an f-string in a log line may hold anything"
                made = (
                    isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("str", "repr")
                )
                assert not made, f"{where}: log the exception itself, problem=problem; logbook tells what may be told"
                personal = isinstance(node, ast.Attribute) and node.attr in PERSONAL
                assert not personal, f"{where}: {ast.unparse(value)} may be somebody's"


def test_names_of_people_are_not_logged_by_any_call() -> None:
    """``.name`` is logged of connectors and enums only."""
    for where, call in _log_calls():
        for value in (keyword.value for keyword in call.keywords):
            for node in ast.walk(value):
                if isinstance(node, ast.Attribute) and node.attr == "name":
                    assert ast.unparse(node).endswith("connector.name"), f"{where}: {ast.unparse(node)}"
