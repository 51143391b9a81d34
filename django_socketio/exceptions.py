"""The exceptions that a project raises or catches."""

from __future__ import annotations

from typing import Any

from .packets import LimitExceeded

__all__ = ["AckTimeout", "ConnectionRefused", "Disconnected", "EventRefused", "LimitExceeded"]


class ConnectionRefused(Exception):
    """Raise it in ``connect`` or ``authenticate`` to refuse a client.

    The client gets a CONNECT_ERROR with ``message``, and with ``data`` (anything JSON can hold)
    where it is given.
    """

    def __init__(self, message: str = "Connection refused", data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class EventRefused(Exception):
    """Raise it in ``receive_event`` or a handler to drop an event.

    There is no acknowledgement and no traceback; the event is counted.
    """

    def __init__(self, reason: str = "refused") -> None:
        super().__init__(reason)
        self.reason = reason


class Disconnected(ConnectionError):
    """The socket that was asked for an acknowledgement has left."""


class AckTimeout(TimeoutError):
    """Not everybody who was asked for an acknowledgement has answered in time.

    ``answers`` is the list of answers that did come, ``missing`` the number of sockets that are
    silent.
    """

    def __init__(self, answers: list[Any] | None = None, missing: int = 1) -> None:
        super().__init__(f"{missing} acknowledgement(s) missing")
        self.answers = [] if answers is None else answers
        self.missing = missing
