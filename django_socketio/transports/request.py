"""What a request's headers and query say, and where its session is."""

from __future__ import annotations

from ..server.hub import Hub
from ..sockets.client import Client


class Request:
    """A request for a session."""

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
        """Return a header's value, "" where it is missing."""
        return self.headers.get(name, b"").decode("latin-1")
