"""The application: which requests are Socket.IO's, and which go to the rest of the project.

May be imported before Django is set up.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from . import process
from .logs import logger

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
ASGIApp = Callable[..., Awaitable[None]]
Middleware = Callable[[ASGIApp], ASGIApp]


def AuthMiddlewareStack(inner: ASGIApp) -> ASGIApp:  # noqa: N802 - named as what it stands for
    """Channels' stack of the same name; nothing in a project without ``django.contrib.auth``."""
    from django.apps import apps

    if not apps.is_installed("django.contrib.auth"):
        return inner
    from .transports.auth import VisitorMiddleware

    return VisitorMiddleware(inner)


class SocketIOApplication:
    """An ASGI application that serves Socket.IO and hands every other scope to ``app``.

    ``path`` is the URL path to serve, ``SOCKETIO["PATH"]`` by default. ``middleware`` wraps an ASGI
    application; it runs once per session, for the handshake's request, and what it puts into the
    scope (the session, the user) is the session's from then on. None for no middleware.

    Raises ImproperlyConfigured for bad settings. Where Django is not set up yet, they are looked at
    when the server starts (lifespan).
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
        self._reported = False
        from django.apps import apps

        if apps.ready:
            from .conf import get_settings

            get_settings()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif not self._is_configured():
            await self.app(scope, receive, send)
        elif scope["type"] in ("http", "websocket") and self._is_ours(scope):
            await self._server.transports[scope["type"]](scope, receive, send)
        else:
            # Joins the other processes before the first client comes: a view may want to send.
            self._server.hub()
            await self.app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the server's start and end to ``app``, and take part in them.

        Where ``app`` does not know the protocol, as Django's, it is spoken here.
        """
        try:
            shutdown = self._server.hub().shutdown
        except Exception as error:
            # A server takes an exception for "lifespan is not supported", and starts all the same.
            clear = isinstance(error, ImproperlyConfigured)
            text = str(error) if clear else traceback.format_exc()
            await receive()
            await send({"type": "lifespan.startup.failed", "message": text})
            return
        shutdown.awaited = True
        heard: list[str] = []

        async def overhear() -> dict[str, Any]:
            message = await receive()
            heard.append(message["type"])
            if message["type"] == "lifespan.shutdown":
                await shutdown.end()
            return message

        try:
            await self.app(scope, overhear, send)
        except Exception:
            if heard:
                raise
            while not heard or heard[-1] != "lifespan.shutdown":
                message = await overhear()
                await send({"type": message["type"] + ".complete"})

    def _is_configured(self) -> bool:
        """False for bad settings, which are logged once; the rest of the project works without us.

        Only for an application that was made before Django was set up, on a server that has no
        lifespan: any other has not started.
        """
        try:
            return self._server is not None
        except ImproperlyConfigured as error:
            if not self._reported:
                self._reported = True
                logger.error("Socket.IO is not served: %s", error)
            return False

    def _is_ours(self, scope: Scope) -> bool:
        path: str = scope["path"]
        root = scope.get("root_path", "")
        if root and path.startswith(root):
            path = path[len(root) :]
        wanted = self._path or self._server.get_settings().path
        return path == wanted or path.rstrip("/") == wanted.rstrip("/")

    @cached_property
    def _server(self) -> _Server:
        """What needs Django to be set up; importing it for each request would take time."""
        return _Server(self._middleware)


class _Server:
    """The rest of this package, as far as it is needed here."""

    def __init__(self, middleware: Middleware | None) -> None:
        from .conf import get_settings
        from .server.wiring import Wiring
        from .stats.recorder import start_recorder
        from .stats.reports import make_report
        from .transports import Gateway, PollingConsumer, WebSocketConsumer

        get_settings()
        self.get_settings = get_settings
        # Not as_asgi(), which keeps another coroutine for as long as a connection lives.
        self.transports: dict[str, ASGIApp] = {
            "http": lambda *args: PollingConsumer(gateway)(*args),
            "websocket": lambda *args: WebSocketConsumer(gateway)(*args),
        }
        gateway = Gateway(middleware, self.transports, Wiring(make_report, start_recorder))
        self.hub = gateway.hub
