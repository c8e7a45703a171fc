"""Who is who in the org: an agent's user by e-mail, a person account's contact. Remembered for an hour, also who is not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cti_bridge.connectors.salesforce.problems import SalesforceRefused
from cti_bridge.connectors.salesforce.session import Org
from cti_bridge.connectors.salesforce.settings import SalesforceSettings
from cti_bridge.connectors.salesforce.soql import quoted, record_id, select
from cti_bridge.logbook import get_logger

log = get_logger(__name__)

REMEMBERED_SECONDS = 3600.0
PEOPLE_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class User:
    """A user of the org: ``User("005…", ZoneInfo("Asia/Tokyo"))``."""

    id: str
    zone: ZoneInfo | None


class Users:
    """Asks once for each agent. Raises ConnectorUnavailable."""

    def __init__(self, org: Org, settings: SalesforceSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._org = org
        self._chosen = settings.agents
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, User | None]] = {}
        self._people: dict[str, str | None] = {}

    def find(self, email: str) -> User | None:
        """The active user of this agent, by the agents' map, user name or e-mail; None when there is none, or several."""
        wanted = email.lower()
        with self._lock:
            asked_at, user = self._known.get(wanted, (0.0, None))
        if asked_at and self._clock() - asked_at < REMEMBERED_SECONDS:
            return user
        try:
            user = self._ask(self._chosen.get(wanted, wanted))
        except SalesforceRefused as problem:  # the log is worth more than its owner
            log.warning("salesforce_users_hidden", code=problem.code)
            user = None
        with self._lock:
            self._known[wanted] = (self._clock(), user)
        return user

    def person_contact(self, account_id: str) -> str | None:
        """The contact behind a person account; None for a company."""
        with self._lock:
            if account_id in self._people:
                return self._people[account_id]
        [rows] = self._org.rows(select(["PersonContactId"], "Account", f"Id = {quoted(account_id)}"))
        found = rows[0].get("PersonContactId") if rows else None
        self.learn_person(account_id, found)
        return found

    def learn_person(self, account_id: str, contact_id: str | None) -> None:
        """Keep what a look-up has told, so that the log need not ask."""
        with self._lock:
            if len(self._people) >= PEOPLE_REMEMBERED:
                self._people.clear()
            self._people[account_id] = contact_id

    def _ask(self, name: str) -> User | None:
        by_id = record_id(name) if name.startswith("005") else None
        who = f"Id = {quoted(by_id)}" if by_id else f"(Username = {quoted(name)} OR Email = {quoted(name)})"
        fields = ["Id", "Username", "TimeZoneSidKey"]
        [rows] = self._org.rows(select(fields, "User", f"IsActive = true AND {who}", limit=3))
        named = [row for row in rows if str(row.get("Username")).lower() == name.lower()]
        found = named or rows
        if len(found) != 1:
            log.warning("salesforce_agent_without_user", users=len(found))
            return None
        return User(str(found[0]["Id"]), _zone(found[0].get("TimeZoneSidKey")))


def _zone(name: object) -> ZoneInfo | None:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        return None
