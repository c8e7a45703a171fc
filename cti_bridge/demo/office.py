"""The invented office of the demonstration: its lines, its agents with their telephones, its secrets and settings."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from cti_bridge.auth import Auth
from cti_bridge.demo import customers
from cti_bridge.model import Language
from cti_bridge.store import Database, directory, migrate
from cti_bridge.store.records import Records

PASSWORD = "minato-demo"  # noqa: S105  (shown on the demo's page; the demo listens on this machine only)
COUNTRIES = "JP US GB AU FR DE"
MOST_SOCKETS = 40


@dataclass(frozen=True, slots=True)
class DemoAgent:
    """Somebody who takes calls in the demo. ``phone`` is their own telephone, E.164."""

    name: str
    email: str
    language: Language
    phone: str


@dataclass(frozen=True, slots=True)
class DemoLine:
    """A number of the demo's firm, E.164, and the e-mail addresses of the agents that it rings."""

    number: str
    name: str
    greeting: str
    language: Language
    rings: tuple[str, ...]


AGENTS = (
    DemoAgent("佐藤 美穂", "sato@minato-air.example", "ja", "+815000000901"),
    DemoAgent("鈴木 拓也", "suzuki@minato-air.example", "ja", "+815000000902"),
    DemoAgent("Emily Brown", "emily@minato-air.example", "en", "+815000000903"),
)
"""All numbers of the demo's office are of the block 050-0000, which is not assigned."""

LINES = (
    DemoLine(
        "+815000000100",
        "代表",
        "お電話ありがとうございます。ミナトエアでございます。",
        "ja",
        ("sato@minato-air.example", "suzuki@minato-air.example"),
    ),
    DemoLine(
        "+815000000200",
        "English support",
        "Thank you for calling Minato Air. How can I help you?",
        "en",
        ("sato@minato-air.example", "emily@minato-air.example"),
    ),
)


@dataclass(frozen=True)
class Secrets:
    """What the demo's two sides share, made once. Never shown."""

    secret_key: str
    account_sid: str
    auth_token: str


def keep_secrets(home: Path) -> Secrets:
    """The secrets in ``home``, made at the first start in a file that only this user can read."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / ".gitignore").write_text("*\n", "utf-8")  # nobody commits secrets by accident
    file = home / "secrets.json"
    try:
        return Secrets(**json.loads(file.read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        pass
    made = Secrets(secrets.token_urlsafe(48), f"AC{secrets.token_hex(16)}", secrets.token_hex(16))
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(asdict(made), out)
    return made


def open_database(home: Path) -> Database:
    return Database(f"sqlite:///{database_file(home)}")


def database_file(home: Path) -> Path:
    return home.resolve() / "demo.db"


def furnish(database: Database, made: Secrets) -> None:
    """Bring the tables up to date, load the customers, and employ whoever of the office is not there yet."""
    migrate.upgrade(database)
    customers.load(Records(database), datetime.now(UTC))
    add_office(database, made, AGENTS, LINES)


def add_office(
    database: Database, made: Secrets, agents: tuple[DemoAgent, ...], lines: tuple[DemoLine, ...]
) -> dict[str, int]:
    """Add the agents and lines that are missing; the agents' ids by e-mail address. All have the demo's password."""
    with database.reading() as connection:
        known = directory.read_directory(connection)
    ids = {agent.email: agent.id for agent in known.agents.values()}
    new = [agent for agent in agents if agent.email not in ids]
    hashed = Auth(made.secret_key, database).hash_password(PASSWORD) if new else ""
    with database.transaction() as connection:
        for agent in new:
            ids[agent.email] = directory.add_agent(connection, **asdict(agent), password_hash=hashed)
        for line in lines:
            if known.line_of(line.number) is None:
                words = {**asdict(line)}
                rings = words.pop("rings")
                directory.add_line(connection, **words, agent_ids=[ids[email] for email in rings])
    return ids


def read_lines(database: Database) -> list[str]:
    """The numbers of all lines, E.164."""
    with database.reading() as connection:
        return [line.number for line in directory.read_directory(connection).lines.values()]


def environment(
    made: Secrets, home: Path, *, bridge_url: str, demo_url: str, more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of the bridge's process: this one's, without other bridges' settings, with the demo's."""
    foreign = ("CTI_", "TWILIO_", "SALESFORCE_", "KINTONE_", "GUNICORN_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) and name not in ("DATABASE_URL", "PORT", "WEB_CONCURRENCY", "DYNO")
    }
    return {
        **kept,
        "CTI_PUBLIC_URL": bridge_url,
        "CTI_SECRET_KEY": made.secret_key,
        "CTI_CONNECTOR": "demo",
        "CTI_EMBED_ORIGINS": demo_url,
        "CTI_LOCAL_RECORD_URL": f"{demo_url}/?open={{id}}",
        "CTI_DEMO_CRM_URL": f"{demo_url}/crm-weather/gate",
        "CTI_DIAL_COUNTRIES": COUNTRIES,
        "CTI_MAX_SOCKETS": str(MOST_SOCKETS),
        "CTI_TWILIO_API_URL": demo_url,
        "DATABASE_URL": f"sqlite:///{database_file(home)}",
        "TWILIO_ACCOUNT_SID": made.account_sid,
        "TWILIO_AUTH_TOKEN": made.auth_token,
        **(more or {}),
    }
