"""Which request is which API. The table, and what is answered where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import apps, forms, records, several
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
    ("POST", "bulkRequest.json"): several.bulk,
    ("POST", "records/cursor.json"): several.add_cursor,
    ("GET", "records/cursor.json"): several.next_page,
    ("DELETE", "records/cursor.json"): several.drop_cursor,
    ("POST", "record/comment.json"): several.add_comment,
    ("DELETE", "record/comment.json"): several.delete_comment,
    ("GET", "record/comments.json"): several.get_comments,
    ("GET", "app.json"): apps.get_app,
    ("GET", "apps.json"): apps.get_apps,
    ("GET", "space.json"): apps.get_space,
    ("POST", "preview/app.json"): apps.create_app,
    ("GET", "app/settings.json"): apps.get_settings,
    ("GET", "preview/app/settings.json"): apps.get_settings,
    ("PUT", "preview/app/settings.json"): apps.put_settings,
    ("GET", "app/views.json"): apps.get_views,
    ("GET", "preview/app/views.json"): apps.get_views,
    ("PUT", "preview/app/views.json"): apps.put_views,
    ("POST", "preview/app/deploy.json"): apps.deploy,
    ("GET", "preview/app/deploy.json"): apps.get_deployment,
    ("GET", "app/form/fields.json"): forms.get_fields,
    ("GET", "preview/app/form/fields.json"): forms.get_fields,
    ("POST", "preview/app/form/fields.json"): forms.add_fields,
    ("PUT", "preview/app/form/fields.json"): forms.change_fields,
    ("DELETE", "preview/app/form/fields.json"): forms.delete_fields,
    ("GET", "app/form/layout.json"): forms.get_layout,
    ("GET", "preview/app/form/layout.json"): forms.get_layout,
    ("PUT", "preview/app/form/layout.json"): forms.put_layout,
}


def handler_for(request: Request) -> Handler:
    """The function that answers. Raises ``Refused`` for a method or path that kintone does not know."""
    handler = ROUTES.get((request.method, request.api))
    if handler is None:
        raise Refused(404, "CB_NO01", ("指定されたAPIが見つかりません。", "The API is not found."))
    return handler
