"""``cti-bridge salesforce …``: the files that a Salesforce administrator imports or deploys, and what to do with them."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from cti_bridge.cli.salesforce_files import CALL_ID, NORMALISED, SOURCE, CallCentre, call_centre_definition, metadata
from cti_bridge.cli.words import fail, say
from cti_bridge.environment import administrators_language
from cti_bridge.settings import Settings

PAGE = "/widgets/salesforce"
"""Where the bridge serves the panel as Salesforce's softphone."""

ALIAS = "cti-bridge"
"""What Salesforce's command line calls the org once somebody has signed in."""

SETUP = {"ja": "「設定」→ クイック検索に「コールセンター」", "en": "Setup → Quick Find “Call Centers”"}

_INTERNAL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}", re.ASCII)
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*", re.ASCII)
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say, escaped or not."""

Command = Callable[..., Any]


def _about_the_centre(command: Command) -> Command:
    """The options that both commands have."""
    for option in reversed(
        (
            click.option("--internal-name", default="CTIBridge", show_default=True, help="Letters and digits only."),
            click.option("--display-name", default="CTI Bridge", show_default=True, help="As Salesforce shows it."),
            click.option("--height", type=click.IntRange(200, 2000), default=560, show_default=True, help="Pixels."),
            click.option("--width", type=click.IntRange(200, 2000), default=400, show_default=True, help="Pixels."),
            click.option("--standby-url", help="Another softphone, shown when ours does not start."),
            click.option("--timeout", type=click.IntRange(1), help="Milliseconds until then. Goes with --standby-url."),
            click.option("--prefix", default="", help="Where the bridge is in a Flask app of yours: /phone."),
        )
    ):
        command = option(command)
    return command


@click.group()
def salesforce() -> None:
    """Files for setting up Salesforce."""


@salesforce.command("call-center")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True), default="-")
@_about_the_centre
@click.option("--overwrite", is_flag=True, help="Replace FILE when something else stands in it.")
def call_center(file: Path, *, overwrite: bool, **options: Any) -> None:
    """Write the call centre's definition to FILE, or to the terminal, for Setup → Call Centers → Import."""
    text = call_centre_definition(_centre(**options), administrators_language())
    if str(file) == "-":
        click.echo(text, nl=False)
    else:
        _write(file.parent, {file.name: text}, overwrite=overwrite)
    name = "call-center.xml" if str(file) == "-" else file.name
    setup = SETUP[administrators_language()]
    say(
        f"次にすること（Salesforce側）:\n"
        f"  1. {setup} →「コールセンター」→「インポート」で {name} を選びます。\n"
        "  2. 取り込んだコールセンターの「コールセンターのユーザーを管理」→「ユーザーをさらに追加」で担当者を入れます。\n"
        "  3.「アプリケーションマネージャー」→ 使うLightningアプリケーションの「編集」→「ユーティリティ項目」に"
        "「Open CTI ソフトフォン」を加えます。\n"
        "詳しくは docs/salesforce.ja.md。Open CTIは2028年2月28日に終了します。",
        f"What to do next, in Salesforce:\n"
        f"  1. {setup} → Call Centers → Import: choose {name}.\n"
        "  2. In that call center: Manage Call Center Users → Add More Users: your agents.\n"
        "  3. App Manager → your Lightning app → Edit → Utility Items: add Open CTI Softphone.\n"
        "docs/salesforce.md tells more. Open CTI ends on 28 February 2028.",
        error=True,
    )


@salesforce.command("metadata")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@_about_the_centre
@click.option("--call-id/--without-call-id", default=True, help=f"The field {CALL_ID} of Activity. Default: with it.")
@click.option("--call-center/--without-call-center", "with_centre", default=True, help="Default: with it.")
@click.option("--utility-bar", is_flag=True, help="Also the panel for the utility bar, for orgs without Open CTI.")
@click.option("--phone-fields", is_flag=True, help="Also fields for numbers as +81312345678; a Flow must fill them.")
@click.option(
    "--view-all/--by-sharing", default=True, help="Whether the bridge's user sees all customers. Default: all."
)
@click.option("--overwrite", is_flag=True, help="Replace files in which something else stands.")
def metadata_folder(
    folder: Path,
    *,
    call_id: bool,
    with_centre: bool,
    utility_bar: bool,
    phone_fields: bool,
    view_all: bool,
    overwrite: bool,
    **options: Any,
) -> None:
    """Write a FOLDER that Salesforce's command line deploys: permission set, field, call centre."""
    org, api_version = _org()
    centre = _centre(**options)
    files = metadata(
        centre if with_centre else None,
        api_version=api_version,
        language=administrators_language(),
        call_id=call_id,
        normalised=phone_fields,
        view_all=view_all,
        panel_url=centre.adapter_url if utility_bar else None,
    )
    _refuse_strangers(folder, files)
    _write(folder, files, overwrite=overwrite)
    address = f" --instance-url {org}" if org else ""
    commands = "\n".join(
        (
            f"  cd {shlex.quote(str(folder))}",
            f"  sf org login web --alias {ALIAS}{address}",
            f"  sf project deploy start --source-dir {SOURCE} --target-org {ALIAS}",
        )
    )
    say(
        f"Salesforceに入れるには（Salesforce CLIが必要です）:\n{commands}",
        f"To deploy it, with the Salesforce CLI:\n{commands}",
    )
    if call_id:
        say(
            f"Salesforceが項目 {CALL_ID} を受け付けないときは、別のフォルダーで --without-call-id を付けて"
            "やり直してください。その場合、通話は標準項目 CallObject で見分けます（記録のたびに要求が1回増えるだけです）。",
            f"Should Salesforce refuse the field {CALL_ID}, do it again in another folder with --without-call-id: calls "
            "are then told apart by the standard field CallObject, for one request more each.",
        )
    if utility_bar:
        say(
            "そのあと:「アプリケーションマネージャー」→ 使うLightningアプリケーションの「編集」→「ユーティリティ項目」に"
            "「CTI Bridge」を加えます。「自動的に開始」にもチェックを付けてください。",
            "Then: App Manager → your Lightning app → Edit → Utility Items: add CTI Bridge, and tick Start automatically.",
        )
    if phone_fields:
        names = " ".join(f"{sobject}.{name}" for sobject, fields in NORMALISED.items() for name in fields)
        say(
            f"番号の項目は空のまま作られます。値を入れるフローを用意してから設定してください: "
            f'SALESFORCE_NORMALISED_FIELDS="{names}"',
            f'The fields for numbers are empty at first. Once a Flow fills them: SALESFORCE_NORMALISED_FIELDS="{names}"',
        )


# ── what the options mean ────────────────────────────────────────────────────────────────────────────────────────────


def _centre(
    *,
    internal_name: str,
    display_name: str,
    height: int,
    width: int,
    standby_url: str | None,
    timeout: int | None,
    prefix: str,
) -> CallCentre:
    """The call centre of these options and of CTI_PUBLIC_URL. Raises SettingsError, or ClickException with the mend."""
    if not _INTERNAL_NAME.fullmatch(internal_name):
        raise fail(
            "--internal-name は英字で始まる40文字以内の英数字にしてください（記号や空白は使えません）。",
            "--internal-name must be at most 40 letters and digits, the first a letter.",
        )
    if not 1 <= len(display_name.strip()) <= 1000 or _UNWRITABLE.search(display_name):
        raise fail(
            "--display-name は1～1,000文字にしてください（制御文字は使えません）。",
            "--display-name must have 1 to 1,000 characters, none of them control characters.",
        )
    if bool(standby_url) != bool(timeout):
        raise fail(
            "--standby-url と --timeout は必ず両方指定してください。", "--standby-url and --timeout go together."
        )
    if standby_url and (not standby_url.startswith("https://") or _UNWRITABLE.search(standby_url)):
        raise fail("--standby-url は https:// で始めてください。", "--standby-url must begin with https://.")
    path = f"/{prefix.strip('/')}" if prefix.strip("/") else ""
    if not _PREFIX.fullmatch(path):
        raise fail(
            f"--prefix {prefix} はアドレスの一部として使えません。/phone のように書いてください。",
            f"--prefix {prefix} cannot be part of an address; write it like /phone.",
        )
    public_url = Settings.read().public_url
    if not public_url.startswith("https://"):
        raise fail(
            f"Lightningはhttpsのページしか表示しません（CTI_PUBLIC_URL は {public_url} です）。"
            "CTI_PUBLIC_URL を、ブラウザーから開けるhttpsのアドレスにしてください。",
            f"Lightning shows pages with https only, and CTI_PUBLIC_URL is {public_url}. "
            "Set CTI_PUBLIC_URL to the https address that browsers reach.",
        )
    return CallCentre(
        internal_name=internal_name,
        display_name=display_name.strip(),
        adapter_url=f"{public_url}{path}{PAGE}",
        height=height,
        width=width,
        standby_url=standby_url,
        timeout=timeout,
    )


def _org() -> tuple[str, str]:
    """The org's address, ``""`` when SALESFORCE_MY_DOMAIN is not set yet, and the interface's version.

    The metadata comes before the External Client App, so no key or secret is asked for. Raises SettingsError.
    """
    try:
        from cti_bridge.connectors.salesforce.settings import SalesforceSettings  # noqa: PLC0415  (an extra)
    except ImportError:
        raise fail(
            "Salesforce用の部品が入っていません。次を実行してください: pip install 'cti-bridge[salesforce]'",
            "The parts for Salesforce are not installed. Run: pip install 'cti-bridge[salesforce]'",
        ) from None
    given = {name: os.environ.get(name, "") for name in ("SALESFORCE_MY_DOMAIN", "SALESFORCE_API_VERSION")}
    app = {"SALESFORCE_CONSUMER_KEY": "not yet", "SALESFORCE_CONSUMER_SECRET": "not yet"}
    domain = given["SALESFORCE_MY_DOMAIN"].strip()
    read = SalesforceSettings.read({**given, **app, "SALESFORCE_MY_DOMAIN": domain or "acme"})
    return read.origin if domain else "", read.api_version


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _refuse_strangers(folder: Path, files: Mapping[str, str]) -> None:
    """Everything below the source folder is deployed, so nothing else may lie there. Raises ClickException."""
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in (folder / SOURCE).rglob("*")
        if path.is_file() or path.is_symlink()
    )
    strangers = [name for name in found if name not in files]
    if strangers:
        listed = "\n".join(f"  {name}" for name in strangers)
        raise fail(
            f"{folder} には、今回の指定では作らないファイルがあり、いっしょにSalesforceへ入ってしまいます:\n{listed}\n"
            "削除するか、別のフォルダーを指定してください。何も書き込んでいません。",
            f"In {folder} there are files that these options do not make, and they would be deployed too:\n{listed}\n"
            "Delete them, or name another folder. Nothing was written.",
        )


def _write(folder: Path, files: Mapping[str, str], *, overwrite: bool) -> None:
    """Write what is new and say so; nothing at all when something else stands in a file. Raises ClickException."""
    there = {name: _standing(folder / name) for name in files}
    other = [name for name, text in there.items() if text is not None and text != files[name]]
    if other and not overwrite:
        listed = "\n".join(f"  {folder / name}" for name in other)
        raise fail(
            f"別の内容のファイルがすでにあります:\n{listed}\n"
            "置き換えるなら --overwrite を付けてください。何も書き込んでいません。",
            f"Something else stands in these files already:\n{listed}\n"
            "Add --overwrite to replace them. Nothing was written.",
        )
    for name, text in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if there[name] != text:
                path.write_text(text, "utf-8", newline="\n")
        except OSError as problem:
            raise fail(f"{path} に書き込めません: {problem}", f"{path} cannot be written: {problem}") from None
        if there[name] is None:
            say(f"作成: {path}", f"Wrote {path}", error=True)
        elif name in other:
            say(f"置き換え: {path}", f"Replaced {path}", error=True)
        else:
            say(f"変更なし: {path}", f"Unchanged {path}", error=True)


def _standing(path: Path) -> str | None:
    """What is in a file; None when there is none. Raises ClickException when it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise fail(f"{path} を読めません: {problem}", f"{path} cannot be read: {problem}") from None
