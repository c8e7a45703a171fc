"""Which request is which API. The table, and what is answered where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import forms, records
from .auth import Asker
from .wire import Answer, Json, Refused, Request

if TYPE_CHECKING:
    from .domain import FakeDomain

Handler = Callable[["FakeDomain", Request, Asker], Json | Answer]

ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "record.json"): records.get_one,
    ("POST", "record.json"): records.post_one,
    ("PUT", "record.json"): records.put_one,
    ("GET", "records.json"): records.get_many,
    ("POST", "records.json"): records.post_many,
    ("PUT", "records.json"): records.put_many,
    ("DELETE", "records.json"): records.delete_many,
    ("GET", "app/form/fields.json"): forms.get_fields,
    ("GET", "preview/app/form/fields.json"): forms.get_fields,
}


def handler_for(request: Request) -> Handler:
    """The function that answers. Raises ``Refused`` for a method or path that kintone does not know."""
    handler = ROUTES.get((request.method, request.api))
    if handler is None:
        raise Refused(404, "CB_NO01", ("指定されたAPIが見つかりません。", "The API is not found."))
    return handler
