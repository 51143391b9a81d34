"""What kind of process this is."""

from __future__ import annotations

# Set when a SocketIOApplication is made: this process serves clients, or is about to.
serving = False
