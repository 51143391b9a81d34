"""What can be wrong with a request or a packet, in the protocol's own words."""

from __future__ import annotations

from enum import IntEnum

from ..exceptions import RemoteProtocolError


class EngineIOError(RemoteProtocolError):
    """A packet or payload that the protocol does not allow."""


class ErrorCode(IntEnum):
    """The error codes a server answers a bad request with, as in the Node server."""

    UNKNOWN_TRANSPORT = 0
    UNKNOWN_SID = 1
    BAD_HANDSHAKE_METHOD = 2
    BAD_REQUEST = 3
    FORBIDDEN = 4
    UNSUPPORTED_PROTOCOL_VERSION = 5

    @property
    def message(self) -> str:
        """The text that clients know for this code."""
        return _MESSAGES[self]

    @property
    def status(self) -> int:
        """The HTTP status that goes with this code."""
        return 403 if self is ErrorCode.FORBIDDEN else 400


_MESSAGES = {
    ErrorCode.UNKNOWN_TRANSPORT: "Transport unknown",
    ErrorCode.UNKNOWN_SID: "Session ID unknown",
    ErrorCode.BAD_HANDSHAKE_METHOD: "Bad handshake method",
    ErrorCode.BAD_REQUEST: "Bad request",
    ErrorCode.FORBIDDEN: "Forbidden",
    ErrorCode.UNSUPPORTED_PROTOCOL_VERSION: "Unsupported protocol version",
}


class HandshakeRefused(EngineIOError):
    """A request that gets one of the protocol's error answers.

    ``code`` is the :class:`ErrorCode`, ``status`` the HTTP status (the code's own by default).
    """

    def __init__(self, code: ErrorCode, status: int | None = None) -> None:
        super().__init__(code.message)
        self.code = code
        self.status = code.status if status is None else status
