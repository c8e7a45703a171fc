"""No text can change a query: what goes in as text is read back as that text by a parser that knows no bridge."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cti_bridge.connectors.salesforce.soql import any_of, fit, like, quoted, record_id, select, sosl_term, storable
from tests.connectors.salesforce.crm import opened, prepared
from tests.fakes.salesforce import FakeOrg
from tests.fakes.salesforce.soql import Comparison, Junction, parse_soql
from tests.fakes.salesforce.sosl import Sought, Term, parse_sosl

NASTY = st.lists(
    st.one_of(
        st.sampled_from("'\"\\%_?&|!{}[]()^~*:+-;\n\r\t\b\f\0\ud800０－ー「」😀改長 "),
        st.characters(),
        st.sampled_from(["AND", " OR ", "not ", "FIND", "LIMIT"]),
    ),
    max_size=40,
).map("".join)


def unquoted(literal: str) -> str:
    """A SOQL text literal read back by its documented escapes; fails when the literal ends early."""
    assert literal[0] == literal[-1] == "'"
    text, inner, at = "", literal[1:-1], 0
    plain = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "'": "'", '"': '"', "\\": "\\"}
    while at < len(inner):
        char = inner[at]
        assert char != "'", f"the literal ends early: {literal!r}"
        if char == "\\":
            at += 1
            char = plain[inner[at]]
        text += char
        at += 1
    return text


@given(NASTY)
def test_any_text_is_quoted_so_that_it_is_read_back_unchanged(text: str) -> None:
    assert unquoted(quoted(text)) == storable(text)


@given(st.lists(NASTY, min_size=1, max_size=5))
def test_a_list_of_any_texts_has_as_many_members(texts: list[str]) -> None:
    inside, literals, start, quoting = any_of(texts)[1:-1], [], 0, False
    for at, char in enumerate(inside):
        escaped = (len(inside[:at]) - len(inside[:at].rstrip("\\"))) % 2 == 1
        if char == "'" and not escaped:
            quoting = not quoting
            if not quoting:
                literals.append(inside[start : at + 1])
        elif char == "," and not quoting:
            start = at + 1

    assert [unquoted(literal) for literal in literals] == [storable(text) for text in texts]


@given(NASTY)
def test_text_in_like_has_no_wildcard_of_its_own(text: str) -> None:
    pattern = like(text)[2:-2]

    bare = pattern.replace("\\\\", "")
    assert like(text)[:2] == "'%"
    assert like(text)[-2:] == "%'"
    assert bare.replace("\\%", "").count("%") == 0
    assert bare.replace("\\_", "").count("_") == 0


@given(NASTY)
def test_a_search_term_has_no_reserved_character_bare(text: str) -> None:
    term = sosl_term(text)
    if term.startswith('"'):  # a phrase: its quotes are ours, for one of the text's would be escaped
        assert term.endswith('"')
        term = term[1:-1]

    at = 0
    while at < len(term):
        if term[at] == "\\":
            assert term[at + 1] in "?&|!{}[]()^~*:\\\"'+-", f"an escape of nothing in {term!r}"
            at += 2
            continue
        assert term[at] not in "?&|!{}[]()^~*:\\\"'+-", f"{term[at]!r} stands bare in {term!r}"
        at += 1


@given(NASTY)
def test_what_is_storable_can_be_said_in_xml_and_utf_8(text: str) -> None:
    kept = storable(text)

    assert kept.encode().decode() == kept
    assert "\0" not in kept
    assert storable(kept) == kept


@given(NASTY, NASTY)
def test_the_query_around_any_text_keeps_its_structure(text: str, other: str) -> None:
    where = f"(Name = {quoted(text)} OR Name LIKE {like(other)}) AND Phone IN {any_of([text, other])}"
    query = parse_soql(select(["Id", "Name"], "Account", where, "Name", 5))

    assert isinstance(query.where, Junction)
    either, phones = query.where.parts
    assert (query.sobject, query.limit, len(query.fields), query.where.word) == ("Account", 5, 2, "AND")
    assert isinstance(either, Junction)
    assert [part.operator for part in either.parts if isinstance(part, Comparison)] == ["=", "LIKE"]
    assert isinstance(either.parts[0], Comparison)
    assert [value.text for value in either.parts[0].values] == [storable(text)]
    assert isinstance(phones, Comparison)
    assert [value.text for value in phones.values] == [storable(text), storable(other)]


@given(NASTY.filter(lambda text: sum(map(str.isalnum, storable(text))) > 3))
def test_the_search_around_any_words_keeps_its_structure(text: str) -> None:
    words = [word for word in storable(text).split() if sum(map(str.isalnum, word)) > 1]
    assume(words)
    terms = " AND ".join(map(sosl_term, words))
    search = parse_sosl(f"FIND {{{terms}}} IN ALL FIELDS RETURNING Contact(Id LIMIT 20), Account(Id)")

    assert [returned.sobject for returned in search.returned] == ["Contact", "Account"]
    assert search.group == "ALL"
    assert sought(search.sought) == words


def sought(part: Sought) -> list[str]:
    """The terms of a search as they will be compared, all joined by AND and without a wildcard."""
    if isinstance(part, Term):
        assert not any(letter.wild for letter in part.letters)
        return ["".join(letter.text for letter in part.letters)]
    assert part.word == "AND"
    return [*sought(part.left), *sought(part.right)]


def test_hostile_texts_find_exactly_the_record_that_bears_them() -> None:
    """End to end, past the fake org's own parser: each name is found by itself and nobody else is."""
    names = [
        "O'Brien",
        '"Dan"',
        "back\\slash",
        "100%",
        "a_b",
        "{braces}",
        "[x](y)",
        "*",
        "?",
        "改行なし",
        "😀",
        "A' OR Name != '",
    ]
    with FakeOrg() as org:
        connector = opened(prepared(org))
        for name in names:
            org.insert("Account", Name=name)
        found = {}
        for name in names:
            [rows] = connector.org.rows(select(["Name"], "Account", f"Name = {quoted(name)}"))
            found[name] = [row["Name"] for row in rows]

    assert found == {name: [name] for name in names}


@given(st.text(max_size=300), st.integers(1, 120), st.sampled_from(["", "\n\n―― CTI Bridge\nCA01"]))
def test_a_text_is_cut_to_its_field_with_a_mark_and_its_tail(text: str, length: int, tail: str) -> None:
    kept = fit(text, length, tail)

    units = len(kept.encode("utf-16-le")) // 2 + kept.count("\n")
    whole = storable(text).replace("\r\n", "\n")
    assert units <= length
    if length > len(tail) + tail.count("\n"):
        assert kept == whole + tail or kept.removesuffix(tail).endswith("…")
        assert kept.endswith(tail)


@pytest.mark.parametrize(
    ("given_id", "whole"),
    [
        ("0035g00000abcde", None),
        ("", None),
        ("0035g00000abcd", None),
        ("../../0035g0000", None),
        ("0035g00000ABCDEAAA", None),
        ("００３5g00000abcdef", None),
    ],
)
def test_what_is_no_record_id_is_none(given_id: str, whole: str | None) -> None:
    found = record_id(given_id)

    assert found == (whole if len(given_id) != 15 else found)
    assert found is None or len(found) == 18


def test_an_id_of_fifteen_characters_is_made_whole_and_a_mistyped_one_is_seen() -> None:
    with FakeOrg() as org:
        real = org.insert("Account", Name="株式会社はやぶさ製作所")

    assert record_id(real) == real
    assert record_id(real[:15]) == real
    swapped = real[:14] + real[14].swapcase() + real[15:]
    assert real[14].isdigit() or record_id(swapped) is None
    assert json.dumps(record_id(real))
