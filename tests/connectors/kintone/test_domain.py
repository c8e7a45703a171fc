"""The domain is everybody's: never more requests at once than set, a 429 stops us all, and a day's requests are counted."""

from __future__ import annotations

import logging
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from cti_bridge.connectors.kintone.budget import Budget
from cti_bridge.connectors.kintone.domain import LONGEST_PAUSE, Pause
from cti_bridge.connectors.kintone.problems import KintoneRefused, KintoneUnavailable, TooManyRequests
from cti_bridge.errors import ConnectorError, ConnectorRefused, ConnectorUnavailable, LookupSpared, StoreUnavailable
from cti_bridge.model import Usage
from cti_bridge.phone import PhoneNumber
from tests.connectors.kintone.company import KintoneCompany
from tests.contract import SAKURA, log, only
from tests.fakes.kintone import FakeDomain
from tests.fakes.kintone.trouble import Kind


class SharedTally:
    """What all processes of a bridge count together."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, date]] = Counter()

    def add(self, name: str, day: date, amount: int = 1) -> int:
        self.counts[name, day] += amount
        return self.counts[name, day]


class BrokenTally:
    def add(self, name: str, day: date, amount: int = 1) -> int:
        raise StoreUnavailable


# ── at once ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("setting", "processes", "most"), [("5", "1", 5), ("3", "1", 3), ("6", "3", 2)])
def test_fifty_rings_at_once_never_make_more_requests_at_once_than_set(
    domain: FakeDomain, setting: str, processes: str, most: int
) -> None:
    company = KintoneCompany(domain, {"KINTONE_MAX_CONCURRENCY": setting, "WEB_CONCURRENCY": processes})
    numbers = [PhoneNumber(f"+8180000030{index:02}") for index in range(50)]
    ids = [company.keep_person(f"鈴木 {index}", number.display()) for index, number in enumerate(numbers)]
    company.connector.warm_up()
    domain.forget()

    with domain.gate(path="records.json") as gate, ThreadPoolExecutor(50) as pool:
        rings = [pool.submit(company.connector.find_contacts, number) for number in numbers]
        gate.wait_for(most)  # as many as may, and they are held until here
        gate.open()
        found = [only(ring.result()).id for ring in rings]

    assert found == ids
    assert domain.most_running == most
    assert len(domain.requests()) == 100, "two customer apps, fifty rings"


def test_connections_are_kept_and_no_more_than_may_run_at_once(company: KintoneCompany) -> None:
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(company.connector.find_contacts, [SAKURA] * 100))

    assert company.domain.connections <= 5


def test_a_request_that_waits_too_long_for_its_turn_says_so(domain: FakeDomain) -> None:
    company = KintoneCompany(domain, {"KINTONE_MAX_CONCURRENCY": "1", "KINTONE_TIMEOUT_SECONDS": "0.5"})
    company.connector.warm_up()

    with domain.gate(path="record.json") as gate, ThreadPoolExecutor(2) as pool:
        first = pool.submit(company.connector.get_contact, f"{company.people.id}:1")
        gate.wait_for(1)
        slots = company.connector.apps.domain._slots
        assert not slots.acquire(blocking=False), "the only slot is taken while the first request is under way"
        with pytest.raises(ConnectorUnavailable):
            first.result()  # it timed out at the gate
        gate.open()
    assert slots.acquire(blocking=False), "a request that timed out gave its slot back"


# ── 429 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_429_stops_every_request_of_ours_for_a_while(company: KintoneCompany) -> None:
    company.connector.warm_up()
    company.domain.forget()

    with company.domain.trouble("too many requests", times=1), pytest.raises(TooManyRequests) as first:
        company.connector.get_contact(f"{company.people.id}:1")
    waits = []
    for ask in (
        lambda: company.connector.find_contacts(SAKURA),
        lambda: company.connector.search("山本"),
        lambda: company.connector.write_call_log(log()),
    ):
        with pytest.raises(ConnectorUnavailable) as caught:
            ask()
        waits.append(caught.value.retry_after)

    assert first.value.code == "GAIA_TO04"
    assert first.value.retry_after is not None
    assert all(wait is not None and timedelta(0) < wait <= timedelta(seconds=1) for wait in waits)
    assert len(company.domain.requests()) == 1, "while it pauses, kintone is asked nothing"


def test_a_domain_that_others_keep_busy_says_so_by_itself(company: KintoneCompany) -> None:
    company.connector.warm_up()
    company.domain.concurrency_limit = 0

    with pytest.raises(TooManyRequests, match="GAIA_TO04"):
        company.connector.get_contact(f"{company.people.id}:1")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_pause_doubles_while_it_goes_on_and_is_short_again_after_an_answer() -> None:
    clock = Clock()
    pause = Pause(clock)
    lengths = []
    for _ in range(8):
        lengths.append(pause.lengthen(clock.now, None))
        clock.now += lengths[-1]
    assert lengths == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE]

    pause.end(clock.now)
    clock.now += 1

    assert pause.lengthen(clock.now, None) == 1


def test_a_burst_of_refusals_counts_once_and_a_late_answer_from_before_ends_nothing() -> None:
    clock = Clock()
    pause = Pause(clock)
    left_at = clock.now
    clock.now += 0.5

    assert [pause.lengthen(left_at, None) for _ in range(5)] == [1, 1, 1, 1, 1]

    pause.end(left_at)
    assert pause.left() == 1
    clock.now += 1
    assert pause.lengthen(clock.now, None) == 2


def test_what_kintone_says_of_the_wait_counts_if_it_is_longer() -> None:
    clock = Clock()

    assert Pause(clock).lengthen(clock.now, 30) == 30
    assert Pause(clock).lengthen(clock.now, 0.1) == 1


# ── a day's requests ─────────────────────────────────────────────────────────────────────────────────────────────────


def limited(domain: FakeDomain, limit: int = 100, **resources: object) -> KintoneCompany:
    company = KintoneCompany(domain, {"KINTONE_DAILY_LIMIT": str(limit)})
    company.connector = company.open(**resources)
    return company


def test_near_the_daily_limit_customers_are_spared_and_logs_still_written(
    domain: FakeDomain, caplog: pytest.LogCaptureFixture
) -> None:
    company = limited(domain)
    contact = company.keep_person("山本 さくら", "080-0000-1223")
    with caplog.at_level(logging.WARNING):
        asked = [only(company.connector.find_contacts(SAKURA)) for _ in range(89)]  # and one request for the form
    with pytest.raises(LookupSpared):
        company.connector.find_contacts(SAKURA)
    company.connector.write_call_log(log(contact=asked[0]))

    assert len(company.domain.requests(company.people)) == 90
    assert [kept.contact_id for kept in company.logs("CA01")] == [contact]
    warned = [record.message for record in caplog.records if "kintone_daily_limit_near" in record.message]
    assert len(warned) == 2, f"one warning for each of two apps: {warned}"


def test_histories_are_spared_too_until_the_count_starts_again(domain: FakeDomain) -> None:
    company = limited(domain)
    company.keep_person("山本 さくら", "080-0000-1223")
    contact = only(company.connector.find_contacts(SAKURA))
    for _ in range(89):
        company.connector.recent_activity(contact)

    with pytest.raises(ConnectorUnavailable) as caught:
        company.connector.recent_activity(contact)

    assert caught.value.retry_after is not None
    assert timedelta(0) < caught.value.retry_after <= timedelta(days=1)


def test_all_processes_count_together(domain: FakeDomain) -> None:
    tally = SharedTally()
    company = limited(domain, tally=tally)
    other = company.open(tally=tally)

    for _ in range(44):  # each has asked for the form as well
        company.connector.find_contacts(SAKURA)
        other.find_contacts(SAKURA)

    with pytest.raises(LookupSpared):
        other.find_contacts(SAKURA)
    company.connector.find_contacts(SAKURA)  # a process learns of the others' requests with each of its own
    with pytest.raises(LookupSpared):
        company.connector.find_contacts(SAKURA)
    assert sum(tally.counts.values()) == len(domain.requests())


def test_a_count_that_cannot_be_kept_stops_nothing(domain: FakeDomain) -> None:
    company = limited(domain, tally=BrokenTally())

    assert company.connector.find_contacts(SAKURA) == []
    assert Usage(f"app_{company.people.id}_requests", 2, 100) in company.connector.usage()


def test_the_count_starts_again_at_nine_in_the_morning_of_japan() -> None:
    now = datetime(2026, 4, 1, 23, 59, tzinfo=UTC)
    budget = Budget(100, None, lambda: now)
    for _ in range(95):
        budget.count(12)
    assert (budget.nearly_used_up(12), budget.until_renewed()) == (True, timedelta(minutes=1))

    now += timedelta(minutes=1)  # 09:00 in Japan

    assert (budget.used(12), budget.nearly_used_up(12)) == (0, False)


def test_usage_tells_the_requests_and_the_concurrency_that_kintone_last_told(company: KintoneCompany) -> None:
    company.connector.find_contacts(SAKURA)

    usage = company.connector.usage()

    assert Usage(f"app_{company.people.id}_requests", 2, 10_000) in usage
    assert Usage("concurrent_requests", 1, 100) in usage or Usage("concurrent_requests", 2, 100) in usage


# ── what comes back ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        ("maintenance", KintoneUnavailable),
        ("bad gateway", KintoneUnavailable),
        ("internal error", KintoneUnavailable),
        ("database locked", KintoneUnavailable),
        ("record locked", KintoneUnavailable),
        ("too many requests", TooManyRequests),
        ("cut", KintoneUnavailable),
        ("half a body", KintoneUnavailable),
        ("empty body", KintoneUnavailable),
        ("incomplete", KintoneRefused),
    ],
)
def test_whatever_comes_back_is_told_apart(company: KintoneCompany, trouble: Kind, kind: type[Exception]) -> None:
    company.connector.warm_up()

    with company.domain.trouble(trouble, path="records.json"), pytest.raises(kind):
        company.connector.search("山本")


def test_an_error_without_an_id_is_still_kintones_error(company: KintoneCompany) -> None:
    company.people.remove_field("携帯電話")
    client = company.connector.apps.client(company.connector.apps.mapping.customers[0])

    with company.domain.trouble("no id"), pytest.raises(KintoneRefused) as caught:
        client.find('携帯電話 in ("1")')

    assert (caught.value.status, caught.value.code) == (400, "GAIA_IQ11")


def test_a_kintone_that_does_not_answer_is_given_up_after_the_time_out(domain: FakeDomain) -> None:
    company = KintoneCompany(domain, {"KINTONE_TIMEOUT_SECONDS": "0.5"})
    company.connector.warm_up()

    with domain.trouble("hang", path="records.json"), pytest.raises(KintoneUnavailable, match="ReadTimeout"):
        company.connector.search("山本")


def test_kintones_own_words_are_in_the_language_of_the_bridge(company: KintoneCompany) -> None:
    english = company.open(language="en")
    company.environment["TOKEN_PEOPLE"] = "wrong"
    words = []
    for connector in (company.open(), company.open(language="en")):
        with pytest.raises(ConnectorRefused) as caught:
            connector.find_contacts(SAKURA)
        words.append(str(caught.value))

    assert english.find_contacts(SAKURA) == []
    assert "一致しません" in words[0]
    assert "does not match" in words[1]


def test_no_error_tells_a_token_or_a_number(company: KintoneCompany) -> None:
    company.connector.warm_up()
    said = []
    troubles: tuple[Kind, ...] = ("maintenance", "internal error", "cut", "incomplete", "too many requests")
    for trouble in troubles:
        with company.domain.trouble(trouble), pytest.raises(ConnectorError) as caught:
            company.connector.find_contacts(SAKURA)
        said.append(f"{caught.value!r} {caught.value.__cause__!r}")

    assert not any(company.environment["TOKEN_PEOPLE"] in text or "1223" in text for text in said), said


def test_basic_authentication_is_passed_where_the_domain_asks_for_it(domain: FakeDomain) -> None:
    domain.basic = ("受付", "ひみつ")
    company = KintoneCompany(domain)
    with pytest.raises(ConnectorRefused, match="KINTONE_BASIC_AUTH"):
        company.connector.find_contacts(SAKURA)

    company.environment["KINTONE_BASIC_AUTH"] = "受付:ひみつ"

    assert company.open().find_contacts(SAKURA) == []


def test_after_a_fork_a_process_has_connections_and_threads_of_its_own(
    company: KintoneCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.keep_person("山本 さくら", "080-0000-1223")
    company.connector.find_contacts(SAKURA)
    before = company.domain.connections
    parent = os.getpid()

    monkeypatch.setattr(os, "getpid", lambda: parent + 1)

    assert len(company.connector.find_contacts(SAKURA)) == 1
    assert company.domain.connections > before, "the parent's connections were used by its child"
