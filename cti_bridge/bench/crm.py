"""A CRM over HTTP: a process that answers after the delay it is asked for and counts everything, and its connector.

Every number is somebody's: the contact's id is the number's digits. Logs are upserted by the call's id, as Salesforce and
kintone do by an external id or a unique field; the count of writes per call stays visible.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

import requests

from cti_bridge.bench.processes import fetch_json
from cti_bridge.connector import Connector, Resources
from cti_bridge.errors import ConnectorUnavailable
from cti_bridge.model import (
    Activity,
    ActivityItem,
    ActivityKind,
    CallLog,
    Capabilities,
    Contact,
    ContactDraft,
    ContactKind,
    ContactNumber,
    Finding,
    RecordLink,
)
from cti_bridge.phone import PhoneNumber

TIMEOUT = 15.0


class NobodyConnector(Connector):
    """Knows nobody and answers at once: what is measured is the bridge."""

    name: ClassVar[str] = "bench"
    capabilities = Capabilities(activity=False)

    @classmethod
    def open(cls, resources: Resources) -> Self:  # noqa: ARG003
        return cls()

    def find_contacts(self, number: PhoneNumber) -> list[Contact]:  # noqa: ARG002
        return []

    def get_contact(self, contact_id: str) -> Contact | None:  # noqa: ARG002
        return None

    def recent_activity(self, contact: Contact) -> Activity:  # noqa: ARG002
        return Activity()

    def search(self, text: str) -> list[Contact]:  # noqa: ARG002
        return []

    def create_contact(self, draft: ContactDraft) -> Contact:
        return _contact(draft.number)

    def add_number(self, contact: Contact, number: PhoneNumber) -> Contact:  # noqa: ARG002
        return contact

    def write_call_log(self, log: CallLog) -> RecordLink:
        return RecordLink(log.call_id)

    def check(self) -> list[Finding]:
        return []


class BenchConnector(NobodyConnector):
    """Asks the CRM process. ``round_trips`` says how long each number's lookup took, in seconds."""

    capabilities = Capabilities()

    def __init__(self, url: str, seconds: float) -> None:
        self.round_trips: dict[str, float] = {}
        self._url = url
        self._seconds = seconds
        self._threads = threading.local()

    def find_contacts(self, number: PhoneNumber) -> list[Contact]:
        began = time.perf_counter()
        found = self._ask("find", number=number.e164)["numbers"]
        self.round_trips[number.e164] = time.perf_counter() - began
        return [_contact(held) for held in found]

    def recent_activity(self, contact: Contact) -> Activity:
        items = self._ask("activity", contact=contact.id)["items"]
        return Activity(history=tuple(ActivityItem(ActivityKind.CALL, title) for title in items))

    def write_call_log(self, log: CallLog) -> RecordLink:
        return RecordLink(str(self._ask("write", call=log.call_id)["record"]))

    def _ask(self, what: str, **fields: str) -> Any:
        """One request on this thread's own connection."""
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = requests.Session()
            session.trust_env = False  # a proxy of the environment is not for this machine
        try:
            answer = session.post(
                f"{self._url}/{what}", params={"seconds": str(self._seconds), **fields}, timeout=TIMEOUT
            )
            answer.raise_for_status()
        except requests.RequestException as problem:
            raise ConnectorUnavailable(f"The bench's CRM: {type(problem).__name__}") from None
        return answer.json()


def _contact(e164: str) -> Contact:
    typed = ContactNumber("携帯", PhoneNumber(e164).display())
    return Contact(
        e164[1:], ContactKind.PERSON, "山田 太郎", reading="やまだ たろう", company="山田商事", numbers=(typed,)
    )


# ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def crm_process() -> Iterator[str]:
    """Run the CRM in a process of its own; gives its address."""
    command = [sys.executable, "-m", "cti_bridge.bench.crm"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  (our own module)
        try:
            yield process.stdout.readline().strip() if process.stdout else ""
        finally:
            process.terminate()


def counted(url: str) -> dict[str, Any]:
    """What the CRM was asked: ``{"asked": {"find": 3, …}, "records": {call id: records}, "writes": {call id: writes}}``."""
    told: dict[str, Any] = fetch_json(f"{url}/counted")
    return told


class _Crm(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    asked: ClassVar[Counter[str]] = Counter()
    records: ClassVar[dict[str, str]] = {}
    writes: ClassVar[Counter[str]] = Counter()
    lock: ClassVar[threading.Lock] = threading.Lock()

    def do_GET(self) -> None:
        with self.lock:
            records = Counter(self.records.values())
            self._answer({"asked": dict(self.asked), "records": dict(records), "writes": dict(self.writes)})

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        fields = {name: values[0] for name, values in parse_qs(parts.query).items()}
        what = parts.path.strip("/")
        with self.lock:
            self.asked[what] += 1
        time.sleep(float(fields.get("seconds", "0")))  # the slowness that the connector asked for
        if what == "find":
            self._answer({"numbers": [fields["number"]]})
        elif what == "activity":
            self._answer({"items": ["料金のお問い合わせ", "ご注文の確認", "再コール"]})
        else:
            self._answer({"record": self._upsert(fields["call"])})

    def _upsert(self, call_id: str) -> str:
        with self.lock:
            self.writes[call_id] += 1
            known = next((record for record, call in self.records.items() if call == call_id), None)
            record = known or f"log-{len(self.records) + 1}"
            self.records[record] = call_id
        return record

    def _answer(self, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the counts say it all."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: whoever asked was killed, on purpose."""


if __name__ == "__main__":
    server = _Server(("127.0.0.1", 0), _Crm)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
