"""To whom an operator turns, and how what it sends is sent."""

from __future__ import annotations

from typing import Any, TypeVar

from ..addressing.delivery import NORMAL, Delivery
from ..addressing.rooms import Room
from ..addressing.target import Target

Self = TypeVar("Self", bound="Addressees")


class Addressees:
    """Some sockets of a namespace: all, or those in the rooms that :meth:`to` names.

    Operators chain and never change what they are called on.
    """

    __slots__ = (
        "_delivery",
        "_exclude",
        "_local",
        "_namespace",
        "_on_commit",
        "_rooms",
        "_timeout",
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

    # To whom and how

    @property
    def name(self) -> str:
        """The namespace's name."""
        return self._namespace

    @property
    def volatile(self: Self) -> Self:
        """What is sent may be dropped for clients that cannot take it at once."""
        return self._with("_delivery", self._delivery._replace(volatile=True))

    @property
    def local(self: Self) -> Self:
        """Only the sockets of this process."""
        return self._with("_local", True)

    @property
    def on_commit(self: Self) -> Self:
        """Send when the current database transaction commits; at once if there is none."""
        return self._with("_on_commit", True)

    def timeout(self: Self, seconds: float) -> Self:
        """Wait at most so long for acknowledgements; ``SOCKETIO["ACK_TIMEOUT"]`` by default."""
        return self._with("_timeout", float(seconds))

    def compress(self: Self, compress: bool) -> Self:
        """Whether what is sent may be compressed (HTTP long-polling)."""
        return self._with("_delivery", self._delivery._replace(compress=bool(compress)))

    @property
    def _target(self) -> Target:
        return Target(self._namespace, self._rooms, self._exclude, self._local)
