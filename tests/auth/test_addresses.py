"""Where a request comes from: what proxies of ours say, never what a caller makes up; and who may come from there."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_bridge.auth.addresses import UNKNOWN, Addresses, caller, source
from cti_bridge.errors import SettingsError
from cti_bridge.model import Role
from cti_bridge.settings import Settings
from tests.desk import CONFIG

IPS = st.ip_addresses().map(str)
PEER = "192.0.2.1"


def seen(forwarded: str | None, proxies: int, peer: str = PEER) -> str:
    environ = {"REMOTE_ADDR": peer}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    return caller(environ, proxies)


def plain(address: str) -> str:
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


@given(forged=st.text(st.characters(codec="latin-1", exclude_characters="\r\n")), peer=IPS)
def test_without_proxies_a_forged_header_says_nothing(forged: str, peer: str) -> None:
    assert seen(forged, 0, peer) == plain(peer)


@given(
    forged=st.lists(st.one_of(IPS, st.text(st.characters(codec="ascii", exclude_characters="\r\n"), max_size=20))),
    real=IPS,
    between=st.lists(IPS, max_size=3),
)
def test_behind_proxies_what_stands_left_of_theirs_says_nothing(
    forged: list[str], real: str, between: list[str]
) -> None:
    """Each proxy adds whom it was reached by at the right; all else is the caller's own invention."""
    header = ", ".join([*forged, real, *between])
    assert seen(header, 1 + len(between)) == plain(real)


@given(forged=st.lists(IPS, max_size=2))
def test_a_request_that_came_past_the_proxies_is_whoever_connected(forged: list[str]) -> None:
    assert seen(", ".join(forged), 3) == PEER


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("unknown", UNKNOWN),
        ("_hidden", UNKNOWN),
    ],
)
def test_an_address_is_read_however_a_proxy_writes_it(written: str, meant: str) -> None:
    assert seen(written, 1) == meant


def test_a_request_through_a_unix_socket_has_no_address() -> None:
    assert caller({}, 0) == UNKNOWN
    assert source(UNKNOWN) == UNKNOWN


def addresses(**settings: str) -> Addresses:
    values: dict[str, Any] = {**CONFIG, **settings}
    return Addresses(Settings.read(values))


def test_each_role_works_from_its_own_networks() -> None:
    allowed = addresses(CTI_ALLOW_AGENTS="203.0.113.0/24, 2001:db8::/48", CTI_ALLOW_ADMINISTRATORS="198.51.100.7")
    for address, agent, administrator in (
        ("203.0.113.200", True, False),
        ("2001:db8:0:1::9", True, False),
        ("198.51.100.7", False, True),
        ("198.51.100.8", False, False),
        (UNKNOWN, False, False),
    ):
        assert allowed.allows(Role.AGENT, address) is agent, address
        assert allowed.allows(Role.ADMINISTRATOR, address) is administrator, address
        assert allowed.allows(Role.SUPERVISOR, address), "no list: everywhere"


@pytest.mark.parametrize("wrong", ["203.0.113.9/24", "203.0.113", "office", "10.0.0.0/33"])
def test_a_network_that_cannot_be_read_stops_the_start(wrong: str) -> None:
    with pytest.raises(SettingsError, match="CTI_ALLOW_AGENTS"):
        addresses(CTI_ALLOW_AGENTS=wrong)


def test_herokus_router_is_one_proxy_and_elsewhere_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DYNO", raising=False)
    assert Settings.read(CONFIG).trusted_proxies == 0
    monkeypatch.setenv("DYNO", "web.1")
    heroku = {**CONFIG, "DATABASE_URL": "postgres://x/y"}
    assert Settings.read(heroku).trusted_proxies == 1
    assert Settings.read({**heroku, "CTI_TRUSTED_PROXIES": "2"}).trusted_proxies == 2
