"""The bridge as it is served, with the bench's CRM instead of a configured one, and doors for the bench to look in."""

from __future__ import annotations

import os
from datetime import timedelta

from flask import Flask, Response, jsonify

from cti_bridge import calls, logbook, outbox
from cti_bridge.app import CTIBridge, bridge_of
from cti_bridge.bench.crm import BenchConnector, NobodyConnector
from cti_bridge.bench.threads import tell_threads
from cti_bridge.connector import Connector


def create_app() -> Flask:
    """The stand-alone app. ``BENCH_CRM_URL`` is the CRM; without it the CRM knows nobody and answers at once.

    ``BENCH_CONNECTOR=configured``: neither, but the connector that CTI_CONNECTOR names.
    """
    logbook.configure()
    _shorten_waits()
    crm_url = os.environ.get("BENCH_CRM_URL")
    seconds = float(os.environ.get("BENCH_CRM_SECONDS", "0"))
    crm = BenchConnector(crm_url, seconds) if crm_url else None
    configured = os.environ.get("BENCH_CONNECTOR") == "configured"
    connector: Connector | None = None if configured else crm or NobodyConnector()
    app = Flask("cti_bridge", static_folder=None)
    CTIBridge(app, connector=connector)
    tell_threads(app)
    if os.environ.get("BENCH_LOOKUPS") == "off":  # to tell a webhook's cost from its lookup's
        bridge_of(app).lookups.start = lambda call_id, number: None  # type: ignore[method-assign]  # noqa: ARG005

    @app.get("/bench/round-trips")
    def round_trips() -> Response:
        return jsonify(crm.round_trips if crm else {})

    return app


def _shorten_waits() -> None:
    """For the kills only, and said in their row: a killed worker's lease of a minute would outlast the bench."""
    if lease := os.environ.get("BENCH_LEASE_SECONDS"):
        outbox.LEASE = timedelta(seconds=float(lease))
    if settling := os.environ.get("BENCH_SETTLING_SECONDS"):
        calls.SETTLING = timedelta(seconds=float(settling))
