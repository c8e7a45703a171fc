"""``POST /composite`` and ``/composite/batch``: several calls in one request, which is one API call.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite_post.htm
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from .errors import Json, Refused
from .wire import Answer

if TYPE_CHECKING:
    from .org import FakeOrg
    from .rest import Call, Rest

MOST_SUBREQUESTS = 25
MOST_QUERIES = 5
METHODS = frozenset({"GET", "POST", "PATCH", "DELETE", "PUT"})
_REFERENCE = re.compile(r"@\{([^}]*)\}")
_STEP = re.compile(r"([A-Za-z0-9_]+)|\[(\d+)\]|\.")


class NoSuchReference(Exception):
    """``@{ref.records[0].Id}`` with nothing there."""


def run_composite(org: FakeOrg, rest: Rest, call: Call) -> Answer:
    """Subrequests in order, each may refer to answers before it. Raises Refused when the whole is malformed."""
    wanted = _read_subrequests(call)
    all_or_none = bool(call.body.get("allOrNone", False))
    kept = org.store.keep() if all_or_none else None
    answers: dict[str, Answer] = {}
    for one in wanted:
        answers[one["referenceId"]] = _run_one(rest, call, one, answers)
        if kept is not None and answers[one["referenceId"]].status >= 300:
            org.store.restore(kept)
            answers = _halted(wanted, answers, one["referenceId"])
            break
    return Answer(200, {"compositeResponse": [_result(name, answer) for name, answer in answers.items()]})


def run_batch(org: FakeOrg, rest: Rest, call: Call) -> Answer:
    """Independent subrequests; each counts as an API call, Search is allowed."""
    batch = call.body.get("batchRequests") if isinstance(call.body, Mapping) else None
    if not isinstance(batch, list) or not batch or len(batch) > MOST_SUBREQUESTS:
        raise Refused(400, "INVALID_BATCH_REQUEST", f"A batch has 1 to {MOST_SUBREQUESTS} requests.")
    results: list[Json] = []
    for one in batch:
        parts = [unquote(part) for part in urlsplit(str(one.get("url"))).path.split("/") if part]
        version = rest.check_version(parts[0] if parts else "")
        answer = rest.subcall(
            _inner(call, str(one.get("method")), one["url"], tuple(parts[1:]), one.get("richInput"), {}, version)
        )
        org.api_calls += 1
        results.append({"statusCode": answer.status, "result": answer.body})
        if call.body.get("haltOnError") and answer.status >= 300:
            halted = [{"message": "Batch processing halted per request", "errorCode": "BATCH_PROCESSING_HALTED"}]
            results += [{"statusCode": 412, "result": halted} for _ in batch[len(results) :]]
            break
    org.api_calls -= 1  # the batch itself is none
    return Answer(200, {"hasErrors": any(one["statusCode"] >= 300 for one in results), "results": results})


def _read_subrequests(call: Call) -> list[Json]:
    wanted = call.body.get("compositeRequest") if isinstance(call.body, Mapping) else None
    if not isinstance(wanted, list) or not wanted:
        raise Refused(400, "JSON_PARSER_ERROR", "Missing required field: compositeRequest")
    if len(wanted) > MOST_SUBREQUESTS:
        message = f"Composite request limit exceeded: at most {MOST_SUBREQUESTS} subrequests, {len(wanted)} were given"
        raise Refused(400, "LIMIT_EXCEEDED", message)
    names = [one.get("referenceId") for one in wanted]
    for one, name in zip(wanted, names, strict=True):
        if not isinstance(name, str) or not re.fullmatch(r"\w+", name, re.ASCII):
            raise Refused(400, "JSON_PARSER_ERROR", f"referenceId must be letters, digits and underscores: {name}")
        if names.count(name) > 1:
            raise Refused(400, "JSON_PARSER_ERROR", f"Duplicate referenceId: {name}")
        if one.get("method") not in METHODS or not isinstance(one.get("url"), str):
            raise Refused(400, "JSON_PARSER_ERROR", f"method and url are required and case-sensitive: {name}")
    queries = sum(bool(re.match(r"/services/data/v\d+\.0/(query|queryAll)(/|\?|$)", one["url"])) for one in wanted)
    if queries > MOST_QUERIES:
        message = f"Composite request limit exceeded: at most {MOST_QUERIES} queries, {queries} were given"
        raise Refused(400, "LIMIT_EXCEEDED", message)
    return wanted


def _run_one(rest: Rest, call: Call, one: Json, answers: Mapping[str, Answer]) -> Answer:
    try:
        url, body = _filled(one["url"], answers), _filled(one.get("body"), answers)
    except NoSuchReference as missing:
        message = f"Invalid reference specified. No value for {missing} found. Provide a valid reference and try again."
        return Answer(400, [{"errorCode": "PROCESSING_HALTED", "message": message}])
    parts = [unquote(part) for part in urlsplit(url).path.split("/") if part]
    if parts[:2] != ["services", "data"] or len(parts) < 4:
        return Answer(404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])
    try:
        version = rest.check_version(parts[2])
    except Refused as refused:
        return Answer(refused.status, refused.body())
    if parts[3] not in {"sobjects", "query", "queryAll"}:
        message = f"Subrequests to /{parts[3]} are not supported in a composite request"
        return Answer(400, [{"errorCode": "BAD_REQUEST", "message": message}])
    headers = {str(name).lower(): str(value) for name, value in (one.get("httpHeaders") or {}).items()}
    return rest.subcall(_inner(call, one["method"], url, tuple(parts[3:]), body, headers, version))


def _inner(
    call: Call, method: str, url: str, parts: tuple[str, ...], body: Any, headers: Mapping[str, str], version: str
) -> Call:
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query, True).items()}
    kept = {name: value for name, value in call.headers.items() if name == "accept-language"}
    return replace(
        call, method=method, parts=parts, query=query, headers={**kept, **headers}, body=body, version=version
    )


def _filled(value: Any, answers: Mapping[str, Answer]) -> Any:
    """A URL or body with its references replaced. A value that is nothing but a reference keeps its type."""
    if isinstance(value, Mapping):
        return {name: _filled(one, answers) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, answers) for one in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _look_up(whole[1], answers)
    return _REFERENCE.sub(lambda found: str(_look_up(found[1], answers)), value)


def _look_up(reference: str, answers: Mapping[str, Answer]) -> Any:
    first = re.match(r"\w+", reference)
    if first is None or first[0] not in answers or answers[first[0]].status >= 300:
        raise NoSuchReference(reference)
    here: Any = answers[first[0]].body
    for step in _STEP.finditer(reference[first.end() :]):
        try:
            if step[1]:
                here = here[step[1]]
            elif step[2]:
                here = here[int(step[2])]
        except (KeyError, IndexError, TypeError):
            raise NoSuchReference(reference) from None
    if here is None or isinstance(here, dict | list):
        raise NoSuchReference(reference)
    return here


def _halted(wanted: list[Json], answers: Mapping[str, Answer], failed: str) -> dict[str, Answer]:
    message = "The transaction was rolled back since another operation in the same transaction failed."
    halted = Answer(400, [{"errorCode": "PROCESSING_HALTED", "message": message}])
    return {one["referenceId"]: answers[failed] if one["referenceId"] == failed else halted for one in wanted}


def _result(name: str, answer: Answer) -> Json:
    return {
        "body": answer.body,
        "httpHeaders": answer.headers,
        "httpStatusCode": answer.status,
        "referenceId": name,
    }
