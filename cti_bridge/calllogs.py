"""What the CRM is told about a call: the text and the fields of its log, the same for every CRM, and what an
administrator corrects in it. When it is told, and how often: ``outbox``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
    Correction,
    Direction,
    Language,
    Line,
    Omission,
    Outcome,
    RecordLink,
)
from cti_bridge.phone import PhoneNumber
from cti_bridge.settings import Settings
from cti_bridge.store import Database, calls
from cti_bridge.store import outbox as entries
from cti_bridge.store.calls import CallRecord
from cti_bridge.store.directory import KnownDirectory

log = get_logger(__name__)

AS_IT_IS = Correction()


class CallLogs:
    """Writes call logs into the CRM. ``write`` is what the outbox delivers with.

    ``recordings`` is the address of the page that plays a recording: ``https://cti.example.co.jp/widgets/recording``.
    ``nudge`` is called when a log was corrected and is due.
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
        nudge: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._directory = directory
        self._connector = connector
        self._lookups = lookups
        self._recordings = recordings
        self._clock = clock
        self._nudge = nudge

    def write(
        self, call_id: str, correction: Correction | None = None, ready: Callable[[], None] = lambda: None
    ) -> RecordLink:
        """Write this call's log as it stands now. Raises ConnectorUnavailable or ConnectorRefused.

        When the CRM could not be asked while the call went on, it is asked now, so that the log finds its contact.
        ``ready`` is called right before the write, and may stop it by an exception.
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
                log.error("lookup_refused", call=call_id, connector=self._connector.name, problem=problem)
        composed = self._composed(record, correction)
        if correction:
            log.info("log_corrected", call=call_id, fields=correction.fields)
        ready()
        return self._connector.write_call_log(composed)

    def preview(self, call_id: str, correction: Correction | None = None) -> CallLog | None:
        """The log as it would be written now, without asking the CRM anything; None when the call is not there."""
        with self._database.reading() as connection:
            record = calls.get(connection, call_id)
        return self._composed(record, correction) if record else None

    def correct(self, entry_id: int, changes: Correction, *, keep: bool = True) -> CallLog | None:
        """Have this log written with these changes, beside earlier ones, now: the log as it will be.

        The CRM refused it as it was. What ``changes`` says of the agent's own words (``note_was``, ``disposition_was``)
        is filled in here. ``keep=False`` only tells how it would be. None when there is no such entry, or its call is
        gone.
        """
        with self._database.transaction() as connection:
            found = entries.get(connection, entry_id)
            record = calls.get(connection, found.call_id, for_update=True) if found else None
            if found is None or record is None:
                return None
            correction = _added(found.correction or AS_IT_IS, changes, record)
            if not keep:
                return self._composed(record, correction)
            entries.correct(connection, found, correction, self._clock())
            calls.touch(connection, record.id, self._clock())
        log.warning("log_correction_kept", call=record.id, entry=entry_id, fields=correction.fields)
        self._nudge()
        return self._composed(record, correction)

    def _composed(self, record: CallRecord, correction: Correction | None) -> CallLog:
        directory = self._directory.current()
        line = directory.line_of(record.call.line_number)
        agent = directory.agents.get(record.call.agent_id or 0)
        return self.compose(record, line, agent, correction or AS_IT_IS)

    def compose(
        self, record: CallRecord, line: Line | None, agent: Agent | None, correction: Correction = AS_IT_IS
    ) -> CallLog:
        """The log of this call, in the line's language, as an administrator corrected it."""
        record = _corrected(record, correction)
        agent = None if Omission.AGENT in correction.without else agent
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
            subject=correction.subject
            or f"{words[(call.direction or Direction.INBOUND).value]} {party} ({words[outcome.value]})",
            body="\n".join(body),
            party=record.caller.number or record.caller.raw,
            line_name=line.name if line else "",
            contact=choice.contact if choice and Omission.CONTACT not in correction.without else None,
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


def _corrected(record: CallRecord, correction: Correction) -> CallRecord:
    """The call as its log is to tell it."""
    without = correction.without
    return replace(
        record,
        note=correction.note_for(record.note),
        disposition=correction.disposition_for(record.disposition),
        related=None if Omission.RELATED in without else record.related,
        call=replace(record.call, recording_id=None) if Omission.RECORDING in without else record.call,
    )


def _added(before: Correction, changes: Correction, record: CallRecord) -> Correction:
    """An earlier correction and these changes, about what the agent says now."""
    noted, chosen = changes.note is not None, changes.disposition is not None
    return Correction(
        subject=before.subject if changes.subject is None else changes.subject,
        note=changes.note if noted else before.note,
        note_was=record.note if noted else before.note_was,
        disposition=changes.disposition if chosen else before.disposition,
        disposition_was=record.disposition if chosen else before.disposition_was,
        without=before.without | changes.without,
    )


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
