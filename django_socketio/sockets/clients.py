"""The clients of an event loop, by session id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from ..engineio import Session
from ..runtime.timers import Wheel
from .behaviour import Behaviour
from .local import Local
from .logins import HasLogin

# Finds what serves a namespace, with what its name captured; None for an unknown one.
Find = Callable[[str], "tuple[Behaviour, dict[str, Any]] | None"]


class HasSession(HasLogin, Protocol):
    """What is kept by the id of its session."""

    session: Session


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
        self.wheel = Wheel(local.runtime.loop, min(1.0, shortest / 20))
        # Set when the last client has gone while the process ends.
        self._empty = asyncio.Event()

    def add(self, client: C) -> None:
        """Keep a new client, which has not joined a namespace yet."""
        self[client.session.sid] = client
        self.pending += 1
        self.local.logins.add(client)

    def forget(self, client: C) -> bool:
        """Forget a client whose session is over. Returns False when it was forgotten before."""
        known = self.pop(client.session.sid, None) is not None
        if known:
            self.local.logins.remove(client)
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
