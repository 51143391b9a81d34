"""What a socket needs of its client, as a protocol, so that no module imports in a circle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from typing import Any, Protocol

from ..addressing.logins import Login
from ..conf import Settings
from ..engineio import Frame, Reason, Session
from ..packets import PacketError
from ..runtime.timers import Timed
from .backlog import Backlog
from .clients import Clients
from .places import Place
from .protocols import Protocol5
from .transport import Transport


class Connection(Timed, Protocol):
    """A client (:class:`.client.Client`) as its sockets see it.

    ``sockets`` are the client's sockets by namespace. ``living`` counts its sockets until their
    ``disconnect`` has ended, ``pending_acks`` the questions that it has not answered yet.
    ``place`` is its place among the clients without a namespace, None once it has joined one.
    ``backlog`` counts what is held for it, None before the first, and ``crowded`` says that reading
    should pause; ``attachments_deadline`` is when those that are due must have come. ``stalled``
    has what sockets wait for while the client does not read; None while it does.
    ``thread_sensitive`` is True in tests whose ORM calls must run in the thread of the test's
    transaction.
    """

    clients: Clients[Any]
    settings: Settings
    protocol: Protocol5
    session: Session
    scope: dict[str, Any]
    login: Login | None
    connected_at: datetime
    thread_sensitive: bool
    sockets: dict[str, Any]
    living: int
    place: Place[Any] | None
    pending_acks: int
    loop: asyncio.AbstractEventLoop
    local: Any
    transport: Transport
    backlog: Backlog | None
    crowded: bool
    attachments_deadline: float | None
    stalled: dict[Any, asyncio.Future[None]] | None

    def admitted(self) -> None:
        """Note that a namespace has admitted the client."""

    def refuse(self, namespace: str, data: dict[str, Any]) -> None:
        """Tell the client that it may not enter a namespace."""

    def send(self, frames: tuple[Frame, ...], volatile: bool = False) -> bool:
        """Write frames, or put them into the session's buffer."""

    def wait_until_drained(self) -> Awaitable[None]:
        """Wait until the buffer is below its low-water mark."""

    def violation(self, error: PacketError) -> None:
        """Close the session: the client has broken the protocol."""

    def abort(self, reason: Reason, detail: str = "") -> None:
        """End the connection at once."""

    def disconnect(self) -> None:
        """Leave every namespace, then end the connection."""
