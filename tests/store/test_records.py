"""The embedded CRM's records: who is the same customer, what a repetition changes, what a search finds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from cti_bridge.model import ActivityKind, Contact, ContactDraft, ContactNumber
from cti_bridge.phone import PhoneNumber
from cti_bridge.store.database import Database
from cti_bridge.store.records import Customer, Entry, Records, SavedHow
from cti_bridge.store.records.contacts import RecordId
from cti_bridge.store.records.text import fold, one_line, short, storable, words

NOW = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
MOBILE = "080-0000-1223"
HOME = "045-000-0210"


@pytest.fixture
def records(database: Database) -> Records:
    return Records(database)


def phone(*texts: str, kind: str = "phone") -> tuple[ContactNumber, ...]:
    return tuple(ContactNumber(kind, text) for text in texts)


def how(records: Records, *customers: Customer) -> list[SavedHow]:
    return [saved.how for saved in records.save(customers)]


def everybody(records: Records) -> list[Customer]:
    return list(records.customers())


SAKURA = Customer("山本 さくら", "ヤマモト サクラ", company="はやぶさ", numbers=phone(MOBILE))


# ── who is the same ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_saving_the_same_customer_again_changes_nothing(records: Records) -> None:
    assert how(records, SAKURA, SAKURA) == [SavedHow.CREATED, SavedHow.UNCHANGED]
    assert records.count() == 2  # Sakura and her company


def test_the_same_name_and_company_with_a_common_number_is_the_same_person(records: Records) -> None:
    again = Customer("山本　さくら", company="ハヤブサ", numbers=phone("０８０ー００００ー１２２３", HOME))

    assert how(records, SAKURA, again) == [SavedHow.CREATED, SavedHow.UPDATED]
    assert [number.text for number in everybody(records)[0].numbers] == ["０８０ー００００ー１２２３", HOME]


@pytest.mark.parametrize(
    "other",
    [
        Customer("山本 さくら", company="はやぶさ", numbers=phone(HOME)),
        Customer("山本 さくら", company="はやぶさ"),
        Customer("山本 さくら", numbers=phone(MOBILE)),
        Customer("山本 さくら", company="つばき", numbers=phone(MOBILE)),
        Customer("山本 大輔", company="はやぶさ", numbers=phone(MOBILE)),
    ],
    ids=["another number", "no number", "no company", "another company", "another name"],
)
def test_somebody_who_differs_in_name_company_or_all_numbers_is_somebody_else(
    records: Records, other: Customer
) -> None:
    assert how(records, SAKURA, other) == [SavedHow.CREATED, SavedHow.CREATED]


def test_the_customer_number_decides_whatever_else_changed(records: Records) -> None:
    moved = Customer("佐藤 さくら", customer_number="C-1", company="つばき", numbers=phone(HOME))

    assert how(records, Customer("山本 さくら", customer_number="C-1", numbers=phone(MOBILE)), moved) == [
        SavedHow.CREATED,
        SavedHow.UPDATED,
    ]
    assert everybody(records) == [moved]


def test_a_list_with_customer_numbers_takes_over_whom_an_agent_created(records: Records) -> None:
    made = records.create(ContactDraft("山本 さくら", "+818000001223"), "mobile", NOW)

    [saved] = records.save([Customer("山本 さくら", customer_number="C-1", numbers=phone(MOBILE))])

    assert (saved.how, str(saved.record)) == (SavedHow.UPDATED, made.id)


def test_two_customers_with_their_own_customer_numbers_never_become_one(records: Records) -> None:
    twins = [Customer("山本 さくら", customer_number=number, numbers=phone(MOBILE)) for number in ("C-1", "C-2")]

    assert how(records, *twins, *twins) == [SavedHow.CREATED] * 2 + [SavedHow.UNCHANGED] * 2


def test_a_customer_without_a_name_is_the_company_itself(records: Records) -> None:
    company = Customer(company="はやぶさ", customer_number="C-9", company_numbers=("03-2000-0110",))

    [saved] = records.save([company])

    assert str(saved.record).startswith("company:")
    assert everybody(records) == [company]


def test_a_customer_with_neither_name_nor_company_is_refused_and_nothing_is_saved(records: Records) -> None:
    with pytest.raises(ValueError, match="name"):
        records.save([SAKURA, Customer(" ", numbers=phone(HOME))])
    assert records.count() == 0


def test_a_customer_number_that_no_index_could_hold_is_refused(records: Records) -> None:
    with pytest.raises(ValueError, match="200"):
        records.save([Customer("山本 さくら", customer_number="9" * 201)])


def test_eight_threads_that_create_the_same_person_create_one(records: Records) -> None:
    draft = ContactDraft("山本 さくら", "+818000001223", company="はやぶさ")

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: records.create(draft, "mobile", NOW).id, range(8)))

    assert len(set(made)) == 1
    assert records.count() == 2


# ── what a list changes ──────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_list_leaves_blank_stays_as_it_was(records: Records) -> None:
    full = Customer(
        "山本 さくら", "ヤマモト サクラ", "C-1", "はやぶさ", "ハヤブサ", "部長", "s@x.example", "午前", phone(MOBILE)
    )

    assert how(records, full, Customer("山本 さくら", customer_number="C-1")) == [SavedHow.CREATED, SavedHow.UNCHANGED]
    assert everybody(records) == [full]


def test_a_list_replaces_the_numbers_of_the_fields_it_fills(records: Records) -> None:
    before = Customer("山本 さくら", customer_number="C-1", numbers=phone(HOME) + phone(MOBILE, kind="mobile"))
    records.save([before, Customer("山本 さくら", customer_number="C-1", numbers=phone("045-000-0999"))])

    assert everybody(records)[0].numbers == phone("045-000-0999") + phone(MOBILE, kind="mobile")


def test_a_number_that_an_agent_added_survives_the_nightly_list(records: Records) -> None:
    nightly = Customer("山本 さくら", customer_number="C-1", numbers=phone(MOBILE))
    [saved] = records.save([nightly])
    records.add_number(str(saved.record), PhoneNumber("+81450000210"), NOW)

    assert how(records, nightly) == [SavedHow.UNCHANGED]
    assert [number.text for number in everybody(records)[0].numbers] == [MOBILE, HOME]


def test_a_telephone_that_is_also_the_fax_stands_in_both_fields(records: Records) -> None:
    both = phone(HOME) + phone(HOME, kind="fax")
    records.save([Customer("齋藤 晃", numbers=both)])

    assert everybody(records)[0].numbers == both
    assert len(records.find("+81450000210", NOW)) == 1


def test_a_number_that_cannot_be_read_is_kept_as_it_was_typed(records: Records) -> None:
    records.save([Customer("三浦 和代", numbers=phone("080-0000-149"))])

    assert everybody(records)[0].numbers == phone("080-0000-149")
    assert (records.health().unreadable, records.health().unreadable_examples) != (0, ())


def test_health_counts_numbers_that_several_records_share(records: Records) -> None:
    records.save(
        [SAKURA, Customer("山本 大輔", numbers=phone(MOBILE)), Customer("鈴木 次郎", numbers=phone(HOME, HOME))]
    )

    health = records.health()

    assert (health.people, health.companies, health.numbers, health.shared) == (3, 1, 3, 1)


# ── finding ──────────────────────────────────────────────────────────────────────────────────────────────────────────


SEARCHES = (
    *("髙橋", "高橋", "タカハシ", "ﾀｶﾊｼ", "たかはし みさき", "高橋美咲", "美咲", "c 0012", "Ｃ－００１２"),
    *("はやぶさ", "ハヤブサ", "㈱ハヤブサ", "株式会社はやぶさ", "美咲 はやぶさ"),
)


@pytest.mark.parametrize("text", SEARCHES)
def test_a_search_does_not_mind_kana_width_variants_or_spacing(records: Records, text: str) -> None:
    misaki = Customer("髙橋 美咲", "タカハシ ミサキ", "C-0012", "(株)はやぶさ")
    records.save([misaki, Customer("鈴木 次郎", "スズキ ジロウ", "C-0013", "つばき")])

    found = [contact.name for contact in records.search(text, NOW)]

    assert "鈴木 次郎" not in found
    assert "髙橋 美咲" in found


def test_a_search_puts_the_likeliest_first(records: Records) -> None:
    records.save([Customer(name) for name in ("大山 本一", "山本 さくら", "山本", "片山 本子")])

    assert [contact.name for contact in records.search("山本", NOW)][:2] == ["山本", "山本 さくら"]


def test_a_search_for_nothing_but_signs_finds_nobody(records: Records) -> None:
    records.save([SAKURA])

    assert records.search(" ・、 ", NOW) == []


def test_finding_costs_the_same_number_of_queries_for_one_holder_and_for_thirty(records: Records) -> None:
    records.save([Customer(f"鈴木 {index}郎", numbers=phone("03-2000-0110")) for index in range(30)])
    records.save([Customer("山本 さくら", numbers=phone(MOBILE))])
    asked: list[str] = []
    engine = records._database.engine

    def count(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", count)
    try:
        records.find("+818000001223", NOW)
        one = len(asked)
        records.find("+81320000110", NOW)
    finally:
        event.remove(engine, "before_cursor_execute", count)

    assert len(asked) == 2 * one
    assert one <= 4  # SQLite's BEGIN, whose number it is, the records, their numbers


def test_a_placeholder_number_finds_no_more_than_two_hundred(records: Records) -> None:
    records.save([Customer(f"鈴木 {index}郎", numbers=phone("03-2000-0000")) for index in range(201)])

    assert len(records.find("+81320000000", NOW)) == 200


@given(st.text())
def test_an_id_from_outside_is_ours_or_nothing(text: str) -> None:
    record = RecordId.read(text)

    assert record is None or text.startswith(("contact:", "company:"))


# ── the story ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_entry_kept_again_is_replaced(records: Records) -> None:
    [saved] = records.save([SAKURA])
    sakura = str(saved.record)
    for title in ("水漏れ", "水漏れ（至急）"):
        records.keep([Entry("C-1", ActivityKind.CASE, sakura, title, NOW - timedelta(days=1))])

    assert [item.title for item in records.activity(sakura, NOW).open] == ["C-1 水漏れ（至急）"]


def test_a_case_that_was_closed_moves_to_the_history(records: Records) -> None:
    [saved] = records.save([SAKURA])
    sakura = str(saved.record)
    records.keep([Entry("C-1", ActivityKind.CASE, sakura, "水漏れ", NOW - timedelta(days=2), closed_at=NOW)])

    story = records.activity(sakura, NOW)

    assert (len(story.history), story.open) == (1, ())


def test_nobody_has_no_story(records: Records) -> None:
    assert records.activity("003xx", NOW) == records.activity("contact:12345", NOW)
    assert records.get("company:12345", NOW) is None
    assert records.add_number("nobody", PhoneNumber("+81450000210"), NOW) is None


def test_ids_are_told_by_customer_number(records: Records) -> None:
    records.save([Customer("山本 さくら", customer_number="C-1"), Customer(company="はやぶさ", customer_number="C-2")])

    ids = records.numbered(["C-1", "C-2", "C-3"])

    assert set(ids) == {"C-1", "C-2"}
    assert isinstance(records.get(ids["C-2"], NOW), Contact)


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.text(st.characters(), max_size=40))
def test_tidying_a_text_twice_is_tidying_it_once(text: str) -> None:
    assert storable(storable(text)) == storable(text)
    assert one_line(one_line(text)) == one_line(text)
    storable(text).encode()  # lone surrogates would raise
    assert not set(one_line(text)) & set("\0\r\n")


@given(st.text(st.characters(min_codepoint=0x30A1, max_codepoint=0x30F6), max_size=10))
def test_katakana_folds_like_hiragana(katakana: str) -> None:
    hiragana = "".join(chr(ord(sign) - 0x60) for sign in katakana)

    assert fold(katakana) == fold(hiragana)


def test_folding_and_shortening_of_names() -> None:
    assert fold("ﾀﾅｶ　タロウ") == fold("たなか・たろう") == "たなかたろう"
    assert fold("𠮷﨑 邊") == "吉崎辺"
    assert short("㈱はやぶさ") == short("はやぶさ株式会社") == "はやぶさ"
    assert short("株式会社") == "株式会社"
    assert words("田中　ﾊﾔﾌﾞｻ ・") == ["田中", "はやぶさ"]
