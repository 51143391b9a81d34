"""Rooms that are named like a socket of another process.

What is sent to a sid goes to the process that the sid names, and nowhere else. As in Node, other
sockets may join a room of that name: their process then tells all others, for as long as that
lasts, and what is sent to any sid goes to the group of that name as well.
"""

from __future__ import annotations

from collections.abc import Callable

from ..addressing.ids import owner_of
from ..addressing.rooms import Room
from .bus import Bus
from .messages import EVERYONE, Kind
from .peers import Peers


class Visits:
    """The rooms of this process that are named so, and the processes that have such rooms."""

    def __init__(self, bus: Bus, peers: Peers) -> None:
        self._bus = bus
        self._peers = peers
        self._rooms: set[tuple[str, Room]] = set()
        # The other processes that have such rooms.
        self.visitors: set[str] = set()
        self.handlers: dict[int, Callable[..., None]] = {Kind.VISITS: self._on_visits}

    def opened(self, namespace: str, room: Room | None) -> None:
        """Note that a room has its first socket here."""
        owner = owner_of(room) if isinstance(room, str) else None
        if room is not None and owner is not None and owner in self._peers:
            self._rooms.add((namespace, room))
            if len(self._rooms) == 1:
                self.repeat()

    def closed(self, namespace: str, room: Room | None) -> None:
        """Note that a room has lost its last socket here."""
        if self._rooms and room is not None and (namespace, room) in self._rooms:
            self._rooms.remove((namespace, room))
            if not self._rooms:
                self._bus.to_group(EVERYONE, [Kind.VISITS, False])

    def repeat(self) -> None:
        """Tell the others that this process has such rooms, if it has; again with each heartbeat.

        Who is new has to hear of it, too.
        """
        if self._rooms:
            self._bus.to_group(EVERYONE, [Kind.VISITS, True])

    def departed(self, node: str) -> None:
        """Forget a process that is gone."""
        self.visitors.discard(node)

    def _on_visits(self, sender: str, visiting: bool) -> None:
        if visiting and sender in self._peers:
            self.visitors.add(sender)
        else:
            self.visitors.discard(sender)
