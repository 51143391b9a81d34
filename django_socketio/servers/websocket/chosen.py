"""Which WebSocket end uvicorn gets: ours, or its own where picows is missing."""

from __future__ import annotations

import logging
from typing import Any

import click  # uvicorn's own requirement

logger = logging.getLogger("uvicorn.error")

WebSocketProtocol: Any

try:
    from .protocol import WebSocketProtocol
except ImportError as error:
    from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol

    WebSocketProtocol = AutoWebSocketsProtocol
    logger.warning(
        "django_socketio: uvicorn's own WebSocket end is used, which is slower, for %s; the cure: "
        "pip install 'channels-socketio[speedups]'",
        error,
    )


def _asks_for_compression() -> bool:
    """Return whether uvicorn's command line or environment asks for permessage-deflate.

    uvicorn's ``Config`` does not tell whether its True was given or is the default. click knows,
    in the process in which uvicorn's command runs; not in those of ``--workers`` and ``--reload``.
    """
    context = click.get_current_context(silent=True)
    name = "ws_per_message_deflate"
    if context is None or not context.params.get(name):
        return False
    source = context.get_parameter_source(name)
    return source is not None and source.name in ("COMMANDLINE", "ENVIRONMENT")


if WebSocketProtocol.__module__.startswith(__package__) and _asks_for_compression():
    logger.warning(
        "django_socketio: --ws-per-message-deflate needs another --ws, for example auto; this one "
        "compresses nothing"
    )
