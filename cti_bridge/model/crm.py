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


class Omission(StrEnum):
    """What a log can be written without, when the CRM refuses it."""

    CONTACT = "contact"
    RELATED = "related"
    AGENT = "agent"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class Correction:
    """What an administrator changed about one log, so that the CRM takes it. None changes nothing.

    ``note_was`` and ``disposition_was`` are what the agent had said: what the agent says after the correction counts.
    """

    subject: str | None = None
    note: str | None = None
    note_was: str = ""
    disposition: str | None = None
    disposition_was: str | None = None
    without: frozenset[Omission] = frozenset()

    def note_for(self, said: str) -> str:
        """The note to write where the agent said this."""
        return self.note if self.note is not None and said == self.note_was else said

    def disposition_for(self, said: str | None) -> str | None:
        """The disposition to write where the agent chose this."""
        return self.disposition if self.disposition is not None and said == self.disposition_was else said

    @property
    def fields(self) -> list[str]:
        """The names of what it changes, which may be logged: ``["disposition", "without contact"]``."""
        changed = {"subject": self.subject, "note": self.note, "disposition": self.disposition}
        return [name for name, value in changed.items() if value is not None] + [
            f"without {omission}" for omission in sorted(self.without)
        ]


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
