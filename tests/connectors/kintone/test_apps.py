"""Forms are looked at once, again after an hour, and by one thread at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from cti_bridge.connectors.kintone.apps import LOOK_AGAIN_AFTER, Apps
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable
from tests.connectors.kintone.company import KintoneCompany
from tests.contract import SAKURA


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def apps(company: KintoneCompany, clock: Clock) -> Apps:
    known = company.connector.apps
    return Apps(known.mapping, known.domain, clock=clock)


def looks(company: KintoneCompany) -> int:
    return len(company.domain.requests(api="app/form/fields.json"))


def test_twenty_first_rings_at_once_look_at_each_form_once(company: KintoneCompany) -> None:
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(company.connector.find_contacts, [SAKURA] * 20))

    assert looks(company) == 2


def test_warming_up_looks_at_every_form_and_then_nobody_waits_for_one(company: KintoneCompany) -> None:
    company.connector.warm_up()
    company.domain.forget()

    company.connector.find_contacts(SAKURA)

    assert looks(company) == 0


def test_warming_up_tells_what_is_wrong_after_it_has_looked_at_all(company: KintoneCompany) -> None:
    company.people.remove_field("氏名")

    with pytest.raises(ConnectorRefused, match="氏名"):
        company.connector.warm_up()

    assert looks(company) == 5


def test_after_an_hour_a_field_renamed_meanwhile_is_noticed(company: KintoneCompany, apps: Apps, clock: Clock) -> None:
    apps.ready(apps.mapping.call_log)
    company.calls.remove_field("メモ")
    apps.ready(apps.mapping.call_log)

    clock.now += LOOK_AGAIN_AFTER

    with pytest.raises(ConnectorRefused, match="メモ"):
        apps.ready(apps.mapping.call_log)


def test_a_form_that_cannot_be_looked_at_again_is_believed_a_while_longer(
    company: KintoneCompany, apps: Apps, clock: Clock
) -> None:
    known = apps.form(apps.mapping.call_log)
    clock.now += LOOK_AGAIN_AFTER

    with company.domain.trouble("maintenance"):
        assert apps.form(apps.mapping.call_log) == known


def test_a_form_never_seen_must_be_waited_for(company: KintoneCompany, apps: Apps) -> None:
    with company.domain.trouble("maintenance"), pytest.raises(ConnectorUnavailable):
        apps.form(apps.mapping.call_log)
