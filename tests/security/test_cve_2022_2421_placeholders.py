"""A placeholder's number is checked, and placeholders in text packets are plain data."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django_socketio.packets import (
    Decoder,
    JSONCodec,
    Limits,
    OrjsonCodec,
    PacketError,
    StandardCodec,
)
from tests.harness.servers import Server
from tests.harness.wire import Peer, open_peer


def placeholder(number: Any) -> dict[str, Any]:
    return {"_placeholder": True, "num": number}


ILLEGAL: dict[str, Any] = {
    "negative": [placeholder(-1)],
    "float": [placeholder(0.0)],
    "fraction": [placeholder(0.5)],
    "true": [placeholder(True)],
    "false": [placeholder(False)],
    "string": [placeholder("0")],
    "null": [placeholder(None)],
    "list": [placeholder([0])],
    "object": [placeholder({})],
    "method": [placeholder("splice")],
    "too large": [placeholder(1)],
    "much too large": [placeholder(10**30)],
    "missing": [{"_placeholder": True}],
    "duplicate": [placeholder(0), placeholder(0)],
    "one too many": [placeholder(0), placeholder(1)],
    "none": ["text"],
    "not quite": [{"_placeholder": 1, "num": 0}],
    "deep": [[{"a": [placeholder(1)]}]],
    "hidden in another": [{"_placeholder": True, "num": {"_placeholder": True, "num": 0}}],
}


@pytest.mark.parametrize("codec", [StandardCodec, OrjsonCodec])
@pytest.mark.parametrize("case", ILLEGAL)
def test_cve_2022_2421_placeholders_are_checked(codec: type[JSONCodec], case: str) -> None:
    for packet in (
        "51-" + json.dumps(["event", *ILLEGAL[case]]),
        "61-0" + json.dumps(ILLEGAL[case]),
    ):
        with pytest.raises(PacketError):
            Decoder(codec(), Limits()).feed(packet)


def test_cve_2022_2421_placeholders_two_with_a_gap() -> None:
    for numbers in ([0, 0], [1, 1], [0, 2], [0]):
        text = "52-" + json.dumps(["event", *map(placeholder, numbers)])
        with pytest.raises(PacketError):
            Decoder(StandardCodec(), Limits()).feed(text)


def test_cve_2022_2421_placeholders_in_any_order() -> None:
    decoder = Decoder(StandardCodec(), Limits())
    text = "53-" + json.dumps(["event", placeholder(2), {"a": [placeholder(0)]}, placeholder(1)])
    assert decoder.feed(text) is None
    assert decoder.feed(b"zero") is None
    assert decoder.feed(b"one") is None
    packet = decoder.feed(b"two")
    assert packet is not None
    assert packet.data == ["event", b"two", {"a": [b"zero"]}, b"one"]


def test_cve_2022_2421_placeholders_close_the_session(server: Server, bystander: Peer) -> None:
    for arguments in ILLEGAL.values():
        peer = open_peer(server)
        peer.send("451-" + json.dumps(["note_it", *arguments]), b"data")
        assert peer.frames_until_closed() == []
        assert server.reason(peer.sid) == "parse error"
        assert server.log(peer.sid) == [["connect"], ["disconnect", "parse error"]]


def test_cve_2022_2421_placeholders_in_text_are_data(server: Server, bystander: Peer) -> None:
    arguments = [{"_placeholder": True}, placeholder(0), placeholder(-1), [placeholder("x")]]
    with open_peer(server) as peer:
        assert peer.call("echo", *arguments) == arguments
        assert peer.echoes()
