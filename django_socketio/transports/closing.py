"""How a WebSocket ends: close codes (RFC 6455, 7.4.1), and what servers make of them."""

from __future__ import annotations

from typing import Any

NORMAL = 1000
NO_STATUS = 1005
ABNORMAL = 1006
TOO_BIG = 1009
SERVICE_RESTART = 1012
# Codes that tell of a broken connection, not of a client that has left.
PROTOCOL_ERRORS = frozenset({1002, 1003, 1007, TOO_BIG})
# What send() raises once the connection is gone: OSError by ASGI; daphne, and uvicorn when it has
# closed of its own accord, raise RuntimeErrors.
GONE = (OSError, RuntimeError)


async def send_close(send: Any, code: int) -> None:
    """Close a WebSocket with ``code``, or with 1000 where the server does not take it.

    Raises one of :data:`GONE` if the connection is gone.
    """
    try:
        await send({"type": "websocket.close", "code": code})
    except GONE:
        raise
    except Exception:
        # daphne takes few codes, and says so with a bare Exception.
        await send({"type": "websocket.close", "code": NORMAL})
