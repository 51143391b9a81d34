"""The reasons for which sessions and sockets end, as Socket.IO's documentation lists them.

https://socket.io/docs/v4/server-socket-instance/#disconnect
"""

from __future__ import annotations

from ..enums import StrEnum


class Reason(StrEnum):
    """Why a session ended or a socket left its namespace. Projects get the member's value."""

    CLIENT_DISCONNECT = "client namespace disconnect"
    SERVER_DISCONNECT = "server namespace disconnect"
    SERVER_CLOSE = "forced server close"
    SHUTTING_DOWN = "server shutting down"
    PING_TIMEOUT = "ping timeout"
    TRANSPORT_CLOSE = "transport close"
    TRANSPORT_ERROR = "transport error"
    PARSE_ERROR = "parse error"
    FORCED_CLOSE = "forced close"
