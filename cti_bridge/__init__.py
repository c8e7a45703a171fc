"""CTI Bridge: Twilio and the customer records (Salesforce, kintone, or its own) as one thing.

``CTIBridge`` mounts it into a Flask app, ``create_app`` is the stand-alone app, ``cti-bridge`` the command.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cti_bridge.app import CTIBridge, create_app

__version__ = "0.1.0"
__all__ = ["CTIBridge", "__version__", "create_app"]


def __getattr__(name: str) -> object:
    """Load the app only for who asks for it: connectors and the vocabulary import this package too."""
    if name in ("CTIBridge", "create_app"):
        from cti_bridge import app  # noqa: PLC0415

        return getattr(app, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
