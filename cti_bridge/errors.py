"""Everything that the bridge raises on purpose, and what to do about it.

::

    BridgeError
    ├── SettingsError                 the start stops; names the setting and the mend
    ├── NumberUnreadable              not a telephone number that we can dial or match
    ├── ConnectorError                the CRM did not do what we asked
    │   ├── ConnectorUnavailable      try again later (retry_after says when, if the CRM said)
    │   ├── ConnectorRefused          never will as it is; carries the CRM's own words
    │   └── LookupSpared              the request budget is nearly used up; the number index answers instead
    ├── RequestError                  somebody asked for what cannot be: becomes problem+json
    │   ├── NotSignedIn  NotAllowed  NotFound  Gone  Conflict  BadRequest  TooMany  TryLater
    │   └── TicketInvalid  TicketExpired  TicketUsed
    ├── PhoneNetworkError             Twilio refused or did not answer our request
    │   └── RecordingMissing          Twilio has no sound of this recording, yet or any more
    └── StoreUnavailable              the bridge's own database cannot be reached or written

Erasing somebody's data has refusals of its own: they stand in ``privacy``. The docstring of a class is its message when
it is raised without one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar


class BridgeError(Exception):
    """Something went wrong in the bridge.

    ``loggable`` says that its messages are all our own words, without anything that a CRM, a caller or an agent wrote.
    """

    loggable: ClassVar[bool] = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class SettingsError(BridgeError):
    """A setting is missing or wrong."""


class NumberUnreadable(BridgeError):
    """This is not a telephone number that can be dialled or matched."""


class ConnectorError(BridgeError):
    """The CRM did not do what it was asked."""


class ConnectorUnavailable(ConnectorError):
    """The CRM cannot be reached just now.

    ``retry_after`` is how long the CRM asked us to wait, if it said.
    """

    def __init__(self, message: str | None = None, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConnectorRefused(ConnectorError):
    """The CRM refused this, and would refuse it again.

    ``code`` is the CRM's own error code, such as ``REQUIRED_FIELD_MISSING``; the message is in its own words.
    """

    def __init__(self, message: str | None = None, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class LookupSpared(ConnectorError):
    """The connector spares the CRM this look-up, its request budget being nearly used up.

    Only ``find_contacts`` raises it (the card shows what the number index remembers, and logs are still written), and
    ``walk``, which then goes no further.
    """


class RequestError(BridgeError):
    """This cannot be done as asked.

    ``code`` is stable and for programs; ``values`` fill the reader's sentence in their language (see api/problem.py).
    """

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "bad_request"

    def __init__(self, code: str | None = None, **values: object) -> None:
        self.code = code or self.default_code
        self.values = values
        super().__init__(self.code)


class BadRequest(RequestError):
    """The request does not make sense."""


class NotSignedIn(RequestError):
    """Nobody is signed in, or the sign-in has run out."""

    status = 401
    default_code = "not_signed_in"


class NotAllowed(RequestError):
    """This agent may not do this."""

    status = 403
    default_code = "not_allowed"


class NotFound(RequestError):
    """There is no such thing, or not for this agent."""

    status = 404
    default_code = "not_found"


class Gone(RequestError):
    """It was there once, and will not come back."""

    status = 410
    default_code = "recording_deleted"


class Conflict(RequestError):
    """This cannot be done in the present state."""

    status = 409
    default_code = "conflict"


class TooMany(RequestError):
    """Too often, or after too many failures; ``retry_after`` says in how many seconds again."""

    status = 429
    default_code = "too_many_requests"


class TryLater(RequestError):
    """It cannot be had just now."""

    status = 503
    default_code = "recording_unreachable"


class TicketInvalid(NotSignedIn):
    """The ticket was not made by this bridge."""

    default_code = "ticket_invalid"


class TicketExpired(NotSignedIn):
    """The ticket is older than a minute."""

    default_code = "ticket_expired"


class TicketUsed(NotSignedIn):
    """The ticket was used before; each opens one socket."""

    default_code = "ticket_used"


class PhoneNetworkError(BridgeError):
    """Twilio refused or did not answer our request.

    ``code`` is Twilio's error number, such as 21211, or 0 when there was no answer.
    """

    def __init__(self, message: str | None = None, *, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class RecordingMissing(PhoneNetworkError):
    """Twilio has no sound of this recording.

    ``comes_later`` is whether it is still being made; otherwise it was deleted, or never became anything.
    """

    def __init__(self, message: str | None = None, *, comes_later: bool) -> None:
        super().__init__(message, code=20404)
        self.comes_later = comes_later


class StoreUnavailable(BridgeError):
    """The bridge's own database cannot be reached or written."""

    loggable = True
