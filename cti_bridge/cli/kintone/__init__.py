"""``cti-bridge kintone …``: setting kintone up. The options; what happens is in the modules beside this one.

Those are imported when a command runs: most bridges have no kintone, and its library is slow to load.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

APP = click.IntRange(1, 999_999_999)


@click.group()
def kintone() -> None:
    """Set kintone up: the call-log app, the mapping, normalised numbers."""


@kintone.command("setup")
@click.option(
    "--app", type=APP, metavar="ID", help="Complete this app. Default: the one called --name, else a new one."
)
@click.option("--name", help="What the call-log app is called. Default: 通話履歴 or Call log.")
@click.option("--no-call-log", is_flag=True, help="Leave the call-log app alone.")
@click.option(
    "--normalised-field",
    "customers",
    type=APP,
    multiple=True,
    metavar="ID",
    help="Give this customer app a field beside each telephone field for the number as +81312345678. Repeatable.",
)
@click.option(
    "--guest-space", type=APP, metavar="ID", help="The guest space of the apps. Default: KINTONE_GUEST_SPACE."
)
@click.option("--user", help="The administrator's login name. Default: KINTONE_ADMIN_USER, else asked for.")
@click.option("--yes", is_flag=True, help="Do not ask before changing kintone.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
def setup(**options: Any) -> None:
    """Make or complete the call-log app. Shows first what it will do; safe to repeat."""
    from cti_bridge.cli.kintone.setting_up import set_up  # noqa: PLC0415

    set_up(**options)


@kintone.command("map")
@click.option("--app", "customers", type=APP, multiple=True, metavar="ID", help="A customer app. Repeatable.")
@click.option("--call-log", type=APP, metavar="ID", help="The call-log app.")
@click.option("--related", type=APP, multiple=True, metavar="ID", help="An app of orders, cases, visits … Repeatable.")
@click.option(
    "--token",
    "tokens",
    multiple=True,
    metavar="ID=$NAME",
    help="The setting that holds an app's API token (quote the $), or the token itself. "
    "Default: $KINTONE_TOKEN_ID, else asked for. Repeatable.",
)
@click.option(
    "--guest-space", type=APP, metavar="ID", help="The guest space of the apps. Default: KINTONE_GUEST_SPACE."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="Where to write. Default: KINTONE_MAPPING, else kintone.toml. - is the terminal.",
)
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
def map_(**options: Any) -> None:
    """Ask the apps for their fields and write a first mapping to edit."""
    from cti_bridge.cli.kintone.mapping import write_mapping  # noqa: PLC0415

    write_mapping(**options)


@kintone.command("normalise")
@click.option("--app", "apps", type=APP, multiple=True, metavar="ID", help="Only this customer app. Repeatable.")
@click.option("--write", is_flag=True, help="Write. Without it, only counts and examples are shown.")
@click.option(
    "--unreadable",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A CSV file for the telephone fields that cannot be read.",
)
@click.option("--after", type=click.IntRange(0), default=0, metavar="RECORD", help="Begin behind this record number.")
def normalise(**options: Any) -> None:
    """Fill the normalised fields of existing records. Without --write nothing is changed; safe to repeat."""
    from cti_bridge.cli.kintone.normalising import fill  # noqa: PLC0415

    fill(**options)
