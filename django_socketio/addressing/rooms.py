"""Who is where: the sockets of a namespace in this process, and their rooms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..server.consumers import SocketIOConsumer


class UserRoom(NamedTuple):
    """Every socket of a user. Not text, so that no room's name can be mistaken for it."""

    model: str
    pk: str


class SessionRoom(NamedTuple):
    """Every socket of a Django session."""

    key: str

    def __repr__(self) -> str:
        """Without the key, which is as good as a password."""
        return "<SessionRoom>"


Room = str | UserRoom | SessionRoom


def as_room(room: Any) -> Room:
    """The room that ``room`` names: text stands for itself, a user object for all its sockets.

    Raises TypeError for anything else, ValueError for a user that is not stored.
    """
    if type(room) is str:
        return room
    if isinstance(room, (UserRoom, SessionRoom)):
        return room
    if isinstance(room, str):
        return str(room)
    if hasattr(room, "pk"):
        found = user_room(room)
        if found is None:
            raise ValueError("an anonymous user is no room")
        return found
    raise TypeError(f"a room is text or a user, not {type(room).__name__}")


def user_room(user: Any) -> UserRoom | None:
    """The room of a user, None for one that has no primary key."""
    pk = getattr(user, "pk", None)
    if pk is None:
        return None
    meta = getattr(user, "_meta", None)
    model = "" if meta is None else meta.concrete_model._meta.label_lower
    return UserRoom(model, str(pk))


class LocalNamespace:
    """The sockets of one namespace in one process, by sid and by room."""

    __slots__ = ("name", "rooms", "sockets")

    def __init__(self, name: str) -> None:
        self.name = name
        self.sockets: dict[str, SocketIOConsumer] = {}
        # Dicts as ordered sets: a room's members get a packet in the order in which they joined.
        self.rooms: dict[Room, dict[SocketIOConsumer, None]] = {}

    def join(self, socket: SocketIOConsumer, room: Room) -> bool:
        """Put a socket into a room. True for its first member."""
        members = self.rooms.get(room)
        if members is None:
            self.rooms[room] = {socket: None}
            return True
        members[socket] = None
        return False

    def leave(self, socket: SocketIOConsumer, room: Room) -> bool:
        """Take a socket out of a room. True for its last member: the room is forgotten."""
        members = self.rooms.get(room)
        if members is None:
            return False
        members.pop(socket, None)
        if members:
            return False
        del self.rooms[room]
        return True

    def select(self, rooms: Iterable[Room], exclude: Iterable[Room]) -> list[SocketIOConsumer]:
        """The sockets in any of ``rooms`` (all, where it is empty) and in none of ``exclude``.

        Each once, whatever the number of its rooms. A socket's own sid is a room of which it is a
        member.
        """
        rooms = tuple(rooms)
        if not rooms:
            found: Iterable[SocketIOConsumer] = self.sockets.values()
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

    def _members(self, room: Room) -> Iterable[SocketIOConsumer]:
        members = self.rooms.get(room, ())
        own = self.sockets.get(room) if isinstance(room, str) else None
        return members if own is None else dict.fromkeys([own, *members])
