"""The `<Dial>` verb: who rings, who wins, what the action URL is told. Nothing else.

Source: https://www.twilio.com/docs/voice/twiml/dial. Unsure, because not documented:

- A caller who hangs up while children ring: the children are canceled, the caller's leg is completed (no-answer when
  it was never answered), and the action URL *is* requested, with DialCallStatus=canceled; its answer is not played.
  Several public code bases handle exactly this request; Twilio's pages only say "when the call ends".
- Nobody answered: DialCallStatus is no-answer if any child rang out, else busy if any was, else failed. DialCallSid is
  that child's.
- A number that cannot be called (13223, 13224) and a callerId that is not ours (13214) fail the child, not the call.
- With a whisper `url`, the other children go on ringing until the whisper is over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .model import E164, Dialing, Leg, Source, Status
from .network import CallOver, Diverted
from .twiml import Verb, identity_of

if TYPE_CHECKING:
    from .execute import Script

_PUNCTUATION = re.compile(r"[\s().-]")
_DUAL = "-dual"


def dial(script: Script, verb: Verb) -> Source | None:
    """Ring the nouns, connect the first to answer, and wait for the end. The action's source, or None to go on.

    Raises:
        CallOver: the caller hung up. Diverted: the caller's leg got other TwiML; the children are ended.
    """
    network, leg = script.network, script.leg
    if not verb.says("answerOnBridge"):
        network.answer_inbound(leg)
    nouns = verb.children or (Verb("Number", {}, verb.text),)
    batches = [[noun] for noun in nouns] if verb.says("sequential") else [list(nouns)]
    dialing = Dialing(leg, time_limit=verb.whole("timeLimit", 14400), recording_options=_recording(script, verb))
    gone: CallOver | None = None
    try:
        with network.lock:
            network.check(leg)
            leg.dialing = dialing
            leg.keys = ""
            if verb.get("record").startswith("record-from-ringing") and dialing.recording_options:
                dialing.recording = network.start_recording(leg, **dialing.recording_options)
        for batch in batches:
            _ring(script, verb, dialing, batch)
            network.wait(leg, lambda: _over(script, verb, dialing))
            if dialing.winner is not None:
                break
    except CallOver as over:
        gone = over
    except Diverted:
        network.drop_children(dialing)
        raise
    finally:
        leg.dialing = None
    network.drop_children(dialing)
    params = _outcome(dialing, canceled=gone is not None)
    leg.failing_status = _failing(params["DialCallStatus"])
    if gone is not None:
        if "action" in verb.attributes:
            script.tell(script.follow(verb, params))
        raise gone
    return script.follow(verb, params) if "action" in verb.attributes else None


def _over(script: Script, verb: Verb, dialing: Dialing) -> bool:
    if dialing.winner is not None and verb.says("hangupOnStar") and "*" in script.leg.keys:
        script.network.end(dialing.winner, "completed")
    return dialing.over


def _ring(script: Script, verb: Verb, dialing: Dialing, nouns: list[Verb]) -> None:
    """Create the legs and let all of them ring before anyone can answer."""
    network, parent = script.network, script.leg
    with network.lock:
        for noun in nouns:
            client = noun.name == "Client"
            to = f"client:{identity_of(noun)}" if client else _PUNCTUATION.sub("", noun.text)
            caller = verb.get("callerId") or parent.from_
            child = network.add_leg(caller, to, "outbound-dial", "queued", parent=parent)
            child.rung_by = dialing
            child.timeout = verb.whole("timeout", 30)
            child.callback = script.callback(noun, "statusCallback")
            child.custom = {item.get("name"): item.get("value") for item in noun.children if item.name == "Parameter"}
            if noun.get("url"):
                child.whisper = Source(script.resolve(noun.get("url")), noun.get("method", "POST"), "whisper")
            dialing.children.append(child)
            complaint = _complaint(script, verb, child, client=client)
            if complaint is not None:
                network.problem(*complaint, call_sid=parent.sid, url=script.url)
                network.end(child, "failed")
        for child in dialing.children:
            if child.status == "queued":
                network.ring(child)


def _complaint(script: Script, verb: Verb, child: Leg, *, client: bool) -> tuple[int, str] | None:
    network, parent = script.network, script.leg
    caller = child.from_
    if not client and not child.to.startswith("+"):
        return 13223, f"{child.to!r} is not a phone number in E.164 form"
    if not client and not E164.fullmatch(child.to):
        return 13224, f"{child.to!r} is not a number that can be called"
    if "callerId" not in verb.attributes and not caller.startswith("client:"):
        return None  # the caller's own number is passed on
    ours = caller in network.numbers or caller in network.verified or caller in (parent.from_, parent.to)
    if caller.startswith("client:"):
        ours = client
    if not ours:
        return 13214, f"callerId {caller!r} is neither our number, nor verified, nor of this call"
    return None


def _recording(script: Script, verb: Verb) -> dict[str, object] | None:
    how = {"true": "record-from-answer", "false": ""}.get(verb.get("record"), verb.get("record"))
    if not how.startswith("record-"):
        return None
    return {
        "source": "DialVerb",
        "channels": 2 if how.endswith(_DUAL) else 1,
        "callback": script.callback(verb, "recordingStatusCallback"),
    }


def _outcome(dialing: Dialing, *, canceled: bool) -> dict[str, str]:
    """DialCallStatus, DialCallSid, DialBridged; DialCallDuration and RecordingUrl only when there are such."""
    decisive, status = _decisive(dialing, canceled=canceled)
    params = {"DialCallStatus": status, "DialBridged": "true" if dialing.winner is not None else "false"}
    if decisive is not None:
        params["DialCallSid"] = decisive.sid
    if dialing.winner is not None and not dialing.left:
        params["DialCallDuration"] = str(dialing.winner.seconds())
    if dialing.recording is not None:
        params["RecordingUrl"] = dialing.recording.url
    return params


def _decisive(dialing: Dialing, *, canceled: bool) -> tuple[Leg | None, str]:
    children = dialing.children
    answered = dialing.winner or next((child for child in children if child.answered_at is not None), None)
    if answered is not None:
        return answered, "completed"
    if canceled:
        return (children[0] if children else None), "canceled"
    for status in ("no-answer", "busy"):
        for child in children:
            if child.status == status:
                return child, status
    last = children[-1] if children else None
    return last, last.status if last is not None else "failed"


def _failing(status: str) -> Status | None:
    return status if status in ("busy", "no-answer", "failed") else None  # type: ignore[return-value]
