"""``cti-bridge kintone setup``: shows what it will do, asks, does it, and says what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from cti_bridge.cli.kintone.asking import ask_for_login, explain, patience, read_settings
from cti_bridge.cli.words import fail, say
from cti_bridge.connectors.kintone.form import Form
from cti_bridge.connectors.kintone.setup import callapp
from cti_bridge.connectors.kintone.setup.administrator import Administrator
from cti_bridge.connectors.kintone.setup.carry_out import carry_out
from cti_bridge.connectors.kintone.setup.draft import Draft, Source, toml
from cti_bridge.connectors.kintone.setup.plan import Plan, new_call_log, of_call_log, of_customers
from cti_bridge.environment import administrators_language
from cti_bridge.errors import ConnectorError


def set_up(
    *,
    app: int | None,
    name: str | None,
    no_call_log: bool,
    customers: Sequence[int],
    guest_space: int | None,
    user: str | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """The whole command. Raises ClickException that says what to do."""
    if no_call_log and not customers:
        raise fail(
            "することがありません。--normalised-field も付けてください。", "Nothing to do; add --normalised-field."
        )
    language = administrators_language()
    settings = read_settings()
    login, password = ask_for_login(user)
    administrator = Administrator(
        settings, login, password, guest_space=guest_space, language=language, patience=patience()
    )
    with _told():
        plans = [] if no_call_log else [_plan_call_log(administrator, app, name or callapp.NAMES[language])]
        plans += [of_customers(administrator.look(each), language) for each in dict.fromkeys(customers)]
    for plan in plans:
        _show(plan, administrator)
    if all(plan.nothing_to_do for plan in plans):
        say("することはありません。すべて揃っています。", "Nothing to do: everything is there.")
    elif dry_run:
        say("--dry-run なので、何も変えていません。", "Nothing was changed (--dry-run).")
        return
    else:
        if not yes and not click.confirm("実行しますか？" if language == "ja" else "Do it?"):
            say("何も変えていません。", "Nothing was changed.")
            return
        plans = _do(plans, administrator)
    own_space = administrator.guest_space if administrator.guest_space != settings.guest_space else None
    _what_next(plans, administrator, own_space)


def _plan_call_log(administrator: Administrator, app: int | None, name: str) -> Plan:
    """For the app that was named, else the one that an earlier run made, else a new one."""
    language = administrators_language()
    if app is not None:
        return of_call_log(administrator.look(app), language)
    called = [administrator.look(each) for each in administrator.apps_called(name)]
    ours = [
        there for there in called if "call_id" in callapp.found_in(Form.read(there.app, there.properties), language)
    ]
    if len(ours) > 1:
        numbers = ", ".join(str(there.app) for there in ours)
        raise fail(
            f"「{name}」というアプリがいくつもあります（{numbers}）。--app で番号を選んでください。",
            f"Several apps are called “{name}” ({numbers}). Choose one with --app.",
        )
    if ours:
        return of_call_log(ours[0], language)
    for there in called:
        say(
            f"同じ名前のアプリ{there.app}がありますが、通話IDのフィールドがないので使いません。"
            f"それに足したい場合は --app {there.app} を付けてください。",
            f"App {there.app} has the same name but no field for the call's id, so it is left alone. "
            f"To complete it, add --app {there.app}.",
        )
    return new_call_log(name, language)


def _show(plan: Plan, administrator: Administrator) -> None:
    language = administrators_language()
    if plan.app is None:
        say(
            f"アプリ「{plan.name}」を新しく作ります（{administrator.domain.base_url}）:",
            f"A new app “{plan.name}” will be made ({administrator.domain.base_url}):",
        )
    elif plan.nothing_to_do:
        say(f"アプリ{plan.app}「{plan.name}」: 揃っています。", f"App {plan.app} “{plan.name}”: everything is there.")
    else:
        say(
            f"アプリ{plan.app}「{plan.name}」に足します（今あるフィールドや一覧はそのままです）:",
            f"App {plan.app} “{plan.name}” will be completed (what it has now stays as it is):",
        )
    for step in plan.steps():
        click.echo(f"  {step.say(language)}")
    if not plan.nothing_to_do:
        say("  → アプリを更新し、運用環境に反映します", "  → the app is updated, and the changes go live")
    for note in plan.notes:
        click.echo(f"  {click.style('!', fg='yellow')} {note.say(language)}")


def _do(plans: Sequence[Plan], administrator: Administrator) -> list[Plan]:
    new: list[int] = []

    def made(plan: Plan) -> None:
        new.append(plan.app or 0)
        say(f"アプリ{plan.app}「{plan.name}」を作りました。", f"App {plan.app} “{plan.name}” was made.")

    def progress(seconds: float) -> None:
        say(f"  反映を待っています… {seconds:.0f}秒", f"  waiting for kintone to update … {seconds:.0f} s", error=True)

    with _told(new):
        done = carry_out(plans, administrator, made=made, progress=progress)
    say("反映が終わりました。", "The changes are live.")
    return done


def _what_next(plans: Sequence[Plan], administrator: Administrator, guest_space: int | None) -> None:
    language = administrators_language()
    for plan in plans:
        if plan.app is None:
            continue
        if not plan.log:
            pairs = tuple(plan.codes.values())
            say(
                f"\nアプリ{plan.app}の対応表（[[customers]]）:", f"\nFor app {plan.app} in the mapping ([[customers]]):"
            )
            click.echo(f"phones = {toml(tuple(plan.codes))}\nnormalised = {toml(pairs)}")
            say(
                "新しく保存される番号はプラグインが書き込みます。今あるレコードは cti-bridge kintone normalise で埋めます。",
                "The plug-in fills it when a record is saved; for existing records run cti-bridge kintone normalise.",
            )
            continue
        setting, url = f"KINTONE_TOKEN_{plan.app}", administrator.app_url(plan.app)
        source = Source(plan.app, plan.name, url, setting, Form(plan.app, {}), guest_space)
        draft = Draft(language)
        draft.call_log(source, plan.codes)
        say("\n対応表（kintone.toml）にはこう書きます:\n", "\nIn the mapping (kintone.toml) this stands for:\n")
        click.echo(draft.text())
        say(
            f"次にすること:\n"
            f"  1. {url} を開き、歯車（アプリを設定）→「設定」→「APIトークン」→「生成する」。\n"
            "     「レコード閲覧」「レコード追加」「レコード編集」を選んで保存し、「アプリを更新」を押します"
            "（押すまでトークンは使えません）。\n"
            f"  2. そのトークンを設定 {setting} に入れます。\n"
            f"  3. cti-bridge kintone map --app （顧客アプリの番号） --call-log {plan.app}",
            f"What to do next:\n"
            f"  1. Open {url}, then the gear (App Settings) → App Settings → API Token → Generate.\n"
            "     Choose View, Add and Edit records, save, and press Update App (until then the token does not work).\n"
            f"  2. Put that token into the setting {setting}.\n"
            f"  3. cti-bridge kintone map --app (the customer app's number) --call-log {plan.app}",
        )


@contextmanager
def _told(new: Sequence[int] = ()) -> Iterator[None]:
    """kintone's refusals in words, and how to go on with an app that was made but is not in use yet."""
    try:
        yield
    except ConnectorError as problem:
        words = explain(problem)
        ja, en = words.ja, words.en
        if new:
            ja += f"\nアプリ{new[0]}は作りかけです。続けるには: cti-bridge kintone setup --app {new[0]}"
            en += f"\nApp {new[0]} is half made. To go on: cti-bridge kintone setup --app {new[0]}"
        raise fail(ja, en) from problem
