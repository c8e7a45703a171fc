"""Our replies as TwiML, through Twilio's own builder, and the addresses that we give Twilio to call back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from twilio.twiml.voice_response import Dial, VoiceResponse

from cti_bridge.model import Connect, EventKind, HangUp, Language, Message, Reply, Ring, Speak

ALL_EVENTS = "initiated ringing answered completed"
"""Space-joined: the builder would silently write a list as a Python repr."""

CALLING_RETRIES = "#rc=1&rp=ct,rt,5xx&rt=7000"
"""Connection overrides of a request that a caller waits for, 15 s in all: two tries, each longer than a writer waits for
a locked database (twice WRITE_WAIT), so that Twilio still listens when the apology comes. The fragment is not signed
(https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides)."""

TELLING_RETRIES = "#rc=5&rp=ct,rt,5xx"
"""Connection overrides of a status callback: nobody waits, so try as often as Twilio does."""

_XML_INVALID = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

VOICES: dict[Language, tuple[str, str]] = {
    "ja": ("ja-JP", "Polly.Kazuha-Neural"),
    "en": ("en-US", "Polly.Joanna-Neural"),
}

SENTENCES: dict[Message, dict[Language, str]] = {
    Message.NOBODY_FREE: {
        "ja": "お電話ありがとうございます。ただいま電話が大変混み合っております。"
        "恐れ入りますが、しばらく経ってからおかけ直しください。",
        "en": "Thank you for calling. All of our staff are on other calls right now. Please call again a little later.",
    },
    Message.NOT_ANSWERED: {
        "ja": "お電話ありがとうございます。ただいま電話に出ることができません。"
        "恐れ入りますが、後ほどおかけ直しください。",
        "en": "Thank you for calling. We cannot take your call at the moment. Please call again later.",
    },
    Message.APOLOGY: {
        "ja": "申し訳ございません。ただいまお電話をおつなぎできません。"
        "恐れ入りますが、しばらく経ってからおかけ直しください。",
        "en": "We are sorry, we cannot put you through at the moment. Please call again a little later.",
    },
    Message.NOT_CONNECTED: {
        "ja": "おつなぎできませんでした。",
        "en": "The call could not be connected.",
    },
}


@dataclass(frozen=True, slots=True)
class Doors:
    """The public addresses of our webhooks: ``Doors("https://cti.example.co.jp/phone/twilio")``."""

    base: str

    def result(self, call_id: str, **facts: object) -> str:
        return self._door("voice/result", {"call": call_id, **facts}) + CALLING_RETRIES

    def outgoing(self, **facts: object) -> str:
        return self._door("voice/outgoing", facts) + CALLING_RETRIES

    def status(self, **facts: object) -> str:
        return self._door("voice/status", facts) + TELLING_RETRIES

    def recording(self, call_id: str) -> str:
        return self._door("recording", {"call": call_id}) + TELLING_RETRIES

    def _door(self, path: str, facts: dict[str, object]) -> str:
        return f"{self.base}/{path}?{urlencode({name: clean(str(fact)) for name, fact in facts.items()})}"


def render(reply: Reply, doors: Doors) -> str:
    """The reply as a TwiML document; empty for a webhook that nobody listens to."""
    response = VoiceResponse()
    match reply:
        case Ring():
            response.append(_ring(reply, doors))
        case Connect():
            response.append(_connect(reply, doors))
        case Speak():
            language, voice = VOICES[reply.language]
            response.say(clean(SENTENCES[reply.message][reply.language]), language=language, voice=voice)
            response.hangup()
        case HangUp():
            response.hangup()
        case _:
            return ""
    return str(response)


def apology(language: Language) -> str:
    """What is said when even the reply could not be made: needs no line, no database and no doors."""
    return render(Speak(Message.APOLOGY, language), Doors(""))


def clean(text: str) -> str:
    """Without the characters that XML cannot carry; one of them and Twilio drops the call (error 12100)."""
    return _XML_INVALID.sub("", text)


def _ring(reply: Ring, doors: Doors) -> Dial:
    line = reply.line
    dial = Dial(
        action=doors.result(reply.call_id),
        method="POST",
        timeout=int(line.ring_timeout.total_seconds()),
        answer_on_bridge=True,
        **_recording(doors, reply.call_id, wanted=line.record),
    )
    for agent in reply.agents:
        told = {
            "status_callback": doors.status(call=reply.call_id, agent=agent.id),
            "status_callback_event": ALL_EVENTS,
            "status_callback_method": "POST",
        }
        if agent.softphone:
            client = dial.client(**told)
            client.identity(agent.identity)
            client.parameter(name="call", value=clean(reply.call_id))
        elif agent.phone:
            dial.number(agent.phone, **told)
    return dial


def _connect(reply: Connect, doors: Doors) -> Dial:
    record = reply.line.record if reply.line else False
    dial = Dial(
        action=doors.result(reply.call_id, agent=reply.agent_id, number=reply.number),
        method="POST",
        timeout=45,
        caller_id=clean(reply.caller_id),
        **_recording(doors, reply.call_id, wanted=record),
    )
    dial.number(
        clean(reply.number),
        status_callback=doors.status(call=reply.call_id),
        status_callback_event=ALL_EVENTS,
        status_callback_method="POST",
    )
    return dial


def _recording(doors: Doors, call_id: str, *, wanted: bool) -> dict[str, str]:
    if not wanted:
        return {}
    return {
        "record": "record-from-answer-dual",
        "recording_status_callback": doors.recording(call_id),
        "recording_status_callback_event": "completed",
        "recording_status_callback_method": "POST",
    }


CALL_PROCESSING = frozenset({EventKind.INCOMING, EventKind.OUTGOING, EventKind.RESULT})
"""The webhooks whose answer a caller waits for."""
