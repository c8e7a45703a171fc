"""The difference between what is wanted of an app and what is there: what set-up would do. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cti_bridge.connectors.kintone.form import NAMES, TEXT, Form
from cti_bridge.connectors.kintone.setup import callapp
from cti_bridge.connectors.kintone.setup.administrator import AppInPreview
from cti_bridge.connectors.kintone.setup.explained import Words
from cti_bridge.connectors.kintone.setup.guess import normalised_of, phones_of
from cti_bridge.model import Language

Json = dict[str, Any]

OF_A_VIEW = (
    "index", "type", "name", "fields", "date", "title", "html", "pager", "device", "filterCond", "sort",
)  # fmt: skip
"""What kintone documents that it takes of a view; it tells more (``id``, ``builtinType``)."""

NORMALISED: dict[Language, tuple[str, str]] = {"ja": ("{}_正規化", "{}（正規化）"), "en": ("{}_e164", "{} (E.164)")}
"""Code and label of the field beside a telephone field."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done to one app. ``app`` is None when it must be made first.

    ``codes`` are the field codes that a mapping names afterwards, by key of ``[call_log.fields]``; of a customer app, the
    normalised field of each telephone field.
    """

    app: int | None
    name: str
    revision: str = "-1"
    adds: Mapping[str, Json] = field(default_factory=dict)
    changes: Mapping[str, Json] = field(default_factory=dict)
    new_views: tuple[str, ...] = ()
    views: Mapping[str, Json] = field(default_factory=dict)
    deploys: bool = True
    codes: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Words, ...] = ()
    log: bool = True

    @property
    def nothing_to_do(self) -> bool:
        return not self.deploys

    def steps(self) -> Iterator[Words]:
        """What will be done, a line each."""
        for properties in self.adds.values():
            kind = NAMES[properties["type"]]
            ja, en = ("、値の重複を禁止する", ", no duplicate values") if properties.get("unique") else ("", "")
            code, label = properties["code"], properties["label"]
            yield Words(
                f"＋ フィールド「{label}」（{code}）{kind[0]}{ja}", f"+ field “{label}” ({code}), {kind[1]}{en}"
            )
        for code in self.changes:
            yield Words(
                f"～ フィールド「{code}」を「値の重複を禁止する」にする（同じ値のレコードがあると反映に失敗します）",
                f"~ field “{code}”: prohibit duplicate values (fails if two records share a value)",
            )
        for name in self.new_views:
            yield Words(f"＋ 一覧「{name}」", f"+ view “{name}”")


def new_call_log(name: str, language: Language) -> Plan:
    """The plan for an app that is not there yet."""
    return _for_log(Plan(None, name), Form(0, {}), {}, language)


def of_call_log(there: AppInPreview, language: Language) -> Plan:
    """The plan for an app that is there: only what it lacks. Its own fields and views stay as they are."""
    form = Form.read(there.app, there.properties)
    plan = Plan(there.app, there.name, there.revision, notes=tuple(_others_edits(there)))
    return _for_log(plan, form, there.views, language, there)


def of_customers(there: AppInPreview, language: Language) -> Plan:
    """The plan for a customer app: a field beside each telephone field, for its number in E.164."""
    form = Form.read(there.app, there.properties)
    phones = phones_of(form)
    held = normalised_of(form, phones)
    adds: dict[str, Json] = {}
    codes: dict[str, str] = {}
    code_of, label_of = NORMALISED[language]
    for phone in phones:
        if phone.code in held:
            codes[phone.code] = held[phone.code].code
            continue
        code = code_of.format(phone.code)[-128:]
        while code in form.fields or code in adds:
            code += callapp.ANOTHER
        adds[code] = {"type": TEXT, "code": code, "label": label_of.format(phone.label)[:128]}
        codes[phone.code] = code
    notes = list(_others_edits(there))
    if not phones:
        notes.append(
            Words(
                "電話番号のフィールド（リンクの「電話番号」、または名前に「電話」「TEL」「携帯」を含む文字列（1行））が見つかりません。",
                "No telephone field was found (a link of type telephone, or single-line text named phone, TEL, mobile …).",
            )
        )
    deploys = bool(adds) or _waits(there, codes.values())
    return Plan(
        there.app, there.name, there.revision, adds, deploys=deploys, codes=codes, notes=tuple(notes), log=False
    )


def _for_log(
    plan: Plan, form: Form, held_views: Mapping[str, Json], language: Language, there: AppInPreview | None = None
) -> Plan:
    found = callapp.found_in(form, language)
    codes = {key: held.code for key, held in found.items()}
    adds: dict[str, Json] = {}
    for wanted in callapp.FIELDS:
        if wanted.key not in found:
            code = callapp.free_code(form, wanted, language, set(adds))
            adds[code] = wanted.properties(code, language)
            codes[wanted.key] = code
    call_id = found.get("call_id")
    changes = {call_id.code: {"type": TEXT, "unique": True}} if call_id and not call_id.unique else {}
    missing = {
        name: view for name, view in callapp.views(codes, found, language).items() if not _shown(name, held_views)
    }
    views = _with(held_views, missing) if missing else {}
    deploys = bool(adds or changes or missing) or there is None or _waits(there, codes.values())
    if there is not None:
        ours = callapp.views(codes, found, language)
        deploys = deploys or any(name in there.views and name not in there.live_views for name in ours)
    return Plan(
        plan.app,
        plan.name,
        plan.revision,
        adds,
        changes,
        tuple(missing),
        views,
        deploys,
        {wanted.key: codes[wanted.key] for wanted in callapp.FIELDS},
        plan.notes,
    )


def _shown(name: str, held: Mapping[str, Json]) -> bool:
    """Whether there is such a view already, in either language: then it is left as its owner made it."""
    pairs = (("すべての通話", "All calls"), ("不在着信", "Missed calls"), ("自分の通話", "My calls"))
    same = next(pair for pair in pairs if name in pair)
    return any(each in held for each in same)


def _with(held: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """All views: those that are there as they are, for kintone deletes what is not sent, and the new ones behind them."""
    kept = {name: {key: view[key] for key in OF_A_VIEW if view.get(key) is not None} for name, view in held.items()}
    behind = max((int(view["index"]) for view in held.values()), default=-1) + 1
    return {**kept, **{name: {**view, "index": str(behind + place)} for place, (name, view) in enumerate(new.items())}}


def _waits(there: AppInPreview, codes: Any) -> bool:
    """Whether what is there in the preview was never put into use: an earlier run was broken off."""
    live = there.live or {}
    return there.live is None or any(there.properties.get(code) != live.get(code) for code in codes)


def _others_edits(there: AppInPreview) -> Iterator[Words]:
    if there.live is not None and (there.properties != there.live or there.views != there.live_views):
        yield Words(
            f"アプリ{there.app}には、まだ「アプリを更新」していない変更があります。いっしょに運用環境へ反映されます。",
            f"App {there.app} has changes that were not put into use yet; they will go live together with these.",
        )
