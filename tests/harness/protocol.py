"""What all raw clients share."""

from __future__ import annotations

PATH = "/socket.io/"
POLLING = "EIO=4&transport=polling"
WEBSOCKET = "EIO=4&transport=websocket"


class Closed(Exception):
    """The server has closed the WebSocket."""
