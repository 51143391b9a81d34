"""CONNECT as clients 2.x send it: the namespace with a query, and no data."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given

from django_socketio.packets import (
    AuthTooLarge,
    Decoder4,
    Limits,
    Packet,
    PacketError,
    PacketLimitExceeded,
    QueryDecoder,
    StandardCodec,
)
from tests.unit.strategies import any_texts


def feed(text: str, **limits: int) -> Packet | None:
    return Decoder4(StandardCodec(), Limits(**limits)).feed(text)


@pytest.mark.parametrize(
    ("text", "namespace", "data"),
    [
        ("0", "/", None),
        ("0/", "/", None),
        ("0/chat,", "/chat", None),
        ("0/chat", "/chat", None),
        ("0/chat?", "/chat", None),
        ("0/?a=1", "/", {"a": "1"}),
        ("0/chat?token=1&b=%C3%A9+%2C%20,", "/chat", {"token": "1", "b": "é , "}),
        ("0/chat?a&b=&a=2,", "/chat", {"a": "2", "b": ""}),
        ("0/chat?a=b?c=%ff,", "/chat", {"a": "b?c=\ufffd"}),
    ],
)
def test_connect(text: str, namespace: str, data: dict[str, str] | None) -> None:
    assert feed(text) == Packet("0", namespace, data)


@pytest.mark.parametrize("text", ["0chat,", "0?a=1", '0{"a":1}', '0/chat,{"a":1}', "0/chat,1"])
def test_bad_connects(text: str) -> None:
    with pytest.raises(PacketError):
        feed(text)


def test_limits() -> None:
    long = "/" + "n" * 9
    assert feed(f"0{long}?a={'x' * 500},", max_namespace_length=10) is not None
    with pytest.raises(PacketLimitExceeded, match="namespace too long"):
        feed(f"0{long}n,", max_namespace_length=10)
    for query in ("a=" + "x" * 63, "&" * 2, "a=1&b=2"):
        with pytest.raises(AuthTooLarge) as raised:
            feed(f"0/chat?{query},", max_auth_size=64 if "x" in query else 63)
        assert raised.value.namespace == "/chat"
    assert feed("0/chat?a=1&b=2,", max_auth_size=64) is not None


@given(any_texts)
def test_no_text_raises_anything_else(text: str) -> None:
    for packet in (text, "0" + text, "0/" + text):
        with suppress(PacketError):
            feed(packet)


def test_other_packets_are_those_of_revision_5() -> None:
    assert feed('2/chat,7["a",1]') == Packet("2", "/chat", ["a", 1], 7)
    assert feed('2["a"]') == Packet("2", "/", ["a"])
    assert feed("1/chat,") == Packet("1", "/chat")


def test_another_parser_has_its_query_read_too() -> None:
    class Parsed:
        def feed(self, data: str | bytes) -> Packet | None:
            return Packet("0", str(data)) if data else None

    decoder = QueryDecoder(Parsed(), Limits())
    assert decoder.feed("/chat?a=1") == Packet("0", "/chat", {"a": "1"})
    assert decoder.feed("") is None
