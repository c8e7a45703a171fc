"""Every setting: its name in the environment, its type, its default and its meaning. Secrets never show in repr.

The Flask extension takes the same names from ``app.config``, which wins over the environment. Connectors read their own
settings (``SALESFORCE_…``, ``KINTONE_…``) from the environment that they are handed.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cti_bridge.environment import Mend, Secrets, Words, explain, on_this_machine, split_url
from cti_bridge.errors import SettingsError
from cti_bridge.model import Disposition, Language

_DISPOSITIONS = (
    "resolved=対応完了/Resolved, callback=再コール/Call back, prospect=見込/Prospect, "
    "forwarded=担当へ引継ぎ/Handed over, no_answer=不通/No answer, "
    "wrong_number=間違い電話/Wrong number, other=その他/Other"
)


DOCUMENTED_IN: dict[Language, str] = {"ja": "README.ja.md の「設定」", "en": "“Settings” in README.md"}
DEFAULT_DATABASE = "sqlite:///cti-bridge.db"

HEROKUS_DOMAIN = "HEROKU_APP_DEFAULT_DOMAIN_NAME"
"""Where Heroku says what address it gave an app, which nobody knows before it is made
(https://devcenter.heroku.com/articles/dyno-metadata)."""


def _usual_proxies() -> int:
    """Heroku's router adds the caller's address to X-Forwarded-For (https://devcenter.heroku.com/articles/http-routing)."""
    return 1 if os.environ.get("DYNO") else 0


class Settings(BaseSettings):
    """The bridge's settings. Make them with :meth:`read`, which explains what is wrong in plain words."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    # ── the bridge ──────────────────────────────────────────────────────────────────────────────────────────────────
    public_url: str = Field(alias="CTI_PUBLIC_URL")
    """Where Twilio and browsers reach the bridge: ``https://cti.example.co.jp``. Signatures are checked against it."""

    secret_key: SecretStr = Field(alias="CTI_SECRET_KEY")
    """Signs sign-ins and tickets: at least 32 random characters. Changing it signs everybody out."""

    database_url: SecretStr = Field(SecretStr(DEFAULT_DATABASE), alias="DATABASE_URL")
    """``postgresql://…`` (Heroku's ``postgres://…`` too), or ``sqlite:///file.db`` for one process on one machine."""

    database_pool: int = Field(6, alias="CTI_DATABASE_POOL", ge=2, le=100)
    """PostgreSQL connections that one process keeps; under load half as many more, and two for wake-ups. The default lets
    a web and a worker process share a plan of 20."""

    connector: str = Field("local", alias="CTI_CONNECTOR")
    """The CRM: ``local`` (embedded), or the name of an installed connector."""

    region: str = Field("JP", alias="CTI_REGION", pattern="^[A-Z]{2}$")
    """The country of telephone numbers written without a country code."""

    language: Language = Field("ja", alias="CTI_LANGUAGE")
    """The language of texts that have no reader or caller yet: ``ja`` or ``en``."""

    timezone: str = Field("Asia/Tokyo", alias="CTI_TIMEZONE")
    """The time zone of dates in call logs."""

    embed_origins: Words = Field((), alias="CTI_EMBED_ORIGINS")
    """The pages that may embed the widget: ``https://acme.lightning.force.com https://acme.cybozu.com``."""

    embed_secret: SecretStr = Field(SecretStr(""), alias="CTI_EMBED_SECRET")
    """With it a CRM's plug-in, through the CRM's own servers, may sign in the agent that it names (the kintone plug-in
    does). At least 32 random characters; empty: agents sign in themselves."""

    dispositions: str = Field(_DISPOSITIONS, alias="CTI_DISPOSITIONS")
    """The results that agents can choose: ``code=日本語/English`` with commas between."""

    wrap_up_minutes: int = Field(10, alias="CTI_WRAP_UP_MINUTES", ge=1, le=240)
    """Minutes that an agent has for the wrap-up; then the agent rings again and the log goes to the CRM as it is."""

    lookup_deadline_seconds: float = Field(6.0, alias="CTI_LOOKUP_DEADLINE_SECONDS", ge=0.2, le=60)
    """How long a card waits for the CRM before it says so; a later answer is still shown."""

    index_fresh_hours: float = Field(24.0, alias="CTI_INDEX_FRESH_HOURS", ge=0, le=24 * 90)
    """How long a remembered answer of the CRM pops at once; it is asked again behind the pop all the same."""

    dial_countries: Words = Field((), alias="CTI_DIAL_COUNTRIES")
    """Countries that agents may dial: ``JP US``. Empty: CTI_REGION only."""

    trusted_proxies: int = Field(default_factory=_usual_proxies, alias="CTI_TRUSTED_PROXIES", ge=0, le=10)
    """How many proxies of ours stand before the bridge and add to X-Forwarded-For; on Heroku 1, elsewhere 0."""

    allow_agents: Words = Field((), alias="CTI_ALLOW_AGENTS")
    """The addresses that agents may work from: ``203.0.113.0/24 2001:db8::/48``. Empty: everywhere."""

    allow_supervisors: Words = Field((), alias="CTI_ALLOW_SUPERVISORS")
    """Likewise for supervisors."""

    allow_administrators: Words = Field((), alias="CTI_ALLOW_ADMINISTRATORS")
    """Likewise for administrators."""

    require_totp: Literal["nobody", "administrators", "everybody"] = Field("nobody", alias="CTI_REQUIRE_TOTP")
    """Who must show a one-time code beside the password. Everybody may."""

    max_sockets: int = Field(100, alias="CTI_MAX_SOCKETS", ge=1, le=20_000)
    """Live sockets in one process; gunicorn gets 16 threads more, so that sockets cannot starve Twilio's webhooks."""

    outbox_in_web: bool = Field(True, alias="CTI_OUTBOX_IN_WEB")
    """Whether the web processes write call logs to the CRM; no, when ``cti-bridge outbox work`` runs beside them."""

    keep_calls_days: int = Field(400, alias="CTI_KEEP_CALLS_DAYS", ge=0, le=36_500)
    """How long calls are kept, with their notes; 0 is for ever. One whose log has not reached the CRM stays."""

    keep_webhooks_days: int = Field(30, alias="CTI_KEEP_WEBHOOKS_DAYS", ge=0, le=36_500)
    """How long it is kept what Twilio told word for word; 0 is as long as the call."""

    keep_index_days: int = Field(90, alias="CTI_KEEP_INDEX_DAYS", ge=0, le=36_500)
    """How long the CRM's answer about a number that has not called again is kept; 0 is for ever."""

    keep_audit_days: int = Field(1095, alias="CTI_KEEP_AUDIT_DAYS", ge=0, le=36_500)
    """How long the audit log is kept; 0 is for ever."""

    # ── Twilio ──────────────────────────────────────────────────────────────────────────────────────────────────────
    twilio_account_sid: str = Field(alias="TWILIO_ACCOUNT_SID", pattern="^AC[0-9a-f]{32}$")
    """The account, from the Twilio console's first page."""

    twilio_auth_tokens: Secrets = Field(alias="TWILIO_AUTH_TOKEN", min_length=1)
    """The auth token; several with commas between while rotating."""

    twilio_shared_keys: Secrets = Field((), alias="TWILIO_SHARED_KEY")
    """Secrets of webhook shared keys (HMAC-SHA256), where the account uses them."""

    twilio_api_key: str | None = Field(None, alias="TWILIO_API_KEY", pattern="^SK[0-9a-f]{32}$")
    """An API key for requests to Twilio; without it the account's auth token is used."""

    twilio_api_secret: SecretStr | None = Field(None, alias="TWILIO_API_SECRET")
    """The API key's secret."""

    twilio_twiml_app_sid: str | None = Field(None, alias="TWILIO_TWIML_APP_SID", pattern="^AP[0-9a-f]{32}$")
    """The TwiML App of calls from browsers; ``cti-bridge doctor`` sees that it asks the bridge."""

    twilio_api_url: str | None = Field(None, alias="CTI_TWILIO_API_URL")
    """For the simulator and tests only: where Twilio's REST interface is played, on this machine."""

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def read(cls, overrides: Mapping[str, Any] | None = None) -> Self:
        """Read the environment, ``overrides`` (same names) first. Raises SettingsError naming each setting and mend."""
        names = {field.alias for field in cls.model_fields.values()}
        chosen = {name: value for name, value in (overrides or {}).items() if name in names and value is not None}
        if not (chosen.get("CTI_PUBLIC_URL") or os.environ.get("CTI_PUBLIC_URL")) and HEROKUS_DOMAIN in os.environ:
            chosen["CTI_PUBLIC_URL"] = f"https://{os.environ[HEROKUS_DOMAIN]}"
        try:
            return cls(**chosen)
        except ValidationError as problem:
            raise SettingsError(explain(problem, DOCUMENTED_IN, _PATTERNS)) from None

    @field_validator("public_url")
    @classmethod
    def _read_public_url(cls, value: str) -> str:
        url = value.strip().rstrip("/")
        parts = split_url(url)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[?#\s]", url):
            raise Mend(
                "https://cti.example.co.jp のように、アドレス全体を書いてください",
                "write the whole address, such as https://cti.example.co.jp",
            )
        if parts.username is not None:
            raise Mend(
                "ユーザー名とパスワードは書かないでください（Twilioの署名に含まれません）",
                "leave out user and password: Twilio does not sign them",
            )
        if not url.isascii():
            raise Mend(
                "ホスト名はブラウザーが送る形（xn--…）で書いてください",
                "write the host as browsers send it, in ASCII: xn--…",
            )
        if "_" in parts.hostname:
            raise Mend(
                "Twilioは「_」を含むホスト名を受け付けません。別の名前にしてください",
                "Twilio refuses host names with an underscore; use another name",
            )
        if parts.scheme == "http" and not on_this_machine(url):
            raise Mend(
                "httpsにしてください。httpでは顧客の電話番号が暗号化されません",
                "use https: with http, customers' numbers would travel in the clear",
            )
        return url

    @field_validator("embed_origins")
    @classmethod
    def _read_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        origins = [origin.rstrip("/").lower() for origin in value]
        for origin in origins:
            if not _ORIGIN.fullmatch(origin) or split_url(origin) is None:
                raise Mend(
                    f"{origin} はオリジンではありません。https://acme.cybozu.com のようにホスト名まで書いてください",
                    f"{origin} is not an origin; write scheme and host only: https://acme.cybozu.com",
                )
            if origin.startswith("http:") and not on_this_machine(origin):
                raise Mend(
                    f"{origin}: httpsにしてください。httpはこのマシンでだけ使えます",
                    f"{origin}: use https; http is accepted on this machine only",
                )
        return tuple(origins)

    @field_validator("allow_agents", "allow_supervisors", "allow_administrators")
    @classmethod
    def _read_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                raise Mend(
                    f"{network} はIPアドレスの範囲ではありません。203.0.113.0/24 や 203.0.113.7 のように書いてください",
                    f"{network} is no range of IP addresses; write it like 203.0.113.0/24 or 203.0.113.7",
                ) from None
        return value

    @field_validator("secret_key", "embed_secret")
    @classmethod
    def _read_secret(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.field_name == "embed_secret" and not value.get_secret_value():
            return value
        if len(value.get_secret_value()) < 32:
            raise Mend(
                "32文字以上のランダムな文字列が必要です。作り方: "
                'python3 -c "import secrets; print(secrets.token_urlsafe(32))"',
                "needs at least 32 random characters; make them with: "
                'python3 -c "import secrets; print(secrets.token_urlsafe(32))"',
            )
        return value

    @field_validator("timezone")
    @classmethod
    def _read_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise Mend(
                "Asia/Tokyo のようなタイムゾーン名を書いてください",
                "write a name of the tz database, such as Asia/Tokyo",
            ) from None
        return value

    @field_validator("region")
    @classmethod
    def _read_region(cls, value: str) -> str:
        if value not in phonenumbers.SUPPORTED_REGIONS:
            raise Mend("JP のような国名の2文字を書いてください", "write a country's two letters, such as JP")
        return value

    @field_validator("dial_countries")
    @classmethod
    def _read_countries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [country for country in value if country not in phonenumbers.SUPPORTED_REGIONS]
        if unknown:
            raise Mend(
                f"{unknown[0]} は国名ではありません。JP US のように2文字ずつ書いてください",
                f"{unknown[0]} is no country; write two letters each, such as JP US",
            )
        return value

    @field_validator("dispositions")
    @classmethod
    def _read_dispositions(cls, value: str) -> str:
        if not _parse_dispositions(value):
            raise Mend(
                "callback=再コール/Call back のように「コード=日本語/英語」をカンマで区切ってください",
                "write code=日本語/English with commas between, such as callback=再コール/Call back",
            )
        return value

    @field_validator("twilio_api_url")
    @classmethod
    def _read_api_url(cls, value: str | None) -> str | None:
        if value and not (value.startswith("http://") and on_this_machine(value)):
            raise Mend(
                "シミュレーター専用です。このマシン（http://127.0.0.1:…）だけを指定できます",
                "this is for the simulator only and must point to this machine (http://127.0.0.1:…)",
            )
        return value.rstrip("/") if value else None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.twilio_api_key is None) != (self.twilio_api_secret is None):
            raise Mend(
                "TWILIO_API_KEY と TWILIO_API_SECRET は両方設定するか、両方外してください",
                "TWILIO_API_KEY and TWILIO_API_SECRET go together: set both or neither",
            )
        if os.environ.get("DYNO") and self.database_url.get_secret_value().startswith("sqlite"):
            raise Mend(
                "DATABASE_URL: Herokuのディスクは再起動のたびに消え、SQLiteも失われます。"
                "PostgreSQLを追加してください: heroku addons:create heroku-postgresql",
                "DATABASE_URL: Heroku's disk is wiped at every restart, and SQLite with it. "
                "Add the PostgreSQL add-on: heroku addons:create heroku-postgresql",
            )
        return self

    # ── derived ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def public_origin(self) -> str:
        """``https://cti.example.co.jp``: what a browser sends as Origin from our own pages."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}".lower()

    @property
    def wrap_up_limit(self) -> timedelta:
        return timedelta(minutes=self.wrap_up_minutes)

    @property
    def index_freshness(self) -> timedelta:
        return timedelta(hours=self.index_fresh_hours)

    @property
    def disposition_list(self) -> tuple[Disposition, ...]:
        return _parse_dispositions(self.dispositions)

    @property
    def diallable_countries(self) -> frozenset[str]:
        return frozenset(self.dial_countries or (self.region,))


_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?")


def _parse_dispositions(text: str) -> tuple[Disposition, ...]:
    parts = [re.fullmatch(r"\s*([a-z0-9_]{1,40})\s*=\s*([^/=]+?)\s*/\s*([^/=]+?)\s*", part) for part in text.split(",")]
    found = tuple(Disposition(*part.groups()) for part in parts if part)
    return found if len(found) == len(parts) and len({d.code for d in found}) == len(found) else ()


_COPY_AGAIN: dict[Language, str] = {
    "ja": "形が違うようです。Twilioコンソールからもう一度コピーしてください（{form}）",
    "en": "does not look right; copy it once more from the Twilio console: {form}",
}
_PATTERNS: dict[str, dict[Language, str]] = {
    "CTI_REGION": {
        "ja": "JP のような国名の2文字（大文字）にしてください",
        "en": "write a country's two capital letters, such as JP",
    },
    "TWILIO_ACCOUNT_SID": {
        "ja": _COPY_AGAIN["ja"].format(form="ACと32文字"),
        "en": _COPY_AGAIN["en"].format(form="AC and 32 characters"),
    },
    "TWILIO_TWIML_APP_SID": {
        "ja": _COPY_AGAIN["ja"].format(form="APと32文字"),
        "en": _COPY_AGAIN["en"].format(form="AP and 32 characters"),
    },
    "TWILIO_API_KEY": {
        "ja": _COPY_AGAIN["ja"].format(form="SKと32文字"),
        "en": _COPY_AGAIN["en"].format(form="SK and 32 characters"),
    },
}
