"""Socket.IO packets as Engine.IO frames."""

from __future__ import annotations

from typing import Protocol

from ..conf import Settings
from ..engineio import Frame, PacketType
from ..packets import EncodedPacket, JSONCodec, Parser, decode

_MESSAGE = PacketType.MESSAGE

Frames = tuple[Frame, ...]


class MakeFrames(Protocol):
    """Turns an encoded packet into frames; ``compress`` says whether they may be compressed."""

    def __call__(self, packet: EncodedPacket, compress: bool = True) -> Frames: ...


def make_frames(packet: EncodedPacket, compress: bool = True) -> Frames:
    """Return a packet and its attachments as frames: one Engine.IO MESSAGE packet each."""
    head = Frame(_MESSAGE + packet.text, compress)
    if not packet.attachments:
        return (head,)
    return (head, *(Frame(data, compress) for data in packet.attachments))


def frame_maker(settings: Settings) -> MakeFrames:
    """Return :func:`make_frames`, or what does the same for another parser than the default."""
    parser = settings.own_parser
    return make_frames if parser is None else _Reencoding(settings.codec, parser).make_frames


class _Reencoding:
    """Makes the frames of another parser.

    All that is sent, and what comes from other processes, is in the default encoding; a broadcast
    is encoded anew once in each process.
    """

    def __init__(self, codec: JSONCodec, parser: Parser) -> None:
        self._codec = codec
        self._encode = parser.encode

    def make_frames(self, packet: EncodedPacket, compress: bool = True) -> Frames:
        return tuple(
            Frame(_MESSAGE + data if isinstance(data, str) else data, compress)
            for data in self._encode(decode(self._codec, packet))
        )
