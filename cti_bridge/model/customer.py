"""Who a number belongs to: contacts, their story, the matches of a number and the choice among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class ContactKind(StrEnum):
    """A person, or a company whose switchboard this is."""

    PERSON = "person"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class ContactNumber:
    """One telephone field of a record: ``ContactNumber("携帯", "０９０ー１２３４ー５６７８")``, as typed."""

    label: str
    text: str


class ActivityKind(StrEnum):
    """What happened, waits, or will happen."""

    CALL = "call"
    NOTE = "note"
    EMAIL = "email"
    VISIT = "visit"
    CASE = "case"
    DEAL = "deal"
    ORDER = "order"
    APPOINTMENT = "appointment"


@dataclass(frozen=True, slots=True)
class ActivityItem:
    """One line of a customer's story. ``at`` is aware, UTC."""

    kind: ActivityKind
    title: str
    detail: str = ""
    at: datetime | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """What a card shows of a contact: the past (newest first), what is open, what is to come (soonest first)."""

    history: tuple[ActivityItem, ...] = ()
    open: tuple[ActivityItem, ...] = ()
    upcoming: tuple[ActivityItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """A record in the CRM, person or company, with a link to it.

    ``id`` is the connector's own (``"contact:12"``, ``"003…"``); the bridge never looks into it.
    ``touched_at`` is when the CRM last saw activity with this contact, ``open_cases`` how many wait; both for ranking.
    ``activity`` is its story where the CRM told it in the same answer as the contact; then nobody asks for it again.
    """

    id: str
    kind: ContactKind
    name: str
    reading: str = ""
    company: str = ""
    title: str = ""
    url: str | None = None
    numbers: tuple[ContactNumber, ...] = ()
    touched_at: datetime | None = None
    open_cases: int = 0
    activity: Activity | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RelatedRecord:
    """What a call is about, beside whom: a case, a deal, an order of the CRM. ``title`` is its name as agents know it."""

    id: str
    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """What a record of the CRM's screen means for a call: whose it is, and what it is about; either may be unknown."""

    contact: Contact | None
    related: RelatedRecord | None = None


@dataclass(frozen=True, slots=True)
class ContactDraft:
    """What is known of somebody who is not in the CRM yet. ``number`` is E.164."""

    name: str
    number: str
    reading: str = ""
    company: str = ""


class Reason(StrEnum):
    """Why a contact is offered, and why at this place."""

    SAME_NUMBER = "same_number"
    CHOSEN_BEFORE = "chosen_before"
    CALLED_RECENTLY = "called_recently"
    OPEN_CASE = "open_case"
    LATEST_CONTACT = "latest_contact"


@dataclass(frozen=True, slots=True)
class Match:
    """A contact and why: ``field`` is the record's field that holds the number, ``as_typed`` what stands there."""

    contact: Contact
    field: str
    as_typed: str
    reasons: tuple[Reason, ...] = (Reason.SAME_NUMBER,)


def rank(matches: Iterable[Match], *, chosen_before: str | None, called_recently: frozenset[str]) -> tuple[Match, ...]:
    """Order the matches of one number, best first, each told why it stands there.

    Chosen before for this number; talked to by us recently; has an open case; latest contact. ``chosen_before`` is a
    contact id, ``called_recently`` are contact ids. The order is total: equal contacts stand in the order of their ids.
    """
    found = sorted(matches, key=lambda match: match.contact.id)
    latest = max((m.contact.touched_at for m in found if m.contact.touched_at), default=None)

    def reasons(match: Match) -> tuple[Reason, ...]:
        contact = match.contact
        tests = {
            Reason.CHOSEN_BEFORE: contact.id == chosen_before,
            Reason.CALLED_RECENTLY: contact.id in called_recently,
            Reason.OPEN_CASE: contact.open_cases > 0,
            Reason.LATEST_CONTACT: len(found) > 1 and latest is not None and contact.touched_at == latest,
        }
        return (Reason.SAME_NUMBER, *(reason for reason, holds in tests.items() if holds))

    def place(match: Match) -> tuple[bool, bool, bool, float]:
        touched = match.contact.touched_at
        held = match.reasons
        return (
            Reason.CHOSEN_BEFORE not in held,
            Reason.CALLED_RECENTLY not in held,
            Reason.OPEN_CASE not in held,
            -touched.timestamp() if touched else 0.0,
        )

    return tuple(sorted((replace(match, reasons=reasons(match)) for match in found), key=place))


class ChoiceHow(StrEnum):
    """How it was settled whose call this is."""

    ONLY_MATCH = "only_match"
    PICKED = "picked"
    LEARNED = "learned"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which contact this call belongs to, and who says so. ``by`` is the name of the agent who picked."""

    contact: Contact
    how: ChoiceHow
    by: str | None = None
    at: datetime | None = None


def settle(
    matches: tuple[Match, ...], picked: Choice | None, learned: Choice | None, *, disowned: bool = False
) -> Choice | None:
    """Whose call is it? What an agent picked for this call; the only match; what was learned, if it still matches.

    Several matches and nothing learned, or ``disowned`` ("not this contact", said an agent): nobody's, until an agent
    picks. Never a guess.
    """
    if picked is not None or disowned:
        return picked
    if len(matches) == 1:
        return Choice(matches[0].contact, ChoiceHow.ONLY_MATCH)
    for match in matches:
        if learned is not None and match.contact.id == learned.contact.id:
            return replace(learned, contact=match.contact, how=ChoiceHow.LEARNED)
    return None
