"""Who has this number, this id, this name: one composite request for all objects, the story brought along."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from cti_bridge.connectors.salesforce.activity import Stories, open_cases, touched_at
from cti_bridge.connectors.salesforce.problems import SalesforceRefused
from cti_bridge.connectors.salesforce.records import Shape, shapes
from cti_bridge.connectors.salesforce.schema import Described, Schema
from cti_bridge.connectors.salesforce.session import Org, Row
from cti_bridge.connectors.salesforce.settings import SalesforceSettings
from cti_bridge.connectors.salesforce.soql import any_of, like, quoted, record_id, select, sosl_term, storable
from cti_bridge.connectors.salesforce.users import Users
from cti_bridge.logbook import get_logger
from cti_bridge.model import Activity, Contact
from cti_bridge.phone import PhoneNumber

log = get_logger(__name__)

MOST_SHARING = 100
"""Records of one object that may share a number."""

MOST_SEARCHED = 20
LONGEST_SEARCH = 100
STALE = frozenset({"INVALID_FIELD", "INVALID_TYPE"})
"""What Salesforce says when the org is not, or not any more, what describe told."""

T = TypeVar("T")


@dataclass(frozen=True)
class Lookup:
    """Finds contacts. Raises ConnectorUnavailable and SalesforceRefused."""

    org: Org
    schema: Schema
    settings: SalesforceSettings
    region: str
    timezone: ZoneInfo
    users: Users

    def find(self, number: PhoneNumber) -> list[Contact]:
        """Everybody whose record truly holds this number, each with its story."""
        try:
            return self.ask(lambda described: self._find(described, number))
        except SalesforceRefused as problem:
            plain = self._without_stories(problem)
        return [replace(contact, activity=None) for contact in plain.find(number)]

    def get(self, contact_id: str) -> Contact | None:
        """The contact with this id, its story left out; a converted lead's is what it was converted to."""
        try:
            found = self._by_id(contact_id)
        except SalesforceRefused as problem:
            return self._without_stories(problem).get(contact_id)
        return replace(found, activity=None) if found else None

    def story(self, contact_id: str) -> Activity:
        """The contact's story; empty when there is no such contact any more."""
        found = self._by_id(contact_id)
        return (found.activity if found else None) or Activity()

    def search(self, text: str) -> list[Contact]:
        """Contacts that hold all the words of the text in name, furigana, company or customer number; or this number."""
        words = storable(text).split()
        if not words or len(text) > LONGEST_SEARCH:
            return []
        number = PhoneNumber.find(text, self.region)
        if number is not None:
            return [replace(contact, activity=None) for contact in self.find(number)][:MOST_SEARCHED]
        return self.ask(lambda described: self._search(described, words))

    def ask(self, question: Callable[[Described], T]) -> T:
        """Ask with what is known of the org; once more with news of it, when Salesforce says that it has changed."""
        described = self.schema.get()
        try:
            return question(described)
        except SalesforceRefused as problem:
            if problem.code not in STALE:
                raise
            news = self.schema.doubt(described)
            if news is described:
                raise
        return question(news)

    def _without_stories(self, problem: SalesforceRefused) -> Lookup:
        """This look-up asking for the contacts alone: who calls is worth more than what happened. Raises the problem when
        there were no stories to blame."""
        if not self.settings.activity:
            raise problem
        log.warning("salesforce_story_refused", code=problem.code)
        return replace(self, settings=self.settings.model_copy(update={"activity": ()}))

    def url(self, sobject: str, row_id: str) -> str:
        """Where agents see a record: ``https://acme.lightning.force.com/lightning/r/Contact/003…/view``."""
        return f"{self.settings.lightning_origin}/lightning/r/{sobject}/{row_id}/view"

    # ── by number ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _find(self, described: Described, number: PhoneNumber) -> list[Contact]:
        held = [shape for shape in shapes(described, self.settings) if shape.phones or shape.normalised]
        indexed = [shape for shape in held if shape.normalised]
        others = [shape for shape in held if not shape.normalised]
        ids = self._ids_by_sosl(held, number) if self.settings.search_by == "sosl" else {}
        exact = [(shape, _any(shape.normalised, f"= {quoted(number.e164)}")) for shape in indexed]
        found = self._contacts(described, [*exact, *self._spelt(others, number, ids)])
        if indexed and not any(self._holds(contact, number) for contact in found):
            found += self._contacts(described, self._spelt(indexed, number, ids))
        return [contact for contact in found if self._holds(contact, number)]

    def _spelt(self, held: list[Shape], number: PhoneNumber, ids: dict[str, list[str]]) -> list[tuple[Shape, str]]:
        """For each object, the records that hold the number in any spelling or that Salesforce's search has found."""
        spellings = any_of(number.spellings())
        asked = []
        for shape in held:
            parts = [_any(shape.phones, f"IN {spellings}")] if shape.phones else []
            parts += [f"Id IN {any_of(ids[shape.table.name])}"] if ids.get(shape.table.name) else []
            asked += [(shape, " OR ".join(parts))] if parts else []
        return asked

    def _ids_by_sosl(self, held: list[Shape], number: PhoneNumber) -> dict[str, list[str]]:
        digits = number.national_digits
        terms = dict.fromkeys([digits, number.e164[1:], digits.lstrip("0")])
        return self._sosl(" OR ".join(terms), "PHONE FIELDS", held, MOST_SHARING)

    def _holds(self, contact: Contact, number: PhoneNumber) -> bool:
        return any(PhoneNumber.find(held.text, self.region) == number for held in contact.numbers)

    # ── by id ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _by_id(self, contact_id: str) -> Contact | None:
        whole = record_id(contact_id)
        return self.ask(lambda described: self._get(described, whole)) if whole else None

    def _get(self, described: Described, whole: str, hops: int = 2) -> Contact | None:
        shape = next((one for one in shapes(described, self.settings) if one.table.prefix == whole[:3]), None)
        found = self._rows(described, [(shape, f"Id = {quoted(whole)}")]) if shape else []
        for held, row in found:
            elsewhere = row.get("ConvertedContactId") if row.get("IsConverted") else None
            if held.table.name == "Contact" and row.get("IsPersonAccount"):
                elsewhere = row.get("AccountId")
            return self._get(described, elsewhere, hops - 1) if elsewhere and hops else self._told(described, held, row)
        return None

    # ── by words ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _search(self, described: Described, words: list[str]) -> list[Contact]:
        held = shapes(described, self.settings)
        asked = self._by_index(held, words) if self.settings.search_by == "sosl" else []
        if not asked:
            asked = [
                (shape, " AND ".join(f"({_any(shape.searched, f'LIKE {like(word)}')})" for word in words))
                for shape in held
            ]
        queries = [
            select(
                shape.fields, shape.table.name, f"({where}){shape.condition}", "LastModifiedDate DESC", MOST_SEARCHED
            )
            for shape, where in asked
        ]
        found = [
            shape.contact(row, self.url(shape.table.name, row["Id"]), self.region)
            for (shape, _), rows in zip(asked, self.org.rows(*queries), strict=True)
            for row in rows
        ]
        name = "".join(words).casefold()
        found.sort(key=lambda contact: not "".join(contact.name.split()).casefold().startswith(name))
        return found[:MOST_SEARCHED]

    def _by_index(self, held: list[Shape], words: list[str]) -> list[tuple[Shape, str]]:
        """What Salesforce's search index finds: records, and the people of an account. Nothing where it does not help:
        it refuses single letters, and lags behind by minutes."""
        if any(sum(map(str.isalnum, word)) < 2 for word in words):
            return []
        ids = self._sosl(" AND ".join(map(sosl_term, words)), "ALL FIELDS", held, MOST_SEARCHED)
        asked = []
        for shape in held:
            parts = [f"Id IN {any_of(ids[shape.table.name])}"] if ids.get(shape.table.name) else []
            if shape.company == "Account.Name" and ids.get("Account"):
                parts.append(f"AccountId IN {any_of(ids['Account'])}")
            asked += [(shape, " OR ".join(parts))] if parts else []
        return asked

    def _sosl(self, terms: str, scope: str, held: Iterable[Shape], most: int) -> dict[str, list[str]]:
        """The ids that Salesforce's search index finds, by object."""
        wanted = ", ".join(
            f"{shape.table.name}(Id{f' WHERE {shape.condition[5:]}' if shape.condition else ''} LIMIT {most})"
            for shape in held
        )
        answer = self.org.search(f"FIND {{{terms}}} IN {scope} RETURNING {wanted}") or {}
        ids: dict[str, list[str]] = {}
        for record in answer.get("searchRecords", ()):
            ids.setdefault(record["attributes"]["type"], []).append(record["Id"])
        return ids

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _contacts(self, described: Described, asked: list[tuple[Shape, str]]) -> list[Contact]:
        wanted = [(shape, f"({where}){shape.condition}") for shape, where in asked]
        return [self._told(described, shape, row) for shape, row in self._rows(described, wanted)]

    def _rows(self, described: Described, asked: list[tuple[Shape, str]]) -> list[tuple[Shape, Row]]:
        """The records of each object that meet its condition, with their story; in one request for up to five queries."""
        stories, now = self._stories(described), datetime.now(UTC)
        queries = [
            select(
                [*shape.fields, *stories.subqueries(shape.table, now)],
                shape.table.name,
                where,
                "LastModifiedDate DESC",
                MOST_SHARING,
            )
            for shape, where in asked
        ]
        people = next((where for shape, where in asked if "PersonContactId" in shape.table.columns), "")
        further = stories.of_person_accounts(people, now) if people else {}
        answers = self.org.rows(*queries, *further.values())
        theirs = dict(zip(further, answers[len(queries) :], strict=True))
        return [
            (shape, self._joined(shape, row, theirs) if row.get("PersonContactId") else row)
            for (shape, _), rows in zip(asked, answers[: len(queries)], strict=True)
            for row in rows
        ]

    @staticmethod
    def _joined(shape: Shape, row: Row, theirs: dict[str, list[Row]]) -> Row:
        """A person account with what hangs on its hidden contact."""
        for sobject, records in theirs.items():
            name = shape.table.children_called(sobject, "WhoId", "WhatId")
            own = [record for record in records if record.get("AccountId") == row["Id"]]
            row = {**row, name: {"records": own}} if name else row
        return row

    def _told(self, described: Described, shape: Shape, row: Row) -> Contact:
        """A record as a contact with its story."""
        if "PersonContactId" in row:
            self.users.learn_person(row["Id"], row["PersonContactId"])
        activity = self._stories(described).read(shape.table, row)
        contact = shape.contact(row, self.url(shape.table.name, row["Id"]), self.region)
        return replace(contact, touched_at=touched_at(activity), open_cases=open_cases(activity), activity=activity)

    def _stories(self, described: Described) -> Stories:
        return Stories(described, self.settings, self.timezone, self.url)


def _any(fields: Iterable[str], test: str) -> str:
    return " OR ".join(f"{field} {test}" for field in fields)
