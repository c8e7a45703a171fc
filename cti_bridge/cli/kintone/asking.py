"""What the kintone commands ask for (settings, passwords, tokens), and how they tell that kintone refused."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

import click
import phonenumbers
from pydantic import SecretStr

from cti_bridge.cli.words import fail
from cti_bridge.connectors.kintone.problems import KintoneRefused, KintoneUnavailable
from cti_bridge.connectors.kintone.settings import KintoneSettings
from cti_bridge.connectors.kintone.setup.administrator import DeploymentFailed
from cti_bridge.connectors.kintone.setup.explained import Words
from cti_bridge.connectors.kintone.setup.patience import Patience, is_conflict
from cti_bridge.environment import administrators_language
from cti_bridge.errors import ConnectorError

pause = time.sleep
"""How the commands wait; a test waits differently."""


def read_settings() -> KintoneSettings:
    """Those of kintone alone, so that it can be set up before the bridge is. Raises SettingsError."""
    return KintoneSettings.read(os.environ)


def read_region() -> str:
    """The country of numbers without a country code: CTI_REGION, as the bridge reads it."""
    region = os.environ.get("CTI_REGION", "").strip() or "JP"
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise fail(
            "CTI_REGION には JP のような国名の2文字を書いてください。",
            "CTI_REGION must be a country's two letters, such as JP.",
        )
    return region


def patience() -> Patience:
    return Patience(pause)


def ask(ja: str, en: str, *, hidden: bool = False) -> str:
    """What is typed; never empty."""
    text: str = click.prompt(ja if administrators_language() == "ja" else en, hide_input=hidden, err=True)
    return text.strip()


def ask_for_login(user: str | None) -> tuple[str, SecretStr]:
    """An administrator's login name and password: from the options, the environment, else asked for."""
    login = user or os.environ.get("KINTONE_ADMIN_USER", "").strip()
    login = login or ask("kintone管理者のログイン名", "The kintone administrator's login name")
    password = os.environ.get("KINTONE_ADMIN_PASSWORD", "")
    password = password or ask(f"{login} のパスワード", f"Password of {login}", hidden=True)
    return login, SecretStr(password)


class Tokens:
    """Which setting holds each app's API token, and the tokens themselves, which are never shown."""

    def __init__(self, options: Iterable[str]) -> None:
        self._given = dict(map(_split, options))
        self._found: dict[int, str] = {}

    def setting(self, app: int) -> str:
        """``KINTONE_TOKEN_12``, or what the option says."""
        given = self._given.get(app, "")
        return given[1:] if given.startswith("$") else f"KINTONE_TOKEN_{app}"

    def of(self, app: int) -> SecretStr:
        """The app's token: from its option, its setting, else asked for."""
        if app not in self._found:
            given = self._given.get(app, "")
            text = os.environ.get(self.setting(app), "").strip() if given.startswith("$") or not given else given
            self._found[app] = text or ask(
                f"アプリ{app}のAPIトークン（{self.setting(app)}）",
                f"API token of app {app} ({self.setting(app)})",
                hidden=True,
            )
        return SecretStr(self._found[app])

    def environment(self) -> dict[str, str]:
        """The environment as it will be once the settings are made."""
        return {**os.environ, **{self.setting(app): token for app, token in self._found.items()}}


def _split(option: str) -> tuple[int, str]:
    app, mark, value = option.partition("=")
    if not (app.isascii() and app.isdigit() and mark and value.strip("$ ")):
        raise fail(
            "--token は 12='$KINTONE_TOKEN_12' のように、アプリの番号と設定の名前を書いてください。",
            "--token is an app's number and a setting's name, such as 12='$KINTONE_TOKEN_12'.",
        )
    return int(app), value.strip()


def explain(problem: ConnectorError) -> Words:
    """What an administrator who is signed in can do about it, in both languages."""
    if isinstance(problem, DeploymentFailed):
        return _DEPLOYMENT[problem.status]
    if isinstance(problem, KintoneUnavailable) and is_conflict(problem):
        return Words(
            "ほかの人が同じアプリの設定を変えています。少し待って、もう一度実行してください。",
            "Somebody else is changing the same app's settings. Wait a little and run the command again.",
        )
    if isinstance(problem, KintoneRefused) and problem.code in _SIGNED_IN:
        return _SIGNED_IN[problem.code]
    return Words(str(problem), str(problem))


_NO_RIGHT = Words(
    "このユーザーには権限がありません。アプリを作るには「アプリの作成」、既存のアプリに足すにはその「アプリ管理」の権限が要ります。"
    "ゲストスペースのアプリなら --guest-space も確かめてください。",
    "This user may not do this. Making an app needs the permission to create apps, completing one the permission to "
    "manage it. If the app is in a guest space, check --guest-space too.",
)

_SIGNED_IN = {
    "CB_WA01": Words(
        "kintoneにログインできません。ログイン名とパスワードを確かめてください。パスワードだけではログインできないユーザー"
        "（2要素認証など）の場合は、別の管理者で実行してください。",
        "kintone did not accept the login. Check the login name and the password. A user who cannot sign in by password "
        "alone (two-factor authentication …) cannot be used here; take another administrator.",
    ),
    "CB_NO02": _NO_RIGHT,
    "GAIA_NO01": _NO_RIGHT,
}

_DEPLOYMENT = {
    "FAIL": Words(
        "kintoneがアプリの更新に失敗しました（FAIL）。「値の重複を禁止する」フィールドに同じ値のレコードがあると失敗します。"
        "アプリの設定画面で「アプリを更新」を押すと、kintoneが理由を表示します。直したら、もう一度実行してください。",
        "kintone could not update the app (FAIL). It fails when two records share a value that must be unique. Press "
        "Update App in the app's settings to see kintone's reason; mend it and run the command again.",
    ),
    "CANCEL": Words(
        "いっしょに更新したほかのアプリが失敗したため、kintoneが取り消しました（CANCEL）。もう一度実行してください。",
        "kintone canceled it because another app that was updated with it failed (CANCEL). Run the command again.",
    ),
    "PROCESSING": Words(
        "アプリの更新が終わりません（PROCESSING）。kintone側では続いています。数分待って、もう一度実行してください。",
        "The update of the app does not end (PROCESSING); kintone goes on with it. Wait some minutes and run the command "
        "again.",
    ),
}
