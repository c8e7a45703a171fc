"""What a wake-up is about: ``call:CA…``, ``agent:3``, ``missed``, ``health``, ``outbox``. Ids only, never personal data."""

MISSED = "missed"
HEALTH = "health"
OUTBOX = "outbox"


def call_topic(call_id: str) -> str:
    return f"call:{call_id}"


def agent_topic(agent_id: int) -> str:
    return f"agent:{agent_id}"


def sessions_topic(agent_id: int) -> str:
    """Some of this agent's sign-ins were ended."""
    return f"sessions:{agent_id}"
