"""Rooms: text, or all sockets of a user, or of a Django session."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..exceptions import LimitExceeded


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


def check_room(room: Any, longest: int) -> Room:
    """As :func:`as_room`, for a room to be joined.

    Raises LimitExceeded for a name of more than ``longest`` characters.
    """
    found = as_room(room)
    if isinstance(found, str) and len(found) > longest:
        raise LimitExceeded("room name too long")
    return found
