"""Hearing a recorded call again: who may, and the sound's way from the telephone network to them. No HTTP lives here."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from cti_bridge.errors import Conflict, Gone, NotAllowed, NotFound, PhoneNetworkError, RecordingMissing, TryLater
from cti_bridge.logbook import get_logger
from cti_bridge.model import Agent, Call, Permission, permissions_of
from cti_bridge.store import Database, calls
from cti_bridge.store.calls import CallRecord
from cti_bridge.store.directory import Directory, KnownDirectory
from cti_bridge.twilio.rest import PhoneNetwork, Sound

log = get_logger(__name__)

MOST_AT_ONCE = 4
"""Recordings that one process passes on at the same time. Each takes a thread, and calls need those."""

RECORDING_ID = re.compile(r"RE[0-9a-fA-F]{32}")


def may_listen(agent: Agent, call: Call, directory: Directory) -> bool:
    """Whoever took the call, those whom its line rings, and whose role may hear everything."""
    if Permission.HEAR_EVERY_RECORDING in permissions_of(agent.role):
        return True
    return call.agent_id == agent.id or call.line_number in directory.numbers_ringing(agent)


class Recordings:
    """The recordings of the calls that the bridge knows. Everything may raise StoreUnavailable."""

    def __init__(self, database: Database, directory: KnownDirectory, network: PhoneNetwork) -> None:
        self._database = database
        self._directory = directory
        self._network = network
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    def call_of(self, agent: Agent, recording_id: str) -> CallRecord:
        """The call that was recorded. Raises NotFound, or NotAllowed when this agent may not listen."""
        if not RECORDING_ID.fullmatch(recording_id):
            raise NotFound("recording_not_found")
        with self._database.reading() as connection:
            record = calls.recorded_as(connection, recording_id)
        if record is None:
            raise NotFound("recording_not_found")
        if not may_listen(agent, record.call, self._directory.current()):
            raise NotAllowed("recording_not_allowed")
        return record

    def listen(self, agent: Agent, recording_id: str, wanted: Mapping[str, str]) -> Sound:
        """The sound, or the part of it that ``wanted`` (Range, If-Range) names. Close it, read or not.

        Raises NotFound and NotAllowed; Conflict while it is being made, Gone when it was deleted, TryLater when Twilio
        cannot be asked or too many listen.
        """
        record = self.call_of(agent, recording_id)
        if not self._places.acquire(blocking=False):
            raise TryLater("recordings_busy", retry_after=5)
        leave = _once(self._places.release)
        try:
            sound = self._network.open_recording(recording_id, wanted)
        except RecordingMissing as missing:
            leave()
            if missing.comes_later:
                raise Conflict("recording_not_ready", retry_after=10) from missing
            raise Gone("recording_deleted") from missing
        except PhoneNetworkError as problem:
            leave()
            log.error("recording_not_fetched", call=record.id, problem=problem)
            raise TryLater("recording_unreachable") from problem
        except BaseException:
            leave()
            raise
        log.info("recording_heard", call=record.id, agent=agent.id)

        def close() -> None:
            try:
                sound.close()
            finally:
                leave()

        return replace(sound, close=close)


def _once(release: Callable[[], None]) -> Callable[[], None]:
    """Servers may close an answer more than once."""
    lock = threading.Lock()

    def leave() -> None:
        if lock.acquire(blocking=False):
            release()

    return leave
