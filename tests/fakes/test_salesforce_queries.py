"""The fake org's query languages: what they find, what they refuse, and that no text breaks out of its quotes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest
from simple_salesforce.format import format_soql

from tests.fakes.salesforce import FakeOrg, session_to
from tests.fakes.salesforce.soql import Comparison, parse_soql

HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [
        "'",
        "\\",
        "\\'",
        "' OR Name != '",
        "}",
        "\\}",
        "} RETURNING User(Id",
        "a' LIMIT 1 --",
        '"',
        '" OR "',
        "😀’'",
        "\n'",
        "%_\\",
    ]
)


@pytest.fixture(scope="module")
def org() -> Iterator[FakeOrg]:
    """One org for the whole file: nobody here changes what the others read."""
    with FakeOrg() as org:
        org.connected_app("key", secret="secret")
        org.clock = lambda: datetime(2026, 11, 22, 1, 0, tzinfo=UTC)  # 10:00 in Tokyo, a Sunday
        acme = org.insert("Account", Name="Acme", Phone="0312345678")
        taro = org.insert(
            "Contact",
            LastName="山田",
            FirstName="太郎",
            Phone="03-1234-5678",
            AccountId=acme,
            Title="Chief",
            Email="t@a.jp",
        )
        org.insert("Contact", LastName="Smith", FirstName="Ann", Phone="+81 3-1234-5678", Title="chief")
        org.insert("Contact", LastName="O'Neil", MobilePhone="(090) 1111-2222", Title="100%")
        org.insert("Lead", LastName="鈴木", Company="Beta", Phone="0312345678", IsConverted=True)
        org.insert("Lead", LastName="高橋", Company="Beta", Phone="0312345678")
        for day in ("2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", None):
            org.insert("Task", Subject=f"on {day}", ActivityDate=day, WhoId=taro, CallDurationInSeconds=len(str(day)))
        org.insert("Event", Subject="late", StartDateTime="2026-11-22T15:00:00Z", WhoId=taro)  # the 23rd in Tokyo
        org.insert("Event", Subject="soon", StartDateTime="2026-11-22T14:59:59Z", WhatId=acme)
        yield org


@pytest.fixture(scope="module")
def sf(org: FakeOrg) -> Iterator[Salesforce]:
    with session_to(org.url) as session:
        yield Salesforce(
            consumer_key="key", consumer_secret="secret", domain="acme.my", session=session, version="66.0"
        )


def found(sf: Salesforce, sobject: str, where: str, field: str = "LastName") -> list[str]:
    """The values of a field in the records that a condition finds, in the order they were made."""
    answer = sf.query(f"SELECT {field} FROM {sobject} WHERE {where}")
    return [record[field] for record in answer["records"]]


def first_error(refused: SalesforceMalformedRequest) -> dict[str, str]:
    """The first object of the array that came with a 400."""
    content: Any = refused.content
    error: dict[str, str] = content[0]
    return error


# ── SOQL: what is found ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Phone = '03-1234-5678'", ["山田"]),
        ("Phone = '0312345678'", []),
        ("Phone IN ('0312345678', '+81 3-1234-5678')", ["Smith"]),
        ("Phone NOT IN ('03-1234-5678')", ["Smith", "O'Neil"]),
        ("Phone = null", ["O'Neil"]),
        ("phone != NULL", ["山田", "Smith"]),
        ("Phone != '03-1234-5678'", ["Smith", "O'Neil"]),
        ("Title = 'CHIEF'", ["山田", "Smith"]),
        ("Title IN ('cHiEf')", ["山田", "Smith"]),
        ("LastName = 'O\\'Neil'", ["O'Neil"]),
        ("LastName = 'O\\u0027Neil'", ["O'Neil"]),
        ("Phone LIKE '%1234%5678'", ["山田", "Smith"]),
        ("Phone LIKE '03_1234_5678'", ["山田"]),
        ("LastName LIKE 'SM%'", ["Smith"]),
        ("Title LIKE '100\\%'", ["O'Neil"]),
        ("Title LIKE '%\\%%'", ["O'Neil"]),
        ("NOT Title LIKE 'c%'", ["O'Neil"]),
        ("(NOT Title LIKE 'c%') AND Phone = null", ["O'Neil"]),
        ("Title = 'chief' AND (Phone LIKE '03%' OR Phone = null)", ["山田"]),
        ("Account.Name = 'ACME'", ["山田"]),
        ("Contact.Account.Phone = '0312345678'", ["山田"]),
        ("AccountId IN (SELECT Id FROM Account WHERE Name = 'Acme')", ["山田"]),
        ("Id IN (SELECT WhoId FROM Task)", ["山田"]),
        ("Id NOT IN (SELECT WhoId FROM Task)", ["Smith", "O'Neil"]),
        ("LastName < 'p'", ["O'Neil"]),
        ("Owner.IsActive = true", ["山田", "Smith", "O'Neil"]),
    ],
)
def test_a_condition_finds_what_salesforce_would(sf: Salesforce, where: str, names: list[str]) -> None:
    assert found(sf, "Contact", where) == names


@pytest.mark.parametrize(
    ("where", "days"),
    [
        ("ActivityDate = TODAY", [22]),
        ("ActivityDate = 2026-11-21", [21]),
        ("ActivityDate < TODAY", [20, 21]),
        ("ActivityDate >= TODAY", [22, 23]),
        ("ActivityDate = LAST_N_DAYS:1", [21, 22]),
        ("ActivityDate = NEXT_N_DAYS:1", [23]),
        ("ActivityDate = YESTERDAY", [21]),
        ("ActivityDate != TODAY", [20, 21, 23, None]),
        ("ActivityDate > N_DAYS_AGO:1", [22, 23]),
        ("ActivityDate IN (2026-11-20, TOMORROW)", [20, 23]),
        ("CallDurationInSeconds >= 10", [20, 21, 22, 23]),
        ("IsClosed = false AND ActivityDate = null", [None]),
    ],
)
def test_dates_are_compared_by_day(sf: Salesforce, where: str, days: list[int | None]) -> None:
    assert found(sf, "Task", where, "Subject") == [f"on 2026-11-{day}" if day else "on None" for day in days]


@pytest.mark.parametrize(
    ("where", "subjects"),
    [
        ("StartDateTime = TODAY", ["soon"]),
        ("StartDateTime = TOMORROW", ["late"]),
        ("StartDateTime = NEXT_N_DAYS:7", ["late"]),
        ("StartDateTime >= TODAY", ["late", "soon"]),
        ("StartDateTime >= 2026-11-23T00:00:00+09:00", ["late"]),
        ("StartDateTime < 2026-11-22T15:00:00Z", ["soon"]),
    ],
)
def test_a_day_begins_at_midnight_where_the_user_is(sf: Salesforce, where: str, subjects: list[str]) -> None:
    assert found(sf, "Event", where, "Subject") == subjects


def test_relationships_come_nested_and_children_as_results(sf: Salesforce) -> None:
    asked = (
        "SELECT Id, Name, Account.Name, Owner.Name, (SELECT Subject, What.Name FROM Tasks ORDER BY ActivityDate DESC "
        "NULLS LAST LIMIT 2), (SELECT Id FROM Cases) FROM Contact WHERE LastName IN ('山田', 'Smith') ORDER BY Phone DESC"
    )
    taro, ann = sf.query(asked)["records"]
    assert taro["Account"]["Name"] == "Acme"
    assert taro["Account"]["attributes"]["type"] == "Account"
    assert [task["Subject"] for task in taro["Tasks"]["records"]] == ["on 2026-11-23", "on 2026-11-22"]
    assert taro["Tasks"]["records"][0]["What"] is None
    assert (taro["Cases"], ann["Account"], ann["Tasks"]) == (None, None, None)


def test_a_relationship_to_several_objects_is_a_name(sf: Salesforce) -> None:
    record = sf.query("SELECT Who.Name, Who.Type, Who.Phone FROM Task LIMIT 1")["records"][0]
    assert record["Who"]["attributes"]["type"] == "Name"
    assert (record["Who"]["Name"], record["Who"]["Type"], record["Who"]["Phone"]) == (
        "山田 太郎",
        "Contact",
        "03-1234-5678",
    )


def test_nulls_stand_first_unless_told_otherwise(sf: Salesforce) -> None:
    for order, first in [
        ("ASC", None),
        ("DESC", None),
        ("ASC NULLS LAST", "2026-11-20"),
        ("DESC NULLS LAST", "2026-11-23"),
    ]:
        rows = sf.query(f"SELECT ActivityDate FROM Task ORDER BY ActivityDate {order} LIMIT 1")["records"]
        assert rows[0]["ActivityDate"] == first


def test_count_limit_and_offset(sf: Salesforce) -> None:
    assert dict(sf.query("SELECT COUNT() FROM Task WHERE ActivityDate != null")) == {
        "totalSize": 4,
        "done": True,
        "records": [],
    }
    rows = sf.query("SELECT Subject FROM Task ORDER BY Subject LIMIT 2 OFFSET 1")["records"]
    assert [row["Subject"] for row in rows] == ["on 2026-11-21", "on 2026-11-22"]


def test_a_long_result_comes_in_pages() -> None:
    with FakeOrg() as org, session_to(org.url) as session:
        org.batch_size = 3
        for number in range(8):
            org.insert("Account", Name=f"Company {number}")
        sf = Salesforce(session_id=org.token(), instance_url=org.url, session=session)
        first = sf.query("SELECT Name FROM Account")
        assert (first["totalSize"], first["done"], len(first["records"])) == (8, False, 3)
        assert len(sf.query_all("SELECT Name FROM Account")["records"]) == 8
        assert org.count("/query/") == 1 + 3, "one page alone, then three pages"


# ── SOQL: what is refused ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id, FROM Contact", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT FROM Contact", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT * FROM Contact", "MALFORMED_QUERY", "unexpected token: '*'"),
        ("SELECT Id FROM Contact; DELETE", "MALFORMED_QUERY", "unexpected token: ';'"),
        ("SELECT Id FROM Contact LIMIT 1 WHERE Id = null", "MALFORMED_QUERY", "unexpected token: 'WHERE'"),
        ("SELECT Id FROM Contact WHERE Phone = 'a' AND Title = 'b' OR Title = 'c'", "MALFORMED_QUERY", "'OR'"),
        ("SELECT Id FROM Contact WHERE NOT Phone = 'a' AND Title = 'b'", "MALFORMED_QUERY", "'AND'"),
        ("SELECT Id FROM Contact WHERE LastName = 'O'Neil'", "MALFORMED_QUERY", "'Neil'"),
        ("SELECT Id FROM Contact WHERE LastName = 'O\\Neil\\'", "MALFORMED_QUERY", ""),
        ("SELECT Id FROM Contact WHERE LastName = 'a\\d'", "MALFORMED_QUERY", "Illegal character sequence"),
        ("SELECT Id FROM Contact WHERE LastName = '100\\%'", "MALFORMED_QUERY", "LIKE only"),
        ("SELECT Id FROM Contact WHERE LastName = 'a\nb'", "MALFORMED_QUERY", "line breaks not allowed"),
        ('SELECT Id FROM Contact WHERE LastName = "a"', "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Contact WHERE Phone IN ()", "MALFORMED_QUERY", "unexpected token: ')'"),
        ("SELECT Id FROM Contact WHERE Phone IN 'a'", "MALFORMED_QUERY", "expecting ("),
        ("SELECT Id FROM Contact WHERE Phone = :phone", "MALFORMED_QUERY", "':'"),
        ("SELECT Nope FROM Contact", "INVALID_FIELD", "No such column 'Nope' on entity 'Contact'"),
        ("SELECT Id FROM Contact WHERE Nope = 'a'", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT Id FROM Contact ORDER BY Nope", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT Nope.Name FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Nope'"),
        ("SELECT Account.Nope FROM Contact", "INVALID_FIELD", "on entity 'Account'"),
        ("SELECT PersonMobilePhone FROM Account", "INVALID_FIELD", "PersonMobilePhone"),
        ("SELECT Id, Name, name FROM Contact", "INVALID_FIELD", "duplicate field selected"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported"),
        ("SELECT Id, (SELECT Id FROM Nopes) FROM Contact", "INVALID_TYPE", "Didn't understand relationship 'Nopes'"),
        ("SELECT Id, (SELECT Nope FROM Tasks) FROM Lead", "INVALID_FIELD", "on entity 'Task'"),
        ("SELECT Id, (SELECT Id FROM Tasks WHERE Nope = 1) FROM Lead", "INVALID_FIELD", "on entity 'Task'"),
        ("SELECT Id FROM Task WHERE Description = 'a'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Task ORDER BY Description", "INVALID_FIELD", "can not be sorted"),
        ("SELECT Id FROM Contact WHERE Phone = 0312345678", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Task WHERE ActivityDate = '2026-11-22'", "INVALID_FIELD", "should not be enclosed in quotes"),
        ("SELECT Id FROM Task WHERE CreatedDate > 2026-11-22", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Task WHERE IsClosed = 'true'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Task WHERE ActivityDate = SOMEDAY", "MALFORMED_QUERY", "SOMEDAY"),
        ("SELECT Id FROM Task WHERE ActivityDate = 2026-13-41", "MALFORMED_QUERY", "Invalid date"),
        ("SELECT Id FROM Contact WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
        ("SELECT Id FROM Contact WHERE AccountId LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM Contact LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
    ],
)
def test_a_bad_query_is_refused(sf: Salesforce, query: str, code: str, message: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query(query)
    error = first_error(refused.value)
    assert error["errorCode"] == code, error["message"]
    assert message in error["message"]


def test_an_error_points_at_its_place(sf: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query("SELECT Id, Nope FROM Contact")
    message = first_error(refused.value)["message"].split("\n")
    assert message[1].index("Nope") == message[2].index("^")
    assert message[3] == "ERROR at Row:1:Column:12"


def test_a_query_too_long_for_an_address_fits_into_a_composite(org: FakeOrg, sf: Salesforce) -> None:
    query = "SELECT Id FROM Contact WHERE Phone IN ('{}')".format("','".join(f"{n:020}" for n in range(900)))
    with pytest.raises(Exception, match="414"):
        sf.query(query)
    with pytest.raises(Exception, match="431"):
        sf.query("SELECT Id FROM Contact WHERE Phone = '{}'".format("a" * 16_200))
    sub = {"method": "GET", "url": "/services/data/v66.0/query?q=" + query.replace(" ", "+"), "referenceId": "a"}
    answer = sf.restful("composite", method="POST", json={"compositeRequest": [sub]})
    assert answer is not None
    assert answer["compositeResponse"][0]["httpStatusCode"] == 200
    huge = {**sub, "url": sub["url"].replace("000", "0" * 30)}
    answer = sf.restful("composite", method="POST", json={"compositeRequest": [huge]})
    assert answer is not None
    assert "cannot be longer" in answer["compositeResponse"][0]["body"][0]["message"]


# ── no text breaks out ───────────────────────────────────────────────────────────────────────────────────────────────


@given(first=HOSTILE, second=HOSTILE)
def test_escaped_text_stays_one_value_of_the_query(first: str, second: str) -> None:
    query = parse_soql(format_soql("SELECT Id FROM Contact WHERE Phone IN {} LIMIT 7", [first, second]))
    assert isinstance(query.where, Comparison)
    assert [value.text for value in query.where.values] == [first, second]
    assert (query.sobject, query.limit, len(query.fields)) == ("Contact", 7, 1)


@given(text=HOSTILE)
def test_text_that_is_not_escaped_is_refused_or_stays_a_value(text: str) -> None:
    """The parser itself has no door: whatever comes, an unbalanced quote or a backslash ends in a refusal."""
    assume("'" not in text and "\\" not in text and "\n" not in text and "\r" not in text)
    query = parse_soql(f"SELECT Id FROM Contact WHERE Phone = '{text}'")
    assert isinstance(query.where, Comparison)
    assert query.where.values[0].text == text


@given(text=HOSTILE, around=st.text("ab%_", max_size=3))
def test_escaped_text_matches_only_itself_in_like(text: str, around: str) -> None:
    query = parse_soql(format_soql("SELECT Id FROM Contact WHERE Phone LIKE '{:like}'", text))
    assert isinstance(query.where, Comparison)
    assert not {"%", "_"} & set(query.where.values[0].like), "an escaped text has no wildcard left"
    assert "".join(part[-1] for part in query.where.values[0].like) == text


@given(text=HOSTILE)
def test_stored_text_is_found_again_by_its_escaped_self(org: FakeOrg, sf: Salesforce, text: str) -> None:
    assume(text.strip())
    case = org.insert("Case", Subject=text)
    asked = format_soql("SELECT Id, Subject FROM Case WHERE Subject = {} AND Id = {}", text.strip(), case)
    assert [(row["Id"], row["Subject"]) for row in sf.query(asked)["records"]] == [(case, text.strip())]
