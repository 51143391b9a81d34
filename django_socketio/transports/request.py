"""A request for a session: what its headers say, and where its session is."""

from __future__ import annotations

from typing import Any

from ..server.hub import Hub
from ..sockets import packet_log
from ..sockets.client import Client
from ..sockets.client2 import Client2
from ..sockets.packet_log import LoggedClient, LoggedClient2
from ..sockets.places import Place
from ..sockets.transport import Transport

# Clients by the revision of Engine.IO's protocol.
KINDS: dict[str, type[Client]] = {"4": Client, "3": Client2}
LOGGED: dict[str, type[Client]] = {"4": LoggedClient, "3": LoggedClient2}


class Request:
    """A request for a session.

    ``client`` is the session's client in this process; ``owner`` is the other process that has the
    session. Both are None for a handshake. While this process ends, ``owner`` of a handshake is the
    process that serves it instead, and ``passed_on`` is true. ``anonymous`` says that the page
    that asks may not use its visitor's cookies. ``began`` is when a handshake's middleware began,
    in the loop's time. ``revision`` is that of Engine.IO's protocol, "4" or "3".
    """

    __slots__ = (
        "anonymous",
        "began",
        "client",
        "headers",
        "hub",
        "method",
        "origin",
        "owner",
        "passed_on",
        "revision",
    )

    began: float

    def __init__(self, hub: Hub, method: str, headers: dict[bytes, bytes]) -> None:
        self.hub = hub
        self.method = method
        self.headers = headers
        self.origin = self.header(b"origin") if b"origin" in headers else None
        self.client: Client | None = None
        self.owner: str | None = None
        self.passed_on = False
        self.anonymous = False
        self.revision = "4"

    def new_client(
        self, scope: dict[str, Any], transport: Transport, place: Place[Client]
    ) -> Client:
        """Make the client of a handshake."""
        kinds = LOGGED if packet_log.is_wanted() else KINDS
        return kinds[self.revision](self.hub.clients, scope, transport, place)

    def header(self, name: bytes) -> str:
        """Return a header's value, or "" if it is missing."""
        return self.headers.get(name, b"").decode("latin-1")
