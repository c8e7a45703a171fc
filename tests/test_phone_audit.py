"""Which numbers never match, why, and which are shared; in memory that does not grow with the CRM."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_bridge.model import Contact, ContactKind, ContactNumber
from cti_bridge.phone import PhoneNumber
from cti_bridge.phone_audit import (
    LOOKS_MISTYPED,
    NEVER_MATCHES,
    WORDS,
    Audit,
    Fault,
    Judgement,
    Problem,
    Sharing,
    judge,
)

FAULTS = {
    "なし": Fault.NO_DIGITS,
    "−": Fault.NO_DIGITS,
    "000-0000-0000": Fault.PLACEHOLDER,
    "９９９９９９９９９９": Fault.PLACEHOLDER,
    "1234567890": Fault.PLACEHOLDER,
    "03-1234-5678/090-1234-5678": Fault.SEVERAL,
    "03-1234-5678、０９０ー１２３４ー５６７８": Fault.SEVERAL,
    "03-1234-5678\n090-1234-5678": Fault.SEVERAL,
    "03-1234-5678 携帯 090-1111-2222": Fault.SEVERAL,
    "03-1234-5678・9": Fault.SEVERAL,
    "03-1234-5678～9": Fault.SEVERAL,
    "03-1234-5678 内線 12 経理": Fault.EXTENSION,
    "03-1234-5678(田中) 不在時は会社": Fault.REMARK,
    "09O-1234-5678": Fault.LETTER_FOR_DIGIT,
    "090-I234-5678": Fault.LETTER_FOR_DIGIT,
    "+8 3-1234-5678": Fault.COUNTRY_CODE,
    "+1 03-1234-5678": Fault.COUNTRY_CODE,
    "0081 3-1234-5678": Fault.COUNTRY_CODE,
    "03-1234-567": Fault.DIGIT_MISSING,
    "０９０－１２３４－５６７": Fault.DIGIT_MISSING,
    "03-1234-56789": Fault.DIGIT_TOO_MANY,
    "090-1234-56789": Fault.DIGIT_TOO_MANY,
    "1234-5678": Fault.NO_AREA_CODE,
    "110": Fault.TOO_SHORT,
    "04-1234-56": Fault.TOO_SHORT,
    "001-010-81312345678": Fault.TOO_LONG,
    "05-1234-5678": Fault.NO_SUCH_AREA,
    "99-1234-5678": Fault.UNREADABLE,
    "０３-1234-５678": Fault.MIXED_WIDTH,
}

numbers_in_japan = st.one_of(
    st.integers(10_000_000, 99_999_999).map(lambda digits: f"+8190{digits}"),
    st.integers(20_000_000, 69_999_999).map(lambda digits: f"+813{digits}"),
).map(PhoneNumber)


def person(number: int, *texts: str) -> Contact:
    held = tuple(ContactNumber("phone", text) for text in texts)
    return Contact(f"contact:{number}", ContactKind.PERSON, "山本 さくら", numbers=held)


# ── one text ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("text", "fault"), FAULTS.items(), ids=ascii)
def test_it_says_why_a_text_does_not_match(text: str, fault: Fault) -> None:
    assert judge(text).fault is fault


def test_every_fault_has_an_example_here_or_comes_from_the_crm() -> None:
    assert set(FAULTS.values()) | {Fault.SPELLING} == set(Fault)


@pytest.mark.parametrize(
    "text",
    [
        "03-1234-5678",
        "０３ー１２３４ー５６７８",
        "03(1234)5678 内線12",
        "+44 20 7946 0018",
        "03-1234-5678（代）",
        "0120-12-3456",
    ],
)
def test_a_number_that_is_found_has_no_fault(text: str) -> None:
    assert judge(text).fault is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [("555-1234", Fault.NO_AREA_CODE), ("212-555-123", Fault.DIGIT_MISSING), ("212-555-12345", Fault.DIGIT_TOO_MANY)],
)
def test_other_countries_have_other_habits(text: str, fault: Fault) -> None:
    assert judge(text, "US").fault is fault


@given(st.text(max_size=300))
def test_no_text_breaks_it_and_it_agrees_with_the_search(text: str) -> None:
    judgement = judge(text)
    assert judgement.number == PhoneNumber.find(text)
    assert (judgement.number is None) <= (judgement.fault in NEVER_MATCHES), "what cannot be read never matches"


@given(st.text("0123456789０１２３-ー+() 内線ext/、田中Ol", max_size=40))
def test_no_text_of_a_telephone_field_breaks_it(text: str) -> None:
    judgement = judge(text)
    assert judgement.number == PhoneNumber.find(text)
    assert judgement.number is not None or judgement.fault in NEVER_MATCHES


@given(numbers_in_japan)
def test_no_usual_spelling_of_a_number_is_a_fault(number: PhoneNumber) -> None:
    faults = {text: judge(text).fault for text in number.spellings()}
    assert set(faults.values()) == {None}, faults


@given(numbers_in_japan)
def test_a_digit_left_out_at_the_end_is_noticed(number: PhoneNumber) -> None:
    shortened = number.display()[:-1]
    fault = judge(shortened).fault
    assert fault is Fault.DIGIT_MISSING or len(set(shortened) - {"-"}) == 1, f"{shortened}: {fault}"


@given(numbers_in_japan, numbers_in_japan, st.sampled_from(["/", "、", "\n", " / ", "　", " または "]))
def test_two_numbers_in_a_field_are_two_numbers(one: PhoneNumber, other: PhoneNumber, between: str) -> None:
    judgement = judge(f"{one.display()}{between}{other.display()}")
    assert judgement.fault is Fault.SEVERAL, judgement


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_is_named_and_mended_in_both_languages(fault: Fault) -> None:
    words = WORDS[fault]
    for text in (words.ja, words.mend_ja):
        assert any("ぁ" <= char <= "ん" or "一" <= char <= "龠" for char in text)
    for text in (words.en, words.mend_en):
        assert text.isascii()
        assert text
    assert fault in NEVER_MATCHES | LOOKS_MISTYPED


# ── all of them ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_report_counts_what_matches_and_what_does_not() -> None:
    found: list[Problem] = []
    audit = Audit("JP", problem=found.append)
    for contact in (person(1, "03-1234-5678", "なし"), person(2, "090-1234-567"), person(3, "０３-1234-５678")):
        audit.take(contact)

    report = audit.report()

    assert (report.contacts, report.numbers, report.matching, report.never) == (3, 4, 2, 2)
    assert report.faults == Counter({Fault.NO_DIGITS: 1, Fault.DIGIT_MISSING: 1, Fault.MIXED_WIDTH: 1})
    assert [(one.contact.id, one.held.text, one.fault) for one in found] == [
        ("contact:1", "なし", Fault.NO_DIGITS),
        ("contact:2", "090-1234-567", Fault.DIGIT_MISSING),
        ("contact:3", "０３-1234-５678", Fault.MIXED_WIDTH),
    ]


def test_a_number_that_the_crm_cannot_be_asked_for_never_matches_though_it_can_be_read() -> None:
    audit = Audit("JP", finds=lambda number, held: held.text in number.spellings())
    audit.take(person(1, "03-1234-5678", "03(1234)5678 内線12"))

    assert audit.report().faults == Counter({Fault.SPELLING: 1})
    assert audit.report().never == 1


def test_a_number_is_shared_by_records_not_by_fields() -> None:
    audit = Audit("JP")
    audit.take(person(1, "03-1234-5678", "０３ー１２３４ー５６７８"))
    assert audit.report().shared == []

    audit.take(person(2, "+81 3 1234 5678"))
    audit.take(person(3, "03-1234-5678", "090-1234-5678"))
    report = audit.report()
    assert (report.shared, report.shared_count, report.shared_exactly) == ([("+81312345678", 3)], 1, True)


@given(st.lists(st.integers(0, 30), max_size=200), st.integers(2, 12))
def test_with_too_many_numbers_counts_are_lower_bounds_and_say_so(drawn: list[int], most: int) -> None:
    truth = Counter(drawn)
    sharing = Sharing(most)
    for index in drawn:
        sharing.add(PhoneNumber(f"+8190000000{index:02}"))
        assert len(sharing._counts) <= most

    told = {int(number[-2:]): count for number, count in sharing.top(100)}

    assert all(count <= truth[index] for index, count in told.items())
    if sharing.exact:
        assert told == {index: count for index, count in truth.items() if count > 1}


def test_what_very_many_share_is_found_among_more_numbers_than_are_remembered() -> None:
    sharing = Sharing(100)
    for index in range(5_000):
        sharing.add(PhoneNumber(f"+81901{index:07}"))
        if index % 10 == 0:
            sharing.add(PhoneNumber("+81312345678"))

    assert not sharing.exact
    assert sharing.top(1)[0][0] == "+81312345678"


def contacts(count: int) -> Iterator[Contact]:
    for index in range(count):
        yield person(index, f"090-{index // 10_000:04}-{index % 10_000:04}", "なし" if index % 7 else "03-1234-567")


def test_a_hundred_thousand_contacts_stream_in_constant_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cti_bridge.phone_audit.counting.judge", _cheap)
    peaks = []
    for count in (2_000, 100_000):
        audit = Audit("JP", most_counted=1_000)
        tracemalloc.start()
        for contact in contacts(count):
            audit.take(contact)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert audit.report().contacts == count

    few, many = peaks
    assert many < few + 200_000, f"2,000 contacts took {few:,} bytes at most, 100,000 took {many:,}"


def test_counting_a_hundred_thousand_numbers_exactly_takes_less_than_twenty_megabytes() -> None:
    tracemalloc.start()
    sharing = Sharing()
    for index in range(100_000):
        sharing.add(PhoneNumber(f"+81901{index:07}"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert sharing.exact
    assert peak < 20_000_000, f"{peak:,} bytes"


def _cheap(text: str, region: str) -> Judgement:
    """The library takes minutes under tracemalloc; its answers are tested above, and its memory is bounded by itself."""
    return Judgement(PhoneNumber(f"+81{text[1:].replace('-', '')}")) if text.startswith("090") else _NOTHING


_NOTHING = judge("なし")
