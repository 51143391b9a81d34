"""Sequence numbers: how a loss on the channel layer is noticed, and what is to be sent again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

# Destinations that a sender keeps a number for; the one used longest ago is forgotten.
MAX_DESTINATIONS = 50_000


class Numbers(NamedTuple):
    """What a message is recognised by.

    ``number`` counts the messages for its destination, ``first`` is that of the first one of the
    run. ``position`` counts all messages of the sender; ``previous`` is the position of the message
    before for the same destination, 0 for the first one of a run. ``before`` is the :func:`tail` of
    the destination of the message that has the position before, whatever that is.
    """

    first: int
    number: int
    position: int
    previous: int
    before: str


# Those of a message that is not numbered.
NONE = Numbers(0, 0, 0, 0, "")


def tail(destination: str) -> str:
    """Return the end of a destination's name, by which those who know it recognise it."""
    return destination[-8:]


class Sender:
    """Numbers messages upwards: all of them, and for each destination (a group or a process)."""

    def __init__(self) -> None:
        # The position of the last message.
        self.position = 0
        # The tail of the destination of the last message.
        self._before = ""
        # By destination: the first and the last number of its run, and the last position. The one
        # used last stands at the end.
        self._runs: OrderedDict[str, tuple[int, int, int]] = OrderedDict()
        # The highest number of a destination that was forgotten: new runs begin above it, so that
        # no number comes twice.
        self._highest = 0

    def next(self, destination: str) -> Numbers:
        """Return the numbers of the next message for a destination.

        A run begins when a destination is new, or was forgotten.
        """
        run = self._runs.get(destination)
        first, last, previous = run or (self._highest + 1, self._highest, 0)
        self.position += 1
        self._runs[destination] = first, last + 1, self.position
        self._runs.move_to_end(destination)
        if len(self._runs) > MAX_DESTINATIONS:
            _, (_, number, _) = self._runs.popitem(last=False)
            self._highest = max(self._highest, number)
        before, self._before = self._before, tail(destination)
        return Numbers(first, last + 1, self.position, previous, before)

    def used_since(self, position: int, limit: int) -> tuple[int, list[tuple[str, int]]]:
        """Return the destinations that were used last behind a position, and where, in that order.

        They are all of them up to the position that is returned first: at most ``limit``.
        """
        used: list[tuple[str, int]] = []
        for destination in reversed(self._runs):
            last = self._runs[destination][2]
            if last <= position:
                break
            used.append((destination, last))
        used.reverse()
        if len(used) > limit:
            return used[limit - 1][1], used[:limit]
        return self.position, used


class Received(NamedTuple):
    """A message of another process.

    ``group`` is empty for one to this process alone. ``lost`` is how many messages of that sender
    in that group are missing before this one.
    """

    sender: str
    group: str
    numbers: Numbers
    operations: list[list[Any]]
    lost: int = 0
