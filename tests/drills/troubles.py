"""What a CRM does to its callers on a bad day, by chance: 5xx, 429, answers lost after the work was done, cut lines."""

from __future__ import annotations

import random
import threading
from typing import Self

from tests.connectors.salesforce.crm import KEY, SECRET
from tests.fakes.salesforce import FakeOrg, Kind

TIMEOUT = 1.0
"""Seconds that the drills' connector waits for an answer."""

KINDS = (Kind.BROKEN, Kind.DOWN, Kind.DOWN_HTML, Kind.LOCKED, Kind.TOO_MANY, Kind.CUT, Kind.CUT_AFTER, Kind.HOLD_AFTER)


def salesforce(org: FakeOrg) -> dict[str, str]:
    """The settings with which the bridge's own Salesforce connector finds the org."""
    return {
        "CTI_CONNECTOR": "salesforce",
        "SALESFORCE_MY_DOMAIN": "acme",
        "SALESFORCE_CONSUMER_KEY": KEY,
        "SALESFORCE_CONSUMER_SECRET": SECRET,
        "SALESFORCE_INSTANCE_URL": org.url,
        "SALESFORCE_TIMEOUT_SECONDS": str(TIMEOUT),
    }


class BadDay:
    """Trouble after trouble until the block ends or ``most`` requests were hit; ``faults`` says how many were."""

    def __init__(self, org: FakeOrg, chance: random.Random, most: int) -> None:
        self.faults: dict[str, int] = {}
        self._org = org
        self._chance = random.Random(chance.random())
        self._most = most
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bad-day", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self._over.set()
        self._thread.join(30)

    @property
    def count(self) -> int:
        return sum(self.faults.values())

    def _run(self) -> None:
        while not self._over.is_set() and self.count < self._most:
            kind = self._chance.choice(KINDS)
            with self._org.trouble(
                kind,
                times=self._chance.randint(1, 3),
                path=self._chance.choice(("sobjects/Task", "sobjects/Task", "composite")),
                retry_after=1 if kind is Kind.TOO_MANY else None,
            ) as trouble:
                self._over.wait(self._chance.uniform(0.1, 0.6))
                if kind is Kind.HOLD_AFTER and trouble.hits:
                    self._over.wait(TIMEOUT * 1.2)  # longer than the client has patience
            if trouble.hits:
                self.faults[kind.value] = self.faults.get(kind.value, 0) + trouble.hits
