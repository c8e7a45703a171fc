"""For tests of personal data: Taro, of whom every table holds something, and a dump of all that a database holds."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from cti_bridge.model import (
    ActivityKind,
    Call,
    CallEvent,
    Choice,
    ChoiceHow,
    Contact,
    ContactKind,
    ContactNumber,
    Correction,
    Direction,
    EventKind,
    LegRole,
    LegStatus,
    Match,
    RelatedRecord,
)
from cti_bridge.phone import PhoneNumber, read_caller
from cti_bridge.store import Database, calls, directory, migrate, numbers
from cti_bridge.store import outbox as entries
from cti_bridge.store.calls import CallRecord, Lookup, LookupState
from cti_bridge.store.codec import dump
from cti_bridge.store.outbox import OutboxState, outbox
from cti_bridge.store.personal.mentions import Mentions
from cti_bridge.store.records import Customer, Records
from cti_bridge.store.records.store import Entry

TARO = PhoneNumber("+819012345678")
TAROS_DESK = "+81312345678"
JIRO = "+818099998888"
MAIN_LINE = "+815031234567"
NAME, READING, NOTE, TITLE = "山田 太郎", "ヤマダ タロウ", "離婚の相談", "山田様の件"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LAST_WEEK = NOW - timedelta(days=7)
RECORDING = "RE" + "1a" * 16


@dataclass(frozen=True)
class Told:
    """Who there is: Sato's id, and the embedded CRM's records of Taro and Jiro."""

    sato: int
    taro: str
    jiro: str


def taro(contact_id: str) -> Contact:
    held = (ContactNumber("mobile", "０９０ー１２３４ー５６７８"), ContactNumber("phone", "03-1234-5678"))
    return Contact(
        contact_id, ContactKind.PERSON, NAME, READING, "はやぶさ", url=f"https://crm.example/{contact_id}", numbers=held
    )


def office(connection: Connection) -> int:
    """Sato on the main line; her id."""
    sato = directory.add_agent(
        connection, email="sato@example.co.jp", name="佐藤", password_hash="x", language="ja", phone="+818000000001"
    )
    directory.add_line(connection, number=MAIN_LINE, name="代表", greeting="", language="ja", agent_ids=[sato])
    return sato


def a_call(
    connection: Connection,
    call_id: str,
    party: str,
    agent_id: int,
    *,
    at: datetime = LAST_WEEK,
    ended: bool = True,
    log: OutboxState | None = OutboxState.DELIVERED,
    contact: Contact | None = None,
    note: str = "",
) -> CallRecord:
    """A conversation of three minutes, with its webhooks, and its log in that state."""
    told = [
        (EventKind.INCOMING, call_id, LegStatus.RINGING, LegRole.PARTY, at),
        (EventKind.STATUS, f"{call_id}-agent", LegStatus.IN_PROGRESS, LegRole.AGENT, at + timedelta(seconds=5)),
        *(
            [(EventKind.STATUS, call_id, LegStatus.COMPLETED, LegRole.PARTY, at + timedelta(minutes=3))]
            if ended
            else []
        ),
    ]
    call, name = Call(call_id), contact.name if contact else ""
    for kind, leg_id, status, role, moment in told:
        event = CallEvent(
            f"{call_id}:{kind}:{leg_id}:{status}",
            kind,
            call_id,
            leg_id,
            moment,
            status,
            role,
            direction=Direction.INBOUND if leg_id == call_id else None,
            line_number=MAIN_LINE,
            party=party if leg_id == call_id else None,
            agent_id=agent_id if role is LegRole.AGENT else None,
            rung=frozenset({agent_id}),
        )
        call = call.apply(event)
        parameters = {"CallSid": leg_id, "From": party, "To": MAIN_LINE, "CallerName": name}
        assert calls.add_event(connection, event, parameters, f"<Number>{party}</Number>", moment)
    call = replace(call, recording_id=RECORDING if name == NAME else None)
    calls.add_rings(connection, call_id, [agent_id], at)
    choice = Choice(contact, ChoiceHow.PICKED, "佐藤", at) if contact else None
    matches = (Match(contact, "mobile", contact.numbers[0].text),) if contact else ()
    record = CallRecord(
        call,
        read_caller(party),
        note=note,
        disposition="resolved",
        picked=choice,
        related=RelatedRecord("case:9", TITLE) if name == NAME else None,
        completed_at=at + timedelta(minutes=4) if ended else None,
        lookup=Lookup(LookupState.DONE, "crm", fetched_at=at, matches=matches, learned=choice),
        contact_id=contact.id if contact else None,
        contact_name=contact.name if contact else None,
    )
    calls.save(connection, record, at)
    if log is not None:
        entries.put(connection, call_id, "call_log", run_at=at, now=at)
        values: dict[str, Any] = {"state": log, "last_error": f"Duplicate: {name}", "reason": f"{name} asked for it"}
        values |= {"record_id": f"activity:{call_id}", "record_url": f"https://crm.example/log/{call_id}"}
        values |= {"correction": dump(Correction(subject=f"{name} {party}", note=note))} if contact else {}
        connection.execute(update(outbox).where(outbox.c.call_id == call_id).values(values))
    return record


def all_about_taro(database: Database) -> Told:
    """Fill every table that can hold something of Taro."""
    records = Records(database)
    saved = records.save(
        [
            Customer(
                NAME,
                READING,
                "C-1",
                "はやぶさ",
                email="taro@example.com",
                note=f"{NOTE} 090-1234-5678",
                numbers=(ContactNumber("mobile", "０９０ー１２３４ー５６７８"), ContactNumber("phone", "03-1234-5678")),
            ),
            Customer("鈴木 次郎", numbers=(ContactNumber("mobile", "080-9999-8888"),), note="夫は 090(1234)5678"),
        ]
    )
    taros, jiros = (str(one.record) for one in saved)
    records.keep(
        [
            Entry("O-1", ActivityKind.ORDER, taros, f"{NAME}様ご注文", LAST_WEEK, NOTE),
            Entry("S-1", ActivityKind.CASE, taros, TITLE, LAST_WEEK, NOTE),
            Entry("V-1", ActivityKind.VISIT, taros, TITLE, LAST_WEEK, NOTE),
            Entry("V-2", ActivityKind.VISIT, jiros, "次郎", LAST_WEEK, "連絡先 +81 90 1234 5678"),
        ]
    )
    with database.transaction() as connection:
        sato = office(connection)
        a_call(connection, "CA1", TARO.e164, sato, contact=taro(taros), note=NOTE)
        jiro = Contact(jiros, ContactKind.PERSON, "鈴木 次郎", numbers=(ContactNumber("mobile", JIRO),))
        a_call(connection, "CA2", JIRO, sato, contact=jiro, note="妻は０９０－１２３４－５６７８")
        a_call(connection, "CA3", TAROS_DESK, sato, contact=taro(taros), note="机から")
        choice = Choice(taro(taros), ChoiceHow.PICKED, "佐藤", LAST_WEEK)
        for number in (TARO.e164, TAROS_DESK):
            numbers.remember(connection, "local", number, (taro(taros),), LAST_WEEK)
            numbers.learn(connection, "local", number, choice)
        numbers.remember(connection, "local", JIRO, (jiro,), LAST_WEEK)
        facts = {
            "party": TARO.e164,
            "note": NOTE,
            "recording_id": RECORDING,
            "direction": "inbound",
            "talk_seconds": 175,
        }
        connection.execute(
            insert(migrate.all_tables().tables["crm_activities"]).values(
                source_id="CA1",
                kind="call",
                contact_id=int(taros.partition(":")[2]),
                title="着信 090-1234-5678",
                detail=NOTE,
                at=LAST_WEEK,
                facts=facts,
            )
        )
    return Told(sato, taros, jiros)


def dumped(database: Database) -> dict[str, list[str]]:
    """Every row of every table as text."""
    with database.reading() as connection:
        return {
            name: [
                json.dumps(dict(row), ensure_ascii=False, default=str)
                for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            ]
            for name, table in migrate.all_tables().tables.items()
        }


def traces(database: Database, *words: str, number: PhoneNumber = TARO) -> list[str]:
    """The rows of all tables that mention the number in any spelling, or hold one of these words."""
    mentions = Mentions(number)
    return [
        f"{name}: {row}"
        for name, rows in dumped(database).items()
        for row in rows
        if row in mentions or number.e164[1:] in row or any(word in row for word in words)
    ]
