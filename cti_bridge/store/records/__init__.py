"""The embedded CRM's records: contacts, companies, numbers, activities, orders, cases.

``tables`` are the tables, ``text`` tidies and compares texts, ``contacts`` finds, searches and tells stories,
``customers`` saves whole customers, ``listing`` lists them, ``store`` is the door to all of it, ``csv_files`` carries
customers in and out as CSV. What a caller's number means is decided in ``calls``, not here.
"""

from cti_bridge.store.records.customers import Customer, Saved, SavedHow
from cti_bridge.store.records.store import Entry, Health, Records

__all__ = ["Customer", "Entry", "Health", "Records", "Saved", "SavedHow"]
