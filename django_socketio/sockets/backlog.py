"""What is held for clients while their handlers are busy, and when reading should pause."""

from __future__ import annotations

import asyncio

from ..conf import Settings
from ..packets import LARGE

TOO_MANY_EVENTS = "too many events wait for a handler"
TOO_MUCH_IN_ALL = "too much is held for all clients"


class TotalBacklog:
    """What the backlogs of all clients of an event loop weigh together, in bytes of memory."""

    __slots__ = ("_paused", "limit", "size")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._paused: set[Backlog] = set()

    @property
    def full(self) -> bool:
        """Whether a client that holds more than a little may add nothing."""
        return self.size > self.limit

    @property
    def overflows(self) -> bool:
        """Whether pausing does not help any more: each client may still have sent a message."""
        return self.size > 2 * self.limit

    def add(self, weight: int) -> None:
        """Count ``weight`` bytes, fewer where it is negative."""
        self.size += weight
        if self._paused and not self.full:
            paused, self._paused = self._paused, set()
            for backlog in paused:
                backlog.go_on()

    def pause(self, backlog: Backlog) -> None:
        """Let a backlog go on when there is room again."""
        self._paused.add(backlog)

    def forget(self, backlog: Backlog) -> None:
        """Forget a backlog whose client has gone."""
        self._paused.discard(backlog)


class Backlog:
    """What is held for a client; sizes are in bytes of memory, about.

    ``events`` is how many wait for the handler before them, or run beside it, and ``size`` what
    these weigh. ``incomplete`` is what a packet weighs whose attachments are due. ``held`` is that
    and large events that are being handled.
    """

    __slots__ = ("_settings", "_total", "_waiters", "events", "held", "incomplete", "size")

    def __init__(self, settings: Settings, total: TotalBacklog) -> None:
        self._settings = settings
        self._total = total
        self.events = 0
        self.size = 0
        self.held = 0
        self.incomplete = 0
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def excess(self) -> str | None:
        """Say why reading should pause, None when it need not.

        One event alone may weigh what it wants, and a client that holds next to nothing is not
        punished for what others hold.
        """
        settings = self._settings
        if self.events > 1 and (
            self.events > settings.max_pending_events
            or self.size > settings.max_pending_events_size
        ):
            return TOO_MANY_EVENTS
        return TOO_MUCH_IN_ALL if self.takes_others_room else None

    @property
    def takes_others_room(self) -> bool:
        """Whether too much is held for all clients, and more than next to nothing for this one."""
        return self._total.full and self.size + self.held > LARGE

    @property
    def awaited(self) -> bool:
        """Whether reading has paused."""
        return bool(self._waiters)

    def add(self, weight: int, events: int = 1) -> None:
        """Count an event that waits; ``events=-1`` takes one away."""
        self.events += events
        self.size += weight * events
        self._changed(weight * events)

    def hold(self, weight: int) -> None:
        """Count ``weight`` bytes that no waiting event has, fewer where it is negative."""
        self.held += weight
        self._changed(weight)

    def hold_incomplete(self, weight: int) -> None:
        """Count what an incomplete packet weighs now, 0 when there is none."""
        more, self.incomplete = weight - self.incomplete, weight
        self.hold(more)

    def _changed(self, weight: int) -> None:
        self._total.add(weight)
        if self._waiters:
            self.go_on()

    def wait(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """Return a future that is done when reading may go on."""
        waiter = loop.create_future()
        self._waiters.append(waiter)
        self.go_on()
        return waiter

    def go_on(self) -> None:
        """Let those who wait go on, if nothing stands against it any more."""
        excess = self.excess
        if excess is None:
            self.give_up()
        elif excess is TOO_MUCH_IN_ALL:
            self._total.pause(self)

    def give_up(self) -> None:
        """Let everyone go on who waits: the client has gone, or reading may go on."""
        self._total.forget(self)
        release(self._waiters)


def release(waiters: list[asyncio.Future[None]]) -> None:
    """Complete all of these futures, and forget them."""
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
    waiters.clear()
