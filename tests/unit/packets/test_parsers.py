"""What a parser of a project's own returns is checked."""

from __future__ import annotations

import math
from typing import Any

import pytest

from django_socketio.packets import (
    AuthTooLarge,
    CheckedDecoder,
    Limits,
    Packet,
    PacketError,
    PacketLimitExceeded,
)


class Returning:
    """A decoder that returns, or raises, what it is told."""

    def __init__(self, *results: Any) -> None:
        self.results = list(results)

    def feed(self, data: str | bytes) -> Packet | None:
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


def feed(*results: Any, data: str | bytes = "x", **limits: Any) -> Packet | None:
    decoder = CheckedDecoder(Returning(*results), Limits(**limits))
    packet = None
    for _ in results:
        packet = decoder.feed(data)
    return packet


def event(*data: Any, id: Any = None, namespace: Any = "/", type: Any = "2") -> Packet:
    return Packet(type, namespace, list(data), id)


def test_an_event() -> None:
    packet = feed(None, event("e", b"x", id=0, namespace="/a"), data=b"12345")
    assert packet == event("e", b"x", id=0, namespace="/a")
    assert packet is not None
    assert packet.size == 10


@pytest.mark.parametrize(("given", "wanted"), [("5", "2"), ("6", "3")])
def test_binary_types(given: str, wanted: str) -> None:
    packet = feed(event("e", id=1, type=given))
    assert packet is not None
    assert packet.type == wanted


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), RecursionError(), TypeError()])
def test_errors_are_the_client_s(error: Exception) -> None:
    with pytest.raises(PacketError, match=f"the parser raised {type(error).__name__}") as caught:
        feed(error)
    assert caught.value.__cause__ is error


def test_packet_errors_stay() -> None:
    error = PacketError("so it is")
    with pytest.raises(PacketError) as caught:
        feed(error)
    assert caught.value is error


@pytest.mark.parametrize(
    "packet",
    [
        event("e", type=2),
        event("e", type="7"),
        event("e", type=""),
        event("e", namespace="a"),
        event("e", namespace=None),
        event("e", id=-1),
        event("e", id=2**53),
        event("e", id="1"),
        event(),
        event(None),
        event("disconnect"),
        event("e", math.nan),
        event("e", {"a": [math.inf]}),
        event("e", {1: 2}),
        event("e", type="0"),
        event("e", type="1"),
        Packet("4", "/", None),
        Packet("3", "/", "x"),
    ],
)
def test_what_is_refused(packet: Packet) -> None:
    with pytest.raises(PacketError):
        feed(packet)


@pytest.mark.parametrize(
    ("packet", "limits", "text"),
    [
        (event("e", 0, 0, 0), {"max_json_values": 6}, "too many JSON values"),
        (event("e", []), {"max_json_values": 6}, "too many JSON values"),
        (event("e", {"a": 1}), {"max_json_values": 6}, "too many JSON values"),
        (event("e", [[0]]), {"max_nesting_depth": 3}, "nested too deeply"),
        (event("e", {"a": {"b": 0}}), {"max_nesting_depth": 3}, "nested too deeply"),
        (event("e", b"1", [b"2"]), {"max_attachments": 2}, "too many attachments"),
        (event("e", b"1", [b"23"]), {"max_attachments_size": 3}, "attachments too large"),
        (event("12345"), {"max_event_name_length": 5}, "event name too long"),
        (event("e", namespace="/1234"), {"max_namespace_length": 5}, "namespace too long"),
    ],
)
def test_limits(packet: Packet, limits: dict[str, Any], text: str) -> None:
    assert feed(packet, **limits) is packet
    with pytest.raises(PacketLimitExceeded, match=text):
        feed(packet, **{key: value - 1 for key, value in limits.items()})


def test_a_list_in_itself() -> None:
    ring: list[Any] = []
    ring += [ring, ring]
    with pytest.raises(PacketLimitExceeded):
        feed(event("e", ring))


def test_auth() -> None:
    packet = Packet("0", "/", {"a": 1})
    assert feed(packet, data="x" * 48, max_auth_size=48) is packet
    with pytest.raises(AuthTooLarge):
        feed(packet, data="x" * 49, max_auth_size=48)
    with pytest.raises(AuthTooLarge):
        feed(Packet("0", "/", {"a": 1, "b": 2}), max_auth_size=48)


def test_a_packet_that_is_not_complete() -> None:
    assert feed(None, None, event("e"), max_attachments=2) == event("e")
    with pytest.raises(PacketLimitExceeded, match="too many attachments"):
        feed(None, None, None, max_attachments=2)
    assert feed(None, data=b"12345", max_attachments_size=5) is None
    with pytest.raises(PacketLimitExceeded, match="attachments too large"):
        feed(None, data=b"123456", max_attachments_size=5)
    decoder = CheckedDecoder(Returning(None, event("e"), None), Limits())
    decoder.feed("12")
    assert decoder.held == 2
    decoder.feed("345")
    assert decoder.held == 0


def test_nothing_is_held_after_reset() -> None:
    decoder = CheckedDecoder(Returning(None, event("e")), Limits())
    decoder.feed("12")
    decoder.reset()
    assert decoder.held == 0
    with pytest.raises(PacketError):
        decoder.feed("345")
