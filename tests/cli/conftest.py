"""An administrator's terminal: settings in the environment, a database of its own, commands run in this process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cti_bridge.cli import main
from cti_bridge.doctor import Doctor
from cti_bridge.store import Database
from tests.fakes.kintone import FakeDomain
from tests.running import logging_to

SETTINGS = {
    "CTI_PUBLIC_URL": "https://cti.example.co.jp",
    "CTI_SECRET_KEY": "a secret for tests that is long enough",
    "CTI_CONNECTOR": "local",
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "an auth token",
}


@dataclass
class Terminal:
    """Runs ``cti-bridge`` with these words."""

    database_url: str
    folder: Path

    def run(self, *words: str, code: int = 0, asks: str | None = None) -> str:
        """What the command printed, standard error too; ``code`` is how it must end, ``asks`` what is typed."""
        result: Result = CliRunner().invoke(main, words, input=asks)
        assert result.exit_code == code, f"cti-bridge {' '.join(words)} ended with {result.exit_code}: {result.output}"
        return re.sub(r"\x1b\[[0-9;]*m", "", result.output)

    def database(self) -> Database:
        return Database(self.database_url)


@pytest.fixture
def empty_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """Settings, but no tables yet; English."""
    url = f"sqlite:///{tmp_path / 'bridge.db'}"
    for name, value in {**SETTINGS, "DATABASE_URL": url, "LANG": "en_GB.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    for name in ("CTI_LANGUAGE", "LC_ALL", "WEB_CONCURRENCY", "DYNO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Doctor, "_outside", lambda *_: [])  # there is no such address; tests/doctor asks the real thing
    with logging_to(StringIO()):  # and no more to the command's own terminal, when that is gone
        yield Terminal(url, tmp_path)


@pytest.fixture
def terminal(empty_terminal: Terminal) -> Terminal:
    """Settings and tables."""
    empty_terminal.run("migrate")
    return empty_terminal


@pytest.fixture
def domain() -> Iterator[FakeDomain]:
    """A kintone domain whose administrator's password is "open sesame"."""
    with FakeDomain() as domain:
        domain.administrator.password = "open sesame"
        yield domain


@pytest.fixture
def kintone(empty_terminal: Terminal, domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal whose settings name that domain and its administrator; commands do not really wait."""
    mapping = empty_terminal.folder / "kintone.toml"
    for name, value in {
        "KINTONE_BASE_URL": domain.url,
        "KINTONE_MAPPING": str(mapping),
        "KINTONE_ADMIN_USER": "Administrator",
        "KINTONE_ADMIN_PASSWORD": "open sesame",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("KINTONE_GUEST_SPACE", "KINTONE_MAPPING_TOML", "KINTONE_BASIC_AUTH", "CTI_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("cti_bridge.cli.kintone.asking.pause", lambda seconds: None)
    return empty_terminal
