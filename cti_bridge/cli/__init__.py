"""The ``cti-bridge`` command: modules for running things, for people and lines, for the CRM, for Salesforce and kintone."""

from __future__ import annotations

import sys
from typing import Any

import click

from cti_bridge import __version__, logbook
from cti_bridge.cli import audit, audit_log, crm, doctor, kintone, lines, outbox, people, privacy, run, salesforce
from cti_bridge.errors import BridgeError


class Commands(click.Group):
    """Prints our own errors as one plain message, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BridgeError as problem:
            raise click.ClickException(str(problem)) from problem


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cti-bridge")
def main() -> None:
    """CTI Bridge: Twilio calls in your CRM."""
    logbook.configure(stream=sys.stderr)


for command in (*run.COMMANDS, people.agents, lines.lines, crm.connector, doctor.doctor, salesforce.salesforce):
    main.add_command(command)
main.add_command(outbox.outbox)
main.add_command(kintone.kintone)
main.add_command(privacy.privacy)
main.add_command(audit_log.audit_log, "audit")
crm.connector.add_command(audit.audit)
lines.lines.add_command(doctor.connect_lines)
