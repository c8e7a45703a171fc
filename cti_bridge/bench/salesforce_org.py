"""A stand-in for a Salesforce org: as much of the documented wire as one contact, its story and a call's Task need.

It answers at once, knows a contact for every number, and counts requests and connections; it does not check what it is
asked. That is the tests' business, whose fake org parses and refuses.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from cti_bridge.bench.processes import fetch_json

CALL_ID = "CTI_Call_SID__c"
VERSION = "68.0"

FIELDS: dict[str, dict[str, str]] = {
    "Contact": {
        "Name": "string",
        "AccountId": "reference",
        "Title": "string",
        "Phone": "phone",
        "MobilePhone": "phone",
    },
    "Lead": {"Name": "string", "Company": "string", "IsConverted": "boolean", "Phone": "phone", "MobilePhone": "phone"},
    "Account": {"Name": "string", "Phone": "phone"},
    "Task": {
        "Subject": "string",
        "WhoId": "reference",
        "WhatId": "reference",
        "OwnerId": "reference",
        "ActivityDate": "date",
        "CreatedDate": "datetime",
        "Status": "string",
        "Priority": "string",
        "IsClosed": "boolean",
        "TaskSubtype": "string",
        "CallType": "string",
        "CallDurationInSeconds": "int",
        "CallDisposition": "string",
        "CallObject": "string",
        "Description": "textarea",
        CALL_ID: "string",
    },
    "Case": {"CaseNumber": "string", "Subject": "string", "Status": "string", "CreatedDate": "datetime"},
    "Opportunity": {"Name": "string", "StageName": "string", "CloseDate": "date", "CreatedDate": "datetime"},
    "Event": {"Subject": "string", "StartDateTime": "datetime", "Location": "string"},
}
PREFIXES = {"Contact": "003", "Lead": "00Q", "Account": "001", "Task": "00T", "Case": "500", "Opportunity": "006"}
CHILDREN = {
    "Contact": (("Task", "WhoId", "Tasks"), ("Case", "ContactId", "Cases"), ("Event", "WhoId", "Events")),
    "Lead": (("Task", "WhoId", "Tasks"), ("Event", "WhoId", "Events")),
    "Account": (("Task", "WhatId", "Tasks"), ("Case", "AccountId", "Cases"), ("Event", "WhatId", "Events")),
}
TITLES = ("料金のお問い合わせ", "ご注文の確認", "再コール")

_SUBQUERY = re.compile(r"\(SELECT [^()]*\)")
_FROM = re.compile(r" FROM (\w+)")
_NUMBER = re.compile(r"'(\+\d+)'")
_CALL = re.compile(r"'(CA[0-9a-f]{32})'")


@contextmanager
def org_process(*, external_id: bool = True) -> Iterator[int]:
    """Run the org in a process of its own; gives its port. ``external_id``: Tasks have a field for the call's id."""
    command = [sys.executable, "-m", "cti_bridge.bench.salesforce_org", "external-id" if external_id else "plain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  (our own module)
        try:
            yield int(process.stdout.readline() if process.stdout else 0)
        finally:
            process.terminate()


def counted(port: int) -> tuple[int, Counter[str]]:
    """Connections that were opened so far, and requests by what they wanted: ``(2, {"composite": 30, "task": 4, …})``."""
    told: dict[str, Any] = fetch_json(f"http://127.0.0.1:{port}/counted")
    return int(told["connections"]), Counter(told["asked"])


class _Org(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer's head and body leave in one piece
    external_id: ClassVar[bool] = True
    connections: ClassVar[int] = 0
    asked: ClassVar[Counter[str]] = Counter()
    tasks: ClassVar[dict[str, str]] = {}
    lock: ClassVar[threading.Lock] = threading.Lock()

    def setup(self) -> None:
        super().setup()
        self.counts = True

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/counted":
            with self.lock:
                self._send(200, {"connections": self.connections, "asked": dict(self.asked)})
        elif path.endswith("/describe"):
            self._note("describe")
            self._send(200, _described(path.split("/")[-2], external_id=self.external_id))
        elif path.rstrip("/") == "/services/data":
            self._note("versions")
            self._send(200, [{"label": "Summer ’26", "url": f"/services/data/v{VERSION}", "version": VERSION}])
        else:
            self._note("other")
            self._send(404, [{"errorCode": "NOT_FOUND", "message": "The bench's org does not play this."}])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if path.endswith("/oauth2/token"):
            self._note("sign-in")
            self._send(200, {"access_token": "a-token", "instance_url": "https://acme.my.salesforce.com"})
        elif path.endswith("/composite"):
            self._note("composite")
            parts = [
                {
                    "httpStatusCode": 200,
                    "referenceId": part["referenceId"],
                    "httpHeaders": {},
                    "body": self._query(parse_qs(urlsplit(part["url"]).query)["q"][0]),
                }
                for part in json.loads(body)["compositeRequest"]
            ]
            self._send(200, {"compositeResponse": parts})
        else:
            self._note("task")
            call_id = json.loads(body)["CallObject"]
            self._send(201, {"id": self._task(call_id), "success": True, "errors": []})

    def do_PATCH(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._note("task")
        key = unquote(urlsplit(self.path).path.rpartition("/")[2])
        known = key in self.tasks
        self._send(200 if known else 201, {"id": self._task(key), "success": True, "created": not known, "errors": []})

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _note(self, what: str) -> None:
        """Count a request, and its connection when it is that one's first."""
        with self.lock:
            type(self).connections += self.counts
            self.counts = False
            self.asked[what] += 1

    def _task(self, call_id: str) -> str:
        with self.lock:
            return self.tasks.setdefault(call_id, f"00T{len(self.tasks):015}")

    def _query(self, query: str) -> dict[str, object]:
        found = _FROM.search(_SUBQUERY.sub("", query))
        sobject = found[1] if found else ""
        if sobject == "TaskStatus":
            return _records({"ApiName": "Completed", "IsClosed": True})
        if sobject == "Contact" and (number := _NUMBER.search(query)):
            return _records(_contact(number[1]))
        if sobject == "Task" and (call := _CALL.search(query)) and call[1] in self.tasks:
            return _records({"Id": self.tasks[call[1]]})
        return _records()

    def _send(self, status: int, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json;charset=UTF-8")
        self.send_header("Sforce-Limit-Info", "api-usage=18/100000")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the counts say it all."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def _records(*rows: dict[str, object]) -> dict[str, object]:
    return {"totalSize": len(rows), "done": True, "records": list(rows)}


def _contact(e164: str) -> dict[str, object]:
    tasks = [
        {
            "Id": f"00T{place:015}",
            "Subject": title,
            "Description": "お客様からのお電話。折り返しのお約束をしました。",
            "IsClosed": True,
            "Status": "Completed",
            "TaskSubtype": "Call",
            "CallType": "Inbound",
            "CallDurationInSeconds": 180,
            "CallDisposition": "対応完了",
            "ActivityDate": "2026-11-01",
            "CreatedDate": "2026-11-01T01:30:00.000+0000",
        }
        for place, title in enumerate(TITLES)
    ]
    return {
        "Id": "003" + e164.lstrip("+").rjust(12, "0") + "AAA",
        "Name": "山田 太郎",
        "Title": "購買部",
        "Account": {"Name": "山田商事"},
        "MobilePhone": e164,
        "Tasks": _records(*tasks),
        "Cases": None,
        "Events": None,
    }


def _described(sobject: str, *, external_id: bool) -> dict[str, object]:
    fields = {"Id": "id", **FIELDS.get(sobject, {})}
    if not external_id:
        fields.pop(CALL_ID, None)
    children = CHILDREN.get(sobject, ())
    return {
        "name": sobject,
        "label": sobject,
        "keyPrefix": PREFIXES.get(sobject, ""),
        "createable": True,
        "fields": [_field(name, kind) for name, kind in fields.items()],
        "childRelationships": [
            {"childSObject": child, "field": field, "relationshipName": name} for child, field, name in children
        ],
    }


def _field(name: str, kind: str) -> dict[str, object]:
    return {
        "name": name,
        "label": name,
        "type": kind,
        "length": 32_000 if kind == "textarea" else 255,
        "createable": name not in ("Id", "IsClosed", "CreatedDate"),
        "updateable": True,
        "filterable": True,
        "externalId": name == CALL_ID,
        "unique": name == CALL_ID,
        "nameField": name in ("Name", "CaseNumber"),
        "referenceTo": ["Contact", "Account"] if kind == "reference" else [],
        "picklistValues": [],
    }


if __name__ == "__main__":
    _Org.external_id = sys.argv[1:] != ["plain"]
    server = _Server(("127.0.0.1", 0), _Org)
    print(server.server_address[1], flush=True)
    server.serve_forever()
