"""The baseline: a Flask handler that verifies Twilio's signature, commits one SQLAlchemy Core insert, and answers TwiML.

Nothing of the bridge is in it. The database is opened as the bridge opens its own: SQLite with WAL, synchronous=FULL,
BEGIN IMMEDIATE and one write lock; PostgreSQL through psycopg.
"""

from __future__ import annotations

import os
import threading
from contextlib import nullcontext
from typing import Any

from flask import Flask, Response, abort, request
from sqlalchemy import Column, Integer, MetaData, String, Table, Text, create_engine, event, make_url
from twilio.request_validator import RequestValidator

from cti_bridge.bench.threads import tell_threads

TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response><Dial><Number>+818000000001</Number></Dial></Response>'
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON")

metadata = MetaData()
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call_id", String(40), nullable=False, index=True),
    Column("caller", String(20), nullable=False),
    Column("answer", Text, nullable=False),
)


def create_app() -> Flask:
    """BENCH_DATABASE_URL, TWILIO_AUTH_TOKEN and CTI_PUBLIC_URL come from the environment."""
    url = make_url(os.environ["BENCH_DATABASE_URL"])
    is_sqlite = url.get_backend_name() == "sqlite"
    engine = create_engine(url, pool_size=8, max_overflow=4, pool_pre_ping=not is_sqlite)
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    metadata.create_all(engine)
    engine.dispose()
    validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])
    public_url = os.environ["CTI_PUBLIC_URL"]
    turn = threading.Lock() if is_sqlite else nullcontext()
    app = Flask("bare")

    @app.post("/twilio/voice/incoming")
    def incoming() -> Response:
        signature = request.headers.get("X-Twilio-Signature", "")
        if not validator.validate(public_url + request.environ["RAW_URI"], request.form, signature):
            abort(403)
        row = {"call_id": request.form["CallSid"], "caller": request.form["From"], "answer": TWIML}
        with turn, engine.begin() as connection:
            connection.execute(webhooks.insert(), row)
        return Response(TWIML, mimetype="text/xml")

    tell_threads(app)
    return app


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
