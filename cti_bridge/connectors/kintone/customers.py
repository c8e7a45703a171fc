"""Changing customers in kintone: a new one, one number more. Finding them is ``lookup``'s."""

from __future__ import annotations

from typing import Any

from cti_bridge.connectors.kintone.apps import Apps
from cti_bridge.connectors.kintone.contacts import contact_id, text_of
from cti_bridge.connectors.kintone.form import CALC, Form
from cti_bridge.connectors.kintone.lookup import Lookup
from cti_bridge.connectors.kintone.mapping import CustomerApp
from cti_bridge.connectors.kintone.query import storable
from cti_bridge.errors import ConnectorError, ConnectorRefused
from cti_bridge.logbook import get_logger
from cti_bridge.model import Contact, ContactDraft
from cti_bridge.phone import PhoneNumber

log = get_logger(__name__)


class Customers:
    """Writes into the customer apps."""

    def __init__(self, apps: Apps, lookup: Lookup, region: str) -> None:
        self._apps = apps
        self._lookup = lookup
        self._region = region

    def create(self, draft: ContactDraft) -> Contact:
        """A new record in the app for new customers. Raises ConnectorRefused in kintone's words."""
        name = storable(draft.name).strip()
        if not name:
            raise ConnectorRefused("氏名を入力してください。 / A contact needs a name.", code="NAME_MISSING")
        app = self._apps.mapping.app_of_new_customers
        client = self._apps.ready(app)
        form = self._apps.form(app)
        values: dict[str, Any] = {
            **_spread(form, app.name, name),
            **_spread(form, app.reading, storable(draft.reading).strip()),
            **_spread(form, (app.company,) if app.company else (), storable(draft.company).strip()),
            **self._number(app, 0, PhoneNumber(draft.number)),
        }
        return self._read_back(app, client.add(values), values)

    def add_number(self, contact: Contact, number: PhoneNumber) -> Contact:
        """The contact with this number in its first free telephone field. Raises ConnectorRefused when none is free."""
        found = self._lookup.record(contact.id)
        if found is None:
            raise ConnectorRefused("この顧客はもうありません。 / This contact is no more.", code="NOT_FOUND")
        app, record = found
        typed = [text_of(record, code) for code in app.phones]
        if not any(PhoneNumber.find(text, self._region) == number for text in typed):
            free = next((place for place, text in enumerate(typed) if not text), None)
            if free is None:
                labels = self._apps.form(app).label_of
                names = "、".join(map(labels, app.phones))
                raise ConnectorRefused(
                    f"空いている電話番号フィールドがありません（{names}）。kintoneで直してください。"
                    f" / No telephone field is free ({names}); change the record in kintone.",
                    code="NO_FREE_FIELD",
                )
            record_id, revision = text_of(record, "$id"), text_of(record, "$revision")
            self._apps.ready(app).change(record_id, self._number(app, free, number), revision)
        changed = self._lookup.by_id(contact.id)
        return changed or contact

    def _read_back(self, app: CustomerApp, record_id: str, values: dict[str, Any]) -> Contact:
        """The new record as kintone shows it; as it was written, where it cannot be read just now: an agent who is told
        of a failure makes the same customer a second time."""
        try:
            made = self._lookup.by_id(contact_id(app.app, record_id))
        except ConnectorError as problem:
            log.warning("kintone_new_customer_not_read", app=app.app, problem=problem)
            made = None
        return made or self._lookup.as_written(app, record_id, values)

    def _number(self, app: CustomerApp, place: int, number: PhoneNumber) -> dict[str, str]:
        """The number in the telephone field at this place and in the normalised one beside it: no plug-in runs for us."""
        values = {app.phones[place]: number.display(self._region)}
        if place < len(app.normalised):
            values[app.normalised[place]] = number.e164
        return values


def _spread(form: Form, codes: tuple[str, ...], text: str) -> dict[str, str]:
    """A text over the fields that hold its parts: 山本 さくら into 姓 and 名; calculated fields take none."""
    open_codes = [code for code in codes if form.type_of(code) != CALC]
    if not text or not open_codes:
        return {}
    parts = text.split(maxsplit=len(open_codes) - 1) if len(open_codes) > 1 else [text]
    return dict(zip(open_codes, parts, strict=False))
