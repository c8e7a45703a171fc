"""Customer lists as CSV files, in and out of the embedded CRM. What is the same customer is decided in ``customers``.

Reads what people have: UTF-8 with or without a mark, what Excel in Japan writes (CP932) or calls Unicode text (UTF-16),
comma, tab or semicolon, Japanese or English headings. A row that cannot be taken is told, and the rest is taken.

In a file that Excel opens, a cell that begins with ``= + - @`` is run as a formula. Such a cell is written with an
apostrophe before it (``'+81 3 1234 5678``), and reading takes that one apostrophe away again, so nothing is lost.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from cti_bridge.model import ContactNumber, Language
from cti_bridge.store.records.csv_columns import HEADINGS, NUMBER_COLUMNS, Columns, read_headings
from cti_bridge.store.records.csv_encoding import CustomerFileUnreadable, encoding_of
from cti_bridge.store.records.customers import Customer, SavedHow
from cti_bridge.store.records.store import Records
from cti_bridge.store.records.text import LONGEST_KEY, one_line

BATCH = 50
"""Rows that are saved in one transaction: about a tenth of a second, since a call's log waits for it on SQLite."""

DELIMITERS = ",\t;"

_DANGEROUS = re.compile(r"'*[=+\-@＝＋－＠]")
_GUARDED = re.compile(r"'+[=+\-@＝＋－＠]")
_BETWEEN_NUMBERS = re.compile(r"\n|、|；|;(?!\s*ext)|\s/\s")

Progress = Callable[[int, int], None]
"""Told ``(done, total)`` in rows, first ``(0, total)`` and last ``(total, total)``."""


def _unheard(*_: object) -> None:
    """Nobody wants to be told."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row, as the spreadsheet counts rows (the headings are row 1). ``column`` may be empty.

    ``skipped`` says that the row was left out; else it was taken although something in it cannot do its work.
    """

    row: int
    column: str
    ja: str
    en: str
    skipped: bool = True


@dataclass(slots=True)
class ImportSummary:
    """What became of a list. ``rows`` counts rows with something in them."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    unreadable_numbers: int = 0
    ignored_columns: tuple[str, ...] = field(default=())


def import_customers(
    path: Path,
    records: Records,
    *,
    progress: Progress = _unheard,
    problem: Callable[[RowProblem], None] = _unheard,
) -> ImportSummary:
    """Take a customer list in. Doing it again changes nothing; doing it again after a break goes on.

    ``problem`` is told each bad row as it is met. Memory stays flat. Raises CustomerFileUnreadable, with nothing
    changed, when this is not a customer list; StoreUnavailable when the database is, with whole batches saved.
    """
    encoding = encoding_of(path)
    delimiter, columns = _headings(path, encoding)
    total = sum(1 for _ in _rows(path, encoding, delimiter)) - 1
    summary = ImportSummary(ignored_columns=columns.ignored)
    progress(0, total)
    batch: list[Customer] = []
    for done, (row, cells) in enumerate(_rows(path, encoding, delimiter)):
        if done == 0:
            continue
        taken = _take(row, cells, columns, records, summary, problem)
        batch += [taken] if taken else []
        if len(batch) >= BATCH:
            _save(records, batch, summary)
            batch = []
        if done % BATCH == 0 and done < total:
            progress(done, total)
    _save(records, batch, summary)
    progress(total, total)
    return summary


def export_customers(
    records: Records, out: BinaryIO, *, language: Language = "ja", progress: Progress = _unheard
) -> int:
    """Write everybody as UTF-8 with a mark (so that Excel reads it right); returns how many rows.

    Importing what was exported changes nothing.
    """
    total = max(records.count(), 1)
    progress(0, total)
    written = 0
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
    try:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(heading.ja if language == "ja" else heading.en for heading in HEADINGS)
        for customer in records.customers():
            writer.writerow(guard(cell) for cell in _cells(customer))
            written += 1
            if written % BATCH == 0:
                progress(min(written, total), total)
    finally:
        text.detach()
    progress(total, total)
    return written


def guard(cell: str) -> str:
    """The cell with an apostrophe before it when a spreadsheet would take it for a formula."""
    return f"'{cell}" if _DANGEROUS.match(cell) else cell


def unguard(cell: str) -> str:
    """What :func:`guard` was given."""
    return cell[1:] if _GUARDED.match(cell) else cell


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Broken:
    """A row that is not CSV: from which line of the file to which."""

    first_line: int
    last_line: int


def _rows(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str] | _Broken]]:
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        row = 0
        while True:
            row += 1
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield row, _Broken(line, reader.line_num)
            else:
                yield row, [unguard(cell.strip()) for cell in cells]


def _headings(path: Path, encoding: str) -> tuple[str, Columns]:
    """Which character parts the cells, and what the columns mean: whatever makes sense of most of the first row."""

    def read(delimiter: str) -> Columns:
        _, cells = next(_rows(path, encoding, delimiter), (0, []))
        return read_headings(cells if isinstance(cells, list) else [])

    delimiter, columns = max(((one, read(one)) for one in DELIMITERS), key=lambda found: len(found[1].known))
    if not columns.names_somebody:
        seen = "、".join(columns.ignored[:8]) or "—"
        raise CustomerFileUnreadable(
            f"1行目に「氏名」も「会社名」もありません（見出し：{seen}）。1行目に見出しを書いてください。",
            f"The first row has neither a name nor a company column (headings: {seen}). Write headings in the first row.",
        )
    return delimiter, columns


def _take(
    row: int,
    cells: list[str] | _Broken,
    columns: Columns,
    records: Records,
    summary: ImportSummary,
    problem: Callable[[RowProblem], None],
) -> Customer | None:
    """The row's customer; None when it is blank or bad. Tells what is wrong with it."""
    if isinstance(cells, list) and not any(cells):
        return None
    summary.rows += 1
    flaw = _broken(row, cells) if isinstance(cells, _Broken) else _flaw(row, cells, columns)
    if flaw is not None:
        summary.skipped += 1
        problem(flaw)
    if flaw is not None or isinstance(cells, _Broken):
        return None
    for index in columns.number_columns:
        if index < len(cells) and not all(map(records.readable, _split(cells[index]))):
            summary.unreadable_numbers += 1
            problem(_unreadable(row, columns.headings[index]))
    return _customer(cells, columns)


def _broken(row: int, broken: _Broken) -> RowProblem:
    lines = f"{broken.first_line}–{broken.last_line}"
    return RowProblem(
        row,
        "",
        f'引用符（"）の対応が正しくないため、ファイルの{lines}行目を読めません。',
        f'Lines {lines} of the file cannot be read: a quotation mark (") has no partner or stands in the wrong place.',
    )


def _flaw(row: int, cells: list[str], columns: Columns) -> RowProblem | None:
    """Why this row cannot be taken; None when it can."""
    if any(cells[len(columns.headings) :]):
        return RowProblem(
            row,
            "",
            '見出しより多くの列に値があります。区切り文字を含む値は引用符（"）で囲んでください。',
            "There are more cells than headings. Put cells that hold a separator into quotation marks.",
        )
    customer = _customer(cells, columns)
    if not customer.name and not customer.company:
        return RowProblem(row, columns.naming, "氏名も会社名も空です。", "The row has neither a name nor a company.")
    if len(customer.customer_number) > LONGEST_KEY:
        return RowProblem(
            row,
            columns.heading_of("customer_number"),
            f"顧客番号が長すぎます（{LONGEST_KEY}文字まで）。",
            f"The customer number is too long (at most {LONGEST_KEY} characters).",
        )
    return None


def _unreadable(row: int, column: str) -> RowProblem:
    return RowProblem(
        row,
        column,
        "電話番号として読めません。このまま登録しましたが、着信しても見つかりません。",
        "This is not a readable telephone number. It was kept as it is, but a call from it will not be recognised.",
        skipped=False,
    )


def _customer(cells: Sequence[str], columns: Columns) -> Customer:
    def text(name: str) -> str:
        return " ".join(filter(None, (one_line(cells[index]) for index in columns.of(name) if index < len(cells))))

    def numbers(name: str) -> Iterable[str]:
        return (one for index in columns.of(name) if index < len(cells) for one in _split(cells[index]))

    [note] = [cells[index] for index in columns.of("note")[:1] if index < len(cells)] or [""]
    return Customer(
        name=text("name"),
        reading=text("reading"),
        customer_number=text("customer_number"),
        company=text("company"),
        company_reading=text("company_reading"),
        title=text("title"),
        email=text("email"),
        note=note,
        numbers=tuple(ContactNumber(kind, one) for kind in NUMBER_COLUMNS for one in numbers(kind)),
        company_numbers=tuple(numbers("company_phone")),
    )


def _split(cell: str) -> list[str]:
    """The numbers of one cell: people write several, on lines of their own or with a semicolon between."""
    lines = cell.replace("\r\n", "\n").replace("\r", "\n")
    return [one for one in map(one_line, _BETWEEN_NUMBERS.split(lines)) if one]


def _save(records: Records, batch: list[Customer], summary: ImportSummary) -> None:
    for saved in records.save(batch) if batch else ():
        summary.created += saved.how is SavedHow.CREATED
        summary.updated += saved.how is SavedHow.UPDATED
        summary.unchanged += saved.how is SavedHow.UNCHANGED


def _cells(customer: Customer) -> Iterator[str]:
    for heading in HEADINGS:
        if heading.field == "company_phone":
            yield "\n".join(customer.company_numbers)
        elif heading.field in NUMBER_COLUMNS:
            yield "\n".join(number.text for number in customer.numbers if number.label == heading.field)
        else:
            yield str(getattr(customer, heading.field))
