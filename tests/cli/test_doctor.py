"""``doctor`` and ``lines connect`` from the command line, with Twilio played on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cti_bridge.cli import doctor
from cti_bridge.simulator import Simulator
from tests.cli.conftest import Terminal

LINE = "+815031234567"
PUBLIC = "http://127.0.0.1:9"


@pytest.fixture
def twilio(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """An account with one number that asks somebody else; the bridge has it as a line."""
    with Simulator({LINE: "http://127.0.0.1:8/elsewhere"}) as twilio:
        for name, value in {
            "CTI_PUBLIC_URL": PUBLIC,
            "TWILIO_ACCOUNT_SID": twilio.account_sid,
            "TWILIO_AUTH_TOKEN": twilio.auth_token,
            "CTI_TWILIO_API_URL": twilio.url,
        }.items():
            monkeypatch.setenv(name, value)
        terminal.run("lines", "add", "050-3123-4567", "--name", "Main")
        yield twilio


def test_connecting_a_line_shows_the_change_and_asks_first(terminal: Terminal, twilio: Simulator) -> None:
    said = terminal.run("lines", "connect", "050-3123-4567", code=1, asks="n\n")
    assert "- http://127.0.0.1:8/elsewhere" in said
    assert f"+ {PUBLIC}/twilio/voice/incoming#rc=1" in said
    assert twilio.network.numbers[LINE].voice_url == "http://127.0.0.1:8/elsewhere", "no means no"

    assert "changed" in terminal.run("lines", "connect", "050-3123-4567", asks="y\n")
    number = twilio.network.numbers[LINE]
    assert number.voice_url.startswith(f"{PUBLIC}/twilio/voice/incoming#rc=1")
    assert number.status_callback.startswith(f"{PUBLIC}/twilio/voice/status#rc=5")
    assert "nothing to change" in terminal.run("lines", "connect")


def test_connecting_sets_the_fallback_and_the_prefix_that_are_given(terminal: Terminal, twilio: Simulator) -> None:
    words = ("--fallback", "http://127.0.0.1:9/bins/EH1", "--prefix", "/phone/", "--yes")
    terminal.run("lines", "connect", *words)
    number = twilio.network.numbers[LINE]
    assert number.voice_fallback_url == "http://127.0.0.1:9/bins/EH1"
    assert number.voice_url.startswith(f"{PUBLIC}/phone/twilio/voice/incoming")


@pytest.mark.parametrize(
    ("number", "words"), [("nonsense", "is not a telephone number"), ("050-3123-9999", "Add it first")]
)
def test_what_is_no_line_is_not_connected(terminal: Terminal, twilio: Simulator, number: str, words: str) -> None:
    assert words in terminal.run("lines", "connect", number, code=1)


def test_a_number_of_another_account_or_of_a_trunk_is_not_connected(terminal: Terminal, twilio: Simulator) -> None:
    twilio.set_number(LINE, trunk_sid="TK" + "1" * 32)
    assert "SIP trunk" in terminal.run("lines", "connect", "--yes", code=1)
    del twilio.network.numbers[LINE]
    assert "not a number of this Twilio account" in terminal.run("lines", "connect", "--yes", code=1)


def test_twilio_s_refusal_comes_in_its_own_words(
    terminal: Terminal, twilio: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "f" * 32)
    said = terminal.run("lines", "connect", "--yes", code=1)
    assert "20003" in said
    assert "Authenticate" in said
    assert "f" * 32 not in said


def test_a_test_card_for_nobody_is_refused(terminal: Terminal) -> None:
    terminal.run("lines", "add", "050-3123-4567", "--name", "Main")
    assert "There is no agent nobody@example.com" in terminal.run("doctor", "--pop", "nobody@example.com", code=1)


def test_a_test_card_ends_with_what_to_do_when_it_did_not_come(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(doctor, "pause", lambda length: waited.append(length.total_seconds()))
    agent = ("--phone", "090-1234-5678", "--password", "long enough 1")
    terminal.run("agents", "add", "a@b.co", "--name", "A", *agent)
    terminal.run("lines", "add", "050-3123-4567", "--name", "Main", "--ring", "a@b.co")

    said = terminal.run("doctor", "--pop", "a@b.co", "--for", "7")

    assert "goes away by itself after 7 seconds" in said
    assert "Test the sound" in said
    assert waited[0] == 7
    assert waited[1] > 3, "longer than the bridge's sweep, so that every screen is told of the end"


def test_doctor_speaks_japanese_to_a_japanese_administrator(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", "ja")
    said = terminal.run("doctor", code=1)
    assert "回線がありません" in said
    assert "まだ何も届いていません" in said
    assert "滞りなし" in said
