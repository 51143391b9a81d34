"""A request for a session: what its headers say, and where its session is."""

from __future__ import annotations

from ..server.hub import Hub
from ..sockets.client import Client


class Request:
    """A request for a session.

    ``client`` is the session's client in this process; ``owner`` is the other process that has the
    session. Both are None for a handshake. While this process ends, ``owner`` of a handshake is the
    process that serves it instead, and ``passed_on`` is true. ``anonymous`` says that the page
    that asks may not use its visitor's cookies. ``began`` is when a handshake's middleware began,
    in the loop's time.
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

    def header(self, name: bytes) -> str:
        """Return a header's value, or "" if it is missing."""
        return self.headers.get(name, b"").decode("latin-1")
