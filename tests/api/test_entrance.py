"""The API's way in: roles, one-time codes, sign-ins that end, lock-outs, limits, addresses, and other sites' pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pyotp
import pytest
from werkzeug.test import TestResponse

from cti_bridge.api.problem import waiting
from cti_bridge.auth import Door, limits
from cti_bridge.model import Agent, Permission, Role
from cti_bridge.store import Database, directory
from tests.api.test_api import ROUTES, refusal
from tests.desk import PASSWORD, PUBLIC, Desk, at_desk


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    with at_desk(database) as opened:
        yield opened


def make(desk: Desk, role: Role, agent: Agent | None = None) -> Agent:
    """Give Sato, or this agent, another role."""
    agent = agent or desk.sato
    with desk.bridge.database.transaction() as connection:
        directory.change_agent(connection, agent.id, role=role)
    return desk.bridge.directory.refresh().agents[agent.id]


def sign_in(desk: Desk, *, code: str = "", password: str = PASSWORD, **more: Any) -> TestResponse:
    body = {"email": desk.sato.email, "password": password, "code": code}
    return desk.client.post("/api/session", json=body, **more)


def bearer(answer: TestResponse) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.get_json()['token']}"}


# ── roles ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_signing_in_tells_the_role_and_that_nothing_is_to_be_set_up(desk: Desk) -> None:
    make(desk, Role.SUPERVISOR)
    told = sign_in(desk).get_json()
    assert (told["agent"]["role"], told["must_enrol"]) == ("supervisor", False)


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR])
@pytest.mark.parametrize("path", ["sessions", "totp"])
def test_only_an_administrator_ends_other_peoples_sign_ins_and_codes(desk: Desk, role: Role, path: str) -> None:
    agent = make(desk, role)
    theirs = desk.headers(desk.suzuki)
    refusal(desk.ask("DELETE", f"/agents/{desk.suzuki.id}/{path}", agent=agent), 403, "not_allowed")
    assert desk.client.get("/api/calls", headers=theirs).status_code == 200


@pytest.mark.parametrize(
    ("language", "says"), [("ja", "管理者に確認してください。"), ("en", "Ask your administrator.")]
)
def test_a_refusal_is_told_in_the_readers_language(desk: Desk, language: str, says: str) -> None:
    answer = desk.ask("DELETE", f"/agents/{desk.suzuki.id}/totp", language=language)
    assert refusal(answer, 403, "not_allowed") == says


def test_every_route_says_what_it_needs(desk: Desk) -> None:
    """Taking a permission away closes exactly the routes that the table says it opens."""
    everything = {permission.value for permission in Permission}
    for missing in (Permission.TAKE_CALLS, Permission.MANAGE_AGENTS):
        allowed = frozenset(Permission(value) for value in everything - {missing.value})
        with mock.patch.object(type(desk.bridge.auth), "permissions", lambda _self, _agent, allowed=allowed: allowed):
            refused = {
                path
                for method, path in ROUTES
                if (answer := desk.ask(method, path, {} if method in ("POST", "PUT") else None)).status_code == 403
                and answer.get_json()["code"] == "not_allowed"
            }
        own = {"/session", "/session/renew", "/sessions", "/totp", "/totp/confirmation"}
        manage = {"/agents/1/sessions", "/agents/1/totp"}
        expected = manage if missing is Permission.MANAGE_AGENTS else {path for _, path in ROUTES} - own - manage
        assert refused == expected


def test_an_administrator_signs_somebody_out_and_takes_codes_away(desk: Desk) -> None:
    chief = make(desk, Role.ADMINISTRATOR)
    theirs = desk.headers(desk.suzuki)
    enrolled = enrol(desk, theirs)
    answer = desk.ask("DELETE", f"/agents/{desk.suzuki.id}/totp", agent=chief)
    assert answer.status_code == 204, answer.text
    refusal(desk.client.get("/api/calls", headers=theirs), 401, "not_signed_in")
    assert enrolled
    theirs = desk.headers(desk.suzuki)
    ended = desk.ask("DELETE", f"/agents/{desk.suzuki.id}/sessions", agent=chief)
    assert ended.get_json() == {"ended": 1}
    refusal(desk.client.get("/api/calls", headers=theirs), 401, "not_signed_in")
    for nobody in ("99999", "x", "-1", "1" * 5000):
        refusal(desk.ask("DELETE", f"/agents/{nobody}/totp", agent=chief), 404, "colleague_not_found")
    refusal(desk.ask("DELETE", f"/agents/{desk.suzuki.id}/totp", agent=chief), 404, "totp_not_on")


# ── sign-ins that end ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_token_is_refused_the_moment_its_owner_signs_out(desk: Desk) -> None:
    first, second = bearer(sign_in(desk)), bearer(sign_in(desk))
    assert desk.client.delete("/api/session", headers=first).status_code == 204
    refusal(desk.client.get("/api/calls", headers=first), 401, "not_signed_in")
    assert desk.client.get("/api/calls", headers=second).status_code == 200


def test_signing_out_everywhere_ends_all_of_mine(desk: Desk) -> None:
    first, second, theirs = bearer(sign_in(desk)), bearer(sign_in(desk)), desk.headers(desk.suzuki)
    assert desk.client.delete("/api/sessions", headers=first).get_json() == {"ended": 2}
    for headers in (first, second):
        refusal(desk.client.get("/api/calls", headers=headers), 401, "not_signed_in")
    assert desk.client.get("/api/calls", headers=theirs).status_code == 200


# ── one-time codes ───────────────────────────────────────────────────────────────────────────────────────────────────


def enrol(desk: Desk, headers: dict[str, str]) -> tuple[pyotp.TOTP, list[str]]:
    begun = desk.client.post("/api/totp", headers=headers)
    assert begun.status_code == 201, begun.text
    app = pyotp.TOTP(begun.get_json()["secret"])
    assert begun.get_json()["qr"].startswith("<svg")
    told = desk.client.post("/api/totp/confirmation", json={"code": app.now()}, headers=headers)
    assert told.status_code == 200, told.text
    return app, told.get_json()["recovery_codes"]


def test_an_agent_sets_codes_up_and_is_asked_for_one_from_then_on(desk: Desk) -> None:
    headers = bearer(sign_in(desk))
    assert desk.client.get("/api/totp", headers=headers).get_json() == {
        "on": False,
        "demanded": False,
        "recovery_codes_left": 0,
    }
    app, recovery = enrol(desk, headers)
    assert desk.client.get("/api/totp", headers=headers).get_json()["recovery_codes_left"] == 10
    refusal(sign_in(desk), 401, "code_required")
    refusal(sign_in(desk, code="000000"), 401, "wrong_code")
    refusal(sign_in(desk, code=app.now()), 401, "wrong_code")  # it was used to confirm
    bearer(sign_in(desk, code=recovery[0]))
    refusal(desk.client.post("/api/totp", headers=headers), 409, "totp_already_on")


def test_a_wrong_first_code_is_no_reason_to_be_signed_out(desk: Desk) -> None:
    headers = bearer(sign_in(desk))
    refusal(desk.client.post("/api/totp/confirmation", json={"code": "1"}, headers=headers), 409, "totp_not_begun")
    desk.client.post("/api/totp", headers=headers)
    refusal(desk.client.post("/api/totp/confirmation", json={"code": "000000"}, headers=headers), 400, "wrong_code")


def test_whoever_must_set_codes_up_can_do_that_and_then_everything(database: Database) -> None:
    with at_desk(database, CTI_REQUIRE_TOTP="everybody") as desk:
        answer = sign_in(desk)
        headers = bearer(answer)
        assert answer.get_json()["must_enrol"] is True
        for method, path in (("GET", "/calls"), ("POST", "/tickets"), ("PUT", "/language")):
            refusal(desk.client.open(f"/api{path}", method=method, json={}, headers=headers), 403, "must_enrol")
        enrol(desk, headers)
        assert desk.client.get("/api/calls", headers=headers).status_code == 200


# ── too many ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("ja", "失敗が続いたためです。30秒後にもう一度お試しください。"),
        ("en", "There were too many failed tries. Try again in 30 seconds."),
    ],
)
def test_a_lock_out_says_in_words_and_for_programs_when_to_come_again(desk: Desk, language: str, says: str) -> None:
    for _ in range(5):
        refusal(sign_in(desk, password="guessed"), 401, "wrong_password")
    answer = sign_in(desk, headers={"Accept-Language": language})
    assert refusal(answer, 429, "locked_out") == says
    assert 28 <= int(answer.headers["Retry-After"]) <= 30


@pytest.mark.parametrize(
    ("seconds", "ja", "en"),
    [(1, "1秒", "1 second"), (59, "59秒", "59 seconds"), (60, "1分", "1 minute"), (61, "2分", "2 minutes")],
)
def test_a_wait_is_told_as_people_say_it(seconds: int, ja: str, en: str) -> None:
    assert (waiting(seconds, "ja"), waiting(seconds, "en")) == (ja, en)


@pytest.mark.parametrize(
    ("door", "method", "path"),
    [
        (Door.SIGN_IN, "POST", "/session"),
        (Door.VOUCH, "POST", "/session/ticket"),
        (Door.REDEEM, "POST", "/session/redeem"),
        (Door.OPENAPI, "GET", "/openapi.json"),
    ],
)
def test_every_open_door_is_limited(desk: Desk, door: Door, method: str, path: str) -> None:
    with mock.patch.dict(limits.LIMITS, {door: 3}):
        codes = [desk.client.open(f"/api{path}", method=method).status_code for _ in range(5)]
        answer = desk.client.open(f"/api{path}", method=method)
    assert 429 not in codes[:3], codes
    assert codes[3:] == [429, 429]
    refusal(answer, 429, "too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert desk.ask("GET", "/calls").status_code == 200, "who is signed in is not concerned"


def test_a_header_that_a_caller_makes_up_does_not_help_against_a_limit(desk: Desk) -> None:
    with mock.patch.dict(limits.LIMITS, {Door.OPENAPI: 3}):
        codes = [
            desk.client.get("/api/openapi.json", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code
            for n in range(6)
        ]
    assert codes == [200] * 3 + [429] * 3


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────

OFFICE, HOME = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "203.0.113.7, 198.51.100.9"}


@contextmanager
def office_only(database: Database) -> Iterator[Desk]:
    with at_desk(database, CTI_TRUSTED_PROXIES="1", CTI_ALLOW_AGENTS="203.0.113.0/24") as opened:
        yield opened


def test_agents_sign_in_and_work_from_the_office_only(database: Database) -> None:
    with office_only(database) as desk:
        refusal(sign_in(desk, headers=HOME), 403, "address_not_allowed")
        refusal(sign_in(desk, headers=HOME, password="guessed"), 401, "wrong_password")
        token = bearer(sign_in(desk, headers=OFFICE))
        assert desk.client.get("/api/calls", headers={**token, **OFFICE}).status_code == 200
        refusal(desk.client.get("/api/calls", headers={**token, **HOME}), 403, "address_not_allowed")
        make(desk, Role.SUPERVISOR)
        assert desk.client.get("/api/calls", headers={**token, **HOME}).status_code == 200


def test_vouching_does_not_lead_around_the_office(database: Database) -> None:
    secret = "a secret that only the plug-in's proxy knows"
    settings: dict[str, Any] = {
        "CTI_TRUSTED_PROXIES": "1",
        "CTI_ALLOW_AGENTS": "203.0.113.0/24",
        "CTI_EMBED_SECRET": secret,
    }
    with at_desk(database, **settings) as desk:
        headers = {"X-CTI-Embed-Secret": secret}

        def ticket() -> dict[str, str]:
            answer = desk.client.post("/api/session/ticket", json={"email": desk.sato.email}, headers=headers)
            return {"ticket": answer.get_json()["ticket"]}

        refusal(desk.client.post("/api/session/redeem", json=ticket(), headers=HOME), 403, "address_not_allowed")
        bearer(desk.client.post("/api/session/redeem", json=ticket(), headers=OFFICE))


# ── other sites' pages ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_of_another_site_can_make_a_browser_do_nothing_here(desk: Desk) -> None:
    """It can have a browser send cookies, forms and simple requests; it cannot set Authorization, nor read an answer."""
    token = desk.headers()["Authorization"].removeprefix("Bearer ")
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for method, path in ROUTES:
        answer = desk.client.open(
            f"/api{path}",
            method=method,
            headers={**foreign, "Cookie": f"token={token}; session={token}; Authorization=Bearer {token}"},
            data={"token": token, "note": "x"},
        )
        refusal(answer, 401, "not_signed_in")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        body = f'{{"email": "{desk.sato.email}", "password": "{PASSWORD}"}}'
        answer = desk.client.post("/api/session", data=body, headers={**foreign, "Content-Type": kind})
        refusal(answer, 415, "bad_json")


def test_no_answer_lets_another_site_read_it_or_keeps_a_cookie(desk: Desk) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"}
    answers = [
        desk.client.options("/api/presence", headers=asked),
        desk.client.post("/api/session", json={"email": desk.sato.email, "password": PASSWORD}, headers=asked),
        desk.ask("GET", "/calls", headers=asked),
    ]
    for answer in answers:
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_only_a_bearer_token_counts(desk: Desk) -> None:
    token = desk.headers()["Authorization"].removeprefix("Bearer ")
    for given in (token, f"Basic {token}", f"Token {token}", f"Bearer{token}"):
        refusal(desk.client.get("/api/calls", headers={"Authorization": given}), 401, "not_signed_in")
    assert desk.client.get("/api/calls", headers={"Authorization": f"bearer {token}"}).status_code == 200
    assert PUBLIC.startswith("https:")
