"""Log lines: JSON with the call's id, telephone numbers masked whatever anybody logs, never a name, a note or a secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from cti_bridge.phone import mask

_NUMBER = re.compile(
    r"(?:(?<![\w-])(?<!\d\.)|(?<=%2B))"  # not within a word, an identifier or a fraction; in an address + is %2B
    r"(?:\+|00)?\d[\d\-() \u3000\uff0d\u30fc]{6,18}\d"  # eight to twenty digits and what people put between them
    r"(?!\w|[.-]\w)"
)
_KEPT = frozenset({"timestamp", "level", "logger", "call", "event"})


class Logger(structlog.stdlib.BoundLogger):
    """structlog's logger for the standard library, but for ``exception``: there the traceback would be written twice,
    once by the library and unmasked."""

    def exception(self, event: str | None = None, *args: Any, **values: Any) -> Any:
        return self.error(event, *args, **{"exc_info": True, **values})


def get_logger(name: str) -> Logger:
    """A logger for a module of ours, ``get_logger(__name__)``: ``log.warning("signature_refused", call="CA…")``.

    Its lines are made and masked here, whatever structlog is set to elsewhere, and go to the standard library's logger of
    that name: in somebody's Flask app they appear where that app's own do.
    """
    logger: Logger = structlog.wrap_logger(logging.getLogger(name), processors=_PROCESSORS, wrapper_class=Logger)
    return logger


def configure(*, stream: Any = None, level: int = logging.INFO) -> None:
    """Log to ``stream`` (standard error). For the stand-alone app and the commands; a host app keeps its own logging."""
    ours = logging.getLogger("cti_bridge")
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    ours.handlers = [handler]
    ours.setLevel(level)
    ours.propagate = False


def mask_numbers(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide the middle of everything that looks like a telephone number, in every text of the line, however deep."""
    for key, value in event.items():
        if key not in _KEPT:
            event[key] = _masked(value)
    return event


def _masked(value: Any) -> Any:
    match value:
        case str():
            return _NUMBER.sub(lambda found: mask(found.group()), value)
        case bool() | int() | float() | None:
            return value
        case Mapping():
            return {_masked(name): _masked(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked(inner) for inner in value]
        case _:
            return _masked(repr(value))


_PROCESSORS = (
    structlog.stdlib.filter_by_level,
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    mask_numbers,
    structlog.processors.JSONRenderer(ensure_ascii=False),
)
