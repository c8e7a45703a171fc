"""A fake kintone domain: a real HTTP server on loopback that speaks the documented REST API and refuses what it refuses.

It is an outside party: it knows kintone's documentation and nothing of the bridge. ``FakeDomain`` is the way in.
"""

from .app import FakeApp, Right
from .auth import User
from .domain import FakeDomain
from .query import quoted
from .trouble import Gate, Trouble
from .wire import Refused, Request

__all__ = ["FakeApp", "FakeDomain", "Gate", "Refused", "Request", "Right", "Trouble", "User", "quoted"]
