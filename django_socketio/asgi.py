"""The door: which requests are Socket.IO's, and which go to the rest of the project.

May be imported before Django is set up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from . import process

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Middleware = Callable[[ASGIApp], ASGIApp]


def AuthMiddlewareStack(inner: ASGIApp) -> ASGIApp:  # noqa: N802 - named as what it stands for
    """Channels' stack of the same name; nothing in a project without ``django.contrib.auth``."""
    from django.apps import apps

    if not apps.is_installed("django.contrib.auth"):
        return inner
    from .transports.visitors import VisitorMiddleware

    return VisitorMiddleware(inner)


class SocketIOApplication:
    """An ASGI application that serves Socket.IO and hands every other scope to ``app``.

    ``path`` is the URL path to serve, ``SOCKETIO["PATH"]`` by default. ``middleware`` wraps an ASGI
    application; it runs once per session, for the handshake's request, and what it puts into the
    scope (the session, the user) is the session's from then on. None for no middleware.
    """

    def __init__(
        self,
        app: ASGIApp,
        path: str | None = None,
        middleware: Middleware | None = AuthMiddlewareStack,
    ) -> None:
        process.serving = True
        self.app = app
        self._path = path
        self._middleware = middleware
        self._transports: dict[str, ASGIApp] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and self._is_ours(scope):
            await self._transport(scope["type"])(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            _hub()
            await self.app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the server's start and end to ``app``, and take part in them.

        Where ``app`` does not know the protocol, as Django's, it is spoken here.
        """
        hub = _hub()
        hub.awaited = True
        heard: list[str] = []

        async def overhear() -> dict[str, Any]:
            message = await receive()
            heard.append(message["type"])
            if message["type"] == "lifespan.shutdown":
                await hub.end()
            return message

        try:
            await self.app(scope, overhear, send)
        except Exception:
            if heard:
                raise
            while not heard or heard[-1] != "lifespan.shutdown":
                message = await overhear()
                await send({"type": message["type"] + ".complete"})

    def _is_ours(self, scope: Scope) -> bool:
        from .conf import get_settings

        path: str = scope["path"]
        root = scope.get("root_path", "")
        if root and path.startswith(root):
            path = path[len(root) :]
        return path.rstrip("/") == (self._path or get_settings().path).rstrip("/")

    def _transport(self, kind: str) -> ASGIApp:
        if self._transports is None:
            # Channels' consumers need Django to be set up, this module does not.
            from .transports import Door, PollingConsumer, WebSocketConsumer

            door = Door(self._middleware)
            # Not as_asgi(), which keeps another coroutine for as long as a connection lives.
            self._transports = door.transports = {
                "http": lambda *args: PollingConsumer(door)(*args),
                "websocket": lambda *args: WebSocketConsumer(door)(*args),
            }
        return self._transports[kind]


def _hub() -> Any:
    """Join the other processes before the first client comes: a view may want to send."""
    from .server.hubs import current_hub

    return current_hub()
