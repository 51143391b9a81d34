"""The ASGI application: serves Socket.IO's requests, and hands others to the rest of the project.

The module can be imported before Django is set up.
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
    """Put the session and the user into the scope, as Channels' stack of the same name does.

    Returns ``inner`` itself in a project without ``django.contrib.auth``.
    """
    from django.apps import apps

    if not apps.is_installed("django.contrib.auth"):
        return inner
    from .transports.auth import VisitorMiddleware

    return VisitorMiddleware(inner)


class SocketIOApplication:
    """An ASGI application that serves Socket.IO and hands every other scope to ``app``.

    ``path`` is the URL path to serve, ``SOCKETIO["PATH"]`` by default. ``middleware`` wraps an ASGI
    application, or is None. It runs once per session, for the handshake's request; the session
    keeps the scope that it makes (with the session of Django and the user).

    Raises ImproperlyConfigured for bad settings. If Django is not set up yet, the settings are
    checked when the server starts (lifespan).
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
        elif scope["type"] in ("http", "websocket") and (serve := self._find(scope)) is not None:
            await serve(scope, receive, send)
        else:
            # The hub joins the other processes now: a view may send before a client comes.
            self._server.hub()
            await self.app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take part in the server's start and end, and hand them to ``app``.

        Answers in place of an ``app`` that does not support lifespan, such as Django's.
        """
        try:
            shutdown = self._server.hub().shutdown
        except Exception as error:
            # An exception would tell the server that lifespan is not supported, and it would start.
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
        """Return False for bad settings, and log them once. The rest of the project still works.

        Matters only if the application was made before Django was set up and the server has no
        lifespan; else bad settings end the start.
        """
        try:
            return self._server is not None
        except ImproperlyConfigured as error:
            if not self._reported:
                self._reported = True
                logger.error("Socket.IO is not served: %s", error)
            return False

    def _find(self, scope: Scope) -> ASGIApp | None:
        """Return what serves a request: its transport, the client's files, or None for ``app``."""
        path: str = scope["path"]
        root = scope.get("root_path", "")
        if root and path.startswith(root):
            path = path[len(root) :]
        server = self._server
        wanted = self._path or server.get_settings().path
        if path == wanted or path.rstrip("/") == wanted.rstrip("/"):
            return server.transports[scope["type"]]
        folder, _, name = path.rpartition("/")
        if name in server.client_files and folder == wanted.rstrip("/"):
            served = scope["type"] == "http" and server.get_settings().serve_client
            return server.client_files[name] if served else None
        return None

    @cached_property
    def _server(self) -> _Server:
        """The parts that need Django to be set up, imported once."""
        return _Server(self._middleware)


class _Server:
    """The parts of this package that the application needs."""

    def __init__(self, middleware: Middleware | None) -> None:
        from django.apps import apps

        from .bundles import SERVED
        from .conf import get_settings
        from .server.wiring import Wiring
        from .stats.recorder import start_recorder
        from .stats.reports import make_report
        from .transports import ClientFiles, Gateway, PollingConsumer, consumer_for

        get_settings()
        if not apps.is_installed("django_socketio"):
            logger.warning(
                "django_socketio is not in INSTALLED_APPS: no consumers are looked for, no checks "
                "run and no statistics are kept; add it there"
            )
        self.get_settings = get_settings
        # Channels' as_asgi() would keep one more coroutine for each connection.
        self.transports: dict[str, ASGIApp] = {
            "http": lambda *args: PollingConsumer(gateway)(*args),
            "websocket": lambda scope, *args: consumer_for(scope, gateway)(scope, *args),
        }
        gateway = Gateway(middleware, self.transports, Wiring(make_report, start_recorder))
        self.client_files: dict[str, ASGIApp] = dict.fromkeys(SERVED, ClientFiles(gateway))
        self.hub = gateway.hub
