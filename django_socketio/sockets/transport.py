"""What a client needs of its transport, as a protocol; and what stands in for one at the end."""

from __future__ import annotations

from typing import Protocol

from ..engineio import Frame

# Why a session ends whose client breaks no rule, but takes or sends too slowly.
BODY_OVERDUE = "a body that took longer than BODY_TIMEOUT"
TOO_SLOW = frozenset({"slow client", "too much was sent while connect() ran", BODY_OVERDUE})


class Transport(Protocol):
    """A transport of Engine.IO: HTTP long-polling or WebSocket."""

    name: str
    # Whether the client has to wait while the server does not read, so that memory does not grow.
    pausable: bool

    def write(self, frame: Frame) -> None:
        """Write one frame now; only called while ``session.direct``."""

    def flush(self) -> None:
        """Write what waits in the session's buffer, as far as that is possible now."""

    def close(self) -> None:
        """Let go of the connection: the session is closed, or has another transport."""


class _NoTransport:
    """Stands in for the transport of a session that has ended.

    Client and transport refer to each other. Replacing the transport breaks that circle, so that
    both are freed at once, without the garbage collector (tests/unit/test_costs.py).
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
