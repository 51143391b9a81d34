"""Which groups this process wants to be in, and which changes the layer must still be told.

Without I/O. A join and a leave of one group between two calls cancel out: no call is made.
"""

from __future__ import annotations

from enum import Enum

from .progress import Milestone, Progress
from .sequence import tail


class Change(Enum):
    """What the layer has to be told about a group."""

    ADD = "add"
    DISCARD = "discard"


class Groups:
    """The groups of one process. ``synced`` counts changes that the layer has been told of."""

    def __init__(self) -> None:
        self.synced = Progress()
        # In the order in which they were joined: that of all processes comes first. And by the tail
        # of their names.
        self._wanted: dict[str, None] = {}
        self._tails: dict[str, str] = {}
        self._joined: set[str] = set()
        # By wanted group: the position of this process's last message when the layer had been told.
        self._settled: dict[str, int] = {}
        # Joined groups that the layer may have forgotten.
        self._unsure: set[str] = set()
        self._changed: dict[str, None] = {}

    def __contains__(self, group: object) -> bool:
        """Whether this process wants to be in a group."""
        return group in self._wanted

    def join(self, group: str) -> Milestone:
        """Note that this process wants to be in a group. The milestone: the layer was told."""
        self._wanted[group] = None
        self._tails[tail(group)] = group
        return self._change(group)

    def leave(self, group: str) -> Milestone:
        """Note that it wants to be in a group no more. The milestone: the layer was told."""
        self._wanted.pop(group, None)
        self._settled.pop(group, None)
        self._tails.pop(tail(group), None)
        return self._change(group)

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
            self._change(group)

    def _change(self, group: str) -> Milestone:
        self._changed[group] = None
        return self.synced.give()

    @property
    def changed(self) -> bool:
        """Whether there are changes to be taken."""
        return bool(self._changed)

    def take_changes(self) -> list[str]:
        """Return the groups that were joined or left since the last call."""
        changed, self._changed = list(self._changed), {}
        return changed

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
