"""``cti-bridge doctor`` and ``lines connect``: the whole chain looked over, a test card, and numbers set right at Twilio.

What is looked at, and how, is ``cti_bridge.doctor``'s; here it is printed.
"""

from __future__ import annotations

import signal
import time
from datetime import timedelta
from functools import partial
from types import FrameType

import click

from cti_bridge.app import open_connector
from cti_bridge.cli.words import connect, fail, open_database, say, show
from cti_bridge.doctor import Doctor, settings_unreadable, wiring
from cti_bridge.doctor.pop import SHOWN, SWEPT, Rehearsal
from cti_bridge.environment import administrators_language
from cti_bridge.errors import NumberUnreadable, PhoneNetworkError, SettingsError
from cti_bridge.live.hub import Hub, PostgresHub
from cti_bridge.model import Severity
from cti_bridge.phone import PhoneNumber
from cti_bridge.settings import Settings
from cti_bridge.store import Database
from cti_bridge.store.directory import Directory, read_directory
from cti_bridge.twilio.rest import OwnNumber, PhoneNetwork

PREFIX = click.option("--prefix", default="", metavar="/PHONE", help="The url_prefix, inside a Flask app of your own.")


@click.command()
@PREFIX
@click.option("--pop", "email", metavar="EMAIL", help="At the end, show a test card on this agent's screen.")
@click.option(
    "--for",
    "seconds",
    type=click.IntRange(4, 60),
    default=int(SHOWN.total_seconds()),
    show_default=True,
    help="How many seconds the test card stays.",
)
def doctor(prefix: str, email: str | None, seconds: int) -> None:
    """Check the whole chain in plain words: settings, database, public address, Twilio, lines, CRM, logs."""
    try:
        settings = Settings.read()
    except SettingsError as problem:
        show(settings_unreadable(problem))
        raise SystemExit(1) from None
    database = connect(settings.database_url.get_secret_value())
    examined = Doctor(
        settings, database, partial(open_connector, settings, database), PhoneNetwork(settings), prefix=prefix
    )
    worst = 0
    for finding in examined.examine():
        show(finding)
        worst = max(worst, int(finding.severity is Severity.ERROR))
    if email is not None:
        _pop(email, timedelta(seconds=seconds))
    raise SystemExit(worst)


def _pop(email: str, shown: timedelta) -> None:
    _, database = open_database()
    known = _read(database)
    agent = known.agent_by_email(email)
    if agent is None:
        raise fail(f"{email} という担当者はいません。", f"There is no agent {email}.")
    hub = Hub() if database.is_sqlite else PostgresHub(database.url)
    rehearsal = Rehearsal(database, hub)
    before = signal.signal(signal.SIGTERM, _end)
    hub.start()
    try:
        call_id = rehearsal.show(agent, known)
        say(
            f"{email} の画面に、テストのカードが3秒以内に出ます。"
            f"{shown.total_seconds():.0f}秒で自動的に消え、記録は残りません。",
            f"A test card appears on {email}'s screen within 3 seconds. It goes away by itself after "
            f"{shown.total_seconds():.0f} seconds and leaves no record.",
        )
        try:
            pause(shown)
        finally:
            rehearsal.end(call_id)
            pause(SWEPT)
            rehearsal.forget(call_id)
    finally:
        hub.stop()
        signal.signal(signal.SIGTERM, before)
    say(
        "出なかった場合: パネルを開いてサインインしていますか。パネルの表示が「接続中」のままなら、"
        "途中のプロキシーがWebSocket（/live）を通しているか確かめてください。音が鳴らない場合は、パネルの「着信音を試す」を押してください。",
        "If it did not: is the panel open and signed in? If it keeps connecting, does the proxy before the bridge let "
        "WebSockets (/live) through? If it made no sound, press “Test the sound” in the panel.",
    )


def pause(length: timedelta) -> None:
    time.sleep(length.total_seconds())


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)  # so that the card is taken down on the way out


# ── at Twilio ────────────────────────────────────────────────────────────────────────────────────────────────────────


@click.command("connect")
@click.argument("numbers", nargs=-1)
@PREFIX
@click.option(
    "--fallback", metavar="URL", help="Asked when the bridge cannot be reached: a TwiML Bin. Else left as it is."
)
@click.option("--yes", is_flag=True, help="Do not ask before changing anything.")
def connect_lines(numbers: tuple[str, ...], prefix: str, fallback: str | None, *, yes: bool) -> None:
    """Have Twilio ask this bridge when NUMBER is called; without NUMBER, for all lines. Shows first what will change."""
    settings, database = open_database()
    network = PhoneNetwork(settings)
    base = settings.public_url + prefix.rstrip("/")
    try:
        at_twilio = {number.number: number for number in network.own_numbers()}
        for wanted in _chosen(settings, _read(database), numbers):
            _connect(network, at_twilio, wanted, base, fallback, yes=yes)
    except PhoneNetworkError as problem:
        raise fail(
            f"Twilioが応答しないか、断りました（{problem.code}）: {problem}",
            f"Twilio did not answer, or refused ({problem.code}): {problem}",
        ) from problem


def _chosen(settings: Settings, known: Directory, numbers: tuple[str, ...]) -> list[str]:
    lines = [line.number for line in known.lines.values()]
    if not numbers:
        return lines
    chosen = []
    for text in numbers:
        try:
            e164 = PhoneNumber.parse(text, settings.region).e164
        except NumberUnreadable:
            raise fail(f"{text} は電話番号として読めません。", f"{text} is not a telephone number.") from None
        if e164 not in lines:
            raise fail(
                f"{text} という回線はありません。先に追加してください: cti-bridge lines add",
                f"There is no line {text}. Add it first: cti-bridge lines add",
            )
        chosen.append(e164)
    return chosen


def _connect(
    network: PhoneNetwork, at_twilio: dict[str, OwnNumber], wanted: str, base: str, fallback: str | None, *, yes: bool
) -> None:
    number = at_twilio.get(wanted)
    if number is None:
        raise fail(
            f"{wanted} は、このTwilioアカウントの番号ではありません。",
            f"{wanted} is not a number of this Twilio account.",
        )
    if number.trunk_sid:
        raise fail(
            f"{wanted} はSIPトランクに割り当てられています。先にコンソールでトランクから外してください。",
            f"{wanted} belongs to a SIP trunk. Take it out of the trunk in Twilio's console first.",
        )
    changes = wiring.changes(number, base, fallback)
    if not changes:
        say(f"{wanted}: 変更はありません。", f"{wanted}: nothing to change.")
        return
    ja = administrators_language() == "ja"
    click.echo(f"{wanted}:")
    for change in changes:
        click.echo(f"  {change.ja if ja else change.en}\n    - {change.before or '-'}\n    + {change.after or '-'}")
    if not yes:
        click.confirm("Twilioの設定を変更しますか" if ja else "Change this at Twilio?", abort=True)
    undone = wiring.connect(network, number, base, fallback)
    if undone:
        names = ", ".join(change.ja if ja else change.en for change in undone)
        raise fail(f"Twilioで変更できなかったもの: {names}", f"Twilio did not take: {names}")
    say(f"{wanted}: 変更しました。", f"{wanted}: changed.")


def _read(database: Database) -> Directory:
    with database.reading() as connection:
        return read_directory(connection)
