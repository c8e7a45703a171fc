"""What every connector must do: subclass ``ConnectorContract``, say how to reach your CRM, and run it.

The tests work through the port, and behind its back through ``Crm``: your CRM as a user would fill it by hand. For a
CRM in the cloud, that is a fake server speaking its documented wire shapes. Only what all CRMs share stands here.

    class TestSalesforce(ConnectorContract):
        @pytest.fixture
        def crm(self, salesforce_server) -> Crm:
            return SalesforceCrm(salesforce_server)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cti_bridge.connector import Connector
from cti_bridge.errors import ConnectorError
from cti_bridge.model import CallLog, Contact, ContactDraft, ContactKind, Direction, Outcome, Severity
from cti_bridge.phone import PhoneNumber

SAKURA = PhoneNumber("+818000001223")
HOME = PhoneNumber("+81450000210")
TOKYO = PhoneNumber("+81320000110")
EMILY = PhoneNumber("+442079460018")
NOBODY = PhoneNumber("+818000009999")

MESSY = {
    SAKURA: (
        "080-0000-1223",
        "０８０－００００－１２２３",
        "０８０ー００００ー１２２３",
        "080.0000.1223",
        "+81 (0)80-0000-1223",
    ),
    TOKYO: ("03-2000-0110", "03(2000)0110 内線21", "０３（２０００）０１１０", "03-2000-0110（代）", "+81-3-2000-0110"),
    EMILY: ("+44 20 7946 0018", "+44 (0)20 7946 0018", "+442079460018", "010 44 20 7946 0018"),
}
"""Spellings beyond ``spellings()`` that a CRM's data holds. A CRM that compares text exactly need not find these."""

HOSTILE = (
    "'",
    '"',
    "O'Brien",
    "%",
    "_",
    "\\",
    "\\'",
    "*",
    "?",
    "');--",
    "{}[]()",
    "😀",
    "改\n行",
    "\t",
    "a AND b",
    'x" or 1=1',
    "\0",
    "\ud800",
    "長" * 10_000,
)


def repr_short(value: str) -> str:
    """A test's name that shows its text, escaped and cut."""
    return ascii(value)[:20]


japanese_mobiles = st.integers(10_000_000, 19_999_999).map(lambda digits: PhoneNumber(f"+8180{digits}"))


@dataclass(frozen=True, slots=True)
class KeptLog:
    """A call log as it stands in the CRM."""

    subject: str
    body: str
    contact_id: str | None


class Crm(ABC):
    """A CRM under test, as its users would fill it. Every method works behind the connector's back."""

    connector: Connector
    forgiving: bool = False
    """Whether the CRM finds a number in spellings that nobody could list (it keeps a normalised field)."""

    @abstractmethod
    def keep_person(self, name: str, *numbers: str, reading: str = "", company: str = "") -> str:
        """Enter a person with numbers as typed; their contact id."""

    @abstractmethod
    def keep_company(self, name: str, *numbers: str) -> str:
        """Enter a company with its switchboards as typed; its contact id."""

    @abstractmethod
    def keep_story(self, contact_id: str, count: int) -> None:
        """Enter so many past calls, open cases and coming appointments."""

    @abstractmethod
    def logs(self, call_id: str) -> list[KeptLog]:
        """All records that the CRM holds of this call."""

    def in_pages_of(self, count: int) -> None:
        """Have ``walk`` come in pages of so many contacts, so that a few of them are several pages."""
        raise NotImplementedError("This CRM is walked in pages whose size the test must be able to set.")

    @abstractmethod
    def broken(self) -> AbstractContextManager[None]:
        """While it lasts, the CRM cannot be reached."""


def log(call_id: str = "CA01", **changes: object) -> CallLog:
    """A call log; ``changes`` are fields that matter to the test."""
    started_at = datetime(2026, 4, 1, 1, 30, tzinfo=UTC)
    plain = CallLog(
        call_id=call_id,
        direction=Direction.INBOUND,
        outcome=Outcome.ANSWERED,
        subject="【着信】代表 3分12秒",
        body="エアコンの清掃について。\n折り返し希望。",
        party=SAKURA.e164,
        line_name="代表",
        contact=None,
        agent_name="佐藤 花子",
        agent_email="hanako@example.com",
        started_at=started_at,
        ended_at=started_at + timedelta(minutes=4),
        talk_time=timedelta(minutes=3, seconds=12),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def only(contacts: Sequence[Contact]) -> Contact:
    [contact] = contacts
    return contact


class ConnectorContract:
    """Inherit from it in a class named ``Test…`` and give it the fixture ``crm``."""

    @pytest.fixture
    def crm(self) -> Crm:
        raise NotImplementedError("Give this class a fixture named crm that returns your Crm.")

    @pytest.fixture
    def connector(self, crm: Crm) -> Connector:
        return crm.connector

    # ── whose number is it ───────────────────────────────────────────────────────────────────────────────────────────

    @pytest.mark.parametrize("number", [SAKURA, HOME, TOKYO, EMILY], ids=lambda number: number.e164)
    def test_a_number_is_found_in_every_plausible_spelling(self, crm: Crm, number: PhoneNumber) -> None:
        # a foreign number without its country code is a number of our own country, and so somebody else's
        typed = [text for text in number.spellings() if PhoneNumber.find(text) == number]
        ids = [crm.keep_person(f"山本 さくら{index}", text) for index, text in enumerate(typed)]

        assert sorted(contact.id for contact in crm.connector.find_contacts(number)) == sorted(ids)

    @pytest.mark.parametrize(
        ("number", "text"), [(number, text) for number, texts in MESSY.items() for text in texts], ids=str
    )
    def test_a_number_is_found_as_messily_as_it_was_typed(self, crm: Crm, number: PhoneNumber, text: str) -> None:
        if not crm.forgiving and text not in number.spellings():
            pytest.skip("This CRM compares text exactly; only plausible spellings can be asked for.")
        sakura = crm.keep_person("山本 さくら", text)

        found = only(crm.connector.find_contacts(number))

        assert (found.id, found.numbers[0].text) == (sakura, text)

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(number=japanese_mobiles, others=st.sets(japanese_mobiles, max_size=3), spelling=st.integers(0, 100))
    def test_never_returns_somebody_else(
        self, crm: Crm, number: PhoneNumber, others: set[PhoneNumber], spelling: int
    ) -> None:
        spelt = number.spellings()
        sakura = crm.keep_person("山本 さくら", spelt[spelling % len(spelt)])
        for other in others - {number}:
            crm.keep_person("鈴木 次郎", other.spellings()[0])

        found = crm.connector.find_contacts(number)

        assert sakura in {contact.id for contact in found}
        for contact in found:
            assert number in {PhoneNumber.find(typed.text) for typed in contact.numbers}

    def test_a_number_nobody_has_finds_nobody(self, crm: Crm) -> None:
        crm.keep_person("山本 さくら", "080-0000-1223")

        assert crm.connector.find_contacts(NOBODY) == []

    def test_a_number_that_is_part_of_another_finds_nobody(self, crm: Crm) -> None:
        crm.keep_person("山本 さくら", "080-0000-12234")

        assert crm.connector.find_contacts(SAKURA) == []

    def test_a_contact_comes_with_all_its_numbers_as_typed(self, crm: Crm) -> None:
        typed = ("０８０ー００００ー１２２３", "045-000-0210")
        crm.keep_person("山本 さくら", *typed)

        found = only(crm.connector.find_contacts(SAKURA))

        assert {number.text for number in found.numbers} == set(typed)
        assert all(number.label for number in found.numbers)

    def test_a_contact_tells_name_furigana_and_company(self, crm: Crm) -> None:
        crm.keep_person("山本 さくら", "080-0000-1223", reading="ヤマモト サクラ", company="株式会社はやぶさ製作所")

        found = only(crm.connector.find_contacts(SAKURA))

        assert (found.kind, found.name) == (ContactKind.PERSON, "山本 さくら")
        assert (found.reading, found.company) == ("ヤマモト サクラ", "株式会社はやぶさ製作所")

    def test_a_shared_number_finds_everybody_who_shares_it(self, crm: Crm) -> None:
        wanted = {
            crm.keep_company("株式会社はやぶさ製作所", "03-2000-0110"),
            crm.keep_person("高橋 美咲", "０３－２０００－０１１０", company="株式会社はやぶさ製作所"),
            crm.keep_person("大野 健一", "(03) 2000-0110", company="株式会社はやぶさ製作所"),
        }

        found = crm.connector.find_contacts(TOKYO)

        assert {contact.id for contact in found} == wanted
        assert [contact.name for contact in found if contact.kind is ContactKind.COMPANY] == ["株式会社はやぶさ製作所"]

    def test_a_contact_is_got_again_by_its_id(self, crm: Crm) -> None:
        sakura = crm.keep_person("山本 さくら", "080-0000-1223")

        assert crm.connector.get_contact(sakura) == only(crm.connector.find_contacts(SAKURA))

    @pytest.mark.parametrize("wrong", ["", "nonsense", "../../etc", "contact:0", *HOSTILE], ids=repr_short)
    def test_an_id_that_is_none_gets_nobody(self, connector: Connector, wrong: str) -> None:
        assert connector.get_contact(wrong) is None

    # ── search ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @pytest.mark.parametrize("text", ["山本 さくら", "山本", "ヤマモト", "はやぶさ"])
    def test_a_contact_is_searched_by_name_furigana_and_company(self, crm: Crm, text: str) -> None:
        sakura = crm.keep_person(
            "山本 さくら", "080-0000-1223", reading="ヤマモト サクラ", company="株式会社はやぶさ製作所"
        )
        crm.keep_person("鈴木 次郎", "080-0000-1234", reading="スズキ ジロウ")

        found = [contact for contact in crm.connector.search(text) if contact.kind is ContactKind.PERSON]

        assert [contact.id for contact in found] == [sakura]

    def test_a_search_brings_at_most_twenty(self, crm: Crm) -> None:
        for index in range(23):
            crm.keep_person(f"山本 さくら{index}")

        assert len(crm.connector.search("山本")) == 20

    @pytest.mark.parametrize("text", HOSTILE, ids=repr_short)
    def test_hostile_text_is_searched_as_text(self, crm: Crm, text: str) -> None:
        crm.keep_person("山本 さくら", "080-0000-1223")

        assert crm.connector.search(text) == []

    @pytest.mark.parametrize("name", ['O\'Brien "Dan"', "100% 果汁_店", "back\\slash", "絵文字😀屋", "<b>太字</b>"])
    def test_a_hostile_name_is_kept_and_searched_as_it_is(self, crm: Crm, name: str) -> None:
        crm.keep_person(name, "080-0000-1223")

        assert [contact.name for contact in crm.connector.search(name)] == [name]

    # ── creating and adding ──────────────────────────────────────────────────────────────────────────────────────────

    def test_a_created_contact_is_found_when_they_ring_again(self, connector: Connector) -> None:
        made = connector.create_contact(ContactDraft("山本 さくら", SAKURA.e164, "ヤマモト サクラ"))

        assert only(connector.find_contacts(SAKURA)) == made
        assert (made.name, made.reading) == ("山本 さくら", "ヤマモト サクラ")

    def test_a_created_contact_works_for_the_company_named(self, connector: Connector) -> None:
        connector.create_contact(ContactDraft("高橋 美咲", TOKYO.e164, company="株式会社はやぶさ製作所"))
        connector.create_contact(ContactDraft("大野 健一", SAKURA.e164, company="株式会社はやぶさ製作所"))

        assert only(connector.find_contacts(SAKURA)).company == "株式会社はやぶさ製作所"
        assert only(connector.find_contacts(TOKYO)).company == "株式会社はやぶさ製作所"

    def test_a_number_added_is_found_and_adding_it_again_changes_nothing(self, crm: Crm) -> None:
        crm.keep_person("山本 さくら", "080-0000-1223")
        sakura = only(crm.connector.find_contacts(SAKURA))

        once = crm.connector.add_number(sakura, HOME)
        twice = crm.connector.add_number(once, HOME)

        assert only(crm.connector.find_contacts(HOME)) == once == twice
        assert len(twice.numbers) == 2

    def test_a_number_that_is_there_in_another_spelling_is_not_added(self, crm: Crm) -> None:
        crm.keep_person("山本 さくら", "０８０－００００－１２２３")
        sakura = only(crm.connector.find_contacts(SAKURA))

        assert crm.connector.add_number(sakura, SAKURA) == sakura

    # ── the call's log ───────────────────────────────────────────────────────────────────────────────────────────────

    def test_a_log_written_again_is_one_record_with_the_latest(self, crm: Crm) -> None:
        links = {crm.connector.write_call_log(log(subject=f"第{index}版")).id for index in range(10)}

        assert [kept.subject for kept in crm.logs("CA01")] == ["第9版"]
        assert len(links) == 1

    def test_a_log_written_by_eight_threads_at_once_is_one_record(self, crm: Crm) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda index: crm.connector.write_call_log(log(subject=f"第{index}版")), range(8)))

        assert len(crm.logs("CA01")) == 1

    def test_logs_of_two_calls_are_two_records(self, crm: Crm) -> None:
        crm.connector.write_call_log(log("CA01", subject="一本目"))
        crm.connector.write_call_log(log("CA02", subject="二本目"))

        assert [kept.subject for kept in crm.logs("CA01") + crm.logs("CA02")] == ["一本目", "二本目"]

    def test_a_log_belongs_to_its_contact_and_moves_with_the_agents_choice(self, crm: Crm) -> None:
        sakura = crm.keep_person("山本 さくら", "045-000-0210")
        daisuke = crm.keep_person("山本 大輔", "045-000-0210")
        both = {contact.id: contact for contact in crm.connector.find_contacts(HOME)}

        owners = []
        for contact in (None, both[sakura], both[daisuke]):
            crm.connector.write_call_log(log(contact=contact))
            owners.append([kept.contact_id for kept in crm.logs("CA01")])

        assert owners == [[None], [sakura], [daisuke]]

    def test_a_log_may_belong_to_a_company(self, crm: Crm) -> None:
        hayabusa = crm.keep_company("株式会社はやぶさ製作所", "03-2000-0110")

        crm.connector.write_call_log(log(contact=only(crm.connector.find_contacts(TOKYO))))

        assert [kept.contact_id for kept in crm.logs("CA01")] == [hayabusa]

    def test_a_log_shows_in_the_contacts_history(self, crm: Crm) -> None:
        crm.keep_person("山本 さくら", "080-0000-1223")
        sakura = only(crm.connector.find_contacts(SAKURA))

        crm.connector.write_call_log(log(contact=sakura, started_at=datetime.now(UTC) - timedelta(minutes=5)))

        assert "【着信】代表 3分12秒" in [item.title for item in crm.connector.recent_activity(sakura).history]

    @pytest.mark.parametrize(
        "body", ["長い話。" * 25_000, "改行\r\nと\tタブ", "絵文字😀", "'\"\\%_<b>&amp;"], ids=repr_short
    )
    def test_a_log_keeps_its_text_or_marks_the_cut(self, crm: Crm, body: str) -> None:
        crm.connector.write_call_log(log(body=body))

        kept = only_log(crm).body.replace("\r\n", "\n")
        whole = body.replace("\r\n", "\n")

        assert kept == whole or ("…" in kept[-40:] and kept.startswith(whole[:200]))

    @pytest.mark.parametrize("text", HOSTILE, ids=repr_short)
    def test_no_text_can_keep_a_log_out(self, crm: Crm, text: str) -> None:
        crm.connector.write_call_log(log(subject=text, body=text, note=text, agent_name=text))

        assert len(crm.logs("CA01")) == 1

    # ── the story ────────────────────────────────────────────────────────────────────────────────────────────────────

    def test_the_story_is_bounded_and_ordered(self, crm: Crm) -> None:
        sakura = crm.keep_person("山本 さくら", "080-0000-1223")
        crm.keep_story(sakura, 13)

        story = crm.connector.recent_activity(only(crm.connector.find_contacts(SAKURA)))

        past = [item.at for item in story.history if item.at]
        coming = [item.at for item in story.upcoming if item.at]
        now = datetime.now(UTC)
        assert (len(story.history), len(story.open), len(story.upcoming)) == (10, 10, 10)
        assert past == sorted(past, reverse=True)
        assert coming == sorted(coming)
        assert max(past) <= now <= min(coming)

    def test_somebody_without_a_story_has_an_empty_one(self, crm: Crm) -> None:
        crm.keep_person("山本 さくら", "080-0000-1223")

        story = crm.connector.recent_activity(only(crm.connector.find_contacts(SAKURA)))

        assert (story.history, story.open, story.upcoming) == ((), (), ())

    # ── going through everybody ──────────────────────────────────────────────────────────────────────────────────────

    def test_everybody_with_a_number_is_walked_past_once_with_all_numbers_as_typed(self, crm: Crm) -> None:
        walked = _walkable(crm)
        crm.in_pages_of(2)
        people = {crm.keep_person(f"鈴木 {index}郎", f"０８０ー００００ー{1000 + index}"): 1 for index in range(5)}
        people[crm.keep_person("山本 さくら", "080-0000-1223", "電話なし")] = 2
        firms = {crm.keep_company(f"株式会社はやぶさ{index}", f"03-2000-011{index}"): 1 for index in range(3)}
        crm.keep_person("無口 静", company="株式会社はやぶさ0")

        told = list(walked.walk())

        assert sorted(contact.id for contact in told) == sorted({**people, **firms})
        assert {contact.id: len(contact.numbers) for contact in told} == {**people, **firms}
        texts = {held.text for contact in told for held in contact.numbers}
        assert {"０８０ー００００ー1000", "電話なし", "03-2000-0110"} <= texts, "as typed, readable or not"
        assert all(contact.name for contact in told)

    def test_a_crm_without_contacts_is_walked_past_at_once(self, crm: Crm) -> None:
        assert list(_walkable(crm).walk()) == []

    def test_the_survey_tells_how_far_the_way_is(self, crm: Crm) -> None:
        walked = _walkable(crm)
        for index in range(5):
            crm.keep_person(f"鈴木 {index}郎", f"080-0000-{1000 + index}")

        assert walked.survey().contacts == 5

    def test_a_crm_that_breaks_off_on_the_way_never_looks_like_the_end(self, crm: Crm) -> None:
        walked = _walkable(crm)
        crm.in_pages_of(2)
        ids = {crm.keep_person(f"鈴木 {index}郎", f"080-0000-{1000 + index}") for index in range(7)}

        told = walked.walk()
        came = [next(told).id]
        with crm.broken(), pytest.raises(ConnectorError):
            came.extend(contact.id for contact in told)

        assert 1 <= len(set(came)) == len(came) < 7, "what came before is good, and it says how far it came"
        assert set(came) <= ids

    def test_what_it_says_it_finds_it_finds(self, crm: Crm) -> None:
        for text in (*SAKURA.spellings()[:12], *MESSY[SAKURA]):
            sakura = crm.keep_person("山本 さくら", text)
            told = [contact for contact in crm.connector.find_contacts(SAKURA) if contact.id == sakura]
            for contact in told:
                assert crm.connector.finds(SAKURA, contact.numbers[0]), f"{text} is found, and told as never found"

    # ── trouble ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def test_a_healthy_crm_has_no_error_to_report(self, crm: Crm) -> None:
        crm.keep_person("山本 さくら", "080-0000-1223")

        findings = crm.connector.check()

        assert findings
        assert all(finding.severity is not Severity.ERROR for finding in findings)
        assert all(finding.ja and finding.en for finding in findings)

    def test_a_crm_that_cannot_be_reached_is_reported_and_never_raised_by_check(self, crm: Crm) -> None:
        with crm.broken():
            assert Severity.ERROR in {finding.severity for finding in crm.connector.check()}

    @pytest.mark.parametrize("ask", ["find", "get", "search", "story", "create", "add", "log"])
    def test_every_failure_is_one_of_the_two_kinds(self, crm: Crm, ask: str) -> None:
        sakura = crm.keep_person("山本 さくら", "080-0000-1223")
        contact = only(crm.connector.find_contacts(SAKURA))
        questions: dict[str, Callable[[], object]] = {
            "find": lambda: crm.connector.find_contacts(HOME),
            "get": lambda: crm.connector.get_contact(sakura),
            "search": lambda: crm.connector.search("山本"),
            "story": lambda: crm.connector.recent_activity(contact),
            "create": lambda: crm.connector.create_contact(ContactDraft("鈴木 次郎", NOBODY.e164)),
            "add": lambda: crm.connector.add_number(contact, HOME),
            "log": lambda: crm.connector.write_call_log(log(contact=contact)),
        }

        with crm.broken(), pytest.raises(ConnectorError):
            questions[ask]()

    def test_eight_threads_ask_at_once_and_each_gets_its_own_answer(self, crm: Crm) -> None:
        numbers = [PhoneNumber(f"+81800000{2000 + index}") for index in range(8)]
        ids = [crm.keep_person(f"鈴木 {index}郎", number.display()) for index, number in enumerate(numbers)]

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(crm.connector.find_contacts, numbers * 4))

        assert [only(contacts).id for contacts in found] == ids * 4


def _walkable(crm: Crm) -> Connector:
    if not crm.connector.capabilities.walk:
        pytest.skip("This connector does not go through all contacts.")
    return crm.connector


def only_log(crm: Crm) -> KeptLog:
    [kept] = crm.logs("CA01")
    return kept
