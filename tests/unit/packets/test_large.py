"""Packets that are not decoded before somebody needs what is in them."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from django_socketio.packets import (
    Decoder,
    JSONCodec,
    LargePacket,
    Packet,
    PacketError,
    PacketLimitExceeded,
    PacketType,
    weigh,
)

from .decoding import make_decoder

EVENT, ACK = PacketType.EVENT, PacketType.ACK
MOST = 100
FILLER = "x" * MOST


class Counting:
    """A codec that keeps what it was given to decode."""

    def __init__(self, codec: JSONCodec) -> None:
        self.texts: list[str] = []
        self._codec = codec
        self.dumps = codec.dumps

    def loads(self, text: str) -> Any:
        self.texts.append(text)
        return self._codec.loads(text)


@pytest.fixture
def counting(codec: JSONCodec) -> Counting:
    return Counting(codec)


@pytest.fixture
def decoder(counting: Counting) -> Decoder:
    return make_decoder(counting, max_eager_length=MOST)


def large(packet: Packet | None) -> LargePacket:
    assert isinstance(packet, LargePacket)
    return packet


def test_only_the_name_is_decoded(counting: Counting, decoder: Decoder) -> None:
    packet = large(decoder.feed(f'27["e",["{FILLER}"]]'))
    assert packet == Packet(EVENT, "/", ["e"], 7)
    assert counting.texts == ['"e"']
    weight = packet.load()
    assert packet == Packet(EVENT, "/", ["e", [FILLER]], 7)
    assert weight > MOST
    assert packet.text == ""


def test_an_event_of_another_namespace(decoder: Decoder) -> None:
    packet = large(decoder.feed(f'2/a,["e","{FILLER}"]'))
    assert (packet.namespace, packet.data) == ("/a", ["e"])


def test_up_to_the_limit_all_is_decoded(decoder: Decoder) -> None:
    filler = "x" * (MOST - len('["e",""]'))
    packet = decoder.feed(f'2["e","{filler}"]')
    assert type(packet) is Packet
    assert packet.data == ["e", filler]
    large(decoder.feed(f'2["e","{filler}x"]'))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('"e"', "e"),
        ('""', ""),
        (' \n\t "e" ', "e"),
        ('"\\u0065\\n\\"\\\\"', 'e\n"\\'),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\ud800"', "\ud800"),
        ('"é😀"', "é😀"),
        ("7", "7"),
        ("1.5", "1.5"),
        ("1e2", "100"),
    ],
)
def test_every_form_of_a_name(counting: Counting, decoder: Decoder, text: str, name: str) -> None:
    packet = large(decoder.feed(f'2[{text},"{FILLER}"]'))
    assert packet.data == [name]
    assert not any(FILLER in decoded for decoded in counting.texts)
    packet.load()
    assert packet.data == [name, FILLER]


def test_a_name_that_is_not_clear_at_once(decoder: Decoder) -> None:
    packet = decoder.feed("2[" + " " * 10_000 + f'"e","{FILLER}"]')
    assert packet == Packet(EVENT, "/", ["e", FILLER])


@pytest.mark.parametrize(
    "text",
    [
        f'2["connect","{FILLER}"]',
        f'2["\\u0063onnect","{FILLER}"]',
        f'2[{{}},"{FILLER}"]',
        f'2[true,"{FILLER}"]',
        f'2[01,"{FILLER}"]',
        f'2[["a"],"{FILLER}"]',
        f'2["a" "{FILLER}"]',
        f'2["a\n","{FILLER}"]',
        f'299999999999999999["a","{FILLER}"]',
        f'2{{"a":"{FILLER}"}}',
        f'31{{"a":"{FILLER}"}}',
        f'31"{FILLER}"',
        f'51-["a","{FILLER}"]',
        f'51-["a","{FILLER}',
    ],
)
def test_what_is_seen_without_decoding_is_refused_at_once(decoder: Decoder, text: str) -> None:
    with pytest.raises(PacketError):
        decoder.feed(text)


@pytest.mark.parametrize("name", ["x" * 257, "\\u00e9" * 257, "1" * 257])
def test_a_name_that_is_too_long(decoder: Decoder, name: str) -> None:
    text = name if name.isdigit() else f'"{name}"'
    with pytest.raises(PacketLimitExceeded, match="event name too long"):
        decoder.feed(f'2[{text},"{FILLER}"]')


@pytest.mark.parametrize("rest", ["", "]]", "}", ',"a"', ",NaN]", ",1e999]", ",]"])
def test_bad_json_is_refused_when_it_is_decoded(decoder: Decoder, rest: str) -> None:
    packet = large(decoder.feed(f'2["e","{FILLER}"{rest}'))
    with pytest.raises(PacketError, match="invalid JSON"):
        packet.load()


def test_limits_hold_before_anything_is_decoded(counting: Counting) -> None:
    decoder = make_decoder(counting, max_eager_length=MOST, max_json_values=50, max_nesting_depth=5)
    with pytest.raises(PacketLimitExceeded, match="too many JSON values"):
        decoder.feed('2["e"' + ",{}" * 50 + "]")
    with pytest.raises(PacketLimitExceeded, match="nested too deeply"):
        decoder.feed(f'2["e",[[[[[]]]]],"{FILLER}"]')
    assert counting.texts == []


def test_an_acknowledgement(counting: Counting, decoder: Decoder) -> None:
    packet = large(decoder.feed(f'3/a,7["{FILLER}"]'))
    assert packet == Packet(ACK, "/a", [], 7)
    assert counting.texts == []
    packet.load()
    assert packet.data == [FILLER]


def test_attachments_are_put_in_when_it_is_decoded(decoder: Decoder) -> None:
    text = '52-["e",{"_placeholder":true,"num":1},[{"_placeholder":true,"num":0}],"' + FILLER + '"]'
    assert decoder.feed(text) is None
    assert decoder.held > len(text)
    assert decoder.feed(b"zero") is None
    packet = large(decoder.feed(b"one"))
    assert packet.data == ["e"]
    assert weigh(packet) > len(text)
    packet.load()
    assert packet.data == ["e", b"one", [b"zero"], FILLER]
    assert packet.size == len(text) + len(b"zeroone")
    assert decoder.held == 0


def test_attachments_of_an_acknowledgement(decoder: Decoder) -> None:
    assert decoder.feed(f'61-5["{FILLER}",{{"_placeholder":true,"num":0}}]') is None
    packet = large(decoder.feed(b"x"))
    packet.load()
    assert packet == Packet(ACK, "/", [FILLER, b"x"], 5)


def test_the_garbage_collector_does_not_run_meanwhile(codec: JSONCodec) -> None:
    """It would go through what is made, again and again, and find nothing."""
    decoder = make_decoder(codec, max_eager_length=MOST)
    packet = large(decoder.feed('2["e"' + ("," + "[" * 90 + "]" * 90) * 500 + "]"))
    runs: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        runs.append(phase)

    gc.callbacks.append(note)
    try:
        packet.load()
    finally:
        gc.callbacks.remove(note)
    assert len(packet.data) == 501
    assert len(runs) <= 2  # once, when it may run again
    assert gc.isenabled()
    gc.disable()
    try:
        large(decoder.feed(f'2["e","{FILLER}"]')).load()
        assert not gc.isenabled()
    finally:
        gc.enable()
