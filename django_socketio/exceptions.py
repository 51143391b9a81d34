"""The exceptions of this package, all below :class:`SocketIOError`.

.. code-block:: text

    SocketIOError
    ├── ConnectionRefused       raise it in connect(): the client may not enter
    ├── EventRefused            raise it in a handler: the event is dropped
    ├── AckTimeout              an acknowledgement has not come in time (a TimeoutError)
    ├── Disconnected            the socket that was asked has left (a ConnectionError)
    ├── LocalProtocolError      the project does what the server cannot do
    │   └── LimitExceeded       a name is too long for a room (a ValueError)
    │       ├── TooManyRooms    a socket is in too many rooms
    │       └── TooManyWaiting  too many threads wait for answers
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
    "TooManyWaiting",
]


class SocketIOError(Exception):
    """The base of all exceptions of this package."""


class LocalProtocolError(SocketIOError):
    """The project asks for what the server cannot do. It is never held against a client."""


class RemoteProtocolError(SocketIOError):
    """A client breaks the protocol. The server closes the client's session, and nothing else."""


class LimitExceeded(LocalProtocolError, ValueError):
    """A call exceeds one of the limits in ``SOCKETIO``, such as ``join`` with too long a name."""


class TooManyRooms(LimitExceeded):
    """A socket would be in more than ``MAX_ROOMS`` rooms.

    Clients often name the rooms, so this stops a client that floods the server with names: when a
    handler does not catch the exception, the client's session is closed.
    """


class TooManyWaiting(LimitExceeded):
    """A blocking call, such as ``self.call``, has waited longest of ``MAX_WAITING_THREADS``.

    It gives up, so that clients who never answer do not hold all threads. To ask many clients at
    once, make the handler ``async def`` and await ``acall``, which needs no thread.
    """

    def __init__(self) -> None:
        super().__init__("too many threads wait for answers")


class ConnectionRefused(SocketIOError):
    """Raise it in ``connect`` or ``authenticate`` to refuse a client.

    The client gets a CONNECT_ERROR packet, which its ``connect_error`` event shows as an error with
    this ``message``, and this ``data`` (anything that JSON can hold) if it is given. The same in
    Socket.IO: https://socket.io/docs/v4/middlewares/#handling-middleware-error
    """

    def __init__(self, message: str = "Connection refused", data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class EventRefused(SocketIOError):
    """Raise it in ``receive_event`` or a handler to drop an event.

    With a ``code``, a client that asked for an acknowledgement gets one argument:
    ``{"error": {"code": code, "message": reason, **details}}``; ``details`` are values that JSON
    can hold. Without a code it gets no acknowledgement. No traceback is logged. The admin shows how
    many events were refused, by ``code``, else by ``reason``.
    """

    def __init__(self, reason: str = "refused", code: str | None = None, **details: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.details = details


class Disconnected(SocketIOError, ConnectionError):
    """The one socket that was asked for an acknowledgement has left without giving it."""


class AckTimeout(SocketIOError, TimeoutError):
    """Not every acknowledgement has come in time.

    ``answers`` is the list of those that have come. ``missing`` is how many have not: of sockets,
    those that left included; after ``server_side_call``, of processes. As in Socket.IO:
    https://socket.io/docs/v4/emitting-events/#with-timeout
    """

    def __init__(self, answers: list[Any] | None = None, missing: int = 1) -> None:
        super().__init__(f"{missing} acknowledgement(s) missing")
        self.answers = [] if answers is None else answers
        self.missing = missing
