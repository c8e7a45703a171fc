"""Serving and migrating from the command line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.conftest import SETTINGS, Terminal


def test_migrating_needs_the_databases_address_alone(empty_terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name)
    assert "up to date" in empty_terminal.run("migrate")


def test_commands_ask_for_the_tables_first(empty_terminal: Terminal) -> None:
    assert "cti-bridge migrate" in empty_terminal.run("agents", "list", code=1)


def test_simulate_wants_pairs_of_number_and_address(terminal: Terminal) -> None:
    assert "NUMBER=VOICE_URL" in terminal.run("simulate", "+815031234567", code=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"CTI_PUBLIC_URL": "http://cti.example.co.jp"}, "CTI_PUBLIC_URL: use https"),
        ({"WEB_CONCURRENCY": "2"}, "SQLite serves one process only"),
        ({"CTI_CONNECTOR": "nothing"}, "CTI_CONNECTOR: there is no connector"),
    ],
)
def test_a_wrong_setting_stops_gunicorn_with_a_sentence_and_no_traceback(
    empty_terminal: Terminal, changes: dict[str, str], words: str
) -> None:
    environment = {**os.environ, **SETTINGS, "DATABASE_URL": empty_terminal.database_url, **changes}
    command = [sys.executable, "-m", "gunicorn", "-c", "python:cti_bridge.serving", "cti_bridge.app:create_app()"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr
