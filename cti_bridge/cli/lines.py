"""``cti-bridge lines …``: the company's own numbers, and whom they ring."""

from __future__ import annotations

from datetime import timedelta

import click
from sqlalchemy.exc import IntegrityError

from cti_bridge.cli.words import LANGUAGES, fail, open_database, read_number, say
from cti_bridge.clock import utc_now
from cti_bridge.store import Database, audit, directory
from cti_bridge.store.audit import COMMAND_LINE
from cti_bridge.store.directory import Directory, read_directory
from cti_bridge.twilio.twiml import CALLING_RETRIES

RING_SECONDS = click.IntRange(5, 120)


@click.group()
def lines() -> None:
    """The company's own numbers at Twilio."""


@lines.command("add")
@click.argument("number")
@click.option("--name", required=True, help="As agents see it: 代表.")
@click.option("--greeting", default="", help="The script to say: お電話ありがとうございます。…")
@click.option("--language", type=LANGUAGES, default="ja", show_default=True, help="Of what callers hear.")
@click.option("--ring", "emails", multiple=True, help="E-mail of an agent who rings; repeat for each.")
@click.option("--ring-seconds", type=RING_SECONDS, default=25, show_default=True, help="How long agents ring.")
@click.option("--record/--no-record", default=False, show_default=True, help="Record conversations.")
def add_line(
    number: str, name: str, greeting: str, language: str, emails: tuple[str, ...], ring_seconds: int, record: bool
) -> None:
    """Add a line: one of our numbers, such as 050-3123-4567."""
    settings, database = open_database()
    e164 = read_number(settings, number)
    ids = _agent_ids(_read(database), emails)
    try:
        with database.transaction() as connection:
            line_id = directory.add_line(
                connection,
                number=e164,
                name=name,
                greeting=greeting,
                language=language,
                ring_timeout=timedelta(seconds=ring_seconds),
                record=record,
                agent_ids=ids,
            )
            audit.note(connection, COMMAND_LINE, "line_added", f"line:{line_id}", utc_now(), record=record)
    except IntegrityError:
        raise fail(f"{number} はすでに回線です。", f"{number} is a line already.") from None
    voice = f"{settings.public_url}/twilio/voice/incoming{CALLING_RETRIES}"
    status = f"{settings.public_url}/twilio/voice/status"
    say(
        f"回線「{name}」を追加しました。Twilioの番号 {e164} に次の2つを設定してください:\n"
        f"  A call comes in:      {voice}\n  Call status changes:  {status}",
        f"Added {name}. At Twilio, set these two of {e164}:\n"
        f"  A call comes in:      {voice}\n  Call status changes:  {status}",
    )


@lines.command("list")
def list_lines() -> None:
    """Show all lines and whom they ring."""
    _, database = open_database()
    known = _read(database)
    for line in known.lines.values():
        names = ", ".join(agent.name for agent in known.agents_of(line))
        click.echo(f"{line.id:>4}  {line.number}  {line.name}  ({line.language})  [{names or '-'}]")


@lines.command("change")
@click.argument("number")
@click.option("--name", help="As agents see it.")
@click.option("--greeting", help="The script to say.")
@click.option("--language", type=LANGUAGES, help="Of what callers hear.")
@click.option("--ring-seconds", type=RING_SECONDS, help="How long agents ring.")
@click.option("--record/--no-record", default=None, help="Record conversations.")
def change_line(
    number: str,
    name: str | None,
    greeting: str | None,
    language: str | None,
    ring_seconds: int | None,
    record: bool | None,
) -> None:
    """Change what is given, of the line NUMBER. Whom it rings: ``lines ring``."""
    settings, database = open_database()
    given = {"name": name, "greeting": greeting, "language": language, "ring_seconds": ring_seconds, "record": record}
    changes = {column: value for column, value in given.items() if value is not None}
    line = _read(database).line_of(read_number(settings, number))
    if line is None or not changes:
        raise fail(f"{number} という回線はありません。", f"There is no line {number}, or nothing to change.")
    with database.transaction() as connection:
        directory.change_line(connection, line.number, **changes)
        audit.note(connection, COMMAND_LINE, "line_changed", f"line:{line.id}", utc_now(), fields=sorted(changes))
    say(f"{number} を変更しました。", f"Changed {number}.")


@lines.command("ring")
@click.argument("number")
@click.argument("emails", nargs=-1)
def ring(number: str, emails: tuple[str, ...]) -> None:
    """Say which agents the line NUMBER rings, instead of whom it rang before."""
    settings, database = open_database()
    known = _read(database)
    line = known.line_of(read_number(settings, number))
    if line is None:
        raise fail(f"{number} という回線はありません。", f"There is no line {number}.")
    with database.transaction() as connection:
        ids = _agent_ids(known, emails)
        directory.set_ringing(connection, line.id, ids)
        audit.note(connection, COMMAND_LINE, "line_ringing_changed", f"line:{line.id}", utc_now(), agents=ids)
    say(f"「{line.name}」の着信先を変更しました。", f"{line.name} now rings: {', '.join(emails) or 'nobody'}")


def _read(database: Database) -> Directory:
    with database.reading() as connection:
        return read_directory(connection)


def _agent_ids(known: Directory, emails: tuple[str, ...]) -> list[int]:
    ids = {agent.email: agent.id for agent in known.agents.values()}
    unknown = [email for email in emails if email.lower() not in ids]
    if unknown:
        raise fail(f"{unknown[0]} という担当者はいません。", f"There is no agent {unknown[0]}.")
    return [ids[email.lower()] for email in emails]
