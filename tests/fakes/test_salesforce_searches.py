"""SOSL in the fake org: which words are found, what is refused, the lagging index, and that no text breaks out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest

from tests.fakes.salesforce import FakeOrg, session_to
from tests.fakes.salesforce.errors import Refused
from tests.fakes.salesforce.sosl import RESERVED, Term, parse_sosl

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
        "* ?",
    ]
)


@pytest.fixture(scope="module")
def sf() -> Iterator[Salesforce]:
    """Signed in to one org for the whole file: nobody here changes what the others read."""
    with FakeOrg() as org, session_to(org.url) as session:
        acme = org.insert("Account", Name="Acme", Phone="0312345678")
        org.insert("Contact", LastName="山田", FirstName="太郎", Phone="03-1234-5678", AccountId=acme, Title="Chief")
        org.insert("Contact", LastName="Smith", FirstName="Ann", Phone="+81 3-1234-5678", Title="chief")
        org.insert("Contact", LastName="O'Neil", MobilePhone="(090) 1111-2222", Title="100%")
        org.insert("Lead", LastName="鈴木", Company="Beta", Phone="0312345678", IsConverted=True)
        org.insert("Lead", LastName="高橋", Company="Beta", Phone="0312345678")
        yield Salesforce(session_id=org.token(), instance_url=org.url, session=session, version="66.0")


def codes_in(refused: SalesforceMalformedRequest) -> object:
    """The error code that came with a 400."""
    content: Any = refused.content
    return content[0]["errorCode"]


def escaped(text: str) -> str:
    """A SOSL term with every reserved character escaped, as the documentation asks."""
    return "".join(f"\\{letter}" if letter in RESERVED else letter for letter in text)


@given(text=HOSTILE)
def test_an_escaped_phrase_stays_one_term_of_the_search(text: str) -> None:
    assume(sum(letter.isalnum() for letter in text) > 1)
    search = parse_sosl(f'FIND {{"{escaped(text)}"}} IN PHONE FIELDS RETURNING Contact(Id LIMIT 3)')
    assert isinstance(search.sought, Term)
    assert "".join(letter.text for letter in search.sought.letters) == text
    assert not any(letter.wild for letter in search.sought.letters)
    assert (search.group, [one.sobject for one in search.returned]) == ("PHONE", ["Contact"])


@given(text=HOSTILE)
def test_a_search_that_is_not_escaped_is_refused_or_returns_what_was_asked_for(text: str) -> None:
    assume("}" not in text)
    code = ""
    try:
        search = parse_sosl(f"FIND {{{text}}} IN PHONE FIELDS RETURNING Contact(Id)")
        returned = [one.sobject for one in search.returned]
    except Refused as refused:
        code, returned = refused.code, []
    assert returned == ["Contact"] or code in {"MALFORMED_SEARCH", "INVALID_SEARCH"}


# ── SOSL ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sought", "group", "names"),
    [
        ("0312345678", "PHONE", []),
        ("1234", "PHONE", ["山田", "Smith"]),
        ('"03 1234 5678"', "PHONE", ["山田"]),
        ("03\\-1234\\-5678", "PHONE", ["山田"]),
        ('"5678 1234"', "PHONE", []),
        ("1234 AND 81", "PHONE", ["Smith"]),
        ("1234 81", "PHONE", ["Smith"]),
        ("1234 AND NOT 81", "PHONE", ["山田"]),
        ("0312345678 OR 1111", "PHONE", ["O'Neil"]),
        ("(2222 OR 81) AND 1234", "PHONE", ["Smith"]),
        ("123*", "PHONE", ["山田", "Smith"]),
        ("1?34", "PHONE", ["山田", "Smith"]),
        ("123", "PHONE", []),
        ("山田", "NAME", ["山田"]),
        ("山田", "PHONE", []),
        ("smith", "ALL", ["Smith"]),
        ("chief", "NAME", []),
        ("CHIEF", "ALL", ["山田", "Smith"]),
        ('"and"', "ALL", []),
    ],
)
def test_a_search_finds_words_as_they_are_split(sf: Salesforce, sought: str, group: str, names: list[str]) -> None:
    answer = sf.search(f"FIND {{{sought}}} IN {group} FIELDS RETURNING Contact(LastName)")
    assert [record["LastName"] for record in answer["searchRecords"]] == names


def test_a_search_returns_several_objects_filtered_and_with_relationships(sf: Salesforce) -> None:
    answer = sf.search(
        "FIND {0312345678 OR 5678} IN PHONE FIELDS RETURNING Contact(Id, Account.Name WHERE AccountId != null), "
        "Lead(LastName WHERE IsConverted = false ORDER BY LastName LIMIT 5), Account"
    )["searchRecords"]
    assert [record["attributes"]["type"] for record in answer] == ["Contact", "Lead", "Account"]
    assert answer[0]["Account"]["Name"] == "Acme"
    assert answer[1]["LastName"] == "高橋"
    assert set(answer[2]) == {"attributes", "Id"}


@pytest.mark.parametrize(
    ("search", "code"),
    [
        ("FIND 0312345678", "MALFORMED_SEARCH"),
        ("FIND {}", "MALFORMED_SEARCH"),
        ("FIND {0312345678", "MALFORMED_SEARCH"),
        ("FIND {03-1234-5678}", "MALFORMED_SEARCH"),
        ("FIND {a\\d}", "MALFORMED_SEARCH"),
        ('FIND {"ab}', "MALFORMED_SEARCH"),
        ("FIND {(ab}", "MALFORMED_SEARCH"),
        ("FIND {ab OR}", "MALFORMED_SEARCH"),
        ("FIND {ab} IN SHOE FIELDS", "MALFORMED_SEARCH"),
        ("FIND {*5678}", "INVALID_SEARCH"),
        ("FIND {a}", "INVALID_SEARCH"),
        ("FIND {a*}", "INVALID_SEARCH"),
        ("FIND {ab} RETURNING Nope(Id)", "INVALID_TYPE"),
        ("FIND {ab} RETURNING Contact(Nope)", "INVALID_FIELD"),
        ("FIND {ab} RETURNING Contact(Id", "MALFORMED_QUERY"),
        ("FIND {ab} RETURNING TaskStatus(Id)", "INVALID_TYPE"),
    ],
)
def test_a_bad_search_is_refused(sf: Salesforce, search: str, code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.search(search)
    assert codes_in(refused.value) == code, refused.value.content


def test_a_lagging_index_finds_what_it_knew() -> None:
    with FakeOrg() as org, session_to(org.url) as session:
        sf = Salesforce(session_id=org.token(), instance_url=org.url, session=session)
        held = org.insert("Contact", LastName="Old", Phone="1111")
        org.search_lag = True
        org.insert("Contact", LastName="New", Phone="2222")
        org.update(held, Phone="3333")

        def seen(digits: str) -> int:
            return len(sf.search(f"FIND {{{digits}}} IN PHONE FIELDS RETURNING Contact")["searchRecords"])

        assert [seen(digits) for digits in ("1111", "2222", "3333")] == [1, 0, 0]
        assert sf.query("SELECT Id FROM Contact WHERE Phone = '2222'")["totalSize"] == 1, "SOQL never lags"
        org.search_lag = False
        assert [seen(digits) for digits in ("1111", "2222", "3333")] == [0, 1, 1]


def test_digits_are_one_word_only_where_the_org_joins_them() -> None:
    for joins in (False, True):
        with FakeOrg(joins_phone_digits=joins) as org, session_to(org.url) as session:
            org.insert("Contact", LastName="山田", Phone="(781) 300-3549")
            sf = Salesforce(session_id=org.token(), instance_url=org.url, session=session)
            answer = sf.search("FIND {7813003549} IN PHONE FIELDS RETURNING Contact")
            assert len(answer["searchRecords"]) == joins
