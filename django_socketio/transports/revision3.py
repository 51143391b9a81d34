"""Decides whether a client 2.x may connect: one that speaks revision 3 of Engine.IO."""

from __future__ import annotations

from collections.abc import Mapping

from ..engineio import ErrorCode, HandshakeRefused
from .request import Request


def check_revision3(request: Request, query: Mapping[str, str | None]) -> None:
    """Let a handshake in that is of revision 3, if ``ALLOW_EIO3`` allows it.

    Raises HandshakeRefused for any other, and for JSONP, which old browsers ask for.
    """
    hub = request.hub
    if query.get("EIO") != "3":
        raise HandshakeRefused(ErrorCode.UNSUPPORTED_PROTOCOL_VERSION)
    if not hub.settings.allow_eio3:
        hub.runtime.log.warning(
            "a client of version 2.x or older (Engine.IO 3) was refused; to let such clients in, "
            "set SOCKETIO['ALLOW_EIO3'] to True",
            kind="EIO3",
        )
        raise HandshakeRefused(ErrorCode.UNSUPPORTED_PROTOCOL_VERSION)
    if "j" in query:
        text = "JSONP is not supported"
        raise HandshakeRefused(ErrorCode.BAD_REQUEST, detail=text, message=text)
    request.revision = "3"
