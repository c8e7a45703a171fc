"""``cti-bridge kintone map``: asks the apps for their fields, writes a first mapping, reads it back and checks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from cti_bridge.cli.kintone.asking import Tokens, ask, patience, read_settings
from cti_bridge.cli.words import MARKS, fail, say
from cti_bridge.connectors.kintone.budget import Budget
from cti_bridge.connectors.kintone.client import KintoneApp
from cti_bridge.connectors.kintone.domain import Domain
from cti_bridge.connectors.kintone.form import Form, faults, wanted
from cti_bridge.connectors.kintone.mapping import KintoneMapping, read_mapping
from cti_bridge.connectors.kintone.setup import callapp
from cti_bridge.connectors.kintone.setup.draft import Draft, Source
from cti_bridge.connectors.kintone.setup.guess import Customers, customers_of, related_of, usable
from cti_bridge.environment import administrators_language
from cti_bridge.errors import ConnectorError, SettingsError
from cti_bridge.model import Severity


@dataclass(frozen=True, slots=True)
class Seen:
    """An app as kintone told it."""

    source: Source
    properties: Mapping[str, Mapping[str, Any]]


def write_mapping(
    *,
    customers: Sequence[int],
    call_log: int | None,
    related: Sequence[int],
    tokens: Sequence[str],
    guest_space: int | None,
    output: Path | None,
    force: bool,
) -> None:
    """The whole command. Raises ClickException that says what to do."""
    settings = read_settings()
    target = output or Path(settings.mapping)
    if str(target) != "-" and target.exists() and not force:
        raise fail(
            f"{target} はもうあります。書き直すなら --force、別のファイルにするなら --output を付けてください。",
            f"{target} is there already. Add --force to replace it, or --output for another file.",
        )
    customers = list(dict.fromkeys(customers)) or _ask_for_apps(
        "顧客アプリの番号（いくつもあるときは空白で区切る）", "Numbers of the customer apps, with spaces between"
    )
    call_log = (
        call_log
        or _ask_for_apps(
            "通話履歴アプリの番号（なければ先に cti-bridge kintone setup で作ります）",
            "Number of the call-log app (if there is none, make it with cti-bridge kintone setup first)",
        )[0]
    )
    if call_log in customers:
        raise fail(
            f"アプリ{call_log}が、顧客アプリと通話履歴アプリの両方に書かれています。",
            f"App {call_log} cannot be both a customer app and the call-log app.",
        )
    known = Tokens(tokens)
    asked = settings.model_copy(update={"timeout_seconds": max(30.0, settings.timeout_seconds)})
    domain = Domain(asked, Budget(settings.daily_limit, None), language=administrators_language())
    space = guest_space or settings.guest_space
    own = space if space != settings.guest_space else None
    folder = f"{domain.base_url}/k/guest/{space}" if space else f"{domain.base_url}/k"
    seen = {app: _see(domain, app, known, own, folder) for app in dict.fromkeys([*customers, call_log, *related])}
    guesses = {app: customers_of(seen[app].source.form) for app in customers}
    text = _draft(seen, guesses, call_log, list(dict.fromkeys(related)))
    _write(text, target)
    _judge(text, seen, guesses, known, str(target))


def _ask_for_apps(ja: str, en: str) -> list[int]:
    typed = ask(ja, en).replace(",", " ").split()
    if not typed or not all(each.isascii() and each.isdigit() and int(each) for each in typed):
        raise fail(
            "アプリの番号は、アドレス https://…/k/12/ の 12 です。",
            "An app's number is the 12 of its address https://…/k/12/.",
        )
    return [int(each) for each in typed]


def _see(domain: Domain, app: int, tokens: Tokens, guest_space: int | None, folder: str) -> Seen:
    """The app's fields and name. Raises ClickException."""
    client = KintoneApp(domain, app, [tokens.of(app)], guest_space=guest_space)
    wait = patience()
    try:
        properties = wait.ask(client.form)
    except ConnectorError as problem:
        raise fail(f"アプリ{app}: {problem}", f"App {app}: {problem}") from problem
    try:
        name = str(wait.ask(lambda: client.call("GET", "app.json", {"id": app})).get("name", ""))
    except ConnectorError:
        name = ""  # a comment only
    form = Form.read(app, properties)
    return Seen(Source(app, name, f"{folder}/{app}/", tokens.setting(app), form, guest_space), properties)


def _draft(seen: Mapping[int, Seen], guesses: Mapping[int, Customers], call_log: int, related: list[int]) -> str:
    language = administrators_language()
    draft = Draft(language)
    draft.heading(datetime.now().astimezone().date().isoformat())
    for place, (app, guess) in enumerate(guesses.items()):
        draft.customers(seen[app].source, guess, create=len(guesses) > 1 and place == 0)
    source = seen[call_log].source
    found = callapp.found_in(source.form, language)
    used = {held.code for held in found.values()}
    draft.call_log(
        source,
        {key: held.code for key, held in found.items() if key != "call_id" or held.unique},
        [each for each in usable(source.form) if each.code not in used],
    )
    for app in related:
        told = seen[app]
        draft.related(told.source, related_of(told.source.form, told.source.name, told.properties, guesses))
    return draft.text()


def _write(text: str, target: Path) -> None:
    if str(target) == "-":
        click.echo(text)
        return
    try:
        target.write_text(text, "utf-8", newline="\n")
    except OSError as problem:
        raise fail(f"{target} に書き込めません: {problem}", f"{target} cannot be written: {problem}") from None
    say(f"{target} に対応表の下書きを書きました。", f"Wrote a first mapping to {target}.", error=True)


def _judge(text: str, seen: Mapping[int, Seen], guesses: Mapping[int, Customers], tokens: Tokens, target: str) -> None:
    """Read the file back as the connector will, hold it against the forms, and say what is left to do."""
    try:
        mapping: KintoneMapping = read_mapping(text, tokens.environment(), target)
    except SettingsError as problem:
        _mark(
            Severity.WARNING,
            f"このままでは動きません。直してください：\n{problem}",
            f"It does not work as it is:\n{problem}",
        )
    else:
        wrong = [fault for app in mapping.apps() for fault in faults(seen[app.app].source.form, wanted(app, mapping))]
        for fault in wrong:
            _mark(Severity.WARNING, f"{fault.ja}。", f"{fault.en[0].upper()}{fault.en[1:]}.")
        if not wrong:
            _mark(
                Severity.OK,
                "読み込めて、フィールドコードと種類はすべてアプリに合っています。",
                "It can be read, and all its field codes and types fit the apps.",
            )
    for app, guess in guesses.items():
        if guess.unsure:
            _mark(
                Severity.WARNING,
                f"アプリ{app}で、名前らしいフィールドが見つかりませんでした。name を直してください。",
                f"No field of app {app} looks like a name; correct name.",
            )
    settings = ", ".join(each.source.setting for each in seen.values())
    say(
        f"次にすること:\n"
        f"  1. {target} を開き、フィールドの当て推量を見直します。\n"
        f"  2. ブリッジの設定に、CTI_CONNECTOR=kintone と、APIトークン（{settings}）を入れます。\n"
        "  3. cti-bridge doctor で確かめます。",
        f"What to do next:\n"
        f"  1. Open {target} and go through the guesses.\n"
        f"  2. Among the bridge's settings, set CTI_CONNECTOR=kintone and the API tokens ({settings}).\n"
        "  3. Check it with cti-bridge doctor.",
        error=True,
    )


def _mark(severity: Severity, ja: str, en: str) -> None:
    mark, colour = MARKS[severity]
    say(f"{click.style(mark, fg=colour)} {ja}", f"{click.style(mark, fg=colour)} {en}", error=True)
