"""Engine.IO, revisions 4 and 3 of the protocol, without I/O, Django, Channels or asyncio.

Bytes, text and the time come in as arguments; packets and payloads go out as return values. The
protocol: https://socket.io/docs/v4/engine-io-protocol/
"""

from .errors import EngineIOError, ErrorCode, HandshakeRefused
from .options import Probe, SessionOptions
from .packets import Frame, PacketType, decode_payload, encode_payload
from .reasons import Reason
from .revision3 import revise
from .session import Session
from .session3 import Session3
from .states import SessionState

__all__ = [
    "EngineIOError",
    "ErrorCode",
    "Frame",
    "HandshakeRefused",
    "PacketType",
    "Probe",
    "Reason",
    "Session",
    "Session3",
    "SessionOptions",
    "SessionState",
    "decode_payload",
    "encode_payload",
    "revise",
]
