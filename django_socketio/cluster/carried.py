"""Socket.IO packets inside operations."""

from __future__ import annotations

from typing import Any

from ..packets import Decoder, EncodedPacket, JSONCodec, Limits, PacketError

# Other processes of this server are trusted: the limits for clients do not hold for them.
_UNLIMITED = Limits(10**9, 10**12, 10**6, 10**9, 10**9, 10**12, 10**12)


def decode_data(codec: JSONCodec, text: str, attachments: list[Any]) -> list[Any]:
    """Return the data of an encoded packet. Raises ValueError for anything else."""
    decoder = Decoder(codec, _UNLIMITED)
    try:
        packet = decoder.feed(text)
        for attachment in attachments:
            packet = decoder.feed(bytes(attachment))
    except PacketError as error:
        raise ValueError(str(error)) from None
    if packet is None:
        raise ValueError("attachments are missing")
    data: list[Any] = packet.data
    return data


def encoded_event(text: str, attachments: list[Any], head: int = 0) -> EncodedPacket:
    """Return an encoded event that has come over the layer. Raises ValueError for anything else."""
    if text[:1] not in ("2", "5") or not all(isinstance(data, bytes) for data in attachments):
        raise ValueError("not an encoded event")
    return EncodedPacket(text, tuple(attachments), head)


def size_of(packet: EncodedPacket) -> int:
    """Return about how many bytes a packet takes."""
    return len(packet.text) + sum(map(len, packet.attachments))
