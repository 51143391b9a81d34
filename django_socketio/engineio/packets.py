"""Engine.IO packets and the payloads that HTTP long-polling puts them in.

Implements "Packet encoding" of the Engine.IO protocol, revision 4: a text packet is one digit, its
type, and the data; a binary message is sent as it is over a WebSocket, and as ``b`` and base64
inside a payload, where packets are separated by U+001E.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from typing import Any

from .errors import EngineIOError

SEPARATOR = "\x1e"


class PacketType:
    """The first character of a text packet."""

    OPEN = "0"
    CLOSE = "1"
    PING = "2"
    PONG = "3"
    MESSAGE = "4"
    UPGRADE = "5"
    NOOP = "6"


PACKET_TYPES = frozenset("0123456")


class Frame:
    """One packet as it leaves: encoded once, written to any number of sessions.

    ``data`` is the packet's text with its type, or the bytes of a binary message; ``size`` its
    length (characters of text, bytes of binary), ``compress`` whether an HTTP answer that holds it
    may be compressed. ``wire`` is for the transport, which keeps there what it hands to its server.
    """

    __slots__ = ("_base64", "compress", "data", "size", "wire")

    def __init__(self, data: str | bytes, compress: bool = True) -> None:
        self.data = data
        self.size = len(data)
        self.compress = compress
        self.wire: Any = None
        self._base64: str | None = None

    def __repr__(self) -> str:
        return f"<Frame {self.data[:40]!r}>"

    @property
    def text(self) -> str:
        """The packet as it stands in a payload."""
        data = self.data
        if isinstance(data, str):
            return data
        if self._base64 is None:
            self._base64 = "b" + b64encode(data).decode("ascii")
        return self._base64


def encode_payload(frames: Iterable[Frame]) -> str:
    """The body of an HTTP answer that holds ``frames``, in their order."""
    return SEPARATOR.join([frame.text for frame in frames])


def split_payload(payload: str, max_packets: int) -> list[str]:
    """The text packets of an HTTP request's body, not yet looked at. Linear in its size.

    Raises :class:`EngineIOError` for more than ``max_packets`` packets.
    """
    packets = payload.split(SEPARATOR, max_packets)
    if len(packets) > max_packets:
        raise EngineIOError("too many packets in a payload")
    return packets


def decode_payload(payload: str, max_packets: int) -> list[str | bytes]:
    """The packets of a payload: text packets as they are, binary messages as bytes.

    Raises :class:`EngineIOError` for more than ``max_packets`` packets, an empty or unknown packet
    and for base64 that is none.
    """
    return [decode_packet(packet) for packet in split_payload(payload, max_packets)]


def decode_packet(packet: str) -> str | bytes:
    """One text packet, checked: the text itself, or the bytes that its base64 stands for.

    Raises :class:`EngineIOError`.
    """
    kind = packet[:1]
    if kind == "b":
        try:
            # The official Java client breaks its base64 into lines.
            return b64decode(packet[1:].replace("\n", ""), validate=True)
        except (Base64Error, ValueError):
            raise EngineIOError("invalid base64") from None
    if kind not in PACKET_TYPES:
        raise EngineIOError("unknown packet type")
    return packet
