"""Where an operation goes: to the groups of rooms, and straight to the owners of sockets."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from ..addressing.ids import owner_of
from ..addressing.rooms import Room
from ..addressing.target import Target, room_key
from .bus import Bus
from .messages import CARRIED, EVERYONE, group_name
from .peers import Peers
from .progress import Milestone
from .visits import Visits

# How many seconds after a sockets_join() the other processes may need to join the rooms' groups,
# and how many such rooms are remembered.
JOINING_TIME = 5.0
MAX_JOINING = 10_000


class Router:
    """Sends operations to the processes that may have sockets of a target."""

    def __init__(
        self,
        node: str,
        bus: Bus,
        peers: Peers,
        visits: Visits,
        loop: asyncio.AbstractEventLoop,
        numbered: bool = False,
    ) -> None:
        self._node = node
        self._bus = bus
        self._peers = peers
        self._visits = visits
        self._loop = loop
        self._numbers = count(1)
        # Whether each operation has a number, so that what is kept of it can be recognised.
        self._numbered = numbered
        # Whether this process listens; else it knows no other process's channel.
        self.listening = False
        # Rooms that sockets elsewhere have just been told to join: what is sent there meanwhile
        # goes to the whole namespace, so that it takes effect in calling order.
        self._joining: OrderedDict[tuple[str, Room], tuple[Milestone, float]] = OrderedDict()

    def next_number(self) -> int:
        """Return a number that no other operation of this process has."""
        return next(self._numbers)

    def to_node(self, node: str, operation: list[Any], size: int = 0) -> Milestone | None:
        """Send an operation to one process. Returns None if the process is not known."""
        channel = self._peers.channel(node)
        return None if channel is None else self._bus.to_channel(channel, operation, size)

    def to_tunnel(self, node: str, operation: list[Any], size: int = 0) -> Milestone | None:
        """Send an operation of a tunnel to one process. Returns None if it is not known."""
        channel = self._peers.channel(node)
        return None if channel is None else self._bus.to_channel(channel, operation, size, CARRIED)

    def to_target(
        self, target: Target, make: Callable[[int], list[Any]], size: int = 0
    ) -> Milestone | None:
        """Send an operation to the processes that may have sockets of the target.

        ``make`` is called with the operation's number: 0 if it goes to one group or process, unless
        all have numbers. By any other a process that gets it twice knows that it is the same.
        """
        groups: list[str] = []
        channels: list[str] = []
        if not target.namespace:
            groups.append(EVERYONE)
        elif target.is_wide or not target.rooms:
            groups.append(group_of(target.namespace, None))
        for room in () if target.is_wide else target.rooms:
            owner = owner_of(room) if isinstance(room, str) else None
            channel = None if owner is None else self._peers.channel(owner)
            if channel is not None:
                channels.append(channel)
            if self._joining and (
                self._is_joined(target.namespace, room) or self._is_joined("", room)
            ):
                groups.append(group_of(target.namespace, None))
            elif channel is not None or owner == self._node:
                if self._visits.visitors:
                    groups.append(group_of(target.namespace, room))
            elif owner is not None and not self.listening:
                groups.append(EVERYONE)  # a process that does not listen knows nobody's channel
            else:
                groups.append(group_of(target.namespace, room))
        several = len(groups) + len(channels) > 1
        operation = make(self.next_number() if several or self._numbered else 0)
        taken = None
        for channel in dict.fromkeys(channels):
            taken = self._bus.to_channel(channel, operation, size)
        for group in dict.fromkeys(groups):
            taken = self._bus.to_group(group, operation, size)
        return taken

    def owner_alone(self, room: Room) -> str | None:
        """Return the process of a room named like a sid whose members are all there, else None."""
        owner = owner_of(room) if isinstance(room, str) else None
        if owner is None or self._visits.visitors:
            return None
        return owner if owner == self._node or owner in self._peers else None

    def to_nodes(self, nodes: set[str], operation: list[Any], size: int = 0) -> None:
        """Send an operation to ``nodes``, which are one process or all that there are."""
        if len(nodes) == 1:
            self.to_node(next(iter(nodes)), operation, size)
        elif nodes:
            self._bus.to_group(EVERYONE, operation, size)

    def remember_joining(self, namespace: str, rooms: Iterable[Room], taken: Milestone) -> None:
        """Remember that sockets elsewhere were told to join rooms; ``taken``: the layer has it.

        ``namespace`` is "" for several.
        """
        for room in rooms:
            self._joining[namespace, room] = taken, self._loop.time()
            self._joining.move_to_end((namespace, room))
        while len(self._joining) > MAX_JOINING:
            self._joining.popitem(last=False)

    def _is_joined(self, namespace: str, room: Room) -> bool:
        """Return whether sockets elsewhere have just been told to join a room."""
        taken, since = self._joining.get((namespace, room), (None, 0.0))
        if taken is None:
            return False
        if taken.done and self._loop.time() - since > JOINING_TIME:
            del self._joining[namespace, room]
            return False
        return True


def group_of(namespace: str, room: Room | None) -> str:
    """Return the Channels group of a room; of a namespace where ``room`` is None."""
    return group_name(namespace) if room is None else group_name(namespace, *room_key(room))
