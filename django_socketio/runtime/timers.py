"""A wheel of deadlines, shared by all sessions of an event loop.

Sessions that are due at about the same time share one timer of the event loop. Their pings fall on
a grid, so there are few such times: tests/unit/test_heartbeats.py counts the timers.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from math import ceil
from typing import Protocol

from ..logs import Bursts


class Timed(Protocol):
    """What can be put on the wheel. The wheel alone sets ``slot``, which is None at first."""

    slot: int | None

    def tick(self, now: float) -> float | None:
        """Do what is due at ``now``. Returns the next deadline in the loop's time, or None."""


class Wheel:
    """Calls ``tick`` of the items that are due, at most ``resolution`` seconds late."""

    def __init__(self, loop: AbstractEventLoop, resolution: float) -> None:
        self._loop = loop
        self._resolution = resolution
        self._slots: dict[int, dict[Timed, None]] = {}
        self._bursts = Bursts()

    def __len__(self) -> int:
        """Return how many timers of the event loop are in use."""
        return len(self._slots)

    def schedule(self, item: Timed, deadline: float) -> None:
        """Call ``item.tick`` at ``deadline``, in place of any earlier or later call."""
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
        """Schedule ``item`` at ``deadline``, unless it will be called earlier anyway."""
        if item.slot is None or ceil(deadline / self._resolution) < item.slot:
            self.schedule(item, deadline)

    def cancel(self, item: Timed) -> None:
        """Take ``item`` off the wheel, which then keeps no reference to it."""
        if item.slot is not None:
            self._slots.get(item.slot, {}).pop(item, None)
            item.slot = None

    def _turn(self, number: int) -> None:
        now = self._loop.time()
        for item in self._slots.pop(number):
            if item.slot != number:
                continue  # an item before it has cancelled or rescheduled it
            item.slot = None
            try:
                deadline = item.tick(now)
            except Exception as error:
                self._bursts.failure(error, "a timer failed", now)
                continue
            if deadline is not None:
                self.schedule(item, max(deadline, now + self._resolution / 2))
