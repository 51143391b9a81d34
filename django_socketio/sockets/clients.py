"""The clients of an event loop, by session id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from ..engineio import Session
from ..runtime.timers import Wheel
from .behaviour import Behaviour
from .local import Local

# Finds what serves a namespace, with what its name captured; None for an unknown one.
Find = Callable[[str], "tuple[Behaviour, dict[str, Any]] | None"]


class HasSession(Protocol):
    """What is kept by the id of its session."""

    session: Session

    def tick(self, now: float) -> float | None:
        """Do what is due."""


C = TypeVar("C", bound=HasSession)


class Clients(dict[str, C]):
    """The clients of an event loop by session id, and what they share.

    ``pending`` counts the sessions that have not joined a namespace yet.
    """

    def __init__(self, local: Local[Any], find: Find) -> None:
        super().__init__()
        self.local = local
        self.find = find
        self.pending = 0
        settings = local.settings
        shortest = min(settings.ping_interval, settings.ping_timeout, settings.connect_timeout)
        # Much finer than the grid of pings: who does not answer is noticed at once.
        self.wheel = Wheel(local.runtime.loop, min(1.0, shortest / 20) / 20)
        # Set when the last client has gone while the process ends.
        self._empty = asyncio.Event()

    def living(self, sid: str) -> C | None:
        """Return the client with a session id, None for an unknown one.

        One whose time for a pong has run out ends here, even if its timer comes a little later.
        """
        client = self.get(sid)
        if client is not None and client.session.overdue(now := self.local.runtime.loop.time()):
            client.tick(now)
            return None
        return client

    def forget(self, client: C) -> bool:
        """Forget a client whose session is over. Returns False when it was forgotten before."""
        known = self.pop(client.session.sid, None) is not None
        if self.local.closing and not self:
            self._empty.set()
        return known

    async def wait_until_empty(self) -> None:
        """Wait until the last client has gone. Only for a process that ends."""
        if self:
            await self._empty.wait()

    @property
    def upgrading(self) -> bool:
        """Whether a client is upgrading from polling to WebSocket."""
        return any(client.session.probed for client in list(self.values()))
