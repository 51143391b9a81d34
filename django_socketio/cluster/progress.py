"""How far a queue has come, for those who wait for what they have put into it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any


class Progress:
    """Counts what goes into a queue and what has come out of it, in the same order."""

    def __init__(self) -> None:
        self.given = 0
        self.done = 0
        self._waiters: list[asyncio.Future[None]] = []

    def give(self) -> Milestone:
        """Count one thing that goes in; the milestone is reached when it has come out."""
        self.given += 1
        return Milestone(self, self.given)

    def all(self) -> Milestone:
        """Return the milestone that is reached when all that has gone in so far has come out."""
        return Milestone(self, self.given)

    def finish(self, number: int) -> None:
        """Note that the first ``number`` things have come out."""
        if number > self.done:
            self.done = number
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def wait(self) -> asyncio.Future[None]:
        """Return a future that is done when something more has come out."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return waiter


class Milestone:
    """An awaitable: a queue has come as far as a certain number.

    The bus returns it for what is sent: it is reached when the layer has taken the message, or the
    message was dropped for good.
    """

    __slots__ = ("_number", "_progress")

    def __init__(self, progress: Progress, number: int) -> None:
        self._progress = progress
        self._number = number

    @property
    def done(self) -> bool:
        """Whether it is reached."""
        return self._progress.done >= self._number

    def __await__(self) -> Generator[Any, Any, None]:
        while not self.done:
            yield from self._progress.wait().__await__()
