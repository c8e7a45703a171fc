"""Recordings over REST: what Twilio tells of one, its sound (whole or a range of it), and deleting it.

Sources: https://www.twilio.com/docs/voice/api/recording. Unsure: that Twilio honours Range, as any file server does;
the bridge must get on without it, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from . import sound, wire

if TYPE_CHECKING:
    from .model import Recording
    from .simulator import Simulator

MEDIA = "recording_media"
"""The endpoint that is open to everybody, as Twilio's default is, unless the simulator is told to protect it."""


def recording_routes(blueprint: Blueprint, simulator: Simulator, not_found: Callable[[str], Exception]) -> None:
    """Adds the recordings to the REST API; ``not_found(path)`` is what Twilio says of a thing that is not there."""
    network = simulator.network

    def find(sid: str) -> Recording:
        with network.lock:
            recording = network.recordings.get(sid)
        if recording is None:
            raise not_found(request.path)
        return recording

    @blueprint.get("/<account>/Recordings/<sid>.json")
    def fetch_recording(account: str, sid: str) -> Response:
        return jsonify(wire.recording_resource(find(sid), account))

    @blueprint.delete("/<account>/Recordings/<sid>.json")
    def delete_recording(account: str, sid: str) -> Response:  # noqa: ARG001
        recording = find(sid)
        with network.lock:
            network.recordings.pop(recording.sid, None)
        return Response(status=204)

    @blueprint.get("/<account>/Recordings/<name>", endpoint=MEDIA)
    def recording_media(account: str, name: str) -> Response:  # noqa: ARG001
        sid, _, ending = name.partition(".")
        recording = find(sid)
        if recording.duration is None or ending not in ("", "wav", "mp3"):
            raise not_found(request.path)
        if ending == "mp3":
            answer = Response(sound.mp3(recording.duration), mimetype="audio/mpeg")
        else:
            answer = Response(sound.wav(recording.duration, recording.channels), mimetype="audio/x-wav")
        answer.set_etag(f"{sid}-{ending}")
        length = len(answer.get_data())
        answer.make_conditional(request, accept_ranges=True, complete_length=length)
        return answer
