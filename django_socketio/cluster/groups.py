"""Which groups this process wants to be in, and which changes the layer must still be told.

Without I/O. A join and a leave of one group between two calls cancel out: no call is made.

Whoever causes changes (a socket that joins rooms) has a queue of its own, and the queues take
turns: nobody waits behind the thousands of rooms that another one joins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from enum import Enum
from typing import NamedTuple

from .progress import Milestone, Progress
from .sequence import tail


class Change(Enum):
    """What the layer has to be told about a group."""

    ADD = "add"
    DISCARD = "discard"


class Causer:
    """What one causer has changed and the layer must still be told, in order."""

    __slots__ = ("groups", "told")

    def __init__(self) -> None:
        # By group, the number of its change.
        self.groups: dict[str, int] = {}
        self.told = Progress()


class Turn(NamedTuple):
    """A group that may have changed; ``finish()`` notes that the layer has been told."""

    group: str
    number: int
    told: Progress

    def finish(self) -> None:
        """Reach the milestones of this change."""
        self.told.finish(self.number)


class Groups:
    """The groups of one process."""

    def __init__(self) -> None:
        # In the order in which they were joined: that of all processes comes first. And by the tail
        # of their names.
        self._wanted: dict[str, None] = {}
        self._tails: dict[str, str] = {}
        self._joined: set[str] = set()
        # By wanted group: the position of this process's last message when the layer had been told.
        self._settled: dict[str, int] = {}
        # Joined groups that the layer may have forgotten.
        self._unsure: set[str] = set()
        # Who has caused changes that were not taken yet, and in which order they take turns.
        self._causers: dict[Hashable, Causer] = {}
        self._turns: deque[Hashable] = deque()

    def __contains__(self, group: object) -> bool:
        """Whether this process wants to be in a group."""
        return group in self._wanted

    def join(self, group: str, causer: Hashable = None) -> Milestone:
        """Note that this process wants to be in a group. The milestone: the layer was told."""
        self._wanted[group] = None
        self._tails[tail(group)] = group
        return self._change(group, causer)

    def leave(self, group: str, causer: Hashable = None) -> Milestone:
        """Note that it wants to be in a group no more. The milestone: the layer was told."""
        self._wanted.pop(group, None)
        self._settled.pop(group, None)
        self._tails.pop(tail(group), None)
        return self._change(group, causer)

    def with_tail(self, tail: str) -> str | None:
        """Return the group whose name ends so; None where this process is in no such group."""
        return self._tails.get(tail)

    def settle(self, group: str, position: int) -> None:
        """Note that the layer has been told of a group, and the position of our last message."""
        if group in self._wanted:
            self._settled.setdefault(group, position)

    def joined_at(self, group: str) -> int | None:
        """Return that position; None while the layer has not been told, or was told to leave."""
        return self._settled.get(group)

    def rejoin(self) -> None:
        """Join all groups again: the layer may have forgotten them."""
        self._unsure.update(self._joined)
        for group in self._wanted:
            self._change(group, None)

    def _change(self, group: str, causer: Hashable) -> Milestone:
        found = self._causers.get(causer)
        if found is None:
            found = self._causers[causer] = Causer()
            self._turns.append(causer)
        number = found.groups.get(group)
        if number is not None:
            return Milestone(found.told, number)  # one telling will do for both changes
        milestone = found.told.give()
        found.groups[group] = found.told.given
        return milestone

    @property
    def changed(self) -> bool:
        """Whether there are changes to be taken."""
        return bool(self._causers)

    def untold(self) -> list[Milestone]:
        """Return milestones that are reached when all that has changed so far has been told."""
        return [causer.told.all() for causer in self._causers.values()]

    def take_changes(self, number: int) -> list[Turn]:
        """Return at most ``number`` changed groups, one of each causer in turn."""
        taken: list[Turn] = []
        while self._turns and len(taken) < number:
            name = self._turns.popleft()
            causer = self._causers[name]
            group = next(iter(causer.groups))
            taken.append(Turn(group, causer.groups.pop(group), causer.told))
            if causer.groups:
                self._turns.append(name)
            else:
                del self._causers[name]
        return taken

    def change(self, group: str) -> Change | None:
        """Return what the layer must be told about a group; None if it knows all."""
        joined = group in self._joined
        if group in self._wanted:
            return None if joined and group not in self._unsure else Change.ADD
        return Change.DISCARD if joined else None

    def told(self, group: str, change: Change) -> None:
        """Note that the layer has been told."""
        self._unsure.discard(group)
        if change is Change.ADD:
            self._joined.add(group)
        else:
            self._joined.discard(group)
