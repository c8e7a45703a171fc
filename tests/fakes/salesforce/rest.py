"""The REST resources under /services/data: which address does what, and in which shape it answers.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_list.htm
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .composite import run_batch, run_composite
from .describes import describe_global, describe_sobject
from .errors import Json, Refused, SeveralMatch, not_found
from .queries import Answer as Found
from .schema import Field, Row, SObject
from .trouble import Kind
from .values import show_value
from .wire import Answer, Request

if TYPE_CHECKING:
    from .org import FakeOrg

SEASONS = ("Spring", "Summer", "Winter")
RETIRED = range(7, 31)
"""Versions that answer 410 (https://help.salesforce.com/s/articleView?id=000354473)."""


@dataclass(frozen=True)
class Call:
    """One REST call, on the wire or inside a composite."""

    method: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    version: str
    user: Row

    @property
    def allows_duplicates(self) -> bool:
        """``Sforce-Duplicate-Rule-Header: allowSave=true``, known since version 52."""
        told = self.headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()
        return "allowsave=true" in told.split(";") and float(self.version) >= 52


def version_label(version: int) -> str:
    """``"Spring '26"`` for 66; three releases a year."""
    years, season = divmod(version - 66, 3)
    return f"{SEASONS[season]} '{26 + years + (season == 2)}"


class Rest:
    """Answers calls for one org. Everything here runs with the org's lock held."""

    def __init__(self, org: FakeOrg) -> None:
        self._org = org
        self._pages: dict[str, tuple[Found, int]] = {}

    def answer(self, request: Request, user: Row) -> Answer:
        """Answer a request to ``/services/data/vXX.X/…``. Raises Refused."""
        parts = request.parts
        version = self.check_version(parts[2])
        body = self._read_body(request)
        call = Call(request.method, tuple(parts[3:]), request.query, request.headers, body, version, user)
        if call.parts[:1] == ("composite",) and len(call.parts) == 1 and call.method == "POST":
            return run_composite(self._org, self, call)
        if call.parts[:2] == ("composite", "batch") and call.method == "POST":
            return run_batch(self._org, self, call)
        return self.dispatch(call)

    def check_version(self, text: str) -> str:
        """``"v66.0"`` → ``"66.0"``."""
        found = re.fullmatch(r"v(\d+)\.0", text)
        if found and int(found[1]) in RETIRED:
            raise Refused(410, "GONE", "The requested API version has been retired.")
        if not found or int(found[1]) not in self._org.versions:
            raise not_found()
        return f"{found[1]}.0"

    def versions(self) -> Answer:
        return Answer(
            200,
            [
                {"label": version_label(n), "url": f"/services/data/v{n}.0", "version": f"{n}.0"}
                for n in self._org.versions
            ],
        )

    def subcall(self, call: Call) -> Answer:
        """A call inside a composite: it meets its own troubles, and its refusal is an answer."""
        trouble = self._org.troubles.find(call.method, "/" + "/".join(call.parts), inside=True)
        if trouble is not None and trouble.kind not in {Kind.CUT, Kind.CUT_AFTER, Kind.HOLD, Kind.HOLD_AFTER}:
            return trouble.answer()
        try:
            return self.dispatch(call)
        except Refused as refused:
            return Answer(refused.status, refused.body())

    def dispatch(self, call: Call) -> Answer:
        if not call.parts:
            names = ("sobjects", "query", "queryAll", "search", "composite", "limits")
            return Answer(200, {name: f"/services/data/v{call.version}/{name}" for name in names})
        match call.parts[0]:
            case "limits" if len(call.parts) == 1:
                return self._limits()
            case "query" | "queryAll" if len(call.parts) <= 2:
                return self._query(call)
            case "search" if len(call.parts) == 1:
                return self._search(call)
            case "sobjects":
                return self._sobjects(call)
        raise not_found()

    def _read_body(self, request: Request) -> Any:
        if not request.body:
            return None
        if "json" not in request.headers.get("content-type", ""):
            kind = request.headers.get("content-type", "")
            raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", f"Content type not supported: {kind}")
        try:
            return request.json
        except ValueError as error:
            raise Refused(400, "JSON_PARSER_ERROR", f"Unexpected character: {error}") from None

    def _limits(self) -> Answer:
        left = max(0, self._org.api_limit - self._org.api_calls)
        return Answer(200, {"DailyApiRequests": {"Max": self._org.api_limit, "Remaining": left}})

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _query(self, call: Call) -> Answer:
        _allow(call, "GET")
        if len(call.parts) == 2:
            return self._page(call, call.parts[1])
        if "q" not in call.query:
            raise Refused(400, "MALFORMED_QUERY", "A query string has to be specified")
        found = self._org.queries.run(call.query["q"], call.version, deleted_too=call.parts[0] == "queryAll")
        told = re.search(r"batchSize=(\d+)", call.headers.get("sforce-query-options", ""))
        size = self._org.batch_size or (min(2000, max(200, int(told[1]))) if told else 2000)
        cursor = f"0r8{secrets.token_hex(7)}"
        self._pages[cursor] = (found, size)
        return self._page(call, f"{cursor}-0")

    def _page(self, call: Call, locator: str) -> Answer:
        cursor, _, start = locator.partition("-")
        if cursor not in self._pages or not start.isdigit():
            raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        found, size = self._pages[cursor]
        begin, end = int(start), int(start) + size
        body: Json = {"totalSize": found.total, "done": end >= len(found.records)}
        if not body["done"]:
            body["nextRecordsUrl"] = f"/services/data/v{call.version}/{call.parts[0]}/{cursor}-{end}"
        return Answer(200, {**body, "records": found.records[begin:end]})

    def _search(self, call: Call) -> Answer:
        _allow(call, "GET")
        if "q" not in call.query:
            raise Refused(400, "MALFORMED_SEARCH", "A search string has to be specified")
        return Answer(200, {"searchRecords": self._org.searches.run(call.query["q"], call.version)})

    # ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _sobjects(self, call: Call) -> Answer:
        if len(call.parts) == 1:
            _allow(call, "GET")
            return Answer(200, describe_global(self._org, call.version, self._language(call)))
        sobject = self._org.rights.find_object(self._org.store.schema, call.parts[1])
        if sobject is None:
            raise not_found()
        match call.parts[2:]:
            case []:
                return self._collection(call, sobject)
            case ["describe"]:
                _allow(call, "GET")
                return Answer(200, describe_sobject(self._org, sobject, call.version, self._language(call)))
            case [record_id]:
                return self._record(call, sobject, record_id)
            case [name, value]:
                return self._external(call, sobject, name, value)
        raise not_found()

    def _language(self, call: Call) -> str:
        """Labels come in the user's language. That Accept-Language changes it is documented for no REST describe."""
        told = call.headers.get("accept-language") if self._org.reads_accept_language else None
        return told or str(call.user["LanguageLocaleKey"])

    def _collection(self, call: Call, sobject: SObject) -> Answer:
        _allow(call, "GET", "POST")
        if call.method == "GET":
            told = describe_sobject(self._org, sobject, call.version, self._language(call))
            kept = {name: value for name, value in told.items() if name not in {"fields", "childRelationships"}}
            return Answer(200, {"objectDescribe": kept, "recentItems": []})
        user = call.user["Id"]
        made = self._org.writes.create(sobject, call.body, user, allow_duplicates=call.allows_duplicates)
        return self._created(call, sobject, made)

    def _created(self, call: Call, sobject: SObject, record_id: str, **more: object) -> Answer:
        where = {"Location": f"/services/data/v{call.version}/sobjects/{sobject.name}/{record_id}"}
        return Answer(201, {"id": record_id, "success": True, "errors": [], **more}, where)

    def _record(self, call: Call, sobject: SObject, record_id: str) -> Answer:
        _allow(call, "GET", "PATCH", "DELETE")
        writes = self._org.writes
        if call.method == "DELETE":
            writes.delete(sobject, record_id)
        elif call.method == "PATCH":
            user = call.user["Id"]
            writes.update(sobject, record_id, call.body, user, allow_duplicates=call.allows_duplicates)
        else:
            return self._show(call, sobject, writes.fetch(sobject, record_id))
        return Answer(204)

    def _show(self, call: Call, sobject: SObject, row: Row) -> Answer:
        rights = self._org.rights
        wanted = [name for name in call.query.get("fields", "").split(",") if name]
        fields = [one for one in sobject.fields.values() if rights.sees_field(sobject, one)]
        if wanted:
            found = [rights.find_field(sobject, name) for name in wanted]
            if None in found:
                raise Refused(400, "INVALID_FIELD", f"No such column in fields={','.join(wanted)} on {sobject.name}")
            fields = [one for one in found if one is not None]
        address = f"/services/data/v{call.version}/sobjects/{sobject.name}/{row['Id']}"
        values = {one.name: show_value(self._org.store.value(sobject, row, one.name)) for one in fields}
        return Answer(200, {"attributes": {"type": sobject.name, "url": address}, **values, "Id": row["Id"]})

    def _external(self, call: Call, sobject: SObject, name: str, value: str) -> Answer:
        _allow(call, "GET", "PATCH", "DELETE")
        field = self._org.rights.find_field(sobject, name)
        if field is None or not (field.external_id or field.id_lookup):
            raise not_found()
        if field.type == "id":
            return self._record(replace(call, parts=(*call.parts[:2], value)), sobject, value)
        try:
            return self._by_external(call, sobject, field, value)
        except SeveralMatch as several:
            where = f"/services/data/v{call.version}/sobjects/{sobject.name}/"
            return Answer(300, [where + one for one in several.ids])

    def _by_external(self, call: Call, sobject: SObject, field: Field, value: str) -> Answer:
        writes = self._org.writes
        if call.method == "PATCH":
            user, allowed = call.user["Id"], call.allows_duplicates
            made_id, created = writes.upsert(sobject, field, value, call.body, user, allow_duplicates=allowed)
            newer = (
                float(call.version) >= 46
            )  # older versions answer an update with nothing, a creation without "created"
            if created:
                return self._created(call, sobject, made_id, **({"created": True} if newer else {}))
            told = {"id": made_id, "success": True, "errors": [], "created": False}
            return Answer(200, told) if newer else Answer(204)
        row = writes.find_external(sobject, field, value)
        if row is None:
            raise not_found()
        if call.method == "GET":
            return self._show(call, sobject, row)
        writes.delete(sobject, row["Id"])
        return Answer(204)


def _allow(call: Call, *methods: str) -> None:
    if call.method not in methods:
        message = f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(methods)}"
        raise Refused(405, "METHOD_NOT_ALLOWED", message)
