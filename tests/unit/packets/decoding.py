"""Packets through a decoder, for tests."""

from __future__ import annotations

from typing import Any

from django_socketio.packets import Decoder, EncodedPacket, JSONCodec, Limits, Packet, StandardCodec


def make_decoder(codec: JSONCodec | None = None, **limits: int) -> Decoder:
    return Decoder(codec or StandardCodec(), Limits(**limits))


def decode(packet: EncodedPacket, codec: JSONCodec | None = None) -> Packet:
    """What a decoder makes of an encoded packet and its attachments."""
    decoder = make_decoder(codec)
    decoded = decoder.feed(packet.text)
    for attachment in packet.attachments:
        assert decoded is None
        decoded = decoder.feed(attachment)
    assert decoded is not None
    assert decoder.pending is None
    return decoded


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types: 1 is neither True nor 1.0, 0.0 is not -0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return repr(one) == repr(other)
    return bool(one == other)
