"""Sequence numbers: how a loss on the channel layer is noticed."""

from __future__ import annotations

from collections import OrderedDict

# Destinations that a sender keeps a number for; the one used longest ago is forgotten.
MAX_DESTINATIONS = 50_000
# Senders that a receiver keeps numbers of: commands come and go without a word.
MAX_SENDERS = 10_000


class Sender:
    """Numbers messages upwards, for each destination (a group or a process) on its own."""

    def __init__(self) -> None:
        # By destination: the first and the last number of its run.
        self._runs: OrderedDict[str, tuple[int, int]] = OrderedDict()
        # The highest number of a destination that was forgotten: new runs begin above it, so that
        # no number comes twice.
        self._highest = 0

    def next(self, destination: str) -> tuple[int, int]:
        """Return the first number of the run, and the number of the next message, of a destination.

        A run begins when a destination is new, or was forgotten.
        """
        first, last = self._runs.get(destination, (self._highest + 1, self._highest))
        self._runs[destination] = first, last + 1
        self._runs.move_to_end(destination)
        if len(self._runs) > MAX_DESTINATIONS:
            _, (_, number) = self._runs.popitem(last=False)
            self._highest = max(self._highest, number)
        return first, last + 1


class Receiver:
    """Compares the numbers of what arrives with what should arrive."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, dict[str, int]] = OrderedDict()

    def lost(self, sender: str, group: str, first: int, number: int) -> int | None:
        """Return how many messages are missing before this one; None for a duplicate.

        ``first`` and ``number`` are what :meth:`Sender.next` gave. The first message heard from a
        sender in a group sets the count.
        """
        numbers = self._last.setdefault(sender, {})
        self._last.move_to_end(sender)
        if len(self._last) > MAX_SENDERS:
            self._last.popitem(last=False)
        last = numbers.get(group)
        if last is not None and number <= last:
            return None
        numbers[group] = number
        return 0 if last is None else number - max(last + 1, first)

    def forget_group(self, group: str) -> None:
        """Forget the numbers of a group: this process has not been in it for a while."""
        for numbers in self._last.values():
            numbers.pop(group, None)

    def forget(self, sender: str) -> None:
        """Forget the numbers of a sender that is gone."""
        self._last.pop(sender, None)
