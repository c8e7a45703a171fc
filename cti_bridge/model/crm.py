"""What a CRM gets, what it says of itself, and what an administrator reads about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cti_bridge.model.call import Direction, Outcome
from cti_bridge.model.customer import Contact, RelatedRecord
from cti_bridge.model.people import Language


@dataclass(frozen=True, slots=True)
class Disposition:
    """A result that an agent can choose: ``Disposition("callback", "再コール", "Call back")``."""

    code: str
    ja: str
    en: str

    def label(self, language: Language) -> str:
        return self.ja if language == "ja" else self.en


@dataclass(frozen=True, slots=True)
class CallLog:
    """What the CRM gets for one call: one record, found again by ``call_id`` and updated in place.

    ``subject`` and ``body`` are ready to show, in the line's language; the other members are for CRMs with fields.
    ``contact`` is None when nobody settled whose call it was; ``related`` is what an agent said that it was about.
    ``recording_url`` is the bridge's own address of the recording, which asks for a sign-in.
    """

    call_id: str
    direction: Direction
    outcome: Outcome
    subject: str
    body: str
    party: str
    line_name: str
    contact: Contact | None
    agent_name: str
    agent_email: str
    started_at: datetime
    ended_at: datetime
    talk_time: timedelta
    note: str = ""
    disposition: str = ""
    recording_id: str | None = None
    recording_url: str | None = None
    related: RelatedRecord | None = None


@dataclass(frozen=True, slots=True)
class RecordLink:
    """Where a record stands in the CRM. ``url`` is None for a CRM without screens."""

    id: str
    url: str | None = None


class Severity(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check-up in plain words, both languages, with the mend: what an administrator reads."""

    severity: Severity
    subject: str
    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class Usage:
    """One line of a CRM's request budget as its last answers told it: ``Usage("api_requests", 1200, 15000)``."""

    resource: str
    used: float
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a CRM can do; the widget draws only that."""

    search: bool = True
    create_contact: bool = True
    add_number: bool = True
    activity: bool = True
    walk: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """What going through all contacts means: ``Survey(12_000, 24)``, so many records, so many requests to the CRM."""

    contacts: int
    requests: int
