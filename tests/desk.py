"""A bridge without a network, for tests of what it answers: no server, no simulator, calls by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cti_bridge.app import Bridge, CTIBridge, bridge_of
from cti_bridge.model import Agent, CallEvent, Direction, EventKind, LegRole, LegStatus
from cti_bridge.store import Database
from cti_bridge.twilio.rest import PhoneNetwork, PlacedCall
from tests.fakes.memory import MemoryConnector
from tests.running import ENGLISH_LINE, MAIN_LINE, PASSWORD, impatience, people, stop

TARO = "+819012345678"
PUBLIC = "https://cti.example.co.jp"
CONFIG = {
    "CTI_PUBLIC_URL": PUBLIC,
    "CTI_SECRET_KEY": "a secret for tests that is long enough",
    "CTI_EMBED_ORIGINS": "https://acme.cybozu.com https://acme.lightning.force.com",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "0123456789abcdef0123456789abcdef",
}


class Desk:
    """Sato's and Suzuki's desk: asks the API, makes calls come in, counts the calls that were placed."""

    def __init__(self, app: Flask, bridge: Bridge, crm: MemoryConnector, sato: Agent, suzuki: Agent) -> None:
        self.app, self.bridge, self.crm = app, bridge, crm
        self.sato, self.suzuki = sato, suzuki
        self.client: FlaskClient = app.test_client()
        self.placed: list[dict[str, Any]] = []
        self.prefix = bridge.url_prefix
        self._count = 0

    def headers(self, agent: Agent | None = None, language: str = "ja") -> dict[str, str]:
        _, token = self.bridge.auth.sign_in((agent or self.sato).email, PASSWORD)
        return {"Authorization": f"Bearer {token}", "Accept-Language": language}

    def ask(
        self, method: str, path: str, body: Any = None, *, agent: Agent | None = None, language: str = "ja", **more: Any
    ) -> TestResponse:
        """Ask the API as this agent."""
        given = {"json": body} if body is not None else {}
        headers = {**self.headers(agent, language), **more.pop("headers", {})}
        return self.client.open(f"{self.prefix}/api{path}", method=method, headers=headers, **given, **more)

    def call_in(self, *, party: str = TARO, line: str = MAIN_LINE) -> str:
        """Somebody calls; whoever is free rings. The call's id."""
        self._count += 1
        call_id = f"CA-{self._count}"
        self._take(call_id, call_id, EventKind.INCOMING, LegStatus.RINGING, party=party, line_number=line)
        return call_id

    def answer(self, call_id: str, agent: Agent | None = None) -> str:
        taker = (agent or self.sato).id
        self._take(call_id, f"{call_id}-{taker}", EventKind.STATUS, LegStatus.IN_PROGRESS, agent_id=taker)
        return call_id

    def hang_up(self, call_id: str) -> str:
        self._take(call_id, call_id, EventKind.STATUS, LegStatus.COMPLETED)
        return call_id

    def _take(self, call_id: str, leg_id: str, kind: EventKind, status: LegStatus, **more: Any) -> None:
        role = LegRole.AGENT if "agent_id" in more else LegRole.PARTY
        direction = Direction.INBOUND if call_id == leg_id else None
        event = CallEvent(
            f"{call_id}:{leg_id}:{status}",
            kind,
            call_id,
            leg_id,
            datetime.now(UTC),
            status,
            role,
            direction=direction,
            **more,
        )
        self.bridge.calls.receive(event, {}, lambda _: "")


@contextmanager
def at_desk(
    database: Database,
    *,
    prefix: str = "",
    app: Flask | None = None,
    crm: MemoryConnector | None = None,
    **settings: Any,
) -> Iterator[Desk]:
    """Open a desk on this database; telephone calls that it places are only written down (``desk.placed``)."""
    app = app or Flask("host")
    url = database.url.render_as_string(hide_password=False)
    app.config.update({**CONFIG, "DATABASE_URL": url, **settings})
    crm = crm or MemoryConnector()
    with impatience():
        CTIBridge(app, url_prefix=prefix, connector=crm)
        bridge = bridge_of(app)
        desk = Desk(app, bridge, crm, *people(bridge))
        bridge.network = bridge.dialling._network = _Network(bridge, desk)
        bridge.start()
        try:
            yield desk
        finally:
            crm.gate.set()
            stop(bridge)


class _Network(PhoneNetwork):
    def __init__(self, bridge: Bridge, desk: Desk) -> None:
        super().__init__(bridge.settings)
        self._desk = desk

    def warm_up(self) -> None:
        pass

    def place_call(self, **arguments: Any) -> PlacedCall:
        self._desk.placed.append(arguments)
        return PlacedCall(f"CA-placed-{len(self._desk.placed)}")


__all__ = ["CONFIG", "ENGLISH_LINE", "MAIN_LINE", "PASSWORD", "PUBLIC", "TARO", "Desk", "at_desk"]
