"""The call's log in Salesforce: one Task whatever happens on the way, complete, and on the right record."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cti_bridge.connectors.salesforce import SalesforceConnector
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable
from cti_bridge.model import Contact, ContactKind, Direction, Outcome, RelatedRecord
from tests.connectors.salesforce.crm import opened
from tests.connectors.salesforce.test_lookup import requests_counted, warm
from tests.contract import SAKURA, TOKYO, log, only
from tests.fakes.salesforce import FakeOrg, Kind

BODY = "エアコンの清掃について。\n折り返し希望。"


def call_id_field(org: FakeOrg, **more: Any) -> None:
    org.add_field("Activity", "CTI_Call_SID__c", **{"external_id": True, "unique": True, "length": 34, **more})


def task(org: FakeOrg) -> dict[str, Any]:
    [row] = org.rows("Task")
    return row


@pytest.fixture
def sakura(org: FakeOrg) -> str:
    return org.insert("Contact", LastName="山本", FirstName="さくら", Phone="080-0000-1223")


def contact(record_id: str, kind: ContactKind = ContactKind.PERSON) -> Contact:
    return Contact(record_id, kind, "山本 さくら")


# ── how many requests, how many Tasks ────────────────────────────────────────────────────────────────────────────────


def test_a_log_is_one_request_with_an_external_id(org: FakeOrg, sakura: str) -> None:
    call_id_field(org)
    connector = warm(org)
    connector.write_call_log(log("CA00"))  # the agent is known from now on
    for version in range(3):
        with requests_counted(org, 1):
            connector.write_call_log(log(contact=contact(sakura), subject=f"第{version}版"))

    assert [row["Subject"] for row in org.rows("Task") if row["CTI_Call_SID__c"] == "CA01"] == ["第2版"]
    assert {row["TaskSubtype"] for row in org.rows("Task")} == {"Call"}


def test_a_log_is_two_requests_without_one(org: FakeOrg, sakura: str) -> None:
    connector = warm(org)
    connector.write_call_log(log("CA00"))
    for _ in range(3):
        with requests_counted(org, 2):
            connector.write_call_log(log(contact=contact(sakura)))

    assert len([row for row in org.rows("Task") if row["CallObject"] == "CA01"]) == 1


def test_another_process_may_write_the_same_log_again(org: FakeOrg) -> None:
    """It does not know that the Task is there, and offers a subtype, which only a new Task may have."""
    call_id_field(org)
    first = opened(org).write_call_log(log(subject="一回目"))
    second = opened(org).write_call_log(log(subject="二回目"))

    assert first == second
    assert task(org)["Subject"] == "二回目"


@pytest.mark.parametrize("external_id", [True, False], ids=["external id", "CallObject"])
@pytest.mark.parametrize("trouble", [Kind.CUT_AFTER, Kind.HOLD_AFTER], ids=["cut", "timed out"])
def test_a_write_whose_answer_was_lost_leaves_one_task(org: FakeOrg, external_id: bool, trouble: Kind) -> None:
    if external_id:
        call_id_field(org)
    connector = warm(org, timeout_seconds="0.5")
    path = "/sobjects/Task"
    with org.trouble(trouble, times=1, path=path) as lost, pytest.raises(ConnectorUnavailable):
        connector.write_call_log(log(subject="一回目"))
    assert lost.hits == 1
    assert len(org.rows("Task")) == 1, "it was committed before the answer was lost"

    connector.write_call_log(log(subject="二回目"))

    assert task(org)["Subject"] == "二回目"


def test_a_task_that_salesforce_may_still_be_making_is_not_made_again_at_once(org: FakeOrg) -> None:
    connector = warm(org, timeout_seconds="0.5")
    with (
        org.trouble(Kind.HOLD, times=1, method="POST", path="/sobjects/Task"),
        pytest.raises(ConnectorUnavailable) as told,
    ):
        connector.write_call_log(log())

    assert told.value.retry_after == timedelta(minutes=1)


def test_an_external_id_too_short_for_a_call_is_not_used(org: FakeOrg) -> None:
    call_id_field(org, length=18)
    whole = "CA" + "0" * 32
    warm(org).write_call_log(log(whole))

    assert (task(org)["CallObject"], task(org)["CTI_Call_SID__c"]) == (whole, None)


def test_sixteen_threads_write_one_task(org: FakeOrg) -> None:
    connector = warm(org)
    with ThreadPoolExecutor(16) as pool:
        links = set(pool.map(lambda _: connector.write_call_log(log()).id, range(16)))

    assert links == {task(org)["Id"]}


def test_an_external_id_that_is_not_unique_and_doubled_by_hand_is_written_once(org: FakeOrg) -> None:
    call_id_field(org, unique=False)
    connector = warm(org)
    first = connector.write_call_log(log())
    org.insert("Task", Subject="写し", Status="Completed", CTI_Call_SID__c="CA01")

    link = connector.write_call_log(log(subject="次の版"))

    assert len(org.rows("Task")) == 2
    assert [row["Subject"] for row in org.rows("Task") if row["Id"] == link.id] == ["次の版"]
    assert first.url == f"https://acme.lightning.force.com/lightning/r/Task/{first.id}/view"


def test_a_task_that_somebody_deleted_is_written_anew(org: FakeOrg) -> None:
    connector = warm(org)
    org.delete(connector.write_call_log(log()).id)

    connector.write_call_log(log())

    assert len(org.rows("Task")) == 1


# ── what stands in it ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_log_says_all_of_the_call(org: FakeOrg, sakura: str) -> None:
    connector = warm(org)
    recording = "https://cti.example.co.jp/recordings/CA01"
    connector.write_call_log(log(contact=contact(sakura), disposition="再コール", recording_url=recording))
    written = task(org)

    assert written["WhoId"] == sakura
    assert (written["Status"], written["Priority"], written["TaskSubtype"]) == ("Completed", "Normal", "Call")
    assert (written["CallType"], written["CallDurationInSeconds"]) == ("Inbound", 192)
    assert (written["CallDisposition"], written["CallObject"]) == ("再コール", "CA01")
    assert written["Description"].startswith(BODY)
    assert recording in written["Description"]
    assert written["Description"].endswith("CA01")
    assert org.row(written["OwnerId"])["Username"] == "hanako@acme.example"


@pytest.mark.parametrize(
    ("outcome", "direction", "kept", "call_type"),
    [
        (Outcome.MISSED, Direction.INBOUND, "不在着信", "Inbound"),
        (Outcome.BUSY, Direction.OUTBOUND, "話し中", "Outbound"),
        (Outcome.ANSWERED, Direction.OUTBOUND, "応答", "Outbound"),
    ],
)
def test_without_a_disposition_the_outcome_is_the_result(
    org: FakeOrg, outcome: Outcome, direction: Direction, kept: str, call_type: str
) -> None:
    warm(org).write_call_log(log(outcome=outcome, direction=direction))

    assert (task(org)["CallDisposition"], task(org)["CallType"]) == (kept, call_type)


@pytest.mark.parametrize(("zone", "day"), [("Asia/Tokyo", "2026-04-02"), ("America/Los_Angeles", "2026-04-01")])
def test_the_day_is_that_of_the_agents_time_zone(org: FakeOrg, zone: str, day: str) -> None:
    org.user("taro@acme.example", Email="taro@example.com", TimeZoneSidKey=zone)
    late = datetime(2026, 4, 1, 15, 30, tzinfo=UTC)
    warm(org).write_call_log(log(agent_email="Taro@example.com", started_at=late))

    assert task(org)["ActivityDate"] == day


def test_an_agent_whom_nobody_knows_leaves_the_log_to_the_bridges_user(org: FakeOrg) -> None:
    connector = warm(org)
    connector.write_call_log(log(agent_email="nobody@example.com"))

    assert org.row(task(org)["OwnerId"])["Username"] == "bridge@acme.example"
    assert task(org)["ActivityDate"] == "2026-04-01"


def test_an_agent_is_mapped_by_setting_to_a_user_name_or_an_id(org: FakeOrg) -> None:
    taro = org.user("taro@acme.example")
    hanako = next(row["Id"] for row in org.rows("User") if row["Username"] == "hanako@acme.example")
    connector = warm(org, agent_map=f"t@example.com=taro@acme.example H@example.com={hanako}")
    connector.write_call_log(log("CA01", agent_email="t@example.com"))
    connector.write_call_log(log("CA02", agent_email="h@example.com"))

    assert [row["OwnerId"] for row in org.rows("Task")] == [taro, hanako]


def test_a_user_name_is_found_however_it_is_written_in_the_map(org: FakeOrg) -> None:
    taro = org.user("taro@acme.example")
    org.user("other@acme.example", Email="taro@acme.example")
    warm(org, agent_map="t@example.com=Taro@Acme.example").write_call_log(log(agent_email="t@example.com"))

    assert task(org)["OwnerId"] == taro


def test_an_e_mail_of_several_users_is_nobodys(org: FakeOrg) -> None:
    for name in ("a@acme.example", "b@acme.example"):
        org.user(name, Email="shared@example.com")
    warm(org).write_call_log(log(agent_email="shared@example.com"))

    assert org.row(task(org)["OwnerId"])["Username"] == "bridge@acme.example"


def test_who_has_left_the_company_does_not_hide_who_came_after(org: FakeOrg) -> None:
    org.user("desk.old@acme.example", Email="desk@example.com", IsActive=False)
    now = org.user("desk@acme.example", Email="desk@example.com")
    warm(org).write_call_log(log(agent_email="desk@example.com"))

    assert task(org)["OwnerId"] == now


@pytest.mark.parametrize("email", ["o'brien@example.com", "' OR Name != '", "\\@example.com"])
def test_an_agents_e_mail_is_text(org: FakeOrg, email: str) -> None:
    warm(org).write_call_log(log(agent_email=email))

    assert org.row(task(org)["OwnerId"])["Username"] == "bridge@acme.example"


def test_a_text_too_long_is_cut_before_recording_and_call(org: FakeOrg) -> None:
    recording = "https://cti.example.co.jp/recordings/CA01"
    warm(org).write_call_log(log(subject="件" * 300, body="長い話😀。\n" * 10_000, recording_url=recording))
    written = task(org)

    assert written["Subject"] == "件" * 254 + "…"
    assert "…\n\n―― CTI Bridge" in written["Description"]
    assert recording in written["Description"]
    assert written["Description"].endswith("CA01")


def test_the_orgs_own_fields_get_what_is_mapped_to_them(org: FakeOrg) -> None:
    org.add_field("Activity", "Line__c", length=4)
    org.add_field("Activity", "Result__c", type="picklist", picklist=("再コール", "完了"), restricted=True)
    org.add_field("Activity", "Other__c", type="picklist", picklist=("別の値",), restricted=True)
    org.add_field("Activity", "Started__c", type="datetime")
    org.add_field("Activity", "Day__c", type="date")
    org.add_field("Activity", "Talk__c", type="double", digits=8)
    fields = (
        "line=Line__c disposition=Result__c outcome=Other__c started_at=Started__c ended_at=Day__c "
        "talk_seconds=Talk__c note=Missing__c"
    )
    warm(org, task_fields=fields).write_call_log(log(line_name="お客様相談室", disposition="再コール"))
    written = task(org)

    assert (written["Line__c"], written["Result__c"], written["Talk__c"]) == ("お客様…", "再コール", 192.0)
    assert written["Other__c"] is None, "a value that the picklist does not offer is left out, not forced in"
    assert written["Started__c"].startswith("2026-04-01T01:30:00")
    assert written["Day__c"] == "2026-04-01"


def test_a_day_of_the_orgs_own_is_that_of_the_agents_time_zone(org: FakeOrg) -> None:
    org.add_field("Activity", "Day__c", type="date")
    early = datetime(2026, 4, 1, 22, 30, tzinfo=UTC)
    warm(org, task_fields="started_at=Day__c").write_call_log(log(started_at=early))

    assert (task(org)["Day__c"], task(org)["ActivityDate"]) == ("2026-04-02", "2026-04-02")


@pytest.mark.parametrize("kind", ["double", "boolean", "date", "multipicklist", "email"])
def test_a_field_that_cannot_hold_what_is_mapped_to_it_does_not_keep_the_log_out(org: FakeOrg, kind: str) -> None:
    more: dict[str, Any] = {"picklist": ("別の値",), "restricted": True} if kind == "multipicklist" else {}
    org.add_field("Activity", "Odd__c", type=kind, **more)
    warm(org, task_fields="line=Odd__c").write_call_log(log())

    assert not task(org)["Odd__c"]


def test_the_closed_status_is_the_orgs_own(org: FakeOrg) -> None:
    org.set_task_statuses(("未着手", False), ("対応済み", True), ("完了", True))
    warm(org).write_call_log(log("CA01"))
    warm(org, task_status="完了").write_call_log(log("CA02"))

    assert [row["Status"] for row in org.rows("Task")] == ["対応済み", "完了"]


def test_a_field_that_we_may_not_write_is_left_out(org: FakeOrg) -> None:
    org.rights.lock_field("Task", "CallDisposition")
    org.rights.hide_field("Task", "Priority")
    warm(org).write_call_log(log())

    assert task(org)["CallDisposition"] is None


# ── where it hangs ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_log_hangs_on_the_person_and_on_the_related_record(org: FakeOrg, sakura: str) -> None:
    case = org.insert("Case", Subject="故障", ContactId=sakura)
    warm(org).write_call_log(log(contact=contact(sakura), related=RelatedRecord(case, "00001 故障")))

    assert (task(org)["WhoId"], task(org)["WhatId"]) == (sakura, case)


def test_a_lead_never_has_a_related_record_so_the_text_names_it(org: FakeOrg) -> None:
    lead = org.insert("Lead", LastName="大野", Company="大野商店")
    case = org.insert("Case", Subject="故障")
    warm(org).write_call_log(log(contact=contact(lead), related=RelatedRecord(case, "00001 故障")))

    assert (task(org)["WhoId"], task(org)["WhatId"]) == (lead, None)
    assert "00001 故障" in task(org)["Description"]
    assert case in task(org)["Description"]


@pytest.mark.parametrize("gone", ["who", "what", "owner", "all"])
@pytest.mark.parametrize("external_id", [True, False], ids=["external id", "CallObject"])
def test_a_record_that_is_gone_does_not_keep_the_log_out(
    org: FakeOrg, sakura: str, gone: str, external_id: bool
) -> None:
    if external_id:
        call_id_field(org)
    case = org.insert("Case", Subject="故障")
    connector = warm(org)
    connector.write_call_log(log("CA00"))
    hanako = next(row["Id"] for row in org.rows("User") if row["Username"] == "hanako@acme.example")
    if gone in ("who", "all"):
        org.delete(sakura)
    if gone in ("what", "all"):
        org.delete(case)
    if gone in ("owner", "all"):
        org.update(hanako, IsActive=False)

    connector.write_call_log(log(contact=contact(sakura), related=RelatedRecord(case, "故障")))

    written = next(row for row in org.rows("Task") if row["CallObject"] == "CA01")
    assert written["WhoId"] == (None if gone in ("who", "all") else sakura)
    assert written["WhatId"] == (None if gone in ("what", "all") else case)
    assert (sakura in written["Description"]) == (gone in ("who", "all"))
    assert (case in written["Description"]) == (gone in ("what", "all"))
    assert (written["OwnerId"] == hanako) == (gone not in ("owner", "all"))


def test_what_an_administrator_must_mend_is_refused_with_salesforces_words(org: FakeOrg) -> None:
    org.add_field("Activity", "Required__c", nillable=False)
    with pytest.raises(ConnectorRefused, match="Required__c") as told:
        warm(org).write_call_log(log())

    assert told.value.code == "REQUIRED_FIELD_MISSING"


def test_no_right_to_tasks_is_told_in_plain_words(org: FakeOrg) -> None:
    org.rights.hide_object("Task")
    with pytest.raises(ConnectorRefused, match="ToDo"):
        opened(org).write_call_log(log())


def test_no_right_to_any_field_for_the_call_id_is_told_in_plain_words(org: FakeOrg) -> None:
    org.rights.hide_field("Task", "CallObject")
    with pytest.raises(ConnectorRefused, match="CallObject"):
        opened(org).write_call_log(log())


def test_a_locked_row_is_tried_again_later(org: FakeOrg) -> None:
    connector = warm(org)
    with org.trouble(Kind.LOCKED, method="POST", path="/sobjects/Task"), pytest.raises(ConnectorUnavailable):
        connector.write_call_log(log())

    connector.write_call_log(log())
    assert len(org.rows("Task")) == 1


def test_a_log_found_by_number_and_told_again_moves_with_its_contact(org: FakeOrg) -> None:
    connector: SalesforceConnector = warm(org)
    company = org.insert("Account", Name="はやぶさ", Phone="03-2000-0110")
    person = org.insert("Contact", LastName="高橋", Phone="080-0000-1223")
    for number in (TOKYO, SAKURA):
        connector.write_call_log(log(contact=only(connector.find_contacts(number))))
        places = (task(org)["WhoId"], task(org)["WhatId"])
        assert places == ((None, company) if number is TOKYO else (person, None))

    connector.write_call_log(replace(log(), talk_time=timedelta(minutes=5)))
    assert (task(org)["WhoId"], task(org)["WhatId"]) == (None, None)
