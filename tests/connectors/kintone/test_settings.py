"""Settings of the kintone connector: what is accepted, and how mistakes are explained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cti_bridge.connector import Resources
from cti_bridge.connectors.kintone import KintoneConnector
from cti_bridge.connectors.kintone.settings import KintoneSettings
from cti_bridge.errors import SettingsError
from tests.connectors.kintone.company import KintoneCompany


@pytest.mark.parametrize(
    "url", ["https://acme.cybozu.com", "https://acme.kintone.com/", "https://acme.cybozu.cn", "http://127.0.0.1:8080"]
)
def test_a_kintone_domain_is_accepted(url: str) -> None:
    assert KintoneSettings.read({"KINTONE_BASE_URL": url}).base_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme.cybozu.com",
        "http://acme.cybozu.com",
        "https://acme.cybozu.com/k/12/",
        "https://evil.example/?acme.cybozu.com",
        "https://evilcybozu.com",
        "https://user:secret@acme.cybozu.com",
        "https://acme.s.cybozu.com",
        "http://kintone.internal",
    ],
)
def test_anything_else_is_refused_by_the_settings_name(url: str) -> None:
    with pytest.raises(SettingsError, match="KINTONE_BASE_URL"):
        KintoneSettings.read({"KINTONE_BASE_URL": url})


@pytest.mark.parametrize(("processes", "each"), [("1", 5), ("2", 2), ("8", 1)])
def test_processes_share_the_requests_at_once(processes: str, each: int) -> None:
    settings = KintoneSettings.read({"KINTONE_BASE_URL": "https://acme.cybozu.com", "WEB_CONCURRENCY": processes})

    assert settings.concurrency == each


@pytest.mark.parametrize(("language", "said"), [("ja", "ユーザー名:パスワード"), ("en", "user:password")])
def test_a_mistake_is_explained_in_the_administrators_language(
    monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)

    with pytest.raises(SettingsError, match=said):
        KintoneSettings.read({"KINTONE_BASE_URL": "https://acme.cybozu.com", "KINTONE_BASIC_AUTH": "hanako"})


def test_no_secret_shows_in_what_is_printed() -> None:
    settings = KintoneSettings.read(
        {
            "KINTONE_BASE_URL": "https://acme.cybozu.com",
            "KINTONE_BASIC_AUTH": "hanako:himitsu",
            "KINTONE_MAPPING_TOML": 'token = "himitsu"',
        }
    )

    assert "himitsu" not in repr(settings) + str(settings)


def test_opening_reads_the_mapping_and_asks_kintone_nothing(company: KintoneCompany) -> None:
    company.open()

    assert company.domain.requests() == []


def test_a_mapping_may_be_a_file(company: KintoneCompany, tmp_path: Path) -> None:
    path = tmp_path / "kintone.toml"
    path.write_text(company.environment.pop("KINTONE_MAPPING_TOML"), encoding="utf-8")
    company.environment["KINTONE_MAPPING"] = str(path)

    assert company.open().apps.mapping == company.connector.apps.mapping


def test_a_mapping_that_windows_saved_with_a_mark_at_its_beginning_is_read(
    company: KintoneCompany, tmp_path: Path
) -> None:
    text = "\ufeff" + company.environment["KINTONE_MAPPING_TOML"]
    path = tmp_path / "kintone.toml"
    path.write_text(text, encoding="utf-8")

    for settings in ({"KINTONE_MAPPING_TOML": text}, {"KINTONE_MAPPING": str(path)}):
        bare = {name: value for name, value in company.environment.items() if not name.startswith("KINTONE_MAPPING")}
        opened = KintoneConnector.open(Resources(environment=bare | settings))
        assert opened.apps.mapping == company.connector.apps.mapping


@pytest.mark.parametrize(("language", "said"), [("ja", "UTF-8にして保存し直してください"), ("en", "is not in UTF-8")])
def test_a_mapping_in_shift_jis_is_told_to_be_saved_as_utf_8(
    company: KintoneCompany, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", language)
    path = tmp_path / "kintone.toml"
    path.write_text(company.environment.pop("KINTONE_MAPPING_TOML"), encoding="cp932")

    with pytest.raises(SettingsError, match=said):
        KintoneConnector.open(Resources(environment=company.environment | {"KINTONE_MAPPING": str(path)}))


def test_a_mapping_that_is_not_there_is_named_with_its_mend(tmp_path: Path) -> None:
    environment = {"KINTONE_BASE_URL": "https://acme.cybozu.com", "KINTONE_MAPPING": str(tmp_path / "none.toml")}

    with pytest.raises(SettingsError, match=r"(?s)KINTONE_MAPPING.*none\.toml.*cti-bridge kintone map"):
        KintoneConnector.open(Resources(environment=environment))


def test_the_panel_may_stand_in_this_domains_pages(company: KintoneCompany) -> None:
    assert company.connector.screen.origins == (company.domain.url,)


@pytest.mark.parametrize(("language", "said"), [("ja", "地域名"), ("en", "such as TZ=Asia/Tokyo")])
def test_a_time_zone_that_the_library_stumbles_over_is_explained(language: str, said: str) -> None:
    program = (
        "from cti_bridge.errors import SettingsError\n"
        "try:\n"
        "    import cti_bridge.connectors.kintone\n"
        "except SettingsError as problem:\n"
        "    print(problem)\n"
    )
    environment = {"TZ": "JST-9", "CTI_LANGUAGE": language, "PYTHONIOENCODING": "utf-8", "PATH": ""}

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )

    assert said in done.stdout, f"The import told: {done.stdout!r} {done.stderr[-500:]!r}"
