"""The check-up: what is well, what is not, and the mend, in both languages."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta

import pytest

from cti_bridge.connector import Resources
from cti_bridge.connectors.salesforce import SalesforceConnector
from cti_bridge.model import Finding, Severity
from tests.connectors.salesforce.crm import KEY, SECRET, opened
from tests.fakes.salesforce import FakeOrg, Kind

JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")
ENGLISH = re.compile(r"([A-Za-z']{2,} ){4}")


def told(org: FakeOrg, **settings: str) -> dict[str, Finding]:
    """The gravest finding of each subject."""
    order = list(Severity)
    findings = sorted(opened(org, **settings).check(), key=lambda finding: order.index(finding.severity))
    return {finding.subject: finding for finding in findings}


def test_a_healthy_org_is_told_to_be_healthy_in_both_languages(org: FakeOrg) -> None:
    findings = opened(org).check()

    assert {finding.severity for finding in findings} <= {Severity.OK, Severity.WARNING}
    subjects = {finding.subject for finding in findings}
    assert {
        "sign-in",
        "api-version",
        "Contact",
        "Lead",
        "Account",
        "call-id",
        "status",
        "call-centre",
        "requests",
    } <= subjects
    in_one_language_each(findings)


def in_one_language_each(findings: list[Finding]) -> None:
    for finding in findings:
        assert JAPANESE.search(finding.ja), finding
        assert not JAPANESE.search(finding.en), finding
        assert not ENGLISH.search(finding.ja.partition(" Salesforce: ")[0]), finding


def test_a_wrong_secret_names_the_setting(org: FakeOrg) -> None:
    findings = opened(org, consumer_secret="wrong").check()

    assert [finding.severity for finding in findings] == [Severity.ERROR]
    assert "SALESFORCE_CONSUMER_SECRET" in findings[0].en
    in_one_language_each(findings)


@pytest.mark.parametrize("kind", [Kind.DOWN, Kind.DOWN_HTML, Kind.CUT, Kind.EXPIRED, Kind.LIMIT, Kind.BROKEN])
def test_trouble_of_any_kind_is_a_finding_and_never_raised(org: FakeOrg, kind: Kind) -> None:
    with org.trouble(kind):
        findings = opened(org).check()

    assert Severity.ERROR in {finding.severity for finding in findings}
    in_one_language_each(findings)


def test_an_org_without_the_interface_is_told(org: FakeOrg) -> None:
    org.api_enabled = False

    found = told(org)["salesforce"]
    assert "API Enabled" in found.en
    in_one_language_each([found])


def test_a_version_that_the_org_does_not_speak_yet_is_replaced_and_told(org: FakeOrg) -> None:
    org.versions = range(31, 67)
    connector = opened(org)
    finding = next(finding for finding in connector.check() if finding.subject == "api-version")

    assert finding.severity is Severity.WARNING
    assert "66.0" in finding.en
    assert connector.org.sf_version == "66.0"


def test_the_clock_is_compared_with_salesforces(org: FakeOrg) -> None:
    org.clock_skew = timedelta(minutes=7)
    found = told(org)

    assert found["clock"].severity is Severity.WARNING
    assert re.search(r"4[12]\d seconds", found["clock"].en)


def test_fields_and_objects_that_are_hidden_or_mistyped_are_each_named(org: FakeOrg) -> None:
    org.rights.hide_field("Contact", "MobilePhone")
    org.rights.hide_object("Lead")
    found = opened(
        org,
        phone_fields="Contact.Phone Contact.MobilePhone Shop__c.Tel__c",
        normalised_fields="Contact.Phone_E164__c",
        reading_fields="Contact.Kana__c",
        card_fields="Case.Rank__c",
        task_fields="line=Line__c",
    ).check()

    errors = " ".join(finding.en for finding in found if finding.severity is Severity.ERROR)
    for name in (
        "Contact.MobilePhone", "Shop__c", "Contact.Phone_E164__c", "Contact.Kana__c", "Case.Rank__c", "Task.Line__c",
    ):  # fmt: skip
        assert name in errors
    assert told(org)["Lead"].severity is Severity.WARNING


def test_a_field_of_the_wrong_type_is_told_and_logged_at_the_start(
    org: FakeOrg, caplog: pytest.LogCaptureFixture
) -> None:
    org.add_field("Activity", "Number__c", type="double", digits=8)
    org.add_field("Activity", "Seconds__c", type="double", digits=8)
    fields = "line=Number__c talk_seconds=Seconds__c note=Missing__c"
    errors = [finding for finding in opened(org, task_fields=fields).check() if finding.severity is Severity.ERROR]
    with caplog.at_level(logging.ERROR):
        opened(org, task_fields=fields).warm_up()

    assert [finding.subject for finding in errors] == ["SALESFORCE_TASK_FIELDS"] * 2
    assert "Number__c" in errors[0].en
    assert "line" in errors[0].ja
    assert "Missing__c" in errors[1].en
    assert ["Number__c" in caplog.text, "Missing__c" in caplog.text, "Seconds__c" in caplog.text] == [True, True, False]


def test_fields_of_task_that_stay_empty_are_told(org: FakeOrg) -> None:
    assert "Task" not in told(org)
    org.rights.lock_field("Task", "WhoId")
    org.rights.hide_field("Task", "Description")
    found = told(org)["Task"]

    assert found.severity is Severity.WARNING
    assert "WhoId, Description" in found.en
    assert "WhoId, Description" in found.ja


def test_no_right_to_make_companies_is_told_where_people_are_entered_with_theirs(org: FakeOrg) -> None:
    org.rights.forbid_create("Account")

    assert told(org)["Account"].severity is Severity.WARNING
    assert told(org, create="Lead")["Account"].severity is Severity.OK


def test_a_normalised_field_without_an_index_is_told(org: FakeOrg) -> None:
    org.add_field("Contact", "Phone_E164__c", length=20)

    assert "External ID" in told(org, normalised_fields="Contact.Phone_E164__c")["SALESFORCE_NORMALISED_FIELDS"].en


def test_missing_rights_to_write_are_told(org: FakeOrg) -> None:
    org.rights.forbid_create("Task")
    org.rights.forbid_create("Contact")
    found = told(org)

    assert found["Task"].severity is Severity.ERROR
    assert found["Contact"].severity is Severity.WARNING


def test_where_the_calls_id_goes_is_told(org: FakeOrg) -> None:
    assert "CallObject" in told(org)["call-id"].en
    org.add_field("Activity", "CTI_Call_SID__c", external_id=True, unique=False, length=34)
    assert told(org)["call-id"].severity is Severity.WARNING, "not unique"
    assert "CTI_Call_SID__c" in told(org)["call-id"].en
    assert "CallObject" in told(org, external_id_field="none")["call-id"].en
    assert told(org, external_id_field="Subject")["SALESFORCE_EXTERNAL_ID_FIELD"].severity is Severity.ERROR
    org.rights.hide_field("Task", "CallObject")
    assert told(org, external_id_field="none")["call-id"].severity is Severity.ERROR


def test_a_status_that_is_not_closed_or_not_there_is_told(org: FakeOrg) -> None:
    assert told(org, task_status="In Progress")["SALESFORCE_TASK_STATUS"].severity is Severity.WARNING
    assert told(org, task_status="Finished")["SALESFORCE_TASK_STATUS"].severity is Severity.ERROR
    assert told(org, task_status="Completed")["status"].severity is Severity.OK


def test_person_accounts_are_told() -> None:
    with FakeOrg(person_accounts=True) as org:
        org.connected_app(KEY, secret=SECRET)
        assert told(org)["person-accounts"].severity is Severity.OK


def test_which_surface_the_org_can_use_is_told_with_the_day_that_open_cti_ends(org: FakeOrg) -> None:
    settings = {
        "SALESFORCE_MY_DOMAIN": "acme",
        "SALESFORCE_CONSUMER_KEY": KEY,
        "SALESFORCE_CONSUMER_SECRET": SECRET,
        "SALESFORCE_INSTANCE_URL": org.url,
        "CTI_PUBLIC_URL": "https://cti.example.co.jp",
    }
    connector = SalesforceConnector.open(Resources(settings))

    def centre(now: datetime = datetime(2026, 11, 22, tzinfo=UTC)) -> Finding:
        return next(one for one in connector._checkup.findings(now) if one.subject == "call-centre")

    assert centre().severity is Severity.WARNING
    assert "28 February 2028" in centre().en
    assert "2028年2月28日" in centre().ja
    org.insert("CallCenter", Name="Another", AdapterUrl="https://other.example.co.jp/widgets/salesforce")
    assert centre().severity is Severity.WARNING
    ours = org.insert("CallCenter", Name="CTI Bridge", AdapterUrl="https://cti.example.co.jp/widgets/salesforce")
    assert centre().severity is Severity.OK
    org.update(ours, AdapterUrl="https://cti.example.co.jp/phone/widgets/salesforce")
    assert centre().severity is Severity.OK, "the bridge within somebody's Flask app"
    assert centre(datetime(2028, 3, 1, tzinfo=UTC)).severity is Severity.WARNING
    org.rights.hide_object("CallCenter")
    assert "Agentforce" in centre().en


def test_a_check_up_sees_what_was_just_mended(org: FakeOrg) -> None:
    org.rights.forbid_create("Task")
    connector = opened(org)
    before = {finding.subject for finding in connector.check() if finding.severity is Severity.ERROR}
    org.rights.no_create.clear()

    assert before == {"Task"}
    assert not [finding for finding in connector.check() if finding.severity is Severity.ERROR]


def test_a_budget_that_runs_out_is_told(org: FakeOrg) -> None:
    org.api_limit, org.api_calls = 1000, 850

    assert told(org)["requests"].severity is Severity.WARNING
