"""One sender's messages while some of them are missing: what waits, and what is asked for.

Without I/O and without a clock: :meth:`Healing.tick` is called every :data:`TICK` seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush, nsmallest
from itertools import count
from typing import Any, NamedTuple

from .sequence import Received

# Seconds between two ticks. How many ticks pass until the sender is asked once more, when it does
# not answer or what it has sent does not arrive: the first time, doubled up to the longest one.
TICK = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 2, 10
# How many gaps of one group are asked for at a time.
GAPS_AT_ONCE = 20

# A group, the position behind which messages are missing, and that of the last one that is known
# to be missing.
Gap = tuple[str, int, int]


class Said(NamedTuple):
    """What a sender says of its messages between two positions.

    ``last`` are the positions of the last ones in groups that this process is in, ``gone`` those up
    to which the sender cannot send again what was asked for. ``answer`` says that something was;
    ``channel`` is the sender's own.
    """

    channel: str
    answer: bool
    since: int
    until: int
    last: dict[str, int]
    gone: dict[str, int]


_Heap = list[tuple[int, int, Received]]


class Chain:
    """The messages of one group: each names the position of the one before it.

    ``reached`` is the position up to which nothing is missing; None where this process has no claim
    to what was said before the first message that it hears.
    """

    def __init__(self, reached: int | None) -> None:
        self.reached = reached
        # Messages behind a gap, and the position of the last message that there is.
        self.waiting: _Heap = []
        self.announced = 0

    def gaps(self, group: str) -> list[Gap]:
        """Return the first gaps of the group, in their order."""
        reached = self.reached
        if reached is None:
            return []
        found: list[Gap] = []
        for position, _, message in nsmallest(GAPS_AT_ONCE, self.waiting):
            if message.numbers.previous > reached:
                found.append((group, reached, message.numbers.previous))
            reached = position
        if not self.waiting and self.announced > reached:
            found.append((group, reached, self.announced))
        return found


class Healing:
    """See the module's docstring.

    ``reached`` returns up to which position nothing of a group is missing, None where this process
    has no claim. All groups are whole up to the position ``whole``; the healing is over when they
    are up to the position ``noticed``, at least.
    """

    def __init__(
        self, reached: Callable[[str], int | None], whole: int, noticed: int, patience: int
    ) -> None:
        self.whole = whole
        # About how many bytes wait.
        self.size = 0
        self._reached = reached
        self._noticed = noticed
        self._patience = patience
        self._chains: dict[str, Chain] = {}
        # Messages before which nothing of their group is missing.
        self._ready: _Heap = []
        self._numbers = count()
        # What was missing first when the sender was asked, and at the last tick; the ticks without
        # progress, those until the sender is asked again, and the pause before.
        self._asked: Gap | int | None = None
        self._oldest: Gap | int | None = None
        self._idle = 0
        self._due = self._pause = FIRST_PAUSE

    def hold(self, message: Received) -> bool:
        """Hold a message back. Returns False for one that has come already."""
        position = message.numbers.position
        chain = self._chain(message.group)
        if chain.reached is not None and position <= chain.reached:
            return False
        self.size += _weigh(message.operations)
        heappush(chain.waiting, (position, next(self._numbers), message))
        self._follow(chain)
        return True

    def announced(self, group: str, position: int) -> None:
        """Take that there is a message of a group."""
        chain = self._chain(group)
        chain.announced = max(chain.announced, position)

    def said(self, said: Said) -> None:
        """Take what the sender says of its messages."""
        for group, position in said.last.items():
            self.announced(group, position)
        if said.since <= self.whole:
            self.whole = max(self.whole, said.until)
        for group, position in said.gone.items():
            self._give_up(self._chain(group), position)

    def forget(self, group: str) -> None:
        """Drop what waits of a group: this process has left it."""
        chain = self._chains.pop(group, None)
        if chain is not None:
            self._ready = [entry for entry in self._ready if entry[2].group != group]
            heapify(self._ready)
            waiting = self._ready + [one for each in self._chains.values() for one in each.waiting]
            self.size = sum(_weigh(message.operations) for _, _, message in waiting)

    @property
    def gaps(self) -> list[Gap]:
        """What is missing, as far as is known: the oldest first."""
        found = [gap for group, chain in self._chains.items() for gap in chain.gaps(group)]
        return sorted(found, key=lambda gap: gap[1])

    def take(self) -> tuple[list[Received], bool]:
        """Return what may be carried out now, in order, and whether the healing is over.

        What comes behind the oldest gap waits, whatever its group: order holds over all groups.
        """
        gaps = self.gaps
        if not gaps and self.whole >= self._noticed:
            return self._take(None), True
        limit = min((gap[1] for gap in gaps), default=self.whole)
        return self._take(min(limit, self.whole)), False

    def take_all(self) -> list[Received]:
        """Return all that waits, in order, with whatever is missing in between."""
        for chain in self._chains.values():
            while chain.waiting:
                self._give_up(chain, chain.waiting[0][2].numbers.previous)
        return self._take(None)

    def progress(self) -> list[Gap] | None:
        """Return the gaps to ask for now; None if the oldest one is still that of before."""
        gaps = self.gaps
        oldest = gaps[0] if gaps else self.whole
        if oldest == self._asked:
            return None
        self._asked = self._oldest = oldest
        self._idle, self._due, self._pause = 0, FIRST_PAUSE, FIRST_PAUSE
        return gaps

    def tick(self) -> list[Gap] | None:
        """Return the gaps to ask for once more, if it is time. See also :attr:`hopeless`."""
        gaps = self.gaps
        oldest = gaps[0] if gaps else self.whole
        if oldest != self._oldest:
            self._oldest = oldest
            self._idle, self._due, self._pause = 0, FIRST_PAUSE, FIRST_PAUSE
        self._idle += 1
        if self._idle < self._due:
            return None
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._due = self._idle + self._pause
        return gaps

    @property
    def hopeless(self) -> bool:
        """Whether nothing has come of it for too long."""
        return self._idle > self._patience

    def _chain(self, group: str) -> Chain:
        chain = self._chains.get(group)
        if chain is None:
            chain = self._chains[group] = Chain(self._reached(group))
        return chain

    def _follow(self, chain: Chain) -> None:
        """Move on what has nothing missing before it any more; what has come twice is dropped."""
        while chain.waiting:
            position, number, message = chain.waiting[0]
            reached = chain.reached
            if reached is not None and message.numbers.previous > reached:
                return
            heappop(chain.waiting)
            if reached is not None and position <= reached:
                self.size -= _weigh(message.operations)
                continue
            chain.reached = position
            heappush(self._ready, (position, number, message))

    def _give_up(self, chain: Chain, position: int) -> None:
        """Miss what is missing up to a position."""
        while chain.waiting and chain.waiting[0][2].numbers.previous <= position:
            chain.reached = max(chain.reached or 0, chain.waiting[0][2].numbers.previous)
            self._follow(chain)
        if chain.announced <= position:
            chain.announced = 0

    def _take(self, limit: int | None) -> list[Received]:
        taken: list[Received] = []
        while self._ready and (limit is None or self._ready[0][0] <= limit):
            message = heappop(self._ready)[2]
            self.size -= _weigh(message.operations)
            taken.append(message)
        return taken


def _weigh(value: Any) -> int:
    """Return about how many bytes a value takes."""
    if isinstance(value, (str, bytes)):
        return 50 + len(value)
    if isinstance(value, (list, tuple)):
        return 60 + sum(map(_weigh, value))
    if isinstance(value, dict):
        return 60 + sum(_weigh(key) + _weigh(item) for key, item in value.items())
    return 8
