"""The sockets that an operator addresses, and their form in messages between processes."""

from __future__ import annotations

from typing import Any, NamedTuple

from .rooms import Room, UserRoom


class Target(NamedTuple):
    """The sockets of ``namespace`` in any of ``rooms``, without those in any of ``exclude``.

    Without ``rooms`` it is all sockets. ``local`` keeps to the sockets of this process.

    Without a slash ``namespace`` stands for several: "" for all, the name of a *family* for those
    that one consumer class serves. A packet for several is encoded for "/".
    """

    namespace: str
    rooms: tuple[Room, ...] = ()
    exclude: tuple[Room, ...] = ()
    local: bool = False

    @property
    def is_wide(self) -> bool:
        """Whether ``namespace`` stands for several namespaces."""
        return self.namespace[:1] != "/"

    def to_wire(self) -> list[Any]:
        """Return three items of an operation: namespace, rooms, exclude."""
        return [
            self.namespace,
            [_room_to_wire(room) for room in self.rooms],
            [_room_to_wire(room) for room in self.exclude],
        ]

    @classmethod
    def from_wire(cls, namespace: str, rooms: list[Any], exclude: list[Any]) -> Target:
        """Return the target from what :meth:`to_wire` returned. Raises ValueError for no room."""
        return cls(
            namespace,
            tuple(_room_from_wire(room) for room in rooms),
            tuple(_room_from_wire(room) for room in exclude),
        )


def room_key(room: Room) -> tuple[str, ...]:
    """Return texts that stand for this room and for no other."""
    if isinstance(room, UserRoom):
        return ("user", room.model, room.pk)
    return ("room", room)


def name_to_wire(name: str) -> str | bytes:
    """Return a room's name, as bytes if it has half a surrogate pair, which UTF-8 cannot encode.

    JavaScript's strings may have one.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogatepass")
    return name


def name_from_wire(name: Any) -> str:
    """Return the name of :func:`name_to_wire`'s result. Raises ValueError for what is none."""
    if isinstance(name, bytes):
        return name.decode("utf-8", "surrogatepass")
    if not isinstance(name, str):
        raise ValueError("a room's name is text")
    return name


def _room_to_wire(room: Room) -> Any:
    return name_to_wire(room) if isinstance(room, str) else list(room_key(room))


def _room_from_wire(room: Any) -> Room:
    if isinstance(room, (str, bytes)):
        return name_from_wire(room)
    if (
        isinstance(room, (list, tuple))
        and all(isinstance(part, str) for part in room)
        and len(room) == 3
        and room[0] == "user"
    ):
        return UserRoom(room[1], room[2])
    raise ValueError("not a room")
