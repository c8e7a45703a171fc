"""Customer lists come in and go out as CSV, in every shape that people's files have."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cti_bridge.model import ContactNumber
from cti_bridge.store.database import Database
from cti_bridge.store.records import Customer, Records
from cti_bridge.store.records.csv_columns import HEADINGS
from cti_bridge.store.records.csv_encoding import CustomerFileUnreadable
from cti_bridge.store.records.csv_files import (
    ImportSummary,
    RowProblem,
    export_customers,
    guard,
    import_customers,
    unguard,
)
from cti_bridge.store.records.text import one_line
from tests.conftest import empty

SAKURA = Customer(
    "山本 さくら",
    "ヤマモト サクラ",
    "C-0001",
    "はやぶさ",
    title="総務部",
    note="午前に\n折り返し",
    numbers=(ContactNumber("phone", "０３ー２０００ー０１１０"), ContactNumber("mobile", "+81 80-0000-1223")),
)
LIST = (
    "顧客番号,氏名,フリガナ,会社名,部署・役職,電話,携帯,備考\n"
    'C-0001,山本 さくら,ヤマモト サクラ,はやぶさ,総務部,０３ー２０００ー０１１０,+81 80-0000-1223,"午前に\n折り返し"\n'
)

Take = Callable[..., ImportSummary]


@pytest.fixture
def records(database: Database) -> Records:
    return Records(database)


@pytest.fixture
def take(records: Records, tmp_path: Path) -> Take:
    """Import a text (UTF-8) or bytes as a file."""

    def taking(content: str | bytes, problems: list[RowProblem] | None = None) -> ImportSummary:
        path = tmp_path / "list.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return import_customers(path, records, problem=(problems if problems is not None else []).append)

    return taking


def exported(records: Records) -> bytes:
    out = io.BytesIO()
    export_customers(records, out)
    return out.getvalue()


def everybody(records: Records) -> list[Customer]:
    return list(records.customers())


# ── shapes of files ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_list_is_read_in_every_encoding_line_end_and_delimiter(
    records: Records, take: Take, encoding: str, line_end: str, delimiter: str
) -> None:
    text = LIST.replace(",", delimiter).replace("\n", line_end)

    summary = take(text.encode(encoding))

    assert (summary.rows, summary.created, summary.skipped) == (1, 1, 0)
    assert everybody(records) == [SAKURA]


@pytest.mark.parametrize(
    "headings",
    [
        "customer_number,name,reading,company,title,phone,mobile,note",
        "Customer Number,Full Name,Furigana,Company Name,Job Title,Phone Number,Mobile Phone,Remarks",
        "顧客コード,お名前,ふりがな,勤務先,役職,TEL,携帯電話番号,メモ",
        "＊顧客番号,氏　名,ﾌﾘｶﾞﾅ,会社名：,部署／役職,電話１,携帯1,備考欄",
    ],
)
def test_headings_are_understood_in_both_languages_and_as_people_write_them(
    records: Records, take: Take, headings: str
) -> None:
    _, rows = LIST.split("\n", 1)

    take(f"{headings}\n{rows}")

    assert everybody(records)[0].numbers == SAKURA.numbers
    assert everybody(records)[0].customer_number == "C-0001"


def test_family_and_given_name_in_two_columns_become_one_name(records: Records, take: Take) -> None:
    take("姓,名,セイ,メイ,電話1,電話2\n山本,さくら,ヤマモト,サクラ,045-000-0210,045-000-0211\n")

    [sakura] = everybody(records)

    assert (sakura.name, sakura.reading) == ("山本 さくら", "ヤマモト サクラ")
    assert [number.text for number in sakura.numbers] == ["045-000-0210", "045-000-0211"]


def test_several_numbers_in_one_cell_are_several_numbers(records: Records, take: Take) -> None:
    take('氏名,携帯\n三宅 桂,"080-0000-1589\r\n080-0000-1590;080-0000-1591 / 080-0000-1592"\n')

    assert [number.text[-4:] for number in everybody(records)[0].numbers] == ["1589", "1590", "1591", "1592"]


def test_a_row_without_a_name_is_the_company(records: Records, take: Take) -> None:
    take("氏名,会社名,代表電話\n,株式会社はやぶさ,03-2000-0110\n")

    assert everybody(records) == [Customer(company="株式会社はやぶさ", company_numbers=("03-2000-0110",))]


def test_columns_nobody_knows_are_told_once_and_ignored(take: Take) -> None:
    problems: list[RowProblem] = []

    summary = take("氏名,血液型,星座\n山本 さくら,A,獅子座\n鈴木 次郎,B,蠍座\n", problems)

    assert summary.ignored_columns == ("血液型", "星座")
    assert (summary.created, problems) == (2, [])


def test_blank_rows_are_passed_over(take: Take) -> None:
    summary = take("氏名,電話\n\n,\n山本 さくら,\n,\n\n")

    assert (summary.rows, summary.created, summary.skipped) == (1, 1, 0)


# ── bad rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_bad_row_is_told_with_its_reason_and_the_rest_is_taken(records: Records, take: Take) -> None:
    problems: list[RowProblem] = []

    summary = take(
        "顧客番号,氏名,電話\n"
        "C-1,山本 さくら,045-000-0210\n"
        "C-2,,045-000-0211\n"
        "C-3,鈴木 次郎,045-000-0212,あふれ\n"
        '"C-4"x,佐藤 花子,045-000-0213\n'
        f"{'9' * 201},高橋 美咲,045-000-0214\n"
        "C-6,大野 健一,045-000-0215\n",
        problems,
    )

    assert (summary.rows, summary.created, summary.skipped) == (6, 2, 4)
    assert [(problem.row, problem.column) for problem in problems] == [
        (3, "氏名"),
        (4, ""),
        (5, ""),
        (6, "顧客番号"),
    ]
    assert all(problem.ja and problem.en and problem.skipped for problem in problems)
    assert [customer.name for customer in everybody(records)] == ["山本 さくら", "大野 健一"]


def test_a_number_that_cannot_be_read_is_told_and_the_customer_is_taken(records: Records, take: Take) -> None:
    problems: list[RowProblem] = []

    summary = take("氏名,電話,携帯\n三浦 和代,0463-00-0224,080-0000-149\n", problems)

    assert (summary.created, summary.skipped, summary.unreadable_numbers) == (1, 0, 1)
    assert [(problem.row, problem.column, problem.skipped) for problem in problems] == [(2, "携帯", False)]
    assert len(everybody(records)[0].numbers) == 2


def test_a_quotation_mark_that_never_ends_is_told_and_what_stood_before_it_is_taken(
    records: Records, take: Take
) -> None:
    problems: list[RowProblem] = []

    take('氏名,備考\n山本 さくら,a\n鈴木 次郎,"b\n佐藤 花子,c\n', problems)

    assert [customer.name for customer in everybody(records)] == ["山本 さくら"]
    assert [problem.row for problem in problems] == [3]
    assert "3–4" in problems[0].en


def test_a_cell_longer_than_any_text_costs_only_its_own_row(records: Records, take: Take) -> None:
    summary = take(f"氏名,備考\n山本 さくら,{'長' * 200_000}\n鈴木 次郎,b\n")

    assert (summary.created, summary.skipped) == (1, 1)
    assert [customer.name for customer in everybody(records)] == ["鈴木 次郎"]


def test_dangerous_cells_are_only_data(records: Records, take: Take) -> None:
    nasty = ['=HYPERLINK("http://x")', "'; DROP TABLE crm_contacts; --", "<script>alert(1)</script>", "%s{0}\\"]

    take("氏名\n" + "".join('"{}"\n'.format(name.replace('"', '""')) for name in nasty))

    assert [customer.name for customer in everybody(records)] == nasty


# ── wrong files ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xef\xbb\xbf \r\n",
        b"PK\x03\x04\x14\x00\x06\x00",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        "氏名\n山本".encode() + b"\xff\xfe\xfd",
        "氏名\n山本".encode() + b"\x81",
        "電話,備考\n045-000-0210,氏名\n".encode(),
        b"1,2,3\n4,5,6\n",
        '"氏名\n'.encode(),
    ],
    ids=["empty", "blank", "xlsx", "xls", "png", "broken", "cut", "no name", "no headings", "open quote"],
)
def test_a_wrong_file_is_one_clear_error_and_changes_nothing(records: Records, take: Take, content: bytes) -> None:
    with pytest.raises(CustomerFileUnreadable) as refusal:
        take(content)

    assert refusal.value.ja
    assert refusal.value.en
    assert records.count() == 0


def test_a_file_that_is_not_there_is_a_clear_error(records: Records, tmp_path: Path) -> None:
    with pytest.raises(CustomerFileUnreadable, match="cannot be opened"):
        import_customers(tmp_path / "missing.csv", records)


def test_a_heading_that_is_no_name_is_shown_in_the_error(take: Take) -> None:
    with pytest.raises(CustomerFileUnreadable, match="血液型"):
        take("血液型,星座\nA,獅子座\n")


# ── again, and out ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_list_again_changes_nothing(take: Take) -> None:
    take(LIST)

    again = take(LIST)

    assert (again.created, again.updated, again.unchanged) == (0, 0, 1)


def test_a_changed_list_updates_and_never_doubles(records: Records, take: Take) -> None:
    take(LIST)

    again = take(LIST.replace("総務部", "経理部"))

    assert (again.created, again.updated, records.count()) == (0, 1, 2)
    assert everybody(records)[0].title == "経理部"


def test_progress_counts_rows_from_none_to_all(records: Records, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("氏名\n" + "".join(f"鈴木 {index}郎\n" for index in range(120)), encoding="utf-8")
    told: list[tuple[int, int]] = []

    import_customers(path, records, progress=lambda done, total: told.append((done, total)))

    assert told == [(0, 120), (50, 120), (100, 120), (120, 120)]


def test_the_export_tells_its_progress_too(records: Records) -> None:
    records.save([Customer(f"鈴木 {index}郎") for index in range(60)])
    told: list[tuple[int, int]] = []

    export_customers(records, io.BytesIO(), progress=lambda done, total: told.append((done, total)))

    assert told == [(0, 60), (50, 60), (60, 60)]


def test_an_export_opens_in_excel_and_has_every_heading(records: Records, take: Take) -> None:
    take(LIST)

    text = exported(records).decode("utf-8")

    assert text.startswith("\ufeff顧客番号,氏名,")
    assert text.splitlines()[0].count(",") == len(HEADINGS) - 1
    assert "\r\n" in text


def test_an_export_in_english_has_english_headings(records: Records) -> None:
    out = io.BytesIO()

    assert export_customers(records, out, language="en") == 0
    assert out.getvalue().decode("utf-8-sig").startswith("customer_number,name,reading,")


def test_a_formula_is_disarmed_and_a_number_from_abroad_survives(records: Records, take: Take) -> None:
    take("氏名,電話,備考\n=1+1,+1 415-555-0142,-2\n'=3,@sum,'引用'\n")
    before = everybody(records)

    text = exported(records).decode("utf-8-sig")
    take(text)

    assert "'=1+1" in text
    assert "'+1 415-555-0142" in text
    assert everybody(records) == before
    assert before[0].numbers[0].text == "+1 415-555-0142"


@given(st.text(st.sampled_from("'=+-@＝＋－＠a1 "), max_size=6))
def test_a_guarded_cell_is_harmless_and_comes_back_as_it_was(cell: str) -> None:
    assert unguard(guard(cell)) == cell
    assert guard(cell)[:1] not in set("=+-@＝＋－＠")


lines = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)
cells = st.one_of(lines, st.sampled_from(["=1", "'", "'+", '"', ",", "a\tb", "山本 さくら", "㈱はやぶさ", "はやぶさ"]))
typed = st.sampled_from(
    ["080-0000-1223", "０８０ー００００ー１２２３", "+81 3-2000-0110", "045-000-0210", "なし", "110"]
)
numbers = st.builds(ContactNumber, st.sampled_from(["phone", "mobile", "home", "fax", "other"]), typed)
customers = st.builds(
    Customer,
    name=cells,
    reading=cells,
    customer_number=st.sampled_from(["", "", "C-1", "C-2", "=C"]),
    company=cells,
    company_reading=cells,
    title=cells,
    email=cells,
    note=st.one_of(cells, st.just("一行目\n二行目")),
    numbers=st.lists(numbers, max_size=3).map(tuple),
    company_numbers=st.lists(typed, max_size=2).map(tuple),
).filter(lambda customer: bool(one_line(customer.name) or one_line(customer.company)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.lists(customers, max_size=5))
def test_importing_what_was_exported_changes_nothing(
    sqlite_database: Database, tmp_path: Path, kept: list[Customer]
) -> None:
    empty(sqlite_database)
    records = Records(sqlite_database)
    records.save(kept)
    before, file = everybody(records), exported(records)
    path = tmp_path / "export.csv"
    path.write_bytes(file)

    summary = import_customers(path, records)

    assert (summary.created, summary.updated, summary.skipped) == (0, 0, 0)
    assert (everybody(records), exported(records)) == (before, file)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.lists(customers, max_size=5, unique_by=lambda customer: customer.name))
def test_an_export_fills_an_empty_crm_with_the_same_customers(
    sqlite_database: Database, tmp_path: Path, kept: list[Customer]
) -> None:
    empty(sqlite_database)
    records = Records(sqlite_database)
    for index, customer in enumerate(kept):
        records.save(
            [
                Customer(
                    one_line(customer.name) or "名無し",
                    customer_number=f"C-{index}",
                    numbers=customer.numbers,
                    note=customer.note,
                )
            ]
        )
    before = everybody(records)
    path = tmp_path / "export.csv"
    path.write_bytes(exported(records))
    empty(sqlite_database)

    import_customers(path, records)

    assert everybody(records) == before
