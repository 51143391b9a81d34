"""Engine.IO packets, and the payloads that hold them in HTTP requests and answers.

Implements "Packet encoding" of the Engine.IO protocol, revision 4:
https://socket.io/docs/v4/engine-io-protocol/#packet-encoding. A text packet is one digit, its
type, and the data. A binary message goes over a WebSocket as it is, and into a payload as ``b``
and its base64. U+001E separates the packets of a payload.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from typing import Any

from .errors import EngineIOError

SEPARATOR = "\x1e"


class PacketType:
    """The first character of a text packet.

    https://socket.io/docs/v4/engine-io-protocol/#packet-encoding. These are plain strings rather
    than an enum, for they are compared with parts of text for each packet.
    """

    OPEN = "0"
    CLOSE = "1"
    PING = "2"
    PONG = "3"
    MESSAGE = "4"
    UPGRADE = "5"
    NOOP = "6"


PACKET_TYPES = frozenset("0123456")


class Frame:
    """An encoded packet that any number of sessions may send.

    ``data`` is the packet's text, which begins with its type, or the bytes of a binary message.
    ``size`` is its length, in characters of text or bytes. ``compress`` says whether an HTTP answer
    that holds it may be compressed. In ``wire`` the transport keeps the ASGI message that sends it,
    in ``packed`` what a server with the direct extension writes, so that one is made for all
    sessions. ``revised`` is the same for revision 3, see there; it is not set before it is needed.
    """

    __slots__ = ("_base64", "compress", "data", "packed", "revised", "size", "wire")

    revised: tuple[Frame, Frame | None]

    def __init__(self, data: str | bytes, compress: bool = True) -> None:
        self.data = data
        self.size = len(data)
        self.compress = compress
        self.wire: Any = None
        self.packed: Any = None
        self._base64: str | None = None

    def __repr__(self) -> str:
        return f"<Frame {self.data[:40]!r}>"

    @property
    def text(self) -> str:
        """The packet as text for a payload: binary messages in base64, encoded once."""
        data = self.data
        if isinstance(data, str):
            return data
        if self._base64 is None:
            self._base64 = "b" + b64encode(data).decode("ascii")
        return self._base64


PING = Frame(PacketType.PING)
NOOP = Frame(PacketType.NOOP)
CLOSE = Frame(PacketType.CLOSE)
# The answer to a WebSocket that probes.
PROBE_PONG = Frame(PacketType.PONG + "probe")


def encode_payload(frames: Iterable[Frame]) -> str:
    """Return the body of an HTTP answer that holds ``frames``, in their order."""
    return SEPARATOR.join([frame.text for frame in frames])


def split_payload(payload: str, max_packets: int) -> list[str]:
    """Split the body of an HTTP request into packets, without a look at them.

    Takes time in proportion to the body's size. Raises :class:`EngineIOError` for more than
    ``max_packets`` packets.
    """
    packets = payload.split(SEPARATOR, max_packets)
    if len(packets) > max_packets:
        raise EngineIOError("too many packets in a payload")
    return packets


def decode_payload(payload: str, max_packets: int) -> list[str | bytes]:
    """Return the packets of a payload: text packets as they are, binary messages as bytes.

    Raises :class:`EngineIOError` for more than ``max_packets`` packets, for an empty packet, one of
    an unknown type and one with invalid base64.
    """
    return [decode_packet(packet) for packet in split_payload(payload, max_packets)]


def decode_packet(packet: str) -> str | bytes:
    """Check a text packet. Returns the text itself, or the bytes that its base64 stands for.

    Raises :class:`EngineIOError` for an unknown type or invalid base64.
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
