"""Sequence numbers: how a loss on the channel layer is noticed."""

from __future__ import annotations

from collections import OrderedDict

# Destinations that a sender keeps a number for; the one used longest ago begins again at 1.
MAX_DESTINATIONS = 50_000


class Sender:
    """Numbers messages from 1, for each destination (a group or a process) on its own."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[str, int] = OrderedDict()

    def next(self, destination: str) -> int:
        """The number of the next message to ``destination``."""
        number = self._numbers.get(destination, 0) + 1
        self._numbers[destination] = number
        self._numbers.move_to_end(destination)
        if len(self._numbers) > MAX_DESTINATIONS:
            self._numbers.popitem(last=False)
        return number


class Receiver:
    """Compares the numbers of what arrives with what should arrive."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, int]] = {}

    def lost(self, sender: str, group: str, number: int) -> int | None:
        """How many messages are missing before this one; None for one that was there already.

        The first message heard from a sender in a group sets the count; 1 sets it anew.
        """
        last = self._last.setdefault(sender, {})
        expected = last.get(group)
        if expected is None or (number == 1 and expected != 1):
            last[group] = number
            return 0
        if number <= expected:
            return None
        last[group] = number
        return number - expected - 1

    def left(self, group: str) -> None:
        """This process is in the group no more."""
        for last in self._last.values():
            last.pop(group, None)

    def forget(self, sender: str) -> None:
        """The sender is gone."""
        self._last.pop(sender, None)
