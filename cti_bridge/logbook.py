"""Log lines: JSON with the call's id, telephone numbers masked whatever anybody logs, never a name, a note or a secret.

An exception is told by its kind, its place in the code and its code, hardly ever by its message: what a CRM, a library or
Python itself says of a bad value quotes the value. The CRM's words stand where they are needed, in the outbox and on the
agent's screen.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import structlog

from cti_bridge.errors import BridgeError
from cti_bridge.phone import mask

_NUMBER = re.compile(
    r"(?:(?<![\w-])(?<!\d\.)|(?<=%2B))"  # not within a word, an identifier or a fraction; in an address + is %2B
    r"(?:\+|00)?\d[\d\-() \u3000\uff0d\u30fc]{6,18}\d"  # eight to twenty digits and what people put between them
    r"(?!\w|[.-]\w)"
)
_QUERY = re.compile(r"\?\S*=\S*")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,59}|\d{3,6}", re.ASCII)
_PYTHONS_OWN = re.compile(
    r"'[A-Za-z_.]+' object (has no attribute '[A-Za-z_]+'|is not (callable|iterable|subscriptable))"
    r"|[A-Za-z_.<>]+\(\) (missing|takes|got) [A-Za-z0-9_' ,:]+"
    r"|name '[A-Za-z_]+' is not defined",
    re.ASCII,
)
"""What Python says of a bug, in which only names of the code stand."""

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


def watch_threads() -> None:
    """Have a thread that dies of a bug told here too: Python itself prints the message, whatever stands in it."""
    threading.excepthook = _tell_thread


class Discreet(logging.Filter):
    """For another's logger, such as gunicorn's: addresses without their query, numbers masked, exceptions as ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = _QUERY.sub("?…", record.getMessage())
        record.msg, record.args = _masked(message), ()
        if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
            record.exc_text = _masked("\n".join(_told(record.exc_info[1])))
            record.exc_info = None
        return True


def mask_numbers(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide the middle of everything that looks like a telephone number, in every text of the line, however deep."""
    for key, value in event.items():
        if key not in _KEPT:
            event[key] = _masked(value)
    return event


def described(problem: BaseException) -> str:
    """An exception for a log: ``"ConnectorRefused REQUIRED_FIELD_MISSING"``. Its message only where it is all our own words,
    or Python's about our code."""
    name = type(problem).__name__
    code = str(getattr(problem, "code", None) or "")
    if _CODE.fullmatch(code):
        return f"{name} {code}"
    try:
        message = str(problem)
    except Exception:  # noqa: BLE001  (a foreign class's own bug must not cost the line)
        return name
    spoken = problem.loggable if isinstance(problem, BridgeError) else _PYTHONS_OWN.fullmatch(message)
    return f"{name}: {message}" if spoken and message else name


def _tell_exception(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """``exc_info`` as ``exception``: where it happened and what it was, and likewise whatever it came from."""
    given = event.pop("exc_info", None)
    if isinstance(given, tuple):
        given = given[1]
    problem = given if isinstance(given, BaseException) else sys.exc_info()[1]
    if given and problem is not None:
        event["exception"] = "\n".join(_told(problem))
    return event


def _told(problem: BaseException) -> Iterator[str]:
    chain: list[BaseException] = []
    told: BaseException | None = problem
    while told is not None and told not in chain:
        chain.append(told)
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
    for one in reversed(chain):
        for frame in traceback.extract_tb(one.__traceback__):
            yield f"{frame.filename}:{frame.lineno} {frame.name}: {frame.line or ''}".rstrip(": ")
        yield described(one)


def _tell_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        name = args.thread.name if args.thread else None
        get_logger(__name__).error("thread_broke", thread=name, exc_info=args.exc_value)


def _masked(value: Any) -> Any:
    match value:
        case BaseException():
            return _masked(described(value))
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
    _tell_exception,
    mask_numbers,
    structlog.processors.JSONRenderer(ensure_ascii=False),
)
