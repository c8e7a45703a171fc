"""The WebSocket route /live: origin checked before the upgrade, hello within ten seconds, then states until it closes."""

from __future__ import annotations

import json
import threading
from contextlib import suppress

from flask import Blueprint, Response, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server

from cti_bridge.auth import Addresses, Auth, Door, Limits
from cti_bridge.errors import BridgeError, TicketExpired, TicketInvalid, TicketUsed, TooMany
from cti_bridge.live.delivery import Delivery
from cti_bridge.live.socket import TRY_AGAIN_LATER, AgentSocket, text_frame
from cti_bridge.logbook import get_logger
from cti_bridge.model import Agent
from cti_bridge.store.directory import KnownDirectory

log = get_logger(__name__)

HELLO_WITHIN = 10.0
LARGEST_FRAME = 16 * 1024
REFUSED = 1008
BROKEN = 1011

MESSAGES = {
    "bad_frame": "The first frame is not a JSON object of this protocol.",
    "bad_version": "This bridge speaks version 1 of the live protocol; reload the page.",
    "hello_expected": "No hello came within ten seconds.",
    "ticket_invalid": "The ticket was not made by this bridge; get a new one.",
    "ticket_expired": "The ticket is older than a minute; get a new one.",
    "ticket_used": "The ticket was used before; get a new one.",
    "too_many_sockets": "This process has all the sockets that it may have; try again in a few seconds.",
    "server_error": "The bridge cannot send states at the moment; try again in a few seconds.",
}


class HelloRefused(Exception):
    """The client's first frame is not acceptable; the argument is the error frame's code."""


def blueprint(
    auth: Auth,
    delivery: Delivery,
    directory: KnownDirectory,
    *,
    origins: frozenset[str],
    most: int,
    addresses: Addresses,
    limits: Limits,
) -> Blueprint:
    """``origins`` are those of our own pages; ``most`` sockets are open at once in this process."""
    routes = Blueprint("live", __name__)
    sock = Sock()
    places = threading.BoundedSemaphore(most)

    @routes.before_request
    def check_before_upgrade() -> Response | None:
        # Deflate would more than double a socket's memory; refusing it means not seeing the browser's offer.
        request.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        if request.headers.get("Origin") not in origins:
            log.warning("live_origin_refused")
            return Response("This page's origin may not open the live socket.", status=403, mimetype="text/plain")
        try:
            limits.look(Door.LIVE, addresses.of(request.environ))
        except TooMany as refusal:
            wait = {"Retry-After": str(refusal.values["retry_after"])}
            return Response("Too many sockets without a good ticket.", status=429, headers=wait, mimetype="text/plain")
        return None

    @sock.route("/live", bp=routes)  # type: ignore[untyped-decorator]  # flask-sock has no types
    def live(server: Server) -> None:
        server.max_message_size = LARGEST_FRAME
        if not places.acquire(blocking=False):
            _refuse(server, "too_many_sockets", TRY_AGAIN_LATER)
            return
        try:
            _serve(server)
        finally:
            places.release()

    def _serve(server: Server) -> None:
        try:
            agent, session_id = _hello(server, auth, directory, addresses.of(server.environ))
            connected = AgentSocket(server, agent.id, session_id)
            try:
                delivery.join(connected, agent)
                while connected.open:
                    server.receive()  # what clients say after their hello is for later versions of the protocol
            finally:
                delivery.leave(connected)
        except HelloRefused as refusal:
            with suppress(TooMany):  # the next one from there is not even opened
                limits.knock(Door.LIVE, addresses.of(server.environ))
            _refuse(server, str(refusal), REFUSED)
        except BridgeError as problem:
            log.error("live_not_joined", problem=type(problem).__name__)
            _refuse(server, "server_error", BROKEN)

    return routes


def _hello(server: Server, auth: Auth, directory: KnownDirectory, address: str) -> tuple[Agent, str | None]:
    """Who it is and by which sign-in, by the ticket in the first frame. Raises HelloRefused or StoreUnavailable."""
    data = server.receive(timeout=HELLO_WITHIN)
    if data is None:
        raise HelloRefused("hello_expected")
    try:
        frame = json.loads(data)
        version, kind, ticket = frame["v"], frame["type"], frame["ticket"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise HelloRefused("bad_frame") from None
    if version != 1:
        raise HelloRefused("bad_version")
    if kind != "hello" or not isinstance(ticket, str):
        raise HelloRefused("bad_frame")
    try:
        admission = auth.use_ticket(ticket)
        agent = directory.current().agents.get(admission.agent_id)
    except (TicketInvalid, TicketExpired, TicketUsed) as problem:
        raise HelloRefused(problem.code) from None
    if agent is None or not auth.allows(agent, address):
        raise HelloRefused("ticket_invalid")
    return agent, admission.session_id


def _refuse(server: Server, code: str, close_code: int) -> None:
    frame = text_frame({"v": 1, "type": "error", "code": code, "message": MESSAGES[code]})
    with suppress(OSError, ConnectionClosed):
        server.sock.send(frame)
        server.close(close_code)
