"""What Twilio writes on the wire: webhook parameters, REST resources, dates. Only shapes; nothing is sent from here.

Sources: https://www.twilio.com/docs/voice/twiml#request-parameters,
https://www.twilio.com/docs/voice/api/call-resource.
"""

from __future__ import annotations

import math
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from .model import SIP_CODES, WITHHELD, Application, Leg, OwnNumber, Recording

API_VERSION = "2010-04-01"
_COUNTRIES = (
    ("+1", "US"), ("+266", "LS"), ("+33", "FR"), ("+44", "GB"), ("+49", "DE"), ("+61", "AU"), ("+65", "SG"),
    ("+7", "RU"), ("+81", "JP"), ("+82", "KR"), ("+84", "VN"), ("+852", "HK"), ("+86", "CN"), ("+886", "TW"),
)  # fmt: skip


def rfc2822(moment: datetime | None) -> str | None:
    """`Fri, 20 Nov 2026 01:13:42 +0000`, as callbacks and REST have it; None stays None."""
    return None if moment is None else format_datetime(moment.replace(microsecond=0))


def country(address: str) -> str:
    """ISO country of an E.164 number as Twilio guesses it (`LS` for a withheld one), else an empty string."""
    found = [(len(prefix), code) for prefix, code in _COUNTRIES if address.startswith(prefix)]
    return max(found)[1] if found else ""


def call_parameters(leg: Leg, account_sid: str) -> dict[str, str]:
    """The parameters of every voice webhook about `leg`. City, state and zip are empty: so they are for Japan.

    Called with the network's lock held.
    """
    params = {
        "AccountSid": account_sid,
        "ApiVersion": API_VERSION,
        "CallSid": leg.sid,
        "CallStatus": leg.status,
        "Direction": leg.direction,
    }
    for name, twin, address in (("From", "Caller", leg.from_), ("To", "Called", leg.to)):
        for key in (name, twin):
            params[key] = address
            params.update({f"{key}City": "", f"{key}State": "", f"{key}Zip": "", f"{key}Country": country(address)})
    if leg.parent is not None:
        params["ParentCallSid"] = leg.parent.sid
    params.update(leg.extra)
    return params


def progress_parameters(leg: Leg, account_sid: str, at: datetime, *, sequence: int | None) -> dict[str, str]:
    """A status callback's parameters, for the state the leg is in now. `sequence` None leaves SequenceNumber out."""
    params = call_parameters(leg, account_sid)
    params |= {"Timestamp": rfc2822(at) or "", "CallbackSource": "call-progress-events"}
    if sequence is not None:
        params["SequenceNumber"] = str(sequence)
    if leg.ended:
        seconds = leg.seconds()
        params |= {
            "CallDuration": str(seconds),
            "Duration": str(math.ceil(seconds / 60)),
            "SipResponseCode": SIP_CODES[leg.status],
        }
        if leg.record and leg.recording is not None:
            params |= {
                "RecordingSid": leg.recording.sid,
                "RecordingUrl": leg.recording.url,
                "RecordingDuration": str(leg.recording.duration or 0),
            }
    return params


def recording_parameters(recording: Recording, account_sid: str, status: str) -> dict[str, str]:
    """A recordingStatusCallback's parameters: https://www.twilio.com/docs/voice/twiml/dial#recordingstatuscallback."""
    params = {
        "AccountSid": account_sid,
        "CallSid": recording.call_sid,
        "RecordingSid": recording.sid,
        "RecordingUrl": recording.url,
        "RecordingStatus": status,
        "RecordingChannels": str(recording.channels),
        "RecordingStartTime": rfc2822(recording.started_at) or "",
        "RecordingSource": recording.source,
        "RecordingTrack": "both",
    }
    if status == "completed":
        params["RecordingDuration"] = str(recording.duration or 0)
    return params


def recording_resource(recording: Recording, account_sid: str) -> dict[str, Any]:
    """The Recording resource as REST gives it; ``processing`` and without a length while it is being made."""
    return {
        "sid": recording.sid,
        "account_sid": account_sid,
        "call_sid": recording.call_sid,
        "status": "processing" if recording.duration is None else "completed",
        "duration": None if recording.duration is None else str(recording.duration),
        "channels": recording.channels,
        "source": recording.source,
        "error_code": None,
        "start_time": rfc2822(recording.started_at),
        "uri": f"/{API_VERSION}/Accounts/{account_sid}/Recordings/{recording.sid}.json",
    }


def call_resource(leg: Leg, account_sid: str) -> dict[str, Any]:
    """The Call resource as REST gives it. Called with the network's lock held."""
    uri = f"/{API_VERSION}/Accounts/{account_sid}/Calls/{leg.sid}"
    parts = ("notifications", "recordings", "payments", "events", "siprec", "streams", "transcriptions")
    return {
        "sid": leg.sid,
        "date_created": rfc2822(leg.created_at),
        "date_updated": rfc2822(leg.updated_at),
        "parent_call_sid": leg.parent.sid if leg.parent else None,
        "account_sid": account_sid,
        "to": leg.to,
        "to_formatted": leg.to,
        "from": leg.from_,
        "from_formatted": "Anonymous" if leg.from_ == WITHHELD else leg.from_,
        "phone_number_sid": leg.number.sid if leg.number else None,
        "status": leg.status,
        "start_time": rfc2822(leg.answered_at or leg.started_at),
        "end_time": rfc2822(leg.ended_at),
        "duration": str(leg.seconds()) if leg.ended else None,
        "price": None,
        "price_unit": "USD",
        "direction": leg.direction,
        "answered_by": None,
        "annotation": None,
        "api_version": API_VERSION,
        "forwarded_from": leg.extra.get("ForwardedFrom"),
        "group_sid": None,
        "caller_name": leg.extra.get("CallerName"),
        "queue_time": str(leg.queue_ms),
        "trunk_sid": None,
        "uri": uri + ".json",
        "subresource_uris": {
            part: f"{uri}/{part.title()}.json" for part in parts
        } | {"user_defined_messages": f"{uri}/UserDefinedMessages.json"},
    }  # fmt: skip


def number_resource(number: OwnNumber, account_sid: str, created_at: datetime) -> dict[str, Any]:
    """The IncomingPhoneNumber resource: https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource."""
    return {
        "sid": number.sid,
        "account_sid": account_sid,
        "phone_number": number.phone_number,
        "friendly_name": number.friendly_name or number.phone_number,
        "voice_url": number.voice_url,
        "voice_method": number.voice_method,
        "voice_fallback_url": number.voice_fallback_url or None,
        "voice_fallback_method": number.voice_fallback_method,
        "status_callback": number.status_callback,
        "status_callback_method": number.status_callback_method,
        "voice_application_sid": number.voice_application_sid,
        "voice_caller_id_lookup": False,
        "voice_receive_mode": "voice",
        "sms_url": "",
        "sms_method": "POST",
        "sms_fallback_url": "",
        "sms_fallback_method": "POST",
        "sms_application_sid": "",
        "capabilities": {"voice": True, "sms": False, "mms": False, "fax": False},
        "address_requirements": "none",
        "address_sid": None,
        "beta": False,
        "api_version": API_VERSION,
        "status": "in-use",
        "trunk_sid": number.trunk_sid or None,
        "origin": "twilio",
        "date_created": rfc2822(created_at),
        "date_updated": rfc2822(created_at),
        "uri": f"/{API_VERSION}/Accounts/{account_sid}/IncomingPhoneNumbers/{number.sid}.json",
        "subresource_uris": {},
    }


def application_resource(application: Application, account_sid: str, created_at: datetime) -> dict[str, Any]:
    """The Application resource: https://www.twilio.com/docs/usage/api/applications."""
    return {
        "sid": application.sid,
        "account_sid": account_sid,
        "friendly_name": application.friendly_name or application.sid,
        "voice_url": application.voice_url or None,
        "voice_method": application.voice_method,
        "voice_fallback_url": application.voice_fallback_url or None,
        "voice_fallback_method": application.voice_fallback_method,
        "status_callback": application.status_callback or None,
        "status_callback_method": application.status_callback_method,
        "voice_caller_id_lookup": False,
        "sms_url": None,
        "sms_method": "POST",
        "sms_fallback_url": None,
        "sms_fallback_method": "POST",
        "sms_status_callback": None,
        "message_status_callback": None,
        "public_application_connect_enabled": False,
        "api_version": API_VERSION,
        "date_created": rfc2822(created_at),
        "date_updated": rfc2822(created_at),
        "uri": f"/{API_VERSION}/Accounts/{account_sid}/Applications/{application.sid}.json",
    }
