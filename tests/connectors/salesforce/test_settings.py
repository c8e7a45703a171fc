"""The Salesforce settings: what is read, and what stops the start with a mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cti_bridge.connector import Resources
from cti_bridge.connectors.salesforce import SalesforceConnector
from cti_bridge.connectors.salesforce.settings import SalesforceSettings
from cti_bridge.errors import SettingsError

NEEDED = {
    "SALESFORCE_MY_DOMAIN": "acme",
    "SALESFORCE_CONSUMER_KEY": "key",
    "SALESFORCE_CONSUMER_SECRET": "very-secret",
}


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> str:
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, lock).decode()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    ("written", "origin", "lightning"),
    [
        ("acme", "https://acme.my.salesforce.com", "https://acme.lightning.force.com"),
        ("ACME.my", "https://acme.my.salesforce.com", "https://acme.lightning.force.com"),
        ("https://acme.my.salesforce.com/", "https://acme.my.salesforce.com", "https://acme.lightning.force.com"),
        ("https://acme.lightning.force.com/lightning/page/home", "https://acme.my.salesforce.com",
         "https://acme.lightning.force.com"),
        ("acme--uat.sandbox", "https://acme--uat.sandbox.my.salesforce.com",
         "https://acme--uat.sandbox.lightning.force.com"),
        ("acme-dev-ed.develop.my.salesforce.com", "https://acme-dev-ed.develop.my.salesforce.com",
         "https://acme-dev-ed.develop.lightning.force.com"),
    ],
)  # fmt: skip
def test_my_domain_is_read_however_it_is_written(written: str, origin: str, lightning: str) -> None:
    settings = SalesforceSettings.read({**NEEDED, "SALESFORCE_MY_DOMAIN": written})

    assert (settings.origin, settings.lightning_origin) == (origin, lightning)


@pytest.mark.parametrize("written", ["login", "test", "login.my.salesforce.com", "acme.example.com", "a b"])
def test_a_shared_or_foreign_host_is_no_my_domain(written: str) -> None:
    with pytest.raises(SettingsError, match="SALESFORCE_MY_DOMAIN"):
        SalesforceSettings.read({**NEEDED, "SALESFORCE_MY_DOMAIN": written})


@pytest.mark.parametrize(
    ("language", "says"), [("ja", "外部クライアントアプリケーション"), ("en", "External Client App")]
)
def test_signing_in_by_password_is_refused_and_told_the_way_out(
    monkeypatch: pytest.MonkeyPatch, language: str, says: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    by_password = {
        "SALESFORCE_MY_DOMAIN": "acme",
        "SALESFORCE_CONSUMER_KEY": "key",
        "SALESFORCE_USERNAME": "cti@acme.example",
        "SALESFORCE_PASSWORD": "hunter2",
        "SALESFORCE_SECURITY_TOKEN": "token",
    }

    with pytest.raises(SettingsError, match=says) as told:
        SalesforceSettings.read(by_password)
    assert "hunter2" not in str(told.value)


def test_without_secret_and_key_both_ways_of_signing_in_are_told() -> None:
    with pytest.raises(SettingsError, match=r"SALESFORCE_CONSUMER_SECRET.*SALESFORCE_PRIVATE_KEY"):
        SalesforceSettings.read({"SALESFORCE_MY_DOMAIN": "acme", "SALESFORCE_CONSUMER_KEY": "key"})


def test_everything_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as told:
        SalesforceSettings.read({})

    assert "SALESFORCE_MY_DOMAIN" in str(told.value)
    assert "SALESFORCE_CONSUMER_KEY" in str(told.value)


def test_a_private_key_is_read_from_one_line_and_from_a_file(rsa_key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    plain = {
        "SALESFORCE_MY_DOMAIN": "acme",
        "SALESFORCE_CONSUMER_KEY": "key",
        "SALESFORCE_USERNAME": "cti@acme.example",
    }
    key_file = tmp_path / "key.pem"
    key_file.write_text(pem(rsa_key))

    one_line = SalesforceSettings.read({**plain, "SALESFORCE_PRIVATE_KEY": pem(rsa_key).replace("\n", "\\n")})
    of_file = SalesforceSettings.read({**plain, "SALESFORCE_PRIVATE_KEY_FILE": str(key_file)})

    assert one_line.private_key is not None
    assert one_line.private_key.get_secret_value() == pem(rsa_key)
    assert one_line.signs_in_by_jwt
    assert of_file.signs_in_by_jwt


@pytest.mark.parametrize("kind", ["words", "passphrase", "elliptic"])
def test_a_key_that_cannot_sign_is_refused(kind: str, rsa_key: rsa.RSAPrivateKey) -> None:
    keys = {
        "words": "not a key",
        "passphrase": pem(rsa_key, b"open sesame"),
        "elliptic": pem(ec.generate_private_key(ec.SECP256R1())),
    }

    with pytest.raises(SettingsError, match="SALESFORCE_PRIVATE_KEY"):
        SalesforceSettings.read({**NEEDED, "SALESFORCE_USERNAME": "a@b", "SALESFORCE_PRIVATE_KEY": keys[kind]})


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.pem"):
        SalesforceSettings.read(
            {**NEEDED, "SALESFORCE_USERNAME": "a@b", "SALESFORCE_PRIVATE_KEY_FILE": str(tmp_path / "nowhere.pem")}
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SALESFORCE_PHONE_FIELDS", "Contact"),
        ("SALESFORCE_PHONE_FIELDS", "Contact.Phone) FROM User--"),
        ("SALESFORCE_NORMALISED_FIELDS", "Contact.Phone.E164"),
        ("SALESFORCE_READING_FIELDS", "フリガナ"),
        ("SALESFORCE_CARD_FIELDS", "Case."),
        ("SALESFORCE_COMPANY_OBJECTS", "Shop c,Account'"),
        ("SALESFORCE_SEARCH", "fuzzy"),
        ("SALESFORCE_CREATE", "Account"),
        ("SALESFORCE_ACTIVITY", "tasks quotes"),
        ("SALESFORCE_API_VERSION", "latest"),
        ("SALESFORCE_EXTERNAL_ID_FIELD", "CTI ID"),
        ("SALESFORCE_TASK_FIELDS", "weather=Weather__c"),
        ("SALESFORCE_TASK_FIELDS", "line"),
        ("SALESFORCE_AGENT_MAP", "hanako"),
        ("SALESFORCE_TIMEOUT_SECONDS", "0"),
        ("SALESFORCE_INSTANCE_URL", "http://acme.example"),
        ("SALESFORCE_INSTANCE_URL", "https://acme.my.salesforce.com"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        SalesforceSettings.read({**NEEDED, name: value})


@pytest.mark.parametrize("written", ["66", "66.0", "v66.0"])
def test_the_version_is_read_however_it_is_written(written: str) -> None:
    assert SalesforceSettings.read({**NEEDED, "SALESFORCE_API_VERSION": written}).api_version == "66.0"


def test_secrets_show_in_no_repr() -> None:
    settings = SalesforceSettings.read(NEEDED)

    assert "very-secret" not in repr(settings)
    assert "very-secret" not in str(settings)


def test_every_setting_says_what_it_means() -> None:
    source = Path(str(__import__("inspect").getsourcefile(SalesforceSettings))).read_text("utf-8")

    for name, field in SalesforceSettings.model_fields.items():
        alias = str(field.alias)
        assert alias.startswith("SALESFORCE_"), name
        after = source.split(f'alias="{alias}"')[1].split("\n", 1)[1].lstrip()
        assert after.startswith('"""'), f"{alias} has no docstring"


def test_the_connector_opens_without_asking_anybody() -> None:
    connector = SalesforceConnector.open(Resources({**NEEDED, "SALESFORCE_INSTANCE_URL": "http://127.0.0.1:9"}))

    assert connector.usage() == []
