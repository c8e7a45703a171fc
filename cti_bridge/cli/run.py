"""The commands that run something: serve, migrate, simulate, demo, bench."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from cti_bridge.cli.words import connect, fail, say
from cti_bridge.settings import DEFAULT_DATABASE, Settings
from cti_bridge.store import Database


@click.command()
def serve() -> None:
    """Run the bridge under gunicorn. PORT sets the port (8000); a SQLite database is migrated first."""
    settings = Settings.read()
    database = connect(settings.database_url.get_secret_value())
    if database.is_sqlite:
        _migrate(database)
    database.close()
    command = [sys.executable, "-m", "gunicorn", "-c", "python:cti_bridge.serving", "cti_bridge.app:create_app()"]
    os.execv(sys.executable, command)  # noqa: S606  (no shell: this process becomes gunicorn)


@click.command()
def migrate() -> None:
    """Bring the database's tables up to this version. Needs no setting but DATABASE_URL."""
    _migrate(connect(os.environ.get("DATABASE_URL") or DEFAULT_DATABASE))
    say("データベースは最新です。", "The database is up to date.")


@click.command()
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER=VOICE_URL…")
@click.option("--port", default=5081, show_default=True, help="Where it listens, on this machine only.")
@click.option("--account-sid", envvar="TWILIO_ACCOUNT_SID", help="Made up when not given.")
@click.option("--auth-token", envvar="TWILIO_AUTH_TOKEN", help="Made up when not given.")
def simulate(numbers: tuple[str, ...], port: int, account_sid: str | None, auth_token: str | None) -> None:
    """Play Twilio on this machine: +815031234567=http://127.0.0.1:8000/twilio/voice/incoming"""
    from cti_bridge.simulator import Simulator, serve  # noqa: PLC0415

    pairs = dict(number.split("=", 1) for number in numbers if "=" in number)
    if len(pairs) < len(numbers):
        raise fail("NUMBER=VOICE_URL の形で指定してください。", "Write each as NUMBER=VOICE_URL.")

    def ready(simulator: Simulator) -> None:
        click.echo(f"CTI_TWILIO_API_URL={simulator.url}")
        click.echo(f"TWILIO_ACCOUNT_SID={simulator.account_sid}")
        click.echo(f"TWILIO_AUTH_TOKEN={simulator.auth_token}")

    try:
        serve(pairs, port=port, account_sid=account_sid, auth_token=auth_token, ready=ready)
    except OSError as problem:
        raise fail(f"ポート {port} が使えません: {problem}", f"Port {port} cannot be used: {problem}") from problem


@click.command()
@click.option("--port", default=5080, show_default=True, help="The bridge's port.")
@click.option("--demo-port", default=5081, show_default=True, help="The demo page's port.")
@click.option("--home", type=click.Path(path_type=Path), default=Path(".demo"), show_default=True)
@click.option("--open", "open_browser", is_flag=True, help="Open the page in a browser.")
def demo(port: int, demo_port: int, home: Path, *, open_browser: bool) -> None:
    """The whole thing on this machine, without any account: embedded CRM, simulated phones, a page to look at."""
    from cti_bridge.demo import run as demo_run  # noqa: PLC0415

    sys.exit(demo_run.run(port=port, demo_port=demo_port, home=home, open_browser=open_browser))


@click.command()
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the table to this file.")
@click.option("--quick", is_flag=True, help="A tenth of the load: for trying the bench itself.")
def bench(json_file: Path | None, quick: bool) -> None:
    """Measure the budgets as ratios against baselines that run beside them."""
    from cti_bridge.bench import run as bench_run  # noqa: PLC0415

    bench_run.run(json_file=json_file, quick=quick)


def _migrate(database: Database) -> None:
    from cti_bridge.store import migrate as migrations  # noqa: PLC0415

    migrations.upgrade(database)


COMMANDS = (serve, migrate, simulate, demo, bench)
