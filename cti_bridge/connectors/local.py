"""The embedded default: a small CRM in the bridge's own database. Translation only; its store is handed in.

It can do what no other CRM can: every number is kept in E.164 beside what was typed, so one indexed look-up finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar, Protocol, Self, cast
from urllib.parse import quote

from cti_bridge.connector import Connector, Resources
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable, SettingsError, StoreUnavailable
from cti_bridge.model import (
    Activity,
    CallLog,
    Capabilities,
    Contact,
    ContactDraft,
    ContactNumber,
    Finding,
    Language,
    RecordLink,
    Severity,
    Survey,
)
from cti_bridge.phone import PhoneNumber

LABELS = {
    "phone": ("電話", "Phone"),
    "mobile": ("携帯", "Mobile"),
    "home": ("自宅", "Home"),
    "fax": ("FAX", "Fax"),
    "other": ("その他", "Other"),
    "main": ("代表電話", "Switchboard"),
}
"""What the telephone fields of a record are called, in Japanese and English."""

MOBILES = ("+8160", "+8170", "+8180", "+8190")


class Health(Protocol):
    """What a check-up of the records tells."""

    @property
    def people(self) -> int: ...
    @property
    def companies(self) -> int: ...
    @property
    def numbers(self) -> int: ...
    @property
    def unreadable(self) -> int: ...
    @property
    def unreadable_examples(self) -> tuple[str, ...]: ...
    @property
    def shared(self) -> int: ...


class RecordStore(Protocol):
    """What this connector needs of the store. Numbers' labels are keys of ``LABELS``; raises StoreUnavailable."""

    def find(self, e164: str, now: datetime) -> list[Contact]: ...
    def get(self, contact_id: str, now: datetime) -> Contact | None: ...
    def search(self, text: str, now: datetime, limit: int = ...) -> list[Contact]: ...
    def activity(self, contact_id: str, now: datetime, limit: int = ...) -> Activity: ...
    def create(self, draft: ContactDraft, kind: str, now: datetime) -> Contact: ...
    def add_number(self, contact_id: str, number: PhoneNumber, now: datetime) -> Contact | None: ...
    def write_call(self, log: CallLog) -> str: ...
    def health(self) -> Health: ...
    def walk(self, now: datetime) -> Iterator[Contact]: ...
    def numbered_count(self) -> int: ...


class LocalConnector(Connector):
    """The CRM in the bridge's own database.

    ``CTI_LOCAL_RECORD_URL`` says where a record can be seen: ``http://127.0.0.1:5081/crm/{id}``. Without it, records
    have no link.
    """

    name: ClassVar[str] = "local"
    capabilities = Capabilities(walk=True)

    def __init__(
        self,
        records: RecordStore,
        *,
        record_url: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._records = records
        self._record_url = record_url
        self._clock = clock

    @classmethod
    def open(cls, resources: Resources) -> Self:
        record_url = resources.environment.get("CTI_LOCAL_RECORD_URL") or None
        if record_url is not None and not (
            "{id}" in record_url and record_url.startswith(("http://", "https://", "/"))
        ):
            raise SettingsError(
                "CTI_LOCAL_RECORD_URL must be an address with {id} where the record's id goes, "
                "such as http://127.0.0.1:5081/crm/{id}."
            )
        if resources.records is None:
            raise SettingsError("CTI_CONNECTOR is local, but no records were handed in; open it from the bridge.")
        return cls(cast("RecordStore", resources.records), record_url=record_url)

    def find_contacts(self, number: PhoneNumber) -> list[Contact]:
        with _store_as_crm():
            return [self._shown(contact) for contact in self._records.find(number.e164, self._clock())]

    def get_contact(self, contact_id: str) -> Contact | None:
        with _store_as_crm():
            contact = self._records.get(contact_id, self._clock())
        return self._shown(contact) if contact else None

    def recent_activity(self, contact: Contact) -> Activity:
        with _store_as_crm():
            return self._records.activity(contact.id, self._clock(), limit=10)

    def search(self, text: str) -> list[Contact]:
        with _store_as_crm():
            return [self._shown(contact) for contact in self._records.search(text, self._clock(), limit=20)]

    def create_contact(self, draft: ContactDraft) -> Contact:
        kind = "mobile" if draft.number.startswith(MOBILES) else "phone"
        try:
            with _store_as_crm():
                return self._shown(self._records.create(draft, kind, self._clock()))
        except ValueError as problem:
            raise ConnectorRefused(
                "氏名を入力してください。 / A contact needs a name.", code="NAME_MISSING"
            ) from problem

    def add_number(self, contact: Contact, number: PhoneNumber) -> Contact:
        with _store_as_crm():
            changed = self._records.add_number(contact.id, number, self._clock())
        if changed is None:
            raise ConnectorRefused("この顧客はもうありません。 / This contact is no more.", code="NOT_FOUND")
        return self._shown(changed)

    def write_call_log(self, log: CallLog) -> RecordLink:
        with _store_as_crm():
            record_id = self._records.write_call(log)
        return RecordLink(record_id, self._url(record_id))

    def check(self) -> list[Finding]:
        try:
            return list(_findings(self._records.health()))
        except Exception as problem:  # noqa: BLE001  (a check-up reports whatever is wrong, also our own mistakes)
            return [
                Finding(
                    Severity.ERROR,
                    "records",
                    f"内蔵CRMのデータベースを読めません：{problem}",
                    f"The embedded CRM's database cannot be read: {problem}",
                )
            ]

    def field_label(self, field: str, language: Language) -> str:
        ja, en = LABELS.get(field, (field, field))
        return ja if language == "ja" else en

    def _shown(self, contact: Contact) -> Contact:
        return replace(contact, url=self._url(contact.id))

    def walk(self) -> Iterator[Contact]:
        with _store_as_crm():
            yield from map(self._shown, self._records.walk(self._clock()))

    def survey(self) -> Survey:
        with _store_as_crm():
            return Survey(self._records.numbered_count(), requests=0)

    def finds(self, number: PhoneNumber, held: ContactNumber) -> bool:  # noqa: ARG002
        """However it was typed: its E.164 form is kept beside it."""
        return True

    def _url(self, record_id: str) -> str | None:
        return self._record_url.replace("{id}", quote(record_id, safe=":")) if self._record_url else None


@contextmanager
def _store_as_crm() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as problem:
        raise ConnectorUnavailable(str(problem)) from problem


def _findings(health: Health) -> Iterator[Finding]:
    if not health.people and not health.companies:
        yield Finding(
            Severity.WARNING,
            "records",
            "顧客がまだ登録されていません。cti-bridge connector import で顧客リスト（CSV）を取り込んでください。",
            "There are no customers yet. Import a list (CSV) with: cti-bridge connector import FILE",
        )
        return
    yield Finding(
        Severity.OK,
        "records",
        f"顧客{health.people:,}名、会社{health.companies:,}社、電話番号{health.numbers:,}件。",
        f"People: {health.people:,}. Companies: {health.companies:,}. Telephone numbers: {health.numbers:,}.",
    )
    if health.unreadable:
        examples = ", ".join(health.unreadable_examples)
        yield Finding(
            Severity.WARNING,
            "numbers",
            f"電話番号として読めないものが{health.unreadable:,}件あり、着信しても顧客が見つかりません。例：{examples}。"
            "市外局番から（03-1234-5678）または国番号から（+81 3 1234 5678）に直してください。",
            f"Telephone numbers that cannot be read, so that their callers are not found: {health.unreadable:,}. "
            f"Examples: {examples}. Write them with the area code (03-1234-5678) or the country code (+81 3 1234 5678).",
        )
    if health.shared:
        yield Finding(
            Severity.OK,
            "numbers",
            f"複数の顧客が同じ番号を使っているものが{health.shared:,}件あります。着信時には候補がすべて表示されます。",
            f"Numbers that several records share: {health.shared:,}. When they ring, all of them are offered.",
        )
