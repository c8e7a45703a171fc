"""The fake kintone's query language: what parses, what each type allows, what word search finds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.kintone import FakeApp, FakeDomain, Refused, quoted
from tests.fakes.kintone.asking import ask
from tests.fakes.kintone.query import Both, Either, Function, Test, Text, parse

FIELDS: dict[str, Any] = {
    "name": "SINGLE_LINE_TEXT",
    "tel": {"type": "LINK", "protocol": "CALL"},
    "memo": "MULTI_LINE_TEXT",
    "rich": "RICH_TEXT",
    "num": "NUMBER",
    "day": "DATE",
    "at": "DATETIME",
    "time": "TIME",
    "drop": {"type": "DROP_DOWN", "options": ["A", "B"]},
    "check": {"type": "CHECK_BOX", "options": ["A", "B"]},
    "who": "USER_SELECT",
    "rows": {"type": "SUBTABLE", "fields": {"item": "SINGLE_LINE_TEXT"}},
}


@pytest.fixture(scope="module")
def domain() -> Iterator[FakeDomain]:
    with FakeDomain() as started:
        started.clock = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
        yield started


@pytest.fixture
def app(domain: FakeDomain) -> FakeApp:
    return domain.app("顧客", FIELDS)


def ids(app: FakeApp, query: str) -> list[int]:
    """The ids that a query finds, in its order."""
    answer = ask(
        app.domain, "GET", "records.json", {"app": app.id, "query": query}, token=app.token("view"), override=True
    )
    assert answer.ok, f"{query} was refused: {answer.text}"
    return [int(record["$id"]["value"]) for record in answer.json()["records"]]


def refusal(app: FakeApp, query: str) -> str:
    """The code with which a query is refused."""
    answer = ask(
        app.domain, "GET", "records.json", {"app": app.id, "query": query}, token=app.token("view"), override=True
    )
    assert answer.status_code == 400, f"{query} was not refused"
    return str(answer.json()["code"])


@given(st.text(st.characters(codec="utf-8")))
def test_a_text_quoted_properly_is_that_text_and_nothing_else(text: str) -> None:
    query = parse(f"name = {quoted(text)} and num = 1")
    assert query.condition == Both(Test("name", "=", (Text(text),)), Test("num", "=", (Text("1"),)))


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=40))
def test_a_list_of_hostile_texts_stays_one_list(texts: list[str]) -> None:
    query = parse(f"tel in ({','.join(map(quoted, texts))}) limit 3")
    assert query.condition == Test("tel", "in", tuple(Text(text) for text in texts))
    assert query.limit == 3


@given(st.text(st.sampled_from('name ="\\()<>!,andorin\t\n123"like"'), max_size=40))
def test_whatever_is_sent_parses_or_is_refused_as_a_query(text: str) -> None:
    code = ""
    try:
        parse(text)
    except Refused as refused:
        code = refused.code
    assert code in {"", "CB_VA01", "GAIA_QU01", "GAIA_QU02"}


@given(st.text(st.characters(codec="utf-8", exclude_characters='"\\'), max_size=20))
def test_an_unquoted_quotation_mark_never_hides_the_rest(text: str) -> None:
    with pytest.raises(Refused):
        parse(f'name = "{text}"x" and num = 1')


def test_and_binds_closer_than_or_and_parentheses_closer_still() -> None:
    a, b, c = (Test(code, "=", (Text("1"),)) for code in "abc")
    assert parse("a = 1 or b = 1 and c = 1").condition == Either(a, Both(b, c))
    assert parse("(a = 1 or b = 1) and c = 1").condition == Both(Either(a, b), c)


def test_everything_at_once_in_order() -> None:
    query = parse(
        '更新日時 >= FROM_TODAY(-7, DAYS) AND name not like "x"　order by 更新日時 desc, $id limit 20 offset 40'
    )
    assert query.condition == Both(
        Test("更新日時", ">=", (Function("FROM_TODAY", ("-7", "DAYS")),)), Test("name", "not like", (Text("x"),))
    )
    assert (query.order, query.limit, query.offset) == ((("更新日時", True), ("$id", False)), 20, 40)


@pytest.mark.parametrize(
    "query",
    [
        "name",
        "name =",
        "name === 1",
        "name = 'x'",
        'name = "x',
        'name = "x\ty"',
        'name = "x\ny"',
        'name = "x\\y"',
        "name in ()",
        'name in ("a" "b")',
        '(name = "a"',
        'name = "a" and',
        'name = "a" name = "b"',
        "limit -1",
        "limit ten",
        "limit 1 order by name",
        "offset 1 limit 1",
        "order by",
        'and = "x"',
        "`name` = 1",
    ],
)
def test_a_syntax_error_is_cb_va01_on_the_query(app: FakeApp, query: str) -> None:
    answer = ask(app.domain, "GET", "records.json", {"app": app.id, "query": query}, token=app.token("view"))
    assert (answer.status_code, answer.json()["code"]) == (400, "CB_VA01")
    assert answer.json()["errors"]["query"]["messages"] == ["クエリ記法が間違っています。"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit 501", "GAIA_QU01"),
        ("offset 10001", "GAIA_QU02"),
        ('nobody = "x"', "GAIA_IQ11"),
        ("order by nobody", "GAIA_IQ11"),
        ('memo = "x"', "GAIA_IQ03"),
        ('rich in ("x")', "GAIA_IQ03"),
        ('name > "x"', "GAIA_IQ03"),
        ("name is empty", "GAIA_IQ03"),
        ('drop = "A"', "GAIA_IQ03"),
        ('check like "A"', "GAIA_IQ03"),
        ('day in ("2026-11-22")', "GAIA_IQ03"),
        ('who = "hanako"', "GAIA_IQ03"),
        ("num like 1", "GAIA_IQ03"),
        ('rows like "x"', "GAIA_IQ03"),
        ('item = "x"', "GAIA_IQ07"),
        ('drop in ("Z")', "GAIA_IQ10"),
        ('who in ("nobody")', "GAIA_IL26"),
        ('ステータス = "x"', "GAIA_IQ11"),
        ("day = FROM_TODAY(1)", "GAIA_IL08"),
        ("day = FROM_TODAY(1, HOURS)", "GAIA_IQ25"),
        ("day = THIS_MONTH(32)", "GAIA_IQ23"),
        ("order by memo", "GAIA_IQ03"),
    ],
)
def test_what_kintone_refuses_is_refused_with_its_code(app: FakeApp, query: str, code: str) -> None:
    assert refusal(app, query) == code


def test_the_bounds_themselves_are_allowed(app: FakeApp) -> None:
    assert ids(app, "limit 500 offset 10000") == []
    assert ids(app, "limit 0") == []


def test_equals_and_in_tell_width_and_case(app: FakeApp) -> None:
    app.add_many([{"name": name} for name in ("03-1234-5678", "０３－１２３４－５６７８", "ABC", "abc", "")])
    assert ids(app, 'name = "03-1234-5678"') == [1]
    assert ids(app, 'name in ("０３－１２３４－５６７８", "abc")') == [4, 2]
    assert ids(app, 'name not in ("ABC", "abc", "")') == [2, 1]
    assert ids(app, 'name = ""') == [5]
    assert ids(app, 'name != "abc"') == [5, 3, 2, 1]


@pytest.mark.parametrize(
    ("stored", "keyword", "found"),
    [
        ("03-1234-5678", "0312345678", False),
        ("03-1234-5678", "03-1234-5678", True),
        ("03-1234-5678", "1234-5678", True),
        ("03-1234-5678", "(03)1234", True),
        ("0312345678", "1234", False),
        ("0312345678", "０３１２３４５６７８", True),
        ("+81312345678", "81312345678", False),
        ("+81312345678", "+81312345678", True),
        ("test123", "test", False),
        ("test_123", "test", False),
        ("Test#1", "test#1", True),
        ("gamma keyword", "KEYWORD", True),
        ("株式会社山田商事", "山田", True),
        ("株式会社山田商事", "田商", True),
        ("株式会社山田商事", "山", False),
        ("山 田", "山", True),
        ("山田ABC商事", "abc", True),
        ("山田商事", "山田 商会", False),
        ("ヤマダ", "ﾔﾏﾀﾞ", True),
        ("100%", "%", False),
        ("anything", "", False),
    ],
)
def test_like_is_a_word_search(app: FakeApp, stored: str, keyword: str, found: bool) -> None:
    app.add(name=stored)
    assert ids(app, f"name like {quoted(keyword)}") == ([1] if found else [])
    assert ids(app, f"name not like {quoted(keyword)}") == ([] if found else [1])


def test_like_takes_ten_keywords_and_no_more(app: FakeApp) -> None:
    app.add(name="a b c d e f g h i j k")
    assert ids(app, 'name like "a b c d e f g h i j"') == [1]
    assert refusal(app, 'name like "a b c d e f g h i j k"') == "CB_VA01"


def test_rich_text_is_searched_without_its_tags(app: FakeApp) -> None:
    app.add(rich="<div><b>至急</b>折返し</div>")
    assert ids(app, 'rich like "至急"') == [1]
    assert ids(app, 'rich like "div"') == []


def test_the_search_index_lags_behind_and_equals_does_not(app: FakeApp) -> None:
    app.add(name="山田商事")
    app.domain.search_lag = True
    app.add(name="山田工業")
    app.change(1, name="佐藤商事")
    assert ids(app, 'name like "山田"') == [1], "it still knows the old name, and not yet the new record"
    assert ids(app, 'name = "山田工業"') == [2]
    app.domain.search_lag = False
    assert ids(app, 'name like "山田"') == [2]


def test_numbers_compare_as_numbers(app: FakeApp) -> None:
    app.add_many([{"num": value} for value in ("9", "10", "-1", "")])
    assert ids(app, "num > 9") == [2]
    assert ids(app, 'num <= "9"') == [3, 1]
    assert ids(app, 'num in (9.0, "10")') == [2, 1]
    assert ids(app, 'num = ""') == [4]
    assert ids(app, "order by num desc, $id asc") == [2, 1, 3, 4]


def test_choices_and_people_are_asked_by_in(app: FakeApp) -> None:
    app.domain.user("hanako", "佐藤 花子")
    app.add(drop="A", check=["A", "B"], who=[{"code": "hanako"}])
    app.add()
    assert ids(app, 'drop in ("A")') == [1]
    assert ids(app, 'drop in ("")') == [2]
    assert ids(app, 'check in ("B") and check not in ("")') == [1]
    assert ids(app, 'who in ("hanako")') == [1]
    assert ids(app, "作成者 in (LOGINUSER())") == [2, 1]


def test_days_and_moments_are_those_of_japan(app: FakeApp) -> None:
    """It is 10:02 on Sunday the 22nd in Tokyo."""
    for day, at in (("2026-11-21", "2026-11-21T14:59:00Z"), ("2026-11-22", "2026-11-21T15:00:00Z"), ("", "")):
        app.add(day=day, at=at, time="09:30")
    assert ids(app, "day = TODAY()") == [2]
    assert ids(app, "day < TODAY()") == [1]
    assert ids(app, "at = TODAY()") == [2], "15:00 UTC is midnight in Tokyo"
    assert ids(app, "at < TODAY()") == [1]
    assert ids(app, "at >= FROM_TODAY(-1, DAYS)") == [2, 1]
    assert ids(app, "day >= FROM_TODAY(-1, MONTHS) and day <= THIS_WEEK()") == [2, 1]
    assert ids(app, "day = THIS_WEEK(SUNDAY)") == [2]
    assert ids(app, "day = LAST_MONTH()") == []
    assert ids(app, "at < NOW()") == [2, 1]
    assert ids(app, 'at = "2026-11-22T00:00:00+09:00"') == [2]
    assert ids(app, 'day != "2026-11-21"') == [3, 2]
    assert ids(app, 'time < "10:00"') == [3, 2, 1]
    assert ids(app, "作成日時 = TODAY() limit 1") == [3]


def test_a_table_is_asked_by_in(app: FakeApp) -> None:
    app.add(rows=[{"value": {"item": {"value": "りんご"}}}, {"value": {"item": {"value": "柿"}}}])
    assert ids(app, 'item in ("柿")') == [1]
    assert ids(app, 'rows.item in ("梨")') == []


def test_empty_is_asked_of_long_texts(app: FakeApp) -> None:
    app.add(memo=" \n")
    app.add(memo="x")
    assert ids(app, "memo is empty") == [1]
    assert ids(app, "memo is not empty") == [2]


def test_records_come_newest_first_and_pages_follow_each_other(app: FakeApp) -> None:
    app.add_many([{"name": "b" if n % 2 else "a"} for n in range(6)])
    assert ids(app, "") == [6, 5, 4, 3, 2, 1]
    assert ids(app, "order by name asc, $id asc limit 2 offset 2") == [5, 2]


def test_too_many_matches_are_cut_with_a_warning_and_status_200(app: FakeApp) -> None:
    app.add_many([{"name": "a"} for _ in range(5)])
    app.domain.most_matches = 3
    try:
        answers = [
            ask(app.domain, "GET", "records.json", {"app": app.id, "query": query}, token=app.token("view"))
            for query in ('name = "a"', "", 'name = "b"')
        ]
    finally:
        app.domain.most_matches = 100_000
    warned = [answer.headers.get("X-Cybozu-Warning") for answer in answers]
    assert warned == ["Filter aborted because of too many search results", None, None]
    assert [len(answer.json()["records"]) for answer in answers] == [3, 5, 0]
