"""A fake Salesforce org: a real HTTP server on loopback that speaks the documented wire and refuses what Salesforce refuses.

It plays Salesforce from its documentation and knows nothing of the bridge. Where the documentation is silent it takes
the answer that is harder for a client, or has a switch; ``FakeOrg`` names them.
"""

from .adapter import ToFake, session_to
from .org import INTEGRATION_USER, FakeOrg
from .schema import Field
from .trouble import Kind, Trouble
from .wire import Request

__all__ = ["INTEGRATION_USER", "FakeOrg", "Field", "Kind", "Request", "ToFake", "Trouble", "session_to"]
