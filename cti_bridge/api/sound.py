"""A recording's sound as an HTTP answer, passed on in pieces. Who may hear it is decided in ``recordings``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Request, Response

from cti_bridge.api.problem import problem
from cti_bridge.twilio.rest import Sound

_RANGE = re.compile(r"bytes=(\d{1,12}-\d{0,12}|-\d{1,12})")


def wanted_part(request: Request) -> dict[str, str]:
    """The headers of this request that say which part is wanted. Anything but one range of bytes means: all of it."""
    asked = request.headers.get("Range", "").strip()
    if not _RANGE.fullmatch(asked):
        return {}
    condition = request.headers.get("If-Range")
    return {"Range": asked, **({"If-Range": condition} if condition else {})}


def sound_answer(sound: Sound, *, name: str, body: bool) -> Response:
    """``name`` is what a browser calls the file; ``body`` is False for HEAD."""
    if sound.status == 416:
        sound.close()
        answer = problem(416, "no_such_part")
        answer.headers.extend(_only(sound.headers, "Content-Range"))
        return answer
    answer = Response(sound.chunks if body else None, status=sound.status, mimetype="audio/mpeg")
    answer.call_on_close(sound.close)
    if not body:
        sound.close()  # the server does not close what it does not send
    answer.headers.update({"Accept-Ranges": "bytes", **sound.headers})
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _only(headers: Mapping[str, str], name: str) -> dict[str, str]:
    return {name: headers[name]} if name in headers else {}
