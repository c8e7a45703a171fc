"""Going through all customers, for the audit of their numbers. Finding one of them is ``lookup``'s.

By record number and never by offset, which kintone refuses beyond 10,000. One request at a time: the domain is
everybody's. Stops when the day's requests are nearly used up, for the rest is for call logs.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from cti_bridge.connectors.kintone.apps import Apps
from cti_bridge.connectors.kintone.client import Record
from cti_bridge.connectors.kintone.contacts import as_contact, fields_of, text_of
from cti_bridge.connectors.kintone.mapping import RECORD_ID, CustomerApp
from cti_bridge.connectors.kintone.query import MOST_RECORDS
from cti_bridge.connectors.kintone.spellings import spellings
from cti_bridge.errors import LookupSpared
from cti_bridge.model import Contact, ContactNumber, Survey
from cti_bridge.phone import PhoneNumber


class Walking:
    """All customers of all customer apps."""

    def __init__(self, apps: Apps, region: str, zone: ZoneInfo, *, page: int = MOST_RECORDS) -> None:
        self._apps = apps
        self._region = region
        self._zone = zone
        self.page = page

    def contacts(self) -> Iterator[Contact]:
        """Every customer with a telephone field filled in, app by app, in the order of the records' numbers."""
        for app in self._apps.mapping.customers:
            last = "0"
            while True:
                records = self._after(app, last)
                for record in records:
                    contact = self._contact(app, record)
                    if contact.numbers:
                        yield contact
                if len(records) < self.page:
                    break
                last = text_of(records[-1], RECORD_ID)

    def survey(self) -> Survey:
        """How many records there are; one request for each app."""
        totals = [self._total(app) for app in self._apps.mapping.customers]
        return Survey(sum(totals), sum(total // self.page + 1 for total in totals))

    def finds(self, number: PhoneNumber, held: ContactNumber) -> bool:
        """Whether a field is asked for this number as it is typed there; any way, where it has a normalised one."""
        for app in self._apps.mapping.customers:
            if held.label in app.phones[: len(app.normalised)]:
                return True
        usual = (number.display(self._region), number.national_digits, number.e164)
        return held.text in usual or held.text in spellings(number, self._region)

    def _after(self, app: CustomerApp, last: str) -> list[Record]:
        if self._apps.domain.budget.nearly_used_up(app.app):
            raise LookupSpared(
                "kintoneの1日のリクエスト数が上限に近いため、ここで止めます。残りは通話履歴のために残します"
                " / kintone's daily requests are nearly used up; the rest is left for call logs"
            )
        client = self._apps.ready(app)
        with self._apps.asking(app):
            query = f"{RECORD_ID} > {last} order by {RECORD_ID} asc limit {self.page}"
            return client.find(query, fields_of(app, ()))

    def _total(self, app: CustomerApp) -> int:
        client = self._apps.ready(app)
        with self._apps.asking(app):
            return int(client.select("limit 1", [RECORD_ID]).total_count)

    def _contact(self, app: CustomerApp, record: Record) -> Contact:
        url = self._apps.domain.record_url(app.app, text_of(record, RECORD_ID), app.guest_space)
        return as_contact(app, record, self._apps.form(app), url, self._zone)
