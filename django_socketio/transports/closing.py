"""Closes WebSockets: the close codes (RFC 6455, 7.4.1), and what ASGI servers make of them."""

from __future__ import annotations

from typing import Any

NORMAL = 1000
NO_STATUS = 1005
ABNORMAL = 1006
TOO_BIG = 1009
SERVICE_RESTART = 1012
# These codes mean that the connection broke, not that the client has left.
PROTOCOL_ERRORS = frozenset({1002, 1003, 1007, TOO_BIG})
# send() raises these once the connection is gone. ASGI asks for OSError; daphne raises
# RuntimeError, and so does uvicorn after it has closed the connection itself.
GONE = (OSError, RuntimeError)


async def send_close(send: Any, code: int) -> None:
    """Close a WebSocket with ``code``, or with 1000 if the server does not allow that code.

    Raises one of :data:`GONE` if the connection is gone.
    """
    try:
        await send({"type": "websocket.close", "code": code})
    except GONE:
        raise
    except Exception:
        # daphne allows few codes, and raises a bare Exception for any other.
        await send({"type": "websocket.close", "code": NORMAL})
