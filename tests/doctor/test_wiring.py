"""What is written at Twilio: account, tokens, keys, numbers, TwiML App; and setting a number right."""

from __future__ import annotations

import pytest

from cti_bridge.doctor import wiring
from cti_bridge.model import Severity
from cti_bridge.twilio.rest import OwnNumber, PhoneNetwork, Wiring
from cti_bridge.twilio.twiml import CALLING_RETRIES, TELLING_RETRIES
from tests.doctor.conftest import Practice, worst
from tests.running import ENGLISH_LINE, MAIN_LINE

BIN = "http://127.0.0.1:9/bins/EH1"
APP = "AP" + "1" * 32


def set_right(practice: Practice, **changed: str) -> None:
    """The main line as it should stand at Twilio, but for these changes."""
    doors = f"{practice.running.base}/twilio/voice"
    right = {
        "voice_url": f"{doors}/incoming{CALLING_RETRIES}",
        "status_callback": f"{doors}/status{TELLING_RETRIES}",
        "voice_fallback_url": BIN,
    }
    practice.running.twilio.set_number(MAIN_LINE, **{**right, **changed})


def test_a_number_that_stands_as_it_should_is_well(practice: Practice) -> None:
    set_right(practice)
    told = practice.about("line 代表")
    assert [finding.severity for finding in told] == [Severity.OK, Severity.OK], told
    assert "all is set" in told[1].en


@pytest.mark.parametrize(
    ("changed", "severity", "words"),
    [
        ({"voice_url": "http://127.0.0.1:9/elsewhere"}, Severity.ERROR, "do not come to this bridge"),
        ({"voice_url": ""}, Severity.ERROR, "nowhere"),
        ({"trunk_sid": "TK" + "1" * 32}, Severity.ERROR, "SIP trunk"),
        ({"status_callback": ""}, Severity.WARNING, "Call status changes"),
        ({"voice_method": "GET"}, Severity.WARNING, "GET"),
        ({"voice_fallback_url": ""}, Severity.WARNING, "Primary handler fails"),
    ],
)
def test_what_is_wrong_with_a_number_is_told_with_its_mend(
    practice: Practice, changed: dict[str, str], severity: Severity, words: str
) -> None:
    set_right(practice, **changed)
    told = [finding for finding in practice.about("line 代表") if finding.severity is not Severity.OK]
    assert [finding.severity for finding in told] == [severity], told
    assert words in told[0].en
    assert "connect" in told[0].en or "console" in told[0].en


def test_a_number_without_retries_or_with_the_bridge_as_its_own_fallback_is_told(practice: Practice) -> None:
    here = f"{practice.running.base}/twilio/voice/incoming"
    set_right(practice, voice_url=here, voice_fallback_url=here)
    told = " ".join(finding.en for finding in practice.about("line 代表"))
    assert "#rc=" in told
    assert "names this very bridge" in told


def test_a_line_that_is_no_number_of_the_account_is_told(practice: Practice) -> None:
    del practice.running.twilio.network.numbers[ENGLISH_LINE]
    assert "not a number of this Twilio account" in practice.about("line Support")[-1].en


def test_the_account_and_the_token_are_told_well(practice: Practice) -> None:
    [told] = practice.about("twilio")
    assert told.severity is Severity.OK


def test_a_wrong_token_is_the_first_thing_to_mend(practice: Practice) -> None:
    [told] = practice.about("twilio", TWILIO_AUTH_TOKEN="f" * 32)
    assert told.severity is Severity.ERROR
    assert "TWILIO_AUTH_TOKEN" in told.en
    assert "f" * 32 not in told.en + told.ja


def test_an_old_token_that_can_go_is_told(practice: Practice) -> None:
    token = practice.running.twilio.auth_token
    told = practice.about("twilio", TWILIO_AUTH_TOKEN=f"{token},{'f' * 32}")
    assert "number 2 in TWILIO_AUTH_TOKEN" in told[0].en


def test_a_key_with_another_s_secret_is_told(practice: Practice) -> None:
    practice.running.twilio.api_key, practice.running.twilio.api_secret = "SK" + "a" * 32, "the secret"
    key = {"TWILIO_API_KEY": "SK" + "a" * 32}
    [told] = practice.about("api key", **key, TWILIO_API_SECRET="another")
    assert told.severity is Severity.ERROR
    assert "api key" not in {finding.subject for finding in practice.findings(**key, TWILIO_API_SECRET="the secret")}


def test_twilio_that_does_not_answer_is_told_and_the_rest_goes_on(practice: Practice) -> None:
    told = practice.findings(CTI_TWILIO_API_URL="http://127.0.0.1:9")
    by_subject = {finding.subject: finding for finding in told}
    assert by_subject["twilio"].severity is Severity.ERROR
    assert "api.twilio.com" in by_subject["twilio"].en
    assert "call logs" in by_subject, "what comes after is looked at all the same"


def test_the_twiml_app_is_looked_at_where_one_is_set(practice: Practice) -> None:
    twilio = practice.running.twilio
    assert "TwiML App" not in {finding.subject for finding in practice.findings()}
    [told] = practice.about("TwiML App", TWILIO_TWIML_APP_SID=APP)
    assert "is not there" in told.en

    from cti_bridge.simulator.model import Application

    twilio.applications[APP] = Application("http://127.0.0.1:9/elsewhere", sid=APP)
    [told] = practice.about("TwiML App", TWILIO_TWIML_APP_SID=APP)
    assert "/twilio/voice/outgoing" in told.en
    twilio.applications[APP] = Application(f"{practice.running.base}/twilio/voice/outgoing#rc=1", sid=APP)
    [told] = practice.about("TwiML App", TWILIO_TWIML_APP_SID=APP)
    assert told.severity is Severity.OK


def test_connecting_a_number_makes_exactly_the_changes_that_were_shown(practice: Practice) -> None:
    practice.running.twilio.set_number(MAIN_LINE, voice_url="http://127.0.0.1:9/elsewhere", voice_fallback_url=BIN)
    network = PhoneNetwork(practice.settings())
    base = practice.running.base
    before = next(number for number in network.own_numbers() if number.number == MAIN_LINE)

    shown = {change.en: change.after for change in wiring.changes(before, base)}
    assert set(shown) == {"A call comes in", "Call status changes"}
    assert wiring.connect(network, before, base) == []

    after = practice.running.twilio.network.numbers[MAIN_LINE]
    assert after.voice_url == shown["A call comes in"]
    assert after.status_callback == shown["Call status changes"]
    assert after.voice_fallback_url == BIN, "what was not named stays"
    assert worst(practice.about("line 代表")) is Severity.OK


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://A.example/twilio/voice/status", "https://a.example:443/twilio/voice/status/?x=1#rc=5", True),
        ("https://a.example/twilio/voice/status", "http://a.example/twilio/voice/status", False),
        ("https://a.example:99999/x", "https://a.example/x", False),
        ("", "https://a.example/x", False),
    ],
)
def test_addresses_are_the_same_whatever_retries_they_ask_for(one: str, other: str, same: bool) -> None:
    assert (wiring._address(one) == wiring._address(other)) is same


def test_a_number_with_a_twiml_app_loses_it_when_it_is_connected() -> None:
    number = OwnNumber("PN1", MAIN_LINE, Wiring(), application_sid=APP)
    shown = wiring.changes(number, "https://a.example", fallback=BIN)
    assert ("TwiML App", APP, "") in {(change.en, change.before, change.after) for change in shown}
    assert ("Primary handler fails", "", BIN) in {(change.en, change.before, change.after) for change in shown}
