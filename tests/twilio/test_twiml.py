"""What we answer: TwiML that Twilio would accept, whatever stands in names, numbers and ids."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_bridge.model import Agent, Connect, EventKind, HangUp, Language, Line, Message, Noted, Reply, Ring, Speak
from cti_bridge.simulator.request import overrides
from cti_bridge.simulator.twiml import Document, Verb, parse
from cti_bridge.store import database
from cti_bridge.twilio import twiml
from cti_bridge.twilio.twiml import SENTENCES, VOICES, Doors, apology, clean, render

CALL = "CA" + "1" * 32
DOORS = Doors("https://cti.example.co.jp/phone/twilio")
MAIN = Line(1, "+815031234567", "代表", "お電話ありがとうございます。", "ja")
SATO = Agent(1, "佐藤", "sato@example.co.jp", "ja", phone="+818000000001")
SUZUKI = Agent(2, "鈴木", "suzuki@example.co.jp", "ja", softphone=True)
RING = Ring(CALL, MAIN, (SATO, SUZUKI))
CONNECT = Connect(CALL, "+819012345678", 1, MAIN.number, MAIN)


def read(reply: Reply) -> Document:
    """The document as Twilio reads it: checked with its own rules, addresses absolute, without a complaint."""
    document = parse(render(reply, DOORS), absolute_urls=True)
    assert document.warnings == []
    return document


def dial(reply: Reply) -> Verb:
    [verb] = read(reply).verbs
    assert verb.name == "Dial"
    return verb


def addresses(verb: Verb) -> Iterator[str]:
    for name, value in verb.attributes.items():
        if name in ("action", "statusCallback", "recordingStatusCallback"):
            yield value
    for child in verb.children:
        yield from addresses(child)


# ── ringing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_ring_dials_every_agent_at_once_each_on_what_they_have() -> None:
    number, client = dial(RING).children
    assert (number.name, number.text) == ("Number", "+818000000001")
    assert client.name == "Client"
    identity, parameter = client.children
    assert identity.text == "agent_2"
    assert (parameter.get("name"), parameter.get("value")) == ("call", CALL)


def test_a_ring_lasts_as_long_as_the_line_says_and_the_caller_hears_it_ring() -> None:
    verb = dial(replace(RING, line=replace(MAIN, ring_timeout=timedelta(seconds=18.9))))
    assert (verb.get("timeout"), verb.get("answerOnBridge"), verb.get("method")) == ("18", "true", "POST")
    assert "callerId" not in verb.attributes, "the caller's own number is passed on"


def test_a_ring_asks_for_every_event_of_every_leg_in_one_string() -> None:
    for leg in dial(RING).children:
        assert leg.get("statusCallbackEvent") == "initiated ringing answered completed"
        assert leg.get("statusCallbackMethod") == "POST"


def test_each_leg_s_events_say_whose_call_and_which_agent() -> None:
    number, client = dial(RING).children
    assert number.get("statusCallback").split("#")[0] == f"{DOORS.base}/voice/status?call={CALL}&agent=1"
    assert client.get("statusCallback").split("#")[0] == f"{DOORS.base}/voice/status?call={CALL}&agent=2"


def test_who_has_a_softphone_and_a_telephone_rings_in_the_browser_only() -> None:
    [leg] = dial(replace(RING, agents=(replace(SUZUKI, phone="+818000000002"),))).children
    assert leg.name == "Client"


def test_who_has_neither_is_left_out() -> None:
    [leg] = dial(replace(RING, agents=(replace(SATO, phone=None), SUZUKI))).children
    assert leg.name == "Client"


def test_ten_agents_are_as_many_as_twilio_rings() -> None:
    ten = tuple(replace(SATO, id=n, phone=f"+8180000000{n:02}") for n in range(1, 11))
    assert len(dial(replace(RING, agents=ten)).children) == 10


# ── connecting ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_agent_who_picked_up_is_connected_showing_the_line_s_number() -> None:
    verb = dial(CONNECT)
    [number] = verb.children
    assert (number.name, number.text) == ("Number", "+819012345678")
    assert (verb.get("callerId"), verb.get("timeout")) == ("+815031234567", "45")
    assert "answerOnBridge" not in verb.attributes
    assert number.get("statusCallback").split("#")[0] == f"{DOORS.base}/voice/status?call={CALL}"
    assert number.get("statusCallbackEvent") == "initiated ringing answered completed"


def test_the_result_of_an_outgoing_call_says_who_called_whom() -> None:
    asked = parse_qs(urlsplit(dial(CONNECT).get("action")).query)
    assert asked == {"call": [CALL], "agent": ["1"], "number": ["+819012345678"]}


def test_a_call_over_a_line_that_is_gone_is_still_connected_and_not_recorded() -> None:
    assert "record" not in dial(replace(CONNECT, line=None)).attributes


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────

RECORDED = replace(MAIN, record=True)


@pytest.mark.parametrize("reply", [replace(RING, line=RECORDED), replace(CONNECT, line=RECORDED)])
def test_every_address_is_absolute_and_says_how_to_try_again(reply: Reply) -> None:
    found = list(addresses(dial(reply)))
    assert len(found) >= 3
    for address in found:
        assert address.startswith("https://cti.example.co.jp/phone/twilio/")
        rules = overrides(address)
        assert rules.complaints == ()
        assert rules.retry_on == {"ct", "rt", "5xx"}
        assert rules.retries >= 1
        assert rules.total == 15


def test_who_waits_is_tried_again_soon_and_who_only_tells_is_tried_as_often_as_can_be() -> None:
    for address in (DOORS.result(CALL), DOORS.outgoing(agent=1)):
        rules = overrides(address)
        assert rules.read * (rules.retries + 1) < 15, "the last try must still have its time"
    assert overrides(DOORS.status(call=CALL)).retries == 5
    assert overrides(DOORS.recording(CALL)).retries == 5


def test_a_locked_database_gives_up_while_twilio_still_listens() -> None:
    """A writer waits for the process's lock and then for the file's; the apology must come before the time-out."""
    assert overrides(DOORS.result(CALL)).read > 2 * database.WRITE_WAIT


def test_what_is_asked_for_survives_the_way_there_and_back() -> None:
    asked = parse_qs(urlsplit(DOORS.outgoing(agent=1, number="+81 90&x=1#y 山田")).query)
    assert asked == {"agent": ["1"], "number": ["+81 90&x=1#y 山田"]}


# ── recording ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reply", [replace(RING, line=RECORDED), replace(CONNECT, line=RECORDED)])
def test_a_line_that_records_does_so_from_the_answer_with_both_sides_apart(reply: Reply) -> None:
    verb = dial(reply)
    assert verb.get("record") == "record-from-answer-dual"
    assert verb.get("recordingStatusCallback").split("#")[0] == f"{DOORS.base}/recording?call={CALL}"
    assert verb.get("recordingStatusCallbackEvent") == "completed"
    assert verb.get("recordingStatusCallbackMethod") == "POST"


@pytest.mark.parametrize("reply", [RING, CONNECT])
def test_a_line_that_does_not_record_says_nothing_of_it(reply: Reply) -> None:
    assert not [name for name in dial(reply).attributes if name.startswith("record")]


# ── speaking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("message", Message)
def test_every_message_has_words_and_a_voice_in_both_languages(message: Message, language: Language) -> None:
    say, hangup = read(Speak(message, language)).verbs
    assert say.text == SENTENCES[message][language]
    assert (say.get("language"), say.get("voice")) == VOICES[language]
    assert say.get("language").startswith(language)
    assert hangup.name == "Hangup"


def test_the_languages_are_not_mixed_up() -> None:
    for words in SENTENCES.values():
        assert words["en"].isascii()
        assert not any(char.isascii() and char.isalpha() for char in words["ja"])


def test_the_apology_needs_no_doors() -> None:
    assert apology("en") == render(Speak(Message.APOLOGY, "en"), DOORS)


def test_who_is_done_is_hung_up_on_and_who_only_told_is_answered_nothing() -> None:
    assert [verb.name for verb in read(HangUp()).verbs] == ["Hangup"]
    assert render(Noted(), DOORS) == ""


def test_a_caller_waits_for_three_kinds_of_answers() -> None:
    assert {EventKind.INCOMING, EventKind.OUTGOING, EventKind.RESULT} == twiml.CALL_PROCESSING


# ── whatever stands in names, numbers and ids ────────────────────────────────────────────────────────────────────────

ANY_TEXT = st.text(st.characters(), max_size=40) | st.text("\x00\x0b\x1f\ufffe\uffff\ud800\udfff<>&\"']]>", max_size=20)


@given(ANY_TEXT, ANY_TEXT, st.booleans())
def test_a_ring_is_sound_whatever_the_names_and_the_id(name: str, call_id: str, record: bool) -> None:
    line = replace(MAIN, name=name, greeting=name, record=record)
    agents = tuple(replace(agent, name=name, email=name) for agent in (SATO, SUZUKI))
    verb = dial(Ring(call_id, line, agents))
    assert [leg.name for leg in verb.children] == ["Number", "Client"]


@given(ANY_TEXT.filter(lambda text: clean(text).strip()), ANY_TEXT, ANY_TEXT)
def test_connecting_is_sound_whatever_the_number(number: str, call_id: str, caller_id: str) -> None:
    [leg] = dial(Connect(call_id, number, 1, caller_id, MAIN)).children
    assert leg.name == "Number"


@given(ANY_TEXT)
def test_cleaning_takes_out_what_xml_cannot_carry_and_nothing_else(text: str) -> None:
    kept = clean(text)
    assert kept == clean(kept)
    parse(f"<Response><Say>a{html.escape(kept)}</Say></Response>")
    if text.isprintable():
        assert kept == text


def test_japanese_emoji_and_line_breaks_are_kept() -> None:
    assert clean("山田\t太郎\r\n🍣 𠮷野家\x00\x0b\ufffe") == "山田\t太郎\r\n🍣 𠮷野家"
