"""Socket.IO packets as Engine.IO frames."""

from __future__ import annotations

from ..engineio import Frame, PacketType
from ..packets import EncodedPacket

_MESSAGE = PacketType.MESSAGE


def make_frames(packet: EncodedPacket, compress: bool = True) -> tuple[Frame, ...]:
    """Return a packet and its attachments as frames: one Engine.IO MESSAGE packet each."""
    head = Frame(_MESSAGE + packet.text, compress)
    if not packet.attachments:
        return (head,)
    return (head, *(Frame(data, compress) for data in packet.attachments))
