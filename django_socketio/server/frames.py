"""Socket.IO packets as Engine.IO frames."""

from __future__ import annotations

from ..engineio import Frame, PacketType
from ..packets import EncodedPacket


def make_frames(packet: EncodedPacket, compress: bool = True) -> tuple[Frame, ...]:
    """A packet and its attachments as they leave, in Engine.IO MESSAGE packets."""
    head = Frame(PacketType.MESSAGE + packet.text, compress)
    if not packet.attachments:
        return (head,)
    return (head, *(Frame(data, compress) for data in packet.attachments))
