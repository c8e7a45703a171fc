"""Reading TwiML: from an HTTP answer to checked verbs, with Twilio's error codes. Nothing is executed here.

A fatal finding (not XML, wrong root, wrong type, too large) raises `TwimlError`. What Twilio only warns about (12200:
unknown verb or attribute, wrong place) comes back as warnings; whether they end the call is the executor's business.

Sources: https://www.twilio.com/docs/voice/twiml, https://www.twilio.com/docs/voice/twiml/dial,
https://www.twilio.com/docs/api/errors (12100, 12102, 12200, 12300, 11750, 15004).
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .model import EVENTS

MAX_BYTES = 64 * 1024
MAX_NOUNS = 10
_XML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})
_CALLBACK = "statusCallback statusCallbackEvent statusCallbackMethod"
_AMD = (
    "machineDetection amdStatusCallback amdStatusCallbackMethod machineDetectionTimeout "
    "machineDetectionSpeechThreshold machineDetectionSpeechEndThreshold machineDetectionSilenceTimeout"
)
_RECORDING = "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent"
_SSML = "break emphasis lang p phoneme prosody s say-as sub w"

_RESPONSE_VERBS = (
    "Connect Dial Echo Enqueue Gather Hangup Leave Pause Pay Play Prompt Queue Record Redirect Refer Reject Say Sms "
    "Start Stop"
)
_DIAL = (
    f"action method timeout hangupOnStar timeLimit callerId record trim {_RECORDING} recordingConfigurationId "
    "answerOnBridge ringTone recordingTrack sequential referUrl referMethod events passports callReason"
)
_GATHER = (
    "input action method timeout speechTimeout maxSpeechTime profanityFilter finishOnKey numDigits "
    "partialResultCallback partialResultCallbackMethod language hints bargeIn debug actionOnEmptyResult "
    "speechModel enhanced"
)
_RECORD = (
    f"action method timeout finishOnKey maxLength playBeep trim {_RECORDING} recordingConfigurationId transcribe "
    "transcribeCallback"
)
# verb or noun -> (attributes, elements that may stand in it)
_SCHEMA: dict[str, tuple[str, str]] = {
    "Response": ("version", _RESPONSE_VERBS),
    "Dial": (_DIAL, "Number Client Sip Conference Queue Application Sim"),
    "Number": (f"sendDigits url method {_CALLBACK} byoc {_AMD}", ""),
    "Client": (f"url method {_CALLBACK}", "Identity Parameter"),
    "Identity": ("", ""),
    "Parameter": ("name value", ""),
    "Say": ("voice loop language", _SSML),
    "Play": ("loop digits", ""),
    "Pause": ("length", ""),
    "Hangup": ("", "Parameter"),
    "Redirect": ("method", ""),
    "Reject": ("reason", "Parameter"),
    "Gather": (_GATHER, "Say Play Pause"),
    "Record": (_RECORD, ""),
}
_PLAYED = frozenset({"Dial", "Say", "Play", "Pause", "Hangup", "Redirect", "Reject", "Gather", "Record"})
_NOUNS_PLAYED = frozenset({"Number", "Client"})

_WHOLE = re.compile(r"\d+")
_BOOLEAN = re.compile(r"true|false")
_METHOD = re.compile(r"GET|POST")
_VALUES: dict[str, re.Pattern[str]] = {
    "method": _METHOD, "statusCallbackMethod": _METHOD, "recordingStatusCallbackMethod": _METHOD,
    "partialResultCallbackMethod": _METHOD, "amdStatusCallbackMethod": _METHOD, "referMethod": _METHOD,
    "timeout": re.compile(r"\d+|auto"), "speechTimeout": re.compile(r"\d+|auto"),
    "timeLimit": _WHOLE, "length": _WHOLE, "loop": _WHOLE, "numDigits": re.compile(r"[1-9]\d*"), "maxLength": _WHOLE,
    "hangupOnStar": _BOOLEAN, "answerOnBridge": _BOOLEAN, "sequential": _BOOLEAN, "playBeep": _BOOLEAN,
    "transcribe": _BOOLEAN, "actionOnEmptyResult": _BOOLEAN, "bargeIn": _BOOLEAN,
    "finishOnKey": re.compile(r"[0-9*#]*"), "digits": re.compile(r"[0-9*#wWA-D]+"),
    "sendDigits": re.compile(r"[0-9*#wW,]+"), "reason": re.compile(r"rejected|busy"),
    "trim": re.compile(r"trim-silence|do-not-trim"), "recordingTrack": re.compile(r"inbound|outbound|both"),
    "ringTone": re.compile(r"automatic|at|au|bg|br|be|ch|cl|cn|cz|de|dk|ee|es|fi|fr|gr|hu|il|in|it|lt|jp|mx|my|nl|no"
                           r"|nz|ph|pl|pt|ru|se|sg|th|uk|us|us-old|tw|ve|za"),
    "input": re.compile(r"(dtmf|speech)( (dtmf|speech))?"),
    "language": re.compile(r"[a-zA-Z]{2,3}(-[A-Za-z0-9]+)*"),
    "voice": re.compile(r"man|woman|alice|(Polly|Google|ElevenLabs|Amazon)\.\S+"),
}  # fmt: skip
_DIAL_RECORD = re.compile(r"do-not-record|record-from-(answer|ringing)(-dual)?|true|false")
# https://www.twilio.com/docs/api/errors/13210 and following; the rest of the values fall under 12200
_VALUE_CODES = {
    ("Dial", "method"): 13210,
    ("Dial", "timeout"): 13212,
    ("Dial", "hangupOnStar"): 13213,
    ("Dial", "timeLimit"): 13216,
    ("Number", "method"): 13221,
    ("Number", "sendDigits"): 13222,
    ("Say", "loop"): 13510,
    ("Say", "language"): 13511,
    ("Say", "voice"): 13512,
}
_URLS = frozenset(
    {
        "action",
        "url",
        "statusCallback",
        "recordingStatusCallback",
        "partialResultCallback",
        "amdStatusCallback",
        "referUrl",
        "transcribeCallback",
    }
)


class TwimlError(Exception):
    """The TwiML cannot be used. `code` is Twilio's, `message` says what and where."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Verb:
    """One element: `text` is stripped; of a <Say> with SSML it is what is spoken, without the marks."""

    name: str
    attributes: dict[str, str]
    text: str
    children: tuple[Verb, ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """An attribute's text, or the default."""
        return self.attributes.get(name, default)

    def whole(self, name: str, default: int) -> int:
        """An attribute as a whole number; the default when absent or no number."""
        text = self.attributes.get(name, "")
        return int(text) if text.isascii() and text.isdigit() else default

    def says(self, name: str) -> bool:
        """Whether an attribute is `true`."""
        return self.attributes.get(name) == "true"


@dataclass(frozen=True)
class Document:
    """A response's verbs in their order, and what Twilio would have warned about: (code, message)."""

    verbs: tuple[Verb, ...]
    warnings: list[tuple[int, str]] = field(default_factory=list)


def read(body: bytes, content_type: str) -> Document:
    """The document of an HTTP answer.

    `text/xml`, `application/xml` and `text/html` are TwiML, `audio/*` is played, `text/plain` is read aloud.

    Raises:
        TwimlError: 12300 other type, 11750 more than 64 kB, or anything `parse` raises.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if len(body) > MAX_BYTES:
        raise TwimlError(11750, f"the response has {len(body)} bytes, more than {MAX_BYTES}")
    if kind.startswith("audio/"):
        return Document((Verb("Play", {}, "(audio)"), Verb("Hangup", {}, "")))
    if kind == "text/plain":
        return Document((Verb("Say", {}, body.decode("utf-8", "replace").strip()),))
    if kind not in _XML_TYPES:
        raise TwimlError(12300, f"Content-Type {content_type!r} is neither TwiML nor audio")
    return parse(body)


def parse(xml: bytes | str, *, absolute_urls: bool = False) -> Document:
    """Check and read TwiML. `absolute_urls` for TwiML given over REST, which has no URL to be relative to.

    Raises:
        TwimlError: 12100 not well-formed (or with a DOCTYPE), 12102 root is not Response, 15004 relative URL.
    """
    data = xml.encode() if isinstance(xml, str) else xml
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise TwimlError(12100, "a document type declaration is not accepted")
    try:
        root = ET.fromstring(data)  # noqa: S314 (no entities: a DOCTYPE was refused above)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise TwimlError(12100, f"not well-formed XML: {error}") from error
    if root.tag != "Response":
        raise TwimlError(12102, f"the root element must be Response, not {root.tag}")
    warnings: list[tuple[int, str]] = []
    verbs = tuple(_children(root, warnings))
    if absolute_urls:
        _refuse_relative(verbs)
    return Document(verbs, warnings)


def _children(parent: ET.Element, warnings: list[tuple[int, str]]) -> Iterator[Verb]:
    allowed = _SCHEMA[parent.tag][1].split()
    for element in parent:
        name = str(element.tag)
        if name not in allowed:
            warnings.append((12200, f"<{name}> is not expected in <{parent.tag}>"))
        elif parent.tag == "Say":
            continue  # SSML: its text is taken with the verb's
        elif (parent.tag == "Response" and name not in _PLAYED) or (parent.tag == "Dial" and name not in _NOUNS_PLAYED):
            yield Verb(name, dict(element.attrib), "")
        else:
            yield _verb(element, warnings)


def _verb(element: ET.Element, warnings: list[tuple[int, str]]) -> Verb:
    name = element.tag
    known = _SCHEMA[name][0].split()
    for attribute, value in element.attrib.items():
        if attribute not in known:
            warnings.append((12200, f"attribute {attribute!r} is not allowed in <{name}>"))
        else:
            warnings.extend(_value_complaints(name, attribute, value))
    children = tuple(_children(element, warnings))
    text = "".join(element.itertext()) if name == "Say" else (element.text or "")
    verb = Verb(name, dict(element.attrib), text.strip(), children)
    warnings.extend(_shape_complaints(verb, element))
    return verb


def _value_complaints(name: str, attribute: str, value: str) -> Iterator[tuple[int, str]]:
    where = f'{attribute}="{value}" in <{name}>'
    if attribute in ("statusCallbackEvent", "recordingStatusCallbackEvent"):
        events = EVENTS if attribute == "statusCallbackEvent" else ("in-progress", "completed", "absent", "failed")
        wrong = [event for event in value.split(" ") if event not in events]
        if wrong:
            yield 12200, f"{where}: {wrong[0]!r} is none of {' '.join(events)}, joined by single spaces"
        return
    pattern = _DIAL_RECORD if (name, attribute) == ("Dial", "record") else _VALUES.get(attribute)
    if attribute == "timeout" and name == "Dial":
        pattern = _WHOLE
    if pattern is not None and not pattern.fullmatch(value):
        yield _VALUE_CODES.get((name, attribute), 12200), f"{where} is not a valid value"


def _shape_complaints(verb: Verb, element: ET.Element) -> Iterator[tuple[int, str]]:
    if verb.name == "Say" and not verb.text:
        yield 13520, "<Say> has no text"
    if verb.name == "Dial":
        yield from _dial_complaints(verb, element)
    if verb.name == "Client":
        yield from _client_complaints(verb)
    if verb.name == "Parameter" and not verb.get("name"):
        yield 12200, "<Parameter> has no name"
    if verb.name in ("Redirect", "Play") and not verb.text and not verb.get("digits"):
        yield 12200, f"<{verb.name}> has no URL"


def _dial_complaints(dial: Verb, element: ET.Element) -> Iterator[tuple[int, str]]:
    if len(dial.children) > MAX_NOUNS:
        yield 12200, f"<Dial> has {len(dial.children)} nouns, more than {MAX_NOUNS}"
    if not dial.children and not dial.text:
        yield 13223, "<Dial> has nobody to call"
    if dial.children and (dial.text or any((child.tail or "").strip() for child in element)):
        yield 12200, "<Dial> has both a number and nouns"


def _client_complaints(client: Verb) -> Iterator[tuple[int, str]]:
    identity = identity_of(client)
    if not identity:
        yield 12200, "<Client> has no identity"
    elif len(identity) > 256:
        yield 12200, "the identity of <Client> has more than 256 characters"
    if sum(child.name == "Identity" for child in client.children) > 1:
        yield 12200, "<Client> has more than one <Identity>"


def identity_of(client: Verb) -> str:
    """The identity of a `<Client>`: of its `<Identity>`, else its own text."""
    return next((child.text for child in client.children if child.name == "Identity"), client.text)


def _refuse_relative(verbs: tuple[Verb, ...]) -> None:
    for verb in verbs:
        urls = {name: value for name, value in verb.attributes.items() if name in _URLS}
        if verb.name == "Redirect":
            urls["text"] = verb.text
        for name, value in urls.items():
            if urlsplit(value).scheme not in ("http", "https"):
                raise TwimlError(15004, f"{name}={value!r} of <{verb.name}> must be absolute in TwiML given over REST")
        _refuse_relative(verb.children)


def unplayable(verb: Verb) -> str:
    """Why the simulator cannot play this (valid) verb, or an empty string."""
    if verb.name not in _PLAYED:
        return f"the simulator does not play <{verb.name}> yet"
    for child in verb.children if verb.name == "Dial" else ():
        if child.name not in _NOUNS_PLAYED:
            return f"the simulator does not play <{child.name}> in <Dial> yet"
    return ""
