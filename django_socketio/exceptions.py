"""The exceptions of this package, all below :class:`SocketIOError`.

.. code-block:: text

    SocketIOError
    ├── ConnectionRefused       raise it in connect(): the client may not enter
    ├── EventRefused            raise it in a handler: the event is dropped
    ├── AckTimeout              an acknowledgement has not come in time (a TimeoutError)
    ├── Disconnected            the socket that was asked has left (a ConnectionError)
    ├── LocalProtocolError      the project does what the server cannot do
    │   └── LimitExceeded       a room has too long a name (a ValueError)
    │       └── TooManyRooms    a socket is in too many
    └── RemoteProtocolError     a client breaks the protocol; projects never see it
        ├── engineio.EngineIOError
        └── packets.PacketError
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "AckTimeout",
    "ConnectionRefused",
    "Disconnected",
    "EventRefused",
    "LimitExceeded",
    "LocalProtocolError",
    "RemoteProtocolError",
    "SocketIOError",
    "TooManyRooms",
]


class SocketIOError(Exception):
    """The base of all exceptions of this package."""


class LocalProtocolError(SocketIOError):
    """The project does what the server cannot do; never held against a client."""


class RemoteProtocolError(SocketIOError):
    """A client breaks the protocol: its session is closed, and nothing else."""


class LimitExceeded(LocalProtocolError, ValueError):
    """A wish goes past one of the limits in ``SOCKETIO``, as ``join`` with too long a name."""


class TooManyRooms(LimitExceeded):
    """A socket is in ``MAX_ROOMS`` rooms already. Clients name rooms, and may flood us with them:
    a handler that does not catch it ends the client's session."""


class ConnectionRefused(SocketIOError):
    """Raise it in ``connect`` or ``authenticate`` to refuse a client.

    The client gets a CONNECT_ERROR with ``message``, and with ``data`` (anything JSON can hold)
    where it is given.
    """

    def __init__(self, message: str = "Connection refused", data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class EventRefused(SocketIOError):
    """Raise it in ``receive_event`` or a handler to drop an event.

    There is no acknowledgement and no traceback; the event is counted.
    """

    def __init__(self, reason: str = "refused") -> None:
        super().__init__(reason)
        self.reason = reason


class Disconnected(SocketIOError, ConnectionError):
    """The socket that was asked for an acknowledgement has left."""


class AckTimeout(SocketIOError, TimeoutError):
    """Some sockets have not answered in time.

    ``answers`` is the list of answers that did come, ``missing`` the number of sockets that are
    silent.
    """

    def __init__(self, answers: list[Any] | None = None, missing: int = 1) -> None:
        super().__init__(f"{missing} acknowledgement(s) missing")
        self.answers = [] if answers is None else answers
        self.missing = missing
