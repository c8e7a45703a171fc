"""Sockets end with their sign-in, wherever it was ended; and who brings no good ticket cannot knock for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from unittest import mock

import pytest
import requests
from simple_websocket import Client, ConnectionClosed

from cti_bridge.auth import Auth, Door, Warden, limits
from cti_bridge.live import delivery
from cti_bridge.live.socket import SIGNED_OUT
from cti_bridge.store import Database
from cti_bridge.store.audit import COMMAND_LINE
from tests.running import PATIENCE, Running, Screen, impatience, running


@pytest.fixture
def live(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(delivery, "SWEEP", 0.2)
    with running(database) as started:
        yield started


def is_closed(screen: Screen) -> None:
    screen.wait_for(lambda: screen.closed_with, "the socket of the ended sign-in to be closed")
    assert screen.closed_with == SIGNED_OUT


def hears_of_it(screen: Screen) -> None:
    screen.wait_for(lambda: screen.agent["presence"] == "away", "news on the other sockets")
    assert screen.closed_with is None


def test_signing_out_closes_this_sign_ins_sockets_and_no_others(live: Running) -> None:
    mine, mine_elsewhere, theirs = live.screen(), live.screen(), live.screen(live.suzuki)
    assert mine.api("DELETE", "/session").status_code == 204
    is_closed(mine)
    assert mine.api("GET", "/calls").status_code == 401
    for other in (mine_elsewhere, theirs):
        assert other.api("PUT", "/presence", {"presence": "away"}).status_code == 200
        hears_of_it(other)


def test_what_was_ended_where_no_wake_up_comes_from_is_swept_up(live: Running) -> None:
    """The command line is another process; with SQLite it cannot wake us at all."""
    first, second = live.screen(), live.screen()
    with impatience():
        elsewhere = Auth("a secret for tests that is long enough", live.bridge.database)
    assert Warden(elsewhere, live.bridge.database).sign_out(live.sato, COMMAND_LINE) == 2
    for screen in (first, second):
        is_closed(screen)


def test_sockets_that_bring_no_good_ticket_are_soon_not_opened_any_more(live: Running) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    headers = {**upgrade, "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==", "Origin": live.url}
    with mock.patch.dict(limits.LIMITS, {Door.LIVE: 3}):
        for _ in range(3):
            say_hello_without_a_ticket(live)
        answers = [requests.get(f"{live.base}/live", headers=headers, timeout=10) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [429, 429]
    assert 1 <= int(answers[0].headers["Retry-After"]) <= 60


def say_hello_without_a_ticket(live: Running) -> None:
    visitor = Client.connect(live.base.replace("http", "ws", 1) + "/live", headers={"Origin": live.url})
    visitor.send('{"v":1,"type":"hello","ticket":"made up"}')
    with suppress(ConnectionClosed):
        while visitor.receive(timeout=PATIENCE):
            pass
    visitor.sock.close()
    visitor.thread.join(2)
