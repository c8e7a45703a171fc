"""Finding customers in kintone: by number, id and words. How they are changed is ``customers``'s."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from cti_bridge.connectors.kintone.apps import Apps
from cti_bridge.connectors.kintone.client import Record
from cti_bridge.connectors.kintone.contacts import KnownKeys, as_contact, fields_of, split_id, text_of
from cti_bridge.connectors.kintone.form import LINES, LINK, NUMBER, RECORD_NUMBER, TEXT, UPDATED, Form
from cti_bridge.connectors.kintone.mapping import RECORD_ID, CustomerApp
from cti_bridge.connectors.kintone.query import MOST_RECORDS, all_of, any_of, has_words, may_equal, one_of, storable
from cti_bridge.connectors.kintone.spellings import spellings
from cti_bridge.errors import LookupSpared
from cti_bridge.logbook import get_logger
from cti_bridge.model import Contact
from cti_bridge.phone import PhoneNumber

log = get_logger(__name__)

MOST_FOUND = 20
LONGEST_SEARCH = 200
MOST_WORDS = 10
"""kintone reads ten words of a search."""


class Lookup:
    """Who a number, an id or a name belongs to, in all customer apps."""

    def __init__(self, apps: Apps, region: str, zone: ZoneInfo) -> None:
        self._apps = apps
        self._region = region
        self._zone = zone
        self.keys = KnownKeys()

    def by_number(self, number: PhoneNumber) -> list[Contact]:
        """Everybody with this number: one request for each customer app, all at the same time."""
        customers = self._apps.mapping.customers
        budget = self._apps.domain.budget
        if any(budget.nearly_used_up(app.app) for app in customers):
            raise LookupSpared(
                "kintoneの1日のリクエスト数が上限に近いため、顧客の検索を控えています"
                " / kintone's daily requests are nearly used up; customers are not asked for"
            )

        def ask(app: CustomerApp) -> list[Contact]:
            client = self._apps.ready(app)
            query = f"{self._holds(app, number)} limit {MOST_RECORDS}"
            with self._apps.asking(app):
                records = client.find(query, self._fields(app))
            if len(records) == MOST_RECORDS:
                log.warning("kintone_number_of_very_many", app=app.app)
            return [contact for record in records if self._has(contact := self._contact(app, record), number)]

        return [contact for found in self._apps.each(ask, customers) for contact in found]

    def by_id(self, contact: str) -> Contact | None:
        """The customer with this id, None for anything else; a malformed id costs no request."""
        record = self.record(contact)
        return self._contact(*record) if record else None

    def record(self, contact: str) -> tuple[CustomerApp, Record] | None:
        """The record behind a contact's id, with its app."""
        parts = split_id(contact)
        app = self._apps.mapping.customer_app(parts[0]) if parts else None
        if app is None or parts is None:
            return None
        record = self._apps.ready(app).fetch(parts[1])
        return (app, record) if record else None

    def as_written(self, app: CustomerApp, record_id: str, values: Mapping[str, str]) -> Contact:
        """The contact of a record that was written just now with these values, without asking for it."""
        record: Record = {code: {"value": value} for code, value in {**values, RECORD_ID: record_id}.items()}
        url = self._apps.domain.record_url(app.app, record_id, app.guest_space)
        return as_contact(app, record, self._apps.form(app), url, self._zone)

    def by_key(self, app: CustomerApp, field: str, value: str) -> Contact | None:
        """The only customer whose field has this value: how related records name their customer."""
        if field == RECORD_ID:
            return self.by_id(f"{app.app}:{value}")
        if not may_equal(self._apps.form(app).type_of(field), value):
            return None
        with self._apps.asking(app):
            found = self._apps.ready(app).find(f"{one_of(field, [value])} limit 2", self._fields(app))
        return self._contact(app, found[0]) if len(found) == 1 else None

    def keys_of(self, contact: Contact) -> dict[str, str]:
        """What other apps know this contact by: ``{"顧客番号": "C-1001"}``. From memory, else one request."""
        known = self.keys.get(contact.id)
        if known is None:
            found = self.record(contact.id)
            known = self.keys.keep(contact.id, found[1], self._apps.mapping.keys_of(found[0])) if found else {}
        return known

    def by_words(self, text: str) -> list[Contact]:
        """Customers by name, furigana, company or number of their own, likeliest first: at most 20.

        kintone searches words on an index that lags behind, so what was just entered is found by its whole text only;
        what comes back is held against the text again, for kintone leaves out most punctuation.
        """
        words = " ".join(storable(text).split())
        if not words or len(words) > LONGEST_SEARCH or not any(char.isalnum() for char in words):
            return []

        def ask(app: CustomerApp) -> list[tuple[int, Contact]]:
            client = self._apps.ready(app)
            form = self._apps.form(app)
            newest = form.first_of(UPDATED) or RECORD_ID
            query = f"{_search(app, form, words)} order by {newest} desc limit 100"
            with self._apps.asking(app):
                records = client.find(query, self._fields(app))
            ranked = ((_likeness(self._searched(app, record), words), record) for record in records)
            return [(place, self._contact(app, record)) for place, record in ranked if place is not None]

        found = [each for answers in self._apps.each(ask, self._apps.mapping.customers) for each in answers]
        return [contact for _, contact in sorted(found, key=lambda each: each[0])][:MOST_FOUND]

    def _holds(self, app: CustomerApp, number: PhoneNumber) -> str:
        """The condition that a record holds this number: normalised fields first, and every spelling."""
        exact = [one_of(code, [number.e164]) for code in app.normalised]
        if app.normalised_only:
            return any_of(exact)
        spelt = spellings(number, self._region)
        return any_of([*exact, *(one_of(code, spelt) for code in app.phones)])

    def _has(self, contact: Contact, number: PhoneNumber) -> bool:
        return any(PhoneNumber.find(held.text, self._region) == number for held in contact.numbers)

    def _fields(self, app: CustomerApp) -> list[str]:
        return fields_of(app, self._apps.mapping.keys_of(app))

    def _contact(self, app: CustomerApp, record: Record) -> Contact:
        url = self._apps.domain.record_url(app.app, text_of(record, RECORD_ID), app.guest_space)
        contact = as_contact(app, record, self._apps.form(app), url, self._zone)
        self.keys.keep(contact.id, record, self._apps.mapping.keys_of(app))
        return contact

    def _searched(self, app: CustomerApp, record: Record) -> list[str]:
        whole = [" ".join(text_of(record, code) for code in codes) for codes in (app.name, app.reading)]
        return [*whole, text_of(record, app.company), text_of(record, app.customer_number)]


def _search(app: CustomerApp, form: Form, words: str) -> str:
    """Each word in one of the fields; or the whole text, exactly, in one of them."""
    codes = [*app.name, *app.reading, *filter(None, [app.company, app.customer_number])]
    texts = [code for code in codes if form.type_of(code) in (TEXT, LINK, LINES)]
    exact = [one_of(code, _kana(words)) for code in texts if form.type_of(code) in (TEXT, LINK)]
    if form.type_of(app.customer_number) in (NUMBER, RECORD_NUMBER):
        exact += [one_of(app.customer_number, [words])] * may_equal(form.type_of(app.customer_number), words)
    each = [
        any_of(has_words(code, spelt) for code in texts for spelt in _kana(word))
        for word in words.split()[:MOST_WORDS]
        if any(char.isalnum() for char in word)
    ]
    return any_of([*exact, f"({all_of(each)})"]) if texts else any_of(exact or [f"{RECORD_ID} < 0"])


def _kana(text: str) -> list[str]:
    """The text, and again in the other kana: furigana is kept in either."""
    hiragana = "".join(chr(ord(char) - 0x60) if "ァ" <= char <= "ヶ" else char for char in text)
    katakana = "".join(chr(ord(char) + 0x60) if "ぁ" <= char <= "ゖ" else char for char in text)
    return list(dict.fromkeys([text, katakana, hiragana]))


def _likeness(fields: Iterable[str], words: str) -> int | None:
    """How well a record answers a search: 0 is best, None not at all."""
    known = list(map(_folded, fields))
    whole = _folded(words)
    if whole in known:
        return 0
    if any(field.startswith(whole) for field in known):
        return 1
    if any(whole in field for field in known):
        return 2
    parts = [_folded(word) for word in words.split()]
    return 3 if len(parts) > 1 and all(any(part in field for field in known) for part in parts) else None


def _folded(text: str) -> str:
    """Without width, case, kind of kana and spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(_small(char) for char in plain if not char.isspace())


def _small(char: str) -> str:
    return chr(ord(char) + 0x60) if "ぁ" <= char <= "ゖ" else char
