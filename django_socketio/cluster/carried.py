"""Socket.IO packets inside operations."""

from __future__ import annotations

from typing import Any

from ..packets import EncodedPacket, JSONCodec, PacketError, decode


def decode_data(codec: JSONCodec, text: str, attachments: list[Any]) -> list[Any]:
    """Return the data of an encoded packet. Raises ValueError for anything else."""
    if not all(isinstance(data, bytes) for data in attachments):
        raise ValueError("attachments are bytes")
    try:
        packet = decode(codec, EncodedPacket(text, tuple(attachments)))
    except PacketError as error:
        raise ValueError(str(error)) from None
    if not isinstance(packet.data, list):
        raise ValueError("not an event, nor an acknowledgement")
    return packet.data


def encoded_event(namespace: str, text: str, attachments: list[Any], id: str = "") -> EncodedPacket:
    """Return an event of a namespace that has come over the layer, encoded, with an ``id`` or none.

    Raises ValueError for anything else. That the text goes on with JSON is not checked: only
    processes of this site can have signed it.
    """
    kind = f"5{len(attachments)}-" if attachments else "2"
    head = kind if namespace == "/" else f"{kind}{namespace},"
    if not (
        text.startswith(f"{head}{id}[") and all(isinstance(data, bytes) for data in attachments)
    ):
        raise ValueError("not an event of this namespace")
    return EncodedPacket(text, tuple(attachments), len(head) if id else 0)


def size_of(packet: EncodedPacket) -> int:
    """Return about how many bytes a packet takes."""
    return len(packet.text) + sum(map(len, packet.attachments))
