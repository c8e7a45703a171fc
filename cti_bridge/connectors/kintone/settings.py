"""The connector's settings, ``KINTONE_…``. Which apps and fields hold what stands in the mapping (``mapping``)."""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from cti_bridge.environment import Environment, Mend, on_this_machine, split_url
from cti_bridge.model import Language

DOMAINS = (".cybozu.com", ".kintone.com", ".cybozu.cn")
"""Where kintone lives: Japan, the United States and everybody else, China."""


class KintoneSettings(Environment):
    """Where the kintone domain is and how much of it we may use."""

    documented_in: ClassVar[dict[Language, str]] = {"ja": "docs/kintone.ja.md", "en": "docs/kintone.md"}

    base_url: str = Field(alias="KINTONE_BASE_URL")
    """The domain: ``https://acme.cybozu.com``. Plain http only on this machine, for tests and the demo."""

    guest_space: int | None = Field(None, alias="KINTONE_GUEST_SPACE", ge=1)
    """The number of the guest space that holds the apps, if one does; an app of the mapping may name another."""

    mapping: str = Field("kintone.toml", alias="KINTONE_MAPPING")
    """The file that says which apps and fields hold what; see ``mapping``."""

    mapping_toml: SecretStr | None = Field(None, alias="KINTONE_MAPPING_TOML")
    """The text of that file itself, where there are no files to keep (Heroku). Wins over ``KINTONE_MAPPING``."""

    basic_auth: SecretStr | None = Field(None, alias="KINTONE_BASIC_AUTH")
    """``user:password``, where the domain asks for Basic authentication before anything else."""

    max_concurrency: int = Field(5, alias="KINTONE_MAX_CONCURRENCY", ge=1, le=50)
    """Requests that we make of the domain at once, one server's processes together; kintone allows 100 to everybody."""

    daily_limit: int = Field(10_000, alias="KINTONE_DAILY_LIMIT", ge=100)
    """Requests an app may get in a day: 10,000 on the Standard course, 100,000 on the Wide course."""

    timeout_seconds: float = Field(5.0, alias="KINTONE_TIMEOUT_SECONDS", ge=0.5, le=60)
    """How long one answer may take."""

    call_log_webhooks: bool = Field(False, alias="KINTONE_CALL_LOG_WEBHOOKS")
    """Whether kintone webhooks hang on the call-log app: its records are then written one by one, which fires them."""

    processes: int = Field(1, alias="WEB_CONCURRENCY", ge=1)
    """How many processes share ``KINTONE_MAX_CONCURRENCY``; Heroku and gunicorn set it."""

    @field_validator("base_url")
    @classmethod
    def _read_base_url(cls, value: str) -> str:
        parts = split_url(value)
        host = (parts.hostname if parts else None) or ""
        whole = re.fullmatch(r"https?://[^/?#@\s]+/?", value)
        if not whole or not (host.endswith(DOMAINS) or on_this_machine(value)):
            raise Mend(
                "https://（サブドメイン）.cybozu.com のように、kintoneのドメインだけを書いてください",
                "write the kintone domain alone, such as https://acme.cybozu.com or https://acme.kintone.com",
            )
        if host.endswith(".s.cybozu.com"):
            raise Mend(
                "セキュアアクセス用のアドレス（.s.cybozu.com）はクライアント証明書が要るため使えません。"
                "https://（サブドメイン）.cybozu.com にしてください",
                "addresses of Secure Access (.s.cybozu.com) ask for a client certificate; "
                "write https://acme.cybozu.com instead",
            )
        if value.startswith("http://") and not on_this_machine(value):
            raise Mend("http:// ではなく https:// にしてください", "must begin with https://, not http://")
        return value.rstrip("/")

    @field_validator("basic_auth")
    @classmethod
    def _read_basic_auth(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and ":" not in value.get_secret_value():
            raise Mend("「ユーザー名:パスワード」の形で書いてください", "write it as user:password")
        return value

    @property
    def concurrency(self) -> int:
        """Requests that this process may make at once."""
        return max(1, self.max_concurrency // self.processes)
