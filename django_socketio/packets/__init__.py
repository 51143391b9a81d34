"""Socket.IO packets, revision 5 of the protocol, without I/O, Django, Channels or asyncio.

A decoder turns text and bytes into packets, an encoder does the reverse. The protocol:
https://socket.io/docs/v4/socket-io-protocol/
"""

from .codec import JSONCodec, OrjsonCodec, StandardCodec, default_codec
from .decoder import Decoder, decode
from .decoder4 import Decoder4, QueryDecoder
from .encoder import Encoder
from .large import LargePacket, weigh
from .msgpack_parser import MsgpackParser, unpack_msgpack
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
from .parsers import CheckedDecoder, PacketDecoder, Parser

__all__ = [
    "LARGE",
    "RESERVED_EVENTS",
    "AuthTooLarge",
    "CheckedDecoder",
    "Decoder",
    "Decoder4",
    "EncodedPacket",
    "Encoder",
    "JSONCodec",
    "LargePacket",
    "Limits",
    "MsgpackParser",
    "OrjsonCodec",
    "Packet",
    "PacketDecoder",
    "PacketError",
    "PacketLimitExceeded",
    "PacketType",
    "Parser",
    "QueryDecoder",
    "StandardCodec",
    "decode",
    "default_codec",
    "unpack_msgpack",
    "weigh",
]
