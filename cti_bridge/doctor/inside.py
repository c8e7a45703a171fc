"""What the bridge's own database tells an administrator: lines, agents, when anything last came in, what is unsent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from cti_bridge.doctor.words import ago, bad, well, worth_knowing
from cti_bridge.model import Finding
from cti_bridge.store import Database
from cti_bridge.store import outbox as entries
from cti_bridge.store.calls import LookupState
from cti_bridge.store.directory import Directory
from cti_bridge.store.lately import last_event, last_pop
from cti_bridge.store.outbox import Standing

MOST_NAMED = 5
TOO_LATE = timedelta(minutes=10)
"""A log that is overdue for longer than this waits for something that should be looked at."""


def lines(known: Directory) -> Iterator[Finding]:
    """Whether each line rings somebody."""
    if not known.lines:
        mend = "cti-bridge lines add"
        yield bad("lines", f"回線がありません。{mend} で追加してください。", f"none yet; add one: {mend}")
    for line in known.lines.values():
        reachable = [agent for agent in known.agents_of(line) if agent.reachable]
        if reachable:
            count = len(reachable)
            yield well(f"line {line.name}", f"{count} 人の担当者を呼び出します。", f"rings {count} of its agents.")
        else:
            yield bad(
                f"line {line.name}",
                "呼び出せる担当者がいません。",
                "rings nobody; add agents with telephones to it.",
            )


def agents(known: Directory) -> Iterator[Finding]:
    """Agents whom no call reaches: without a telephone or softphone, or on no line."""
    ringing = {agent_id for ids in known.ringing.values() for agent_id in ids}
    mute = [agent.email for agent in known.agents.values() if not agent.reachable and agent.id in ringing]
    idle = [agent.email for agent in known.agents.values() if agent.id not in ringing]
    if mute:
        yield worth_knowing(
            "agents",
            f"電話機のない担当者: {_named(mute)}。着信しても呼び出されず、画面にも出ません。"
            "登録: cti-bridge agents change メールアドレス --phone 090-1234-5678",
            f"without a telephone: {_named(mute)}. They are not rung, and see no callers. "
            "Give them one: cti-bridge agents change EMAIL --phone 090-1234-5678",
        )
    if idle and known.lines:
        yield worth_knowing(
            "agents",
            f"どの回線からも呼び出されない担当者: {_named(idle)}。回線に加えるには: cti-bridge lines ring",
            f"on no line: {_named(idle)}. Put them on one: cti-bridge lines ring",
        )


def lately(database: Database, now: datetime) -> Iterator[Finding]:
    """When Twilio last reported anything, and when an agent's screen last had something to show."""
    with database.reading() as connection:
        webhook = last_event(connection)
        pop = last_pop(connection)
    if webhook is None:
        yield worth_knowing(
            "last webhook",
            "Twilioからは、まだ何も届いていません。回線の番号に電話をかけてみてください。",
            "nothing has come from Twilio yet. Call one of your lines.",
        )
        return
    ja, en = ago(now - webhook[1])
    yield well("last webhook", f"{ja}（{webhook[0]}）。", f"{en} ({webhook[0]}).")
    if pop is None:
        yield worth_knowing(
            "last pop",
            "まだ誰も呼び出していません。担当者が「離席」になっていませんか。",
            "no agent has been rung yet. Are all of them away?",
        )
        return
    ja, en = ago(now - pop.rung_at)
    crm_ja, crm_en = _LOOKUPS[pop.lookup]
    yield well(
        "last pop",
        f"{ja}、担当者 {pop.agents} 人。CRMの検索: {crm_ja}。",
        f"{en}; agents rung: {pop.agents}; the CRM's look-up: {crm_en}.",
    )


def outbox(database: Database, now: datetime) -> Iterator[Finding]:
    """How call logs fare on their way into the CRM."""
    with database.reading() as connection:
        standing = entries.counts(connection, now)
        oldest = entries.oldest_due(connection, now)
    due = standing[Standing.DUE] + standing[Standing.WRITING]
    retried, parked = standing[Standing.RETRYING], standing[Standing.PARKED]
    if parked:
        yield bad(
            "call logs",
            f"CRMに登録できず保留になっている通話履歴が {parked} 件あります。確認: cti-bridge outbox list",
            f"{parked} are parked: the CRM refused them. Look at them: cti-bridge outbox list",
        )
    if oldest is not None and now - oldest > TOO_LATE:
        ja, en = ago(now - oldest)
        yield worth_knowing(
            "call logs",
            f"登録待ち {due} 件、再試行中 {retried} 件。最も古いものは{ja}が期限でした。"
            "CRMが応答しているか、cti-bridge outbox work（または serve）が動いているかを確かめてください。",
            f"{due} due, {retried} being retried; the oldest was due {en}. "
            "Does the CRM answer, and does cti-bridge outbox work (or serve) run?",
        )
    elif not parked:
        waiting = standing[Standing.WAITING]
        yield well(
            "call logs",
            f"滞りなし（登録待ち {due} 件、再試行中 {retried} 件、後処理中 {waiting} 件）。",
            f"none is late ({due} due, {retried} being retried, {waiting} in wrap-up).",
        )


_LOOKUPS = {
    LookupState.DONE: ("終わりました", "answered"),
    LookupState.FAILED: ("失敗しました", "failed"),
    LookupState.SKIPPED: ("番号がないため行っていません", "left out, there being no number"),
    LookupState.WAITING: ("待っています", "still waiting"),
}


def _named(emails: list[str]) -> str:
    more = len(emails) - MOST_NAMED
    return ", ".join(emails[:MOST_NAMED]) + (f" (+{more})" if more > 0 else "")
