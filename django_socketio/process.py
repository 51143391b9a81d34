"""Says whether this process serves clients."""

from __future__ import annotations

# True once a SocketIOApplication is made: this process serves clients, or soon will.
serving = False
