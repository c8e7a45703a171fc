"""The records API: reading by query, adding, changing, upserting, deleting, and several writes at once.

What a value may be is in ``fields.py``, what a query means in ``matching.py``.
https://cybozu.dev/ja/kintone/docs/rest-api/records
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import fields, matching, query, times
from .app import FakeApp, Right, Row
from .auth import Asker, User
from .lookups import copied
from .tables import read_table
from .wire import (
    Answer,
    Json,
    Message,
    Refused,
    Request,
    bad_json,
    invalid,
    missing,
    number,
    objects,
    record_not_found,
    revision_conflict,
    truth,
)

if TYPE_CHECKING:
    from .domain import FakeDomain

MOST_WRITES = 100
LONGEST_KEY = 64
WARNING = "Filter aborted because of too many search results"
_ONE_KEY: Message = (
    "更新するレコードを指定するには、パラメーター「id」または「updateKey」のいずれかを指定します。",
    'The record to be updated must be specified by one of the parameters "id" and "updateKey".',
)
_SET_BY_KINTONE = frozenset({"CREATOR", "CREATED_TIME", "MODIFIER", "UPDATED_TIME"})


def get_one(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``GET record.json``."""
    app = domain.app_of(request, asker, "view")
    return {"record": shown(app, row_of(app, number(request.params, "id")))}


def get_many(domain: FakeDomain, request: Request, asker: Asker) -> Answer:
    """``GET records.json``. Incomplete, with a warning in a header, when the filter meets too many records."""
    app = domain.app_of(request, asker, "view")
    asked = query.parse(str(request.params.get("query") or ""))
    found, aborted = matched(domain, app, asker, asked)
    begin = asked.offset or 0
    end = begin + (query.DEFAULT_LIMIT if asked.limit is None else asked.limit)
    body: Json = {
        "records": [shown(app, row, request.params.get("fields")) for row in found[begin:end]],
        "totalCount": str(len(found)) if truth(request.params.get("totalCount")) else None,
    }
    return Answer(body=body, headers={"X-Cybozu-Warning": WARNING} if aborted else {})


def matched(domain: FakeDomain, app: FakeApp, asker: Asker, asked: query.Query) -> tuple[list[Row], bool]:
    """The records that a query finds, in its order, and whether the filter gave up before the end."""
    asking = matching.Asking(app.settings.enabled(), domain, asker.user.code, domain.now(), domain.zone)
    holds = matching.decide(asked.condition, asking)
    nothing: Mapping[str, Any] = {}
    hits: list[matching.Values] = []
    aborted = False
    for row in app.rows.values():
        index = app.indexed.get(row.id)
        if holds(row.values, nothing if index is None else index.values):
            aborted = asked.condition is not None and len(hits) >= domain.most_matches
            if aborted:
                break
            hits.append(row.values)
    return [app.rows[int(values["$id"])] for values in matching.sort(hits, asked, asking)], aborted


def shown(app: FakeApp, row: Row, only: Any = None) -> Json:
    """A record on the wire: ``{"会社名": {"type": "SINGLE_LINE_TEXT", "value": "山田商事"}, …}``."""
    types = {code: spec["type"] for code, spec in app.settings.enabled().items() if spec["type"] != "GROUP"}
    types |= {"$id": "__ID__", "$revision": "__REVISION__"}
    wanted = types if not only else {code: kind for code, kind in types.items() if code in only}
    properties = app.settings.properties
    return {
        code: {
            "type": kind,
            "value": row.values[code] if code in row.values else fields.empty(properties[code]),
        }
        for code, kind in wanted.items()
    }


def post_one(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``POST record.json``."""
    app = domain.app_of(request, asker, "add")
    record = request.params.get("record") or {}
    _check_system_fields(app, asker, [record])
    row = insert_one(domain, app, asker.user, record, asker)
    return {"id": str(row.id), "revision": row.values["$revision"]}


def post_many(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``POST records.json``: all or none."""
    app = domain.app_of(request, asker, "add")
    records = objects(request.params, "records")
    _check_number(records, "追加", "added")
    _check_system_fields(app, asker, records)
    rows = insert_many(domain, app, asker.user, records, asker)
    return {"ids": [str(row.id) for row in rows], "revisions": [row.values["$revision"] for row in rows]}


def put_one(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``PUT record.json``, by ``id`` or by ``updateKey``."""
    app = domain.app_of(request, asker, "edit")
    row, key = _target(app, request.params, "")
    if row is None:
        raise record_not_found(key)
    _check_revision(row, request.params.get("revision"))
    record = request.params.get("record") or {}
    return {"revision": update_one(domain, app, asker.user, row, record, asker).values["$revision"]}


def put_many(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``PUT records.json``; with ``upsert`` a record that is not there is added. All or none."""
    upsert = truth(request.params.get("upsert"))
    rights: tuple[Right, ...] = ("add", "edit") if upsert else ("edit",)
    app = domain.app_of(request, asker, *rights)
    changes = objects(request.params, "records")
    _check_number(changes, "更新", "updated")
    done = []
    mistakes: dict[str, list[Message]] = {}
    with domain.all_or_nothing():
        for at, change in enumerate(changes):
            here = fields.Mistakes(f"records[{at}]", mistakes)
            row, key = _target(app, change, f"records[{at}].")
            record = change.get("record") or {}
            if row is None and not upsert:
                raise record_not_found(key)
            if row is None:
                held = {change["updateKey"]["field"]: {"value": key}} if "updateKey" in change else {}
                written, operation = _insert(domain, app, asker.user, {**record, **held}, here, asker), "INSERT"
            else:
                _check_revision(row, change.get("revision"))
                written, operation = _update(domain, app, asker.user, row, record, here, asker), "UPDATE"
            told = {"id": str(written.id), "revision": written.values["$revision"]}
            done.append(told | ({"operation": operation} if upsert else {}))
        if mistakes:
            raise invalid(mistakes)
    return {"records": done}


def delete_many(domain: FakeDomain, request: Request, asker: Asker) -> Json:
    """``DELETE records.json``."""
    app = domain.app_of(request, asker, "delete")
    ids = request.params.get("ids") or []
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_WRITES:
        bounds = (
            "一度に1件から100件までのレコードを削除できます。",
            "Between 1 and 100 records can be deleted at one time.",
        )
        raise invalid({"ids": [bounds]})
    revisions = request.params.get("revisions") or [-1] * len(ids)
    with domain.all_or_nothing():
        for record_id, revision in zip(ids, revisions, strict=True):
            row = row_of(app, int(record_id))
            _check_revision(row, revision)
            app.delete(row.id)
    return {}


def insert_one(domain: FakeDomain, app: FakeApp, user: User, record: Json, asker: Asker | None = None) -> Row:
    """Add one record. Raises ``Refused`` with every mistake in it."""
    mistakes = fields.Mistakes()
    with domain.all_or_nothing():
        row = _insert(domain, app, user, record, mistakes, asker)
        if mistakes.found:
            raise invalid(mistakes.found)
    return row


def insert_many(
    domain: FakeDomain, app: FakeApp, user: User, records: list[Json], asker: Asker | None = None
) -> list[Row]:
    """Add records, all or none."""
    found: dict[str, list[Message]] = {}
    with domain.all_or_nothing():
        rows = [
            _insert(domain, app, user, record, fields.Mistakes(f"records[{at}]", found), asker)
            for at, record in enumerate(records)
        ]
        if found:
            raise invalid(found)
    return rows


def update_one(domain: FakeDomain, app: FakeApp, user: User, row: Row, record: Json, asker: Asker | None = None) -> Row:
    """Change one record."""
    mistakes = fields.Mistakes()
    with domain.all_or_nothing():
        changed = _update(domain, app, user, row, record, mistakes, asker)
        if mistakes.found:
            raise invalid(mistakes.found)
    return changed


def row_of(app: FakeApp, record_id: int) -> Row:
    """A record by its id. Raises GAIA_RE01."""
    if record_id not in app.rows:
        raise record_not_found(record_id)
    return app.rows[record_id]


def _insert(
    domain: FakeDomain, app: FakeApp, user: User, record: Json, mistakes: fields.Mistakes, asker: Asker | None
) -> Row:
    now = times.minute(domain.now())
    by = user.entity()
    own: Json = {"$id": str(app.next_id), "$revision": "1", "レコード番号": str(app.next_id)}
    own |= {"作成者": by, "作成日時": now, "更新者": by, "更新日時": now}
    if app.settings.states:
        own |= {"ステータス": app.settings.states[0], "作業者": []}
    for code, spec in app.settings.properties.items():
        if spec["type"] in _SET_BY_KINTONE and code in record:
            own[code] = _set_by_hand(domain, spec["type"], fields.given(record[code]))
    specs = fields.writable(app.settings.properties)
    unsent = {code: fields.initial(spec, now) for code, spec in specs.items() if code not in record}
    values = own | unsent | _read(domain, app, record, {}, mistakes, asker)
    _check_whole(app, values, mistakes, None)
    app.next_id += 1
    row = Row(values)
    app.put(row)
    return row


def _update(
    domain: FakeDomain,
    app: FakeApp,
    user: User,
    row: Row,
    record: Json,
    mistakes: fields.Mistakes,
    asker: Asker | None,
) -> Row:
    types = {code: spec["type"] for code, spec in app.settings.properties.items()}
    if any(types.get(code) in _SET_BY_KINTONE for code in record):
        raise bad_json()  # refused for certain; the code is what Cybozu's own client test shows
    changed = _read(domain, app, record, row.values, mistakes, asker)
    own = {"更新者": user.entity(), "更新日時": times.minute(domain.now())}
    own["$revision"] = str(int(row.values["$revision"]) + 1)
    values = {**row.values, **changed, **own}
    _check_whole(app, values, mistakes, row.id)
    written = replace(row, values=values)
    app.put(written)
    return written


def _read(
    domain: FakeDomain,
    app: FakeApp,
    record: Json,
    before: Mapping[str, Any],
    mistakes: fields.Mistakes,
    asker: Asker | None,
) -> Json:
    """The values sent, ready to keep. A code that the form has not is ignored without a word, as kintone does."""
    if not isinstance(record, dict):
        raise bad_json()
    values: Json = {}
    for code, spec in fields.writable(app.settings.properties).items():
        if code not in record:
            continue
        value = fields.given(record[code])
        if spec["type"] == "SUBTABLE":
            values[code] = read_table(domain, app, spec, value, before.get(code) or [], mistakes)
        else:
            values[code] = fields.stored(spec, value, domain, mistakes)
    return values | copied(domain, app, values, asker)


def _check_whole(app: FakeApp, values: Json, mistakes: fields.Mistakes, own_id: int | None) -> None:
    for code, spec in fields.writable(app.settings.properties).items():
        value = values.get(code)
        fields.check_required(spec, value, mistakes)
        if spec.get("unique") and value not in ("", None):
            taken = any(row.values.get(code) == value and row.id != own_id for row in app.rows.values())
            if taken:
                mistakes.add(
                    f"{code}.value",
                    ("値がほかのレコードと重複しています。", "This value already exists in another record."),
                )


def _set_by_hand(domain: FakeDomain, kind: str, value: Any) -> Any:
    if kind in {"CREATOR", "MODIFIER"}:
        if not isinstance(value, dict):
            raise bad_json()
        return domain.entity("USER_SELECT", str(value.get("code")))
    moment = times.read_moment(str(value))
    if moment is None:
        raise bad_json()
    return times.minute(moment)


def _check_system_fields(app: FakeApp, asker: Asker, records: list[Json]) -> None:
    """Who made a record, and when, is only for those who manage the app to say."""
    types = {code: spec["type"] for code, spec in app.settings.properties.items()}
    if any(types.get(code) in _SET_BY_KINTONE for record in records for code in record):
        asker.must(app, "manage")


def _target(app: FakeApp, change: Json, prefix: str) -> tuple[Row | None, str]:
    """The record that a change means, None if it is not there, and the key by which it was named."""
    by_key = change.get("updateKey")
    if (change.get("id") is None) == (by_key is None):
        raise invalid({f"{prefix}updateKey": [_ONE_KEY], f"{prefix}id": [_ONE_KEY]})
    if by_key is None:
        return app.rows.get(number(change, "id")), str(change["id"])
    if not isinstance(by_key, dict) or "field" not in by_key or "value" not in by_key:
        raise missing(f"{prefix}updateKey.field", f"{prefix}updateKey.value")
    code, value = str(by_key["field"]), str(by_key["value"])
    spec = app.settings.properties.get(code)
    if spec is None:
        raise Refused(
            400,
            "GAIA_IQ11",
            (f"指定されたフィールド（{code}）が見つかりません。", f"Specified field ({code}) not found."),
        )
    if not spec.get("unique"):
        raise Refused(
            400,
            "GAIA_IQ27",
            (
                (
                    f"レコードの更新に失敗しました。「updateKey」に指定したフィールド（code: {code}）は、"
                    "「値の重複を禁止する」を設定しておく必要があります。"
                ),
                (
                    f'Failed to update record. The field (code: {code}) set as "updateKey" must be set to '
                    '"Prohibit duplicate values".'
                ),
            ),
        )
    if len(value) > LONGEST_KEY:
        beyond = LONGEST_KEY + 1
        raise invalid(
            {
                f"{prefix}updateKey.value": [
                    (f"{beyond}文字より短くなければなりません。", f"Enter less than {beyond} characters.")
                ]
            }
        )
    held = fields.stored(spec, value, app.domain, fields.Mistakes())
    return next((row for row in app.rows.values() if row.values.get(code) == held), None), value


def _check_revision(row: Row, revision: object) -> None:
    if revision not in (None, "", -1, "-1") and str(revision) != row.values["$revision"]:
        raise revision_conflict()


def _check_number(records: list[Json], japanese: str, english: str) -> None:
    if len(records) > MOST_WRITES:
        raise invalid(
            {
                "records": [
                    (
                        f"一度に100件までのレコードを{japanese}できます。",
                        f"A maximum of 100 records can be {english} at one time.",
                    )
                ]
            }
        )
