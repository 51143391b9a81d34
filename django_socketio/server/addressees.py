"""Which sockets an operator addresses, and how it sends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from django.db import connections, transaction
from django.utils.connection import ConnectionDoesNotExist

from ..addressing.delivery import NORMAL, Delivery
from ..addressing.rooms import Room
from ..addressing.target import Target
from ..conf import get_settings
from ..runtime.awaitables import DONE

Self = TypeVar("Self", bound="Addressees")


class Addressees:
    """The sockets that an operator addresses, and the options of what it sends.

    Each option returns a new object and never changes the one that it is called on, so that options
    can be chained.
    """

    __slots__ = (
        "_delivery",
        "_exclude",
        "_local",
        "_namespace",
        "_on_commit",
        "_rooms",
        "_timeout",
        "_using",
    )

    def __init__(
        self, namespace: str = "/", rooms: tuple[Room, ...] = (), exclude: tuple[Room, ...] = ()
    ) -> None:
        self._namespace = namespace
        self._rooms = rooms
        self._exclude = exclude
        self._delivery: Delivery = NORMAL
        self._local = False
        self._on_commit = False
        self._using: str | None = None
        self._timeout: float | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._namespace} to={self._rooms} exclude={self._exclude}>"

    def _copy(self: Self) -> Self:
        new = object.__new__(type(self))
        for cls in type(self).__mro__:
            for slot in getattr(cls, "__slots__", ()):
                setattr(new, slot, getattr(self, slot))
        return new

    def _with(self: Self, name: str, value: Any) -> Self:
        new = self._copy()
        setattr(new, name, value)
        return new

    @property
    def name(self) -> str:
        """The namespace's name."""
        return self._namespace

    # Options

    @property
    def volatile(self: Self) -> Self:
        """The same, where an event is dropped for clients that cannot take it at once.

        See https://socket.io/docs/v4/emitting-events/#volatile-events
        """
        return self._with("_delivery", self._delivery._replace(volatile=True))

    @property
    def local(self: Self) -> Self:
        """The same, with the sockets of this process only.

        See https://socket.io/docs/v4/server-api/#serverlocal
        """
        return self._with("_local", True)

    @property
    def on_commit(self: Self) -> Self:
        """The same, where events wait until the current database transaction commits.

        They are dropped if it is rolled back, and sent at once if there is no transaction; see
        Django's ``transaction.on_commit``. With this option nothing can be asked.
        """
        return self._with("_on_commit", True)

    def using(self: Self, alias: str) -> Self:
        """Return the same, where ``on_commit`` waits for the transaction of the database ``alias``.

        By default it is that of ``"default"``. Raises ConnectionDoesNotExist for an unknown alias.
        """
        if alias not in connections.settings:
            raise ConnectionDoesNotExist(f"The connection {alias!r} doesn't exist.")
        return self._with("_using", alias)

    def timeout(self: Self, seconds: float) -> Self:
        """Return the same, where acknowledgements may take so many seconds.

        By default they may take ``SOCKETIO["ACK_TIMEOUT"]`` seconds. See
        https://socket.io/docs/v4/emitting-events/#with-timeout
        """
        return self._with("_timeout", float(seconds))

    def compress(self: Self, compress: bool) -> Self:
        """Return the same, where an HTTP answer that holds an event may be compressed, or may not.

        By default it may. It makes no difference to clients that use WebSocket. See
        https://socket.io/docs/v4/server-api/#socketcompressvalue
        """
        return self._with("_delivery", self._delivery._replace(compress=bool(compress)))

    @property
    def _target(self) -> Target:
        return Target(self._namespace, self._rooms, self._exclude, self._local)

    def _seconds(self) -> float:
        return get_settings().ack_timeout if self._timeout is None else self._timeout

    def _when_due(self, act: Callable[[], Awaitable[Any]]) -> Awaitable[Any]:
        """Call ``act`` now, or after ``on_commit`` when the current transaction commits."""
        # A thread without a database connection has no transaction. On an event loop's thread
        # transaction.on_commit() would raise SynchronousOnlyOperation.
        using = self._using
        if self._on_commit and transaction.get_connection(using).connection is not None:
            transaction.on_commit(act, using=using)
            return DONE
        return act()

    def _refuse_on_commit(self, name: str) -> None:
        if self._on_commit:
            raise TypeError(f"{name}() waits for an answer, so it cannot wait for a commit")
