"""What a client needs of the transport that carries its session."""

from __future__ import annotations

from typing import Protocol

from ..engineio import Frame


class Transport(Protocol):
    """A transport of Engine.IO: HTTP long-polling or WebSocket."""

    name: str
    # Whether a client that is not read from has to wait, rather than fill the server's memory.
    pausable: bool

    def write(self, frame: Frame) -> None:
        """Write one frame now; only called while ``session.direct``."""

    def flush(self) -> None:
        """Write what waits in the session's buffer, as far as that is possible now."""

    def close(self) -> None:
        """Let go of the connection: the session is closed, or has another transport."""


class _NoTransport:
    """In place of the transport of a session that has ended.

    Client and transport know each other; let go of, both are freed without the garbage collector.
    """

    name = ""
    pausable = True

    def write(self, frame: Frame) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


NO_TRANSPORT = _NoTransport()
