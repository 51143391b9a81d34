"""What the data of each type of packet must be, in whatever way it was encoded.

https://socket.io/docs/v4/socket-io-protocol/#packet-types. Each check raises :class:`PacketError`.
"""

from __future__ import annotations

from collections.abc import Callable

from .packet import RESERVED_EVENTS, Limits, Packet, PacketError, PacketLimitExceeded, PacketType

MAX_ID = 2**53 - 1
# Characters of MAX_AUTH_SIZE that a value takes at least, since it is kept decoded.
AUTH_VALUE = 16


def check_event(packet: Packet, limits: Limits) -> None:
    """Check an event. Turns a number as its name into text, as JavaScript does."""
    data = packet.data
    if type(data) is not list or not data:
        raise PacketError("EVENT takes an array that begins with the event's name")
    if packet.id is not None and packet.id > MAX_ID:
        raise PacketError("acknowledgement id out of range")
    name = data[0]
    if type(name) is not str:
        # bool is an int to Python, but not to the protocol.
        if type(name) not in (int, float):
            raise PacketError("EVENT takes an array that begins with the event's name")
        name = data[0] = str(int(name) if name == int(name) else name)
    if name in RESERVED_EVENTS:
        raise PacketError("reserved event name")
    if len(name) > limits.max_event_name_length:
        raise PacketLimitExceeded("event name too long")


def check_connect(packet: Packet) -> None:
    """Check what a client sends to enter a namespace."""
    if not (packet.data is None or type(packet.data) is dict):
        raise PacketError("CONNECT takes an object")


def check_disconnect(packet: Packet) -> None:
    """Check that nothing comes with it."""
    if packet.data is not None:
        raise PacketError("DISCONNECT takes no data")


def check_ack(packet: Packet) -> None:
    """Check an acknowledgement; one without data has no arguments."""
    if packet.data is None:
        packet.data = []
    if type(packet.data) is not list:
        raise PacketError("ACK takes an array")


def check_connect_error(packet: Packet) -> None:
    """Check why a namespace was refused."""
    if type(packet.data) not in (str, dict):
        raise PacketError("CONNECT_ERROR takes a string or an object")


CHECKS: dict[str, Callable[[Packet], None]] = {
    PacketType.CONNECT: check_connect,
    PacketType.DISCONNECT: check_disconnect,
    PacketType.ACK: check_ack,
    PacketType.CONNECT_ERROR: check_connect_error,
    PacketType.BINARY_ACK: check_ack,
}
