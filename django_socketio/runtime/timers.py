"""One timer for all sessions of a loop: a coarse wheel of deadlines.

A session's deadlines (the next ping, the ping timeout) come round every few seconds and need no
precision, so sessions that are due at about the same time share one timer of the event loop.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from math import ceil
from typing import Protocol

from ..logs import logger


class Timed(Protocol):
    """What can be put on the wheel; ``slot`` is the wheel's own, None at first."""

    slot: int | None

    def tick(self, now: float) -> float | None:
        """Do what is due at ``now``; return the next deadline, None for no more."""


class Wheel:
    """Calls ``tick`` of what is due. ``resolution`` is in seconds: how late a call may come."""

    def __init__(self, loop: AbstractEventLoop, resolution: float) -> None:
        self._loop = loop
        self._resolution = resolution
        self._slots: dict[int, dict[Timed, None]] = {}

    def __len__(self) -> int:
        """How many timers of the event loop are in use."""
        return len(self._slots)

    def schedule(self, item: Timed, deadline: float) -> None:
        """Call ``item.tick`` at ``deadline`` or up to ``resolution`` later, and only then."""
        number = ceil(deadline / self._resolution)
        if item.slot == number:
            return
        self.cancel(item)
        slot = self._slots.get(number)
        if slot is None:
            slot = self._slots[number] = {}
            self._loop.call_at(number * self._resolution, self._turn, number)
        slot[item] = None
        item.slot = number

    def hasten(self, item: Timed, deadline: float) -> None:
        """As :meth:`schedule`, unless ``item`` is to be called earlier anyway."""
        if item.slot is None or ceil(deadline / self._resolution) < item.slot:
            self.schedule(item, deadline)

    def cancel(self, item: Timed) -> None:
        """Forget ``item``, so that it can be freed."""
        if item.slot is not None:
            self._slots.get(item.slot, {}).pop(item, None)
            item.slot = None

    def _turn(self, number: int) -> None:
        now = self._loop.time()
        for item in self._slots.pop(number):
            if item.slot != number:
                continue  # cancelled or put off by one before it
            item.slot = None
            try:
                deadline = item.tick(now)
            except Exception:
                logger.exception("a timer failed")
                continue
            if deadline is not None:
                self.schedule(item, max(deadline, now + self._resolution / 2))
