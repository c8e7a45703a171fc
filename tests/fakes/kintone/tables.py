"""Tables (SUBTABLE) in a record: rows with ids, replaced as a whole, merged where an id is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import fields
from .wire import Json, bad_json

if TYPE_CHECKING:
    from .app import FakeApp
    from .domain import FakeDomain


def read_table(
    domain: FakeDomain, app: FakeApp, spec: Json, sent: Any, before: list[Json], mistakes: fields.Mistakes
) -> list[Json]:
    """The rows to keep. A row that is not sent is gone; an unknown id is forgotten and a new one given."""
    if not isinstance(sent, list):
        raise bad_json()
    known = {row["id"]: row for row in before}
    rows = []
    for at, row in enumerate(sent):
        if not isinstance(row, dict) or not isinstance(row.get("value"), dict):
            raise bad_json()
        held = known.get(str(row.get("id")))
        here = fields.Mistakes(f"{mistakes.prefix}.{spec['code']}.value[{at}].value", mistakes.found)
        values = {
            code: {"type": inner["type"], "value": _value(domain, inner, row["value"], held, here)}
            for code, inner in spec["fields"].items()
        }
        if held is None:
            row_id = str(app.next_row_id)
            app.next_row_id += 1
        else:
            row_id = held["id"]
        rows.append({"id": row_id, "value": values})
    return rows


def _value(domain: FakeDomain, spec: Json, sent: Json, held: Json | None, mistakes: fields.Mistakes) -> Any:
    code = spec["code"]
    if code not in sent:
        return held["value"][code]["value"] if held else fields.initial(spec, "")
    value = fields.given(sent[code])
    if spec["type"] == "NUMBER":  # in a table, what is no number is emptied without a word
        return fields.normal_number(str(value)) or ""
    read = fields.stored(spec, value, domain, mistakes)
    fields.check_required(spec, read, mistakes)
    return read
