"""A fake Lightning Experience: a page that holds the softphone as Salesforce does, with its side of Open CTI.

It plays the documented methods, callbacks and refusals over postMessage, on two origins as in earnest: agents work on
one (``lightning.force.com``), the org's own host (``my.salesforce.com``) serves the script and the API. Records are
those of a ``FakeOrg``.
"""

from .server import Lightning

__all__ = ["Lightning"]
