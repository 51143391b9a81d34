"""What a socket needs of the client that it belongs to."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Any, Protocol

from ..engineio import Frame, Reason, Session
from ..packets import Packet, PacketError


class Connection(Protocol):
    """A client (:class:`.client.Client`) as its sockets see it.

    ``sockets`` holds those of its namespaces, ``living`` counts those that are at work, the ones
    that have left among them, ``pending_acks`` the questions that it has not answered.
    ``thread_sensitive`` is true in tests, which want the ORM to run where their transaction is.
    """

    session: Session
    scope: dict[str, Any]
    connected_at: datetime
    thread_sensitive: bool
    sockets: dict[str, Any]
    living: int
    pending_acks: int

    def admitted(self) -> None:
        """A namespace has admitted the client."""

    def refuse(self, namespace: str, data: dict[str, Any]) -> None:
        """Tell the client that it may not enter a namespace."""

    def send(self, frames: tuple[Frame, ...], volatile: bool = False) -> bool:
        """Write frames, or put them into the session's buffer."""

    def wait_until_drained(self) -> Awaitable[None]:
        """Wait until the buffer is below its low-water mark."""

    def queued(self, packet: Packet) -> None:
        """An event has to wait for the handler before it."""

    def unqueued(self, packet: Packet) -> None:
        """An event's turn has come."""

    def violation(self, error: PacketError) -> None:
        """The client has broken the protocol."""

    def abort(self, reason: Reason, detail: str = "") -> None:
        """End the connection at once."""

    def disconnect(self) -> None:
        """Leave every namespace, then end the connection."""
