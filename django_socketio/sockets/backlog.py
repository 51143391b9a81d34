"""Events of a client that wait for the handlers before them, and who waits for them."""

from __future__ import annotations

import asyncio

from ..conf import Settings


class Backlog:
    """Counts waiting events. ``crowded`` says that they are so many that reading should pause."""

    __slots__ = ("_settings", "_waiters", "crowded", "events", "size")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.events = 0
        self.size = 0
        self._waiters: list[asyncio.Future[None]] = []
        self.crowded = False

    def add(self, size: int, events: int = 1) -> None:
        """An event of this many characters waits; with ``events=-1`` it waits no more."""
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
        """Nobody needs to wait any more: the client has gone."""
        release(self._waiters)


def release(waiters: list[asyncio.Future[None]]) -> None:
    """Let go of all who wait."""
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
    waiters.clear()
