"""What a client brought along, read from an ASGI scope."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pprint import pformat
from typing import Any

import pytest

from django_socketio.addressing.handshake import read_handshake, read_headers

NOW = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)


def scope(**changes: Any) -> dict[str, Any]:
    return {
        "type": "websocket",
        "scheme": "ws",
        "query_string": b"EIO=4&transport=websocket&token=a%20b&empty=",
        "headers": [(b"host", b"example.com"), (b"x-custom", b"1")],
        "client": ("192.0.2.1", 12345),
        **changes,
    }


def test_everything_that_a_handshake_has() -> None:
    handshake = read_handshake(scope(), {"token": 1}, NOW)
    assert handshake.headers == {"host": "example.com", "x-custom": "1"}
    assert handshake.query == {"EIO": "4", "transport": "websocket", "token": "a b", "empty": ""}
    assert handshake.address == "192.0.2.1"
    assert handshake.time is NOW
    assert not handshake.secure
    assert handshake.auth == {"token": 1}


def test_it_can_be_read_as_a_mapping() -> None:
    handshake = read_handshake(scope(), None, NOW)
    assert handshake["headers"] is handshake.headers
    assert handshake["auth"] is None
    values = {
        "headers": handshake.headers,
        "query": handshake.query,
        "address": "192.0.2.1",
        "time": NOW,
        "secure": False,
        "auth": None,
    }
    assert handshake.as_dict() == dict(handshake) == values
    assert list(handshake) == list(values)
    assert len(handshake) == len(values)
    assert "headers" in handshake
    assert handshake.get("nonsense") is None


@pytest.mark.parametrize("key", ["nonsense", "as_dict", "get", "__class__", "", None, 5])
def test_only_fields_are_keys(key: Any) -> None:
    handshake = read_handshake(scope(), None, NOW)
    assert key not in handshake
    with pytest.raises(KeyError):
        handshake[key]


def test_it_is_read_only() -> None:
    handshake: Any = read_handshake(scope(), None, NOW)
    with pytest.raises(AttributeError):
        handshake.auth = 1
    with pytest.raises(TypeError):
        handshake["auth"] = 1


@pytest.mark.parametrize("show", [repr, str, pformat, "{!r}".format])
def test_no_secret_is_shown(show: Callable[[Any], str]) -> None:
    headers = [(b"cookie", b"sessionid=secret"), (b"authorization", b"Bearer secret")]
    raw = scope(headers=headers, query_string=b"token=secret", client=("192.0.2.1\n", 1))
    shown = show(read_handshake(raw, {"password": "secret"}, NOW))
    assert "secret" not in shown
    assert "192.0.2.1" in shown
    assert "\n" not in shown


@pytest.mark.parametrize(
    ("scheme", "secure"), [("ws", False), ("http", False), ("wss", True), ("https", True)]
)
def test_whether_it_came_over_tls(scheme: str, secure: bool) -> None:
    assert read_handshake(scope(scheme=scheme), None, NOW).secure is secure


@pytest.mark.parametrize("client", [None, ()])
def test_a_server_that_does_not_know_the_address(client: Any) -> None:
    assert read_handshake(scope(client=client), None, NOW).address == ""
    assert read_handshake({"headers": []}, None, NOW).address == ""


def test_an_ipv6_address() -> None:
    assert read_handshake(scope(client=("::1", 5)), None, NOW).address == "::1"


def test_names_are_lower_case_and_repeated_headers_are_joined() -> None:
    headers = [
        (b"X-One", b"a"),
        (b"x-one", b"b"),
        (b"cookie", b"a=1"),
        (b"Cookie", b"b=2"),
        (b"x-latin", "é".encode("latin-1")),
    ]
    assert read_headers({"headers": headers}) == {
        "x-one": "a, b",
        "cookie": "a=1; b=2",
        "x-latin": "é",
    }


@pytest.mark.parametrize(
    ("raw", "query"),
    [
        (b"", {}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a=%ff%C3%A9", {"a": "\ufffdé"}),
        (b"\xff=1", {"\ufffd": "1"}),
        (b"a", {"a": ""}),
        (b"a=b=c&&", {"a": "b=c"}),
        (b"__proto__=1", {"__proto__": "1"}),
    ],
)
def test_any_query_can_be_read(raw: bytes, query: dict[str, str]) -> None:
    assert read_handshake(scope(query_string=raw), None, NOW).query == query
