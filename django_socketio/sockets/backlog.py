"""How many events of a client wait for the handlers before them."""

from __future__ import annotations

import asyncio

from ..conf import Settings


class Backlog:
    """Counts waiting events: ``events`` is how many, ``size`` their length in characters.

    ``crowded`` says that they are more than the settings allow, and that reading should pause.
    """

    __slots__ = ("_settings", "_waiters", "crowded", "events", "size")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.events = 0
        self.size = 0
        self._waiters: list[asyncio.Future[None]] = []
        self.crowded = False

    def add(self, size: int, events: int = 1) -> None:
        """Count an event of ``size`` characters; ``events=-1`` takes one away."""
        self.events += events
        self.size += size * events
        settings = self._settings
        self.crowded = self.events > 0 and (
            self.events > settings.max_pending_events
            or self.size > settings.max_pending_events_size
        )
        if not self.crowded and self._waiters:
            release(self._waiters)

    def wait(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """Return a future that is done when reading may go on."""
        waiter = loop.create_future()
        self._waiters.append(waiter)
        return waiter

    def give_up(self) -> None:
        """Let everyone go on who waits: the client has gone."""
        release(self._waiters)


def release(waiters: list[asyncio.Future[None]]) -> None:
    """Complete all of these futures, and forget them."""
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
    waiters.clear()
