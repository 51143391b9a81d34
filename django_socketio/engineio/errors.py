"""The errors of Engine.IO: a bad packet, and a request that is refused.

The codes and their texts: https://socket.io/docs/v4/troubleshooting-connection-issues/
"""

from __future__ import annotations

from enum import IntEnum

from ..exceptions import RemoteProtocolError


class EngineIOError(RemoteProtocolError):
    """A packet or payload that the protocol does not allow."""


class ErrorCode(IntEnum):
    """The code in the answer to a bad request; the numbers are the Node server's."""

    UNKNOWN_TRANSPORT = 0
    UNKNOWN_SID = 1
    BAD_HANDSHAKE_METHOD = 2
    BAD_REQUEST = 3
    FORBIDDEN = 4
    UNSUPPORTED_PROTOCOL_VERSION = 5

    @property
    def message(self) -> str:
        """The text that goes with this code in the answer."""
        return _MESSAGES[self]

    @property
    def status(self) -> int:
        """The HTTP status of an answer with this code."""
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
    """A request that the server refuses.

    ``code`` is the :class:`ErrorCode` of the answer, ``status`` its HTTP status (by default the
    one that belongs to the code), ``message`` its text (by default the code's). ``detail`` says
    more for the log, "" where there is nothing to say.
    """

    def __init__(
        self, code: ErrorCode, status: int | None = None, detail: str = "", message: str = ""
    ) -> None:
        super().__init__(message or code.message)
        self.code = code
        self.message = message or code.message
        self.detail = detail
        self.status = code.status if status is None else status
