"""The fake Lightning's server: its page, Open CTI's script, the records behind the page, and the org's API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, jsonify, request, send_file
from flask.typing import ResponseReturnValue

from tests.fakes.loopback import Loopback
from tests.fakes.salesforce import FakeOrg, Request

HERE = Path(__file__).parent
PLACES = ("Account", "Contact", "Lead", "Case", "Opportunity")
NUMBERS = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")
NAMES = {"Case": "CaseNumber"}


class Lightning(Loopback):
    """The page on ``url``, the org on ``org_url``: two origins, one server. ``script_blocked`` hides Open CTI's script.

    ``adapter`` is the address of the softphone's page, as a call centre's definition would hold it.
    """

    def __init__(self, org: FakeOrg, *, width: int = 400, height: int = 620) -> None:
        self.org = org
        self.adapter = ""
        self.script_blocked = False
        self.size = {"width": width, "height": height}
        super().__init__(self._app())
        self.url = f"http://localhost:{self.port}"
        self.org_url = f"http://127.0.0.1:{self.port}"

    def _app(self) -> Flask:
        app = Flask(__name__, static_folder=None)
        app.get("/lightning/<path:_page>")(self._page)
        app.get("/fake/page.js")(self._page_script)
        app.get("/fake/settings")(self._settings)
        app.get("/fake/records")(self._list)
        app.post("/fake/records")(self._create)
        app.get("/fake/records/<record_id>")(self._read)
        app.get("/support/api/<version>/lightning/opencti_min.js")(self._script)
        app.route("/services/<path:_path>", methods=["GET", "POST", "PATCH", "DELETE"])(self._api)
        return app

    def _page(self, _page: str) -> ResponseReturnValue:
        return send_file(HERE / "lightning.html")

    def _page_script(self) -> ResponseReturnValue:
        return send_file(HERE / "page.js")

    def _settings(self) -> ResponseReturnValue:
        return {"adapter": self.adapter, **self.size}

    def _script(self, version: str) -> ResponseReturnValue:
        if self.script_blocked or not version.endswith(".0"):
            abort(404)
        return send_file(HERE / "opencti_min.js")

    def _list(self) -> ResponseReturnValue:
        return jsonify([{"id": row["Id"], "type": kind, "name": _name(kind, row)} for kind, row in self._records()])

    def _read(self, record_id: str) -> ResponseReturnValue:
        found = next(((kind, row) for kind, row in self._records() if row["Id"] == record_id), None)
        if found is None:
            abort(404)
        kind, row = found
        tasks = [
            {"subject": task["Subject"] or "", "note": task["Description"] or ""}
            for task in self.org.rows("Task")
            if record_id in (task["WhoId"], task["WhatId"])
        ]
        numbers = {field: row[field] for field in NUMBERS if row.get(field)}
        return jsonify({"id": row["Id"], "type": kind, "name": _name(kind, row), "numbers": numbers, "tasks": tasks})

    def _create(self) -> ResponseReturnValue:
        told = request.get_json()
        values = {field: value for field, value in told["values"].items() if value}
        return {"id": self.org.insert(told["type"], **values)}, 201

    def _records(self) -> list[tuple[str, dict[str, Any]]]:
        return [(kind, row) for kind in PLACES for row in self.org.rows(kind)]

    def _api(self, _path: str) -> ResponseReturnValue:
        """The org's API on its own host, answered by the fake org as if asked directly."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(request.method, request.full_path.rstrip("?"), headers, request.get_data(), 0)
        self.org.record(asked)
        answer = self.org.answer(asked)
        body = b"" if answer.status == 204 else answer.encoded(pretty=False)
        return Response(body, answer.status, dict(answer.headers), content_type=answer.content_type)


def _name(kind: str, row: dict[str, Any]) -> str:
    return str(row[NAMES.get(kind, "Name")])
