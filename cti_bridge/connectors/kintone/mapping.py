"""The mapping: which of a company's own kintone apps and fields hold what. Reading it asks kintone nothing.

It is one TOML file (``KINTONE_MAPPING``, by default ``kintone.toml``) or the same text in ``KINTONE_MAPPING_TOML``.
Fields are named by their **field codes**, not by their labels. ``cti-bridge kintone map`` writes a first one.

::

    [[customers]]                        # any number of customer apps
    app = 12                             # the app's number, from its address: https://acme.cybozu.com/k/12/
    token = "$KINTONE_TOKEN_CUSTOMERS"   # an API token, or the name of the setting that holds it; several in [ ]
    kind = "person"                      # what its records are: "person" (default) or "company"
    name = "氏名"                        # or several: ["姓", "名"]
    reading = "ふりがな"                 # furigana; optional, also several
    company = "会社名"                   # optional
    phones = ["電話番号", "携帯電話"]    # telephone fields: single-line text or link (telephone)
    normalised = ["電話番号_正規化"]     # optional: the first telephone field in E.164, the second …, in the same order
    normalised_only = false              # true once every record's normalised fields are filled: quicker, finds more
    show = ["会員ランク", "担当者"]      # optional: more fields on the card, as "会員ランク: ゴールド / 担当者: 佐藤"
    customer_number = "顧客番号"         # optional: also searched
    touched = "最終対応日"               # optional: when this customer was last spoken to; ranks shared numbers
    create = true                        # optional: new customers are made here; else in the first app of persons
    guest_space = 3                      # optional, for any app: its guest space, if not KINTONE_GUEST_SPACE

    [call_log]                           # the app that gets one record for each call
    app = 15
    token = "$KINTONE_TOKEN_CALLS"       # needs to view, add and edit records

    [call_log.fields]                    # all but call_id are optional
    call_id = "call_sid"                 # single-line text, "prohibit duplicate values" set
    subject = "件名"                     # texts, ready to show
    body = "内容"
    note = "メモ"
    disposition = "結果"
    direction = "種別"                   # text, drop-down or radio button: 着信 or 発信 (see words)
    outcome = "状態"                     # the same: 応答, 不在着信, 話し中, 応答なし, 接続できず, 取り消し
    party = "相手の番号"
    line = "回線"
    agent = "担当者"                     # user selection (see agents), or text for the agent's name
    started_at = "開始日時"              # date and time (kintone keeps minutes), or date
    ended_at = "終了日時"
    talk_seconds = "通話秒数"            # number
    customer_id = "顧客"                 # text: the contact as we name it, "12:345". The history is found by it
    customer_app = "顧客アプリ"          # number or text: 12
    customer_record = "顧客レコード"     # number or text: 345
    customer_number = "顧客番号"         # text or number: the customer's own number, for related-record lists
    customer_name = "顧客名"             # text
    customer_url = "顧客リンク"          # link (URL) or text
    related_id = "関連"                  # text: what the call was about, "20:7"
    related_url = "関連リンク"
    recording_id = "録音ID"
    recording_url = "録音"

    [call_log.agents]                    # for a user selection: agents' e-mail = kintone login name
    "hanako@example.com" = "hanako"

    [call_log.words]                     # optional: other words for direction and outcome
    inbound = "受電"

    [[related]]                          # any number: what stands on the card beside the calls
    app = 20
    token = "$KINTONE_TOKEN_ORDERS"
    kind = "order"                       # order, case, deal, appointment, visit, note or email
    join = { field = "顧客番号", customer = "顧客番号", app = 12 }
                                         # this app's field = the customer's field ("$id": its record number)
    title = "件名"
    detail = ["ステータス"]              # optional
    at = "受注日"                        # optional: when; an appointment needs it
    open = 'ステータス not in ("完了")'  # optional: a kintone condition. With it, these stand under "open"

An appointment stands under "coming" while it lies ahead; a related app with ``open`` under "open"; else in the history.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from cti_bridge.connectors.kintone.mistakes import explain_mapping, explain_toml
from cti_bridge.connectors.kintone.settings import KintoneSettings
from cti_bridge.environment import Mend, administrators_language
from cti_bridge.errors import SettingsError
from cti_bridge.model import ContactKind, Direction, Outcome

RECORD_ID = "$id"
MOST_TOKENS = 9
"""API tokens that one request may carry (https://cybozu.dev/ja/kintone/docs/rest-api/overview/authentication)."""


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _code(value: str) -> str:
    """Field codes stand bare in queries, so nothing may stand in them that is not a field code."""
    if not re.fullmatch(r"[^\s\"'(),=<>!\\]{1,128}", value):
        raise Mend("フィールドコードとして使えない文字があります", "this cannot be a field code")
    return value


def _optional_code(value: str) -> str:
    return _code(value) if value else value


Code = Annotated[str, BeforeValidator(lambda value: _code(value) if isinstance(value, str) else value)]
OptionalCode = Annotated[str, BeforeValidator(lambda value: _optional_code(value) if isinstance(value, str) else value)]
Codes = Annotated[tuple[Code, ...], BeforeValidator(_several)]


class Part(BaseModel):
    """A table of the mapping: frozen, and without keys that nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class App(Part):
    """A kintone app that we may use."""

    app: int = Field(ge=1)
    token: tuple[SecretStr, ...] = Field(min_length=1, max_length=MOST_TOKENS)
    guest_space: int | None = Field(None, ge=1)

    @field_validator("token", mode="before")
    @classmethod
    def _find_tokens(cls, value: object, info: ValidationInfo) -> object:
        environment: Mapping[str, str] = info.context or {}
        found: list[str] = []
        for part in [value] if isinstance(value, str) else value if isinstance(value, list) else []:
            if not isinstance(part, str):
                return value
            if part.startswith("$") and not environment.get(part[1:], "").strip():
                raise Mend(f"設定 {part[1:]} がありません", f"the setting {part[1:]} is not there")
            text = environment[part[1:]] if part.startswith("$") else part
            found += [token.strip() for token in text.split(",") if token.strip()]
        return found if isinstance(value, str | list) else value


class CustomerApp(App):
    """An app of customers."""

    kind: ContactKind = ContactKind.PERSON
    name: Codes = Field(min_length=1)
    reading: Codes = ()
    company: OptionalCode = ""
    phones: Codes = Field(min_length=1)
    normalised: Codes = ()
    normalised_only: bool = False
    show: Codes = ()
    customer_number: OptionalCode = ""
    touched: OptionalCode = ""
    create: bool = False

    @model_validator(mode="after")
    def _pair(self) -> CustomerApp:
        if len(self.normalised) > len(self.phones):
            raise Mend(
                "normalised は phones と同じ順に並べ、phones より多くは書けません",
                "normalised stands in the order of phones and cannot have more fields than it",
            )
        if doubled := [code for code in self.normalised if code in self.phones or self.normalised.count(code) > 1]:
            raise Mend(
                f"normalised の「{doubled[0]}」は、ほかの役目にも使われています。番号ごとに専用のフィールドにしてください",
                f"“{doubled[0]}” of normalised serves for something else too; each number needs a field of its own",
            )
        if self.normalised_only and len(self.normalised) != len(self.phones):
            raise Mend(
                "normalised_only を使うには、phones のすべてに normalised が要ります",
                "normalised_only needs a normalised field for each of the phones",
            )
        return self


def _is_condition(text: str) -> bool:
    """Whether this can stand in brackets as a condition: nothing after it, and every bracket closed where it belongs."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    if re.search(r"\b(order\s+by|limit|offset)\b", bare, re.IGNORECASE) or bare.count('"') % 2:
        return False
    depths = list(accumulate({"(": 1, ")": -1}.get(char, 0) for char in bare))
    return not depths or (min(depths) >= 0 and depths[-1] == 0)


class Join(Part):
    """How a related app's records name their customer."""

    field: Code
    customer: Code = RECORD_ID
    app: int | None = None


class RelatedApp(App):
    """An app of orders, cases, deals, appointments … that belong to customers."""

    kind: Literal["order", "case", "deal", "appointment", "visit", "note", "email"]
    join: Join
    title: Code
    detail: Codes = ()
    at: OptionalCode = ""
    open: str = ""

    @model_validator(mode="after")
    def _read(self) -> RelatedApp:
        if self.kind == "appointment" and not self.at:
            raise Mend("kind が appointment のときは at が要ります", "an appointment needs at")
        if not _is_condition(self.open):
            raise Mend(
                "open には条件だけを書いてください（order by、limit、offset は書けません。括弧の数も確かめてください）",
                "open is a condition alone: without order by, limit or offset, and with as many ( as )",
            )
        return self


class LogFields(Part):
    """The call-log app's fields; empty where the app has none for it."""

    call_id: Code
    subject: OptionalCode = ""
    body: OptionalCode = ""
    note: OptionalCode = ""
    disposition: OptionalCode = ""
    direction: OptionalCode = ""
    outcome: OptionalCode = ""
    party: OptionalCode = ""
    line: OptionalCode = ""
    agent: OptionalCode = ""
    started_at: OptionalCode = ""
    ended_at: OptionalCode = ""
    talk_seconds: OptionalCode = ""
    customer_id: OptionalCode = ""
    customer_app: OptionalCode = ""
    customer_record: OptionalCode = ""
    customer_number: OptionalCode = ""
    customer_name: OptionalCode = ""
    customer_url: OptionalCode = ""
    related_id: OptionalCode = ""
    related_url: OptionalCode = ""
    recording_id: OptionalCode = ""
    recording_url: OptionalCode = ""

    def mapped(self) -> dict[str, str]:
        """What is mapped: ``{"call_id": "call_sid", "subject": "件名"}``."""
        return {key: code for key, code in self.model_dump().items() if code}


Word = Literal[
    "inbound", "outbound", "answered", "missed", "busy", "no_answer", "failed", "canceled"
]  # the values of Direction and Outcome; a test compares


class CallLogApp(App):
    """The app that gets one record for each call."""

    fields: LogFields
    agents: dict[str, str] = {}
    words: dict[Word, str] = {}

    def login_of(self, email: str) -> str | None:
        """The kintone login name of the agent with this e-mail address."""
        known = {address.casefold(): login for address, login in self.agents.items()}
        return known.get(email.strip().casefold())

    def email_of(self, login: str) -> str | None:
        """The e-mail address of the agent with this kintone login name."""
        known = {name.casefold(): address for address, name in self.agents.items()}
        return known.get(login.strip().casefold())

    def word(self, value: Direction | Outcome) -> str | None:
        """What this company writes for it, if it is not what everybody writes."""
        return next((word for key, word in self.words.items() if key == value.value), None)


class KintoneMapping(Part):
    """The whole mapping."""

    customers: tuple[CustomerApp, ...] = Field(min_length=1)
    call_log: CallLogApp
    related: tuple[RelatedApp, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> KintoneMapping:
        known = [customers.app for customers in self.customers]
        if doubled := {app for app in known if known.count(app) > 1 or app == self.call_log.app}:
            raise Mend(
                f"アプリ{min(doubled)}が二度書かれています", f"app {min(doubled)} stands in the mapping more than once"
            )
        for related in self.related:
            if related.join.app is not None and related.join.app not in known:
                raise Mend(
                    f"related の join.app = {related.join.app} は customers にありません",
                    f"join.app = {related.join.app} of a related app is not among customers",
                )
        return self

    def customer_app(self, app: int) -> CustomerApp | None:
        return next((customers for customers in self.customers if customers.app == app), None)

    def related_to(self, customers: CustomerApp) -> list[RelatedApp]:
        return [related for related in self.related if self.joined_app(related) is customers]

    def joined_app(self, related: RelatedApp) -> CustomerApp:
        """The customer app that a related app's records point into."""
        return self.customer_app(related.join.app or 0) or self.customers[0]

    def keys_of(self, customers: CustomerApp) -> tuple[str, ...]:
        """The fields of a customer that other apps know it by."""
        joins = [related.join.customer for related in self.related_to(customers)]
        return tuple(dict.fromkeys([*filter(None, [customers.customer_number]), *joins]))

    @property
    def app_of_new_customers(self) -> CustomerApp:
        chosen = [customers for customers in self.customers if customers.create]
        persons = [customers for customers in self.customers if customers.kind is ContactKind.PERSON]
        return (*chosen, *persons, *self.customers)[0]

    def apps(self) -> Iterable[App]:
        """Every app, once: of related apps that stand in the mapping twice, the first."""
        seen = {app.app: app for app in reversed((*self.customers, self.call_log, *self.related))}
        return [
            seen[number] for number in dict.fromkeys(app.app for app in (*self.customers, self.call_log, *self.related))
        ]


def read_mapping(text: str, environment: Mapping[str, str], source: str = "KINTONE_MAPPING_TOML") -> KintoneMapping:
    """The mapping of this text; tokens are taken from ``environment`` where they begin with ``$``.

    Raises SettingsError, which names each key that is wrong and its mend, in the administrator's language.
    """
    language = administrators_language()
    try:
        raw: dict[str, Any] = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as problem:
        raise SettingsError(explain_toml(problem, source, language)) from None
    try:
        return KintoneMapping.model_validate(raw, context=environment)
    except ValidationError as problem:
        raise SettingsError(explain_mapping(problem, source, KintoneMapping, language)) from None


def load_mapping(settings: KintoneSettings, environment: Mapping[str, str]) -> KintoneMapping:
    """The mapping that the settings name. Raises SettingsError."""
    if settings.mapping_toml is not None:
        return read_mapping(settings.mapping_toml.get_secret_value(), environment)
    try:
        text = Path(settings.mapping).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        said = {
            "ja": f"KINTONE_MAPPING：対応表「{settings.mapping}」の文字コードがUTF-8ではありません。"
            "エディターで、文字コードをUTF-8にして保存し直してください。",
            "en": f"KINTONE_MAPPING: the mapping “{settings.mapping}” is not in UTF-8. Save it again with that "
            "encoding.",
        }
        raise SettingsError(said[administrators_language()]) from None
    except OSError as problem:
        said = {
            "ja": f"KINTONE_MAPPING：対応表「{settings.mapping}」を読めません（{type(problem).__name__}）。"
            "cti-bridge kintone map で作るか、内容を KINTONE_MAPPING_TOML に入れてください。",
            "en": f"KINTONE_MAPPING: the mapping “{settings.mapping}” cannot be read ({type(problem).__name__}). "
            "Make it with cti-bridge kintone map, or put its text into KINTONE_MAPPING_TOML.",
        }
        raise SettingsError(said[administrators_language()]) from None
    return read_mapping(text, environment, settings.mapping)
