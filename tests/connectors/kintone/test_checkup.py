"""The check-up names what is wrong, in both languages, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cti_bridge.model import Finding, Severity
from tests.connectors.kintone.company import CUSTOMER_FIELDS, MAPPING, KintoneCompany, TidyCompany
from tests.fakes.kintone import FakeDomain


def findings(company: KintoneCompany, severity: Severity) -> list[Finding]:
    return [finding for finding in company.open().check() if finding.severity is severity]


def test_a_healthy_domain_is_told_to_be_so(company: KintoneCompany) -> None:
    company.keep_person("山本 さくら", "080-0000-1223")

    found = company.connector.check()

    assert {finding.severity for finding in found} == {Severity.OK}, found
    assert "スタンダード以上" in found[0].ja
    assert any("1件" in finding.ja and "電話番号が1件" in finding.ja for finding in found)


def test_a_check_leaves_nothing_behind(company: KintoneCompany) -> None:
    company.connector.check()

    assert [app.records() for app in (company.people, company.companies, company.calls)] == [[], [], []]


def lose_add(company: KintoneCompany) -> None:
    company.environment["TOKEN_CALLS"] = company.calls.token("view", "edit")


def lose_edit(company: KintoneCompany) -> None:
    company.environment["TOKEN_CALLS"] = company.calls.token("view", "add")


def lose_view(company: KintoneCompany) -> None:
    company.environment["TOKEN_PEOPLE"] = company.people.token("add")


def mistake_the_token(company: KintoneCompany) -> None:
    company.environment["TOKEN_PEOPLE"] = company.companies.token("view")


def forget_to_update_the_app(company: KintoneCompany) -> None:
    company.environment["TOKEN_PEOPLE"] = company.people.token("view", updated=False)


def rename(company: KintoneCompany) -> None:
    company.people.remove_field("ふりがな")


def allow_duplicates(company: KintoneCompany) -> None:
    company.calls.set_field("call_sid", "SINGLE_LINE_TEXT")


def require_another(company: KintoneCompany) -> None:
    company.calls.set_field("承認者", {"type": "SINGLE_LINE_TEXT", "required": True})


def dismiss(company: KintoneCompany) -> None:
    company.domain.users.pop("hanako")


@pytest.mark.parametrize(
    ("harm", "ja", "en"),
    [
        (lose_add, "「レコード追加」の権限がありません", "may not add records"),
        (lose_edit, "「レコード編集」の権限がありません", "may not edit records"),
        (lose_view, "「レコード閲覧」の権限がありません", "may not view records"),
        (mistake_the_token, "このアプリのものではない", "not this app's"),
        (forget_to_update_the_app, "まだ「アプリを更新」されていません", "was not updated"),
        (rename, "フィールドコード「ふりがな」はありません", "no field code “ふりがな”"),
        (allow_duplicates, "「値の重複を禁止する」が選ばれていません", "must prohibit duplicate values"),
        (require_another, "「承認者」は必須ですが、対応表にありません", "is required and not in the mapping"),
        (dismiss, "ログイン名「hanako」はkintoneにありません", "names users that kintone does not have: hanako"),
    ],
)
def test_what_would_lose_calls_or_logs_is_an_error_with_its_mend(
    company: KintoneCompany, harm: Callable[[KintoneCompany], None], ja: str, en: str
) -> None:
    harm(company)

    errors = findings(company, Severity.ERROR)

    assert len(errors) == 1, errors
    assert ja in errors[0].ja
    assert en in errors[0].en


def require_note(company: KintoneCompany) -> None:
    company.calls.set_field("メモ", {"type": "MULTI_LINE_TEXT", "required": True})


def offer_less(company: KintoneCompany) -> None:
    company.calls.set_field("状態", {"type": "DROP_DOWN", "options": ["応答", "不在着信"]})


def type_badly(company: KintoneCompany) -> None:
    company.keep_person("山本 さくら", "1234-5678")


@pytest.mark.parametrize(
    ("harm", "ja", "en"),
    [
        (require_note, "「メモ」は必須です", "required; calls that leave it empty"),
        (offer_less, "選択肢「話し中、応答なし、接続できず、取り消し」がありません", "does not offer"),
        (type_badly, "1件は電話番号として読めず", "Examples: records 1."),
    ],
)
def test_what_only_hurts_is_a_warning(
    company: KintoneCompany, harm: Callable[[KintoneCompany], None], ja: str, en: str
) -> None:
    harm(company)

    warnings = findings(company, Severity.WARNING)

    assert findings(company, Severity.ERROR) == []
    assert len(warnings) == 1, warnings
    assert ja in warnings[0].ja
    assert en in warnings[0].en


def test_a_condition_that_kintone_does_not_take_is_an_error(domain: FakeDomain) -> None:
    company = KintoneCompany(domain, mapping=MAPPING.replace("状況 not in", "情況 not in"))

    [error] = findings(company, Severity.ERROR)

    assert (error.subject, "related.open の条件" in error.ja) == (f"app {company.cases.id}", True)
    assert "does not take the condition related.open" in error.en
    assert "GAIA_IQ11" in error.en


def test_lists_within_a_finding_are_in_its_language(company: KintoneCompany) -> None:
    told = next(each for each in company.connector.check() if "telephone numbers" in each.en)

    assert "（電話、携帯電話）" in told.ja
    assert "(電話, 携帯電話)" in told.en


def test_no_telephone_number_stands_in_a_finding(company: KintoneCompany) -> None:
    company.keep_person("山本 さくら", "7777-8888")

    assert not any("7777" in finding.ja + finding.en for finding in company.connector.check())


def test_many_telephone_fields_are_warned_of_before_kintone_gives_up(
    domain: FakeDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CUSTOMER_FIELDS, "自宅", "SINGLE_LINE_TEXT")
    company = KintoneCompany(domain, mapping=MAPPING.replace('"携帯電話"]', '"携帯電話", "自宅"]', 1))

    [warning] = findings(company, Severity.WARNING)

    assert "電話番号フィールド3個" in warning.ja
    assert "normalised_only = true" in warning.en


def test_normalised_fields_that_were_left_behind_are_counted(domain: FakeDomain) -> None:
    company = TidyCompany(domain)
    company.keep_person("山本 さくら", "080-0000-1223", 電話_正規化="")
    company.keep_person("高橋 美咲", "03-2000-0110")

    [error] = findings(company, Severity.ERROR)

    assert "合っていないものが1件" in error.ja
    assert "kintone normalise" in error.en


def test_a_day_nearly_used_up_is_told(domain: FakeDomain) -> None:
    company = KintoneCompany(domain, {"KINTONE_DAILY_LIMIT": "100"})
    for _ in range(95):
        company.connector.apps.domain.budget.count(company.people.id)

    [warning] = [each for each in company.connector.check() if each.severity is Severity.WARNING]

    assert "09:00 in Japan" in warning.en


def test_a_bug_of_our_own_is_reported_and_does_not_escape(
    company: KintoneCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("cti_bridge.connectors.kintone.checkup._numbers", break_down)

    assert any("ZeroDivisionError" in finding.en for finding in company.connector.check())
