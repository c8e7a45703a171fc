"""Where a request comes from, behind proxies that we trust and callers that we do not, and who may come from there.

Signatures and links never ask this module: they use CTI_PUBLIC_URL, whatever a proxy says.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from cti_bridge.model import Role
from cti_bridge.settings import Settings

UNKNOWN = "unknown"
"""What is known of a caller whose address cannot be read; no allow-list has it."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Addresses:
    """Reads callers' addresses, and knows from where each role may work."""

    def __init__(self, settings: Settings) -> None:
        self._proxies = settings.trusted_proxies
        self._allowed: dict[Role, tuple[Network, ...]] = {
            role: tuple(ipaddress.ip_network(network) for network in networks)
            for role, networks in (
                (Role.AGENT, settings.allow_agents),
                (Role.SUPERVISOR, settings.allow_supervisors),
                (Role.ADMINISTRATOR, settings.allow_administrators),
            )
        }

    def of(self, environ: Mapping[str, Any]) -> str:
        """The caller's address, ``203.0.113.7`` or ``2001:db8::7``; UNKNOWN when it cannot be read."""
        return caller(environ, self._proxies)

    def allows(self, role: Role, address: str) -> bool:
        """Whether somebody with this role may work from there."""
        networks = self._allowed[role]
        if not networks:
            return True
        if address == UNKNOWN:
            return False
        parsed = ipaddress.ip_address(address)
        return any(parsed in network for network in networks)


def caller(environ: Mapping[str, Any], proxies: int) -> str:
    """Whoever reached the outermost of so many proxies of ours.

    Each proxy adds at the right whom it was reached by, so with two of them the second entry from the right was written
    by a proxy of ours, and everything left of it by the caller. A request with fewer entries came past the proxies: then
    it is whoever connected to us.
    """
    forwarded = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if proxies and len(forwarded) >= proxies:
        return _read(forwarded[-proxies])
    return _read(environ.get("REMOTE_ADDR", ""))


def source(address: str) -> str:
    """What counts as one source of knocks: an IPv4 address, or the /64 that one subscriber of IPv6 is given."""
    if address == UNKNOWN:
        return address
    parsed = ipaddress.ip_address(address)
    return address if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


def _read(text: str) -> str:
    """Some proxies write the port behind the address: ``203.0.113.7:4711``, ``[2001:db8::7]:4711``."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return UNKNOWN
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)
