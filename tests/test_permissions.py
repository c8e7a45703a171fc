"""What each role may see and do, once in words."""

from __future__ import annotations

from cti_bridge.model import Permission, Role, permissions_of

AGENT = {"own_sign_in", "take_calls"}
SUPERVISOR = AGENT | {"hear_every_recording", "see_operations"}
ADMINISTRATOR = SUPERVISOR | {"mend_operations", "manage_agents", "see_audit"}


def test_the_table_is_what_the_manual_promises() -> None:
    promised = {Role.AGENT: AGENT, Role.SUPERVISOR: SUPERVISOR, Role.ADMINISTRATOR: ADMINISTRATOR}
    assert {role: set(permissions_of(role)) for role in Role} == promised


def test_whoever_must_set_up_codes_has_nothing_but_that() -> None:
    for role in Role:
        assert permissions_of(role, must_enrol=True) == {Permission.OWN_SIGN_IN}
