"""Several at once: bulk requests (all or nothing), cursors (pages of one search), and comments on a record.

https://cybozu.dev/ja/kintone/docs/rest-api/bulk-request, …/records/add-cursor, …/records/add-comment
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import query, records, times
from .auth import Asker
from .wire import (
    Json,
    Refused,
    RefusedInPart,
    Request,
    bad_json,
    invalid,
    missing,
    number,
    objects,
)

if TYPE_CHECKING:
    from .domain import FakeDomain

MOST_REQUESTS = 20
MOST_CURSORS = 10
MOST_COMMENTS = 10
_LONGEST_COMMENT = 65_535

_WRITES: dict[tuple[str, str], Callable[[FakeDomain, Request, Asker], Json]] = {
    ("POST", "record.json"): records.post_one,
    ("PUT", "record.json"): records.put_one,
    ("POST", "records.json"): records.post_many,
    ("PUT", "records.json"): records.put_many,
    ("DELETE", "records.json"): records.delete_many,
}


def bulk(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``POST bulkRequest.json``: one after the other; if one is refused, nothing of all is kept."""
    parts = objects(request.params, "requests")
    if len(parts) > MOST_REQUESTS:
        most = ("一度に20件までのリクエストを指定できます。", "A maximum of 20 requests can be specified at one time.")
        raise invalid({"requests": [most]})
    results: list[Json] = []
    try:
        with domain.all_or_nothing():
            for at, part in enumerate(parts):
                results.append(_one_of(domain, request, asker, at, part))
    except Refused as refusal:
        empty: list[Json] = [{} for _ in parts]
        empty[len(results)] = refusal.body(request.japanese)
        raise RefusedInPart(refusal, {"results": empty}) from refusal
    return {"results": results}


def _one_of(domain: FakeDomain, request: Request, asker: Asker, at: int, part: Json) -> Json:
    payload = part.get("payload")
    if not isinstance(payload, dict):
        raise bad_json()
    inner = replace(request, method=str(part.get("method")), path=str(part.get("api")), params=payload)
    handler = _WRITES.get((inner.method, inner.api))
    if handler is None:
        wrong = ("バルクリクエストでは使用できないAPIです。", "This API cannot be used in a bulk request.")
        raise invalid({f"requests[{at}].api": [wrong]})
    return handler(domain, inner, asker)


def add_cursor(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``POST records/cursor.json``: at most ten of them in a domain (GAIA_TM12, 429)."""
    app = domain.app_of(request, asker, "view")
    size = number(request.params, "size", query.DEFAULT_LIMIT)
    if not 1 <= size <= query.MOST_RECORDS:
        raise invalid({"size": [("1から500までの整数で指定します。", "must be between 1 and 500")]})
    asked = query.parse(str(request.params.get("query") or ""))
    if asked.limit is not None or asked.offset is not None:
        raise query.syntax_error()
    if len(domain.cursors) >= MOST_CURSORS:
        raise Refused(
            429,
            "GAIA_TM12",
            (
                "作成できるカーソルの上限に達しているため、カーソルを作成できません。",
                "You have reached the maximum number of cursors that can be created.",
            ),
        )
    rows, _ = records.matched(domain, app, asker, asked)
    cursor_id = secrets.token_hex(16)
    domain.cursors[cursor_id] = {
        "app": app,
        "ids": [row.id for row in rows],
        "size": size,
        "fields": request.params.get("fields"),
    }
    return {"id": cursor_id, "totalCount": str(len(rows))}


def next_page(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``GET records/cursor.json``: the next records; with the last of them the cursor is gone."""
    cursor_id, cursor = _cursor(domain, request, asker)
    app, ids = cursor["app"], cursor["ids"]
    page, cursor["ids"] = ids[: cursor["size"]], ids[cursor["size"] :]
    if not cursor["ids"]:
        del domain.cursors[cursor_id]
    shown = [records.shown(app, app.rows[each], cursor["fields"]) for each in page if each in app.rows]
    return {"records": shown, "next": bool(cursor["ids"])}


def drop_cursor(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``DELETE records/cursor.json``."""
    cursor_id, _ = _cursor(domain, request, asker)
    del domain.cursors[cursor_id]
    return {}


def _cursor(domain: FakeDomain, request: Request, asker: Asker) -> tuple[str, dict[str, Any]]:
    cursor_id = str(request.params.get("id") or "")
    if not cursor_id:
        raise missing("id")
    if cursor_id not in domain.cursors:
        raise Refused(404, "GAIA_CN01", ("指定したカーソルが見つかりません。", "The specified cursor is not found."))
    cursor = domain.cursors[cursor_id]
    asker.must(cursor["app"], "view")
    return cursor_id, cursor


def add_comment(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``POST record/comment.json``. A mentioned user must exist; kintone puts a space behind the text."""
    app = domain.app_of(request, asker, "view")
    row = records.row_of(app, number(request.params, "record"))
    comment = request.params.get("comment")
    if not isinstance(comment, dict) or not comment.get("text"):
        raise missing("comment.text")
    if len(str(comment["text"])) > _LONGEST_COMMENT:
        too_long = ("65536文字より短くなければなりません。", "Enter less than 65536 characters.")
        raise invalid({"comment.text": [too_long]})
    kinds = {"USER": "USER_SELECT", "GROUP": "GROUP_SELECT", "ORGANIZATION": "ORGANIZATION_SELECT"}
    mentions = [{"code": each.get("code"), "type": each.get("type")} for each in comment.get("mentions") or []]
    for each in mentions:
        domain.entity(kinds.get(str(each["type"]), ""), str(each["code"]))
    made = {
        "id": str(max((int(each["id"]) for each in row.comments), default=0) + 1),
        "text": f"{comment['text']} ",
        "createdAt": times.minute(domain.now()),
        "creator": asker.user.entity(),
        "mentions": mentions,
    }
    app.rows[row.id] = replace(row, comments=(*row.comments, made))
    return {"id": made["id"]}


def get_comments(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``GET record/comments.json``: at most ten, newest first unless ``order`` is ``asc``."""
    app = domain.app_of(request, asker, "view")
    row = records.row_of(app, number(request.params, "record"))
    order = str(request.params.get("order") or "desc")
    if order not in {"asc", "desc"}:
        wrong = ("Enum値のいずれかでなければなりません。", "must be one of the enum value")
        raise invalid({"order": [wrong]})
    offset, limit = number(request.params, "offset", 0), number(request.params, "limit", MOST_COMMENTS)
    ordered = list(row.comments) if order == "asc" else list(reversed(row.comments))
    before, after = bool(offset), len(ordered) > offset + limit
    older, newer = (before, after) if order == "asc" else (after, before)
    return {"comments": ordered[offset : offset + min(limit, MOST_COMMENTS)], "older": older, "newer": newer}


def delete_comment(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``DELETE record/comment.json``."""
    app = domain.app_of(request, asker, "view")
    row = records.row_of(app, number(request.params, "record"))
    comment_id = str(number(request.params, "comment"))
    kept = tuple(each for each in row.comments if each["id"] != comment_id)
    if len(kept) == len(row.comments):
        raise Refused(
            400,
            "GAIA_RE02",
            (
                "指定したコメントが存在しません。削除された可能性があります。",
                "The specified comment does not exist. The comment may have been deleted.",
            ),
        )
    app.rows[row.id] = replace(row, comments=kept)
    return {}
