"""What this process has sent lately, so that it can send it again. Without I/O."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Any

from .outbox import OutgoingMessage

# Seconds for which a message is kept: an outage, and the time to notice what it has cost.
KEEP_TIME = 60.0
# What a message, and an operation, weigh in memory beside what they count for in the outbox.
MESSAGE_WEIGHT, OPERATION_WEIGHT = 700, 300
# A destination, the position before for it, a size, and the message as the layer carried it; None
# where the layer cannot carry it.
KeptMessage = tuple[str, int, int, dict[str, Any] | None]
# How many messages are sent again at a time.
BATCH = 500


class Kept:
    """The last messages of this process by their position, at most ``max_size`` bytes of them."""

    def __init__(self, max_size: int) -> None:
        self.size = 0
        self._max_size = max_size
        self._messages: OrderedDict[int, KeptMessage] = OrderedDict()
        # By the position of a message: that of the next one for the same destination.
        self._next: dict[int, int] = {}
        # When what was the newest message.
        self._marks: deque[tuple[float, int]] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: OutgoingMessage, packed: dict[str, Any] | None) -> None:
        """Keep a message that is sent now, or dropped."""
        size = message.size + MESSAGE_WEIGHT + OPERATION_WEIGHT * len(message.operations)
        _, _, position, previous, _ = message.numbers
        self._messages[position] = message.destination, previous, size, packed
        self._next[previous] = position
        self.size += size
        while self.size > self._max_size:
            self._drop_oldest()

    def refuse(self, position: int) -> None:
        """Note that the layer cannot carry a message: it is not to be sent again."""
        kept = self._messages.get(position)
        if kept is not None:
            self._messages[position] = *kept[:3], None

    def age(self, now: float) -> None:
        """Drop what is older than :data:`KEEP_TIME`. To be called every few seconds."""
        while self._marks and self._marks[0][0] <= now - KEEP_TIME:
            _, position = self._marks.popleft()
            while self._messages and next(iter(self._messages)) <= position:
                self._drop_oldest()
        if self._messages:
            self._marks.append((now, next(reversed(self._messages))))

    def _drop_oldest(self) -> None:
        _, (_, previous, size, _) = self._messages.popitem(last=False)
        self.size -= size
        self._next.pop(previous, None)

    def find(
        self, missing: Iterable[tuple[str, int, int]], room: int
    ) -> tuple[list[dict[str, Any]], int, dict[str, int]]:
        """Return what is to be sent again now, in the order in which it was sent first.

        ``missing`` names destinations, each with the position behind which messages are missing,
        and that of the last missing one. Returned are messages of about ``room`` bytes, at least
        one, and their size; and by destination, up to which position those that are not returned
        are kept no more.
        """
        found: set[int] = set()
        gone: dict[str, int] = {}
        for destination, after, until in missing:
            positions = self._ahead(destination, after, until)
            if not positions:
                positions, lacking = self._back(destination, after, until)
                if lacking:
                    gone[destination] = max(lacking, gone.get(destination, 0))
            found.update(positions)
        batch: list[dict[str, Any]] = []
        size = 0
        for position in sorted(found):
            destination, _, weight, packed = self._messages[position]
            if len(batch) >= BATCH or (batch and size + weight > room):
                break
            if packed is None:
                gone[destination] = max(position, gone.get(destination, 0))
            else:
                batch.append(packed)
                size += weight
        return batch, size, gone

    def _ahead(self, destination: str, after: int, until: int) -> list[int]:
        """Follow a destination's messages from the one behind ``after``: as many as are sent.

        Returns none where there is a gap.
        """
        found: list[int] = []
        position = after
        while position < until and len(found) < BATCH:
            following = self._next.get(position, 0)
            kept = self._messages.get(following)
            if kept is None or kept[0] != destination:
                return []
            position = following
            found.append(position)
        return found

    def _back(self, destination: str, after: int, until: int) -> tuple[list[int], int]:
        """Follow a destination's messages back to ``after``, or to the position that is gone."""
        found: list[int] = []
        position = until
        while position > after:
            kept = self._messages.get(position)
            if kept is None or kept[0] != destination:
                return found[::-1], position
            found.append(position)
            position = kept[1]
        return found[::-1], 0
