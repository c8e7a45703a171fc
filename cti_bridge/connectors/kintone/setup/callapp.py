"""What the call-log app looks like, as data: its fields and views, and which of an app's own fields serve as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cti_bridge.connectors.kintone.calllog import WORDS
from cti_bridge.connectors.kintone.form import (
    DATETIME,
    DROP_DOWN,
    LINES,
    LINK,
    LOG_TYPES,
    NUMBER,
    TEXT,
    USERS,
    Field,
    Form,
)
from cti_bridge.connectors.kintone.query import one_of
from cti_bridge.model import Direction, Language, Outcome

Json = dict[str, Any]

NAMES: dict[Language, str] = {"ja": "通話履歴", "en": "Call log"}
"""What a new app is called."""

ANOTHER = "_CTI"
"""Stands behind a field code that the app uses for something else already."""


@dataclass(frozen=True, slots=True)
class LogField:
    """A field of the call-log app: for which key of ``[call_log.fields]``, its label, which is its code too."""

    key: str
    ja: str
    en: str
    type: str
    code: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    per_language: Callable[[Language], Mapping[str, Any]] = lambda _: {}

    def label(self, language: Language) -> str:
        return self.ja if language == "ja" else self.en

    def codes(self, language: Language) -> tuple[str, str]:
        """The code that it gets, and what it has when it was made in the other language."""
        ja, en = (self.code or self.ja, self.code or self.en.replace(" ", "_"))
        return (ja, en) if language == "ja" else (en, ja)

    def properties(self, code: str, language: Language) -> Json:
        """The field as kintone's form takes it."""
        return {
            "type": self.type,
            "code": code,
            "label": self.label(language),
            **self.more,
            **self.per_language(language),
        }


def _options(kind: type[Direction | Outcome]) -> Callable[[Language], Mapping[str, Any]]:
    def words(language: Language) -> Mapping[str, Any]:
        names = [WORDS[value][language] for value in kind]
        return {"options": {name: {"label": name, "index": str(place)} for place, name in enumerate(names)}}

    return words


def _seconds(language: Language) -> Mapping[str, Any]:
    return {"unit": "秒" if language == "ja" else " s", "unitPosition": "AFTER"}


FIELDS = (
    LogField("subject", "件名", "Subject", TEXT),
    LogField("started_at", "開始日時", "Started at", DATETIME),
    LogField("ended_at", "終了日時", "Ended at", DATETIME),
    LogField("talk_seconds", "通話秒数", "Talk time", NUMBER, per_language=_seconds),
    LogField("direction", "種別", "Direction", DROP_DOWN, per_language=_options(Direction)),
    LogField("outcome", "状態", "Outcome", DROP_DOWN, per_language=_options(Outcome)),
    LogField("party", "相手の番号", "Their number", LINK, more={"protocol": "CALL"}),
    LogField("line", "回線", "Line", TEXT),
    LogField("agent", "担当者", "Agent", USERS),
    LogField("customer_name", "顧客名", "Customer name", TEXT),
    LogField("customer_url", "顧客リンク", "Customer link", LINK, more={"protocol": "WEB"}),
    LogField("disposition", "結果", "Result", TEXT),
    LogField("note", "メモ", "Note", LINES),
    LogField("body", "内容", "Details", LINES),
    LogField("recording_url", "録音", "Recording", LINK, more={"protocol": "WEB"}),
    LogField("related_url", "関連リンク", "Related link", LINK, more={"protocol": "WEB"}),
    LogField("customer_id", "顧客ID", "Customer ID", TEXT),
    LogField("customer_number", "顧客番号", "Customer number", TEXT),
    LogField("related_id", "関連ID", "Related ID", TEXT),
    LogField("call_id", "通話ID", "Call ID", TEXT, code="call_sid", more={"unique": True}),
)
"""The result (``disposition``) is a text: which results there are is set in the bridge (CTI_DISPOSITIONS) and may change;
a drop-down would have to follow."""

KEYS = {wanted.key: wanted for wanted in FIELDS}


def found_in(form: Form, language: Language) -> dict[str, Field]:
    """Which of the app's fields serve as which: by their code, else by their label, if the type can take it."""
    found: dict[str, Field] = {}
    taken: set[str] = set()
    for candidates in (_by_code, _by_label):
        for wanted in FIELDS:
            if wanted.key in found:
                continue
            held = next((each for each in candidates(form, wanted, language) if each.code not in taken), None)
            if held is not None:
                found[wanted.key] = held
                taken.add(held.code)
    return found


def free_code(form: Form, wanted: LogField, language: Language, taken: set[str]) -> str:
    """The code for a new field: its own, unless the app uses that for something else."""
    code = wanted.codes(language)[0]
    while code in form.fields or code in taken:
        code += ANOTHER
    return code


def views(codes: Mapping[str, str], fields: Mapping[str, Field], language: Language) -> dict[str, Json]:
    """The views by name. ``codes`` are the app's field codes by key, ``fields`` what is known of those that were there."""
    columns = (
        "started_at",
        "direction",
        "outcome",
        "party",
        "customer_name",
        "subject",
        "agent",
        "disposition",
        "note",
    )
    missed = WORDS[Outcome.MISSED]
    offered = fields["outcome"].options if "outcome" in fields else (missed[language],)
    word = next((name for name in (missed[language], *missed.values()) if not offered or name in offered), "")
    names = {
        "ja": ("すべての通話", "不在着信", "自分の通話"),
        "en": ("All calls", "Missed calls", "My calls"),
    }[language]
    conditions = (
        "",
        one_of(codes["outcome"], [word]) if word else None,
        f"{codes['agent']} in (LOGINUSER())" if "agent" not in fields or fields["agent"].type == USERS else None,
    )
    made = {}
    for name, condition in zip(names, conditions, strict=True):
        if condition is not None:
            made[name] = {
                "type": "LIST",
                "name": name,
                "fields": [codes[key] for key in columns],
                "filterCond": condition,
                "sort": f"{codes['started_at']} desc",
            }
    return made


def _by_code(form: Form, wanted: LogField, language: Language) -> Iterator[Field]:
    for code in wanted.codes(language):
        held = form.fields.get(code)
        while held is not None:
            if _serves(held, wanted):
                yield held
            held = form.fields.get(held.code + ANOTHER)


def _by_label(form: Form, wanted: LogField, language: Language) -> Iterator[Field]:  # noqa: ARG001  (both languages serve)
    labels = {wanted.ja, wanted.en}
    held = [each for each in form.fields.values() if each.label in labels and _serves(each, wanted)]
    yield from held if len(held) == 1 else ()


def _serves(held: Field, wanted: LogField) -> bool:
    protocol = wanted.more.get("protocol")
    return (
        held.type in LOG_TYPES[wanted.key]
        and not held.table
        and (held.type != LINK or held.protocol in ("", protocol))
        and (wanted.key != "call_id" or held.unique or held.code == wanted.code)
    )
