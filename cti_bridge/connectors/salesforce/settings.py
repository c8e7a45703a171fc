"""Every setting of the Salesforce connector: its name, its default and its meaning. What it finds out itself: ``schema``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import Field, SecretStr, field_validator, model_validator

from cti_bridge.environment import Environment, Mend, Words, on_this_machine
from cti_bridge.model import Language

CALL_FACTS = frozenset(
    {
        "agent",
        "call_id",
        "direction",
        "disposition",
        "ended_at",
        "line",
        "note",
        "outcome",
        "party",
        "recording",
        "recording_id",
        "started_at",
        "talk_seconds",
    }
)
"""What SALESFORCE_TASK_FIELDS can write of a call, by its name there."""

_DOMAIN = re.compile(r"[a-z0-9](-?[a-z0-9-])*(\.(sandbox|develop|scratch|demo|patch|trailblaze|free|stage))?")
_FIELD = re.compile(r"[A-Za-z]\w*\.[A-Za-z]\w*", re.ASCII)
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


class SalesforceSettings(Environment):
    """The settings of the Salesforce connector. Make them with ``read``, which explains what is wrong in plain words."""

    documented_in: ClassVar[Mapping[Language, str]] = {"ja": "docs/salesforce.ja.md", "en": "docs/salesforce.md"}

    # ── sign-in ─────────────────────────────────────────────────────────────────────────────────────────────────────
    my_domain: str = Field(alias="SALESFORCE_MY_DOMAIN")
    """The org's My Domain: ``acme``, ``acme--uat.sandbox``, or its whole address ``https://acme.my.salesforce.com``."""

    consumer_key: SecretStr = Field(alias="SALESFORCE_CONSUMER_KEY")
    """The External Client App's consumer key."""

    consumer_secret: SecretStr | None = Field(None, alias="SALESFORCE_CONSUMER_SECRET")
    """Its consumer secret, for the client credentials flow: the app's run-as user is who reads and writes."""

    username: str | None = Field(None, alias="SALESFORCE_USERNAME")
    """For the JWT bearer flow: the user who reads and writes, ``cti@acme.example``."""

    private_key: SecretStr | None = Field(None, alias="SALESFORCE_PRIVATE_KEY")
    """For the JWT bearer flow: the private key (PEM text; line ends may be written as \\n)."""

    private_key_file: str | None = Field(None, alias="SALESFORCE_PRIVATE_KEY_FILE")
    """The file that holds the private key, instead of SALESFORCE_PRIVATE_KEY."""

    password: SecretStr | None = Field(None, alias="SALESFORCE_PASSWORD")
    """Not used any more: signing in by password ends. It is read only to say so."""

    security_token: SecretStr | None = Field(None, alias="SALESFORCE_SECURITY_TOKEN")
    """Not used any more, like SALESFORCE_PASSWORD."""

    api_version: str = Field("68.0", alias="SALESFORCE_API_VERSION")
    """The version of Salesforce's interface. An org that has no such version yet is asked in its newest older one."""

    timeout_seconds: float = Field(10.0, alias="SALESFORCE_TIMEOUT_SECONDS", ge=0.2, le=120)
    """How long one request may take."""

    instance_url: str | None = Field(None, alias="SALESFORCE_INSTANCE_URL")
    """For tests only: where Salesforce is played, on this machine (``http://127.0.0.1:8080``)."""

    # ── whose number is it ──────────────────────────────────────────────────────────────────────────────────────────
    phone_fields: Words = Field((), alias="SALESFORCE_PHONE_FIELDS")
    """The telephone fields to look in: ``Contact.Phone Contact.MobilePhone Shop__c.Tel__c``. Empty: every field of type
    phone of Contact, Lead and Account, except fax."""

    normalised_fields: Words = Field((), alias="SALESFORCE_NORMALISED_FIELDS")
    """Fields that hold a number as +81312345678, asked first: ``Contact.Phone_E164__c``. Mark them External ID, so that
    they are indexed."""

    search_by: Literal["exact", "sosl"] = Field("exact", alias="SALESFORCE_SEARCH")
    """``exact`` asks for every plausible spelling, in one request. ``sosl`` asks Salesforce's search index too, for
    orgs whose numbers are typed too freely: one request more, and agents' searches use it as well."""

    reading_fields: Words = Field((), alias="SALESFORCE_READING_FIELDS")
    """The fields that hold the furigana, family name first: ``Contact.Furigana__c``. Empty: the org's local-name fields,
    else a text field whose name or label says furigana or kana."""

    company_objects: Words = Field(("Account",), alias="SALESFORCE_COMPANY_OBJECTS")
    """Which objects are companies; records of every other object are people. ``Account Shop__c``."""

    create_as: Literal["Contact", "Lead"] = Field("Contact", alias="SALESFORCE_CREATE")
    """What a caller becomes whom an agent adds: ``Contact`` or ``Lead``."""

    # ── what the card shows ─────────────────────────────────────────────────────────────────────────────────────────
    activity: Words = Field(("tasks", "cases", "opportunities", "events"), alias="SALESFORCE_ACTIVITY")
    """What the card shows of a contact: any of ``tasks cases opportunities events``, or ``none``."""

    card_fields: Words = Field((), alias="SALESFORCE_CARD_FIELDS")
    """More fields for the card's lines, with their labels: ``Case.Priority Opportunity.NextStep Task.Result__c``."""

    # ── the call's log ──────────────────────────────────────────────────────────────────────────────────────────────
    external_id_field: str | None = Field(None, alias="SALESFORCE_EXTERNAL_ID_FIELD")
    """The Activity field (text, External ID, Unique) that holds the call's id. Empty: CTI_Call_SID__c or a like one if
    the org has it. ``none``: never, use CallObject."""

    task_fields: Words = Field((), alias="SALESFORCE_TASK_FIELDS")
    """More of the call into fields of Task: ``line=CTI_Line__c recording=CTI_Recording__c``. Known: agent, call_id,
    direction, disposition, ended_at, line, note, outcome, party, recording, recording_id, started_at, talk_seconds."""

    task_status: str | None = Field(None, alias="SALESFORCE_TASK_STATUS")
    """The status of a call's Task. Empty: ``Completed``, else the first status that the org counts as closed."""

    agent_map: Words = Field((), alias="SALESFORCE_AGENT_MAP")
    """Whose Task it is, where an agent's e-mail is not that of their Salesforce user:
    ``hanako@example.com=hanako@acme.example taro@example.com=005…`` (user name or user id)."""

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @field_validator("my_domain")
    @classmethod
    def _read_domain(cls, value: str) -> str:
        host = re.sub(r"^https?://", "", value.strip().lower()).split("/")[0]
        for suffix in (".my.salesforce.com", ".lightning.force.com", ".my.salesforce-setup.com", ".my"):
            host = host.removesuffix(suffix)
        if host in ("login", "test") or not _DOMAIN.fullmatch(host):
            raise Mend(
                "組織の「私のドメイン」を書いてください。https://acme.my.salesforce.com なら acme です"
                "（Sandboxは acme--uat.sandbox）。「設定」→「私のドメイン」で確認できます",
                "write the org's My Domain: acme for https://acme.my.salesforce.com, acme--uat.sandbox for a sandbox; "
                "Setup → My Domain shows it",
            )
        return host

    @field_validator("api_version")
    @classmethod
    def _read_version(cls, value: str) -> str:
        digits = value.strip().lower().removeprefix("v").removesuffix(".0")
        if not re.fullmatch(r"\d{2,3}", digits, re.ASCII):
            raise Mend("68.0 のように書いてください", "write it like 68.0")
        return f"{digits}.0"

    @field_validator("external_id_field")
    @classmethod
    def _read_external_id_field(cls, value: str | None) -> str | None:
        if value and not _NAME.fullmatch(value):
            raise Mend(
                "活動の項目のAPI参照名（CTI_Call_SID__c など）か none を書いてください",
                "write the API name of a field of Activity, such as CTI_Call_SID__c, or none",
            )
        return value

    @field_validator("phone_fields", "normalised_fields", "reading_fields", "card_fields")
    @classmethod
    def _read_fields(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for field in value:
            if not _FIELD.fullmatch(field):
                raise Mend(
                    f"{field}: Contact.MobilePhone のように「オブジェクト.項目」をAPI参照名で書いてください",
                    f"{field}: write object and field by their API names, such as Contact.MobilePhone",
                )
        return value

    @field_validator("company_objects")
    @classmethod
    def _read_objects(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _NAME.fullmatch(name):
                raise Mend(
                    f"{name}: オブジェクトのAPI参照名（Account、Shop__c など）を書いてください",
                    f"{name}: write objects by their API names, such as Account or Shop__c",
                )
        return value

    @field_validator("activity")
    @classmethod
    def _read_activity(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = set(value) - {"tasks", "cases", "opportunities", "events", "none"}
        if unknown:
            raise Mend(
                f"{min(unknown)} は使えません。tasks cases opportunities events から選ぶか、none にしてください",
                f"{min(unknown)} is unknown; choose from tasks cases opportunities events, or write none",
            )
        return tuple(part for part in value if part != "none")

    @field_validator("task_fields")
    @classmethod
    def _read_task_fields(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pair in value:
            fact, _, field = pair.partition("=")
            if fact not in CALL_FACTS or not _NAME.fullmatch(field):
                raise Mend(
                    f"{pair}: line=CTI_Line__c のように「名前=項目のAPI参照名」で書いてください。"
                    f"使える名前: {', '.join(sorted(CALL_FACTS))}",
                    f"{pair}: write name=Field__c, such as line=CTI_Line__c; names: {', '.join(sorted(CALL_FACTS))}",
                )
        return value

    @field_validator("agent_map")
    @classmethod
    def _read_agent_map(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pair in value:
            email, _, user = pair.partition("=")
            if "@" not in email or not user:
                raise Mend(
                    "「メールアドレス=Salesforceのユーザー名」を空白で区切って並べてください",
                    "write e-mail=user name pairs with spaces between",
                )
        return value

    @field_validator("instance_url")
    @classmethod
    def _read_instance_url(cls, value: str | None) -> str | None:
        if value and not (re.match(r"https?://", value) and on_this_machine(value)):
            raise Mend(
                "テスト専用です。このマシン（http://127.0.0.1:…）だけを指定できます。"
                "実際の組織は SALESFORCE_MY_DOMAIN に書いてください",
                "this is for tests only and must point to this machine (http://127.0.0.1:…); "
                "a real org goes into SALESFORCE_MY_DOMAIN",
            )
        return value.rstrip("/") if value else None

    @field_validator("private_key")
    @classmethod
    def _read_private_key(cls, value: SecretStr | None) -> SecretStr | None:
        return SecretStr(_readable_key(value.get_secret_value())) if value else None

    @field_validator("private_key_file")
    @classmethod
    def _read_private_key_file(cls, value: str | None) -> str | None:
        if value:
            try:
                text = Path(value).read_text("ascii", "replace")
            except OSError:
                raise Mend(f"{value} を読めません", f"{value} cannot be read") from None
            _readable_key(text)
        return value

    @model_validator(mode="after")
    def _choose_sign_in(self) -> Self:
        if self.password or self.security_token:
            raise Mend(
                "SALESFORCE_PASSWORD と SALESFORCE_SECURITY_TOKEN は使えません。"
                "Salesforceはパスワードによる接続を終了します。"
                "外部クライアントアプリケーションを作り、"
                "SALESFORCE_CONSUMER_KEY と SALESFORCE_CONSUMER_SECRET を設定してください",
                "SALESFORCE_PASSWORD and SALESFORCE_SECURITY_TOKEN are of no use: Salesforce ends sign-in by password. "
                "Make an External Client App and set SALESFORCE_CONSUMER_KEY and SALESFORCE_CONSUMER_SECRET",
            )
        if not self.consumer_secret and not self.signs_in_by_jwt:
            raise Mend(
                "SALESFORCE_CONSUMER_SECRET（クライアントログイン情報フロー）か、"
                "SALESFORCE_USERNAME と SALESFORCE_PRIVATE_KEY（JWTベアラーフロー）を設定してください",
                "set SALESFORCE_CONSUMER_SECRET (client credentials flow), or SALESFORCE_USERNAME and "
                "SALESFORCE_PRIVATE_KEY (JWT bearer flow)",
            )
        return self

    # ── derived ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def signs_in_by_jwt(self) -> bool:
        """JWT bearer, when everything for it is set; else client credentials."""
        return bool(self.username and (self.private_key or self.private_key_file))

    @property
    def origin(self) -> str:
        """``https://acme.my.salesforce.com``."""
        return f"https://{self.my_domain}.my.salesforce.com"

    @property
    def lightning_origin(self) -> str:
        """``https://acme.lightning.force.com``: where agents work."""
        return f"https://{self.my_domain}.lightning.force.com"

    @property
    def sandbox(self) -> bool:
        return self.my_domain.endswith((".sandbox", ".scratch"))

    @property
    def task_mapping(self) -> dict[str, str]:
        """``{"line": "CTI_Line__c"}``."""
        return dict(_pairs(self.task_fields))

    @property
    def agents(self) -> dict[str, str]:
        """``{"hanako@example.com": "005…"}``, e-mails in small letters."""
        return {email.lower(): user for email, user in _pairs(self.agent_map)}


def fields_of(fields: tuple[str, ...], sobject: str) -> tuple[str, ...]:
    """``("Phone", "MobilePhone")`` of ``Contact`` in ``("Contact.Phone", "Contact.MobilePhone", "Lead.Phone")``."""
    return tuple(field.partition(".")[2] for field in fields if field.partition(".")[0] == sobject)


def _pairs(words: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(left, right) for left, _, right in (word.partition("=") for word in words)]


def _readable_key(text: str) -> str:
    """The key with its line ends restored. Raises Mend when it is not an RSA private key without a passphrase."""
    pem = text.replace("\\n", "\n").strip() + "\n"
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise Mend(
            "パスフレーズなしのRSA秘密鍵（-----BEGIN PRIVATE KEY-----）ではありません。"
            "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 で作れます",
            "this is no RSA private key without a passphrase (-----BEGIN PRIVATE KEY-----); make one with: "
            "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        )
    return pem
