"""Who is it, and may they come in from there? Sign-ins, tickets, one-time codes, lock-out, limits, addresses.

``door`` is what others talk to; each promise has its module beside it. What a role may do once it is in: ``model``'s
``permissions``. What a request looks like: ``api``.
"""

from cti_bridge.auth.addresses import Addresses
from cti_bridge.auth.door import TICKET_LIFE, Auth, Caller
from cti_bridge.auth.limits import Door, Limits
from cti_bridge.auth.sessions import SESSION_LIFE, TOKEN_LIFE, Session
from cti_bridge.auth.warden import Warden

__all__ = [
    "SESSION_LIFE",
    "TICKET_LIFE",
    "TOKEN_LIFE",
    "Addresses",
    "Auth",
    "Caller",
    "Door",
    "Limits",
    "Session",
    "Warden",
]
