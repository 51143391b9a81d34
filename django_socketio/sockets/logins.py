"""The clients of an event loop by login, so that they end with it, in whatever state they are."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from ..addressing.logins import Login, login_of
from ..engineio import Reason
from ..logs import logger

# For so many seconds after a logout no client of that login is let in, until the session is gone
# from the database. All clients of a user are kept out only where the login is not known.
LOGIN_MEMORY, USER_MEMORY = 60.0, 2.0
# How long and how many logouts are remembered, for handshakes that have begun before.
MEMORY, MAX_REMEMBERED = 120.0, 10_000


class HasLogin(Protocol):
    """What ends with a login."""

    login: Login | None
    scope: dict[str, Any]

    def disconnect(self) -> None:
        """Leave every namespace, and end the connection."""

    def close(self, reason: Reason) -> None:
        """End the connection; the client comes again by itself."""


C = TypeVar("C", bound=HasLogin)


class Logins(Generic[C]):
    """See the module's docstring. Its methods are called on the loop's own thread."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._clients: dict[str, set[C]] = {}
        # Who has logged out, the longest ago first, and until when handshakes are too early.
        self._ended: dict[str, float] = {}

    def add(self, client: C) -> None:
        """Keep a client that has a login."""
        client.login = login_of(client.scope.get("session"))
        if client.login is not None:
            self._clients.setdefault(client.login.id, set()).add(client)

    def remove(self, client: C) -> None:
        """Forget a client."""
        if client.login is not None:
            clients = self._clients[client.login.id]
            clients.discard(client)
            if not clients:
                del self._clients[client.login.id]

    def has_ended(self, session: Any, began: float) -> bool:
        """Whether a session has logged out. ``began``: when its handshake did, in loop time."""
        login = login_of(session)
        return login is not None and (
            self._ended.get(login.id, 0.0) > began
            or self._ended.get(_user_key(login.user), 0.0) > began
        )

    def is_over(self, login: Login | None) -> bool:
        """Whether a login has logged out, a short time ago."""
        now = self._loop.time()
        return login is not None and (
            self._ended.get(login.id, 0.0) > now
            or self._ended.get(_user_key(login.user), 0.0) > now
        )

    def end(self, logins: Iterable[str], user: str) -> None:
        """End the connections of logins, which are given by their ids.

        ``user`` is an id, or "" where the logins are all that is to end. Of a user the clients lose
        their connection, too, but may come again: those that have logged out will be anonymous.
        """
        now = self._loop.time()
        for login in logins:
            self._remember(login, now + LOGIN_MEMORY)
            for client in list(self._clients.get(login, ())):
                _end(client.disconnect)
        if user:
            self._remember(_user_key(user), now + USER_MEMORY)
            every = [client for clients in self._clients.values() for client in clients]
            for client in every:
                if client.login is not None and client.login.user == user:
                    _end(client.close, Reason.SERVER_CLOSE)

    def _remember(self, ended: str, until: float) -> None:
        self._ended.pop(ended, None)
        self._ended[ended] = until
        oldest = next(iter(self._ended))
        while len(self._ended) > MAX_REMEMBERED or self._ended[oldest] + MEMORY < self._loop.time():
            del self._ended[oldest]
            oldest = next(iter(self._ended))


def _user_key(user: str) -> str:
    """Return the key of a user among logins, whose ids have no blanks."""
    return f"user {user}"


def _end(end: Callable[..., None], *args: Any) -> None:
    """Call ``end``: an error with one client must not keep the others connected."""
    try:
        end(*args)
    except Exception:
        logger.exception("a client that has logged out could not be closed")
