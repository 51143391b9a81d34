"""Checks the origin and the query of each request, and runs the middleware for handshakes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from ..addressing.addresses import look_through
from ..addressing.handshake import address_of
from ..cluster.ends import IncomingEnd
from ..engineio import ErrorCode, HandshakeRefused
from ..server.hub import Hub
from ..server.hubs import current_hub
from ..server.wiring import Wiring
from ..sockets.client import Client
from ..sockets.places import Place
from ..stats import counters
from .advice import Advice
from .forwarding import FORWARDED, serve_forwarded
from .handshake import HANDSHAKE, Answer, Handshake
from .origins import Access, access_of, is_secure, without_cookies
from .request import Request
from .revision3 import check_revision3

Scope = dict[str, Any]
ASGIApp = Callable[..., Awaitable[None]]


class Gateway:
    """Checks requests and runs the middleware for handshakes.

    ``transports`` maps "http" and "websocket" to the applications that serve requests of clients
    and requests that other processes forward. ``wiring`` is given to the hub of each event loop.
    """

    def __init__(
        self,
        middleware: Callable[[ASGIApp], ASGIApp] | None,
        transports: Mapping[str, ASGIApp],
        wiring: Wiring,
    ) -> None:
        self._app: ASGIApp = _proceed if middleware is None else middleware(_proceed)
        self._transports = transports
        self._advice = Advice()
        self._wiring = wiring._replace(accept=self.serve_forwarded)

    def hub(self) -> Hub:
        """Return the hub of the running loop. It hands forwarded requests to this gateway."""
        return current_hub(self._wiring)

    def serve_forwarded(self, end: IncomingEnd) -> Awaitable[None]:
        """Serve a request that another process has forwarded. Raises ValueError for a bad one."""
        return serve_forwarded(self._transports, end)

    def read_request(self, scope: Scope) -> Request:
        """Return a request with its headers. :meth:`check` reads the query."""
        return Request(self.hub(), scope.get("method", "GET"), dict(scope["headers"]))

    def check_origin(self, scope: Scope, request: Request) -> None:
        """Raise HandshakeRefused if the page that asks may not use this server.

        Sets ``anonymous`` where it may, but without its visitor's cookies.
        """
        origin = request.origin
        if origin is None:
            return
        host, secure = request.header(b"host"), is_secure(scope, request.headers)
        access = access_of(origin, host, secure, request.hub.settings)
        if access is Access.REFUSED:
            request.hub.runtime.log.warning(
                "origin %s refused for host %s; if its pages may use this server, add it to "
                "SOCKETIO['CORS_ALLOWED_ORIGINS'], or to CSRF_TRUSTED_ORIGINS if they may use "
                "their visitors' cookies, too",
                origin,
                host,
            )
            raise HandshakeRefused(ErrorCode.FORBIDDEN, detail=f"origin {origin}")
        request.anonymous = access is Access.ANONYMOUS

    def note_refusal(self, scope: Scope, request: Request, refused: HandshakeRefused) -> None:
        """Count a request that is refused, and tell the log whose it was and why."""
        counters.requests_refused.add(refused.code.name)
        request.hub.runtime.log.info(
            "a request of %s was refused: %s",
            address_of(scope) or "unknown address",
            refused.detail or refused.code.message,
            kind=f"{refused.code.name} {refused.status}",
        )

    def check(self, scope: Scope, request: Request) -> None:
        """Check the query, and find the session that it names.

        Sets ``client``, or ``owner`` where another process has the session. Raises HandshakeRefused
        for a bad query. The checks follow the Node server's order, so that a mistake gets the same
        answer. https://socket.io/docs/v4/engine-io-protocol/#query-parameters
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
            client = hub.clients.living(sid)
            if client is None:
                request.owner = self._owner(scope, hub, sid)
                return
            session = client.session
            if (not websocket and session.transport != transport) or (
                query.get("EIO") != session.revision
            ):
                raise HandshakeRefused(ErrorCode.BAD_REQUEST)
            request.client = client
            return
        if request.method != "GET":
            raise HandshakeRefused(ErrorCode.BAD_HANDSHAKE_METHOD)
        if not websocket and transport == "websocket":
            raise HandshakeRefused(ErrorCode.BAD_REQUEST)
        if query.get("EIO") != "4":
            check_revision3(request, query)
        if hub.local.closing:
            if websocket or FORWARDED in scope:
                raise HandshakeRefused(ErrorCode.BAD_REQUEST, status=503)
            request.owner = hub.others.successor()
            request.passed_on = True
            if request.owner is None:
                raise HandshakeRefused(ErrorCode.BAD_REQUEST, status=503)

    def _owner(self, scope: Scope, hub: Hub, sid: str) -> str:
        """Return the other process that has a session. Raises HandshakeRefused if none has it."""
        owner = hub.others.owner(sid)
        if owner is None or FORWARDED in scope:
            raise HandshakeRefused(ErrorCode.UNKNOWN_SID)
        return owner

    def reserve(self, scope: Scope, request: Request) -> tuple[Scope, Place[Client]]:
        """Reserve a place for a new session, before anything is done for its handshake.

        Returns the scope, too, with the client that trusted proxies name. Raises HandshakeRefused
        if there is no place.
        """
        hub = request.hub
        scope = look_through(scope, hub.settings.proxies)
        return scope, hub.clients.reserve(scope)

    async def wait_until_known(self, request: Request) -> None:
        """Wait until the other processes know this one: the client may reach them next."""
        await request.hub.others.greeted()

    async def shake_hands(
        self, request: Request, scope: Scope, receive: Any, send: Any, answer: Answer
    ) -> Handshake:
        """Run the middleware, and ``answer`` inside it.

        Raises HandshakeRefused, see :class:`.Handshake`. ``answer`` is not called where the
        middleware has answered itself.
        """
        self._advice.look_at(scope, receive, request)
        if request.anonymous:
            if b"cookie" in request.headers:
                request.hub.runtime.log.info(
                    "a page of %s connects without its visitor's cookies, for "
                    "SOCKETIO['CORS_ALLOW_CREDENTIALS'] is off",
                    request.origin,
                )
            scope = without_cookies(scope)
        handshake = Handshake(request, send, answer)
        await handshake.run(self._app, scope, receive)
        return handshake


async def _proceed(scope: Scope, receive: Any, send: Any) -> None:
    """Go on with a handshake; this is the application inside the middleware."""
    await scope.pop(HANDSHAKE).proceed(scope, send)


def _read_query(raw: bytes) -> dict[str, str | None]:
    """Return the query's parameters; one that is given twice has the value None, so it is wrong.

    Raises HandshakeRefused for a query that is not UTF-8.
    """
    query: dict[str, str | None] = {}
    try:
        text = raw.decode()
        if "%" in text or "+" in text:
            for key, value in parse_qsl(text, keep_blank_values=True, errors="strict"):
                query[key] = None if key in query else value
            return query
    except ValueError:
        raise HandshakeRefused(ErrorCode.BAD_REQUEST) from None
    # Clients write nothing that needs unquoting; this is much faster than parse_qsl().
    for part in text.split("&"):
        if part:
            key, _, value = part.partition("=")
            query[key] = None if key in query else value
    return query
