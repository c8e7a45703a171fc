"""The JSON API for widgets: sign-in, tickets, dialling, notes, contacts, missed calls. Its description: openapi.json."""

from cti_bridge.api.blueprint import Api
from cti_bridge.api.entrance import Entrance

__all__ = ["Api", "Entrance"]
