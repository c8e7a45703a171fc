"""A made-up company's kintone domain and the bridge's connector to it, as an administrator would set them up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from cti_bridge.connector import Resources
from cti_bridge.connectors.kintone import KintoneConnector
from cti_bridge.phone import PhoneNumber
from tests.contract import Crm, KeptLog
from tests.fakes.kintone import FakeApp, FakeDomain

CUSTOMER_FIELDS: dict[str, str | dict[str, Any]] = {
    "氏名": "SINGLE_LINE_TEXT",
    "ふりがな": "SINGLE_LINE_TEXT",
    "会社名": "SINGLE_LINE_TEXT",
    "電話番号": {"type": "SINGLE_LINE_TEXT", "label": "電話"},
    "携帯電話": "SINGLE_LINE_TEXT",
    "会員ランク": {"type": "DROP_DOWN", "options": ["ゴールド", "シルバー"], "label": "ランク"},
    "担当者": "USER_SELECT",
    "顧客番号": "SINGLE_LINE_TEXT",
}

COMPANY_FIELDS: dict[str, str | dict[str, Any]] = {
    "会社名": "SINGLE_LINE_TEXT",
    "代表電話": {"type": "LINK", "protocol": "CALL"},
    "FAX": "SINGLE_LINE_TEXT",
}

CALL_FIELDS: dict[str, str | dict[str, Any]] = {
    "call_sid": {"type": "SINGLE_LINE_TEXT", "unique": True},
    "件名": "SINGLE_LINE_TEXT",
    "内容": "MULTI_LINE_TEXT",
    "メモ": "MULTI_LINE_TEXT",
    "結果": {"type": "DROP_DOWN", "options": ["対応完了", "再コール"]},
    "種別": {"type": "DROP_DOWN", "options": ["着信", "発信"]},
    "状態": {"type": "RADIO_BUTTON", "options": ["応答", "不在着信", "話し中", "応答なし", "接続できず", "取り消し"]},
    "相手": {"type": "LINK", "protocol": "CALL"},
    "回線": "SINGLE_LINE_TEXT",
    "担当": "USER_SELECT",
    "開始": "DATETIME",
    "終了": "DATETIME",
    "秒": "NUMBER",
    "顧客": "SINGLE_LINE_TEXT",
    "顧客レコード": "NUMBER",
    "顧客番号": "SINGLE_LINE_TEXT",
    "顧客リンク": {"type": "LINK", "protocol": "WEB"},
    "関連": "SINGLE_LINE_TEXT",
    "録音": {"type": "LINK", "protocol": "WEB"},
}

RELATED_FIELDS: dict[str, str | dict[str, Any]] = {
    "件名": "SINGLE_LINE_TEXT",
    "顧客番号": "SINGLE_LINE_TEXT",
    "状況": {"type": "DROP_DOWN", "options": ["対応中", "完了"]},
    "日時": "DATETIME",
}

MAPPING = """
[[customers]]
app = {people}
token = "$TOKEN_PEOPLE"
name = "氏名"
reading = "ふりがな"
company = "会社名"
phones = ["電話番号", "携帯電話"]
show = ["会員ランク", "担当者"]
customer_number = "顧客番号"

[[customers]]
app = {companies}
token = "$TOKEN_COMPANIES"
kind = "company"
name = "会社名"
phones = ["代表電話", "FAX"]

[call_log]
app = {calls}
token = "$TOKEN_CALLS"

[call_log.fields]
call_id = "call_sid"
subject = "件名"
body = "内容"
note = "メモ"
disposition = "結果"
direction = "種別"
outcome = "状態"
party = "相手"
line = "回線"
agent = "担当"
started_at = "開始"
ended_at = "終了"
talk_seconds = "秒"
customer_id = "顧客"
customer_record = "顧客レコード"
customer_number = "顧客番号"
customer_url = "顧客リンク"
related_id = "関連"
recording_url = "録音"

[call_log.agents]
"hanako@example.com" = "hanako"

[[related]]
app = {cases}
token = "$TOKEN_CASES"
kind = "case"
join = {{ field = "顧客番号", customer = "顧客番号" }}
title = "件名"
detail = ["状況"]
at = "日時"
open = '状況 not in ("完了")'

[[related]]
app = {visits}
token = "$TOKEN_VISITS"
kind = "appointment"
join = {{ field = "顧客番号", customer = "顧客番号" }}
title = "件名"
at = "日時"
"""


class KintoneCompany(Crm):
    """Customers, their companies, calls, cases and visits, each in an app of its own."""

    def __init__(
        self,
        domain: FakeDomain,
        environment: Mapping[str, str] = {},
        mapping: str = MAPPING,
        *,
        guest_space: int | None = None,
        customer_fields: Mapping[str, str | dict[str, Any]] = {},
    ) -> None:
        self.domain = domain
        domain.user("hanako", "佐藤 花子", email="hanako@example.com")
        self.people = domain.app("顧客", {**CUSTOMER_FIELDS, **customer_fields}, guest_space=guest_space)
        self.companies = domain.app("会社", COMPANY_FIELDS, guest_space=guest_space)
        self.calls = domain.app("通話履歴", CALL_FIELDS, guest_space=guest_space)
        self.cases = domain.app("問い合わせ", RELATED_FIELDS, guest_space=guest_space)
        self.visits = domain.app("予約", RELATED_FIELDS, guest_space=guest_space)
        apps = {
            "people": self.people,
            "companies": self.companies,
            "calls": self.calls,
            "cases": self.cases,
            "visits": self.visits,
        }
        self.environment = {
            "KINTONE_BASE_URL": domain.url,
            "KINTONE_MAPPING_TOML": mapping.format(**{name: app.id for name, app in apps.items()}),
            "TOKEN_PEOPLE": self.people.token("view", "add", "edit"),
            "TOKEN_COMPANIES": self.companies.token("view", "add", "edit"),
            "TOKEN_CALLS": self.calls.token("view", "add", "edit"),
            "TOKEN_CASES": self.cases.token("view"),
            "TOKEN_VISITS": self.visits.token("view"),
            **environment,
        }
        self.connector: KintoneConnector = self.open()
        self.kept = 0

    def open(self, **resources: Any) -> KintoneConnector:
        """Another connector to the same domain, as another process would have."""
        return KintoneConnector.open(Resources(environment=self.environment, **resources))

    def keep_person(self, name: str, *numbers: str, reading: str = "", company: str = "", **more: Any) -> str:
        self.kept += 1
        typed = dict(zip(("電話番号", "携帯電話"), numbers, strict=False))
        values = {"氏名": name, "ふりがな": reading, "会社名": company, "顧客番号": f"C-{self.kept}", **typed, **more}
        return f"{self.people.id}:{self.people.add(**values)}"

    def keep_company(self, name: str, *numbers: str) -> str:
        typed = dict(zip(("代表電話", "FAX"), numbers, strict=False))
        return f"{self.companies.id}:{self.companies.add(会社名=name, **typed)}"

    def keep_story(self, contact_id: str, count: int) -> None:
        now = datetime.now(UTC)
        number = self.people.record(contact_id.split(":")[1])["顧客番号"]
        for index in range(count):
            past, coming = (kintone_time(now + sign * timedelta(hours=1 + index)) for sign in (-1, 1))
            self.calls.add(call_sid=f"CA-{index}", 件名=f"通話{index}", 顧客=contact_id, 開始=past)
            self.cases.add(件名=f"相談{index}", 顧客番号=number, 状況="対応中", 日時=past)
            self.visits.add(件名=f"来店{index}", 顧客番号=number, 日時=coming)

    def logs(self, call_id: str) -> list[KeptLog]:
        return [
            KeptLog(record["件名"], record["内容"], record["顧客"] or None)
            for record in self.calls.records()
            if record["call_sid"] == call_id
        ]

    def in_pages_of(self, count: int) -> None:
        self.connector._walking.page = count

    @contextmanager
    def broken(self) -> Iterator[None]:
        with self.domain.trouble("maintenance"):
            yield

    def searches(self, app: FakeApp) -> int:
        """How often this app was asked for records."""
        return len(self.domain.requests(app, api="records.json", method="GET"))


class TidyCompany(KintoneCompany):
    """A company whose customers have normalised numbers, filled at every save as the plug-in does, and asked for alone."""

    forgiving = True

    def __init__(self, domain: FakeDomain, *, only: bool = True) -> None:
        normalised = f'"携帯電話"]\nnormalised = ["電話_正規化", "携帯_正規化"]\nnormalised_only = {str(only).lower()}'
        super().__init__(
            domain,
            mapping=MAPPING.replace('"携帯電話"]', normalised, 1),
            customer_fields={"電話_正規化": "SINGLE_LINE_TEXT", "携帯_正規化": "SINGLE_LINE_TEXT"},
        )

    def keep_person(self, name: str, *numbers: str, reading: str = "", company: str = "", **more: Any) -> str:
        codes = ("電話_正規化", "携帯_正規化")
        found = [PhoneNumber.find(text) for text in numbers]
        tidy = {code: number.e164 if number else "" for code, number in zip(codes, found, strict=False)}
        return super().keep_person(name, *numbers, reading=reading, company=company, **{**tidy, **more})


def kintone_time(moment: datetime) -> str:
    """A moment as kintone writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
