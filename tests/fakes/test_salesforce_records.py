"""Records in the fake org: written, refused, upserted; rights, duplicate rules and what Salesforce computes itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from simple_salesforce.api import Salesforce

from tests.fakes.salesforce import FakeOrg, session_to
from tests.fakes.salesforce.asking import ask, codes, records
from tests.fakes.salesforce.ids import make_id

V = "/services/data/v66.0"


@pytest.fixture
def org() -> Iterator[FakeOrg]:
    with FakeOrg() as org:
        org.connected_app("key", secret="secret")
        yield org


@pytest.fixture
def sf(org: FakeOrg) -> Iterator[Salesforce]:
    with session_to(org.url) as session:
        yield Salesforce(
            consumer_key="key", consumer_secret="secret", domain="acme.my", session=session, version="66.0"
        )


# ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_record_is_made_read_changed_and_deleted(org: FakeOrg, sf: Salesforce) -> None:
    made = records(sf, "Contact").create({"LastName": "山田", "FirstName": "太郎", "Phone": " 03-1234-5678 "})
    assert made["success"] is True
    got = records(sf, "Contact").get(made["id"])
    assert (got["Name"], got["Phone"], got["attributes"]["type"]) == ("山田 太郎", "03-1234-5678", "Contact")
    assert records(sf, "Contact").update(made["id"][:15], {"Phone": None}) == 204
    assert org.row(made["id"])["Phone"] is None
    assert records(sf, "Contact").delete(made["id"]) == 204
    assert codes(ask(org, "GET", f"{V}/sobjects/Contact/{made['id']}")) == (404, "ENTITY_IS_DELETED")
    assert sf.query(f"SELECT Id FROM Contact WHERE Id = '{made['id']}'")["totalSize"] == 0
    assert sf.query("SELECT Id FROM Contact", include_deleted=True)["totalSize"] == 1


def test_names_are_ordered_as_the_locale_wants() -> None:
    with FakeOrg(locale="en_US") as org:
        assert org.row(org.insert("Contact", LastName="Smith", FirstName="Ann"))["Name"] == "Ann Smith"


@pytest.mark.parametrize(
    ("sobject", "body", "code"),
    [
        ("Contact", {"FirstName": "太郎"}, "REQUIRED_FIELD_MISSING"),
        ("Lead", {"LastName": "山田"}, "REQUIRED_FIELD_MISSING"),
        ("Contact", {"LastName": "山田", "Phone": "0" * 41}, "STRING_TOO_LONG"),
        ("Contact", {"LastName": "😀" * 41}, "STRING_TOO_LONG"),
        ("Contact", {"LastName": "山田", "Nickname": "x"}, "INVALID_FIELD"),
        ("Contact", {"LastName": "山田", "Id": "003000000000001"}, "INVALID_FIELD"),
        ("Contact", {"LastName": "山田", "Name": "x"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("Contact", {"LastName": "山田", "Email": "nobody"}, "INVALID_EMAIL_ADDRESS"),
        ("Contact", {"LastName": "山田", "AccountId": "001"}, "MALFORMED_ID"),
        ("Contact", {"LastName": "山田", "AccountId": make_id("001", 9)}, "INVALID_CROSS_REFERENCE_KEY"),
        ("Contact", {"LastName": {"a": 1}}, "JSON_PARSER_ERROR"),
        ("Contact", ["no", "object"], "JSON_PARSER_ERROR"),
        ("Task", {"CallType": "Sideways"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Task", {"AccountId": make_id("001", 1)}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("Task", {"CallDurationInSeconds": "long"}, "JSON_PARSER_ERROR"),
        ("Task", {"CallDurationInSeconds": 10**8}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Task", {"ActivityDate": "soon"}, "JSON_PARSER_ERROR"),
        ("Task", {"WhoId": make_id("005", 1)}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Task", {"Description": "x" * 32_001}, "STRING_TOO_LONG"),
        ("Opportunity", {"Name": "x"}, "REQUIRED_FIELD_MISSING"),
    ],
)
def test_a_bad_record_is_refused_in_salesforces_words(org: FakeOrg, sobject: str, body: object, code: str) -> None:
    answer = ask(org, "POST", f"{V}/sobjects/{sobject}", json=body)
    assert codes(answer) == (400, code), answer.text
    assert org.rows(sobject) == []


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/sobjects/Contact/nonsense", 400, "MALFORMED_ID"),
        ("GET", f"/sobjects/Contact/{make_id('001', 1)}", 400, "MALFORMED_ID"),
        ("GET", f"/sobjects/Contact/{make_id('003', 99)}", 404, "NOT_FOUND"),
        ("PUT", "/sobjects/Contact", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/sobjects/Nothing__c", 404, "NOT_FOUND"),
        ("GET", "/sobjects/Contact/LastName/x", 404, "NOT_FOUND"),
        ("GET", "/query/0r8nothing-2000", 400, "INVALID_QUERY_LOCATOR"),
        ("GET", "/nothing", 404, "NOT_FOUND"),
    ],
)
def test_a_wrong_address_is_refused(org: FakeOrg, method: str, path: str, status: int, code: str) -> None:
    assert codes(ask(org, method, V + path)) == (status, code)


def test_rights_that_are_missing_refuse_writes(org: FakeOrg) -> None:
    contact = org.insert("Contact", LastName="山田")
    org.rights.forbid_create("Task")
    org.rights.forbid_update("Contact")
    org.rights.lock_field("Lead", "Phone")
    forbidden = (403, "INSUFFICIENT_ACCESS_OR_READONLY")
    assert codes(ask(org, "POST", V + "/sobjects/Task", json={})) == forbidden
    assert codes(ask(org, "PATCH", f"{V}/sobjects/Contact/{contact}", json={"Phone": "1"})) == forbidden
    lead = {"LastName": "山田", "Company": "Acme", "Phone": "1"}
    assert codes(ask(org, "POST", V + "/sobjects/Lead", json=lead)) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    fields = ask(org, "GET", V + "/sobjects/Task/describe").json()["fields"]
    assert not any(field["createable"] for field in fields)


def test_a_tasks_account_comes_from_what_or_who(org: FakeOrg, sf: Salesforce) -> None:
    ours, theirs = org.insert("Account", Name="Acme"), org.insert("Account", Name="Beta")
    deal = org.insert("Opportunity", Name="Big", StageName="Prospecting", CloseDate="2026-12-01", AccountId=theirs)
    case = org.insert("Case", Subject="Broken")
    contact = org.insert("Contact", LastName="山田", AccountId=ours)
    for body, account in [
        ({"WhoId": contact}, ours),
        ({"WhoId": contact, "WhatId": deal}, theirs),
        ({"WhoId": contact, "WhatId": case}, ours),
        ({"WhatId": theirs}, theirs),
        ({}, None),
    ]:
        made = records(sf, "Task").create({"Subject": "電話", **body})["id"]
        assert org.row(made)["AccountId"] == account


def test_a_leads_task_has_no_related_record(org: FakeOrg) -> None:
    lead = org.insert("Lead", LastName="鈴木", Company="Acme")
    account = org.insert("Account", Name="Acme")
    task = ask(org, "POST", V + "/sobjects/Task", json={"WhoId": lead}).json()["id"]
    refused = ask(org, "POST", V + "/sobjects/Task", json={"WhoId": lead, "WhatId": account})
    assert codes(refused) == (400, "FIELD_INTEGRITY_EXCEPTION")
    assert refused.json()[0]["fields"] == ["WhoId", "WhatId"]
    later = ask(org, "PATCH", f"{V}/sobjects/Task/{task}", json={"WhatId": account})
    assert codes(later) == (400, "FIELD_INTEGRITY_EXCEPTION")


def test_a_closed_task_knows_when_and_its_subtype_stays(org: FakeOrg, sf: Salesforce) -> None:
    org.set_task_statuses(("未着手", False), ("完了", True))
    contact = org.insert("Contact", LastName="山田")
    body = {"WhoId": contact, "TaskSubtype": "Call", "Status": "完了", "ActivityDate": "2026-11-22"}
    made = records(sf, "Task").create(body)["id"]
    task = org.row(made)
    assert (task["IsClosed"], task["TaskSubtype"], task["Priority"]) == (True, "Call", "Normal")
    assert task["CompletedDateTime"] is not None
    assert org.row(contact)["LastActivityDate"] == "2026-11-22"
    assert codes(ask(org, "PATCH", f"{V}/sobjects/Task/{made}", json={"TaskSubtype": "Task"}))[1] == (
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    )


def test_an_inactive_user_can_own_nothing(org: FakeOrg) -> None:
    gone = org.user("gone@acme.example", IsActive=False)
    assert codes(ask(org, "POST", V + "/sobjects/Task", json={"OwnerId": gone}))[1] == "INACTIVE_OWNER_OR_USER"


@pytest.mark.parametrize(("version", "created", "updated"), [("66.0", True, 200), ("45.0", None, 204)])
def test_an_upsert_creates_once_then_updates(org: FakeOrg, version: str, created: bool | None, updated: int) -> None:
    org.add_field("Task", "CTI_Call_SID__c", external_id=True, unique=True, length=34)
    path = f"/services/data/v{version}/sobjects/Task/CTI_Call_SID__c/CA1%2F2"
    first = ask(org, "PATCH", path, json={"Subject": "one"})
    assert (first.status_code, first.json()["success"], first.json().get("created")) == (201, True, created)
    second = ask(org, "PATCH", path, json={"Subject": "two"})
    assert second.status_code == updated
    assert [(row["CTI_Call_SID__c"], row["Subject"]) for row in org.rows("Task")] == [("CA1/2", "two")]
    assert ask(org, "GET", path.replace("CA1", "ca1")).json()["Subject"] == "two", "external ids count no case"


def test_sixteen_upserts_at_once_leave_one_record(org: FakeOrg, sf: Salesforce) -> None:
    org.add_field("Task", "CTI_Call_SID__c", external_id=True, unique=True, length=34)
    barrier = threading.Barrier(16)
    statuses: list[int] = []

    def upsert() -> None:
        barrier.wait()
        statuses.append(records(sf, "Task").upsert("CTI_Call_SID__c/CA1", {"Subject": "call"}))

    threads = [threading.Thread(target=upsert) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 15 + [201]
    assert len(org.rows("Task")) == 1


def test_an_external_id_that_two_records_carry_answers_300(org: FakeOrg) -> None:
    org.add_field("Contact", "Code__c", external_id=True)
    ids = [org.insert("Contact", LastName=name, Code__c="A1") for name in ("一", "二")]
    answer = ask(org, "PATCH", V + "/sobjects/Contact/Code__c/A1", json={"Phone": "1"})
    assert (answer.status_code, answer.json()) == (300, [f"{V}/sobjects/Contact/{one}" for one in ids])


def test_the_external_id_itself_may_not_stand_in_the_body(org: FakeOrg) -> None:
    org.add_field("Contact", "Code__c", external_id=True)
    answer = ask(org, "PATCH", V + "/sobjects/Contact/Code__c/A1", json={"LastName": "山", "Code__c": "A1"})
    assert codes(answer) == (400, "INVALID_FIELD")


def test_a_unique_value_is_taken_once(org: FakeOrg, sf: Salesforce) -> None:
    org.add_field("Activity", "CTI_Call_SID__c", external_id=True, unique=True, length=34)
    held = records(sf, "Task").create({"CTI_Call_SID__c": "CA1"})["id"]
    answer = ask(org, "POST", V + "/sobjects/Task", json={"CTI_Call_SID__c": "ca1"})
    assert codes(answer) == (400, "DUPLICATE_VALUE")
    assert held in answer.json()[0]["message"]
    assert records(sf, "Task").update(held, {"CTI_Call_SID__c": "CA1"}) == 204, "a record is no duplicate of itself"


def test_a_duplicate_rule_alerts_and_can_be_overruled_a_block_cannot(org: FakeOrg) -> None:
    org.duplicate_rule("Contact", "LastName", "Phone")
    org.duplicate_rule("Lead", "LastName", alert=False)
    held = org.insert("Contact", LastName="山田", Phone="03-1234-5678")
    org.insert("Lead", LastName="鈴木", Company="Acme")
    twin, anyway = {"LastName": "山田", "Phone": "03-1234-5678"}, {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    refused = ask(org, "POST", V + "/sobjects/Contact", json=twin)
    assert codes(refused) == (400, "DUPLICATES_DETECTED")
    told = refused.json()[0]["duplicateResut"]
    assert told["matchResults"][0]["matchRecords"][0]["record"]["Id"] == held
    assert ask(org, "POST", "/services/data/v51.0/sobjects/Contact", json=twin, headers=anyway).status_code == 400
    assert ask(org, "POST", V + "/sobjects/Contact", json=twin, headers=anyway).status_code == 201
    lead = {"LastName": "鈴木", "Company": "Beta"}
    assert ask(org, "POST", V + "/sobjects/Lead", json=lead, headers=anyway).status_code == 400


def test_a_custom_object_with_phones_takes_activities(org: FakeOrg, sf: Salesforce) -> None:
    org.add_object("Shop__c", label="店舗", phones=["Phone__c"])
    shop = records(sf, "Shop__c").create({"Name": "本店", "Phone__c": "03-1234-5678"})["id"]
    records(sf, "Task").create({"WhatId": shop, "Subject": "電話"})
    found = sf.query("SELECT Name, (SELECT Subject FROM Tasks) FROM Shop__c WHERE Phone__c = '03-1234-5678'")
    assert found["records"][0]["Tasks"]["records"][0]["Subject"] == "電話"
    assert records(sf, "Shop__c").describe()["label"] == "店舗"
