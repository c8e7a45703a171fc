"""Every route of the JSON API: what it does, and what it says when it does not, in both languages."""

from __future__ import annotations

import string
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from cti_bridge.api import blueprint as api_module
from cti_bridge.api.problem import PROBLEMS
from cti_bridge.auth import sessions
from cti_bridge.errors import ConnectorRefused, ConnectorUnavailable, PhoneNetworkError, StoreUnavailable, TicketInvalid
from cti_bridge.pops import TROUBLES
from cti_bridge.store import Database, calls, directory
from tests.desk import ENGLISH_LINE, PASSWORD, TARO, Desk, at_desk
from tests.running import SATO_PHONE


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    with at_desk(database) as opened:
        yield opened


@pytest.fixture
def sqlite_desk(sqlite_database: Database) -> Iterator[Desk]:
    """For what has nothing to do with the database."""
    from tests.conftest import empty

    empty(sqlite_database)
    with at_desk(sqlite_database) as opened:
        yield opened


def refusal(answer: TestResponse, status: int, code: str) -> str:
    """Check that this is a problem in the protocol's form; its detail."""
    assert answer.mimetype == "application/problem+json", answer.get_data(as_text=True)
    problem = answer.get_json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"]
    assert "{" not in problem["detail"]
    assert answer.headers["Cache-Control"] == "no-store"
    return str(problem["detail"])


# ── signing in and out ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_agent_signs_in_renews_gets_a_ticket_and_signs_out(desk: Desk) -> None:
    body = {"email": " SATO@example.co.jp ", "password": PASSWORD}
    answer = desk.client.post("/api/session", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["expires_in"] == 3600
    assert answer.get_json()["agent"] == {
        "id": desk.sato.id,
        "name": "佐藤",
        "presence": "available",
        "language": "ja",
        "can_dial": True,
        "role": "agent",
    }
    headers = {"Authorization": f"Bearer {answer.get_json()['token']}"}
    renewed = desk.client.post("/api/session/renew", headers=headers).get_json()
    headers = {"Authorization": f"Bearer {renewed['token']}"}
    ticket = desk.client.post("/api/tickets", headers=headers)
    assert (ticket.status_code, ticket.get_json()["expires_in"]) == (201, 60)
    assert desk.bridge.auth.use_ticket(ticket.get_json()["ticket"]).agent_id == desk.sato.id
    assert desk.client.delete("/api/session", headers=headers).status_code == 204


@pytest.mark.parametrize(
    ("email", "password"),
    [("sato@example.co.jp", "wrong"), ("nobody@example.co.jp", PASSWORD), ("sato@example.co.jp", PASSWORD + " ")],
)
def test_a_wrong_sign_in_says_the_same_whatever_is_wrong(sqlite_desk: Desk, email: str, password: str) -> None:
    answer = sqlite_desk.client.post("/api/session", json={"email": email, "password": password})
    assert refusal(answer, 401, "wrong_password") == "メールアドレスとパスワードを確認してください。"


SECRET = "a secret that only the plug-in's proxy knows"


@pytest.fixture
def vouching(database: Database) -> Iterator[Desk]:
    with at_desk(database, CTI_EMBED_SECRET=SECRET) as opened:
        yield opened


def vouch(desk: Desk, secret: str = SECRET, **whom: str) -> TestResponse:
    return desk.client.post("/api/session/ticket", json=whom, headers={"X-CTI-Embed-Secret": secret})


def test_a_plug_in_that_knows_the_secret_signs_the_agent_in_once(vouching: Desk) -> None:
    answer = vouch(vouching, email=" SATO@example.co.jp ", user="hanako")
    assert (answer.status_code, answer.get_json()["expires_in"]) == (201, 60)
    ticket = {"ticket": answer.get_json()["ticket"]}
    signed_in = vouching.client.post("/api/session/redeem", json=ticket).get_json()
    assert (signed_in["agent"]["name"], signed_in["expires_in"]) == ("佐藤", 3600)
    headers = {"Authorization": f"Bearer {signed_in['token']}"}
    assert vouching.client.get("/api/calls", headers=headers).status_code == 200
    refusal(vouching.client.post("/api/session/redeem", json=ticket), 401, "ticket_used")


def test_a_plug_in_may_name_the_agent_as_the_crm_does(vouching: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vouching.crm, "email_of", {"hanako": "sato@example.co.jp"}.get)
    assert vouch(vouching, user="hanako").status_code == 201
    refusal(vouch(vouching, user="taro", email="taro@example.co.jp"), 404, "agent_not_found")
    refusal(vouch(vouching), 404, "agent_not_found")


def test_nobody_vouches_without_the_secret(vouching: Desk) -> None:
    for wrong in ("", "guessed", SECRET + " ", "シークレット"):
        refusal(vouch(vouching, wrong.encode().decode("latin-1"), email="sato@example.co.jp"), 403, "wrong_secret")


def test_without_the_setting_agents_sign_in_themselves(desk: Desk) -> None:
    for guessed in ("", "None", SECRET):
        refusal(vouch(desk, guessed, email="sato@example.co.jp"), 403, "vouching_off")


def test_tickets_for_the_socket_and_for_the_sign_in_are_not_the_same(vouching: Desk) -> None:
    socket_ticket = vouching.bridge.auth.issue_ticket(vouching.sato)
    refusal(vouching.client.post("/api/session/redeem", json={"ticket": socket_ticket}), 401, "ticket_invalid")
    with pytest.raises(TicketInvalid):
        vouching.bridge.auth.use_ticket(vouch(vouching, email="sato@example.co.jp").get_json()["ticket"])


def test_a_vouched_agent_who_has_left_is_refused(vouching: Desk) -> None:
    ticket = {"ticket": vouch(vouching, email="sato@example.co.jp").get_json()["ticket"]}
    with vouching.bridge.database.transaction() as connection:
        directory.change_agent(connection, vouching.sato.id, active=False)
    vouching.bridge.directory.refresh()
    refusal(vouching.client.post("/api/session/redeem", json=ticket), 401, "not_signed_in")
    refusal(vouch(vouching, email="sato@example.co.jp"), 404, "agent_not_found")


ROUTES = [
    ("POST", "/session/renew"),
    ("DELETE", "/session"),
    ("DELETE", "/sessions"),
    ("GET", "/totp"),
    ("POST", "/totp"),
    ("POST", "/totp/confirmation"),
    ("DELETE", "/agents/1/sessions"),
    ("DELETE", "/agents/1/totp"),
    ("POST", "/tickets"),
    ("PUT", "/presence"),
    ("PUT", "/language"),
    ("POST", "/calls"),
    ("GET", "/calls"),
    ("GET", "/calls/CA1"),
    ("PUT", "/calls/CA1/choice"),
    ("DELETE", "/calls/CA1/choice"),
    ("PUT", "/calls/CA1/record"),
    ("DELETE", "/calls/CA1/record"),
    ("PUT", "/calls/CA1/draft"),
    ("POST", "/calls/CA1/completion"),
    ("POST", "/calls/CA1/contact"),
    ("POST", "/calls/CA1/number"),
    ("GET", "/recordings/RE1"),
    ("GET", "/recordings/RE1/call"),
    ("GET", "/contacts?q=x"),
    ("POST", "/missed/withheld/dealt-with"),
]


OPEN_ROUTES = [("POST", "/session"), ("POST", "/session/ticket"), ("POST", "/session/redeem"), ("GET", "/openapi.json")]
"""For which no agent need be signed in."""


def test_this_list_of_routes_is_complete(sqlite_desk: Desk) -> None:
    ours = {
        (method, rule.rule.removeprefix("/api"))
        for rule in sqlite_desk.app.url_map.iter_rules()
        if rule.endpoint.startswith("cti_bridge.api.") and not rule.endpoint.endswith("_otherwise")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    listed = {(method, path.split("?")[0].replace("CA1", "<call_id>")) for method, path in ROUTES}
    listed = {(method, path.replace("/RE1", "/<recording_id>")) for method, path in listed}
    listed = {(method, path.replace("/agents/1", "/agents/<agent_id>")) for method, path in listed}
    listed = {(method, path.replace("/missed/withheld", "/missed/<key>")) for method, path in listed}
    assert ours == listed | set(OPEN_ROUTES)


@pytest.mark.parametrize("authorization", [None, "Bearer ", "Bearer made-up", "Basic c2F0bzpzYXRv"])
def test_without_a_token_nothing_is_answered(sqlite_desk: Desk, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for method, path in ROUTES:
        answer = sqlite_desk.client.open(f"/api{path}", method=method, headers=headers, json={})
        refusal(answer, 401, "not_signed_in")


def test_a_token_that_ran_out_is_refused(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = sqlite_desk.headers()
    monkeypatch.setattr(sessions, "TOKEN_LIFE", timedelta(seconds=-1))
    refusal(sqlite_desk.client.get("/api/calls", headers=headers), 401, "not_signed_in")


def test_a_sign_in_cannot_be_renewed_for_ever(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SESSION_LIFE", timedelta(seconds=-1))
    refusal(sqlite_desk.ask("POST", "/session/renew"), 401, "session_over")


def test_a_token_of_somebody_who_has_left_is_refused(desk: Desk) -> None:
    headers = desk.headers()
    with desk.bridge.database.transaction() as connection:
        directory.change_agent(connection, desk.sato.id, active=False)
    desk.bridge.directory.refresh()
    refusal(desk.client.get("/api/calls", headers=headers), 401, "not_signed_in")
    body = {"email": desk.sato.email, "password": PASSWORD}
    refusal(desk.client.post("/api/session", json=body), 401, "wrong_password")


def test_a_ticket_is_no_token(sqlite_desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {sqlite_desk.bridge.auth.issue_ticket(sqlite_desk.sato)}"}
    refusal(sqlite_desk.client.get("/api/calls", headers=headers), 401, "not_signed_in")


# ── the agent ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_agent_goes_away_comes_back_and_changes_the_language(desk: Desk) -> None:
    assert desk.ask("PUT", "/presence", {"presence": "away"}).get_json()["presence"] == "away"
    assert desk.ask("PUT", "/presence", {"presence": "available"}).get_json()["presence"] == "available"
    assert desk.ask("PUT", "/language", {"language": "en"}).get_json()["language"] == "en"
    assert desk.bridge.directory.current().agents[desk.sato.id].language == "en"


@pytest.mark.parametrize(
    ("path", "body"), [("/presence", {"presence": "on_call"}), ("/language", {"language": "fr"}), ("/presence", {})]
)
def test_what_an_agent_cannot_be_is_refused_and_changes_nothing(sqlite_desk: Desk, path: str, body: Any) -> None:
    refusal(sqlite_desk.ask("PUT", path, body), 400, "bad_request")
    agent = sqlite_desk.bridge.directory.refresh().agents[sqlite_desk.sato.id]
    assert (agent.away, agent.language) == (False, "ja")


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_agent_reads_their_own_calls_newest_first(desk: Desk) -> None:
    first, second = (desk.hang_up(desk.answer(desk.call_in())) for _ in range(2))
    desk.hang_up(desk.answer(desk.call_in(), desk.suzuki))
    assert [card["id"] for card in desk.ask("GET", "/calls").get_json()["calls"]] == [second, first]
    assert desk.ask("GET", f"/calls/{first}").get_json()["id"] == first


def test_a_note_is_kept_and_the_call_completed(desk: Desk) -> None:
    call = desk.hang_up(desk.answer(desk.call_in()))
    card = desk.ask("PUT", f"/calls/{call}/draft", {"note": "見積もり", "disposition": "prospect"}).get_json()
    assert (card["draft"]["note"], card["draft"]["disposition"]) == ("見積もり", "prospect")
    card = desk.ask("POST", f"/calls/{call}/completion", {"note": "見積もりの件", "disposition": "resolved"}).get_json()
    assert (card["phase"], card["draft"]["note"]) == ("completed", "見積もりの件")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "/choice", {"contact_id": "c1"}),
        ("DELETE", "/choice", None),
        ("PUT", "/record", {"record_id": "c1"}),
        ("DELETE", "/record", None),
        ("PUT", "/draft", {"note": "x"}),
        ("POST", "/completion", {"note": "x"}),
        ("POST", "/contact", {"name": "山田"}),
        ("POST", "/number", {"contact_id": "c1"}),
    ],
)
def test_an_unknown_call_is_404_and_a_colleagues_403_and_nothing_changes(
    desk: Desk, method: str, path: str, body: Any
) -> None:
    desk.crm.add("c1", "山田 太郎", TARO)
    call = desk.answer(desk.call_in(), desk.suzuki)
    english = desk.call_in(line=ENGLISH_LINE)
    before = _row(desk, call)
    refusal(desk.ask(method, f"/calls/CA-unheard-of{path}", body), 404, "call_not_found")
    refusal(desk.ask(method, f"/calls/{call}{path}", body), 403, "call_of_another_agent")
    refusal(desk.ask(method, f"/calls/{english}{path}", body, agent=desk.suzuki), 403, "call_of_another_agent")
    after = _row(desk, call)
    assert (after.note, after.picked, after.completed_at) == (before.note, before.picked, before.completed_at)
    assert "create_contact" not in desk.crm.asked
    assert "add_number" not in desk.crm.asked


def _row(desk: Desk, call_id: str) -> calls.CallRecord:
    with desk.bridge.database.reading() as connection:
        record = calls.get(connection, call_id)
    assert record is not None
    return record


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"note": "あ" * 20_001}, "bad_request"),
        ({"note": 7}, "bad_request"),
        ({"note": "x", "disposition": "made_up"}, "disposition_unknown"),
        ({"note": "x", "disposition": "x" * 41}, "bad_request"),
    ],
)
@pytest.mark.parametrize("route", ["PUT /draft", "POST /completion"])
def test_a_note_that_cannot_be_kept_is_refused_and_the_old_one_stays(
    sqlite_desk: Desk, body: Any, code: str, route: str
) -> None:
    call = sqlite_desk.hang_up(sqlite_desk.answer(sqlite_desk.call_in()))
    sqlite_desk.ask("PUT", f"/calls/{call}/draft", {"note": "前のメモ"})
    method, path = route.split()
    refusal(sqlite_desk.ask(method, f"/calls/{call}{path}", body), 400, code)
    assert _row(sqlite_desk, call).note == "前のメモ"
    assert _row(sqlite_desk, call).completed_at is None


def test_the_longest_note_is_kept_whole_with_everything_strange_in_it(desk: Desk) -> None:
    call = desk.answer(desk.call_in())
    note = "<script>\u202e𠮷野家 👩‍👩‍👧 \\u0041 '\";--" + "あ" * 19_000
    assert desk.ask("PUT", f"/calls/{call}/draft", {"note": note}).get_json()["draft"]["note"] == note


def test_a_note_with_characters_that_no_database_takes_is_kept_without_them(desk: Desk) -> None:
    call = desk.answer(desk.call_in())
    answer = desk.ask("PUT", f"/calls/{call}/draft", {"note": "前\u0000後\ud800終"})
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["draft"]["note"] == "前後終"


@pytest.mark.parametrize("path", ["/calls/CA%00", "/calls/%FF%FE", "/missed/%00/dealt-with"])
def test_an_id_that_no_database_takes_is_simply_not_found(desk: Desk, path: str) -> None:
    answer = desk.ask("POST" if "missed" in path else "GET", path)
    assert answer.status_code == 404, answer.text


# ── customers ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_contacts_are_found_chosen_created_and_extended(desk: Desk) -> None:
    desk.crm.add("c1", "山田 太郎", "03-1234-5678")
    found = desk.ask("GET", "/contacts?q=山田").get_json()["contacts"]
    assert [contact["name"] for contact in found] == ["山田 太郎"]
    call = desk.answer(desk.call_in())
    assert desk.ask("PUT", f"/calls/{call}/choice", {"contact_id": "c1"}).get_json()["choice"]["how"] == "picked"
    assert desk.ask("DELETE", f"/calls/{call}/choice").get_json()["choice"] is None
    assert desk.ask("POST", f"/calls/{call}/number", {"contact_id": "c1"}).status_code == 200
    made = desk.ask("POST", f"/calls/{call}/contact", {"name": "新規 花子", "reading": "しんき"})
    assert (made.status_code, made.get_json()["choice"]["contact"]["name"]) == (201, "新規 花子")


def test_a_call_is_related_to_the_record_on_the_screen(desk: Desk) -> None:
    desk.crm.add("c1", "山田 太郎", "03-1234-5678")
    desk.crm.cases |= {"500": ("修理の件", "c1"), "501": ("名前のない相談", None)}
    call = desk.answer(desk.call_in())
    card = desk.ask("PUT", f"/calls/{call}/record", {"record_id": "c1"}).get_json()
    assert (card["choice"]["contact"]["name"], card["related"]) == ("山田 太郎", None)
    card = desk.ask("PUT", f"/calls/{call}/record", {"record_id": "500"}).get_json()
    about = {"id": "500", "title": "修理の件", "url": "https://crm.example/500"}
    assert (card["choice"]["contact"]["name"], card["related"]) == ("山田 太郎", about)
    card = desk.ask("PUT", f"/calls/{call}/record", {"record_id": "501"}).get_json()
    assert (card["choice"]["contact"]["name"], card["related"]["title"]) == ("山田 太郎", "名前のない相談")
    assert desk.ask("DELETE", f"/calls/{call}/record").get_json()["related"] is None
    refusal(desk.ask("PUT", f"/calls/{call}/record", {"record_id": "gone"}), 404, "record_not_found")


def test_a_call_about_somebody_elses_case_stays_the_callers(desk: Desk) -> None:
    """Who calls about a colleague's case, or their company's deal, is still who calls, also the next time."""
    desk.crm.add("c1", "山田 太郎", "03-1234-5678")
    desk.crm.add("c2", "佐藤 花子", "03-8765-4321")
    desk.crm.cases |= {"500": ("佐藤さんの修理", "c2")}
    call = desk.answer(desk.call_in())
    desk.ask("PUT", f"/calls/{call}/choice", {"contact_id": "c1"})
    card = desk.ask("PUT", f"/calls/{call}/record", {"record_id": "500"}).get_json()
    assert (card["choice"]["contact"]["name"], card["related"]["title"]) == ("山田 太郎", "佐藤さんの修理")
    desk.ask("DELETE", f"/calls/{call}/choice")
    card = desk.ask("PUT", f"/calls/{call}/record", {"record_id": "500"}).get_json()
    assert card["choice"]["contact"]["name"] == "佐藤 花子", "nobody else is known"


def test_a_contact_that_the_crm_does_not_have_cannot_be_chosen(sqlite_desk: Desk) -> None:
    call = sqlite_desk.answer(sqlite_desk.call_in())
    for method, path in (("PUT", "choice"), ("POST", "number")):
        answer = sqlite_desk.ask(method, f"/calls/{call}/{path}", {"contact_id": "gone"})
        refusal(answer, 404, "contact_not_found")
    assert _row(sqlite_desk, call).picked is None


def test_a_withheld_number_cannot_be_added_to_anybody(sqlite_desk: Desk) -> None:
    sqlite_desk.crm.add("c1", "山田 太郎")
    call = sqlite_desk.answer(sqlite_desk.call_in(party="anonymous"))
    for path, body in (("contact", {"name": "山田"}), ("number", {"contact_id": "c1"})):
        refusal(sqlite_desk.ask("POST", f"/calls/{call}/{path}", body), 400, "no_number_to_add")


def test_a_name_of_nothing_but_spaces_is_no_name(sqlite_desk: Desk) -> None:
    call = sqlite_desk.answer(sqlite_desk.call_in())
    refusal(sqlite_desk.ask("POST", f"/calls/{call}/contact", {"name": "  "}), 400, "bad_request")
    refusal(sqlite_desk.ask("GET", "/contacts?q=%20"), 400, "bad_request")
    refusal(sqlite_desk.ask("GET", "/contacts"), 400, "bad_request")


@pytest.mark.parametrize(
    ("trouble", "status", "code", "says"),
    [
        (ConnectorRefused("この名前は重複しています。"), 422, "crm_refused", "この名前は重複しています。"),
        (ConnectorUnavailable(), 503, "crm_unavailable", ""),
        (StoreUnavailable(), 503, "store_unavailable", ""),
        (RuntimeError("a bug"), 500, "server_error", ""),
    ],
)
def test_the_crms_trouble_is_told_in_its_own_words_or_ours(
    sqlite_desk: Desk, trouble: Exception, status: int, code: str, says: str
) -> None:
    call = sqlite_desk.answer(sqlite_desk.call_in())
    sqlite_desk.crm.trouble = trouble
    for method, path, body in (("GET", "/contacts?q=x", None), ("POST", f"/calls/{call}/contact", {"name": "山田"})):
        assert says in refusal(sqlite_desk.ask(method, path, body), status, code)
    assert _row(sqlite_desk, call).picked is None


# ── missed calls ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("party", "key"), [(TARO, TARO), ("anonymous", "withheld"), ("12", "unreadable")])
def test_a_missed_caller_is_dealt_with_once(desk: Desk, party: str, key: str) -> None:
    desk.hang_up(desk.call_in(party=party))
    assert desk.ask("POST", f"/missed/{key}/dealt-with").status_code == 204
    refusal(desk.ask("POST", f"/missed/{key}/dealt-with"), 404, "missed_call_not_found")


# ── dialling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_click_places_a_call_to_the_agents_own_telephone(desk: Desk) -> None:
    answer = desk.ask("POST", "/calls", {"number": "03-1234-5678"})
    assert (answer.status_code, answer.get_json()) == (201, {"call_id": "CA-placed-1"})
    assert desk.placed[0]["to"] == SATO_PHONE


def test_twilios_refusal_is_told_in_twilios_words(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PhoneNetworkError("The number is unverified.", code=21219)

    monkeypatch.setattr(sqlite_desk.bridge.dialling._network, "place_call", refuse)
    answer = sqlite_desk.ask("POST", "/calls", {"number": TARO})
    assert "The number is unverified." in refusal(answer, 502, "phone_network")


# ── what is no request at all ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b"null", b'"x"', b"\xff", b"7", b"[" * 5000])
def test_a_body_that_is_not_a_json_object_is_refused(sqlite_desk: Desk, body: bytes) -> None:
    answer = sqlite_desk.ask("PUT", "/presence", data=body, content_type="application/json")
    assert answer.status_code == 400, answer.text
    assert answer.get_json()["code"] in ("bad_json", "bad_request")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_a_foreign_form_could_send_is_refused(sqlite_desk: Desk, kind: str) -> None:
    answer = sqlite_desk.ask("PUT", "/presence", data=b'{"presence":"away"}', content_type=kind)
    refusal(answer, 415, "bad_json")
    assert not sqlite_desk.bridge.directory.refresh().agents[sqlite_desk.sato.id].away


def test_an_oversized_body_is_refused(sqlite_desk: Desk) -> None:
    answer = sqlite_desk.ask("PUT", "/presence", {"presence": "away", "x": "x" * api_module.LARGEST_BODY})
    refusal(answer, 413, "too_large")


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/calls"), ("GET", "/tickets"), ("DELETE", "/calls/CA1")])
def test_a_method_that_is_not_there_is_405_as_a_problem(sqlite_desk: Desk, method: str, path: str) -> None:
    answer = sqlite_desk.ask(method, path)
    refusal(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"]


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/calls/CA1/nothing"])
def test_an_address_that_is_not_there_is_404_as_a_problem(sqlite_desk: Desk, path: str) -> None:
    refusal(sqlite_desk.ask("GET", path), 404, "not_found")


def test_problems_are_told_in_the_readers_language(sqlite_desk: Desk) -> None:
    assert refusal(sqlite_desk.ask("GET", "/calls/x", language="en"), 404, "call_not_found") == "Reload the page."
    assert (
        refusal(sqlite_desk.ask("GET", "/calls/x", language="ja"), 404, "call_not_found") == "画面を更新してください。"
    )
    assert (
        refusal(sqlite_desk.ask("GET", "/calls/x", language="fr"), 404, "call_not_found") == "画面を更新してください。"
    )


def test_every_problem_and_trouble_has_words_in_both_languages() -> None:
    for words in PROBLEMS.values():
        assert set(words) == {"ja", "en"}
        placeholders = [
            {name for text in both for _, name, _, _ in string.Formatter().parse(text) if name}
            for both in words.values()
        ]
        assert placeholders[0] == placeholders[1]
        assert all(text for both in words.values() for text in both)
    for trouble in TROUBLES.values():
        assert set(trouble) == {"ja", "en"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["note", "disposition", "contact_id", "record_id", "name", "reading", "company", "number", "line_id"]
) | st.sampled_from(["presence", "language", "email", "password", "user", "ticket"])
bodies = st.dictionaries(names, json_values | st.text(), max_size=5) | json_values


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(route=st.sampled_from([*ROUTES, *OPEN_ROUTES]), body=bodies, key=st.text(max_size=12))
def test_no_body_and_no_id_makes_the_api_fail(desk: Desk, route: tuple[str, str], body: Any, key: str) -> None:
    method, path = route
    call = desk.call_in() if not desk._count else "CA-1"
    answer = desk.ask(method, path.replace("CA1", call), body)
    assert answer.status_code < 500, answer.text
    from urllib.parse import quote

    quoted = quote(key, safe="", errors="replace")
    answer = desk.ask(method, path.replace("CA1", quoted).replace("withheld", quoted), body)
    assert answer.status_code < 500, answer.text


# ── the description ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_description_is_open_and_names_every_route_with_its_body(sqlite_desk: Desk) -> None:
    answer = sqlite_desk.client.get("/api/openapi.json")
    assert answer.status_code == 200
    spec = answer.get_json()
    assert spec["openapi"].startswith("3.")
    described = {(method.upper(), path) for path, methods in spec["paths"].items() for method in methods}
    served = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in sqlite_desk.app.url_map.iter_rules()
        if rule.endpoint.startswith("cti_bridge.api.") and not rule.endpoint.endswith((".openapi", "_otherwise"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served <= described
    for method, path in served:
        operation = spec["paths"][path][method.lower()]
        assert operation.get("summary") or operation.get("description")
        if method in ("PUT", "POST") and path.rsplit("/", 1)[-1] in ("draft", "choice", "session", "calls", "presence"):
            assert "requestBody" in operation, (method, path)
    draft = next(schema for name, schema in spec["components"]["schemas"].items() if name.split(".")[0] == "Draft")
    assert set(draft["properties"]) == {"note", "disposition"}
    for reference in _references(spec):
        kind, name = reference.removeprefix("#/components/").split("/")
        assert name in spec["components"][kind]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)
