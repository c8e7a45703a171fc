"""The bench's result: rows of what was promised, what was measured and whether it holds, as a table and as JSON."""

from __future__ import annotations

import json
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import quantiles


class NotMeasured(Exception):
    """A number could not be measured; the argument says why, for people."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``kept`` is None where there is nothing to judge; ``numbers`` are for the JSON file."""

    what: str
    budget: str = ""
    measured: str = ""
    ratio: str = ""
    kept: bool | None = None
    note: str = ""
    numbers: dict[str, float] = field(default_factory=dict)

    @classmethod
    def unmeasured(cls, what: str, why: object) -> Row:
        return cls(what, measured="not measured", note=str(why))

    @property
    def verdict(self) -> str:
        return {True: "kept", False: "MISSED", None: "-"}[self.kept]


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest value that ``percent`` of all do not exceed. Raises NotMeasured when there are none."""
    if not values:
        raise NotMeasured("nothing arrived")
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


def milliseconds(*seconds: float) -> str:
    return " / ".join(f"{value * 1e3:.1f}" for value in seconds) + " ms"


HEADS = ("what", "budget", "measured", "ratio", "verdict")
WIDEST = 62


def text(rows: Iterable[Row]) -> str:
    """The table for a terminal: notes stand under their row."""
    rows = list(rows)
    cells = [HEADS, *((row.what, row.budget, row.measured, row.ratio, row.verdict) for row in rows)]
    widths = [min(max(_width(line[column]) for line in cells), WIDEST) for column in range(len(HEADS))]
    lines = [_line(HEADS, widths), "─" * (sum(widths) + 2 * len(widths))]
    for row in rows:
        lines.append(_line((row.what, row.budget, row.measured, row.ratio, row.verdict), widths))
        indent = "    "
        lines += textwrap.wrap(row.note, 116, initial_indent=indent, subsequent_indent=indent) if row.note else []
    return "\n".join(lines)


def write_json(file: Path, rows: Iterable[Row], about: dict[str, object]) -> None:
    told = [{**asdict(row), "verdict": row.verdict} for row in rows]
    file.write_text(json.dumps({**about, "rows": told}, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _width(cell: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in cell)
