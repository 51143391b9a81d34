"""Whose a socket is, as plain values that can be compared and sent."""

from __future__ import annotations

from typing import Any

from ..addressing.rooms import user_room


def identity(user: Any) -> list[str]:
    """Return texts that say who a user is: the same for the same user, and for nobody.

    It is the user's model and primary key. A user without one has to be the same text.
    """
    room = user_room(user)
    if room is not None:
        return [room.model, room.pk]
    return [] if user is None else [type(user).__qualname__, str(user)]
