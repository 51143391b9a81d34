"""The parser of npm's socket.io-msgpack-parser: a packet is one binary message of MessagePack.

The message is a map of ``type``, ``data``, ``nsp`` and ``id``; binary data stands in it where it
belongs. https://github.com/socketio/socket.io-msgpack-parser
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from .codec import uncollected
from .msgpack_limits import check_msgpack
from .packet import LARGE, Limits, Packet, PacketError, PacketType

try:
    import msgpack
except ImportError:  # the extra "msgpack" is not installed
    msgpack = None

_TYPES = tuple("01234")
# Bytes of a packer's memory that are kept from one packet to the next.
_LARGEST_BUFFER = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UNDEFINED = b"\0"
# JavaScript's text may have half surrogate pairs.
_HALF_PAIRS = "surrogatepass"
# Of its timestamps msgpack makes aware datetimes.
_DATETIME = 3


class MsgpackParser:
    """See the module's docstring. Implements :class:`.parsers.Parser`.

    Values that JavaScript's ``undefined`` stands for are None, its dates aware datetimes in UTC.
    """

    def __init__(self, limits: Limits) -> None:
        if msgpack is None:
            raise ImportError("msgpack is not installed: pip install channels-socketio[msgpack]")
        self._limits = limits
        self._make_packer()

    def _make_packer(self) -> None:
        self._pack = msgpack.Packer(unicode_errors=_HALF_PAIRS).pack

    def encode(self, packet: Packet) -> list[str | bytes]:
        value = {"type": int(packet.type), "data": packet.data, "nsp": packet.namespace}
        if packet.data is None:
            del value["data"]
        if packet.id is not None:
            value["id"] = packet.id
        message: bytes = self._pack(value)
        if len(message) > _LARGEST_BUFFER:
            self._make_packer()  # the old one would keep as much memory
        return [message]

    def decoder(self) -> MsgpackParser:
        """Return this parser: a packet is one message, so that a connection keeps nothing."""
        return self

    def feed(self, data: str | bytes) -> Packet | None:
        """Return the packet of a message. Raises :class:`PacketError` for any other."""
        if isinstance(data, str):
            raise PacketError("text, where all packets are MessagePack")
        check_msgpack(data, self._limits)
        if len(data) > LARGE:
            with uncollected():
                value = _unpack(data)
        else:
            value = _unpack(data)
        if type(value) is not dict or "type" not in value or "nsp" not in value:
            raise PacketError("a packet is a map of type, nsp and data")
        kind, payload = value["type"], value.get("data")
        if type(kind) is not int or not 0 <= kind < len(_TYPES):
            raise PacketError("unknown packet type")
        packet = Packet(_TYPES[kind], value["nsp"], payload, value.get("id"))
        if payload is None and packet.type == PacketType.ACK:
            raise PacketError("ACK takes an array")
        return packet


def unpack_msgpack(data: bytes, limits: Limits) -> Any:
    """Return a value in MessagePack, such as npm's notepack.io makes it.

    Raises :class:`PacketError` for anything else, and for what exceeds the limits of a packet.
    """
    check_msgpack(data, limits)
    try:
        return _unpack(data)
    except (ValueError, OverflowError) as error:
        raise PacketError("invalid MessagePack") from error


def _unpack(data: bytes) -> Any:
    return msgpack.unpackb(
        data, ext_hook=_extension, timestamp=_DATETIME, unicode_errors=_HALF_PAIRS
    )


def _extension(kind: int, data: bytes) -> Any:
    if kind == 0 and data == _UNDEFINED:
        return None
    if kind == 0 and len(data) == 8:
        return _EPOCH + timedelta(milliseconds=int.from_bytes(data, "big", signed=True))
    raise PacketError("unknown MessagePack extension")
