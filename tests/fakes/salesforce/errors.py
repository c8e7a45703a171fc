"""Refusals in Salesforce's own words: a status, an error code, a sentence. When to refuse is decided elsewhere.

REST errors are an array of objects, OAuth errors one object
(https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


class Refused(Exception):
    """A REST refusal: ``Refused(400, "MALFORMED_ID", "…", fields=["Id"])``."""

    def __init__(
        self, status: int, code: str, message: str, *, fields: Sequence[str] | None = None, **more: object
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.more = more

    def body(self) -> list[Json]:
        """The array on the wire: ``[{"message": …, "errorCode": …, "fields": […]}]``."""
        error: Json = {**self.more, "message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return [error]


class NotPlayed(Exception):
    """Salesforce can do it, this fake does not. Answered with 501 and told when the fake closes, so nobody relies on it."""


class SeveralMatch(Exception):
    """An external id that more than one record carries: status 300 and the list of their addresses."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"{len(ids)} records match")
        self.ids = list(ids)


def not_found(message: str = "The requested resource does not exist") -> Refused:
    return Refused(404, "NOT_FOUND", message)


def no_rights(message: str = "insufficient access rights on object id") -> Refused:
    return Refused(403, "INSUFFICIENT_ACCESS_OR_READONLY", message, fields=[])


def no_such_column(field: str, entity: str, *, where: str = "entity") -> str:
    """The documented sentence; ``where`` is "entity" in queries and "sobject of type" in writes."""
    if where != "entity":
        return f"No such column '{field}' on {where} {entity}"
    return (
        f"No such column '{field}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append "
        "the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
    )
