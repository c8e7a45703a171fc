"""Describe: the list of objects, and one object with its fields and children, as far as the user may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import Json
from .schema import SObject

if TYPE_CHECKING:
    from .org import FakeOrg


def describe_global(org: FakeOrg, version: str, language: str) -> Json:
    """``GET /sobjects``."""
    seen = [one for one in org.store.schema if org.rights.find_object(org.store.schema, one.name)]
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [_summary(org, one, version, language) for one in seen],
    }


def describe_sobject(org: FakeOrg, sobject: SObject, version: str, language: str) -> Json:
    """``GET /sobjects/Contact/describe``."""
    rights = org.rights
    fields = [
        one.describe(
            language,
            createable=rights.may_create(sobject) and rights.may_write(sobject, one),
            updateable=rights.may_update(sobject) and rights.may_write(sobject, one),
        )
        for one in map(org.with_live_values, sobject.fields.values())
        if rights.sees_field(sobject, one)
    ]
    children: list[Json] = [
        {
            "cascadeDelete": False,
            "childSObject": child.sobject,
            "deprecatedAndHidden": False,
            "field": child.field,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": child.name,
            "restrictedDelete": False,
        }
        for child in org.store.schema.children(sobject.name)
        if rights.find_object(org.store.schema, child.sobject)
    ]
    return {
        **_summary(org, sobject, version, language),
        "fields": fields,
        "childRelationships": children,
        "recordTypeInfos": [],
    }


def _summary(org: FakeOrg, sobject: SObject, version: str, language: str) -> Json:
    japanese = language.startswith("ja")
    where = f"/services/data/v{version}/sobjects/{sobject.name}"
    return {
        "activateable": False,
        "createable": org.rights.may_create(sobject),
        "custom": sobject.custom,
        "customSetting": False,
        "deletable": sobject.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.label_ja if japanese else sobject.label,
        "labelPlural": sobject.label_ja if japanese else sobject.plural,
        "layoutable": True,
        "mergeable": False,
        "name": sobject.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": sobject.searchable,
        "triggerable": True,
        "undeletable": True,
        "updateable": org.rights.may_update(sobject),
        "urls": {"sobject": where, "describe": f"{where}/describe", "rowTemplate": f"{where}/{{ID}}"},
    }
