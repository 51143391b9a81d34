"""What requests tell of a server that is set up less safely than it can be; docs/limits.md."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from ..addressing.addresses import is_proxy_that_nobody_trusts
from .request import Request


class Advice:
    """Looks at handshakes, and tells the log what it finds: each thing once, never with DEBUG."""

    __slots__ = ("_inflates", "_proxy")

    def __init__(self) -> None:
        self._inflates = self._proxy = not settings.DEBUG

    def look_at(self, scope: dict[str, Any], receive: Any, request: Request) -> None:
        """Look at a handshake; ``scope`` and ``receive`` are the server's own."""
        log, ours = request.hub.runtime.log, request.hub.settings
        if (
            self._proxy
            and b"x-forwarded-for" in request.headers
            and not ours.proxies
            and is_proxy_that_nobody_trusts(scope)
        ):
            self._proxy = False
            log.warning(
                "a proxy that is not trusted sends requests: all its clients count as one address. "
                "If it is yours, set SOCKETIO['TRUSTED_PROXIES']",
                kind="proxy",
            )
        if self._inflates and scope["type"] == "websocket":
            self._inflates = False
            config = getattr(getattr(receive, "__self__", None), "config", None)
            size = getattr(config, "ws_max_size", 0)
            if getattr(config, "ws_per_message_deflate", False) and (
                size > ours.max_http_buffer_size
            ):
                log.warning(
                    "uvicorn inflates messages of clients to %s bytes before they can be refused: "
                    "start it with --ws-per-message-deflate false, or with --ws-max-size %s",
                    size,
                    ours.max_http_buffer_size,
                    kind="deflate",
                )
