"""``cti-bridge connector …``: the CRM's check-up, trying a number, customer lists in and out."""

from __future__ import annotations

from pathlib import Path

import click

from cti_bridge.app import open_connector
from cti_bridge.cli.audit_log import tell
from cti_bridge.cli.words import Progress, fail, open_database, say, show
from cti_bridge.environment import administrators_language
from cti_bridge.errors import ConnectorError, NumberUnreadable
from cti_bridge.model import Severity
from cti_bridge.phone import PhoneNumber
from cti_bridge.store.records import Records
from cti_bridge.store.records.csv_encoding import CustomerFileUnreadable
from cti_bridge.store.records.csv_files import RowProblem, export_customers, import_customers


@click.group()
def connector() -> None:
    """The CRM."""


@connector.command("check")
def check() -> None:
    """Ask the CRM for its findings: sign-in, rights, fields, telephone data."""
    settings, database = open_database()
    findings = open_connector(settings, database).check()
    for finding in findings:
        show(finding)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise SystemExit(1)


@connector.command("find")
@click.argument("number")
def find(number: str) -> None:
    """Try a number: who would pop, and why."""
    settings, database = open_database()
    try:
        wanted = PhoneNumber.parse(number, settings.region)
        crm = open_connector(settings, database)
        contacts = crm.find_contacts(wanted)
    except NumberUnreadable:
        raise fail(f"{number} は電話番号として読めません。", f"{number} is not a telephone number.") from None
    except ConnectorError as problem:
        raise fail(f"CRMが応答しません: {problem}", f"The CRM did not answer: {problem}") from problem
    say(f"{wanted.e164} に一致: {len(contacts)} 件", f"{wanted.e164} matches {len(contacts)} contacts")
    for contact in contacts:
        fields = ", ".join(
            f"{crm.field_label(held.label, administrators_language())} “{held.text}”"
            for held in contact.numbers
            if PhoneNumber.find(held.text, settings.region) == wanted
        )
        click.echo(f"  {contact.id}  {contact.name}  {contact.company}  ({fields})")


@connector.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(file: Path) -> None:
    """Take the customers of a CSV FILE into the embedded CRM. Safe to repeat."""
    records = _records()
    problems: list[RowProblem] = []
    try:
        with Progress() as bar:
            summary = import_customers(file, records, progress=bar.show, problem=problems.append)
    except CustomerFileUnreadable as problem:
        raise fail(problem.ja, problem.en) from None
    for found in problems:
        words = found.ja if administrators_language() == "ja" else found.en
        where = f"{found.row}" if not found.column else f"{found.row}, {found.column}"
        say(f"  行 {where}: {words}", f"  row {where}: {words}", error=True)
    if summary.ignored_columns:
        names = ", ".join(summary.ignored_columns)
        say(f"使わなかった列: {names}", f"Columns not used: {names}", error=True)
    say(
        f"{summary.rows} 行: 追加 {summary.created}、更新 {summary.updated}、変更なし {summary.unchanged}、"
        f"取り込めず {summary.skipped}、読めない番号 {summary.unreadable_numbers}",
        f"{summary.rows} rows: {summary.created} added, {summary.updated} updated, {summary.unchanged} unchanged, "
        f"{summary.skipped} left out, {summary.unreadable_numbers} unreadable numbers",
    )


@connector.command("export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def export(file: Path) -> None:
    """Write the embedded CRM's customers to a CSV FILE that Excel opens."""
    settings, database = open_database()
    records = Records(database, settings.region)
    with Progress() as bar, file.open("wb") as out:
        count = export_customers(records, out, language=administrators_language(), progress=bar.show)
    tell(database, "customers_exported", "customers", customers=count)
    say(f"{count} 件を {file} に書き出しました。", f"Wrote {count} customers to {file}.")


def _records() -> Records:
    settings, database = open_database()
    return Records(database, settings.region)
