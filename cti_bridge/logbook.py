"""Log lines: JSON with the call's id, telephone numbers masked whatever anybody logs, never a name, a note or a secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from cti_bridge.phone import mask

_NUMBER = re.compile(r"(?<![\w.-])(?:\+|00)?\d[\d\-() ]{7,18}\d(?![\w.-])")
_KEPT = frozenset({"timestamp", "level", "logger", "call", "event"})


def configure(*, stream: Any = None, level: int = logging.INFO) -> None:
    """Log to ``stream`` (standard error). For the stand-alone app and the commands; a host app keeps its own logging."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_numbers,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def mask_numbers(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide the middle of everything that looks like a telephone number, in every text of the line."""
    for key, value in event.items():
        if isinstance(value, str) and key not in _KEPT:
            event[key] = _NUMBER.sub(lambda found: mask(found.group()), value)
    return event
