"""Socket.IO packets, revision 5 of the protocol, without I/O.

Text and bytes in, packets out, and the other way round. Nothing here knows of Django, Channels or
asyncio.
"""

from .codec import JSONCodec, OrjsonCodec, StandardCodec, default_codec
from .decoder import Decoder
from .encoder import Encoder
from .packet import (
    RESERVED_EVENTS,
    EncodedPacket,
    Limits,
    Packet,
    PacketError,
    PacketLimitExceeded,
    PacketType,
)

__all__ = [
    "RESERVED_EVENTS",
    "Decoder",
    "EncodedPacket",
    "Encoder",
    "JSONCodec",
    "Limits",
    "OrjsonCodec",
    "Packet",
    "PacketError",
    "PacketLimitExceeded",
    "PacketType",
    "StandardCodec",
    "default_codec",
]
