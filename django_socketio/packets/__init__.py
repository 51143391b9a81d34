"""Socket.IO packets, revision 5 of the protocol, without I/O, Django, Channels or asyncio.

A decoder turns text and bytes into packets, an encoder does the reverse. The protocol:
https://socket.io/docs/v4/socket-io-protocol/
"""

from .codec import JSONCodec, OrjsonCodec, StandardCodec, default_codec
from .decoder import Decoder
from .encoder import Encoder
from .large import LargePacket, weigh
from .packet import (
    LARGE,
    RESERVED_EVENTS,
    AuthTooLarge,
    EncodedPacket,
    Limits,
    Packet,
    PacketError,
    PacketLimitExceeded,
    PacketType,
)

__all__ = [
    "LARGE",
    "RESERVED_EVENTS",
    "AuthTooLarge",
    "Decoder",
    "EncodedPacket",
    "Encoder",
    "JSONCodec",
    "LargePacket",
    "Limits",
    "OrjsonCodec",
    "Packet",
    "PacketError",
    "PacketLimitExceeded",
    "PacketType",
    "StandardCodec",
    "default_codec",
    "weigh",
]
