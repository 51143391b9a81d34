"""Whose request it is: the client's address, behind as many proxies as the settings trust."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from .handshake import address_of

# The proxies to trust: how many stand before the server, or the networks in which they are.
Proxies = int | Sequence[IPv4Network | IPv6Network]

# Addresses of one X-Forwarded-For that are looked at; a client can write thousands into it.
MAX_HOPS = 32


def network_of(address: str) -> str:
    """Return an address; for IPv6 its /64 network, since one subscriber has all its addresses."""
    if ":" not in address:
        return address[:100]
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return parsed.packed[:8].hex(":", 2) + "::/64"
    return str(parsed or address[:100])


def look_through(scope: dict[str, Any], proxies: Proxies) -> dict[str, Any]:
    """Return the scope with the client that trusted proxies name in X-Forwarded-For.

    Each proxy appends the address that it was asked from, so the header is read from its end, and
    only as long as a trusted proxy has written it: what stands before, a client may have made up.
    """
    if not proxies:
        return scope
    value = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    first = address = address_of(scope)
    for number, hop in enumerate(reversed(value.rsplit(b",", MAX_HOPS)[-MAX_HOPS:])):
        if isinstance(proxies, int):
            trusted = number < proxies
        else:
            near = _parse(address)
            trusted = near is not None and any(near in network for network in proxies)
        found = _parse(_without_port(hop.decode("latin-1").strip())) if trusted else None
        if found is None:
            break
        address = str(found)
    return scope if address == first else {**scope, "client": (address, 0)}


def is_proxy_that_nobody_trusts(scope: dict[str, Any]) -> bool:
    """Return whether X-Forwarded-For comes from our own network, and the server passes it over.

    A server that trusts the proxy has put one of the header's addresses in its place.
    """
    address = address_of(scope)
    near = _parse(address)
    if near is None:
        return not address  # a Unix socket
    value = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    hops = value.decode("latin-1").rsplit(",", MAX_HOPS)
    return near.is_private and all(_parse(_without_port(hop.strip())) != near for hop in hops)


def _without_port(hop: str) -> str:
    """Return the address of "192.0.2.1:80" or "[2001:db8::1]:80", as some proxies write it."""
    if hop[:1] == "[":
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    """Return an IP address, an IPv4 one that is written as IPv6 as what it is; None for others."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
