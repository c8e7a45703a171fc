"""The fake Salesforce org over its wire: sign-in, describe, records, limits. simple-salesforce talks to it unpatched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce.api import Salesforce, SFType
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceExpiredSession

from tests.fakes.salesforce import INTEGRATION_USER, FakeOrg, session_to
from tests.fakes.salesforce.ids import lengthen, make_id, read_id

V = "/services/data/v66.0"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


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


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    """A private and a public key in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.decode(), key.public_key().public_bytes(serialization.Encoding.PEM, kind).decode()


def ask(org: FakeOrg, method: str, path: str, **more: Any) -> requests.Response:
    """A request with a fresh token and without simple-salesforce."""
    headers = {"Authorization": f"Bearer {org.token()}", **more.pop("headers", {})}
    return requests.request(method, org.url + path, headers=headers, timeout=10, **more)


def records(sf: Salesforce, name: str) -> SFType:
    """simple-salesforce's records of an object; its ``sf.Contact`` has several types."""
    found = getattr(sf, name)
    assert isinstance(found, SFType)
    return found


def codes(answer: requests.Response) -> tuple[int, str]:
    """Status and first error code: ``(400, "STRING_TOO_LONG")``."""
    return answer.status_code, answer.json()[0]["errorCode"]


# ── signing in ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_client_credentials_sign_in_and_say_who_they_are(org: FakeOrg, sf: Salesforce) -> None:
    told = sf.oauth2("userinfo")
    assert org.logins == 1
    assert told is not None
    assert (told["preferred_username"], told["zoneinfo"], told["language"]) == (INTEGRATION_USER, "Asia/Tokyo", "ja")


def test_a_jwt_signs_in_and_sees_the_org(org: FakeOrg, keys: tuple[str, str]) -> None:
    org.connected_app("jwt", public_key=keys[1])
    with session_to(org.url) as session:
        sf = Salesforce(
            username=INTEGRATION_USER, consumer_key="jwt", privatekey=keys[0], instance_url="acme.my", session=session
        )
        assert sf.query("SELECT Name FROM Organization")["records"][0]["Name"] == "Acme"
    assert org.requests[0].headers["host"] == "acme.my.salesforce.com"


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        (
            {"grant_type": "client_credentials", "client_id": "key", "client_secret": "no"},
            "invalid_client",
            "credentials",
        ),
        ({"grant_type": "client_credentials", "client_id": "who"}, "invalid_client_id", "client identifier invalid"),
        ({"grant_type": "client_credentials", "client_id": "idle", "client_secret": "s"}, "invalid_grant", "no client"),
        ({"grant_type": "password", "username": "u", "password": "p"}, "unsupported_grant_type", "not supported"),
        ({"grant_type": JWT_BEARER, "assertion": "nonsense"}, "invalid_grant", "invalid assertion"),
        ({}, "invalid_request", "grant_type"),
    ],
)
def test_a_bad_sign_in_is_refused_with_an_error_object(
    org: FakeOrg, form: dict[str, str], error: str, description: str
) -> None:
    org.connected_app("idle", secret="s", username=None)
    answer = requests.post(org.url + "/services/oauth2/token", data=form, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert description in answer.json()["error_description"]
    assert org.logins == 0


def test_client_credentials_are_for_my_domain_only(org: FakeOrg) -> None:
    form = {"grant_type": "client_credentials", "client_id": "key", "client_secret": "secret"}
    with session_to(org.url) as session:
        answer = session.post("https://login.salesforce.com/services/oauth2/token", data=form, timeout=10)
    assert answer.json()["error_description"] == "request not supported on this domain"


@pytest.mark.parametrize(
    ("claims", "description"),
    [
        ({"aud": "https://test.salesforce.com"}, "audience is invalid"),
        ({"aud": "https://example.com"}, "audience is invalid"),
        ({"exp": -1}, "expired authorization code"),
        ({"exp": 3600}, "expired authorization code"),
        ({"sub": "admin@acme.example"}, "user hasn't approved this consumer"),
        ({"sub": "nobody@acme.example"}, "user hasn't approved this consumer"),
        ({"iss": "other"}, "invalid assertion"),
    ],
)
def test_a_jwt_with_a_wrong_claim_is_refused(
    org: FakeOrg, keys: tuple[str, str], claims: dict[str, Any], description: str
) -> None:
    org.connected_app("jwt", public_key=keys[1])
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    org.connected_app("other", public_key=other.public_bytes(serialization.Encoding.PEM, form).decode())
    good = {"iss": "jwt", "sub": INTEGRATION_USER, "aud": "https://login.salesforce.com", "exp": 180, **claims}
    good["exp"] = int(org.now().timestamp()) + good["exp"]
    assertion = jwt.encode(good, keys[0], algorithm="RS256")
    data = {"grant_type": JWT_BEARER, "assertion": assertion}
    answer = requests.post(org.url + "/services/oauth2/token", data=data, timeout=10)
    assert answer.json() == {"error": "invalid_grant", "error_description": description}


def test_a_clock_that_is_wrong_shows_in_the_date_header_and_refuses_the_jwt(
    org: FakeOrg, keys: tuple[str, str]
) -> None:
    org.connected_app("jwt", public_key=keys[1])
    org.clock_skew = timedelta(hours=2)
    with session_to(org.url) as session, pytest.raises(SalesforceAuthenticationFailed, match="expired"):
        Salesforce(
            username=INTEGRATION_USER, consumer_key="jwt", privatekey=keys[0], instance_url="acme.my", session=session
        )
    date = requests.get(org.url + "/services/data", timeout=10).headers["Date"]
    told = datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert told - datetime.now(UTC) > timedelta(minutes=110), "the Date header should tell the org's own clock"


def test_an_expired_token_is_renewed_by_the_client(org: FakeOrg, sf: Salesforce) -> None:
    org.expire_tokens()
    assert sf.query("SELECT Id FROM Organization")["totalSize"] == 1
    assert org.logins == 2


def test_a_void_token_is_refused_with_an_array(org: FakeOrg) -> None:
    token = org.token()
    org.expire_tokens()
    answer = requests.get(f"{org.url}{V}/limits", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert codes(answer) == (401, "INVALID_SESSION_ID")
    with pytest.raises(SalesforceExpiredSession), session_to(org.url) as session:
        Salesforce(session_id=token, instance_url=org.url, session=session).query("SELECT Id FROM User")


def test_new_logins_void_old_tokens_only_where_the_org_says_so(org: FakeOrg) -> None:
    first = {"Authorization": f"Bearer {org.token()}"}
    org.token()
    assert requests.get(f"{org.url}{V}/limits", headers=first, timeout=10).status_code == 200
    org.new_login_voids_old = True
    org.token()
    assert requests.get(f"{org.url}{V}/limits", headers=first, timeout=10).status_code == 401


# ── what there is ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_versions_are_listed_without_a_token(org: FakeOrg) -> None:
    told = requests.get(org.url + "/services/data/", timeout=10).json()
    assert {"label": "Spring '26", "url": V, "version": "66.0"} in told
    assert told[-1]["label"] == "Winter '27"


@pytest.mark.parametrize(("version", "status"), [("v99.0", 404), ("v66", 404), ("v25.0", 410), ("v31.0", 200)])
def test_a_version_that_is_not_there_is_refused(org: FakeOrg, version: str, status: int) -> None:
    assert ask(org, "GET", f"/services/data/{version}/limits").status_code == status


def test_every_rest_answer_tells_the_usage(org: FakeOrg, sf: Salesforce) -> None:
    sf.query("SELECT Id FROM User")
    sf.query("SELECT Id FROM User")
    assert sf.api_usage["api-usage"][:2] == (2, 15_000)
    refused = ask(org, "GET", V + "/query", params={"q": "SELECT"})
    assert refused.headers["Sforce-Limit-Info"] == "api-usage=3/15000"


def test_a_spent_day_refuses_every_call(org: FakeOrg) -> None:
    org.api_limit = 1
    assert ask(org, "GET", V + "/limits").json()["DailyApiRequests"] == {"Max": 1, "Remaining": 0}
    assert codes(ask(org, "GET", V + "/limits")) == (403, "REQUEST_LIMIT_EXCEEDED")


def test_an_org_without_the_api_refuses(org: FakeOrg) -> None:
    org.api_enabled = False
    assert codes(ask(org, "GET", V + "/limits")) == (403, "API_DISABLED_FOR_ORG")


def test_describe_tells_fields_labels_and_children(org: FakeOrg, sf: Salesforce) -> None:
    org.add_field("Task", "CTI_Call_SID__c", external_id=True, unique=True, length=34)
    told = records(sf, "Task").describe()
    fields = {field["name"]: field for field in told["fields"]}
    sid = fields["CTI_Call_SID__c"]
    assert (sid["externalId"], sid["unique"], sid["idLookup"], sid["length"], sid["custom"]) == (
        True,
        True,
        True,
        34,
        True,
    )
    assert fields["CallType"]["label"] == "コール種別"
    assert [value["value"] for value in fields["CallType"]["picklistValues"]] == ["Internal", "Inbound", "Outbound"]
    assert [value["value"] for value in fields["Status"]["picklistValues"]][2] == "Completed"
    assert (fields["AccountId"]["createable"], fields["TaskSubtype"]["updateable"]) == (False, False)
    assert fields["WhoId"]["referenceTo"] == ["Contact", "Lead"]
    contact = records(sf, "Contact").describe()
    assert {"childSObject": "Task", "field": "WhoId", "relationshipName": "Tasks"}.items() <= next(
        child for child in contact["childRelationships"] if child["relationshipName"] == "Tasks"
    ).items()
    phones = [field["name"] for field in contact["fields"] if field["type"] == "phone"]
    assert phones == ["Phone", "MobilePhone", "Fax", "HomePhone", "OtherPhone", "AssistantPhone"]


def test_labels_come_in_the_users_language_whatever_the_browser_says(org: FakeOrg) -> None:
    english = {"Accept-Language": "en"}
    path = V + "/sobjects/Contact/describe"
    assert ask(org, "GET", path, headers=english).json()["label"] == "取引先責任者"
    org.reads_accept_language = True
    assert ask(org, "GET", path, headers=english).json()["label"] == "Contact"


def test_person_fields_exist_only_with_person_accounts(org: FakeOrg, sf: Salesforce) -> None:
    names = {field["name"] for field in records(sf, "Account").describe()["fields"]}
    assert not {name for name in names if "Person" in name}
    with FakeOrg(person_accounts=True) as other:
        person = other.insert("Account", LastName="佐藤", FirstName="花子", PersonMobilePhone="090-1111-2222")
        account = other.row(person)
        assert (account["Name"], account["IsPersonAccount"]) == ("佐藤 花子", True)
        assert other.row(account["PersonContactId"])["MobilePhone"] == "090-1111-2222"


def test_what_the_profile_hides_is_neither_described_nor_found(org: FakeOrg) -> None:
    org.rights.hide_object("Case")
    org.rights.hide_field("Contact", "MobilePhone")
    listed = {one["name"] for one in ask(org, "GET", V + "/sobjects").json()["sobjects"]}
    assert "Case" not in listed
    assert codes(ask(org, "GET", V + "/sobjects/Case/describe")) == (404, "NOT_FOUND")
    fields = ask(org, "GET", V + "/sobjects/Contact/describe").json()["fields"]
    assert "MobilePhone" not in {field["name"] for field in fields}
    for query, code in [("SELECT Id FROM Case", "INVALID_TYPE"), ("SELECT MobilePhone FROM Contact", "INVALID_FIELD")]:
        assert codes(ask(org, "GET", V + "/query", params={"q": query})) == (400, code)


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


def test_a_record_page_names_the_record(org: FakeOrg) -> None:
    contact = org.insert("Contact", LastName="<b>山田")
    page = requests.get(f"{org.url}/lightning/r/Contact/{contact}/view", timeout=10)
    assert "&lt;b&gt;山田" in page.text
    assert "<b>" not in page.text


def test_ids_check_their_own_case() -> None:
    whole = make_id("003", 12345)
    assert (len(whole), whole[:3]) == (18, "003")
    assert read_id(whole[:15]) == whole
    assert read_id(whole.upper()) == whole
    assert read_id("003000000000000555") is None, "a digit is no capital letter"
    assert read_id("003") is None
    assert lengthen("001R00000064wdt") == "001R00000064wdtIAA", "the documentation's own example"


def test_tls_is_served_with_a_certificate_to_trust() -> None:
    with FakeOrg(tls=True) as org:
        assert org.ca_file is not None
        assert requests.get(org.url + "/services/data", verify=str(org.ca_file), timeout=10).status_code == 200


def test_what_the_fake_does_not_play_is_told_at_its_end() -> None:
    with pytest.raises(AssertionError, match="GROUP"), FakeOrg() as org:
        ask(org, "GET", V + "/query", params={"q": "SELECT Id FROM Contact GROUP BY Id"})
