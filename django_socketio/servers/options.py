"""How uvicorn is set by the ways to start it that the package brings; docs/limits.md says why."""

from __future__ import annotations

from typing import Any

# uvicorn waits for so many seconds until connections are closed; see docs/deployment.md.
GRACEFUL_TIMEOUT = 10


def recommended(max_size: int) -> dict[str, Any]:
    """Return options for uvicorn's ``Config``. ``max_size`` is MAX_HTTP_BUFFER_SIZE, in bytes.

    Raises ImportError without uvicorn.
    """
    from .uvicorn import WebSocketProtocol

    return {
        # Not its name: uvicorn takes that since 0.36 only.
        "ws": WebSocketProtocol,
        "ws_max_size": max_size,
        "ws_per_message_deflate": False,
        "lifespan": "on",
        "timeout_graceful_shutdown": GRACEFUL_TIMEOUT,
    }
