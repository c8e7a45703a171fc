"""The connection: one sign-in for all, time-outs everywhere, repeated only what may be, both OAuth flows."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cti_bridge.connectors.salesforce import SalesforceConnector
from cti_bridge.errors import ConnectorError, ConnectorUnavailable
from cti_bridge.model import ContactDraft
from tests.connectors.salesforce.crm import opened
from tests.contract import HOME, SAKURA, log
from tests.fakes.salesforce import FakeOrg, Kind
from tests.fakes.salesforce.trouble import ANSWERS
from tests.fakes.salesforce.wire import Answer

THREADS = 16
TOKEN = "/oauth2/token"


def at_once(ask: Callable[[], object], threads: int = THREADS) -> list[object]:
    """What each of so many threads got, an answer or what was raised."""

    def one(_: int) -> object:
        try:
            return ask()
        except ConnectorError as problem:
            return problem

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))


@pytest.mark.parametrize("voids_old", [False, True], ids=["tokens coexist", "a sign-in voids the others"])
def test_sixteen_threads_with_one_expired_token_make_one_sign_in(org: FakeOrg, voids_old: bool) -> None:
    org.new_login_voids_old = voids_old
    org.insert("Contact", LastName="山本", Phone="080-0000-1223")
    connector = opened(org)
    connector.find_contacts(SAKURA)
    org.expire_tokens()
    with org.trouble(Kind.HOLD, path=TOKEN) as gate, ThreadPoolExecutor(THREADS) as pool:
        asked = [pool.submit(connector.find_contacts, SAKURA) for _ in range(THREADS)]
        gate.wait_for(1)
        gate.open()
        found = [one.result() for one in asked]

    assert [len(contacts) for contacts in found] == [1] * THREADS
    assert org.logins == 2


def test_sixteen_threads_at_the_start_make_one_sign_in_and_one_description(org: FakeOrg) -> None:
    connector = opened(org)

    answers = at_once(lambda: connector.find_contacts(SAKURA))

    assert answers == [[]] * THREADS
    assert org.logins == 1
    assert org.count("Contact/describe") == 1


def test_a_token_that_is_refused_for_ever_ends_in_one_clear_error(org: FakeOrg) -> None:
    connector = opened(org)
    connector.warm_up()
    with org.trouble(Kind.EXPIRED, times=None, path="/services/data"):
        for ask in (lambda: connector.write_call_log(log()), lambda: connector.find_contacts(SAKURA)):
            with pytest.raises(ConnectorUnavailable, match="API Enabled"):
                ask()

    assert org.logins == 2, "the second sign-in was no help, so there is no third one so soon"


def test_a_token_that_never_worked_is_not_replaced_at_once(org: FakeOrg) -> None:
    connector = opened(org)
    with org.trouble(Kind.EXPIRED, times=None, path="/services/data"):
        assert all(isinstance(answer, ConnectorUnavailable) for answer in at_once(connector.warm_up))

    assert org.logins == 1


class Turnstile:
    """A lock that knows how many have come to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._came = threading.Semaphore(0)

    def __enter__(self) -> None:
        self._came.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self._came.acquire(timeout=10), "not so many threads came to sign in"


def test_threads_that_waited_for_a_sign_in_share_its_failure(org: FakeOrg) -> None:
    connector = opened(org, consumer_secret="wrong")
    door = Turnstile()
    connector.org._lock = door  # type: ignore[assignment]
    with org.trouble(Kind.HOLD, path=TOKEN) as gate, ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(at_once, connector.org.versions, 1) for _ in range(4)]
        door.wait_for(4)
        gate.wait_for(1)
        gate.open()
        answers = [one.result()[0] for one in asked]

    assert all(isinstance(answer, ConnectorUnavailable) for answer in answers)
    assert all("SALESFORCE_CONSUMER_SECRET" in str(answer) for answer in answers)
    assert org.sign_in.refused_logins == 1


@pytest.mark.parametrize("error", [{"error": "invalid_token"}, [], [{"unexpected": True}], "<html>", None])
def test_an_unusual_refusal_of_a_token_is_an_error_like_any_other(
    org: FakeOrg, error: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = opened(org)
    connector.warm_up()
    monkeypatch.setitem(ANSWERS, Kind.EXPIRED, Answer(401, error))
    with org.trouble(Kind.EXPIRED, times=None, path="/services/data"), pytest.raises(ConnectorUnavailable):
        connector.find_contacts(SAKURA)


def test_headers_are_sent_again_with_the_new_token(org: FakeOrg) -> None:
    connector = opened(org)
    connector.warm_up()
    org.expire_tokens()

    connector.org.restful("sobjects", headers={"X-Ours": "kept"})

    assert [request.headers.get("x-ours") for request in org.requests if request.path.endswith("/sobjects")] == [
        "kept"
    ] * 2


def test_a_signature_for_the_jwt_flow_signs_in(org: FakeOrg) -> None:
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    org.connected_app("jwt-key", public_key=public)
    by_jwt = {
        "consumer_key": "jwt-key",
        "consumer_secret": "",
        "username": "bridge@acme.example",
        "private_key": private,
    }

    assert opened(org, **by_jwt).find_contacts(SAKURA) == []
    assert org.logins == 1
    org.sign_in.sandbox = True
    assert opened(org, **by_jwt, my_domain="acme--uat.sandbox").find_contacts(SAKURA) == []
    assert org.logins == 2


def test_an_app_that_nobody_approved_is_told_without_a_warning_on_the_terminal(org: FakeOrg) -> None:
    key = rsa.generate_private_key(65537, 2048)
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    connector = opened(org, consumer_secret="", username="nobody@acme.example", private_key=private)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConnectorUnavailable, match="SALESFORCE_USERNAME"):
            connector.find_contacts(SAKURA)


@pytest.mark.parametrize("kind", [Kind.DOWN, Kind.DOWN_HTML, Kind.CUT, Kind.BROKEN])
def test_a_sign_in_that_gets_no_answer_is_tried_again_later(org: FakeOrg, kind: Kind) -> None:
    connector = opened(org)
    with org.trouble(kind, times=None, path=TOKEN), pytest.raises(ConnectorUnavailable):
        connector.find_contacts(SAKURA)

    assert connector.find_contacts(SAKURA) == []


def asked(connector: SalesforceConnector) -> dict[str, Callable[[], object]]:
    return {
        "find": lambda: connector.find_contacts(SAKURA),
        "search": lambda: connector.search("山本"),
        "create": lambda: connector.create_contact(ContactDraft("山本 さくら", HOME.e164)),
        "log": lambda: connector.write_call_log(log(agent_email="")),
        "describe": connector.schema._ask,
        "sign in": connector.org.versions,
    }


@pytest.mark.parametrize("ask", ["find", "search", "create", "log", "describe", "sign in"])
@pytest.mark.parametrize("search", ["exact", "sosl"])
def test_every_request_has_a_time_out(org: FakeOrg, ask: str, search: str) -> None:
    org.add_field("Activity", "CTI_Call_SID__c", external_id=True, unique=True, length=34)
    connector = opened(org, timeout_seconds="0.3", search=search)
    if ask != "sign in":
        connector.warm_up()
    with org.trouble(Kind.HOLD, times=None), pytest.raises(ConnectorUnavailable):
        asked(connector)[ask]()


def test_what_takes_too_long_is_not_asked_a_second_time_behind_the_callers_back(org: FakeOrg) -> None:
    connector = opened(org, timeout_seconds="0.3")
    connector.warm_up()
    with org.trouble(Kind.HOLD, path="Contact/describe") as held, pytest.raises(ConnectorUnavailable):
        connector.org.restful("sobjects/Contact/describe")

    assert held.hits == 1


def test_only_what_may_be_repeated_is_repeated(org: FakeOrg) -> None:
    connector = opened(org)
    connector.warm_up()
    with org.trouble(Kind.DOWN, times=1, path="Contact/describe"):
        assert connector.org.restful("sobjects/Contact/describe")
    before = org.count("/sobjects/Task", "POST")
    with org.trouble(Kind.DOWN, method="POST", path="/sobjects/Task"), pytest.raises(ConnectorUnavailable):
        connector.write_call_log(log())

    assert org.count("/sobjects/Task", "POST") == before + 1


def test_a_kept_connection_that_was_cut_costs_no_caller_their_card(org: FakeOrg) -> None:
    org.insert("Contact", LastName="山本", Phone="080-0000-1223")
    connector = opened(org)
    connector.warm_up()
    org.drop_connections()
    assert len(connector.find_contacts(SAKURA)) == 1
    with org.trouble(Kind.CUT, times=1, path="/composite"):
        assert len(connector.find_contacts(SAKURA)) == 1


def test_a_second_look_up_opens_no_connection(org: FakeOrg) -> None:
    connector = opened(org)
    connector.find_contacts(SAKURA)
    before = org.connections

    for _ in range(5):
        connector.find_contacts(SAKURA)

    assert org.connections == before


def test_retry_after_is_handed_on(org: FakeOrg) -> None:
    connector = opened(org)
    connector.warm_up()
    with (
        org.trouble(Kind.DOWN, path="/composite", retry_after=120),
        pytest.raises(ConnectorUnavailable) as told,
    ):
        connector.find_contacts(SAKURA)

    assert told.value.retry_after == timedelta(seconds=120)


def test_requests_follow_an_org_that_moves_to_another_host(org: FakeOrg) -> None:
    connector = opened(org)
    connector.warm_up()
    org.sign_in._url = lambda: "https://acme2.my.salesforce.com"
    org.expire_tokens()

    connector.find_contacts(SAKURA)
    connector.find_contacts(SAKURA)

    assert connector.org.base_url == "https://acme2.my.salesforce.com/services/data/v68.0/"


def test_a_mistyped_name_is_an_error_not_an_object_of_the_org(org: FakeOrg) -> None:
    with pytest.raises(AttributeError, match="qurey"):
        _ = opened(org).org.qurey


def test_an_answer_of_many_pages_is_read_to_its_end(org: FakeOrg) -> None:
    org.batch_size = 7
    for index in range(30):
        org.insert("Contact", LastName=f"鈴木{index}", Phone="080-0000-1223")

    assert len(opened(org).find_contacts(SAKURA)) == 30
