"""What the CRM is told about a call: the text and the fields of its log, the same for every CRM."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cti_bridge.clock import Clock, utc_now
from cti_bridge.connector import Connector
from cti_bridge.errors import ConnectorRefused, LookupSpared
from cti_bridge.logbook import get_logger
from cti_bridge.lookups import Lookups
from cti_bridge.model import (
    Agent,
    CallerKind,
    CallLog,
    ChoiceHow,
    Direction,
    Language,
    Line,
    Outcome,
    RecordLink,
)
from cti_bridge.phone import PhoneNumber
from cti_bridge.settings import Settings
from cti_bridge.store import Database, calls
from cti_bridge.store.calls import CallRecord
from cti_bridge.store.directory import KnownDirectory

log = get_logger(__name__)


class CallLogs:
    """Writes call logs into the CRM. ``write`` is what the outbox delivers with.

    ``recordings`` is the address of the page that plays a recording: ``https://cti.example.co.jp/widgets/recording``.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        directory: KnownDirectory,
        connector: Connector,
        lookups: Lookups,
        *,
        recordings: str,
        clock: Clock = utc_now,
    ) -> None:
        self._settings = settings
        self._database = database
        self._directory = directory
        self._connector = connector
        self._lookups = lookups
        self._recordings = recordings
        self._clock = clock

    def write(self, call_id: str) -> RecordLink:
        """Write this call's log as it stands now. Raises ConnectorUnavailable or ConnectorRefused.

        When the CRM could not be asked while the call went on, it is asked now, so that the log finds its contact.
        """
        with self._database.reading() as connection:
            record = calls.get(connection, call_id)
        if record is None:
            raise ConnectorRefused(f"The bridge has no call {call_id} any more; its log cannot be written.")
        if record.caller.number and record.lookup.source != "crm":
            try:
                record = self._lookups.ask(call_id, PhoneNumber(record.caller.number)) or record
            except LookupSpared:
                log.info("lookup_spared", call=call_id, connector=self._connector.name)
            except ConnectorRefused as problem:  # it may refuse the search and still take the log
                log.error("lookup_refused", call=call_id, connector=self._connector.name, problem=str(problem))
        directory = self._directory.current()
        line = directory.line_of(record.call.line_number)
        agent = directory.agents.get(record.call.agent_id or 0)
        return self._connector.write_call_log(self.compose(record, line, agent))

    def compose(self, record: CallRecord, line: Line | None, agent: Agent | None) -> CallLog:
        """The log of this call, in the line's language."""
        language = line.language if line else self._settings.language
        call = record.call
        started_at = call.started_at or self._clock()
        outcome = call.outcome or (Outcome.ANSWERED if call.answered else Outcome.CANCELED)
        choice = record.choice
        if choice and choice.how is ChoiceHow.LEARNED and outcome is not Outcome.ANSWERED:
            choice = None  # of a shared number, only an agent who spoke can have seen and accepted the learned contact
        disposition = next((d for d in self._settings.disposition_list if d.code == record.disposition), None)
        words = _WORDS[language]
        party = self._party(record, language)
        disposition_label = disposition.label(language) if disposition else record.disposition or ""
        body = [
            f"{words['when']}: {self._local(started_at)}",
            f"{words['line']}: {line.name if line else call.line_number or '-'}",
            f"{words['agent']}: {agent.name if agent else '-'}",
            f"{words['talk']}: {_minutes(call.talk_time)}",
            *([f"{words['disposition']}: {disposition_label}"] if disposition_label else []),
            *(["", record.note] if record.note else []),
        ]
        return CallLog(
            call_id=record.id,
            direction=call.direction or Direction.INBOUND,
            outcome=outcome,
            subject=f"{words[(call.direction or Direction.INBOUND).value]} {party} ({words[outcome.value]})",
            body="\n".join(body),
            party=record.caller.number or record.caller.raw,
            line_name=line.name if line else "",
            contact=choice.contact if choice else None,
            agent_name=agent.name if agent else "",
            agent_email=agent.email if agent else "",
            started_at=started_at,
            ended_at=call.ended_at or record.completed_at or self._clock(),
            talk_time=call.talk_time,
            note=record.note,
            disposition=disposition_label,
            recording_id=call.recording_id,
            recording_url=f"{self._recordings}?id={call.recording_id}" if call.recording_id else None,
            related=record.related,
        )

    def _party(self, record: CallRecord, language: Language) -> str:
        if record.caller.kind is CallerKind.NUMBER and record.caller.number:
            return PhoneNumber(record.caller.number).display(self._settings.region)
        return _WORDS[language][record.caller.kind.value]

    def _local(self, moment: datetime) -> str:
        return moment.astimezone(ZoneInfo(self._settings.timezone)).strftime("%Y-%m-%d %H:%M")


def _minutes(duration: timedelta) -> str:
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    return f"{minutes}:{seconds:02d}"


_WORDS: dict[Language, dict[str, str]] = {
    "ja": {
        "inbound": "着信",
        "outbound": "発信",
        "when": "日時",
        "line": "回線",
        "agent": "担当",
        "talk": "通話時間",
        "disposition": "結果",
        "answered": "応答",
        "missed": "不在着信",
        "busy": "話し中",
        "no_answer": "応答なし",
        "failed": "接続できず",
        "canceled": "取り消し",
        "withheld": "非通知",
        "unreadable": "番号不明",
    },
    "en": {
        "inbound": "Inbound call",
        "outbound": "Outbound call",
        "when": "Time",
        "line": "Line",
        "agent": "Agent",
        "talk": "Talk time",
        "disposition": "Result",
        "answered": "answered",
        "missed": "missed",
        "busy": "busy",
        "no_answer": "no answer",
        "failed": "failed",
        "canceled": "canceled",
        "withheld": "number withheld",
        "unreadable": "number unreadable",
    },
}
