"""The vocabulary as JSON and back: ``dump(Contact(…))`` gives a dict, ``load(Contact, …)`` the Contact again."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


_ADAPTERS: dict[object, TypeAdapter[Any]] = {}


def _adapter(kind: type[object]) -> TypeAdapter[Any]:
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        adapter = _ADAPTERS[kind] = TypeAdapter(kind)
    return adapter


def dump(value: object) -> Any:
    """Plain JSON types: moments as ISO 8601, durations as ISO 8601 (``"PT12S"``), sets as lists."""
    return _adapter(type(value)).dump_python(value, mode="json")


def dump_all(kind: type[T], values: tuple[T, ...]) -> list[Any]:
    return [_adapter(kind).dump_python(value, mode="json") for value in values]


def load(kind: type[T], data: Any) -> T:
    """Raises pydantic's ValidationError when the data is not of this kind."""
    loaded: T = _adapter(kind).validate_python(data)
    return loaded


def load_all(kind: type[T], data: list[Any]) -> tuple[T, ...]:
    return tuple(load(kind, item) for item in data)
