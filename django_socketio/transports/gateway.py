"""What every request passes first: the checks of its origin and query, and the middleware."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from ..cluster.ends import IncomingEnd
from ..engineio import ErrorCode, HandshakeRefused
from ..logs import logger, safe
from ..server.hub import Hub
from ..server.hubs import current_hub
from ..server.wiring import Wiring
from ..stats import counters
from .forwarding import FORWARDED, serve_forwarded
from .origins import is_allowed
from .request import Request

Scope = dict[str, Any]
ASGIApp = Callable[..., Awaitable[None]]

_CAPTURE = "django_socketio.capture"


class Gateway:
    """Checks requests and runs the middleware for handshakes.

    ``transports`` serve requests, by their scope's type: those of clients, and those that other
    processes forward to this one. ``wiring`` is for the hubs of the loops that are served.
    """

    def __init__(
        self,
        middleware: Callable[[ASGIApp], ASGIApp] | None,
        transports: Mapping[str, ASGIApp],
        wiring: Wiring,
    ) -> None:
        self._app: ASGIApp = _capture if middleware is None else middleware(_capture)
        self._transports = transports
        self._wiring = wiring._replace(accept=self.serve_forwarded)

    def hub(self) -> Hub:
        """Return the hub of the running loop, which has forwarded requests served here."""
        return current_hub(self._wiring)

    def serve_forwarded(self, end: IncomingEnd) -> Awaitable[None]:
        """Serve a request that another process has forwarded. Raises ValueError for no request."""
        return serve_forwarded(self._transports, end)

    def read_request(self, scope: Scope) -> Request:
        """Read a request's headers. The query is read in :meth:`check`."""
        return Request(self.hub(), scope.get("method", "GET"), dict(scope["headers"]))

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
        if hub.local.closing:
            if websocket or FORWARDED in scope:
                raise HandshakeRefused(ErrorCode.BAD_REQUEST, status=503)
            request.owner = hub.others.successor()
            request.passed_on = True
            if request.owner is None:
                raise HandshakeRefused(ErrorCode.BAD_REQUEST, status=503)
            return
        if hub.clients.pending >= hub.settings.max_pending_sessions:
            counters.limits.add("too many sessions without a namespace")
            raise HandshakeRefused(ErrorCode.BAD_REQUEST, status=503)

    def _owner(self, scope: Scope, hub: Hub, sid: str) -> str:
        """The other process that has a session. Raises HandshakeRefused where there is none."""
        owner = hub.others.owner(sid)
        if owner is None or FORWARDED in scope:
            raise HandshakeRefused(ErrorCode.UNKNOWN_SID)
        return owner

    async def wait_until_known(self, request: Request) -> None:
        """Wait, before a session begins, until other processes, which may be asked for it, know."""
        await request.hub.others.greeted()

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
