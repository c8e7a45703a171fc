"""Going through all contacts, for the audit of their numbers. Finding one of them is ``lookup``'s.

A query's answer comes in pages of 2,000 records, each a request; the next one's address stands in the one before
(https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cti_bridge.connectors.salesforce.lookup import Lookup
from cti_bridge.connectors.salesforce.records import Shape, shapes
from cti_bridge.connectors.salesforce.schema import Described
from cti_bridge.connectors.salesforce.session import Row
from cti_bridge.connectors.salesforce.settings import fields_of
from cti_bridge.connectors.salesforce.soql import select
from cti_bridge.errors import ConnectorUnavailable, LookupSpared
from cti_bridge.model import Contact, ContactNumber, Survey
from cti_bridge.phone import PhoneNumber

PAGE = 2_000


class Walking:
    """All records that are contacts and hold a number."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def contacts(self) -> Iterator[Contact]:
        """Every contact with a telephone field filled in, object by object. The story is left out."""
        for name in self._objects():
            shape, page = self._lookup.ask(partial(self._first, name))
            while True:
                for row in page["records"]:
                    contact = shape.contact(row, self._lookup.url(shape.table.name, row["Id"]), self._lookup.region)
                    if contact.numbers:
                        yield contact
                if page.get("done", True):
                    break
                page = self._next(page)

    def survey(self) -> Survey:
        """How many records there are; one request for each object."""
        totals = [self._lookup.ask(partial(self._count, name)) for name in self._objects()]
        return Survey(sum(totals), sum(max(1, -(-total // PAGE)) for total in totals))

    def finds(self, number: PhoneNumber, held: ContactNumber) -> bool:
        """Whether a field is asked for this number as it is typed there; any way, where a normalised field or
        Salesforce's search index helps."""
        settings = self._lookup.settings
        if settings.search_by == "sosl" or fields_of(settings.normalised_fields, held.label.partition(".")[0]):
            return True
        usual = (number.display(self._lookup.region), number.national_digits, number.e164)
        return held.text in usual or held.text in number.spellings()

    def _objects(self) -> list[str]:
        return list(self._lookup.ask(self._shapes))

    def _shapes(self, described: Described) -> dict[str, Shape]:
        held = [shape for shape in shapes(described, self._lookup.settings) if shape.phones or shape.normalised]
        return {shape.table.name: shape for shape in held}

    def _first(self, name: str, described: Described) -> tuple[Shape, Row]:
        shape = self._shapes(described)[name]
        return shape, self._page(select(shape.fields, shape.table.name, _holds_a_number(shape)))

    def _count(self, name: str, described: Described) -> int:
        shape = self._shapes(described)[name]
        return int(self._page(select(["COUNT()"], shape.table.name, _holds_a_number(shape)))["totalSize"])

    def _page(self, query: str) -> Row:
        self._spare()
        return _whole(self._lookup.org.restful("query", params={"q": query}))

    def _next(self, page: Row) -> Row:
        self._spare()
        return _whole(self._lookup.org.query_more(page["nextRecordsUrl"], identifier_is_url=True))

    def _spare(self) -> None:
        if self._lookup.org.budget.spares_lookups():
            raise LookupSpared(
                "SalesforceのAPIコール数が上限に近いため、ここで止めます。残りは通話履歴のために残します"
                " / Salesforce's daily requests are nearly used up; the rest is left for call logs"
            )


def _holds_a_number(shape: Shape) -> str:
    filled = " OR ".join(f"{field} != null" for field in (*shape.phones, *shape.normalised))
    return f"({filled}){shape.condition}"


def _whole(answer: object) -> Row:
    if not isinstance(answer, dict) or "totalSize" not in answer:
        raise ConnectorUnavailable("Salesforce's answer to a query is not whole.")
    return answer
