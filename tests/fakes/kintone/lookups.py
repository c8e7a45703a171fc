"""Lookup fields: a key that must stand in another app, and the values that are copied from there with it.

https://cybozu.dev/ja/kintone/docs/overview/lookup
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .fields import empty
from .wire import Json, Refused

if TYPE_CHECKING:
    from .app import FakeApp
    from .auth import Asker
    from .domain import FakeDomain


def copied(domain: FakeDomain, app: FakeApp, values: Json, asker: Asker | None) -> Json:
    """What the lookups among these values bring along; what was sent for a copied field does not count.

    Raises GAIA_LO04 when the key is not in the other app, or nobody who asks may view that app: with tokens, one of
    the other app must be sent too.
    """
    properties = app.settings.properties
    brought: Json = {}
    for code, spec in properties.items():
        lookup = spec.get("lookup")
        if not lookup:
            continue
        targets = [each for each in lookup["fieldMappings"] if each["field"] in properties]
        if code not in values:
            for each in targets:
                values.pop(each["field"], None)
            continue
        source = _source(domain, lookup, code, values[code], asker)
        for each in targets:
            empty_value = empty(properties[each["field"]])
            brought[each["field"]] = source.get(each["relatedField"], empty_value) if source else empty_value
    return brought


def _source(domain: FakeDomain, lookup: Json, code: str, key: object, asker: Asker | None) -> Json | None:
    if key in ("", None):
        return None
    other = domain.apps.get(int(lookup["relatedApp"]["app"]))
    if other is not None and (asker is None or asker.may(other, "view")):
        for row in other.rows.values():
            if row.values.get(lookup["relatedKeyField"]) == key:
                return dict(row.values)
    raise Refused(
        400,
        "GAIA_LO04",
        (
            (
                f"フィールド「{code}」の値「{key}」が、ルックアップの参照先のフィールドにないか、"
                "またはアプリやフィールドの閲覧権限がありません。"
            ),
            (
                f"A value {key} in the field {code} does not exist in the datasource app for lookup, or you do not have "
                "permission to view the app or the field."
            ),
        ),
    )
