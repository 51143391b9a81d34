"""One namespace's sockets in this process, as an index by sid and by room."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, Protocol, TypeVar

from ..addressing.rooms import Room


class HasSid(Hashable, Protocol):
    """What can be in a namespace and its rooms."""

    sid: str


M = TypeVar("M", bound=HasSid)


class LocalNamespace(Generic[M]):
    """The sockets of one namespace in one process, by sid and by room."""

    __slots__ = ("counted", "family", "name", "rooms", "sockets")

    def __init__(self, name: str, family: str = "") -> None:
        self.name = name
        self.family = family
        # The counter's key: clients choose the names of a dynamic namespace, so there may be many,
        # and the counter then puts them under "other".
        self.counted = name
        self.sockets: dict[str, M] = {}
        # Dicts as ordered sets: a room's members get a packet in the order in which they joined.
        self.rooms: dict[Room, dict[M, None]] = {}

    def join(self, socket: M, room: Room) -> bool:
        """Add a socket to a room. Returns True for the room's first member."""
        members = self.rooms.get(room)
        if members is None:
            self.rooms[room] = {socket: None}
            return True
        members[socket] = None
        return False

    def leave(self, socket: M, room: Room) -> bool:
        """Remove a socket from a room. Returns True for its last member: the room is forgotten."""
        members = self.rooms.get(room)
        if members is None:
            return False
        members.pop(socket, None)
        if members:
            return False
        del self.rooms[room]
        return True

    def select(self, rooms: Iterable[Room], exclude: Iterable[Room]) -> list[M]:
        """Return the sockets in any of ``rooms`` (all, if it is empty) and in none of ``exclude``.

        Each socket is there once, in however many of the rooms it is. A socket is a member of the
        room that is named like its sid.
        """
        rooms = tuple(rooms)
        if not rooms:
            found: Iterable[M] = self.sockets.values()
        elif len(rooms) == 1:
            found = self._members(rooms[0])
        else:
            found = dict.fromkeys(socket for room in rooms for socket in self._members(room))
        excluded = frozenset(exclude)
        if not excluded:
            return list(found)
        members = {socket for room in excluded for socket in self.rooms.get(room, ())}
        # By sid: one that is still connecting may be in rooms, but not yet among the sockets.
        return [socket for socket in found if socket.sid not in excluded and socket not in members]

    def _members(self, room: Room) -> Iterable[M]:
        members = self.rooms.get(room, ())
        own = self.sockets.get(room) if isinstance(room, str) else None
        return members if own is None else dict.fromkeys([own, *members])
