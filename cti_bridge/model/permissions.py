"""Who may what: one table of what each role may see and do. That a call belongs to somebody is decided in ``calls``."""

from __future__ import annotations

from enum import StrEnum

from cti_bridge.model.people import Role


class Permission(StrEnum):
    """Something that somebody may see or do."""

    OWN_SIGN_IN = "own_sign_in"
    """Renew and end one's own sign-ins, set up one's own one-time codes. All that is left while codes must be set up."""

    TAKE_CALLS = "take_calls"
    """Take and make calls, and read, change and complete the cards of one's own; search the CRM."""

    HEAR_EVERY_RECORDING = "hear_every_recording"
    """Listen to recordings of colleagues' calls on every line, not only of the lines that ring oneself."""

    SEE_OPERATIONS = "see_operations"
    """See what is on its way to the CRM, what is parked, what became of a call, and what is wrong with the set-up."""

    MEND_OPERATIONS = "mend_operations"
    """Send parked logs again, correct them, give them up."""

    MANAGE_AGENTS = "manage_agents"
    """See and end other people's sign-ins, take away their one-time codes."""

    SEE_AUDIT = "see_audit"
    """Read who saw and did what."""


_AGENT = frozenset({Permission.OWN_SIGN_IN, Permission.TAKE_CALLS})
_SUPERVISOR = _AGENT | {Permission.HEAR_EVERY_RECORDING, Permission.SEE_OPERATIONS}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.AGENT: _AGENT,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMINISTRATOR: frozenset(Permission),
}
"""Each role may all that the one before it may, and more."""


def permissions_of(role: Role, *, must_enrol: bool = False) -> frozenset[Permission]:
    """What this role may; next to nothing for somebody who must set up one-time codes first."""
    return frozenset({Permission.OWN_SIGN_IN}) if must_enrol else PERMISSIONS[role]
