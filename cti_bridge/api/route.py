"""One line of the API's table of routes. Each part of the API has its own lines; ``blueprint`` serves them all."""

from __future__ import annotations

from typing import Any, NamedTuple

from spectree import Response as Answers

from cti_bridge.auth import Door
from cti_bridge.model import Permission


class Route(NamedTuple):
    """``needs`` is what whoever asks must be allowed to do, or the door that anybody may knock at."""

    method: str
    path: str
    needs: Permission | Door
    view: Any
    answers: Answers
