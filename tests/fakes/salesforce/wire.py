"""A request as it came in, an answer as it goes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """One HTTP request; ``headers`` by lower-case name, ``connection`` counts the org's connections from 1."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        """Decoded, without the query: ``"/services/data/v66.0/query/"``."""
        return unquote(urlsplit(self.target).path)

    @property
    def parts(self) -> list[str]:
        """The path's parts, each decoded on its own, so a slash inside a value stays inside."""
        return [unquote(part) for part in urlsplit(self.target).path.split("/") if part]

    @property
    def query(self) -> dict[str, str]:
        """Query parameters, the first of each name."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query, True).items()}

    @property
    def form(self) -> dict[str, str]:
        """An URL-encoded body."""
        return {name: values[0] for name, values in parse_qs(self.body.decode(), True).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """``Answer(200, {"totalSize": 0})``. A body of None is none at all; a text goes out as it is."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=UTF-8"

    def encoded(self, *, pretty: bool = False) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, ensure_ascii=False, indent=2 if pretty else None).encode()
