"""pykintone's known gaps stay closed; the library itself is not patched."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from cti_bridge.connectors.kintone.client import KintoneApp
from cti_bridge.connectors.kintone.problems import KintoneRefused, KintoneUnavailable
from tests.connectors.kintone.company import KintoneCompany
from tests.contract import SAKURA, log, only
from tests.fakes.kintone import FakeApp, FakeDomain, Right


@pytest.fixture
def notes(company: KintoneCompany) -> FakeApp:
    """An app whose fields are called as the library calls its own."""
    return company.domain.app(
        "メモ",
        {"id": "SINGLE_LINE_TEXT", "revision": "SINGLE_LINE_TEXT", "key": {"type": "SINGLE_LINE_TEXT", "unique": True}},
    )


def client(company: KintoneCompany, app: FakeApp, *rights: Right) -> KintoneApp:
    return KintoneApp(company.connector.apps.domain, app.id, [SecretStr(app.token(*rights))])


def test_the_librarys_host_header_is_not_sent(company: KintoneCompany) -> None:
    company.connector.find_contacts(SAKURA)

    hosts = {request.header("Host") for request in company.domain.requests()}
    assert hosts == {company.domain.url.removeprefix("http://")}


def test_nothing_printed_holds_a_token(company: KintoneCompany) -> None:
    app = company.connector.apps.client(company.connector.apps.mapping.customers[0])

    assert company.environment["TOKEN_PEOPLE"] not in f"{app} {app!r}"


def test_fields_called_id_and_revision_are_fields(company: KintoneCompany, notes: FakeApp) -> None:
    app = client(company, notes, "view", "add", "edit")

    record_id = app.add({"id": "A", "revision": "B"})
    app.change(record_id, {"id": "C"}, revision="1")

    assert (notes.record(record_id)["id"], notes.record(record_id)["revision"]) == ("C", "B")


def test_a_record_that_somebody_changed_meanwhile_is_not_overwritten(company: KintoneCompany, notes: FakeApp) -> None:
    app = client(company, notes, "view", "add", "edit")
    record_id = app.add({"id": "A"})
    notes.change(record_id, id="B")

    with pytest.raises(KintoneUnavailable):
        app.change(record_id, {"id": "C"}, revision="1")

    assert notes.record(record_id)["id"] == "B"


def test_upsert_makes_one_record_and_then_updates_it(company: KintoneCompany, notes: FakeApp) -> None:
    app = client(company, notes, "view", "add", "edit")

    ids = [app.upsert("key", "K1", {"id": text}) for text in ("A", "B")]

    assert [(record["$id"], record["id"]) for record in notes.records()] == [(ids[0], "B")]
    assert ids[0] == ids[1]


def test_a_record_that_is_not_there_is_none_and_other_refusals_are_not(company: KintoneCompany, notes: FakeApp) -> None:
    assert client(company, notes, "view").fetch("99") is None
    with pytest.raises(KintoneRefused) as caught:
        client(company, notes, "add").fetch("99")
    assert caught.value.not_allowed


def test_several_tokens_go_with_each_request(company: KintoneCompany, notes: FakeApp) -> None:
    tokens = [company.people.token("view"), notes.token("view")]
    app = KintoneApp(company.connector.apps.domain, notes.id, [SecretStr(token) for token in tokens])

    assert app.find("") == []
    assert company.domain.requests(notes)[-1].header("X-Cybozu-API-Token") == ",".join(tokens)


def test_a_guest_spaces_apps_are_reached_and_linked_through_it(domain: FakeDomain) -> None:
    company = KintoneCompany(domain, {"KINTONE_GUEST_SPACE": "3"}, guest_space=3)
    company.keep_person("山本 さくら", "080-0000-1223")

    found = only(company.connector.find_contacts(SAKURA))
    link = company.connector.write_call_log(log(contact=found))

    assert found.url == f"{domain.url}/k/guest/3/{company.people.id}/show#record=1"
    assert link.url == f"{domain.url}/k/guest/3/{company.calls.id}/show#record=1"
    assert {request.guest_space for request in domain.requests()} == {"3"}


def test_a_guest_space_that_was_forgotten_is_explained(domain: FakeDomain) -> None:
    company = KintoneCompany(domain, guest_space=3)

    with pytest.raises(KintoneRefused, match="KINTONE_GUEST_SPACE"):
        company.connector.find_contacts(SAKURA)


def test_an_answer_that_lacks_what_was_promised_is_no_empty_answer(company: KintoneCompany, notes: FakeApp) -> None:
    app = client(company, notes, "view", "add", "edit")
    record_id = app.add({"key": "K1"})
    asks: dict[str, Callable[[], object]] = {
        "find": lambda: app.find(""),
        "add": lambda: app.add({"key": "K2"}),
        "upsert": lambda: app.upsert("key", "K3", {}),
    }

    for ask in asks.values():
        with company.domain.trouble("no id"), pytest.raises(KintoneUnavailable, match="not whole"):
            ask()

    assert app.fetch(record_id) is not None


def test_connections_that_the_far_side_closed_meanwhile_are_made_anew(company: KintoneCompany) -> None:
    company.keep_person("山本 さくら", "080-0000-1223")
    company.connector.find_contacts(SAKURA)

    for connection in list(company.domain._server._http.open):
        connection.shutdown(socket.SHUT_RDWR)

    assert len(company.connector.find_contacts(SAKURA)) == 1
