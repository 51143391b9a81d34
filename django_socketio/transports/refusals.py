"""The signal of a request that is refused; called only where somebody listens."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from ..addressing.handshake import address_of
from ..engineio import ErrorCode, HandshakeRefused
from ..runtime.announcements import announce
from ..signals import connection_refused
from .request import Request


async def tell_refused(scope: dict[str, Any], request: Request, refused: HandshakeRefused) -> None:
    """Send ``connection_refused``, and wait for its receivers.

    The request waits, so that a flood of bad ones cannot pile up. Clients of one address take turns
    in the threads of plain receivers.
    """
    about = {
        "scope": scope,
        "code": int(refused.code),
        "message": refused.message,
        "context": _context_of(scope, request, refused),
    }
    await announce(
        request.hub.runtime,
        connection_refused,
        None,
        about,
        owner=address_of(scope),
        sensitive=bool(scope.get("django_socketio.thread_sensitive")),
        hook=True,
    )


def _context_of(
    scope: dict[str, Any], request: Request, refused: HandshakeRefused
) -> dict[str, Any]:
    """Return what Node's "connection_error" has as context, with the status and our detail.

    https://socket.io/docs/v4/server-api/#event-connection_error
    """
    context: dict[str, Any] = {"status": refused.status}
    if refused.detail:
        context["detail"] = refused.detail
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    match refused.code:
        case ErrorCode.UNKNOWN_TRANSPORT:
            context["transport"] = query.get("transport", [None])[-1]
        case ErrorCode.UNKNOWN_SID:
            context["sid"] = query.get("sid", [None])[-1]
        case ErrorCode.BAD_HANDSHAKE_METHOD:
            context["method"] = request.method
        case ErrorCode.UNSUPPORTED_PROTOCOL_VERSION:
            context["protocol"] = query.get("EIO", [None])[-1]
        case ErrorCode.FORBIDDEN:
            context["message"] = refused.message
    return context
