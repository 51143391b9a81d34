"""Engine.IO, revision 4 of the protocol, without I/O.

Nothing here knows of Django, Channels or asyncio: bytes, text and the time come in as arguments,
payloads and packets go out as return values.
"""

from .errors import EngineIOError, ErrorCode, HandshakeRefused
from .packets import Frame, PacketType, decode_payload, encode_payload
from .reasons import Reason
from .session import Probe, Session, SessionOptions

__all__ = [
    "EngineIOError",
    "ErrorCode",
    "Frame",
    "HandshakeRefused",
    "PacketType",
    "Probe",
    "Reason",
    "Session",
    "SessionOptions",
    "decode_payload",
    "encode_payload",
]
