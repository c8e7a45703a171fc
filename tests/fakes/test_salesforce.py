"""The fake Salesforce org over its wire: sign-in, describe, limits. simple-salesforce talks to it unpatched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceExpiredSession

from tests.fakes.salesforce import INTEGRATION_USER, FakeOrg, session_to
from tests.fakes.salesforce.asking import ask, codes, records
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
