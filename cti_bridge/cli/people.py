"""``cti-bridge agents …``: who takes calls, what they may, and how they get in. The numbers they ring on: ``lines``."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TypeVar

import click
from sqlalchemy.exc import IntegrityError

from cti_bridge.auth import Auth, Warden
from cti_bridge.cli.words import LANGUAGES, fail, open_database, read_number, say
from cti_bridge.clock import utc_now
from cti_bridge.errors import BadRequest, NotFound
from cti_bridge.model import Agent, Role
from cti_bridge.settings import Settings
from cti_bridge.store import Database, audit, directory
from cti_bridge.store.audit import COMMAND_LINE, agent_subject
from cti_bridge.store.directory import read_directory

T = TypeVar("T")

ROLES = click.Choice([role.value for role in Role])


@click.group()
def agents() -> None:
    """The people who take calls."""


@agents.command("add")
@click.argument("email")
@click.option("--name", required=True, help="As colleagues see it: 佐藤 花子.")
@click.option("--phone", help="Their own telephone, for calls and click-to-dial: 090-1234-5678.")
@click.option("--language", type=LANGUAGES, default="ja", show_default=True, help="Of their screen.")
@click.option("--role", type=ROLES, default="agent", show_default=True, help="What they may see and do.")
@click.password_option(help="At least ten characters; asked for when not given.")
def add_agent(email: str, name: str, phone: str | None, language: str, role: str, password: str) -> None:
    """Add an agent, who signs in with EMAIL. The first administrator is made like this too."""
    settings, database = open_database()
    auth = _auth(settings, database)
    hashed = _or_too_short(lambda: auth.hash_password(password))
    number = read_number(settings, phone) if phone else None
    try:
        with database.transaction() as connection:
            agent_id = directory.add_agent(
                connection,
                email=email,
                name=name,
                password_hash=hashed,
                language=language,
                phone=number,
                role=Role(role),
            )
            audit.note(connection, COMMAND_LINE, "agent_added", agent_subject(agent_id), utc_now(), role=role)
    except IntegrityError:
        raise fail(f"{email} はすでに登録されています。", f"There is an agent {email} already.") from None
    say(f"{name} を登録しました（番号 {agent_id}）。", f"Added {name} (agent {agent_id}).")


@agents.command("list")
def list_agents() -> None:
    """Show all agents, their roles, and the lines that ring them."""
    _, database = open_database()
    with database.reading() as connection:
        known = read_directory(connection)
    for agent in known.agents.values():
        lines = ", ".join(line.name for line in known.lines_ringing(agent))
        codes = "  +TOTP" if agent.second_factor else ""
        phone = agent.phone or "-"
        click.echo(f"{agent.id:>4}  {agent.name}  {agent.email}  {phone}  {agent.role}{codes}  [{lines or '-'}]")


@agents.command("change")
@click.argument("email")
@click.option("--name")
@click.option("--phone", help="Their own telephone; an empty text takes it away.")
@click.option("--language", type=LANGUAGES)
@click.option("--role", type=ROLES, help="What they may see and do; they sign in again.")
@click.option("--password", help="A new password, at least ten characters; they sign in again.")
@click.option("--active/--inactive", default=None, help="Inactive agents cannot sign in and do not ring.")
def change_agent(
    email: str,
    name: str | None,
    phone: str | None,
    language: str | None,
    role: str | None,
    password: str | None,
    active: bool | None,
) -> None:
    """Change what is given, of the agent who signs in with EMAIL."""
    settings, database = open_database()
    values: dict[str, object] = {"name": name, "language": language}
    changes = {column: value for column, value in values.items() if value is not None}
    if phone is not None:
        changes["phone"] = read_number(settings, phone) if phone else None
    agent = _find(database, email)
    if agent is None or (not changes and role is None and password is None and active is None):
        raise fail(
            f"{email} という担当者はいないか、変更がありません。", f"There is no agent {email}, or nothing to change."
        )
    warden = Warden(_auth(settings, database), database)
    if password is not None:
        _or_too_short(lambda: warden.set_password(agent, password, COMMAND_LINE))
    if role is not None:
        warden.set_role(agent, Role(role), COMMAND_LINE)
    if active is not None:
        warden.set_active(agent, COMMAND_LINE, active=active)
    if changes:
        with database.transaction() as connection:
            directory.change_agent(connection, agent.id, **changes)
            about = agent_subject(agent.id)
            audit.note(connection, COMMAND_LINE, "agent_changed", about, utc_now(), fields=sorted(changes))
    say(f"{email} を変更しました。", f"Changed {email}.")


@agents.command("sign-out")
@click.argument("email")
def sign_out(email: str) -> None:
    """End all sign-ins of the agent EMAIL, on every screen, within seconds."""
    warden, agent = _warden_of(email)
    ended = warden.sign_out(agent, COMMAND_LINE)
    say(f"{email} のサインインを{ended}件終了しました。", f"Ended {ended} sign-in(s) of {email}.")


@agents.command("reset-password")
@click.argument("email")
@click.option("--password", help="The new one, at least ten characters; made up and shown when not given.")
def reset_password(email: str, password: str | None) -> None:
    """Give the agent EMAIL a new password, end their sign-ins, and lift a lock-out."""
    warden, agent = _warden_of(email)
    chosen = password or secrets.token_urlsafe(12)
    _or_too_short(lambda: warden.set_password(agent, chosen, COMMAND_LINE))
    told = "" if password else f" {chosen}"
    say(f"{email} のパスワードを変更しました。{told}", f"Changed the password of {email}.{told}")


@agents.command("reset-totp")
@click.argument("email")
def reset_totp(email: str) -> None:
    """Take away the one-time codes of the agent EMAIL, who lost their device, and end their sign-ins."""
    warden, agent = _warden_of(email)
    try:
        warden.reset_totp(agent, COMMAND_LINE)
    except NotFound:
        raise fail(f"{email} は確認コードを使っていません。", f"{email} has no one-time codes.") from None
    say(
        f"{email} の確認コードを解除しました。次のサインインは、パスワードだけでできます。",
        f"Took the one-time codes of {email} away. The next sign-in needs only the password.",
    )


@agents.command("unlock")
@click.argument("email")
def unlock(email: str) -> None:
    """Forget the failed tries at the account of EMAIL, so that they can sign in at once."""
    warden, agent = _warden_of(email)
    warden.unlock(agent, COMMAND_LINE)
    say(f"{email} のサインイン停止を解除しました。", f"{email} can sign in again at once.")


def _warden_of(email: str) -> tuple[Warden, Agent]:
    settings, database = open_database()
    agent = _find(database, email)
    if agent is None:
        raise fail(f"{email} という担当者はいません。", f"There is no agent {email}.")
    return Warden(_auth(settings, database), database), agent


def _find(database: Database, email: str) -> Agent | None:
    with database.reading() as connection:
        return directory.whoever(connection, email)


def _auth(settings: Settings, database: Database) -> Auth:
    return Auth(settings.secret_key.get_secret_value(), database)


def _or_too_short(work: Callable[[], T]) -> T:
    try:
        return work()
    except BadRequest as problem:
        shortest = problem.values["shortest"]
        raise fail(
            f"パスワードは{shortest}文字以上にしてください。", f"The password needs at least {shortest} characters."
        ) from None
