"""``cti-bridge kintone normalise``: fills what is missing or wrong in few requests, and nothing else."""

from __future__ import annotations

import csv
import stat
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from cti_bridge.connectors.kintone.budget import Budget
from cti_bridge.connectors.kintone.client import KintoneApp
from cti_bridge.connectors.kintone.domain import Domain
from cti_bridge.connectors.kintone.mapping import CustomerApp
from cti_bridge.connectors.kintone.settings import KintoneSettings
from cti_bridge.connectors.kintone.setup.normalise import Normalising
from cti_bridge.connectors.kintone.setup.patience import Patience
from cti_bridge.errors import ConnectorUnavailable
from tests.cli.conftest import Terminal
from tests.fakes.kintone import FakeApp, FakeDomain

MAPPING = """
[[customers]]
app = 1
token = "$KINTONE_TOKEN_1"
name = "氏名"
phones = ["電話", "携帯"]
normalised = ["電話_正規化", "携帯_正規化"]

[call_log]
app = 2
token = "unused"

[call_log.fields]
call_id = "call_sid"
"""


@pytest.fixture
def people(kintone: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> FakeApp:
    """A customer app that the mapping names, with normalised fields."""
    app = domain.app(
        "顧客", dict.fromkeys(("氏名", "電話", "携帯", "電話_正規化", "携帯_正規化", "備考"), "SINGLE_LINE_TEXT")
    )
    (kintone.folder / "kintone.toml").write_text(MAPPING, "utf-8")
    monkeypatch.setenv("KINTONE_TOKEN_1", app.token("view", "edit"))
    return app


def number(place: int) -> str:
    return f"03-6555-{place:04d}"


def puts(domain: FakeDomain) -> int:
    return len(domain.requests(method="PUT", api="records.json"))


def normalised(app: FakeApp) -> list[str]:
    return [record["電話_正規化"] for record in app.records()]


def test_250_records_take_three_writes(kintone: Terminal, domain: FakeDomain, people: FakeApp) -> None:
    people.add_many({"氏名": f"客{n}", "電話": number(n), "備考": "そのまま"} for n in range(250))
    domain.forget()

    said = kintone.run("kintone", "normalise", "--write")

    assert puts(domain) == 3
    assert normalised(people) == [f"+8136555{n:04d}" for n in range(250)]
    assert "250 records written" in said
    assert {record["備考"] for record in people.records()} == {"そのまま"}
    assert {record["携帯_正規化"] for record in people.records()} == {""}
    assert domain.most_running == 1, "one request at a time"


def test_a_second_run_writes_nothing(kintone: Terminal, domain: FakeDomain, people: FakeApp) -> None:
    people.add_many({"電話": number(n)} for n in range(120))
    kintone.run("kintone", "normalise", "--write")
    domain.forget()

    assert "120 right already" in kintone.run("kintone", "normalise", "--write")
    assert puts(domain) == 0


@pytest.mark.parametrize("language", ["ja", "en"])
def test_without_write_it_counts_shows_masked_examples_and_changes_nothing(
    kintone: Terminal, domain: FakeDomain, people: FakeApp, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    people.add_many([{"電話": "０３－６５５５－０１００", "携帯": "山田 090-1234-5678"}, {"電話": "ない"}])
    before = people.records()
    domain.forget()

    said = kintone.run("kintone", "normalise")

    assert ("書き込みが必要なレコード: 1 件" if language == "ja" else "1 records to write (1 requests)") in said
    assert ("読めない番号: 1 件" if language == "ja" else "1 numbers unreadable") in said
    assert "--write" in said
    assert people.records() == before
    assert puts(domain) == 0
    for secret in ("６５５５", "6555", "1234", "山田", "+81901"):
        assert secret not in said, "examples are masked"


def test_what_is_wrong_is_put_right_and_what_is_gone_is_emptied(kintone: Terminal, people: FakeApp) -> None:
    people.add_many(
        [
            {"電話": number(1), "電話_正規化": "+81300000000"},
            {"電話": "", "電話_正規化": "+81365550002"},
            {"電話": "代表へ", "電話_正規化": "+81365550003"},
        ]
    )
    kintone.run("kintone", "normalise", "--write")
    assert normalised(people) == ["+81365550001", "", ""]


@pytest.mark.parametrize(
    ("language", "said"), [("ja", "2 件は、正規化フィールド"), ("en", "2 records hold something else")]
)
def test_a_field_that_holds_something_else_is_never_written_over(
    kintone: Terminal, people: FakeApp, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    people.add_many(
        [
            {"電話": number(1), "電話_正規化": "火曜定休", "携帯": "090-1234-5678"},
            {"電話": "", "電話_正規化": "0312345678"},
            {"電話": number(3)},
        ]
    )

    told = kintone.run("kintone", "normalise", "--write", code=1)

    assert normalised(people) == ["火曜定休", "0312345678", "+81365550003"]
    assert people.records()[0]["携帯_正規化"] == "+819012345678"
    assert said in told
    assert "火曜" not in told


def test_more_than_a_page_of_records_is_read_by_record_number(
    kintone: Terminal, domain: FakeDomain, people: FakeApp
) -> None:
    people.add_many({"電話": number(n)} for n in range(1_010))
    people.delete(*range(100, 300))
    domain.forget()

    kintone.run("kintone", "normalise", "--write")
    assert all(normalised(people))
    assert len(domain.requests(method="GET", api="records.json")) == 2
    assert puts(domain) == 9


def test_what_cannot_be_read_goes_into_a_file_that_excel_opens(kintone: Terminal, people: FakeApp) -> None:
    people.add_many([{"電話": "=HYPERLINK(1)"}, {"電話": "1234-56"}, {"電話": number(3), "携帯": "なし"}])
    file = kintone.folder / "unreadable.csv"

    said = kintone.run("kintone", "normalise", "--unreadable", str(file))

    with file.open(encoding="utf-8-sig", newline="") as opened:
        heading, *rows = csv.reader(opened)
    assert heading == ["App", "Record", "Field code", "As typed", "Link"]
    assert [row[:4] for row in rows] == [
        ["1", "1", "電話", "'=HYPERLINK(1)"],
        ["1", "2", "電話", "1234-56"],
        ["1", "3", "携帯", "なし"],
    ]
    assert rows[0][4].endswith("/k/1/show#record=1")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "customers' data"
    assert "HYPERLINK" not in said
    assert "1234-56" not in said


def test_broken_off_it_says_how_far_it_got_and_goes_on(kintone: Terminal, domain: FakeDomain, people: FakeApp) -> None:
    people.add_many({"電話": number(n)} for n in range(250))
    writing = domain.trouble("maintenance", method="PUT")
    with writing:
        said = kintone.run("kintone", "normalise", "--write", code=1)
    assert "up to record 0" in said

    kintone.run("kintone", "normalise", "--write", "--app", "1", "--after", "100")
    assert normalised(people)[:101] == [""] * 100 + ["+81365550100"]
    kintone.run("kintone", "normalise", "--write")
    assert all(normalised(people))


def test_a_token_that_may_not_edit_is_told(kintone: Terminal, people: FakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    people.add(電話=number(1))
    monkeypatch.setenv("KINTONE_TOKEN_1", people.token("view"))
    said = kintone.run("kintone", "normalise", "--write", code=1)
    assert "lacks a right" in said
    assert "6555" not in said


def test_a_field_that_is_not_there_is_told_before_anything_is_written(
    kintone: Terminal, domain: FakeDomain, people: FakeApp
) -> None:
    people.add(電話=number(1))
    people.remove_field("携帯_正規化")
    domain.forget()
    assert "携帯_正規化" in kintone.run("kintone", "normalise", "--write", code=1)
    assert puts(domain) == 0, "kintone would drop it without a word"


def test_without_a_normalised_field_it_says_how_to_make_one(kintone: Terminal, people: FakeApp) -> None:
    file = kintone.folder / "kintone.toml"
    file.write_text(MAPPING.replace('normalised = ["電話_正規化", "携帯_正規化"]', ""), "utf-8")
    assert "setup --no-call-log --normalised-field 1" in kintone.run("kintone", "normalise", code=1)
    assert "not among [[customers]]" in kintone.run("kintone", "normalise", "--app", "2", code=1)


def test_one_bad_record_does_not_keep_the_others_from_being_written(
    kintone: Terminal, domain: FakeDomain, people: FakeApp
) -> None:
    people.add_many({"氏名": "" if n == 42 else "客", "電話": number(n)} for n in range(130))
    people.set_field("氏名", {"type": "SINGLE_LINE_TEXT", "required": True})
    domain.forget()

    said = kintone.run("kintone", "normalise", "--write", code=1)

    assert [place for place, value in enumerate(normalised(people)) if not value] == [42]
    assert "refused 1 records (records 43)" in said
    assert puts(domain) < 20, "halved, not one by one"


# ── colleagues and bad lines ─────────────────────────────────────────────────────────────────────────────────────────


class Disturbed(KintoneApp):
    """Somebody does something just before each write."""

    disturb: Callable[[], object]

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        if method == "PUT":
            self.disturb()
        return super().call(method, path, body)


def working(
    domain: FakeDomain,
    app: FakeApp,
    disturb: Callable[[], object],
    patience: Patience | None = None,
    daily_limit: int = 10_000,
) -> Normalising:
    settings = KintoneSettings.read({"KINTONE_BASE_URL": domain.url})
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    line = Domain(settings, Budget(daily_limit, None), clock=lambda: now[0])
    client = Disturbed(line, app.id, [SecretStr(app.token("view", "edit"))])
    client.disturb = disturb
    mapping = CustomerApp.model_validate(
        {"app": app.id, "token": "t", "name": "氏名", "phones": ["電話"], "normalised": ["電話_正規化"]}
    )
    return Normalising(client, mapping, "JP", write=True, patience=patience or Patience(wait))


def once(action: Callable[[], object]) -> Callable[[], object]:
    """The action the first time, and nothing from then on."""
    left = [action]
    return lambda: left.pop()() if left else None


def test_a_record_that_was_edited_meanwhile_is_looked_at_again(domain: FakeDomain, people: FakeApp) -> None:
    people.add_many({"電話": number(n)} for n in range(20))
    report = working(domain, people, once(lambda: people.change("7", 電話="03-6555-9999"))).run()

    assert normalised(people)[6] == "+81365559999", "what stands there now, not what stood there before"
    assert all(normalised(people))
    assert not report.busy


def test_a_record_that_is_edited_all_the_time_is_left_and_told(domain: FakeDomain, people: FakeApp) -> None:
    people.add_many({"電話": number(n)} for n in range(20))

    report = working(domain, people, lambda: people.change("7", 備考="…")).run()

    assert report.busy == ["7"]
    assert [place for place, value in enumerate(normalised(people)) if not value] == [6]


def test_a_record_that_is_deleted_meanwhile_is_forgotten(domain: FakeDomain, people: FakeApp) -> None:
    people.add_many({"電話": number(n)} for n in range(5))
    report = working(domain, people, once(lambda: people.delete("3"))).run()
    assert report.changed == 4
    assert not report.refused
    assert all(normalised(people))


def test_a_lost_answer_is_no_lost_write(domain: FakeDomain, people: FakeApp) -> None:
    people.add_many({"電話": number(n)} for n in range(150))
    domain.trouble("cut after commit", times=1, method="PUT")

    report = working(domain, people, lambda: None).run()
    assert all(normalised(people))
    assert report.changed == 150
    assert not report.busy


def test_kintone_asking_to_wait_is_waited_for(domain: FakeDomain, people: FakeApp) -> None:
    people.add(電話=number(1))
    domain.trouble("too many requests", times=2, method="PUT", retry_after="7")
    assert working(domain, people, lambda: None).run().changed == 1


def test_the_last_of_the_days_requests_are_left_to_calls(domain: FakeDomain, people: FakeApp) -> None:
    people.add_many({"電話": number(n)} for n in range(1_200))
    domain.forget()
    work = working(domain, people, lambda: None, daily_limit=10)

    with pytest.raises(ConnectorUnavailable, match="09:00"):
        work.run()
    assert len(domain.requests(people)) == 9
    assert work.report.last == work.report.changed > 0, "how far it got, to go on from tomorrow"


def test_patience_ends(domain: FakeDomain, people: FakeApp) -> None:
    waited: list[float] = []
    with domain.trouble("maintenance") as trouble, pytest.raises(ConnectorUnavailable):
        working(domain, people, lambda: None, Patience(waited.append)).run()
    assert trouble.met == 7
    assert waited == sorted(waited)
