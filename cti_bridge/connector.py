"""The port: the CRM as the bridge sees it. This class is the manual for writing a connector.

You write translation between the CRM's words and ours (``model``), and nothing else: no retry, no cache, no ranking, no
deadline, no log text. All that is the same for every CRM and done on the bridge's side. Register the class under the
entry point group ``cti_bridge.connectors``; ``CTI_CONNECTOR`` names it. ``tests/contract.py`` tells whether it is
right.

Every method may be called from several threads at once, must give every network call a time-out, and raises

- ConnectorUnavailable(retry_after=…) when trying again later can help (no connection, 429, 5xx, locked row);
- ConnectorRefused(words, code=…) when it cannot (validation, permission, unknown field): with the CRM's own words;
- LookupSpared, from ``find_contacts`` and ``walk`` alone, when the CRM's request budget is nearly used up.

Anything else that escapes is treated as a bug: the pop goes on without the CRM, and the call log is tried again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Protocol, Self

from cti_bridge.errors import ConnectorRefused
from cti_bridge.model import (
    Activity,
    CallLog,
    Capabilities,
    Contact,
    ContactDraft,
    ContactNumber,
    Finding,
    Language,
    Placement,
    RecordLink,
    Survey,
    Usage,
)
from cti_bridge.phone import PhoneNumber


class Tally(Protocol):
    """Counts that all processes of a bridge share, a day at a time: how many requests a CRM had from us."""

    def add(self, name: str, day: date, amount: int = 1) -> int:
        """Add to a count and return its total of that day. Raises StoreUnavailable."""


@dataclass(frozen=True)
class Resources:
    """What a connector is opened with.

    ``environment`` holds all settings as text, for the connector's own (``SALESFORCE_…``): never print it.
    ``region`` is the country of numbers without a country code (``"JP"``), ``language`` that of texts written for all.
    ``timezone`` is that of dates in call logs. ``tally`` counts for all processes; None where there is no database.
    ``records`` is the embedded CRM's store; every other connector leaves it alone.
    """

    environment: Mapping[str, str]
    region: str = "JP"
    language: Language = "ja"
    timezone: str = "Asia/Tokyo"
    tally: Tally | None = None
    records: object = None


@dataclass(frozen=True)
class Screen:
    """How the CRM's own pages hold the panel.

    ``origins`` may show it in a frame, beside those of ``CTI_EMBED_ORIGINS``. ``page`` names a page of ours that is
    made for this CRM: ``"salesforce"`` is ``/widgets/salesforce``. That page may load scripts from ``scripts`` (origins)
    and is told ``facts``, which every agent can read: ``{"org": "https://acme.my.salesforce.com"}``.
    """

    origins: tuple[str, ...] = ()
    page: str = ""
    scripts: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


_NO_WALK = (
    "コネクター {name} は、全顧客の読み出しに対応していません / the connector {name} cannot go through all contacts"
)


class Connector(ABC):
    """A CRM. Subclass it, name it, fill in the methods."""

    name: ClassVar[str]
    """What stands in ``CTI_CONNECTOR`` and in messages: ``"salesforce"``."""

    capabilities: Capabilities = Capabilities()
    """What the widget may offer. Say no to what the CRM cannot do; that method is then never called."""

    screen: Screen = Screen()
    """How the CRM's own pages hold the panel, where there is more to say than ``CTI_EMBED_ORIGINS``."""

    @classmethod
    @abstractmethod
    def open(cls, resources: Resources) -> Self:
        """Make the connector from its settings, without asking the CRM yet.

        Raises SettingsError naming the setting and the mend. Settings are best a subclass of
        ``cti_bridge.environment.Environment``, which explains mistakes in the administrator's language.
        """

    def warm_up(self) -> None:  # noqa: B027  (a connector may have nothing to warm)
        """Make the first call as quick as the second: sign in, read what describes the CRM. Called once a process, in
        the background; what it raises is logged and no more."""

    @abstractmethod
    def find_contacts(self, number: PhoneNumber) -> list[Contact]:
        """Everybody whose record holds this number, however it was typed; ``[]`` if none.

        Ask with every plausible spelling (``number.spellings()``) or a normalised field. Return all the record's
        numbers as typed: the bridge compares them again and keeps only true equals, so finding too much is safe, too
        little is not. Where the CRM can tell a contact's story in the same answer, put it into ``activity``.
        """

    @abstractmethod
    def get_contact(self, contact_id: str) -> Contact | None:
        """The contact with this id, as ``find_contacts`` and ``search`` gave it; None when there is none (any more).

        The id may come from a CRM page of the host's (click-to-dial carries its record along): never trust its form.
        """

    def locate(self, record_id: str) -> Placement | None:
        """What a record of the CRM's screen stands for, when an agent dials from it or relates a call to it.

        A contact's own id, or that of a case, deal or order, if the CRM has such: then with the contact that it
        belongs to. None when there is no such record. The id comes from a page: never trust its form.
        """
        contact = self.get_contact(record_id)
        return Placement(contact) if contact else None

    @abstractmethod
    def recent_activity(self, contact: Contact) -> Activity:
        """The contact's history, open cases/deals/orders and coming appointments: at most 10 of each."""

    def field_label(self, field: str, language: Language) -> str:  # noqa: ARG002
        """What a reader of this language calls a field that ``ContactNumber.label`` names: ``"mobile"`` → ``"携帯"``.

        Override it where the CRM knows its fields' names in several languages; as it stands it returns the name.
        """
        return field

    @abstractmethod
    def search(self, text: str) -> list[Contact]:
        """Contacts by name, furigana, company or customer number, likeliest first: at most 20. Never asked with ''."""

    @abstractmethod
    def create_contact(self, draft: ContactDraft) -> Contact:
        """A new record. Raises ConnectorRefused in the CRM's words, for instance about a duplicate."""

    @abstractmethod
    def add_number(self, contact: Contact, number: PhoneNumber) -> Contact:
        """The contact with this number in a free telephone field; unchanged if it is there already.

        Raises ConnectorRefused when no field is free.
        """

    @abstractmethod
    def write_call_log(self, log: CallLog) -> RecordLink:
        """Create or update the record of this call, found by ``log.call_id``.

        Called any number of times, also after a time-out that hid a success: one record is left, holding the latest.
        Texts longer than the CRM's field are cut to fit, with a mark.
        """

    @abstractmethod
    def check(self) -> list[Finding]:
        """Sign-in, rights, fields, telephone data: what an administrator should know, in plain words. Never raises."""

    # ── going through everybody; say ``Capabilities(walk=True)`` when you write these ───────────────────────────────

    def walk(self) -> Iterator[Contact]:
        """Every contact with a telephone field filled in, each once, in pages: memory stays flat however many there are.

        For the audit of telephone data. Numbers as typed; the story is left out. Raises like the rest, in the middle
        too: what came until then is good. Stops with LookupSpared before call logs could lack requests.
        """
        raise ConnectorRefused(_NO_WALK.format(name=self.name), code="NOT_OFFERED")

    def survey(self) -> Survey:
        """How many contacts ``walk`` would go through, and how many requests that costs. Costs one or a few itself."""
        raise ConnectorRefused(_NO_WALK.format(name=self.name), code="NOT_OFFERED")

    def finds(self, number: PhoneNumber, held: ContactNumber) -> bool:
        """Whether ``find_contacts(number)`` comes upon a field that holds the number typed like this. Asks nothing.

        As it stands: when it is one of ``number.spellings()``, for a CRM that compares text exactly.
        """
        usual = (number.display(number.country), number.national_digits, number.e164)
        return held.text in usual or held.text in number.spellings()

    def email_of(self, user: str) -> str | None:  # noqa: ARG002
        """The e-mail address of the agent whom the CRM calls ``user`` (``"hanako"``); None when that is not known."""
        return None

    def usage(self) -> list[Usage]:
        """The CRM's request budget as its last answers told it, for /metrics. Asks nothing."""
        return []
