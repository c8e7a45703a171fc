"""The local connector keeps the contract, and what it alone promises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from cti_bridge.connector import Resources
from cti_bridge.connectors.local import LABELS, LocalConnector
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable, SettingsError
from cti_bridge.model import ActivityKind, Contact, ContactDraft, ContactKind, ContactNumber, Language, Severity
from cti_bridge.store.database import Database
from cti_bridge.store.records import Customer, Entry, Records
from cti_bridge.store.records.customers import KINDS
from cti_bridge.store.records.tables import activities
from tests.contract import HOME, SAKURA, TOKYO, ConnectorContract, Crm, KeptLog, log, only


class LocalCrm(Crm):
    """The embedded CRM, filled through its store."""

    forgiving = True

    def __init__(self, database: Database) -> None:
        self.database = database
        self.records = Records(database)
        self.connector = LocalConnector(self.records)
        self.kept = 0

    def keep_person(self, name: str, *numbers: str, reading: str = "", company: str = "") -> str:
        self.kept += 1
        typed = tuple(ContactNumber("phone", text) for text in numbers)
        [saved] = self.records.save([Customer(name, reading, f"T-{self.kept}", company, numbers=typed)])
        return str(saved.record)

    def keep_company(self, name: str, *numbers: str) -> str:
        [saved] = self.records.save([Customer(company=name, company_numbers=numbers)])
        return str(saved.record)

    def keep_story(self, contact_id: str, count: int) -> None:
        now = datetime.now(UTC)
        self.records.keep(
            Entry(f"{kind} {index}", kind, contact_id, f"{index}", now + sign * timedelta(hours=1 + index))
            for kind, sign in ((ActivityKind.CALL, -1), (ActivityKind.CASE, -1), (ActivityKind.APPOINTMENT, 1))
            for index in range(count)
        )

    def logs(self, call_id: str) -> list[KeptLog]:
        with self.database.reading() as connection:
            rows = connection.execute(select(activities).where(activities.c.source_id == call_id)).all()
        return [KeptLog(row.title, row.detail, _owner(row.contact_id, row.company_id)) for row in rows]

    def in_pages_of(self, count: int) -> None:
        self.records.page = count

    @contextmanager
    def broken(self) -> Iterator[None]:
        self.records._database = Database("sqlite:////no/such/folder/bridge.db")
        try:
            yield
        finally:
            self.records._database = self.database


def _owner(contact_id: int | None, company_id: int | None) -> str | None:
    if contact_id:
        return f"contact:{contact_id}"
    return f"company:{company_id}" if company_id else None


@pytest.fixture
def crm(database: Database) -> LocalCrm:
    return LocalCrm(database)


class TestLocalConnector(ConnectorContract):
    @pytest.fixture
    def crm(self, database: Database) -> Crm:
        return LocalCrm(database)


def opened(crm: LocalCrm, **environment: str) -> LocalConnector:
    return LocalConnector.open(Resources(environment, records=crm.records))


def test_records_have_no_link_unless_their_address_is_set(crm: LocalCrm) -> None:
    sakura = crm.keep_person("山本 さくら", "080-0000-1223")

    assert only(opened(crm).find_contacts(SAKURA)).url is None
    linked = opened(crm, CTI_LOCAL_RECORD_URL="http://127.0.0.1:5081/crm/{id}")
    assert only(linked.find_contacts(SAKURA)).url == f"http://127.0.0.1:5081/crm/{sakura}"
    assert linked.write_call_log(log()).url is not None


@pytest.mark.parametrize("address", ["http://127.0.0.1/crm", "javascript:alert({id})", "{id}"])
def test_an_address_that_cannot_show_a_record_stops_the_start(crm: LocalCrm, address: str) -> None:
    with pytest.raises(SettingsError, match="CTI_LOCAL_RECORD_URL"):
        opened(crm, CTI_LOCAL_RECORD_URL=address)


def test_it_does_not_open_without_its_records() -> None:
    with pytest.raises(SettingsError, match="records"):
        LocalConnector.open(Resources({}))


@pytest.mark.parametrize(("language", "label"), [("ja", "携帯"), ("en", "Mobile")])
def test_a_numbers_field_is_named_in_the_readers_language(crm: LocalCrm, language: Language, label: str) -> None:
    crm.records.save([Customer("山本 さくら", numbers=(ContactNumber("mobile", "080-0000-1223"),))])

    [held] = only(crm.connector.find_contacts(SAKURA)).numbers
    assert crm.connector.field_label(held.label, language) == label


def test_every_field_of_the_records_has_a_name_in_both_languages() -> None:
    assert set(LABELS) == set(KINDS)


def test_a_contact_tells_its_last_activity_and_open_cases_for_the_ranking(crm: LocalCrm) -> None:
    now = datetime(2026, 4, 1, tzinfo=UTC)
    connector = LocalConnector(crm.records, clock=lambda: now)
    sakura = crm.keep_person("山本 さくら", "080-0000-1223")
    yesterday = now - timedelta(days=1)
    crm.records.keep(
        [
            Entry("1", ActivityKind.VISIT, sakura, "清掃", yesterday),
            Entry("2", ActivityKind.VISIT, sakura, "点検", yesterday - timedelta(days=9)),
            Entry("3", ActivityKind.APPOINTMENT, sakura, "次の清掃", now + timedelta(days=9)),
            Entry("C-1", ActivityKind.CASE, sakura, "水漏れ", yesterday),
            Entry("C-2", ActivityKind.CASE, sakura, "異音", yesterday, closed_at=now),
        ]
    )

    found = only(connector.find_contacts(SAKURA))

    assert (found.touched_at, found.open_cases) == (yesterday, 1)


def test_a_company_tells_also_what_happened_with_its_people(crm: LocalCrm) -> None:
    crm.keep_company("はやぶさ", "03-2000-0110")
    misaki = crm.keep_person("高橋 美咲", "080-0000-1021", company="はやぶさ")
    crm.records.keep([Entry("C-1", ActivityKind.CASE, misaki, "異音", datetime.now(UTC) - timedelta(days=1))])

    [company] = crm.connector.find_contacts(TOKYO)

    assert company.kind is ContactKind.COMPANY
    assert company.open_cases == 1
    assert [item.title for item in crm.connector.recent_activity(company).open] == ["C-1 異音 (高橋 美咲)"]


def test_creating_the_same_contact_twice_leaves_one(crm: LocalCrm) -> None:
    draft = ContactDraft("山本 さくら", SAKURA.e164, company="はやぶさ")

    assert crm.connector.create_contact(draft) == crm.connector.create_contact(draft)
    assert len(crm.connector.find_contacts(SAKURA)) == 1


def test_a_contact_without_a_name_is_refused_in_both_languages(crm: LocalCrm) -> None:
    with pytest.raises(ConnectorRefused, match=r"氏名.*name"):
        crm.connector.create_contact(ContactDraft(" \0\n", SAKURA.e164))


def test_a_number_for_somebody_who_is_no_more_is_refused(crm: LocalCrm) -> None:
    with pytest.raises(ConnectorRefused):
        crm.connector.add_number(Contact("contact:999999", ContactKind.PERSON, "幽霊"), HOME)


def test_the_log_of_a_contact_who_is_no_more_is_kept_all_the_same(crm: LocalCrm) -> None:
    crm.connector.write_call_log(log(contact=Contact("contact:999999", ContactKind.PERSON, "幽霊")))

    assert [kept.contact_id for kept in crm.logs("CA01")] == [None]


def test_a_company_takes_an_added_number_as_its_switchboard(crm: LocalCrm) -> None:
    crm.keep_company("はやぶさ", "03-2000-0110")

    changed = crm.connector.add_number(only(crm.connector.find_contacts(TOKYO)), HOME)

    assert [(number.label, number.text) for number in changed.numbers] == [
        ("main", "03-2000-0110"),
        ("main", "045-000-0210"),
    ]


def test_a_database_that_is_gone_is_worth_another_try(crm: LocalCrm) -> None:
    with crm.broken(), pytest.raises(ConnectorUnavailable):
        crm.connector.find_contacts(SAKURA)


def test_the_check_counts_numbers_that_cannot_be_read_and_names_records_not_numbers(crm: LocalCrm) -> None:
    sakura = crm.keep_person("山本 さくら", "080-0000-122", "03-2000-0110")
    crm.keep_person("高橋 美咲", "03-2000-0110")

    findings = crm.connector.check()

    assert [finding.severity for finding in findings] == [Severity.OK, Severity.WARNING, Severity.OK]
    assert sakura in findings[1].en
    assert sakura in findings[1].ja
    assert not any("080-0000-122" in finding.en + finding.ja for finding in findings)


def test_the_check_of_an_empty_crm_says_how_to_fill_it(crm: LocalCrm) -> None:
    [finding] = crm.connector.check()

    assert finding.severity is Severity.WARNING
    assert "connector import" in finding.en
