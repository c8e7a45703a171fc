"""One-time codes: setting up, asking for them, using each once, and what is left when the telephone is lost."""

from __future__ import annotations

import threading
from xml.etree import ElementTree as ET

import pyotp
import pytest

from cti_bridge.auth import Auth, Caller, Warden
from cti_bridge.errors import BadRequest, Conflict, NotAllowed, NotFound, NotSignedIn, TooMany
from cti_bridge.model import Agent, Permission, Role
from cti_bridge.store import second_factors
from cti_bridge.store.audit import COMMAND_LINE, Who
from tests.auth.conftest import PASSWORD, House


def enrol(house: House, auth: Auth, agent: Agent) -> tuple[pyotp.TOTP, list[str]]:
    """The agent's app, and their recovery codes. Half a minute later, so that the first code is used up."""
    app = pyotp.TOTP(auth.begin_enrolment(agent).secret)
    codes = auth.confirm_enrolment(agent, app.at(house.watch.now), Who(agent.id))
    house.watch.wait(seconds=30)
    return app, codes


def refused(auth: Auth, agent: Agent, code: str) -> str:
    with pytest.raises(NotSignedIn) as refusal:
        auth.sign_in(agent.email, PASSWORD, code=code)
    return refusal.value.code


def test_an_app_is_given_a_secret_an_address_and_a_picture_of_it(auth: Auth, sato: Agent) -> None:
    begun = auth.begin_enrolment(sato)
    parsed = pyotp.parse_uri(begun.uri)
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.secret, parsed.issuer, parsed.name) == (begun.secret, "CTI Bridge", sato.email)
    picture = ET.fromstring(begun.qr)
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert picture.get("viewBox")


def test_codes_count_only_once_a_first_one_was_shown(house: House, auth: Auth, sato: Agent) -> None:
    begun = auth.begin_enrolment(sato)
    auth.sign_in(sato.email, PASSWORD)
    with pytest.raises(BadRequest) as wrong:
        auth.confirm_enrolment(sato, "000000", Who(sato.id))
    assert wrong.value.code == "wrong_code"
    auth.sign_in(sato.email, PASSWORD)
    auth.confirm_enrolment(sato, pyotp.TOTP(begun.secret).at(house.watch.now), Who(sato.id))
    assert refused(auth, sato, "") == "code_required"
    assert house.agent(sato.email).second_factor


def test_beginning_again_replaces_a_secret_that_did_not_count_and_no_other(
    house: House, auth: Auth, sato: Agent
) -> None:
    first, second = auth.begin_enrolment(sato), auth.begin_enrolment(sato)
    with pytest.raises(BadRequest):
        auth.confirm_enrolment(sato, pyotp.TOTP(first.secret).at(house.watch.now), Who(sato.id))
    code = pyotp.TOTP(second.secret).at(house.watch.now)
    auth.confirm_enrolment(sato, code, Who(sato.id))
    for again in (lambda: auth.begin_enrolment(sato), lambda: auth.confirm_enrolment(sato, code, Who(sato.id))):
        with pytest.raises(Conflict) as on:
            again()
        assert on.value.code == "totp_already_on"


def test_nothing_can_be_confirmed_that_was_not_begun(auth: Auth, sato: Agent) -> None:
    with pytest.raises(Conflict) as refusal:
        auth.confirm_enrolment(sato, "123456", Who(sato.id))
    assert refusal.value.code == "totp_not_begun"


def test_a_code_signs_in_once_and_never_again(house: House, auth: Auth, sato: Agent) -> None:
    app, _ = enrol(house, auth, sato)
    code, other_process = app.at(house.watch.now), house.auth()
    auth.sign_in(sato.email, PASSWORD, code=code)
    assert refused(auth, sato, code) == "wrong_code", "whoever looked over the shoulder"
    assert refused(other_process, sato, code) == "wrong_code"
    house.watch.wait(seconds=30)
    auth.sign_in(sato.email, PASSWORD, code=app.at(house.watch.now))
    assert refused(auth, sato, code) == "wrong_code", "an older one does not come back"


def test_the_code_that_confirmed_does_not_sign_in(house: House, auth: Auth, sato: Agent) -> None:
    app = pyotp.TOTP(auth.begin_enrolment(sato).secret)
    code = app.at(house.watch.now)
    auth.confirm_enrolment(sato, code, Who(sato.id))
    assert refused(auth, sato, code) == "wrong_code"


def test_of_two_that_use_a_code_at_once_one_comes_in(house: House, auth: Auth, sato: Agent) -> None:
    app, _ = enrol(house, auth, sato)
    code, outcomes, start = app.at(house.watch.now), list[str](), threading.Barrier(4)

    def sign_in() -> None:
        start.wait(10)
        try:
            auth.sign_in(sato.email, PASSWORD, code=code)
            outcomes.append("in")
        except NotSignedIn as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=sign_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["in", "wrong_code", "wrong_code", "wrong_code"]


@pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_may_be_half_a_minute_off(house: House, auth: Auth, sato: Agent, seconds: int, good: bool) -> None:
    app, _ = enrol(house, auth, sato)
    house.watch.wait(minutes=10)
    code = app.at(int(house.watch.now.timestamp()) + seconds)
    if good:
        auth.sign_in(sato.email, PASSWORD, code=code)
    else:
        assert refused(auth, sato, code) == "wrong_code"


def test_a_code_is_read_however_it_is_typed(house: House, auth: Auth, sato: Agent) -> None:
    app, [recovery, *_] = enrol(house, auth, sato)
    code = app.at(house.watch.now)
    full_width = code.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
    auth.sign_in(sato.email, PASSWORD, code=f" {full_width[:3]}　{full_width[3:]} ")
    auth.sign_in(sato.email, PASSWORD, code=recovery.upper().replace("-", " "))


def test_each_recovery_code_signs_in_once_and_only_its_owner(house: House, auth: Auth, sato: Agent) -> None:
    suzuki = house.add("suzuki@example.co.jp")
    _, codes = enrol(house, auth, sato)
    enrol(house, auth, suzuki)
    assert len(set(codes)) == 10
    assert refused(auth, suzuki, codes[0]) == "wrong_code"
    for code in codes:
        auth.sign_in(sato.email, PASSWORD, code=code)
        assert refused(auth, sato, code) == "wrong_code"
    with house.database.reading() as connection:
        rows = repr(connection.execute(second_factors.recovery_codes.select()).all())
        assert second_factors.recovery_codes_left(connection, sato.id) == 0
    assert codes[0].replace("-", "") not in rows


def test_guessing_codes_is_locked_out_like_guessing_passwords(house: House, auth: Auth, sato: Agent) -> None:
    enrol(house, auth, sato)
    here = Caller("203.0.113.7")
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            auth.sign_in(sato.email, PASSWORD, code="000000", caller=here)
        with pytest.raises((NotSignedIn, TooMany)):  # a try without a code, in between, wipes nothing out
            auth.sign_in(sato.email, PASSWORD, caller=here)
    with pytest.raises(TooMany) as refusal:
        auth.sign_in(sato.email, PASSWORD, code="000000", caller=here)
    assert refusal.value.code == "locked_out"
    failures = [details["why"] for what, _, details in house.told() if what == "sign_in_failed"]
    assert failures == ["wrong_code"] * 5


def test_being_asked_for_a_code_is_no_failure(house: House, auth: Auth, sato: Agent) -> None:
    enrol(house, auth, sato)
    for _ in range(30):
        assert refused(auth, sato, "") == "code_required"


def test_a_wrong_password_never_tells_that_codes_are_used(house: House, auth: Auth, sato: Agent) -> None:
    app, _ = enrol(house, auth, sato)
    for code in ("", "000000", app.at(house.watch.now)):
        with pytest.raises(NotSignedIn) as refusal:
            auth.sign_in(sato.email, "guessed", code=code)
        assert refusal.value.code == "wrong_password"


def test_an_administrator_takes_them_away_and_it_is_written_down(house: House, auth: Auth, sato: Agent) -> None:
    warden = Warden(auth, house.database, clock=house.watch)
    with pytest.raises(NotFound):
        warden.reset_totp(sato, COMMAND_LINE)
    enrol(house, auth, sato)
    warden.reset_totp(sato, COMMAND_LINE)
    auth.sign_in(sato.email, PASSWORD)
    assert [what for what, _, _ in house.told()] == ["totp_enrolled", "totp_reset", "signed_in"]


@pytest.mark.parametrize(
    ("demand", "role", "must"),
    [
        ("nobody", Role.ADMINISTRATOR, False),
        ("administrators", Role.SUPERVISOR, False),
        ("administrators", Role.ADMINISTRATOR, True),
        ("everybody", Role.AGENT, True),
    ],
)
def test_whoever_must_have_codes_can_do_nothing_else_before(house: House, demand: str, role: Role, must: bool) -> None:
    auth = house.auth(demand=demand)
    agent = house.add("sato@example.co.jp", role)
    auth.sign_in(agent.email, PASSWORD)
    assert auth.must_enrol(agent) is must
    assert (auth.permissions(agent) == {Permission.OWN_SIGN_IN}) is must
    enrol(house, auth, agent)
    assert Permission.TAKE_CALLS in auth.permissions(house.agent(agent.email))


def test_nobody_vouches_for_somebody_who_shows_codes(house: House, auth: Auth, sato: Agent) -> None:
    enrol(house, auth, sato)
    with pytest.raises(NotAllowed):
        auth.issue_sign_in_ticket(house.agent(sato.email))
