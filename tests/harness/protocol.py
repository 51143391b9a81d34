"""What all raw clients share."""

from __future__ import annotations

import json
from typing import Any

PATH = "/socket.io/"
POLLING = "EIO=4&transport=polling"
WEBSOCKET = "EIO=4&transport=websocket"


class Closed(Exception):
    """The server has closed the WebSocket."""


def connect_packet(namespace: str, auth: Any = None) -> str:
    """What a client says to join a namespace."""
    return f"40{_prefix(namespace)}" + ("" if auth is None else json.dumps(auth))


def sid_of(answer: Any, namespace: str) -> str:
    """The id of the socket, from what the server answers; AssertionError where it refuses."""
    head = f"40{_prefix(namespace)}"
    assert isinstance(answer, str)
    assert answer.startswith(head + "{"), answer
    return str(json.loads(answer[len(head) :])["sid"])


def _prefix(namespace: str) -> str:
    return "" if namespace == "/" else namespace + ","
