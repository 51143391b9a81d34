"""What every request passes first: the checks of its query and origin, and the middleware."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from ..engineio import ErrorCode, HandshakeRefused
from ..logs import logger, safe
from ..server.hub import Hub
from ..sockets.client import Client
from ..stats import counters
from .origins import is_allowed

Scope = dict[str, Any]
ASGIApp = Callable[..., Awaitable[None]]

_CAPTURE = "django_socketio.capture"


class Request:
    """A request for a session: what its headers and its query say."""

    __slots__ = ("client", "headers", "hub", "method", "origin", "owner", "passed_on")

    def __init__(self, hub: Hub, method: str, headers: dict[bytes, bytes]) -> None:
        self.hub = hub
        self.method = method
        self.headers = headers
        self.origin = self.header(b"origin") if b"origin" in headers else None
        # The existing session's client, or the other process that owns it; neither for a handshake,
        # except for one that another process is to take because this one ends.
        self.client: Client | None = None
        self.owner: str | None = None
        self.passed_on = False

    def header(self, name: bytes) -> str:
        """A header's value, "" where it is missing."""
        return self.headers.get(name, b"").decode("latin-1")


class Door:
    """Checks requests and runs the middleware for handshakes."""

    def __init__(self, middleware: Callable[[ASGIApp], ASGIApp] | None) -> None:
        self._app: ASGIApp = _capture if middleware is None else middleware(_capture)
        # What serves a scope, by its type.
        self.transports: dict[str, ASGIApp] = {}

    def open(self, scope: Scope, hub: Hub) -> Request:
        """Look at a request's headers. The query is looked at in :meth:`check`."""
        if hub.network is not None and hub.network.tunnels.serve is None:
            hub.network.tunnels.serve = self.serve
        return Request(hub, scope.get("method", "GET"), dict(scope["headers"]))

    def check_origin(self, request: Request) -> None:
        """Raise HandshakeRefused for a page that may not use this server."""
        origin = request.origin
        if origin is None or is_allowed(origin, request.header(b"host"), request.hub.settings):
            return
        logger.warning(
            "origin %s refused; if its pages may use this server, add it to "
            "SOCKETIO['CORS_ALLOWED_ORIGINS'], or its host to ALLOWED_HOSTS",
            safe(origin),
        )
        raise HandshakeRefused(ErrorCode.FORBIDDEN)

    def check(self, scope: Scope, request: Request) -> None:
        """Check the query, and find the session that it names. Raises HandshakeRefused.

        The order of the checks is the Node server's, so that the same mistake gets the same answer.
        """
        query = _read_query(scope.get("query_string", b""))
        hub = request.hub
        websocket = scope["type"] == "websocket"
        transport = query.get("transport")
        if transport not in hub.settings.transports:
            raise HandshakeRefused(ErrorCode.UNKNOWN_TRANSPORT)
        if websocket and transport != "websocket":
            raise HandshakeRefused(ErrorCode.BAD_REQUEST)
        if query.get("sid", "") != "":
            sid = query["sid"] or ""
            client = hub.clients.get(sid)
            if client is None:
                request.owner = self._owner(scope, hub, sid)
                return
            if (not websocket and client.session.transport != transport) or query.get("EIO") != "4":
                raise HandshakeRefused(ErrorCode.BAD_REQUEST)
            request.client = client
            return
        if request.method != "GET":
            raise HandshakeRefused(ErrorCode.BAD_HANDSHAKE_METHOD)
        if not websocket and transport == "websocket":
            raise HandshakeRefused(ErrorCode.BAD_REQUEST)
        if query.get("EIO") != "4":
            raise HandshakeRefused(ErrorCode.UNSUPPORTED_PROTOCOL_VERSION)
        if hub.closing:
            if websocket or hub.network is None or "django_socketio.tunnel" in scope:
                raise HandshakeRefused(ErrorCode.BAD_REQUEST, status=503)
            request.owner = hub.network.successor()
            request.passed_on = True
            if request.owner is None:
                raise HandshakeRefused(ErrorCode.BAD_REQUEST, status=503)
            return
        if hub.pending_sessions >= hub.settings.max_pending_sessions:
            counters.limits.add("too many sessions without a namespace")
            raise HandshakeRefused(ErrorCode.BAD_REQUEST, status=503)

    def _owner(self, scope: Scope, hub: Hub, sid: str) -> str:
        """The other process that has a session. Raises HandshakeRefused where there is none."""
        owner = None if hub.network is None else hub.network.owner(sid)
        if owner is None or owner == hub.node or "django_socketio.tunnel" in scope:
            raise HandshakeRefused(ErrorCode.UNKNOWN_SID)
        return owner

    async def greet(self, request: Request) -> None:
        """Before a session begins: other processes, which may be asked for it, know this one."""
        if request.hub.network is not None:
            await request.hub.network.greeted()

    async def serve(self, scope: Scope, receive: Any, send: Any) -> None:
        """Serve a request that another process has carried here."""
        await self.transports[scope["type"]](scope, receive, send)

    async def run_middleware(self, scope: Scope, receive: Any, send: Any) -> Scope | None:
        """The scope as the middleware leaves it; None when the middleware has answered itself."""
        captured: list[Scope] = []
        await self._app({**scope, _CAPTURE: captured}, receive, send)
        if not captured:
            return None
        if "django_socketio.user" in scope:  # django_socketio.testing
            captured[0]["user"] = scope["django_socketio.user"]
        return captured[0]


async def _capture(scope: Scope, receive: Any, send: Any) -> None:
    """Stands where a middleware stack expects the application."""
    scope.pop(_CAPTURE).append(scope)


def _read_query(raw: bytes) -> dict[str, str | None]:
    """The query's parameters; None for one that is given twice, which is as good as a wrong one."""
    query: dict[str, str | None] = {}
    try:
        text = raw.decode()
        if "%" in text or "+" in text:
            for key, value in parse_qsl(text, keep_blank_values=True, errors="strict"):
                query[key] = None if key in query else value
            return query
    except ValueError:
        raise HandshakeRefused(ErrorCode.BAD_REQUEST) from None
    # As the clients write it: nothing to unquote, and much faster.
    for part in text.split("&"):
        if part:
            key, _, value = part.partition("=")
            query[key] = None if key in query else value
    return query
