"""The two kinds of rooms: those with a name, and those of a user."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..exceptions import LimitExceeded


class UserRoom(NamedTuple):
    """The room of every socket of a user. It is no text, so no client can join it by its name."""

    model: str
    pk: str


Room = str | UserRoom

# The rooms of ``to()``: nobody is in it, for no model has such a name.
NOBODY: tuple[Room, ...] = (UserRoom("\0", ""),)


def as_room(room: Any) -> Room:
    """Return the room that ``room`` means: a name itself, or for a user the room of its sockets.

    Raises TypeError for anything else, ValueError for a user without a primary key.
    """
    if type(room) is str:
        return room
    if isinstance(room, UserRoom):
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
    """Return the room of a user; None for a user without a primary key (an anonymous one)."""
    pk = getattr(user, "pk", None)
    if pk is None:
        return None
    meta = getattr(user, "_meta", None)
    model = "" if meta is None else meta.concrete_model._meta.label_lower
    return UserRoom(model, str(pk))


def check_room(room: Any, longest: int) -> Room:
    """Return the room to be joined, as :func:`as_room` does.

    Raises also LimitExceeded for a name of more than ``longest`` characters.
    """
    found = as_room(room)
    if isinstance(found, str) and len(found) > longest:
        raise LimitExceeded("room name too long")
    return found
