"""What the commands print, in the administrator's language: CTI_LANGUAGE, else the terminal's."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any

import click

from cti_bridge.environment import administrators_language
from cti_bridge.errors import NumberUnreadable
from cti_bridge.model import Finding, Severity
from cti_bridge.phone import PhoneNumber
from cti_bridge.settings import Settings
from cti_bridge.store import Database

LANGUAGES = click.Choice(["ja", "en"])

MARKS = {Severity.OK: ("✓", "green"), Severity.WARNING: ("!", "yellow"), Severity.ERROR: ("✗", "red")}


def say(ja: str, en: str, *, error: bool = False) -> None:
    """Print one line in the administrator's language."""
    click.echo(ja if administrators_language() == "ja" else en, err=error)


def fail(ja: str, en: str) -> click.ClickException:
    """The exception that ends a command with this sentence."""
    return click.ClickException(ja if administrators_language() == "ja" else en)


def show(finding: Finding) -> None:
    mark, colour = MARKS[finding.severity]
    text = finding.ja if administrators_language() == "ja" else finding.en
    click.echo(f"{click.style(mark, fg=colour)} {finding.subject}: {text}")


def connect(url: str) -> Database:
    """The database at this address, closed when the command ends. Raises SettingsError."""
    database = Database(url)
    click.get_current_context().call_on_close(database.close)
    return database


def open_database() -> tuple[Settings, Database]:
    """The settings and the database that they name, without starting a bridge. Raises SettingsError."""
    settings = Settings.read()
    database = connect(settings.database_url.get_secret_value())
    from cti_bridge.store import migrate  # noqa: PLC0415  (alembic is slow to load, and not every command needs it)

    if migrate.behind(database):
        raise fail(
            "データベースのテーブルがないか古いようです。次を実行してください: cti-bridge migrate",
            "The database has no tables yet, or old ones. Run: cti-bridge migrate",
        )
    return settings, database


def read_number(settings: Settings, text: str) -> str:
    """A telephone number as it was typed, in E.164; ends the command when it is none."""
    try:
        return PhoneNumber.parse(text, settings.region).e164
    except NumberUnreadable:
        raise fail(f"{text} は電話番号として読めません。", f"{text} is not a telephone number.") from None


class Progress(ExitStack):
    """A progress bar whose length is known only when it starts."""

    _bar: Any = None
    _done = 0

    def show(self, done: int, total: int) -> None:
        if self._bar is None:
            self._bar = self.enter_context(click.progressbar(length=total, file=sys.stderr))
        self._bar.update(done - self._done)
        self._done = done
