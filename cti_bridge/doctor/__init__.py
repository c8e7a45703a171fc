"""The whole chain looked over, from the settings to the last pop, each finding in plain words with its mend.

``inside`` is what the database tells, ``address`` whether Twilio's requests arrive as they were signed, ``wiring`` what
is written at Twilio and how to set it, ``pop`` one test card on an agent's screen. Who prints or shows the findings is
elsewhere: a command, or an administrator's page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from cti_bridge.clock import Clock, utc_now
from cti_bridge.connector import Connector
from cti_bridge.doctor import address, inside, wiring
from cti_bridge.doctor.words import bad, well
from cti_bridge.errors import BridgeError, SettingsError, StoreUnavailable
from cti_bridge.logbook import get_logger
from cti_bridge.model import Finding
from cti_bridge.settings import Settings
from cti_bridge.store import Database, migrate
from cti_bridge.store.directory import EMPTY, Directory, read_directory
from cti_bridge.twilio.rest import PhoneNetwork

__all__ = ["Doctor", "settings_unreadable"]

log = get_logger(__name__)

Part = Callable[[], Iterator[Finding]]


def settings_unreadable(problem: SettingsError) -> Finding:
    """What there is to say when not even the settings can be read."""
    return bad("settings", str(problem), str(problem))


class Doctor:
    """Looks the bridge over. ``prefix`` is the extension's ``url_prefix``; ``connector`` opens the CRM, and may raise
    SettingsError."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        connector: Callable[[], Connector],
        network: PhoneNetwork,
        *,
        prefix: str = "",
        clock: Clock = utc_now,
    ) -> None:
        self._settings = settings
        self._database = database
        self._connector = connector
        self._network = network
        self._base = settings.public_url + prefix.rstrip("/")
        self._clock = clock

    def examine(self) -> Iterator[Finding]:
        """Every finding, one by one, as it is made. Changes nothing and never raises."""
        yield well("settings", "読み込めました。", "readable.")
        known, found = self._read_database()
        yield from found
        parts: list[Part] = []
        if known is not None:
            parts += [partial(inside.lines, known), partial(inside.agents, known)]
        parts += [*self._outside(known or EMPTY), self._crm]
        if known is not None:
            parts += [
                partial(inside.lately, self._database, self._clock()),
                partial(inside.outbox, self._database, self._clock()),
            ]
        for part in parts:
            yield from self._guarded(part)

    def _outside(self, known: Directory) -> list[Part]:
        """What only the world outside can tell."""
        token = self._settings.twilio_auth_tokens[0].get_secret_value()
        return [
            partial(address.findings, self._base, token, simulated=self._settings.twilio_api_url is not None),
            partial(wiring.findings, self._settings, self._network, known, self._base),
        ]

    def _read_database(self) -> tuple[Directory | None, list[Finding]]:
        try:
            if migrate.behind(self._database):
                return None, [
                    bad(
                        "database",
                        "データベースのテーブルがないか古いようです。次を実行してください: cti-bridge migrate",
                        "The database has no tables yet, or old ones. Run: cti-bridge migrate",
                    )
                ]
            with self._database.reading() as connection:
                known = read_directory(connection)
        except StoreUnavailable as problem:
            return None, [bad("database", f"接続できません: {problem}", f"cannot be reached: {problem}")]
        return known, [well("database", "接続でき、最新です。", "reachable and up to date.")]

    def _crm(self) -> Iterator[Finding]:
        try:
            connector = self._connector()
        except SettingsError as problem:
            yield bad("connector", str(problem), str(problem))
            return
        yield from connector.check()

    def _guarded(self, part: Part) -> Iterator[Finding]:
        """The part's findings; what breaks it is one, too, and the other parts go on."""
        try:
            yield from part()
        except StoreUnavailable as problem:
            yield bad("database", f"接続できません: {problem}", f"cannot be reached: {problem}")
        except Exception as problem:
            if not isinstance(problem, BridgeError):
                log.exception("doctor_broke")
            told = str(problem) if isinstance(problem, BridgeError) else type(problem).__name__
            yield bad("doctor", f"確かめている途中で問題が起きました: {told}", f"broke while looking: {told}")
