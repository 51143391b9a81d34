"""Whose request it is: networks of addresses, and what proxies say."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from django_socketio.addressing.addresses import MAX_HOPS, look_through, network_of
from django_socketio.addressing.handshake import address_of
from django_socketio.conf import get_settings


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002::/64"),
        ("2001:db8:1:2::7", "2001:0db8:0001:0002::/64"),
        ("2001:db8:1:3::7", "2001:0db8:0001:0003::/64"),
        ("::1", "0000:0000:0000:0000::/64"),
        ("fe80::1%eth0", "fe80:0000:0000:0000::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("a:b", "a:b"),
        ("x" * 200, "x" * 100),
        (":" * 200, ":" * 100),
    ],
)
def test_the_network_that_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


def seen(trusted: Any, header: str | list[str], client: Any = ("10.0.0.9", 5)) -> str:
    """The address of a request with these lines of X-Forwarded-For."""
    lines = [header] if isinstance(header, str) else header
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    scope = {"headers": [(b"host", b"x"), *headers], "client": client}
    with override_settings(SOCKETIO={"TRUSTED_PROXIES": trusted}):
        return address_of(look_through(scope, get_settings().proxies))


CHAIN = "203.0.113.1, 192.0.2.1, 10.0.0.2"


@pytest.mark.parametrize(
    ("trusted", "header", "address"),
    [
        # So many proxies, however they are called; the client's own words are not believed.
        (0, CHAIN, "10.0.0.9"),
        (1, CHAIN, "10.0.0.2"),
        (2, CHAIN, "192.0.2.1"),
        (3, CHAIN, "203.0.113.1"),
        (9, CHAIN, "203.0.113.1"),
        (1, "", "10.0.0.9"),
        (2, "192.0.2.1", "192.0.2.1"),
        # Those of a network.
        ([], CHAIN, "10.0.0.9"),
        (["10.0.0.0/8"], CHAIN, "192.0.2.1"),
        (["10.0.0.9"], CHAIN, "10.0.0.2"),
        (["10.0.0.0/8", "192.0.2.0/24"], CHAIN, "203.0.113.1"),
        (["192.0.2.0/24"], CHAIN, "10.0.0.9"),
        (["2001:db8::/32"], CHAIN, "10.0.0.9"),
        (["0.0.0.0/0"], "192.0.2.1, 192.0.2.2", "192.0.2.1"),
        # Several lines are one list.
        (2, ["203.0.113.1", "192.0.2.1", "10.0.0.2"], "192.0.2.1"),
        # How proxies write it.
        (1, "192.0.2.1:4711", "192.0.2.1"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, "2001:DB8:0::1", "2001:db8::1"),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
        (1, "  192.0.2.1\t", "192.0.2.1"),
        # What is no address ends the search.
        (1, "unknown", "10.0.0.9"),
        (2, "192.0.2.1, unknown", "10.0.0.9"),
        (2, "unknown, 10.0.0.2", "10.0.0.2"),
        (1, "192.0.2.1,", "10.0.0.9"),
        (1, "évil\x00\n", "10.0.0.9"),
        (1, "1" * 60_000, "10.0.0.9"),
    ],
)
def test_x_forwarded_for_is_believed_as_far_as_proxies_are_trusted(
    trusted: Any, header: str | list[str], address: str
) -> None:
    assert seen(trusted, header) == address


def test_a_proxy_on_a_unix_socket_has_no_address_of_its_own() -> None:
    assert seen(1, "192.0.2.1", client=None) == "192.0.2.1"
    assert seen(["10.0.0.0/8"], "192.0.2.1", client=None) == ""


def test_a_list_without_end_is_not_read_to_its_end() -> None:
    assert seen(10_000, ", ".join(f"192.0.2.{number % 200}" for number in range(10_000))) == (
        f"192.0.2.{(10_000 - MAX_HOPS) % 200}"
    )


def test_the_scope_itself_is_not_changed() -> None:
    scope = {"headers": [(b"x-forwarded-for", b"192.0.2.1")], "client": ("10.0.0.9", 5)}
    assert look_through(scope, 1)["client"] == ("192.0.2.1", 0)
    assert scope["client"] == ("10.0.0.9", 5)
    assert look_through(scope, 0) is scope
