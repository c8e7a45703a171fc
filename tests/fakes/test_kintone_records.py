"""The fake kintone's records API: shapes through unpatched pykintone, refusals in kintone's own codes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pykintone.account import Account
from pykintone.application import Application

from tests.fakes.kintone import FakeApp, FakeDomain, Refused
from tests.fakes.kintone.app import Right
from tests.fakes.kintone.asking import ask

FIELDS: dict[str, Any] = {
    "会社名": {"type": "SINGLE_LINE_TEXT", "required": True, "maxLength": "20"},
    "tel": {"type": "LINK", "protocol": "CALL"},
    "メモ": "MULTI_LINE_TEXT",
    "年商": {"type": "NUMBER", "maxValue": "1000000"},
    "初回": "DATE",
    "次回": "DATETIME",
    "ランク": {"type": "DROP_DOWN", "options": ["A", "B"]},
    "区分": {"type": "RADIO_BUTTON", "options": ["法人", "個人"]},
    "担当": "USER_SELECT",
    "タグ": {"type": "CHECK_BOX", "options": ["重要", "休眠"]},
    "call_sid": {"type": "SINGLE_LINE_TEXT", "unique": True},
}
EVERYTHING: tuple[Right, ...] = ("view", "add", "edit", "delete")


@pytest.fixture
def domain() -> Iterator[FakeDomain]:
    with FakeDomain() as started:
        started.clock = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
        yield started


@pytest.fixture
def app(domain: FakeDomain) -> FakeApp:
    return domain.app("顧客", FIELDS)


@pytest.fixture
def token(app: FakeApp) -> str:
    return app.token(*EVERYTHING)


@pytest.fixture
def library(domain: FakeDomain, app: FakeApp, token: str) -> Any:
    """pykintone as it is; only the address is ours."""
    application: Any = Application(Account("example"), app.id, token)
    application.API_ROOT = domain.url + "/k/v1/{1}"
    return application


def test_a_record_created_by_pykintone_is_found_again_in_kintones_shapes(library: Any, domain: FakeDomain) -> None:
    domain.user("hanako", "佐藤 花子")
    made = library.create(
        {
            "会社名": {"value": "山田商事"},
            "tel": {"value": "03-1234-5678"},
            "年商": {"value": "0120"},
            "次回": {"value": "2026-11-23T10:30:45+09:00"},
            "担当": {"value": [{"code": "hanako"}]},
        }
    )
    assert (made.ok, made.record_id, made.revision) == (True, 1, 1)
    record = library.get(1).record
    assert record["$id"] == {"type": "__ID__", "value": "1"}
    assert record["$revision"] == {"type": "__REVISION__", "value": "1"}
    assert record["年商"] == {"type": "NUMBER", "value": "120"}, "a NUMBER loses its leading zero"
    assert record["次回"]["value"] == "2026-11-23T01:30:00Z", "moments are kept in UTC, to the minute"
    assert record["担当"]["value"] == [{"code": "hanako", "name": "佐藤 花子"}]
    assert record["作成者"]["value"]["code"] == "Administrator", "who writes with a token is the administrator"
    assert record["作成日時"]["value"] == "2026-11-22T01:02:00Z"
    assert record["区分"]["value"] == "法人", "a radio button is never empty"
    assert (record["ランク"]["value"], record["初回"]["value"], record["タグ"]["value"]) == (None, None, [])
    assert "ステータス" not in record, "an app without process management has no status in its records"


def test_pykintone_selects_by_post_and_counts_as_text(library: Any, app: FakeApp, domain: FakeDomain) -> None:
    app.add_many([{"会社名": f"会社{n}"} for n in range(120)])
    result = library.select("order by $id asc", fields=["会社名", "$id"])
    assert result.total_count == 120
    assert len(result.records) == 100, "without a limit there are 100"
    assert result.records[0].keys() == {"会社名", "$id"}
    request = domain.requests(app)[-1]
    assert (request.sent_as, request.method) == ("POST", "GET")
    answer = ask(
        domain, "GET", "records.json", {"app": app.id, "totalCount": True}, token=library.api_token, override=True
    )
    assert answer.json()["totalCount"] == "120"
    assert ask(domain, "GET", "records.json", {"app": app.id}, token=library.api_token).json()["totalCount"] is None


def test_pykintone_updates_deletes_and_batches(library: Any, app: FakeApp) -> None:
    assert library.batch_create([{"会社名": {"value": name}} for name in ("甲", "乙", "丙")]).ok
    changed = library.update({"id": {"value": 2}, "会社名": {"value": "改"}})
    assert (changed.ok, changed.revision) == (True, 2)
    both = library.batch_update(
        [{"id": {"value": 1}, "メモ": {"value": "x"}}, {"id": {"value": 3}, "メモ": {"value": "y"}}]
    )
    assert [tuple(key) for key in both.keys] == [(1, 2), (3, 2)]
    assert library.delete([1, 3]).ok
    assert [record["会社名"] for record in app.records()] == ["改"]


def test_an_unknown_field_in_a_write_is_dropped_without_a_word(library: Any, app: FakeApp) -> None:
    assert library.create({"会社名": {"value": "山田"}, "電話番号": {"value": "03"}}).ok
    assert "電話番号" not in app.record(1)


@pytest.mark.parametrize(
    ("record", "key", "message"),
    [
        ({}, "record.会社名.value", "必須です。"),
        ({"会社名": "あ" * 21}, "record.会社名.value", "21文字より短くなければなりません。"),
        ({"会社名": "x", "年商": "百万"}, "record[年商].value", "数字でなければなりません。"),
        ({"会社名": "x", "年商": "1000001"}, "record.年商.value", "1000000以下である必要があります。"),
        ({"会社名": "x", "ランク": "Z"}, "record.ランク.value", '"Z"は選択肢にありません。'),
        ({"会社名": "x", "タグ": ["重要", "Z"]}, "record.タグ.values[1].value", '"Z"は選択肢にありません。'),
        ({"会社名": "x", "tel": "０３－１２３４"}, "record.tel.value", "電話番号の形式が正しくありません。"),
        ({"会社名": "x", "初回": "22/11/2026"}, "record[初回].value", "日付の形式が正しくありません。"),
        ({"会社名": "x", "call_sid": "C" * 65}, "record.call_sid.value", "65文字より短くなければなりません。"),
    ],
)
def test_a_wrong_value_is_refused_under_its_own_key(
    domain: FakeDomain, app: FakeApp, token: str, record: dict[str, Any], key: str, message: str
) -> None:
    body = {"app": app.id, "record": {code: {"value": value} for code, value in record.items()}}
    answer = ask(domain, "POST", "record.json", body, token=token)
    assert (answer.status_code, answer.json()["code"]) == (400, "CB_VA01")
    assert answer.json()["errors"][key]["messages"] == [message]
    assert app.records() == []


def test_messages_are_in_the_language_asked_for(domain: FakeDomain, app: FakeApp, token: str) -> None:
    texts = [
        ask(domain, "POST", "record.json", {"app": app.id}, token=token, language=language).json()["message"]
        for language in ("ja", "ja-JP,ja;q=0.9", "en", "")
    ]
    assert texts == ["入力内容が正しくありません。"] * 2 + ["Missing or invalid input."] * 2


def test_a_user_who_does_not_exist_is_refused(domain: FakeDomain, app: FakeApp, token: str) -> None:
    record = {"会社名": {"value": "x"}, "担当": {"value": [{"code": "nobody"}]}}
    answer = ask(domain, "POST", "record.json", {"app": app.id, "record": record}, token=token)
    assert (answer.status_code, answer.json()["code"]) == (400, "GAIA_IL26")


def test_a_second_record_with_a_unique_value_is_refused(library: Any, app: FakeApp) -> None:
    record = {"会社名": {"value": "山田"}, "call_sid": {"value": "CA1"}}
    assert library.create(record).ok
    again = library.create(record)
    assert again.error.code == "CB_VA01"
    assert again.detail["record.call_sid.value"]["messages"] == ["This value already exists in another record."]
    assert library.create({"会社名": {"value": "a"}}).ok, "empty is no value"
    assert library.create({"会社名": {"value": "b"}}).ok, "not even twice"


def test_an_update_by_key_wants_a_unique_field_and_a_true_revision(
    domain: FakeDomain, app: FakeApp, token: str
) -> None:
    app.add(会社名="山田", call_sid="CA1")

    def put(**change: Any) -> tuple[int, str]:
        answer = ask(
            domain, "PUT", "record.json", {"app": app.id, "record": {"メモ": {"value": "m"}}, **change}, token=token
        )
        return answer.status_code, answer.json().get("code", answer.json().get("revision"))

    assert put(updateKey={"field": "call_sid", "value": "CA1"}) == (200, "2")
    assert put(id=1, revision=1) == (409, "GAIA_CO02")
    assert put(id=1, revision="2") == (200, "3")
    assert put(id=1, revision=-1) == (200, "4")
    assert put(updateKey={"field": "会社名", "value": "山田"}) == (400, "GAIA_IQ27")
    assert put(updateKey={"field": "no_such", "value": "山田"}) == (400, "GAIA_IQ11")
    assert put(updateKey={"field": "call_sid", "value": "CA2"}) == (404, "GAIA_RE01")
    assert put(updateKey={"field": "call_sid", "value": "C" * 65}) == (400, "CB_VA01")
    assert put() == (400, "CB_VA01")
    assert put(id=99) == (404, "GAIA_RE01")


def test_an_upsert_adds_or_changes_and_says_which(domain: FakeDomain, app: FakeApp, token: str) -> None:
    app.add(会社名="山田", call_sid="CA1")
    changes = [
        {"updateKey": {"field": "call_sid", "value": sid}, "record": {"会社名": {"value": name}}}
        for sid, name in (("CA1", "山田改"), ("CA2", "佐藤"))
    ]
    answer = ask(domain, "PUT", "records.json", {"app": app.id, "upsert": True, "records": changes}, token=token)
    assert answer.json()["records"] == [
        {"id": "1", "revision": "2", "operation": "UPDATE"},
        {"id": "2", "revision": "1", "operation": "INSERT"},
    ]
    assert [(record["call_sid"], record["会社名"]) for record in app.records()] == [("CA1", "山田改"), ("CA2", "佐藤")]
    plain = ask(domain, "PUT", "records.json", {"app": app.id, "records": changes[:1]}, token=token)
    assert plain.json()["records"] == [{"id": "1", "revision": "3"}], "without upsert nothing is said of it"


def test_many_writes_are_all_or_nothing(domain: FakeDomain, app: FakeApp, token: str) -> None:
    good, bad = {"会社名": {"value": "良"}, "call_sid": {"value": "CA1"}}, {"call_sid": {"value": "CA2"}}
    answer = ask(domain, "POST", "records.json", {"app": app.id, "records": [good, bad]}, token=token)
    assert answer.json()["errors"].keys() == {"records[1].会社名.value"}
    upserts = [{"updateKey": {"field": "call_sid", "value": "CA1"}, "record": good}, {"id": 77, "record": bad}]
    answer = ask(domain, "PUT", "records.json", {"app": app.id, "upsert": True, "records": upserts}, token=token)
    assert answer.status_code == 400
    assert app.records() == []
    answer = ask(domain, "POST", "records.json", {"app": app.id, "records": [good] * 101}, token=token)
    assert "records" in answer.json()["errors"]


def test_an_upsert_needs_the_rights_to_add_and_to_edit(domain: FakeDomain, app: FakeApp) -> None:
    body = {"app": app.id, "upsert": True, "records": []}
    for rights in (("add",), ("edit",)):
        answer = ask(domain, "PUT", "records.json", body, token=app.token(*rights))
        assert (answer.status_code, answer.json()["code"]) == (403, "GAIA_NO01")
    assert ask(domain, "PUT", "records.json", body, token=app.token("add", "edit")).ok


def test_a_bulk_request_keeps_nothing_when_one_part_fails(domain: FakeDomain, app: FakeApp, token: str) -> None:
    def part(record: dict[str, Any]) -> dict[str, Any]:
        return {"method": "POST", "api": "/k/v1/record.json", "payload": {"app": app.id, "record": record}}

    good = part({"会社名": {"value": "良"}})
    answer = ask(domain, "POST", "bulkRequest.json", {"requests": [good, part({}), good]}, token=token)
    assert answer.status_code == 400
    assert [result.get("code") for result in answer.json()["results"]] == [None, "CB_VA01", None]
    assert app.records() == []
    answer = ask(domain, "POST", "bulkRequest.json", {"requests": [good, good]}, token=token)
    assert answer.json() == {"results": [{"id": "1", "revision": "1"}, {"id": "2", "revision": "1"}]}
    assert len(domain.requests(app)) == 2
    reading = {"method": "GET", "api": "/k/v1/record.json", "payload": {"app": app.id, "id": 1}}
    assert ask(domain, "POST", "bulkRequest.json", {"requests": [reading]}, token=token).status_code == 400
    assert ask(domain, "POST", "bulkRequest.json", {"requests": [good] * 21}, token=token).status_code == 400


def test_a_cursor_gives_everything_in_pages_and_is_gone(domain: FakeDomain, app: FakeApp, token: str) -> None:
    app.add_many([{"会社名": f"会社{n}"} for n in range(5)])
    made = ask(
        domain, "POST", "records/cursor.json", {"app": app.id, "size": 2, "query": "order by $id asc"}, token=token
    ).json()
    assert made["totalCount"] == "5"
    pages = []
    while True:
        page = ask(domain, "GET", "records/cursor.json", {"id": made["id"]}, token=token).json()
        pages.append([record["$id"]["value"] for record in page["records"]])
        if not page["next"]:
            break
    assert pages == [["1", "2"], ["3", "4"], ["5"]]
    gone = ask(domain, "GET", "records/cursor.json", {"id": made["id"]}, token=token)
    assert (gone.status_code, gone.json()["code"]) == (404, "GAIA_CN01")
    codes = [ask(domain, "POST", "records/cursor.json", {"app": app.id}, token=token).status_code for _ in range(11)]
    assert codes == [200] * 10 + [429]


def test_comments_are_written_listed_and_deleted(domain: FakeDomain, app: FakeApp, token: str) -> None:
    app.add(会社名="山田")
    domain.user("hanako")
    target = {"app": app.id, "record": 1}
    for text in ("一", "二"):
        comment = {"text": text, "mentions": [{"code": "hanako", "type": "USER"}]}
        assert ask(domain, "POST", "record/comment.json", {**target, "comment": comment}, token=token).ok
    listed = ask(domain, "GET", "record/comments.json", target, token=token).json()["comments"]
    assert [(each["id"], each["text"]) for each in listed] == [("2", "二 "), ("1", "一 ")]
    assert ask(domain, "DELETE", "record/comment.json", {**target, "comment": 1}, token=token).ok
    again = ask(domain, "DELETE", "record/comment.json", {**target, "comment": 1}, token=token)
    assert (again.status_code, again.json()["code"]) == (400, "GAIA_RE02")
    assert app.comments(1) == ["二 "]


def test_a_table_is_replaced_and_its_known_rows_are_merged(domain: FakeDomain) -> None:
    app = domain.app("受注", {"明細": {"type": "SUBTABLE", "fields": {"品名": "SINGLE_LINE_TEXT", "数": "NUMBER"}}})
    row = {"value": {"品名": {"value": "りんご"}, "数": {"value": "3"}}}
    app.add(明細=[row, row])
    first = app.record(1)["明細"][0]["id"]
    app.change(1, 明細=[{"id": first, "value": {"数": {"value": "なし"}}}, {"value": {"品名": {"value": "柿"}}}])
    table = app.record(1)["明細"]
    assert table[0] == {
        "id": first,
        "value": {
            "品名": {"type": "SINGLE_LINE_TEXT", "value": "りんご"},
            "数": {"type": "NUMBER", "value": ""},  # what is no number is emptied in a table
        },
    }
    assert table[1]["id"] not in {first, None}


def test_a_lookup_copies_and_wants_a_token_of_the_other_app_too(domain: FakeDomain, app: FakeApp) -> None:
    app.add(会社名="山田商事", call_sid="K1", tel="03-1234-5678")
    mappings = [{"field": "電話", "relatedField": "tel"}]
    lookup = {"relatedApp": {"app": str(app.id)}, "relatedKeyField": "call_sid", "fieldMappings": mappings}
    orders = domain.app("受注", {"顧客": {"type": "SINGLE_LINE_TEXT", "lookup": lookup}, "電話": "SINGLE_LINE_TEXT"})
    record = {"顧客": {"value": "K1"}, "電話": {"value": "ignored"}}
    alone, other = orders.token("add"), app.token("view")
    answer = ask(domain, "POST", "record.json", {"app": orders.id, "record": record}, token=alone)
    assert answer.json()["code"] == "GAIA_LO04"
    assert ask(domain, "POST", "record.json", {"app": orders.id, "record": record}, token=f"{alone},{other}").ok
    assert orders.record(1)["電話"] == "03-1234-5678"


def test_a_status_is_read_but_not_written(domain: FakeDomain) -> None:
    app = domain.app("案件", {"件名": "SINGLE_LINE_TEXT"}, states=("未着手", "完了"))
    app.add(件名="見積", ステータス="完了")
    answer = ask(domain, "GET", "record.json", {"app": app.id, "id": 1}, token=app.token("view"))
    assert answer.json()["record"]["ステータス"] == {"type": "STATUS", "value": "未着手"}


def test_system_fields_are_for_managers_and_only_at_the_start(domain: FakeDomain, app: FakeApp, token: str) -> None:
    record = {"会社名": {"value": "x"}, "作成日時": {"value": "2020-01-01T00:00:00Z"}}
    assert ask(domain, "POST", "record.json", {"app": app.id, "record": record}, token=token).status_code == 403
    manager = app.token("add", "edit", "manage")
    assert ask(domain, "POST", "record.json", {"app": app.id, "record": record}, token=manager).ok
    assert app.record(1)["作成日時"] == "2020-01-01T00:00:00Z"
    assert (
        ask(domain, "PUT", "record.json", {"app": app.id, "id": 1, "record": record}, token=manager).status_code == 400
    )


def test_a_body_of_the_wrong_shape_is_no_json_to_kintone(domain: FakeDomain, app: FakeApp, token: str) -> None:
    answer = ask(domain, "POST", "record.json", {"app": app.id, "record": {"会社名": "山田"}}, token=token)
    assert (answer.status_code, answer.json()["code"]) == (400, "CB_IJ01")
    with pytest.raises(Refused):
        app.add(会社名=["a", "list"])


def test_values_a_test_reads_are_its_own(app: FakeApp) -> None:
    app.add(会社名="山田", タグ=["重要"])
    app.records()[0]["タグ"].append("休眠")
    assert app.record(1)["タグ"] == ["重要"]
