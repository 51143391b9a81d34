"""The server's half of the extension ``django_socketio.direct``, see docs/architecture.md.

What it looks like to an application is written down in ``transports/direct.py``, which servers do
not import: they are loaded before Django is set up.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from .connection import Connection
from .link import OPEN

EXTENSION = "django_socketio.direct"
VERSION = 1

# picows puts the frame's header in front of the payload, into the same memory.
_ROOM = 14
_TEXT, _BINARY = 1, 2


class Line:
    """A WebSocket that is read and written by calls. Waiting messages and the end keep their order.

    ``waiting`` are those that came before: text, bytes, and as the last one perhaps the close code.
    """

    __slots__ = ("_asked", "_connection", "_paused", "_waiting", "receiver", "send")

    def __init__(self, connection: Connection, receiver: Any, waiting: deque[Any]) -> None:
        self._connection, self.receiver, self._waiting = connection, receiver, waiting
        # Called with what pack() returns. It is picows' own method, which says nothing of the end.
        self.send = connection.out.send_reuse_external_bytearray if connection.out else _drop
        # Whether messages wait, and whether resume() has asked for the loop's next turn.
        self._paused = self._asked = False
        if waiting:
            self.pause()
            self.resume()
        else:
            connection.message = receiver.received

    @staticmethod
    def pack(data: str | bytes) -> tuple[int, bytearray, int]:
        """Return what sends a message over any number of WebSockets, made once for all of them."""
        kind, payload = (_TEXT, data.encode()) if isinstance(data, str) else (_BINARY, data)
        return kind, bytearray(_ROOM) + payload, _ROOM

    @property
    def writable(self) -> bool:
        """Whether the connection takes more at once."""
        return self._connection.writable

    def pause(self) -> None:
        """Receive nothing until :meth:`resume`; the client waits."""
        self._asked = False
        if not self._paused:
            self._paused = True
            self._connection.message = self._waiting.append
            self._connection.hold()

    def resume(self) -> None:
        """Receive again, from the next turn of the loop on."""
        self._asked = True
        self._connection.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._asked:
            return
        self._paused = self._asked = False
        waiting, receiver = self._waiting, self.receiver
        while waiting and not self._paused:
            item = waiting.popleft()
            if item.__class__ is int:
                receiver.closed(item)
            else:
                receiver.received(item)
        # pause() may have been called meanwhile, and has held the connection once more.
        if not self._paused and self._connection.state is OPEN:
            self._connection.message = receiver.received
        self._connection.release()

    def ended(self, code: int) -> None:
        """Tell the end, behind what waits."""
        if self._paused:
            self._waiting.append(code)
        else:
            self.receiver.closed(code)

    def close(self, code: int) -> None:
        """Close the WebSocket; nothing is received any more."""
        self._waiting.clear()
        if self._connection.state is OPEN:
            self._connection.close(code, "")

    def renew(self) -> None:
        """Write by the connection's new wire."""
        self.send = self._connection.out.send_reuse_external_bytearray


def _drop(*wire: Any) -> None:
    """Stand in for the wire of a connection that has ended before."""
